//! Adapters: an interface with everything that belongs to it, in one reading.
//!
//! What the other chapters list in tables of their own stands together here: the interface, its addresses, groups, routers
//! and name servers, its metrics, and the lease that a DHCP client has for it.
//!
//! - Read: [`Host::adapters`], [`Host::adapter`]
//! - The lease: [`Host::renew_address`], [`Host::release_address`]; [`Host::plan_renew_address`] and
//!   [`Host::plan_release_address`] say who would be asked
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::adapter::AdapterQuery;
//!
//! # fn main() -> iphelper::Result<()> {
//! for adapter in Host::open()?.adapters(&AdapterQuery::default())? {
//!     println!("{}: {}", adapter.interface.name, adapter.interface.description);
//!     for row in &adapter.unicast_addresses {
//!         println!("  {}/{} {}", row.address, row.on_link_prefix_length, row.dad_state);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod lease;

pub use lease::{DhcpClient, DhcpLease, Dhcpv6Client};

use crate::Host;
use crate::address::{AnycastAddress, MulticastAddress, UnicastAddress};
use crate::dns::{DnsDomain, DnsServer};
use crate::error::Result;
use crate::interface::Interface;
use crate::types::{Family, InterfaceKey, Prefix};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What to read of adapters: everything, unless a field says otherwise. What is not asked for costs nothing.
#[doc(alias = "GAA_FLAG_SKIP_UNICAST")]
#[allow(clippy::struct_excessive_bools, reason = "each is a list that may be left out")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AdapterQuery {
    /// Addresses, groups and routers of one family, or of both; and adapters that have the family.
    pub family: Option<Family>,
    /// Also interfaces that have none of the families asked for.
    pub all_interfaces: bool,
    /// Fill [`Adapter::unicast_addresses`], from which [`Adapter::prefixes`] are made.
    pub unicast: bool,
    /// Fill [`Adapter::anycast_addresses`].
    pub anycast: bool,
    /// Fill [`Adapter::multicast_addresses`].
    pub multicast: bool,
    /// Fill [`Adapter::gateways`].
    pub gateways: bool,
    /// Fill [`Adapter::dns`].
    pub dns: bool,
    /// Fill [`Adapter::dhcp`] and [`Adapter::dhcpv6`].
    pub dhcp: bool,
}

impl Default for AdapterQuery {
    fn default() -> Self {
        Self {
            family: None,
            all_interfaces: false,
            unicast: true,
            anycast: true,
            multicast: true,
            gateways: true,
            dns: true,
            dhcp: true,
        }
    }
}

/// An interface with what belongs to it.
///
/// The rows are those of the other chapters. What was not asked for is empty, or `None`.
#[doc(alias = "IP_ADAPTER_ADDRESSES")]
#[doc(alias = "IP_ADAPTER_INFO")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Adapter {
    /// The interface, without counters.
    pub interface: Interface,
    /// Whether it can send to groups, as far as it says so: loopback, which reaches itself alone, does not. Linux:
    /// `IFF_MULTICAST`.
    pub supports_multicast: bool,
    /// What IPv4 knows of it; `None` where it is no IPv4 interface.
    pub ipv4: Option<AdapterIp>,
    /// What IPv6 knows of it; `None` where it is no IPv6 interface (IPv6 is switched off on it).
    pub ipv6: Option<AdapterIp>,
    /// Unicast addresses, IPv4 first, else as the kernel has them.
    pub unicast_addresses: Vec<UnicastAddress>,
    /// Anycast addresses.
    pub anycast_addresses: Vec<AnycastAddress>,
    /// Groups that it has joined.
    pub multicast_addresses: Vec<MulticastAddress>,
    /// Routers of its default routes of the main table, the one that is taken first at the front.
    pub gateways: Vec<Gateway>,
    /// Name servers and domains; `None` where the resolver does not tell: it does not answer, or its file is not for this
    /// reader.
    pub dns: Option<AdapterDns>,
    /// The IPv4 lease of its DHCP client; `None` where no client that is known has one for an address of the interface.
    pub dhcp: Option<DhcpLease>,
    /// How its DHCPv6 client calls itself; `None` where no client that is known tells.
    pub dhcpv6: Option<Dhcpv6Client>,
}

/// What one family knows of an adapter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AdapterIp {
    /// The interface's metric, as [`IpInterface::metric`](crate::ip_interface::IpInterface::metric).
    pub metric: u32,
    /// Whether the last router advertisement, or what is advertised here, says that addresses come by DHCPv6; `None` for
    /// IPv4, which has no such thing.
    pub managed_address_configuration_supported: Option<bool>,
    /// The same for everything but addresses.
    pub other_stateful_configuration_supported: Option<bool>,
}

/// How names are resolved over an adapter.
#[doc(alias = "IP_ADAPTER_DNS_SERVER_ADDRESS")]
#[doc(alias = "IP_ADAPTER_DNS_SUFFIX")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct AdapterDns {
    /// Its own servers, then those of the host that it leads to, of the families asked for.
    pub servers: Vec<DnsServer>,
    /// Its own domains.
    pub domains: Vec<DnsDomain>,
}

impl AdapterDns {
    /// The domain that is its own before all others: the first one that is tried behind names.
    #[doc(alias = "DnsSuffix")]
    #[must_use]
    pub fn suffix(&self) -> Option<&str> {
        self.domains.iter().find(|domain| !domain.routing_only).map(|domain| domain.name.as_str())
    }
}

/// A router of a default route.
#[doc(alias = "IP_ADAPTER_GATEWAY_ADDRESS")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Gateway {
    /// The router. An IPv4 route may have an IPv6 router on Linux.
    pub address: IpAddr,
    /// The family of the addresses that the route is for.
    pub family: Family,
    /// The route's metric as the kernel has it; the lowest is taken.
    pub system_metric: u32,
}

impl Adapter {
    /// The prefixes of its unicast addresses: of each address itself, of its subnet, and of the subnet's broadcast address
    /// (IPv4); and for each family that it has, all groups, and the broadcast address (IPv4). No prefix stands twice.
    ///
    /// Windows: the list that `GAA_FLAG_INCLUDE_PREFIX` asks for. With a query for one family: of that family.
    #[doc(alias = "GAA_FLAG_INCLUDE_PREFIX")]
    #[must_use]
    pub fn prefixes(&self, family: Option<Family>) -> Vec<Prefix> {
        let wanted = |it: Family| family.is_none_or(|family| family == it);
        let mut prefixes = Vec::with_capacity(self.unicast_addresses.len() * 3 + 3);
        let mut add = |address: IpAddr, len: u8| prefixes.extend(Prefix::new(address, len));
        for row in self.unicast_addresses.iter().filter(|row| wanted(Family::of(&row.address))) {
            let bits = Family::of(&row.address).address_bits();
            add(row.address, bits);
            add(row.address, row.on_link_prefix_length);
            // A subnet of two addresses or one has no broadcast address (RFC 3021).
            if let (IpAddr::V4(address), 0..=30) = (row.address, row.on_link_prefix_length) {
                let host_bits = u32::MAX.checked_shr(row.on_link_prefix_length.into()).unwrap_or_default();
                add(Ipv4Addr::from_bits(address.to_bits() | host_bits).into(), bits);
            }
        }
        if wanted(Family::V4) && self.ipv4.is_some() {
            add(Ipv4Addr::new(224, 0, 0, 0).into(), 4);
            add(Ipv4Addr::BROADCAST.into(), 32);
        }
        if wanted(Family::V6) && self.ipv6.is_some() {
            add(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).into(), 8);
        }
        // Addresses of one subnet share it.
        let mut seen = std::collections::HashSet::with_capacity(prefixes.len());
        prefixes.retain(|prefix| seen.insert(*prefix));
        prefixes
    }

    /// What `family` knows of it.
    #[must_use]
    pub fn ip(&self, family: Family) -> Option<&AdapterIp> {
        match family {
            Family::V4 => self.ipv4.as_ref(),
            Family::V6 => self.ipv6.as_ref(),
        }
    }

    /// The lower of its metrics; `None` where it has neither family.
    #[cfg(target_os = "linux")]
    fn metric(&self) -> Option<u32> {
        [self.ipv4, self.ipv6].into_iter().flatten().map(|ip| ip.metric).min()
    }

    /// Where it stands among adapters: by metric, those without at the end, then by index.
    #[cfg(target_os = "linux")]
    pub(crate) fn place(&self) -> (u32, crate::types::InterfaceIndex) {
        (self.metric().unwrap_or(u32::MAX), self.interface.index)
    }
}

impl Host {
    /// The adapters of this host, loopback among them, ordered by metric, then index.
    ///
    /// All lists are of one moment: where an interface or address comes or goes meanwhile they are read again, up to five
    /// times; of a host that never stands still the last reading is given.
    ///
    /// - Windows: `GetAdaptersAddresses`, `GetAdaptersInfo`, `GetInterfaceInfo`, `GetAdapterOrderMap`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: one dump each of links, speeds (ethtool), addresses of each family, groups, IPv6 anycast addresses, the main
    ///   table's routes, and what this library keeps of metrics and advertisements; name servers as
    ///   [`dns`](Self::dns) has them; leases from the files of
    ///   systemd-networkd, NetworkManager, dhclient and dhcpcd. See `docs/linux-mechanisms.md`
    /// - Privilege: none; some clients keep their leases from readers without privilege
    #[doc(alias = "GetAdaptersAddresses")]
    #[doc(alias = "GetAdaptersInfo")]
    #[doc(alias = "GetInterfaceInfo")]
    #[doc(alias = "GetAdapterOrderMap")]
    #[doc(alias = "GetUniDirectionalAdapterInfo")]
    pub fn adapters(&self, query: &AdapterQuery) -> Result<Vec<Adapter>> {
        self.backend().adapters(query)
    }

    /// One adapter, whatever families it has.
    ///
    /// - Windows: `GetPerAdapterInfo`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound), and those of [`adapters`](Self::adapters)
    /// - Privilege: none
    #[doc(alias = "GetPerAdapterInfo")]
    pub fn adapter(&self, key: impl Into<InterfaceKey>, query: &AdapterQuery) -> Result<Adapter> {
        self.backend().adapter(key.into(), query)
    }

    /// Has the IPv4 lease of an interface renewed by the DHCP client that has it, and waits until there is a new one, 30 s
    /// at most. Gives the new lease.
    ///
    /// Behind [`release_address`](Self::release_address) nobody has one: where NetworkManager's profile of the interface wants
    /// one and IPv4 was ended, it goes back to the profile, and the first lease is waited for.
    ///
    /// - Windows: `IpRenewAddress`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where no client that is known has a lease, or the client
    ///   cannot be asked: the message says what to run; [`AccessDenied`](crate::ErrorKind::AccessDenied) where the client
    ///   (polkit) or the bus refuses; [`TimedOut`](crate::ErrorKind::TimedOut) without a new lease;
    ///   [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound)
    /// - Linux: `RenewLink` of systemd-networkd, `Reapply` of NetworkManager, over the system's bus; that the latter has ended
    ///   IPv4 is told by `GetAppliedConnection` (`disabled`) beside the profile's `GetSettings` (`auto`)
    /// - Privilege: as the client says
    #[doc(alias = "IpRenewAddress")]
    pub fn renew_address(&self, key: impl Into<InterfaceKey>) -> Result<DhcpLease> {
        self.backend().renew_address(key.into())
    }

    /// The lease that [`renew_address`](Self::renew_address) would renew, or `None` where it would ask for a first one; every
    /// check is done, and the client is not asked to.
    pub fn plan_renew_address(&self, key: impl Into<InterfaceKey>) -> Result<Option<DhcpLease>> {
        self.backend().plan_renew_address(key.into())
    }

    /// Has the IPv4 lease of an interface given up by the DHCP client that has it, and waits until the address is gone, 30 s
    /// at most. Gives the lease as it was. NetworkManager ends IPv4 of the interface until its profile is applied again
    /// ([`renew_address`](Self::renew_address)); IPv6 stays, and the server is not told.
    ///
    /// - Windows: `IpReleaseAddress`
    /// - Errors: those of [`renew_address`](Self::renew_address). systemd-networkd gives up no lease
    /// - Linux: `GetAppliedConnection` and `Reapply` of NetworkManager
    /// - Privilege: as the client says
    #[doc(alias = "IpReleaseAddress")]
    pub fn release_address(&self, key: impl Into<InterfaceKey>) -> Result<DhcpLease> {
        self.backend().release_address(key.into())
    }

    /// The lease that [`release_address`](Self::release_address) would give up; every check is done, the client is not asked.
    pub fn plan_release_address(&self, key: impl Into<InterfaceKey>) -> Result<DhcpLease> {
        self.backend().plan_release_address(key.into())
    }
}
