//! What IP knows of an interface: one row per interface and address family, read and changed.
//!
//! - Read: [`Host::ip_interfaces`], [`Host::ip_interface`]
//! - Change: [`Host::set_ip_interface`]; [`Host::set_ip_interface_families`] for both families as one;
//!   [`Host::plan_set_ip_interface`] and [`Host::plan_set_ip_interface_families`] write nothing; [`IpInterface::undo`] gives what
//!   puts it back
//! - What stays after the program that set it: [`Host::kept_settings`]
//! - Of the whole host: [`Host::set_path_mtu_discovery_timeout`]
//!
//! ```no_run
//! use iphelper::ip_interface::IpInterfaceChange;
//! use iphelper::{Family, Host};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let before = host.ip_interface(Family::V4, &host.interface_named("eth0")?)?;
//! println!("{} MTU {} forwarding {}", before.name, before.nl_mtu, before.forwarding_enabled);
//! let change = IpInterfaceChange { forwarding_enabled: Some(true), nl_mtu: Some(1400), ..Default::default() };
//! for done in host.set_ip_interface(Family::V4, before.luid, &change)? {
//!     println!("{}: {} -> {} ({})", done.property, done.from, done.to, done.mechanism);
//! }
//! host.set_ip_interface(Family::V4, before.luid, &before.undo(&change))?;
//! # Ok(())
//! # }
//! ```

use crate::Host;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use std::fmt;
use std::time::Duration;

/// A row of the IP interface table: an interface as one address family uses it.
///
/// What a host cannot know is `None`, never a made-up zero.
#[doc(alias = "MIB_IPINTERFACE_ROW")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IpInterface {
    /// The address family of this row.
    pub family: Family,
    /// The interface's LUID.
    pub luid: InterfaceLuid,
    /// The interface's index.
    pub index: InterfaceIndex,
    /// The interface's name, for people; not part of Windows' row.
    pub name: String,
    /// Largest datagram that is put together from fragments, in octets; `None` for IPv4, whose limit no attribute
    /// tells. Windows reads 0 (reserved).
    pub max_reassembly_size: Option<u32>,
    /// The interface identifier that addresses are made with: the lower 64 bits of an IPv6 token; 0 is none.
    pub interface_identifier: u64,
    /// Shortest time between unsolicited router advertisements; IPv6 only, in effect while advertising.
    pub min_router_advertisement_interval: Option<Duration>,
    /// Longest time between unsolicited router advertisements; IPv6 only, in effect while advertising.
    pub max_router_advertisement_interval: Option<Duration>,
    /// Whether this host is to send router advertisements on the interface; a keeper does it, see
    /// [`keeper_status`](crate::Host::keeper_status). Never for IPv4 on Linux.
    pub advertising_enabled: bool,
    /// Whether packets that come in on this interface and are for others are forwarded. IPv6 on Linux:
    /// `force_forwarding` of the interface, or `forwarding` of all unless a filter of ours excepts the interface; its own
    /// `forwarding` forwards nothing.
    pub forwarding_enabled: bool,
    /// Whether packets with another interface's source address may leave here; so Linux begins.
    pub weak_host_send: bool,
    /// Whether packets for another interface's address are accepted here; so Linux begins.
    pub weak_host_receive: bool,
    /// Whether the metric follows link speed and kind.
    pub use_automatic_metric: bool,
    /// Whether a neighbour in use is probed when its reachability is in doubt.
    pub use_neighbor_unreachability_detection: bool,
    /// While this host advertises, whether it tells to configure addresses by DHCPv6 (M flag); else whether the last
    /// router advertisement told so, false before the first. `None` for IPv4, where the kernel does not know.
    pub managed_address_configuration_supported: Option<bool>,
    /// While this host advertises, whether it tells to ask DHCPv6 for the rest (O flag); else whether the last router
    /// advertisement told so, false before the first. `None` for IPv4, where the kernel does not know.
    pub other_stateful_configuration_supported: Option<bool>,
    /// Whether our advertisements offer a default route. Kept while nothing is advertised.
    pub advertise_default_route: bool,
    /// How routers are found.
    pub router_discovery_behavior: RouterDiscoveryBehavior,
    /// How many probes duplicate address detection sends; 0: none, addresses are used at once. IPv4 on Linux:
    /// by whoever creates an address with this library, 0 until it is set.
    pub dad_transmits: u32,
    /// What [`reachable_time`](Self::reachable_time) is drawn around. Milliseconds count.
    pub base_reachable_time: Duration,
    /// Time between two solicitations of a neighbour, and between two probes of duplicate address detection.
    pub retransmit_time: Duration,
    /// How long a path MTU that was learned is kept; one value per host and family. `None`: hidden from this caller.
    pub path_mtu_discovery_timeout: Option<Duration>,
    /// Whether the interface gives itself a link-local address.
    pub link_local_address_behavior: LinkLocalAddressBehavior,
    /// How long IPv4 waits before it takes a link-local address; Linux never takes one: zero.
    pub link_local_address_timeout: Duration,
    /// The zone of the interface at each scope level, indexed by the level (0 to 15).
    pub zone_indices: [u32; 16],
    /// The site prefix length; 0 for IPv4. Linux has no sites: 64 for IPv6, which is Windows' default.
    pub site_prefix_length: u32,
    /// The interface metric. While it is automatic it is the value that Windows has for speed and kind, and advice: on
    /// Linux it does not add to the metric of routes.
    pub metric: u32,
    /// Largest IP packet in octets.
    pub nl_mtu: u32,
    /// Whether the interface is connected to a network.
    pub connected: bool,
    /// Whether the interface can wake the computer; `None` where that read needs a privilege the caller lacks.
    pub supports_wake_up_patterns: Option<bool>,
    /// Whether neighbours are discovered (ARP, ND).
    pub supports_neighbor_discovery: bool,
    /// Whether routers are discovered.
    pub supports_router_discovery: bool,
    /// How long a neighbour counts as reachable after a confirmation; drawn from 0.5 to 1.5 times the base.
    pub reachable_time: Duration,
    /// What the hardware does for packets that are sent, as far as it is switched on.
    pub transmit_offload: Offload,
    /// What the hardware does for packets that are received, as far as it is switched on.
    pub receive_offload: Offload,
    /// Whether default routes over this interface are ignored.
    pub disable_default_routes: bool,
}

/// How routers are found on an interface.
#[doc(alias = "NL_ROUTER_DISCOVERY_BEHAVIOR")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RouterDiscoveryBehavior {
    /// Advertisements are ignored.
    Disabled,
    /// Routers are solicited, and their advertisements obeyed. IPv6 alone on Linux.
    Enabled,
    /// DHCP tells. IPv4 alone.
    Dhcp,
}

/// Whether an interface gives itself a link-local address.
#[doc(alias = "NL_LINK_LOCAL_ADDRESS_BEHAVIOR")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LinkLocalAddressBehavior {
    /// Never.
    AlwaysOff,
    /// When nothing else gave an address. Not on Linux.
    Delayed,
    /// Always. IPv6 alone on Linux.
    AlwaysOn,
}

/// What an interface's hardware does for one direction (`NL_INTERFACE_OFFLOAD_ROD`).
#[allow(missing_docs, reason = "the names are Windows'")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Offload {
    pub nl_checksum_supported: bool,
    pub nl_options_supported: bool,
    pub tl_datagram_checksum_supported: bool,
    pub tl_stream_checksum_supported: bool,
    pub tl_stream_options_supported: bool,
    pub fast_path_compatible: bool,
    pub tl_large_send_offload_supported: bool,
    pub tl_giant_send_offload_supported: bool,
}

/// What to change of an IP interface: `None` leaves a property as it is.
///
/// A value equal to the present one is no change and costs no write. On Linux these can change, within these bounds:
///
/// | Property | IPv4 | IPv6 |
/// | --- | --- | --- |
/// | `forwarding_enabled` | both ways | both ways; before Linux 6.17 by a packet filter |
/// | `use_neighbor_unreachability_detection` | both ways | both ways |
/// | `base_reachable_time`, `retransmit_time` | 1 to 10⁹ ms, rounded up to the kernel's tick | the same |
/// | `nl_mtu` | from 68 to the device's limit | from 1280 to the device's limit |
/// | `metric` | added to that of each route over the interface; `use_automatic_metric` adds nothing | the same |
/// | `disable_default_routes`, `weak_host_send`, `weak_host_receive` | both ways | both ways |
/// | `router_discovery_behavior` | | enabled, disabled |
/// | `dad_transmits` | 0 to 255, for addresses created by this library | 0 to 255 |
/// | `link_local_address_behavior` | | always on, always off |
/// | `interface_identifier` | | any, while routers are discovered; 0 clears it |
///
/// The rest takes the value that it has, and is [`NotSupported`](crate::ErrorKind::NotSupported) with another.
///
/// ```
/// use iphelper::ip_interface::IpInterfaceChange;
/// use std::time::Duration;
/// let change = IpInterfaceChange {
///     forwarding_enabled: Some(true),
///     retransmit_time: Some(Duration::from_millis(500)),
///     ..IpInterfaceChange::default()
/// };
/// assert_eq!(change.nl_mtu, None);
/// ```
#[doc(alias = "InitializeIpInterfaceEntry")]
#[allow(missing_docs, reason = "each field is the IpInterface field of the same name")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IpInterfaceChange {
    pub interface_identifier: Option<u64>,
    pub advertising_enabled: Option<bool>,
    pub forwarding_enabled: Option<bool>,
    pub weak_host_send: Option<bool>,
    pub weak_host_receive: Option<bool>,
    pub use_automatic_metric: Option<bool>,
    pub use_neighbor_unreachability_detection: Option<bool>,
    pub managed_address_configuration_supported: Option<bool>,
    pub other_stateful_configuration_supported: Option<bool>,
    pub advertise_default_route: Option<bool>,
    pub router_discovery_behavior: Option<RouterDiscoveryBehavior>,
    pub dad_transmits: Option<u32>,
    pub base_reachable_time: Option<Duration>,
    pub retransmit_time: Option<Duration>,
    pub path_mtu_discovery_timeout: Option<Duration>,
    pub link_local_address_behavior: Option<LinkLocalAddressBehavior>,
    pub link_local_address_timeout: Option<Duration>,
    pub zone_indices: [Option<u32>; 16],
    pub site_prefix_length: Option<u32>,
    pub metric: Option<u32>,
    pub nl_mtu: Option<u32>,
    pub disable_default_routes: Option<bool>,
    /// Whole seconds, 3 to three quarters of the longest interval. Windows' Set ignores it.
    pub min_router_advertisement_interval: Option<Duration>,
    /// Whole seconds, 4 to 1800. Windows' Set ignores it.
    pub max_router_advertisement_interval: Option<Duration>,
}

impl IpInterface {
    /// The change that puts back what `change` changes of this row, which was read before.
    ///
    /// What `change` leaves alone stays as others may have set it meanwhile.
    ///
    /// ```no_run
    /// # fn main() -> iphelper::Result<()> {
    /// use iphelper::ip_interface::IpInterfaceChange;
    /// use iphelper::{Family, Host};
    ///
    /// let host = Host::open()?;
    /// let before = host.ip_interface(Family::V4, &host.interface_named("eth0")?)?;
    /// let guard = IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
    /// host.set_ip_interface(before.family, before.luid, &guard)?;
    /// // ... and when the tunnel is closed:
    /// host.set_ip_interface(before.family, before.luid, &before.undo(&guard))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn undo(&self, change: &IpInterfaceChange) -> IpInterfaceChange {
        fn back<T>(asked: Option<T>, before: T) -> Option<T> {
            asked.map(|_| before)
        }
        // Every field is named, so that a new one is not forgotten.
        let IpInterfaceChange {
            interface_identifier,
            advertising_enabled,
            forwarding_enabled,
            weak_host_send,
            weak_host_receive,
            use_automatic_metric,
            use_neighbor_unreachability_detection,
            managed_address_configuration_supported,
            other_stateful_configuration_supported,
            advertise_default_route,
            router_discovery_behavior,
            dad_transmits,
            base_reachable_time,
            retransmit_time,
            path_mtu_discovery_timeout,
            link_local_address_behavior,
            link_local_address_timeout,
            zone_indices,
            site_prefix_length,
            metric,
            nl_mtu,
            disable_default_routes,
            min_router_advertisement_interval,
            max_router_advertisement_interval,
        } = *change;
        let is_metric_asked = metric.is_some() || use_automatic_metric.is_some();
        let mut zones = zone_indices;
        for (zone, before) in zones.iter_mut().zip(self.zone_indices) {
            *zone = back(*zone, before);
        }
        IpInterfaceChange {
            interface_identifier: back(interface_identifier, self.interface_identifier),
            advertising_enabled: back(advertising_enabled, self.advertising_enabled),
            forwarding_enabled: back(forwarding_enabled, self.forwarding_enabled),
            weak_host_send: back(weak_host_send, self.weak_host_send),
            weak_host_receive: back(weak_host_receive, self.weak_host_receive),
            use_automatic_metric: is_metric_asked.then_some(self.use_automatic_metric),
            use_neighbor_unreachability_detection: back(
                use_neighbor_unreachability_detection,
                self.use_neighbor_unreachability_detection,
            ),
            managed_address_configuration_supported: managed_address_configuration_supported
                .and(self.managed_address_configuration_supported),
            other_stateful_configuration_supported: other_stateful_configuration_supported
                .and(self.other_stateful_configuration_supported),
            advertise_default_route: back(advertise_default_route, self.advertise_default_route),
            router_discovery_behavior: back(router_discovery_behavior, self.router_discovery_behavior),
            dad_transmits: back(dad_transmits, self.dad_transmits),
            base_reachable_time: back(base_reachable_time, self.base_reachable_time),
            retransmit_time: back(retransmit_time, self.retransmit_time),
            path_mtu_discovery_timeout: path_mtu_discovery_timeout.and(self.path_mtu_discovery_timeout),
            link_local_address_behavior: back(link_local_address_behavior, self.link_local_address_behavior),
            link_local_address_timeout: back(link_local_address_timeout, self.link_local_address_timeout),
            zone_indices: zones,
            site_prefix_length: back(site_prefix_length, self.site_prefix_length),
            // While it is automatic, the row's number is advice and nothing to set.
            metric: (is_metric_asked && !self.use_automatic_metric).then_some(self.metric),
            nl_mtu: back(nl_mtu, self.nl_mtu),
            disable_default_routes: back(disable_default_routes, self.disable_default_routes),
            min_router_advertisement_interval: min_router_advertisement_interval
                .and(self.min_router_advertisement_interval),
            max_router_advertisement_interval: max_router_advertisement_interval
                .and(self.max_router_advertisement_interval),
        }
    }
}

/// One property that a call changes or would change, as people read it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PropertyChange {
    /// The property: the field's name in [`IpInterface`].
    pub property: &'static str,
    /// The value before, as text.
    pub from: String,
    /// The value after, as text.
    pub to: String,
    /// The kernel object that carries it, such as `net.ipv4.conf.eth0.forwarding`.
    pub mechanism: String,
}

impl Host {
    /// The IP interfaces of one family or of both, ordered by family, then index.
    ///
    /// An interface is left out of IPv6 while the kernel has no IPv6 part for it or `disable_ipv6` is 1.
    ///
    /// - Windows: `GetIpInterfaceTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent
    /// - Linux: one dump each of `RTM_GETLINK`, of `RTM_GETNEIGHTBL` for each family, and of ethtool's features,
    ///   wake-on-LAN and link modes
    /// - Privilege: none; without `CAP_NET_ADMIN`, `supports_wake_up_patterns` is `None`
    #[doc(alias = "GetIpInterfaceTable")]
    pub fn ip_interfaces(&self, family: Option<Family>) -> Result<Vec<IpInterface>> {
        self.backend().ip_interfaces(family)
    }

    /// One IP interface.
    ///
    /// - Windows: `GetIpInterfaceEntry`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have this family;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where this host does not
    /// - Privilege: none; without `CAP_NET_ADMIN`, `supports_wake_up_patterns` is `None`
    #[doc(alias = "GetIpInterfaceEntry")]
    pub fn ip_interface(&self, family: Family, key: impl Into<InterfaceKey>) -> Result<IpInterface> {
        self.backend().ip_interface(family, key.into())
    }

    /// Changes an IP interface, all or nothing, and tells what changed.
    ///
    /// Everything that can be checked is checked before the first write; when a later write fails, the earlier ones are
    /// put back and the first error is returned. A caller that dies half-way leaves each property old or new, and the
    /// same call again does the rest. What happens beside the property itself (routers are solicited or forgotten, a
    /// link-local address comes or goes) is in `docs/linux-mechanisms.md`.
    ///
    /// ```no_run
    /// # fn main() -> iphelper::Result<()> {
    /// use iphelper::Host;
    /// use iphelper::ip_interface::IpInterfaceChange;
    /// use iphelper::types::Family;
    /// let host = Host::open()?;
    /// let index = host.interface_named("eth0")?.index;
    /// let forward = IpInterfaceChange { forwarding_enabled: Some(true), ..IpInterfaceChange::default() };
    /// for change in host.set_ip_interface(Family::V4, index, &forward)? {
    ///     println!("{}: {} -> {} ({})", change.property, change.from, change.to, change.mechanism);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Windows: `SetIpInterfaceEntry`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound),
    ///   [`NotFound`](crate::ErrorKind::NotFound), [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a value
    ///   out of range, [`NotSupported`](crate::ErrorKind::NotSupported) for what this kernel cannot do,
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied), [`AlreadyExists`](crate::ErrorKind::AlreadyExists) for a
    ///   metric that would make an IPv6 route of this interface and one of another the same
    /// - Linux: `RTM_SETLINK`, `RTM_SETNEIGHTBL` and `/proc/sys/net/ipv{4,6}/conf`; see `docs/linux-mechanisms.md`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "SetIpInterfaceEntry")]
    pub fn set_ip_interface(
        &self,
        family: Family,
        key: impl Into<InterfaceKey>,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_ip_interface(family, key.into(), change)
    }

    /// What [`set_ip_interface`](Self::set_ip_interface) would change; every check is done, nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_set_ip_interface(
        &self,
        family: Family,
        key: impl Into<InterfaceKey>,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().plan_set_ip_interface(family, key.into(), change)
    }

    /// Changes both families of an interface as one, all or nothing; the changes of IPv4, then those of IPv6.
    ///
    /// What one call for each family could not do in any order is done here: an MTU below the other family's, if both
    /// get it.
    ///
    /// Windows has no such function. Errors and privilege are those of
    /// [`set_ip_interface`](Self::set_ip_interface); an interface that lacks one of the families is
    /// [`NotFound`](crate::ErrorKind::NotFound), and nothing is done.
    pub fn set_ip_interface_families(
        &self,
        key: impl Into<InterfaceKey>,
        ipv4: &IpInterfaceChange,
        ipv6: &IpInterfaceChange,
    ) -> Result<[Vec<PropertyChange>; 2]> {
        self.backend().set_ip_interface_families(key.into(), [ipv4, ipv6])
    }

    /// What [`set_ip_interface_families`](Self::set_ip_interface_families) would change, as
    /// [`plan_set_ip_interface`](Self::plan_set_ip_interface) tells it of one family.
    pub fn plan_set_ip_interface_families(
        &self,
        key: impl Into<InterfaceKey>,
        ipv4: &IpInterfaceChange,
        ipv6: &IpInterfaceChange,
    ) -> Result<[Vec<PropertyChange>; 2]> {
        self.backend().plan_set_ip_interface_families(key.into(), [ipv4, ipv6])
    }

    /// How long a learned path MTU is kept, for all interfaces of `family`.
    ///
    /// Windows keeps one value per interface, Linux one per network namespace; so a change of
    /// [`path_mtu_discovery_timeout`](IpInterfaceChange::path_mtu_discovery_timeout) is refused there and done here.
    ///
    /// - Units: whole seconds, rounded up; 1 s at least
    /// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for zero or more than the kernel counts;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where the kernel has no such value, or hides it, as IPv6's from
    ///   a user namespace; [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `net.ipv4.route.mtu_expires`, `net.ipv6.route.mtu_expires`
    /// - Privilege: `CAP_NET_ADMIN`
    pub fn set_path_mtu_discovery_timeout(&self, family: Family, timeout: Duration) -> Result<()> {
        self.backend().set_path_mtu_discovery_timeout(family, timeout)
    }
}

impl fmt::Display for RouterDiscoveryBehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Dhcp => "dhcp",
        })
    }
}

impl fmt::Display for LinkLocalAddressBehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlwaysOff => "always_off",
            Self::Delayed => "delayed",
            Self::AlwaysOn => "always_on",
        })
    }
}
