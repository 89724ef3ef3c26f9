//! Links as the chapters see them: decoded and owned, so that one dump serves interfaces, names, IP interfaces and
//! notifications.

mod identity;
mod kind;
mod wireless;

use super::LinuxHost;
use super::socket::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::{InterfaceType, TunnelType};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
pub(super) use identity::NAME_SPACE;
use iphelper_netlink::DecodeError;
use iphelper_netlink::rtnetlink::link::{
    self, Inet, Inet6, LinkMessage, LinkStatistics, Selector, arphrd, devconf4, devconf6, flag,
};
use std::net::Ipv6Addr;

/// `ALTIFNAMSIZ`, its NUL left out.
const LONGEST_NAME: usize = 127;

/// One link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) index: InterfaceIndex,
    /// The name's bytes, which need not be UTF-8.
    pub(super) name: Vec<u8>,
    pub(super) interface_type: InterfaceType,
    pub(super) tunnel_type: TunnelType,
    /// Nothing is sent over the link: it shows the netlink messages of others (nlmon).
    pub(super) receives_only: bool,
    /// `IFF_*`.
    pub(super) flags: u32,
    pub(super) kind: Option<String>,
    pub(super) address: Vec<u8>,
    pub(super) permanent_address: Option<Vec<u8>>,
    pub(super) mtu: u32,
    /// Limits of the MTU; `None`: no limit.
    pub(super) min_mtu: Option<u32>,
    pub(super) max_mtu: Option<u32>,
    pub(super) operstate: u8,
    pub(super) carrier: Option<bool>,
    /// `IFLA_LINK`, if it is in the same namespace.
    pub(super) link: Option<InterfaceIndex>,
    /// `IFLA_LINK`, in whatever namespace.
    linked_index: u32,
    pub(super) master: Option<InterfaceIndex>,
    /// The administrator's number of a set of links.
    pub(super) group: u32,
    pub(super) alias: Option<String>,
    pub(super) parent: Option<Parent>,
    /// Largest packet that the link cuts into segments itself, for IPv4 and IPv6.
    pub(super) gso_max_size: [u32; 2],
    pub(super) statistics: LinkStatistics,
    pub(super) ipv4: Option<LinkIpv4>,
    pub(super) ipv6: Option<LinkIpv6>,
}

/// The hardware, real or emulated, that a link stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Parent {
    /// `pci`, `usb`, `virtio` ...; empty for the rare device on no bus.
    pub(super) bus: String,
    pub(super) device: String,
}

/// What IPv4 knows of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LinkIpv4 {
    pub(super) forwarding: bool,
    pub(super) arp_ignore: i32,
    /// Whether an address takes the place of the first one of its prefix when that is deleted, or goes with it.
    pub(super) promotes_secondaries: bool,
}

/// What IPv6 knows of a link: files of `/proc/sys/net/ipv6/conf/NAME`, and what a router told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LinkIpv6 {
    pub(super) disabled: bool,
    pub(super) forwarding: bool,
    /// `None` before Linux 6.17.
    pub(super) force_forwarding: Option<bool>,
    pub(super) mtu: u32,
    pub(super) accept_ra: i32,
    pub(super) accept_dad: i32,
    pub(super) dad_transmits: i32,
    pub(super) router_solicitations: i32,
    /// 0 EUI-64, 1 none, 2 stable privacy, 3 random.
    pub(super) address_generation: u8,
    /// `::` is none.
    pub(super) token: Ipv6Addr,
    pub(super) max_reassembly: Option<u32>,
    /// The last router advertisement's M flag.
    pub(super) managed: bool,
    /// The last router advertisement's O flag.
    pub(super) other_configuration: bool,
}

impl Link {
    /// Copies a message. Wi-Fi is Ethernet here, until [`LinuxHost::mark_wireless`] has looked.
    pub(super) fn new(message: &LinkMessage<'_>) -> Result<Self, DecodeError> {
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let unlimited = |limit: Option<u32>| limit.filter(|limit| *limit != 0);
        let gso = message.gso_max_size.unwrap_or_default();
        Ok(Self {
            index: InterfaceIndex(message.index),
            name: message.name.to_vec(),
            interface_type: kind::interface_type(message.hardware_type),
            tunnel_type: kind::tunnel_type(message)?,
            receives_only: message.hardware_type == arphrd::NETLINK,
            flags: message.flags,
            kind: text(message.kind),
            address: message.address.unwrap_or_default().to_vec(),
            permanent_address: message.permanent_address.map(<[u8]>::to_vec),
            mtu: message.mtu.unwrap_or_default(),
            min_mtu: unlimited(message.min_mtu),
            max_mtu: unlimited(message.max_mtu),
            operstate: message.operstate.unwrap_or_default(),
            carrier: message.carrier,
            link: message.link.filter(|_| message.link_netnsid.is_none()).map(InterfaceIndex),
            linked_index: message.link.unwrap_or_default(),
            master: message.master.map(InterfaceIndex),
            group: message.group,
            alias: text(message.alias),
            parent: text(message.parent_device)
                .map(|device| Parent { bus: text(message.parent_bus).unwrap_or_default(), device }),
            gso_max_size: [message.gso_ipv4_max_size.unwrap_or(gso), gso],
            statistics: message.statistics.unwrap_or_default(),
            ipv4: message.inet.as_ref().map(LinkIpv4::new),
            ipv6: message.inet6.as_ref().map(LinkIpv6::new),
        })
    }

    /// Whether all of these `IFF_*` are set.
    pub(super) fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// The name for people; bytes that are not UTF-8 are replaced.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// The IPv6 part, unless it is switched off.
    pub(super) fn active_ipv6(&self) -> Option<&LinkIpv6> {
        self.ipv6.as_ref().filter(|ipv6| !ipv6.disabled)
    }

    /// Whether the link is an IP interface of `family`.
    pub(super) fn has_family(&self, family: Family) -> bool {
        match family {
            Family::V4 => self.ipv4.is_some(),
            Family::V6 => self.active_ipv6().is_some(),
        }
    }

    /// Why the link is no IP interface of `family`, which it is not.
    pub(super) fn why_without(&self, family: Family) -> String {
        let reason = match family {
            Family::V4 => "it has no IPv4: its MTU is below 68",
            Family::V6 if self.ipv6.is_some() => "IPv6 is switched off on it (disable_ipv6 is 1)",
            Family::V6 => "it has no IPv6: its MTU is below 1280, or IPv6 is kept off it",
        };
        format!("{}: {reason}", self.name())
    }

    /// Whether packets can go over the link, as the kernel judges (`netif_oper_up`): a driver that tells nothing
    /// (loopback, TUN) counts as up while it has a carrier.
    pub(super) fn is_connected(&self) -> bool {
        match self.operstate {
            6 => true,
            0 => self.has(flag::RUNNING | flag::LOWER_UP),
            _ => false,
        }
    }
}

impl LinkIpv4 {
    fn new(inet: &Inet<'_>) -> Self {
        Self {
            forwarding: inet.conf(devconf4::FORWARDING).is_some_and(|value| value != 0),
            arp_ignore: inet.conf(devconf4::ARP_IGNORE).unwrap_or_default(),
            promotes_secondaries: inet.conf(devconf4::PROMOTE_SECONDARIES).is_some_and(|value| value != 0),
        }
    }
}

impl LinkIpv6 {
    fn new(inet6: &Inet6<'_>) -> Self {
        let number = |member| inet6.conf(member).unwrap_or_default();
        Self {
            disabled: number(devconf6::DISABLE_IPV6) != 0,
            forwarding: number(devconf6::FORWARDING) != 0,
            force_forwarding: force_forwarding(inet6),
            mtu: number(devconf6::MTU).cast_unsigned(),
            accept_ra: number(devconf6::ACCEPT_RA),
            accept_dad: number(devconf6::ACCEPT_DAD),
            dad_transmits: number(devconf6::DAD_TRANSMITS),
            router_solicitations: number(devconf6::RTR_SOLICITS),
            address_generation: inet6.address_generation.unwrap_or_default(),
            token: inet6.token.unwrap_or(Ipv6Addr::UNSPECIFIED),
            max_reassembly: inet6.max_reassembly,
            managed: inet6.flags & Inet6::MANAGED != 0,
            other_configuration: inet6.flags & Inet6::OTHER_CONFIGURATION != 0,
        }
    }

    /// Whether router advertisements are obeyed with this value of `accept_ra`
    /// (`Documentation/networking/ip-sysctl.rst`).
    pub(super) fn obeys_routers(&self, accept_ra: i32) -> bool {
        if self.forwarding { accept_ra == 2 } else { accept_ra != 0 }
    }
}

/// `None` before Linux 6.17.
fn force_forwarding(inet6: &Inet6<'_>) -> Option<bool> {
    #[cfg(test)]
    if before_6_17::is_pretended() {
        return None;
    }
    inet6.conf(devconf6::FORCE_FORWARDING).map(|value| value != 0)
}

impl LinuxHost {
    /// All links, ordered by index.
    pub(super) fn links(&self, operation: &'static str) -> Result<Vec<Link>> {
        let mut links: Vec<Link> = self
            .route
            .take()?
            .snapshot(&mut link::dump(), Vec::new, |links, message| {
                if let Some(message) = LinkMessage::parse(message)? {
                    links.push(Link::new(&message)?);
                }
                Ok(())
            })
            .map_err(|refusal| refusal.error(operation))?;
        links.sort_unstable_by_key(|link| link.index);
        self.mark_wireless(&mut links)?;
        Ok(links)
    }

    /// The link that `key` names: with a LUID that very one, not a later one on its index.
    pub(super) fn link(&self, key: InterfaceKey, operation: &'static str) -> Result<Link> {
        let (index, luid) = match key {
            InterfaceKey::Index(index) => (index, None),
            InterfaceKey::Luid(luid) => (identity::index_of(luid), Some(luid)),
        };
        // The kernel's index is a positive int; 0 asks for a link by name.
        if index.0 == 0 || i32::try_from(index.0).is_err() {
            return Err(not_found(operation, &key));
        }
        let link = self
            .ask_for_link(Selector::Index(index.0), operation)?
            .map_err(|refusal| refusal.error(operation).because(format!("no interface has {key}")))?;
        match luid {
            Some(luid) if link.luid() != luid => Err(not_found(operation, &key)),
            _ => Ok(link),
        }
    }

    /// The link with this name or alternative name.
    pub(super) fn link_named(&self, name: &str, operation: &'static str) -> Result<Link> {
        let shown = || name.escape_debug();
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
            return Err(Error::new(ErrorKind::InvalidName, operation).because(format!(
                "\"{}\" cannot be a name: one has 1 to {LONGEST_NAME} bytes and no NUL",
                shown()
            )));
        }
        self.ask_for_link(Selector::Name(name.as_bytes()), operation)?.map_err(|refusal| {
            refusal.error(operation).because(format!("no interface is called \"{}\"", shown()))
        })
    }

    /// [`ErrorKind::NotSupported`] where this kernel lacks an address family.
    pub(super) fn require_family(&self, family: Family, operation: &'static str) -> Result<()> {
        if self.sysctl.has(family) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotSupported, operation).because(format!("this kernel has no {family}")))
    }

    fn ask_for_link(&self, selector: Selector<'_>, operation: &'static str) -> Result<Result<Link, Refusal>> {
        let mut found = None;
        // One answer tells everything: no acknowledgement is waited for.
        let question = link::get(selector).unacknowledged();
        let mut refused = None;
        let asked = self.route.take()?.answers([question], |_, answer| {
            match answer {
                Ok(message) => {
                    found = LinkMessage::parse(message)?.map(|message| Link::new(&message)).transpose()?;
                }
                Err(refusal) => refused = Some(refusal),
            }
            Ok(())
        });
        let asked = asked.and(refused.map_or(Ok(()), Err));
        match (asked, found) {
            (Ok(()), Some(mut link)) => {
                self.mark_wireless(std::slice::from_mut(&mut link))?;
                Ok(Ok(link))
            }
            (Ok(()), None) => {
                Err(Error::new(ErrorKind::Other, operation).because("the kernel answered without a link"))
            }
            (Err(refusal), _) => Ok(Err(refusal)),
        }
    }
}

/// The kernel's number of a family, a byte in all messages.
pub(super) const fn address_family(family: Family) -> u8 {
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

/// No link is what a caller named.
fn not_found(operation: &'static str, key: &InterfaceKey) -> Error {
    Error::new(ErrorKind::InterfaceNotFound, operation).because(format!("no interface has {key}"))
}

/// A kernel without `force_forwarding`, for tests on a later one: this thread sees none.
#[cfg(test)]
pub(super) mod before_6_17 {
    use std::cell::Cell;

    thread_local! {
        static PRETENDED: Cell<bool> = const { Cell::new(false) };
    }

    /// From now on.
    pub(in crate::backend::linux) fn pretend() {
        PRETENDED.set(true);
    }

    pub(super) fn is_pretended() -> bool {
        PRETENDED.get()
    }
}
