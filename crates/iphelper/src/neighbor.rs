//! Neighbours: the hosts of a link and their physical addresses, as ARP and neighbour discovery know them.
//!
//! - Read: [`Host::neighbors`], [`Host::neighbor`]; ask: [`Host::resolve_neighbor`]
//! - Change: [`Host::create_neighbor`], [`Host::set_neighbor`], [`Host::delete_neighbor`], [`Host::flush_neighbors`]
//! - Answers on behalf of others: [`Host::proxy_neighbors`], [`Host::create_proxy_neighbors`],
//!   [`Host::delete_proxy_neighbors`]
//! - What a change would do: [`Host::plan_create_neighbor`], [`Host::plan_set_neighbor`], [`Host::plan_delete_neighbor`],
//!   [`Host::plan_flush_neighbors`], [`Host::plan_create_proxy_neighbors`], [`Host::plan_delete_proxy_neighbors`]
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
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid, Prefix};
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

/// A neighbour to be made.
///
/// ```
/// use iphelper::InterfaceIndex;
/// use iphelper::neighbor::NewNeighbor;
/// # fn main() -> iphelper::Result<()> {
/// let new = NewNeighbor::new(InterfaceIndex(2), "192.0.2.7".parse().unwrap(), "02:00:5e:00:53:07".parse()?);
/// assert!(new.permanent);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewNeighbor {
    /// The interface that it is reached over.
    pub interface: InterfaceKey,
    /// Its address: unicast, anycast or multicast.
    pub address: IpAddr,
    /// Its physical address, as long as the interface's own.
    pub physical_address: PhysicalAddress,
    /// Whether it is never in doubt. Else it begins as [`NeighborState::Stale`]: its first use asks whether it is there,
    /// and what it answers is learned.
    pub permanent: bool,
}

impl NewNeighbor {
    /// A permanent neighbour.
    #[must_use]
    pub fn new(
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
        physical_address: PhysicalAddress,
    ) -> Self {
        Self { interface: interface.into(), address, physical_address, permanent: true }
    }
}

/// What a neighbour is set to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NeighborChange {
    /// Its physical address, as long as the interface's own.
    pub physical_address: PhysicalAddress,
    /// Whether it is never in doubt, see [`NewNeighbor::permanent`].
    pub permanent: bool,
}

impl NeighborChange {
    /// A permanent neighbour with this physical address.
    #[must_use]
    pub const fn new(physical_address: PhysicalAddress) -> Self {
        Self { physical_address, permanent: true }
    }
}

/// Which neighbours to forget.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NeighborFlush {
    /// Of one family; `None`: of both.
    pub family: Option<Family>,
    /// Of one interface; `None`: of all.
    pub interface: Option<InterfaceKey>,
    /// Also those that somebody has set: permanent ones, those that another program's control plane knows, and those
    /// that the kernel was told to keep resolved.
    pub permanent: bool,
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

    /// Makes a neighbour; gives the row that it has then.
    ///
    /// It lasts until it is deleted, or the interface is switched off; loss of the link (a cable that is pulled) it
    /// survives if it is permanent. Unlike Windows, Linux knows entries for addresses that did not answer: they are
    /// neighbours like others here, so that one must be set or deleted.
    ///
    /// - Windows: `CreateIpNetEntry2`, `CreateIpNetEntry`. The state is no input there: the entry is permanent
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have the family;
    ///   [`AlreadyExists`](crate::ErrorKind::AlreadyExists) for an address that is in the interface's table, in whatever
    ///   state; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for an address that no neighbour can have, or a
    ///   physical address that the interface cannot send to, and for IPv4 on a loopback or point-to-point interface;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where this host lacks the family;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_NEWNEIGH` with `NLM_F_EXCL`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "CreateIpNetEntry2")]
    #[doc(alias = "CreateIpNetEntry")]
    pub fn create_neighbor(&self, new: &NewNeighbor) -> Result<Neighbor> {
        self.backend().create_neighbor(new)
    }

    /// The row that [`create_neighbor`](Self::create_neighbor) would make; every check is done, nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_create_neighbor(&self, new: &NewNeighbor) -> Result<Neighbor> {
        self.backend().plan_create_neighbor(new)
    }

    /// Sets the physical address of a neighbour, and whether it is permanent; tells what changed.
    ///
    /// What is so already is no change, and costs no write. Whether it is a router, and known to another program's
    /// control plane, stays as it is.
    ///
    /// - Windows: `SetIpNetEntry2`, `SetIpNetEntry`: the entry is permanent then
    /// - Errors: those of [`create_neighbor`](Self::create_neighbor), but
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface has no such neighbour
    /// - Linux: `RTM_NEWNEIGH` with `NLM_F_REPLACE`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "SetIpNetEntry2")]
    #[doc(alias = "SetIpNetEntry")]
    pub fn set_neighbor(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
        change: &NeighborChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_neighbor(interface.into(), address, change)
    }

    /// What [`set_neighbor`](Self::set_neighbor) would change; every check is done, nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_set_neighbor(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
        change: &NeighborChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().plan_set_neighbor(interface.into(), address, change)
    }

    /// Deletes a neighbour, permanent or learned; gives the row that it had. What is sent to it next seeks it anew.
    ///
    /// - Windows: `DeleteIpNetEntry2`, `DeleteIpNetEntry`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface has no such neighbour, or not the family;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for an address that no neighbour can have;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where this host lacks the family;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_DELNEIGH`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "DeleteIpNetEntry2")]
    #[doc(alias = "DeleteIpNetEntry")]
    pub fn delete_neighbor(&self, interface: impl Into<InterfaceKey>, address: IpAddr) -> Result<Neighbor> {
        self.backend().delete_neighbor(interface.into(), address)
    }

    /// The row that [`delete_neighbor`](Self::delete_neighbor) would delete; nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_delete_neighbor(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<Neighbor> {
        self.backend().plan_delete_neighbor(interface.into(), address)
    }

    /// Forgets neighbours; gives the rows that they had, in the order of the table.
    ///
    /// Learned ones, in whatever state, unless [`permanent`](NeighborFlush::permanent) asks for more. Groups, whose
    /// physical address nobody set or learned, stay: forgotten, they would be back with the next packet. One that is
    /// learned while this works may stay.
    ///
    /// - Windows: `FlushIpNetTable2`, `FlushIpNetTable`, which delete the permanent ones, too
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where this host lacks the family;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_DELNEIGH` for each
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "FlushIpNetTable2")]
    #[doc(alias = "FlushIpNetTable")]
    pub fn flush_neighbors(&self, which: &NeighborFlush) -> Result<Vec<Neighbor>> {
        self.backend().flush_neighbors(which)
    }

    /// The rows that [`flush_neighbors`](Self::flush_neighbors) would delete; nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_flush_neighbors(&self, which: &NeighborFlush) -> Result<Vec<Neighbor>> {
        self.backend().plan_flush_neighbors(which)
    }

    /// Answers ARP requests (or neighbour solicitations) for each address of a prefix on an interface, on behalf of the
    /// hosts that have them; all or nothing. Gives their rows.
    ///
    /// The kernel gives this host's own physical address, and only while packets that come in on the interface are
    /// forwarded, and its route to the address leads over another interface. IPv6 asks for
    /// `net.ipv6.conf.NAME.proxy_ndp` besides, which must be on.
    ///
    /// - Windows: `CreateProxyArpEntry`, for IPv4
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have the family;
    ///   [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if one of the addresses is answered for already;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for addresses that no neighbour can have;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for more than 4,096 addresses, since the kernel has an entry for
    ///   each, and while `proxy_ndp` is off; [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_NEWNEIGH` with `NTF_PROXY` for each address
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "CreateProxyArpEntry")]
    pub fn create_proxy_neighbors(
        &self,
        interface: impl Into<InterfaceKey>,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>> {
        self.backend().create_proxy_neighbors(interface.into(), prefix)
    }

    /// The rows that [`create_proxy_neighbors`](Self::create_proxy_neighbors) would make. Privilege: none.
    pub fn plan_create_proxy_neighbors(
        &self,
        interface: impl Into<InterfaceKey>,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>> {
        self.backend().plan_create_proxy_neighbors(interface.into(), prefix)
    }

    /// Answers no more for each address of a prefix on an interface; all or nothing. Gives the rows that they had.
    ///
    /// - Windows: `DeleteProxyArpEntry`
    /// - Errors: those of [`create_proxy_neighbors`](Self::create_proxy_neighbors), but
    ///   [`NotFound`](crate::ErrorKind::NotFound) if one of the addresses is not answered for
    /// - Linux: `RTM_DELNEIGH` with `NTF_PROXY` for each address
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "DeleteProxyArpEntry")]
    pub fn delete_proxy_neighbors(
        &self,
        interface: impl Into<InterfaceKey>,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>> {
        self.backend().delete_proxy_neighbors(interface.into(), prefix)
    }

    /// The rows that [`delete_proxy_neighbors`](Self::delete_proxy_neighbors) would delete. Privilege: none.
    pub fn plan_delete_proxy_neighbors(
        &self,
        interface: impl Into<InterfaceKey>,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>> {
        self.backend().plan_delete_proxy_neighbors(interface.into(), prefix)
    }

    /// Asks for a neighbour's physical address, by ARP or neighbour solicitation, and waits for the answer; gives the row
    /// that it has then.
    ///
    /// On the interface of `source`, an address of this host, if one is given; else on `interface`; without either on the
    /// one that packets to the address leave by. How often and how long it is asked, the interface's parameters say: three
    /// times with a second between, unless somebody has changed them.
    ///
    /// What is known of the neighbour is forgotten first. That takes `CAP_NET_ADMIN`; a caller without gets:
    /// - the same for a neighbour that is not known, by an empty UDP datagram to its discard port (9), which leaves when the
    ///   neighbour has answered;
    /// - one that was confirmed within the reachable time, without a question;
    /// - one in doubt when it has answered, about five seconds later: the kernel gives others the time to confirm it.
    ///
    /// A permanent neighbour, which somebody has set, is nobody's to ask for: it is the answer as it is. One that a control
    /// plane knows or the kernel keeps resolved is not forgotten, but asked if it is in doubt. Beyond a tunnel or another
    /// interface without neighbours the answer is a permanent row without physical address.
    ///
    /// ```no_run
    /// # fn main() -> iphelper::Result<()> {
    /// use iphelper::Host;
    /// let host = Host::open()?;
    /// let index = host.interface_named("eth0")?.index;
    /// let row = host.resolve_neighbor("192.0.2.1".parse().unwrap(), Some(index.into()), None)?;
    /// println!("{} is at {}", row.address, row.physical_address);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Windows: `ResolveIpNetEntry2`, `SendARP`, `ResolveNeighbor`
    /// - Errors: [`NeighborUnreachable`](crate::ErrorKind::NeighborUnreachable) if nobody answers, no route leads there,
    ///   or the interface is off; [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where `source` is no address of this host, or the interface does not
    ///   have the family; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for an address that no neighbour can
    ///   have, this host's own among them; [`NotSupported`](crate::ErrorKind::NotSupported) where this host lacks the
    ///   family; [`AccessDenied`](crate::ErrorKind::AccessDenied) to a caller without privilege for an IPv6 address that
    ///   no route gives to the link, and for one in doubt on an interface without unreachability detection
    /// - Linux: `RTM_DELNEIGH`, `RTM_NEWNEIGH` with `NTF_USE`, `RTNLGRP_NEIGH`
    /// - Privilege: none, with the differences above
    #[doc(alias = "ResolveIpNetEntry2")]
    #[doc(alias = "SendARP")]
    #[doc(alias = "ResolveNeighbor")]
    pub fn resolve_neighbor(
        &self,
        address: IpAddr,
        interface: Option<InterfaceKey>,
        source: Option<IpAddr>,
    ) -> Result<Neighbor> {
        self.backend().resolve_neighbor(address, interface, source)
    }
}
