//! Neighbours: the addresses of a link whose hardware address is known or sought (`struct ndmsg`, `NDA_*`).
//!
//! ```text
//!  0        1                 4                 8                 10       11       12
//!  +--------+--------+--------+-----------------+-----------------+--------+--------+ - - - -
//!  | family |  pad            |  index          | state           | flags  |  type  | NDA_*
//!  +--------+--------+--------+-----------------+-----------------+--------+--------+ - - - -
//! ```

use crate::DecodeError;
use crate::attribute::AttributeWriter;
use crate::message::{ACK, CREATE, DUMP, EXCLUSIVE, Message, REPLACE, Request};
use std::net::IpAddr;

/// `RTM_NEWNEIGH`: a neighbour that is there; as a request, one that is made or changed.
pub const NEW_NEIGHBOR: u16 = 28;
/// `RTM_DELNEIGH`: a neighbour that is gone; as a request, one to forget.
pub const DELETE_NEIGHBOR: u16 = 29;
/// `RTM_GETNEIGH`: asks for neighbours.
pub const GET_NEIGHBOR: u16 = 30;

const FIXED_LEN: usize = 12;

const DST: u16 = 1;
const LLADDR: u16 = 2;
const CACHEINFO: u16 = 3;
const PROBES: u16 = 4;
const IFINDEX: u16 = 8;
const PROTOCOL: u16 = 12;
const FLAGS_EXT: u16 = 15;

/// Reachability of a neighbour ([`Neighbor::state`], `NUD_*`).
pub mod state {
    /// Nothing is known of it, nor sought.
    pub const NONE: u16 = 0;
    /// Being sought for the first time.
    pub const INCOMPLETE: u16 = 0x01;
    /// Confirmed a short time ago.
    pub const REACHABLE: u16 = 0x02;
    /// Known, and in doubt since some time has passed without use.
    pub const STALE: u16 = 0x04;
    /// In doubt and in use: a probe will follow when the delay is over.
    pub const DELAY: u16 = 0x08;
    /// Being probed.
    pub const PROBE: u16 = 0x10;
    /// Nobody answered.
    pub const FAILED: u16 = 0x20;
    /// Needs no resolution: a group's address, or a link that resolves none.
    pub const NOARP: u16 = 0x40;
    /// Set by hand, and never doubted.
    pub const PERMANENT: u16 = 0x80;
}

/// Marks of a neighbour ([`Neighbor::flags`], `NTF_*`, and from bit 16 on `NTF_EXT_*`).
pub mod flag {
    /// As a request: resolve now.
    pub const USE: u32 = 0x01;
    /// An address that this host answers for.
    pub const PROXY: u32 = 0x08;
    /// Another program's control plane knows it.
    pub const EXTERNALLY_LEARNED: u32 = 0x10;
    /// It is a router.
    pub const ROUTER: u32 = 0x80;
    /// The kernel keeps it resolved by itself (`NTF_EXT_MANAGED`, Linux 5.16).
    pub const MANAGED: u32 = 0x1_0000;
}

/// When things happened to a neighbour, in ticks of a hundredth of a second before now (`struct nda_cacheinfo`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ages {
    /// Since it was last confirmed; made up by the kernel for one that never was.
    pub confirmed: u32,
    /// Since it was last used.
    pub used: u32,
    /// Since its state or address changed.
    pub updated: u32,
}

/// A neighbour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbor<'a> {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// The link; 0 for a proxy of all links.
    pub index: u32,
    /// `NUD_*`, see [`state`].
    pub state: u16,
    /// `NTF_*`, see [`flag`].
    pub flags: u32,
    /// Its network address.
    pub destination: &'a [u8],
    /// Its hardware address, if one is known.
    pub link_address: Option<&'a [u8]>,
    /// Its ages; a proxy has none.
    pub ages: Option<Ages>,
    /// How many probes are out.
    pub probes: Option<u32>,
    /// Who made it (`RTPROT_*`); `None` or 0: nobody said.
    pub protocol: Option<u8>,
}

/// A neighbour as requests name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key {
    /// The link; 0 for a proxy of all links.
    pub index: u32,
    /// Its network address.
    pub address: IpAddr,
}

/// What a request does with a neighbour that is there or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Write {
    /// Make it; `EEXIST` if it is there in any state.
    Create,
    /// Change it; `ENOENT` if it is not there.
    Change,
}

/// A request for all neighbours of one family, or of all with 0.
#[must_use]
pub fn dump_all(family: u8) -> Request {
    Request::new(GET_NEIGHBOR, DUMP, &fixed(family, 0, 0, 0))
}

/// A request for the addresses that this host answers for.
#[must_use]
pub fn dump_proxies(family: u8) -> Request {
    Request::new(GET_NEIGHBOR, DUMP, &fixed(family, 0, 0, PROXY))
}

/// A request for one neighbour; `ENOENT` if the kernel has none.
#[must_use]
pub fn get(key: Key) -> Request {
    key.request(GET_NEIGHBOR, ACK, 0, 0)
}

/// A request for one address that this host answers for; `ENOENT` if it does not.
#[must_use]
pub fn get_proxy(key: Key) -> Request {
    key.request(GET_NEIGHBOR, ACK, 0, PROXY)
}

/// A request that gives a neighbour a hardware address, a state, and marks (`NTF_*`, see [`flag`]): those that it has and
/// should keep are to be among them.
#[must_use]
pub fn put(key: Key, write: Write, link_address: &[u8], state: u16, marks: u32) -> Request {
    let flags = match write {
        Write::Create => CREATE | EXCLUSIVE,
        Write::Change => REPLACE,
    };
    let [low, ..] = marks.to_le_bytes();
    let mut request = key.request(NEW_NEIGHBOR, ACK | flags, state, low);
    let _ = request.attribute(LLADDR, link_address);
    if marks >> 16 != 0 {
        let _ = request.attribute_u32(FLAGS_EXT, marks >> 16);
    }
    request
}

/// A request to resolve a neighbour now, without a packet of anybody's that waits for it.
///
/// One that is known stays as it is, but for `marks` that it has and that are not given, and is probed later if it is in
/// doubt.
#[must_use]
pub fn solicit(key: Key, marks: u32) -> Request {
    let mut request = key.request(NEW_NEIGHBOR, ACK | CREATE, 0, marks.to_le_bytes()[0] | USE);
    if marks >> 16 != 0 {
        let _ = request.attribute_u32(FLAGS_EXT, marks >> 16);
    }
    request
}

/// A request to forget a neighbour; `ENOENT` if it is not there.
#[must_use]
pub fn delete(key: Key) -> Request {
    key.request(DELETE_NEIGHBOR, ACK, 0, 0)
}

/// A request to answer for an address; it succeeds if that is so already.
#[must_use]
pub fn create_proxy(key: Key) -> Request {
    key.request(NEW_NEIGHBOR, ACK | CREATE, 0, PROXY)
}

/// A request to answer for an address no more; `ENOENT` if that is not so.
#[must_use]
pub fn delete_proxy(key: Key) -> Request {
    key.request(DELETE_NEIGHBOR, ACK, 0, PROXY)
}

const USE: u8 = flag::USE as u8;
const PROXY: u8 = flag::PROXY as u8;

const fn fixed(family: u8, index: u32, state: u16, flags: u8) -> [u8; FIXED_LEN] {
    let [i0, i1, i2, i3] = index.to_ne_bytes();
    let [s0, s1] = state.to_ne_bytes();
    [family, 0, 0, 0, i0, i1, i2, i3, s0, s1, flags, 0]
}

impl Key {
    fn request(self, kind: u16, flags: u16, state: u16, marks: u8) -> Request {
        const AF_INET: u8 = 2;
        const AF_INET6: u8 = 10;
        let family = if self.address.is_ipv4() { AF_INET } else { AF_INET6 };
        let mut request = Request::new(kind, flags, &fixed(family, self.index, state, marks));
        let _ = match self.address {
            IpAddr::V4(address) => request.attribute(DST, &address.octets()),
            IpAddr::V6(address) => request.attribute(DST, &address.octets()),
        };
        request
    }
}

/// A request for the neighbours of one family on one link.
#[must_use]
pub fn dump(family: u8, index: u32) -> Request {
    let mut request = dump_all(family);
    let _ = request.attribute_u32(IFINDEX, index);
    request
}

impl<'a> Neighbor<'a> {
    /// Reads a message, also one about a neighbour that is gone; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        if !matches!(message.header.kind, NEW_NEIGHBOR | DELETE_NEIGHBOR) {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("ndmsg")?;
        let [family, _, _, _, i0, i1, i2, i3, s0, s1, flags, _] = *fixed;
        let mut destination = None;
        let mut neighbor = Self {
            family,
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            state: u16::from_ne_bytes([s0, s1]),
            flags: flags.into(),
            destination: &[],
            link_address: None,
            ages: None,
            probes: None,
            protocol: None,
        };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                DST => destination = Some(attribute.payload),
                LLADDR => neighbor.link_address = Some(attribute.payload),
                CACHEINFO => {
                    // The number of references follows.
                    let [c0, c1, c2, c3, u0, u1, u2, u3, d0, d1, d2, d3] = attribute.array()?;
                    neighbor.ages = Some(Ages {
                        confirmed: u32::from_ne_bytes([c0, c1, c2, c3]),
                        used: u32::from_ne_bytes([u0, u1, u2, u3]),
                        updated: u32::from_ne_bytes([d0, d1, d2, d3]),
                    });
                }
                PROBES => neighbor.probes = Some(attribute.u32()?),
                PROTOCOL => neighbor.protocol = Some(attribute.u8()?),
                FLAGS_EXT => neighbor.flags |= attribute.u32()?.wrapping_shl(16),
                _ => {}
            }
        }
        Ok(destination.map(|destination| Self { destination, ..neighbor }))
    }

    /// Its network address; `None` if the family has none of this length.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        const AF_INET: u8 = 2;
        const AF_INET6: u8 = 10;
        match self.family {
            AF_INET => <[u8; 4]>::try_from(self.destination).ok().map(IpAddr::from),
            AF_INET6 => <[u8; 16]>::try_from(self.destination).ok().map(IpAddr::from),
            _ => None,
        }
    }

    /// A request that puts the neighbour into another state; `ENOENT` if it is gone.
    #[must_use]
    pub fn set_state(&self, state: u16) -> Request {
        let mut request =
            Request::new(NEW_NEIGHBOR, ACK | REPLACE, &fixed(self.family, self.index, state, 0));
        let _ = request.attribute(DST, self.destination);
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const PROBED: &str = include_str!("../../captured/neigh-inet6.hex");

    #[cfg(target_endian = "little")]
    #[test]
    fn a_neighbor_is_read_and_put_into_another_state() {
        let payload = bytes(PROBED);
        let neighbor = Neighbor::parse(&message(NEW_NEIGHBOR, &payload)).unwrap().unwrap();
        let destination = "2001:db8:1::7".parse::<std::net::Ipv6Addr>().unwrap().octets();
        assert_eq!((neighbor.family, neighbor.index, neighbor.state), (10, 2, state::PROBE));
        assert_eq!((neighbor.destination, neighbor.probes), (&destination[..], Some(1)));
        assert_eq!(neighbor.address(), Some(IpAddr::from(destination)));
        assert_eq!(neighbor.ages, Some(Ages { confirmed: 6000, used: 0, updated: 0 }));

        let mut request = neighbor.set_state(state::STALE);
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        let read = Neighbor::parse(&sent).unwrap().unwrap();
        assert_eq!((read.index, read.state, read.address()), (2, state::STALE, neighbor.address()));
        assert_eq!(sent.header.flags & 0x400, 0, "NLM_F_CREATE would bring back a neighbour that is gone");
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(Neighbor::parse(&message(16, &[0; 32])), Ok(None));
        assert_eq!(Neighbor::parse(&message(NEW_NEIGHBOR, &[10; 12])), Ok(None), "no address");
        assert!(Neighbor::parse(&message(NEW_NEIGHBOR, &[10, 0, 0])).is_err());
        assert!(dump(10, 2).is_dump());
    }

    fn read(request: &mut Request, check: impl FnOnce(u16, u16, Neighbor<'_>)) {
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        check(sent.header.kind, sent.header.flags, Neighbor::parse(&sent).unwrap().unwrap());
    }

    #[test]
    fn requests_say_what_is_to_become_of_a_neighbor() {
        for address in ["192.0.2.7", "2001:db8::7"].map(|text| text.parse::<IpAddr>().unwrap()) {
            let key = Key { index: 3, address };
            read(
                &mut put(key, Write::Create, &[2, 0, 0, 0, 0, 9], state::PERMANENT, 0),
                |kind, flags, sent| {
                    assert_eq!((kind, flags), (NEW_NEIGHBOR, 1 | ACK | CREATE | EXCLUSIVE));
                    assert_eq!((sent.index, sent.address()), (3, Some(address)));
                    assert_eq!((sent.state, sent.link_address), (0x80, Some(&[2, 0, 0, 0, 0, 9][..])));
                },
            );
            let marks = flag::ROUTER | flag::MANAGED;
            read(&mut put(key, Write::Change, &[2], state::STALE, marks), |_, flags, sent| {
                assert_eq!((flags, sent.state), (1 | ACK | REPLACE, 4), "what is gone is not made anew");
                assert_eq!(sent.flags, marks);
            });
            read(&mut solicit(key, marks), |kind, flags, sent| {
                assert_eq!((kind, flags, sent.flags), (NEW_NEIGHBOR, 1 | ACK | CREATE, marks | flag::USE));
            });
            read(&mut delete(key), |kind, _, sent| assert_eq!((kind, sent.flags), (DELETE_NEIGHBOR, 0)));
            read(&mut create_proxy(key), |kind, _, sent| assert_eq!((kind, sent.flags), (28, flag::PROXY)));
            read(&mut delete_proxy(key), |kind, _, sent| assert_eq!((kind, sent.flags), (29, flag::PROXY)));
        }
    }

    #[test]
    fn marks_of_both_attributes_are_one_number() {
        let mut payload = fixed(2, 1, state::REACHABLE, 0x10).to_vec();
        let _ =
            payload.attribute(DST, &[192, 0, 2, 1]).attribute_u32(FLAGS_EXT, 1).attribute_u8(PROTOCOL, 186);
        let neighbor = Neighbor::parse(&message(NEW_NEIGHBOR, &payload)).unwrap().unwrap();
        assert_eq!(neighbor.flags, flag::EXTERNALLY_LEARNED | flag::MANAGED);
        assert_eq!(neighbor.protocol, Some(186));
        payload[0] = 7;
        let bridge = Neighbor::parse(&message(NEW_NEIGHBOR, &payload)).unwrap().unwrap();
        assert_eq!(bridge.address(), None, "a bridge's table is sent in the same messages");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Neighbor::parse(&message(NEW_NEIGHBOR, &payload)).map(|read| read.map(|n| (n.address(), n.set_state(4))));
        }
    }
}
