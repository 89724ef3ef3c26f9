//! Neighbours: the hosts of a link and their physical addresses, as ARP and neighbour discovery know them.
//!
//! ```no_run
//! # fn main() -> iphelper::Result<()> {
//! use iphelper::{Family, Host};
//!
//! let host = Host::open()?;
//! for row in host.neighbors(Some(Family::V4))? {
//!     println!("{} on {}: {} {}", row.address, row.name, row.physical_address, row.state);
//! }
//! # Ok(())
//! # }
//! ```

pub use crate::types::PhysicalAddress;

use crate::Host;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A row of the neighbour table.
///
/// What a host cannot know is `None`, never a made-up zero.
#[doc(alias = "MIB_IPNET_ROW2")]
#[doc(alias = "MIB_IPNETROW")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Neighbor {
    /// The neighbour's address.
    pub address: IpAddr,
    /// The LUID of the interface that it is reached over.
    pub luid: InterfaceLuid,
    /// The index of the interface.
    pub index: InterfaceIndex,
    /// The interface's name, for people; not part of Windows' row.
    pub name: String,
    /// The zone of the address: the interface's index for a link-local IPv6 address, else 0.
    pub scope_id: u32,
    /// The physical address; empty while it is not known, and on links without any.
    pub physical_address: PhysicalAddress,
    /// How far the neighbour can be relied on.
    pub state: NeighborState,
    /// Whether it is a router. Neighbour discovery tells; ARP does not: `None` for IPv4, unless a program said so.
    pub is_router: Option<bool>,
    /// Whether it was sought and did not answer.
    pub is_unreachable: bool,
    /// How long ago it was last confirmed to be reachable; `None` for one that nobody confirms: one that was set, or
    /// is not found.
    ///
    /// The kernel keeps no time for one that it has heard of and never confirmed: it counts twice the interface's base
    /// reachable time there.
    pub last_reachable: Option<Duration>,
    /// How long ago it was found unreachable; `None` for one that is not.
    pub last_unreachable: Option<Duration>,
    /// Whether another program's control plane knows it (`NTF_EXT_LEARNED`), as of EVPN. Not part of Windows' row.
    pub externally_learned: bool,
    /// Whether the kernel keeps it resolved by itself (`NTF_EXT_MANAGED`). Not part of Windows' row.
    pub managed: bool,
    /// Who made it: Linux' routing protocol number (`NDA_PROTOCOL`); `None`: nobody said. Not part of Windows' row.
    pub protocol: Option<u8>,
    /// The kernel's own state (`NUD_*`), of which [`state`](Self::state) is the meaning. Not part of Windows' row.
    pub nud_state: u16,
}

/// How far a neighbour can be relied on.
#[doc(alias = "NL_NEIGHBOR_STATE")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum NeighborState {
    /// Nobody answered, or nobody was asked yet. Linux: `FAILED`, `NONE`.
    #[doc(alias = "NlnsUnreachable")]
    Unreachable,
    /// Being sought; the physical address is not known. Linux: `INCOMPLETE`.
    #[doc(alias = "NlnsIncomplete")]
    Incomplete,
    /// In doubt, and being asked whether it is still there. Linux: `PROBE`.
    #[doc(alias = "NlnsProbe")]
    Probe,
    /// In doubt and in use: it will be asked if nothing else confirms it. Linux: `DELAY`.
    #[doc(alias = "NlnsDelay")]
    Delay,
    /// Known, in doubt, and not in use. Linux: `STALE`.
    #[doc(alias = "NlnsStale")]
    Stale,
    /// Confirmed within the interface's reachable time. Linux: `REACHABLE`.
    #[doc(alias = "NlnsReachable")]
    Reachable,
    /// Never in doubt: set by somebody, or a group's address, which needs no asking. Linux: `PERMANENT`, `NOARP`.
    #[doc(alias = "NlnsPermanent")]
    Permanent,
}

impl fmt::Display for NeighborState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unreachable => "unreachable",
            Self::Incomplete => "incomplete",
            Self::Probe => "probe",
            Self::Delay => "delay",
            Self::Stale => "stale",
            Self::Reachable => "reachable",
            Self::Permanent => "permanent",
        })
    }
}

/// An address that this host answers for on behalf of another: a row of the table of proxies.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyNeighbor {
    /// The address.
    pub address: IpAddr,
    /// The interface on which it is answered for; `None`: on all.
    pub interface: Option<ProxyInterface>,
    /// Whether it is told to be a router's.
    pub is_router: bool,
    /// Who made it: Linux' routing protocol number (`NDA_PROTOCOL`); `None`: nobody said.
    pub protocol: Option<u8>,
}

/// The interface of a [`ProxyNeighbor`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyInterface {
    /// Its LUID.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// Its name, for people.
    pub name: String,
}

impl Host {
    /// The neighbours of one family or of both, ordered by family, then interface, then address.
    ///
    /// Groups (multicast) whose physical address the kernel has worked out are among them, as on Windows.
    /// Addresses that this host answers for are not: see [`proxy_neighbors`](Self::proxy_neighbors).
    ///
    /// - Windows: `GetIpNetTable2`, `GetIpNetTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: one dump each of `RTM_GETLINK` and `RTM_GETNEIGH`
    /// - Privilege: none
    #[doc(alias = "GetIpNetTable2")]
    #[doc(alias = "GetIpNetTable")]
    pub fn neighbors(&self, family: Option<Family>) -> Result<Vec<Neighbor>> {
        self.backend().neighbors(family)
    }

    /// One neighbour, as it is known now: nobody is asked, see [`resolve_neighbor`](Self::resolve_neighbor).
    ///
    /// - Windows: `GetIpNetEntry2`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface has no such neighbour, or not the address's
    ///   family; [`NotSupported`](crate::ErrorKind::NotSupported) where this host lacks the family;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for what no neighbour can have: an unspecified,
    ///   broadcast, loopback or IPv4-mapped address
    /// - Linux: `RTM_GETNEIGH`
    /// - Privilege: none
    #[doc(alias = "GetIpNetEntry2")]
    pub fn neighbor(&self, interface: impl Into<InterfaceKey>, address: IpAddr) -> Result<Neighbor> {
        self.backend().neighbor(interface.into(), address)
    }

    /// The addresses of one family or of both that this host answers for on behalf of others, ordered by family, then
    /// interface, then address. Windows lists them nowhere.
    ///
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: `RTM_GETNEIGH` with `NTF_PROXY`
    /// - Privilege: none
    pub fn proxy_neighbors(&self, family: Option<Family>) -> Result<Vec<ProxyNeighbor>> {
        self.backend().proxy_neighbors(family)
    }
}
