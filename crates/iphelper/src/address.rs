//! Addresses of interfaces: unicast, anycast and multicast.
//!
//! - Unicast: [`Host::unicast_addresses`], [`Host::unicast_address`], [`Host::create_unicast_address`],
//!   [`Host::set_unicast_address`], [`Host::delete_unicast_address`]
//! - Anycast: [`Host::anycast_addresses`], [`Host::anycast_address`], [`Host::create_anycast_address`],
//!   [`Host::delete_anycast_address`]
//! - Multicast: [`Host::multicast_addresses`], [`Host::multicast_address`]
//! - What a change would do: [`Host::plan_create_unicast_address`], [`Host::plan_set_unicast_address`],
//!   [`Host::plan_delete_unicast_address`], [`Host::plan_create_anycast_address`], [`Host::plan_delete_anycast_address`]
//! - Once none is tentative any more: [`Host::notify_stable_unicast_addresses`]
//! - IPv4 by a number, as the first Windows did: [`Host::add_ip_address`], [`Host::delete_ip_address`]
//!
//! ```no_run
//! # fn main() -> iphelper::Result<()> {
//! use iphelper::{Family, Host};
//!
//! let host = Host::open()?;
//! for row in host.unicast_addresses(Some(Family::V4))? {
//!     println!("{} {}/{} {}", row.name, row.address, row.on_link_prefix_length, row.dad_state);
//! }
//! # Ok(())
//! # }
//! ```

mod change;
mod context;
mod origin;
#[cfg(target_os = "linux")]
mod stable;

pub use crate::types::Lifetime;
pub use change::{NewUnicastAddress, UnicastAddressChange};
pub use context::AddressContext;
pub use origin::{DadState, PrefixOrigin, SuffixOrigin};
#[cfg(target_os = "linux")]
pub use stable::{StableAddresses, StableRegistration};

use crate::Host;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use std::net::IpAddr;
use std::time::Duration;

/// A row of the unicast address table: an address that an interface has.
#[doc(alias = "MIB_UNICASTIPADDRESS_ROW")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnicastAddress {
    /// The address. Linux: `IFA_LOCAL`.
    pub address: IpAddr,
    /// The interface's LUID.
    pub luid: InterfaceLuid,
    /// The interface's index.
    pub index: InterfaceIndex,
    /// The interface's name, for people; not part of Windows' row.
    pub name: String,
    /// Where the prefix comes from.
    pub prefix_origin: PrefixOrigin,
    /// Where the rest comes from.
    pub suffix_origin: SuffixOrigin,
    /// How long the address can be used.
    pub valid_lifetime: Lifetime,
    /// How long the address is preferred for new connections. An IPv6 address with
    /// [`skip_as_source`](Self::skip_as_source) is preferred as long as it is valid.
    pub preferred_lifetime: Lifetime,
    /// The length of the prefix that is on the interface's link.
    pub on_link_prefix_length: u8,
    /// Whether the address is never chosen as source of what says none.
    pub skip_as_source: bool,
    /// Whether the address can be used.
    pub dad_state: DadState,
    /// The zone of the address: the interface's index for a link-local IPv6 address, else 0.
    pub scope_id: u32,
    /// When the address was made; `None` where the kernel does not tell.
    pub created: Option<CreationTime>,
}

/// When something was made, by the clock that runs since the computer's start and stands while it sleeps.
#[doc(alias = "CreationTimeStamp")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CreationTime(pub(crate) Duration);

impl CreationTime {
    /// How long the computer was up. Linux counts hundredths of a second, and from 0 again every 497 days.
    #[must_use]
    pub const fn uptime(self) -> Duration {
        self.0
    }

    /// The time of day. Sleep of the computer since then makes it too late by as much.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn system_time(self) -> std::time::SystemTime {
        crate::backend::time_of_uptime(self.0)
    }
}

/// A row of the anycast address table: an address that an interface answers to, and others do too.
#[doc(alias = "MIB_ANYCASTIPADDRESS_ROW")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AnycastAddress {
    /// The address.
    pub address: IpAddr,
    /// The interface's LUID.
    pub luid: InterfaceLuid,
    /// The interface's index.
    pub index: InterfaceIndex,
    /// The interface's name, for people; not part of Windows' row.
    pub name: String,
    /// The zone of the address: the interface's index for a link-local IPv6 address, else 0.
    pub scope_id: u32,
}

/// A row of the multicast address table: a group that an interface has joined.
#[doc(alias = "MIB_MULTICASTIPADDRESS_ROW")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MulticastAddress {
    /// The group.
    pub address: IpAddr,
    /// The interface's LUID.
    pub luid: InterfaceLuid,
    /// The interface's index.
    pub index: InterfaceIndex,
    /// The interface's name, for people; not part of Windows' row.
    pub name: String,
    /// The zone of the group: the interface's index for an IPv6 group of interface or link, else 0.
    pub scope_id: u32,
}

impl Host {
    /// The unicast addresses of one family or of both, ordered by family, then interface, then as the kernel has them:
    /// of IPv4 those that are chosen as source come first.
    ///
    /// - Windows: `GetUnicastIpAddressTable`, `GetIpAddrTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: one dump each of `RTM_GETLINK` and, for each family, of `RTM_GETADDR`
    /// - Privilege: none
    #[doc(alias = "GetUnicastIpAddressTable")]
    #[doc(alias = "GetIpAddrTable")]
    pub fn unicast_addresses(&self, family: Option<Family>) -> Result<Vec<UnicastAddress>> {
        self.backend().unicast_addresses(family)
    }

    /// One unicast address.
    ///
    /// - Windows: `GetUnicastIpAddressEntry`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have the address or its family;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where this host lacks the family;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no unicast address
    /// - Privilege: none
    #[doc(alias = "GetUnicastIpAddressEntry")]
    pub fn unicast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<UnicastAddress> {
        self.backend().unicast_address(interface.into(), address)
    }

    /// Creates a unicast address, and gives the row that it has then.
    ///
    /// IPv6: it is tentative when the call returns, until the kernel has found out whether another computer has it (by as
    /// many probes as `dad_transmits` of the interface says); with [`optimistic`](NewUnicastAddress::optimistic) it can be
    /// used meanwhile. IPv4: while `dad_transmits` is above 0, this call looks for another computer with the address by ARP
    /// probes (RFC 5227), `dad_transmits` times `retransmit_time` after a random delay below that and a second; meanwhile
    /// everybody reads the row as tentative, and the address is taken afterwards. It lives until it is deleted, its lifetime or the interface ends.
    ///
    /// Rules, filters and the metric of routes that this library holds for the interface follow in the same call.
    ///
    /// ```no_run
    /// # fn main() -> iphelper::Result<()> {
    /// use iphelper::Host;
    /// use iphelper::address::NewUnicastAddress;
    ///
    /// let host = Host::open()?;
    /// let eth0 = host.interface_named("eth0")?;
    /// let new = NewUnicastAddress::new(&eth0, "192.0.2.5".parse().unwrap()).with_prefix_length(24);
    /// host.create_unicast_address(&new)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Windows: `CreateUnicastIpAddressEntry`, which does not wait for IPv4's duplicate detection
    /// - Errors: [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where the interface has it;
    ///   [`AddressConflict`](crate::ErrorKind::AddressConflict) where another computer has it: its row says so until it is
    ///   deleted; [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound); [`NotFound`](crate::ErrorKind::NotFound) where
    ///   the interface lacks the family; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no unicast
    ///   address, a loopback address elsewhere than on the loopback interface, a prefix longer than the address, a valid
    ///   lifetime of zero or below the preferred one; [`NotSupported`](crate::ErrorKind::NotSupported) where the message says
    ///   why; [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_NEWADDR`; see `docs/linux-mechanisms.md`
    /// - Privilege: `CAP_NET_ADMIN`; ARP probes `CAP_NET_RAW`
    #[doc(alias = "CreateUnicastIpAddressEntry")]
    pub fn create_unicast_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress> {
        self.backend().create_unicast_address(new)
    }

    /// The row that [`create_unicast_address`](Self::create_unicast_address) would make; every check is done, nothing is
    /// written, nobody is asked. It is tentative where others are asked. Privilege: none.
    pub fn plan_create_unicast_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress> {
        self.backend().plan_create_unicast_address(new)
    }

    /// Changes a unicast address, and tells what changes.
    ///
    /// The address stays usable throughout, and so do the interface's other addresses and routes. A caller that is killed
    /// leaves the old address or the new one.
    ///
    /// - Windows: `SetUnicastIpAddressEntry`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have it; the others of
    ///   [`create_unicast_address`](Self::create_unicast_address)
    /// - Linux: `RTM_NEWADDR` with `NLM_F_REPLACE`; another prefix: `RTM_NEWADDR` and `RTM_DELADDR`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "SetUnicastIpAddressEntry")]
    pub fn set_unicast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_unicast_address(interface.into(), address, change)
    }

    /// What [`set_unicast_address`](Self::set_unicast_address) would change; every check is done, nothing is written.
    /// Privilege: none.
    pub fn plan_set_unicast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().plan_set_unicast_address(interface.into(), address, change)
    }

    /// Deletes a unicast address, and no other: IPv4 addresses of the same prefix stay. Gives the row as it was.
    ///
    /// - Windows: `DeleteUnicastIpAddressEntry`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have it or its family;
    ///   [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no unicast address;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_DELADDR`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "DeleteUnicastIpAddressEntry")]
    pub fn delete_unicast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<UnicastAddress> {
        self.backend().delete_unicast_address(interface.into(), address)
    }

    /// The row that [`delete_unicast_address`](Self::delete_unicast_address) would delete. Privilege: none.
    pub fn plan_delete_unicast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<UnicastAddress> {
        self.backend().plan_delete_unicast_address(interface.into(), address)
    }

    /// The anycast addresses of one family or of both, ordered by family, then interface.
    ///
    /// - Windows: `GetAnycastIpAddressTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: `RTM_GETANYCAST` for IPv6: what programs joined (`IPV6_JOIN_ANYCAST`), and a router's own addresses of
    ///   its subnets; and those that were created here
    /// - Privilege: none
    #[doc(alias = "GetAnycastIpAddressTable")]
    pub fn anycast_addresses(&self, family: Option<Family>) -> Result<Vec<AnycastAddress>> {
        self.backend().anycast_addresses(family)
    }

    /// One anycast address; the errors of [`unicast_address`](Self::unicast_address).
    ///
    /// - Windows: `GetAnycastIpAddressEntry`
    /// - Privilege: none
    #[doc(alias = "GetAnycastIpAddressEntry")]
    pub fn anycast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.backend().anycast_address(interface.into(), address)
    }

    /// Creates an anycast address: one that other computers of the link may have, too. It is not looked for, never chosen as
    /// source, and no unicast address to the tables. Gives its row.
    ///
    /// - Windows: `CreateAnycastIpAddressEntry`
    /// - Errors: [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where the interface has it as unicast or anycast address;
    ///   the others of [`create_unicast_address`](Self::create_unicast_address)
    /// - Linux: an address of 32 or 128 bits with a mark (`IFA_PROTO`, Linux 5.18), since the kernel's anycast addresses end
    ///   with a socket
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "CreateAnycastIpAddressEntry")]
    pub fn create_anycast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.backend().create_anycast_address(interface.into(), address)
    }

    /// The row that [`create_anycast_address`](Self::create_anycast_address) would make. Privilege: none.
    pub fn plan_create_anycast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.backend().plan_create_anycast_address(interface.into(), address)
    }

    /// Deletes an anycast address that was created; gives the row that it had.
    ///
    /// - Windows: `DeleteAnycastIpAddressEntry`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) for one that belongs to a program's socket or is a router's
    ///   own; the others of [`delete_unicast_address`](Self::delete_unicast_address)
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "DeleteAnycastIpAddressEntry")]
    pub fn delete_anycast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.backend().delete_anycast_address(interface.into(), address)
    }

    /// The row that [`delete_anycast_address`](Self::delete_anycast_address) would delete. Privilege: none.
    pub fn plan_delete_anycast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.backend().plan_delete_anycast_address(interface.into(), address)
    }

    /// The groups that interfaces have joined, of one family or of both, ordered by family, then interface.
    ///
    /// - Windows: `GetMulticastIpAddressTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: `RTM_GETMULTICAST`; IPv4 before Linux 6.14: `/proc/net/igmp`
    /// - Privilege: none
    #[doc(alias = "GetMulticastIpAddressTable")]
    pub fn multicast_addresses(&self, family: Option<Family>) -> Result<Vec<MulticastAddress>> {
        self.backend().multicast_addresses(family)
    }

    /// One group of one interface; the errors of [`unicast_address`](Self::unicast_address), but
    /// [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no multicast address.
    ///
    /// - Windows: `GetMulticastIpAddressEntry`
    /// - Privilege: none
    #[doc(alias = "GetMulticastIpAddressEntry")]
    pub fn multicast_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: IpAddr,
    ) -> Result<MulticastAddress> {
        self.backend().multicast_address(interface.into(), address)
    }
}
