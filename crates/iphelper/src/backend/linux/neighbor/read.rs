//! The rows of neighbours and of proxies.

use crate::backend::linux::LinuxHost;
use crate::backend::linux::address::scope_id;
use crate::backend::linux::link::{Link, address_family};
use crate::error::{Error, ErrorKind, Result};
use crate::neighbor::{Neighbor, NeighborState, PhysicalAddress, ProxyInterface, ProxyNeighbor};
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::{Message, Request};
use iphelper_netlink::rtnetlink::link::flag as link_flag;
use iphelper_netlink::rtnetlink::neigh::{self, Ages, flag, state};
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const OPERATION: &str = "reading neighbours";

/// A neighbour as the kernel has it, detached from the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) index: InterfaceIndex,
    pub(super) address: IpAddr,
    pub(super) physical_address: PhysicalAddress,
    /// `NUD_*`.
    pub(super) state: u16,
    /// `NTF_*`.
    pub(super) flags: u32,
    pub(super) probes: Option<u32>,
    ages: Option<Ages>,
    protocol: Option<u8>,
}

/// What rows say of their interface, worked out once: a LUID is a hash.
#[derive(Debug)]
pub(super) struct Named {
    luid: InterfaceLuid,
    name: String,
}

impl From<&Link> for Named {
    fn from(link: &Link) -> Self {
        Self { luid: link.luid(), name: link.name() }
    }
}

/// The interface of a proxy.
pub(super) fn proxy_interface(link: &Named, index: InterfaceIndex) -> ProxyInterface {
    ProxyInterface { luid: link.luid, index, name: link.name.clone() }
}

impl Entry {
    /// The row of an address that is answered for.
    pub(super) fn proxy_row(&self, interface: Option<ProxyInterface>) -> ProxyNeighbor {
        let is_router = self.flags & flag::ROUTER != 0;
        ProxyNeighbor { address: self.address, interface, is_router, protocol: self.protocol }
    }

    /// Copies a message; `None` if it is about something else, or about what the kernel keeps for itself: one entry
    /// without an address for all packets over a link that has no neighbours.
    pub(super) fn read(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(neighbor) = neigh::Neighbor::parse(message)? else { return Ok(None) };
        let Some(address) = neighbor.address().filter(|address| !address.is_unspecified()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            index: InterfaceIndex(neighbor.index),
            address,
            // The kernel's are 32 bytes at most (MAX_ADDR_LEN).
            physical_address: neighbor
                .link_address
                .and_then(|bytes| PhysicalAddress::new(bytes).ok())
                .unwrap_or_default(),
            state: neighbor.state,
            flags: neighbor.flags,
            probes: neighbor.probes,
            ages: neighbor.ages,
            protocol: neighbor.protocol.filter(|protocol| *protocol != 0),
        }))
    }

    /// One that nobody made yet.
    pub(super) const fn new(
        index: InterfaceIndex,
        address: IpAddr,
        physical_address: PhysicalAddress,
        state: u16,
    ) -> Self {
        Self { index, address, physical_address, state, flags: 0, probes: None, ages: None, protocol: None }
    }

    pub(super) fn row(&self, link: &Named) -> Neighbor {
        let router = self.flags & flag::ROUTER != 0;
        let age = |ticks: fn(Ages) -> u32| {
            self.ages.map(|ages| Duration::from_millis(u64::from(ticks(ages)).saturating_mul(10)))
        };
        let confirmable = state::REACHABLE | state::STALE | state::DELAY | state::PROBE;
        Neighbor {
            address: self.address,
            luid: link.luid,
            index: self.index,
            name: link.name.clone(),
            scope_id: scope_id(self.address, self.index),
            physical_address: self.physical_address,
            state: meaning(self.state),
            is_router: match self.address {
                IpAddr::V4(_) => router.then_some(true),
                IpAddr::V6(_) => Some(router),
            },
            is_unreachable: self.state & state::FAILED != 0,
            last_reachable: age(|ages| ages.confirmed).filter(|_| self.state & confirmable != 0),
            last_unreachable: age(|ages| ages.updated).filter(|_| self.state & state::FAILED != 0),
            externally_learned: self.flags & flag::EXTERNALLY_LEARNED != 0,
            managed: self.flags & flag::MANAGED != 0,
            protocol: self.protocol,
            nud_state: self.state,
        }
    }
}

/// Windows' word for a state of the kernel's.
fn meaning(nud: u16) -> NeighborState {
    match nud {
        state::INCOMPLETE => NeighborState::Incomplete,
        state::REACHABLE => NeighborState::Reachable,
        state::STALE => NeighborState::Stale,
        state::DELAY => NeighborState::Delay,
        state::PROBE => NeighborState::Probe,
        state::NOARP | state::PERMANENT => NeighborState::Permanent,
        _ => NeighborState::Unreachable,
    }
}

/// The row that a message tells; `None` as for [`Entry::read`].
pub(in crate::backend::linux) fn row(
    message: &Message<'_>,
    link: &Link,
) -> Result<Option<Neighbor>, DecodeError> {
    Ok(Entry::read(message)?.map(|entry| entry.row(&Named::from(link))))
}

impl LinuxHost {
    pub(super) fn read_neighbors(&self, family: Option<Family>) -> Result<Vec<Neighbor>> {
        let entries = self.neighbor_entries(family, None, OPERATION)?;
        let links = self.named_links(OPERATION)?;
        // One that vanished between the dumps has no link.
        Ok(entries.iter().filter_map(|entry| Some(entry.row(links.get(&entry.index)?))).collect())
    }

    pub(super) fn read_neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<Neighbor> {
        const OPERATION: &str = "reading a neighbour";
        require_neighbor_address(address, OPERATION)?;
        let link = self.address_link(Family::of(&address), interface, OPERATION)?;
        match self.neighbor_entry(&link, address, OPERATION)? {
            Some(entry) => Ok(entry.row(&Named::from(&link))),
            None => Err(no_such_neighbor(address, &link, OPERATION)),
        }
    }

    pub(super) fn read_proxy_neighbors(&self, family: Option<Family>) -> Result<Vec<ProxyNeighbor>> {
        const OPERATION: &str = "reading proxies";
        let proxies = self.dump_neighbors(family, None, neigh::dump_proxies, OPERATION)?;
        let links = self.named_links(OPERATION)?;
        let row = |proxy: &Entry| match links.get(&proxy.index) {
            Some(link) => Some(proxy.proxy_row(Some(proxy_interface(link, proxy.index)))),
            None if proxy.index.0 == 0 => Some(proxy.proxy_row(None)),
            None => None,
        };
        Ok(proxies.iter().filter_map(row).collect())
    }

    pub(super) fn named_links(&self, operation: &'static str) -> Result<FxHashMap<InterfaceIndex, Named>> {
        Ok(self.links(operation)?.iter().map(|link| (link.index, Named::from(link))).collect())
    }

    /// The entries of one family or of both, of one link or of all, ordered by family, link and address.
    pub(super) fn neighbor_entries(
        &self,
        family: Option<Family>,
        link: Option<InterfaceIndex>,
        operation: &'static str,
    ) -> Result<Vec<Entry>> {
        let request = |family| match link {
            Some(link) => neigh::dump(family, link.0),
            None => neigh::dump_all(family),
        };
        self.dump_neighbors(family, link, request, operation)
    }

    /// The entries that a dump tells. The kernel's hash tables are shared by all namespaces, and nothing tells that one
    /// changed meanwhile: at the seams of datagrams an entry can come twice, or not at all.
    fn dump_neighbors(
        &self,
        family: Option<Family>,
        link: Option<InterfaceIndex>,
        request: impl Fn(u8) -> Request,
        operation: &'static str,
    ) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for family in self.address_families(family, operation)? {
            let of_family = self
                .route
                .take()?
                .snapshot(&mut request(address_family(family)), Vec::new, |entries, message| {
                    // Kernels without strict checking tell of all links.
                    let asked = |it: &Entry| {
                        Family::of(&it.address) == family && link.is_none_or(|link| it.index == link)
                    };
                    entries.extend(Entry::read(message)?.filter(asked));
                    Ok(())
                })
                .map_err(|refusal| refusal.error(operation))?;
            entries.extend(of_family);
        }
        // The order of the kernel is that of a hash table.
        entries
            .sort_unstable_by_key(|entry: &Entry| (Family::of(&entry.address), entry.index, entry.address));
        Ok(entries)
    }

    /// The entry of one neighbour; `None` if there is none.
    pub(super) fn neighbor_entry(
        &self,
        link: &Link,
        address: IpAddr,
        operation: &'static str,
    ) -> Result<Option<Entry>> {
        let mut found = None;
        let mut request = neigh::get(neigh::Key { index: link.index.0, address });
        let asked = self.route.take()?.ask(&mut request, |message| {
            found = Entry::read(message)?.or(found);
            Ok(())
        });
        match asked {
            Ok(()) => Ok(found),
            Err(refusal) if refusal.errno() == libc::ENOENT => Ok(None),
            Err(refusal) => Err(refusal.error(operation)),
        }
    }
}

/// [`ErrorKind::InvalidParameter`] for what no host of a link can have.
pub(super) fn require_neighbor_address(address: IpAddr, operation: &'static str) -> Result<()> {
    let is_good = !address.is_unspecified()
        && !address.is_loopback()
        && match address {
            IpAddr::V4(address) => address != Ipv4Addr::BROADCAST,
            IpAddr::V6(address) => address.to_ipv4_mapped().is_none(),
        };
    if is_good {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidParameter, operation)
        .because(format!("{address} is no address that a host of a link can have")))
}

/// Whether the kernel has one entry for all IPv4 packets over a link, that of `0.0.0.0` (`net/ipv4/arp.c`,
/// `arp_constructor`): it takes each address that is asked for or set there for that one.
pub(super) fn shares_one_entry(link: &Link, address: IpAddr) -> bool {
    address.is_ipv4() && (link.has(link_flag::LOOPBACK) || link.has(link_flag::POINT_TO_POINT))
}

pub(super) fn no_such_neighbor(address: IpAddr, link: &Link, operation: &'static str) -> Error {
    Error::new(ErrorKind::NotFound, operation).because(format!("{} has no neighbour {address}", link.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_the_kernel_has_a_meaning() {
        use NeighborState::{Delay, Incomplete, Permanent, Probe, Reachable, Stale, Unreachable};
        let states = [0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xffff];
        let meant = [
            Unreachable,
            Incomplete,
            Reachable,
            Stale,
            Delay,
            Probe,
            Unreachable,
            Permanent,
            Permanent,
            Unreachable,
        ];
        assert_eq!(states.map(meaning), meant);
    }

    #[test]
    fn only_what_a_host_of_a_link_can_have_is_a_neighbor() {
        for good in ["10.0.0.1", "169.254.1.1", "224.0.0.22", "fe80::1", "ff02::1", "2001:db8::"] {
            assert!(require_neighbor_address(good.parse().unwrap(), "").is_ok(), "{good}");
        }
        for bad in ["0.0.0.0", "127.0.0.1", "127.9.9.9", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1"] {
            let error = require_neighbor_address(bad.parse().unwrap(), "").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{bad}");
        }
    }
}
