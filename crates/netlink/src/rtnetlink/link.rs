//! Links: network interfaces as the kernel describes them (`struct ifinfomsg`, `IFLA_*`).
//!
//! ```text
//!  0        1        2                 4                 8        12       16
//!  +--------+--------+-----------------+-----------------+--------+--------+ - - - -
//!  | family |  pad   |  ARPHRD type    |  index          | flags  | change | IFLA_*
//!  +--------+--------+-----------------+-----------------+--------+--------+ - - - -
//! ```

pub mod change;
mod inet;
mod statistics;
mod tunnel;

pub use inet::{Inet, Inet6, devconf4, devconf6};
pub use statistics::LinkStatistics;
pub use tunnel::SitTunnel;

use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request};

/// `RTM_NEWLINK`: a link that is there.
pub const NEW_LINK: u16 = 16;
/// `RTM_DELLINK`: a link that is gone.
pub const DELETE_LINK: u16 = 17;
/// `RTM_GETLINK`: asks for one link or for all.
pub const GET_LINK: u16 = 18;

/// Length of `struct ifinfomsg`.
const FIXED_LEN: usize = 16;
/// `RTEXT_FILTER_SKIP_STATS`: leave the counters of the address families out, 700 bytes a link. Without
/// `RTEXT_FILTER_VF` virtual functions are left out too.
const EXTENSIONS: u32 = 8;

const AF_INET: u16 = 2;
const AF_INET6: u8 = 10;

const ADDRESS: u16 = 1;
const IFNAME: u16 = 3;
const MTU: u16 = 4;
const LINK: u16 = 5;
const MASTER: u16 = 10;
const PROTINFO: u16 = 12;
const OPERSTATE: u16 = 16;
const LINKINFO: u16 = 18;
const IFALIAS: u16 = 20;
const STATS64: u16 = 23;
const AF_SPEC: u16 = 26;
const GROUP: u16 = 27;
const EXT_MASK: u16 = 29;
const CARRIER: u16 = 33;
const LINK_NETNSID: u16 = 37;
const GSO_MAX_SIZE: u16 = 41;
const MIN_MTU: u16 = 50;
const MAX_MTU: u16 = 51;
const PROP_LIST: u16 = 52;
const ALT_IFNAME: u16 = 53;
const PERM_ADDRESS: u16 = 54;
const PARENT_DEV_NAME: u16 = 56;
const PARENT_DEV_BUS_NAME: u16 = 57;
const GSO_IPV4_MAX_SIZE: u16 = 63;

const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const INFO_SLAVE_KIND: u16 = 4;

/// Bits of [`LinkMessage::flags`] (`IFF_*`, see `netdevice(7)`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod flag {
    pub const UP: u32 = 0x1;
    pub const BROADCAST: u32 = 0x2;
    pub const LOOPBACK: u32 = 0x8;
    pub const POINT_TO_POINT: u32 = 0x10;
    pub const RUNNING: u32 = 0x40;
    pub const NO_ARP: u32 = 0x80;
    pub const MULTICAST: u32 = 0x1000;
    pub const LOWER_UP: u32 = 0x1_0000;
}

/// Hardware types ([`LinkMessage::hardware_type`], `include/uapi/linux/if_arp.h`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod arphrd {
    pub const ETHER: u16 = 1;
    pub const ARCNET: u16 = 7;
    pub const ATM: u16 = 19;
    pub const IEEE1394: u16 = 24;
    pub const INFINIBAND: u16 = 32;
    pub const SLIP: u16 = 256;
    pub const CSLIP: u16 = 257;
    pub const SLIP6: u16 = 258;
    pub const CSLIP6: u16 = 259;
    pub const X25: u16 = 271;
    pub const PPP: u16 = 512;
    pub const HDLC: u16 = 513;
    pub const LAPB: u16 = 516;
    pub const RAWIP: u16 = 519;
    pub const TUNNEL: u16 = 768;
    pub const TUNNEL6: u16 = 769;
    pub const FRAME_RELAY: u16 = 770;
    pub const LOOPBACK: u16 = 772;
    pub const FDDI: u16 = 774;
    pub const SIT: u16 = 776;
    pub const IPDDP: u16 = 777;
    pub const IPGRE: u16 = 778;
    pub const IEEE80211: u16 = 801;
    pub const IEEE80211_PRISM: u16 = 802;
    pub const IEEE80211_RADIOTAP: u16 = 803;
    pub const IEEE802154: u16 = 804;
    pub const IP6GRE: u16 = 823;
    pub const NETLINK: u16 = 824;
    pub const NONE: u16 = 65534;
}

/// Which link a request is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Selector<'a> {
    /// The link with this index.
    Index(u32),
    /// The link with this name or alternative name, at most 127 bytes without NUL.
    Name(&'a [u8]),
}

/// A request for one link; [`NEW_LINK`] or `ENODEV` is the answer.
///
/// Headers hold what strict checking (`NETLINK_GET_STRICT_CHK`) allows and no more.
#[must_use]
pub fn get(selector: Selector<'_>) -> Request {
    let index = match selector {
        Selector::Index(index) => index,
        Selector::Name(_) => 0,
    };
    let mut request = Request::new(GET_LINK, ACK, &fixed(index));
    if let Selector::Name(name) = selector {
        // The kernel looks both kinds of names up for both attributes; IFLA_IFNAME takes 15 bytes only.
        let _ = request.attribute_name(ALT_IFNAME, name);
    }
    let _ = request.attribute_u32(EXT_MASK, EXTENSIONS);
    request
}

/// A request for all links of the namespace.
#[must_use]
pub fn dump() -> Request {
    let mut request = Request::new(GET_LINK, DUMP, &fixed(0));
    let _ = request.attribute_u32(EXT_MASK, EXTENSIONS);
    request
}

/// `struct ifinfomsg` with an index and nothing else.
fn fixed(index: u32) -> [u8; FIXED_LEN] {
    let mut fixed = [0; FIXED_LEN];
    let [_, _, _, _, i0, i1, i2, i3, ..] = &mut fixed;
    [*i0, *i1, *i2, *i3] = index.to_ne_bytes();
    fixed
}

/// One link, borrowed from the receive buffer.
///
/// An attribute that the kernel left out is `None`.
#[derive(Clone, Debug, Default)]
pub struct LinkMessage<'a> {
    /// Address family of the message: 0 for the link itself, `AF_INET6` for a change of its IPv6 part, `AF_BRIDGE` for
    /// a change as a port.
    pub family: u8,
    /// The link is gone ([`DELETE_LINK`]).
    pub deleted: bool,
    /// The index.
    pub index: u32,
    /// ARP hardware type, see [`arphrd`].
    pub hardware_type: u16,
    /// `IFF_*`, see [`flag`].
    pub flags: u32,
    /// `IFLA_IFNAME`.
    pub name: &'a [u8],
    /// `IFLA_ADDRESS`, up to 32 bytes.
    pub address: Option<&'a [u8]>,
    /// `IFLA_PERM_ADDRESS`: what the hardware came with.
    pub permanent_address: Option<&'a [u8]>,
    /// `IFLA_MTU`.
    pub mtu: Option<u32>,
    /// `IFLA_MIN_MTU`; 0: no limit.
    pub min_mtu: Option<u32>,
    /// `IFLA_MAX_MTU`; 0: no limit.
    pub max_mtu: Option<u32>,
    /// `IFLA_OPERSTATE` (RFC 2863): 0 unknown, 1 not present, 2 down, 3 lower layer down, 4 testing, 5 dormant, 6 up.
    pub operstate: Option<u8>,
    /// `IFLA_CARRIER`.
    pub carrier: Option<bool>,
    /// `IFLA_LINK`: the link under this one, or the other end of a pair.
    pub link: Option<u32>,
    /// `IFLA_LINK_NETNSID`: `link` is an index of another namespace.
    pub link_netnsid: Option<i32>,
    /// `IFLA_MASTER`: the link that this one is a port of.
    pub master: Option<u32>,
    /// `IFLA_GROUP`: the administrator's number of a set of links.
    pub group: u32,
    /// `IFLA_IFALIAS`: what somebody wrote about the link.
    pub alias: Option<&'a [u8]>,
    /// `IFLA_INFO_KIND`: `veth`, `bridge` ...; `None` for hardware and loopback.
    pub kind: Option<&'a [u8]>,
    /// `IFLA_INFO_SLAVE_KIND`: as what it is a port.
    pub slave_kind: Option<&'a [u8]>,
    /// `IFLA_GSO_MAX_SIZE`, for IPv6.
    pub gso_max_size: Option<u32>,
    /// `IFLA_GSO_IPV4_MAX_SIZE` (Linux 6.3).
    pub gso_ipv4_max_size: Option<u32>,
    /// `IFLA_PARENT_DEV_NAME` (Linux 5.14): the device on the bus that the link belongs to.
    pub parent_device: Option<&'a [u8]>,
    /// `IFLA_PARENT_DEV_BUS_NAME` (Linux 5.14): `pci`, `usb`, `virtio` ...
    pub parent_bus: Option<&'a [u8]>,
    /// `IFLA_STATS64`.
    pub statistics: Option<LinkStatistics>,
    /// The IPv4 part; `None` where the link has none (an MTU below 68).
    pub inet: Option<Inet<'a>>,
    /// The IPv6 part; `None` where the link has none (an MTU below 1280, or no IPv6 in the kernel).
    pub inet6: Option<Inet6<'a>>,
    info_data: Option<Attribute<'a>>,
    properties: Option<Attribute<'a>>,
}

impl<'a> LinkMessage<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        if !matches!(message.header.kind, NEW_LINK | DELETE_LINK) {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("ifinfomsg")?;
        let [family, _, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *fixed;
        let mut link = Self {
            family,
            deleted: message.header.kind == DELETE_LINK,
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            hardware_type: u16::from_ne_bytes([t0, t1]),
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            ..Self::default()
        };
        for attribute in attributes {
            link.read(attribute?)?;
        }
        Ok(Some(link))
    }

    /// The alternative names (`IFLA_PROP_LIST`).
    pub fn alternative_names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let nested = self.properties.map(|list| list.nested()).into_iter().flatten().flatten();
        nested.filter(|property| property.kind == ALT_IFNAME).map(|property| property.c_bytes())
    }

    /// Parameters of a link of the kind `sit`.
    pub fn sit(&self) -> Result<Option<SitTunnel>, DecodeError> {
        match self.info_data {
            Some(data) if self.kind == Some(b"sit") => SitTunnel::parse(data.nested()).map(Some),
            _ => Ok(None),
        }
    }

    fn read(&mut self, attribute: Attribute<'a>) -> Result<(), DecodeError> {
        match attribute.kind {
            IFNAME => self.name = attribute.c_bytes(),
            ADDRESS => self.address = Some(attribute.payload),
            PERM_ADDRESS => self.permanent_address = Some(attribute.payload),
            MTU => self.mtu = Some(attribute.u32()?),
            MIN_MTU => self.min_mtu = Some(attribute.u32()?),
            MAX_MTU => self.max_mtu = Some(attribute.u32()?),
            OPERSTATE => self.operstate = Some(attribute.u8()?),
            CARRIER => self.carrier = Some(attribute.u8()? != 0),
            LINK => self.link = Some(attribute.u32()?),
            LINK_NETNSID => self.link_netnsid = Some(attribute.i32()?),
            MASTER => self.master = Some(attribute.u32()?),
            GROUP => self.group = attribute.u32()?,
            IFALIAS => self.alias = Some(attribute.c_bytes()),
            GSO_MAX_SIZE => self.gso_max_size = Some(attribute.u32()?),
            GSO_IPV4_MAX_SIZE => self.gso_ipv4_max_size = Some(attribute.u32()?),
            PARENT_DEV_NAME => self.parent_device = Some(attribute.c_bytes()),
            PARENT_DEV_BUS_NAME => self.parent_bus = Some(attribute.c_bytes()),
            STATS64 => self.statistics = Some(LinkStatistics::parse(&attribute)?),
            LINKINFO => self.read_link_info(attribute.nested())?,
            PROP_LIST => self.properties = Some(attribute),
            AF_SPEC => self.read_families(attribute.nested())?,
            PROTINFO if self.family == AF_INET6 => self.inet6 = Some(Inet6::parse(attribute.nested())?),
            _ => {}
        }
        Ok(())
    }

    fn read_link_info(&mut self, attributes: Attributes<'a>) -> Result<(), DecodeError> {
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                INFO_KIND => self.kind = Some(attribute.c_bytes()),
                INFO_SLAVE_KIND => self.slave_kind = Some(attribute.c_bytes()),
                INFO_DATA => self.info_data = Some(attribute),
                _ => {}
            }
        }
        Ok(())
    }

    /// `IFLA_AF_SPEC`: one attribute for each address family, its type the family's number.
    fn read_families(&mut self, attributes: Attributes<'a>) -> Result<(), DecodeError> {
        // A change as a bridge port carries VLANs here, whose attribute types mean something else.
        if self.family != 0 {
            return Ok(());
        }
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == AF_INET {
                self.inet = Some(Inet::parse(attribute.nested())?);
            } else if attribute.kind == u16::from(AF_INET6) {
                self.inet6 = Some(Inet6::parse(attribute.nested())?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const PORT: &str = include_str!("../../captured/link-port.hex");
    const TOKEN: &str = include_str!("../../captured/link-token.hex");
    const HARDWARE: &str = include_str!("../../captured/link-hardware.hex");

    #[cfg(target_endian = "little")]
    mod captured {
        use super::*;

        #[test]
        fn a_bridge_port_is_read() {
            let payload = bytes(PORT);
            let link = LinkMessage::parse(&message(NEW_LINK, &payload)).unwrap().unwrap();
            assert_eq!((link.index, link.name, link.hardware_type), (7, &b"v0"[..], arphrd::ETHER));
            assert_eq!(link.flags & (flag::UP | flag::LOWER_UP | flag::LOOPBACK), flag::UP | flag::LOWER_UP);
            assert_eq!(link.address, Some(&[2, 0, 0, 0, 0, 7][..]));
            assert_eq!(link.permanent_address, None);
            assert_eq!((link.mtu, link.min_mtu, link.max_mtu), (Some(1400), Some(68), Some(65535)));
            assert_eq!((link.operstate, link.carrier), (Some(6), Some(true)));
            assert_eq!((link.link, link.link_netnsid, link.master), (Some(2), None, Some(9)));
            assert_eq!(link.alias, Some(&b"the first"[..]));
            assert_eq!((link.kind, link.slave_kind), (Some(&b"veth"[..]), Some(&b"bridge"[..])));
            assert_eq!((link.gso_max_size, link.gso_ipv4_max_size), (Some(65536), Some(65536)));
            let names: Vec<_> = link.alternative_names().collect();
            assert_eq!(names, [&b"longer-name-of-v0"[..], b"second"]);
            let statistics = link.statistics.unwrap();
            assert_eq!((statistics.rx_packets, statistics.rx_bytes), (3, 266));
            assert_eq!((statistics.tx_packets, statistics.tx_bytes), (3, 266));
            assert_eq!((statistics.rx_errors, statistics.multicast, statistics.rx_missed_errors), (0, 0, 0));
        }

        #[test]
        fn the_ipv4_and_ipv6_parts_are_read() {
            let payload = bytes(PORT);
            let link = LinkMessage::parse(&message(NEW_LINK, &payload)).unwrap().unwrap();
            let (inet, inet6) = (link.inet.unwrap(), link.inet6.unwrap());
            assert_eq!(inet.conf(devconf4::FORWARDING), Some(1));
            assert_eq!((inet.conf(0), inet.conf(1000), inet.conf(usize::MAX)), (None, None, None));
            for (member, value) in [
                (devconf6::FORWARDING, 0),
                (devconf6::MTU, 1400),
                (devconf6::ACCEPT_RA, 0),
                (devconf6::DAD_TRANSMITS, 3),
                (devconf6::DISABLE_IPV6, 0),
                (devconf6::ACCEPT_DAD, 1),
                (devconf6::FORCE_FORWARDING, 1),
            ] {
                assert_eq!(inet6.conf(member), Some(value), "member {member}");
            }
            assert_eq!((inet6.conf(60), inet6.conf(usize::MAX)), (None, None));
            assert_eq!((inet6.address_generation, inet6.max_reassembly), (Some(1), Some(65535)));
            assert_eq!(inet6.flags & (Inet6::MANAGED | Inet6::OTHER_CONFIGURATION), 0);

            let payload = bytes(TOKEN);
            let link = LinkMessage::parse(&message(NEW_LINK, &payload)).unwrap().unwrap();
            let inet6 = link.inet6.unwrap();
            assert_eq!(inet6.token, Some("::aa".parse().unwrap()));
            assert_eq!((inet6.address_generation, inet6.advertised_mtu), (Some(0), None));
        }

        #[test]
        fn hardware_has_a_parent_and_a_permanent_address() {
            let payload = bytes(HARDWARE);
            let link = LinkMessage::parse(&message(NEW_LINK, &payload)).unwrap().unwrap();
            assert_eq!((link.name, link.kind), (&b"eth0"[..], None));
            assert_eq!(link.permanent_address, link.address);
            assert_eq!(link.parent_bus, Some(&b"virtio"[..]));
            assert_eq!(link.parent_device, Some(&b"virtio2"[..]));
        }
    }

    #[test]
    fn requests_have_clean_headers() {
        let mut request = get(Selector::Index(7));
        let bytes = request.finish(1).to_vec();
        let sent = Messages::new(&bytes).next().unwrap().unwrap();
        let (fixed, attributes) = sent.split::<FIXED_LEN>("ifinfomsg").unwrap();
        assert_eq!(u32::from_ne_bytes(fixed[4..8].try_into().unwrap()), 7);
        assert!(fixed[..4].iter().chain(&fixed[8..]).all(|byte| *byte == 0));
        assert_eq!(attributes.map(|attribute| attribute.unwrap().kind).collect::<Vec<_>>(), [EXT_MASK]);

        let mut request = get(Selector::Name(b"eth0"));
        let bytes = request.finish(1).to_vec();
        let sent = Messages::new(&bytes).next().unwrap().unwrap();
        let (fixed, mut attributes) = sent.split::<FIXED_LEN>("ifinfomsg").unwrap();
        assert_eq!(fixed, &[0; FIXED_LEN]);
        assert_eq!(attributes.next().unwrap().unwrap().payload, b"eth0\0");
        assert!(dump().is_dump());
    }

    #[test]
    fn a_sit_tunnel_tells_how_it_finds_its_other_end() {
        let mut payload = vec![0; FIXED_LEN];
        let _ = payload.attribute_nested(LINKINFO, |info| {
            let _ = info.attribute_name(INFO_KIND, b"sit").attribute_nested(INFO_DATA, |data| {
                let _ = data.attribute(3, &[0; 4]).attribute(8, &1_u16.to_ne_bytes());
                let _ = data.attribute(11, &[0x20, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                let _ = data.attribute(13, &16_u16.to_ne_bytes());
            });
        });
        let link = LinkMessage::parse(&message(NEW_LINK, &payload)).unwrap().unwrap();
        let sit = link.sit().unwrap().unwrap();
        assert!(sit.remote.is_unspecified() && sit.isatap);
        assert_eq!(sit.prefix, Some(("2002::".parse().unwrap(), 16)));
    }

    #[test]
    fn a_change_of_the_ipv6_part_is_read_from_its_own_attribute() {
        let mut payload = vec![0; FIXED_LEN];
        payload[0] = AF_INET6;
        let _ = payload.attribute_nested(PROTINFO, |inet6| {
            let _ = inet6.attribute_u32(1, 0xf0);
        });
        let link = LinkMessage::parse(&message(NEW_LINK, &payload)).unwrap().unwrap();
        let inet6 = link.inet6.unwrap();
        assert_eq!(inet6.flags, 0xf0);
        assert!(link.inet.is_none());
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert!(LinkMessage::parse(&message(24, &[0; 32])).unwrap().is_none());
        assert!(LinkMessage::parse(&message(NEW_LINK, &[0; 15])).is_err());
        let mut payload = vec![0; FIXED_LEN];
        let _ = payload.attribute(MTU, &[1, 2]);
        assert!(LinkMessage::parse(&message(NEW_LINK, &payload)).is_err(), "an MTU of two bytes");
        let mut payload = vec![0; FIXED_LEN];
        let _ = payload.attribute(STATS64, &[0; 24 * 8 - 1]);
        assert!(LinkMessage::parse(&message(NEW_LINK, &payload)).is_err(), "counters that are cut off");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            exercise(&payload);
        }

        #[test]
        fn a_damaged_message_is_read_without_panic(
            damage in proptest::collection::vec((0_usize..1520, any::<u8>()), 1..20), len in 0_usize..1520,
        ) {
            let mut payload = bytes(PORT);
            for (position, byte) in damage {
                payload[position] = byte;
            }
            exercise(&payload[..len]);
        }
    }

    fn exercise(payload: &[u8]) {
        for kind in [NEW_LINK, DELETE_LINK] {
            if let Ok(Some(link)) = LinkMessage::parse(&message(kind, payload)) {
                let _ = link.alternative_names().count();
                let _ = link.sit();
                let _ = link.inet.map(|inet| inet.conf(devconf4::FORWARDING));
                let _ = link.inet6.map(|inet6| inet6.conf(devconf6::FORCE_FORWARDING));
            }
        }
    }
}
