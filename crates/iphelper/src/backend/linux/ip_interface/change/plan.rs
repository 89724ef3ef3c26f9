//! From what is and what is asked to what is written.

use super::write::Write;
use super::{
    OPERATION, advertising, duplicate_detection, forwarding, identifier, link_local, metric, mtu, neighbor,
    policy, router_discovery,
};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::{IpInterface, IpInterfaceChange, PropertyChange};
use crate::types::Family;
use std::fmt::Display;
use std::time::Duration;

/// The properties in the order of the fields of [`IpInterfaceChange`], which is the order in which changes are told.
///
/// Each compares, checks, and adds its change and its writes to the plan; a value that holds already adds nothing.
const PROPERTIES: &[fn(&mut Planner<'_>) -> Result<()>] = &[
    identifier::interface_identifier,
    advertising::advertising_enabled,
    forwarding::forwarding_enabled,
    policy::weak_host_send,
    policy::weak_host_receive,
    metric::use_automatic_metric,
    neighbor::use_neighbor_unreachability_detection,
    advertising::managed_address_configuration_supported,
    advertising::other_stateful_configuration_supported,
    advertising::advertise_default_route,
    router_discovery::router_discovery_behavior,
    duplicate_detection::dad_transmits,
    neighbor::base_reachable_time,
    neighbor::retransmit_time,
    policy::path_mtu_discovery_timeout,
    link_local::link_local_address_behavior,
    policy::link_local_address_timeout,
    policy::zone_indices,
    policy::site_prefix_length,
    metric::metric,
    mtu::nl_mtu,
    policy::disable_default_routes,
    advertising::min_router_advertisement_interval,
    advertising::max_router_advertisement_interval,
];

/// When a write has its turn, first to last.
///
/// What can fail for a driver's reasons goes first. What cannot be put back exactly (addresses and routes that are
/// deleted come back with the next router advertisement, or anew) goes last, when nothing else can fail any more.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Turn {
    RouteMtu,
    Mtu,
    NeighborTimes,
    DuplicateDetection,
    Forwarding,
    /// What is advertised: when the interface forwards, and may be put back.
    Advertising,
    /// Takes longest, and can be put back exactly.
    Metric,
    /// Rules and filters. The kernel may lack them, and they are put back exactly. They copy routes, so those come first.
    Policy,
    /// Clearing the identifier needs router discovery, so it goes before that is disabled.
    IdentifierCleared,
    RouterDiscovery,
    /// Setting an identifier needs router discovery, so it goes after that is enabled.
    IdentifierSet,
    LinkLocal,
    Announcement,
    /// An MTU that ends the IPv6 part of the link, whose settings are lost. It announces itself.
    MtuThatEndsIpv6,
}

/// What a call changes.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) family: Family,
    pub(super) link: Link,
    pub(super) changes: Vec<PropertyChange>,
    /// Each with its turn.
    pub(super) writes: Vec<(Turn, Write)>,
}

impl Plan {
    pub(super) fn new(
        host: &LinuxHost,
        row: &IpInterface,
        link: Link,
        ipv4_routes: Option<u32>,
        change: &IpInterfaceChange,
    ) -> Result<Self> {
        let (changes, writes) = (Vec::new(), Vec::new());
        let mut planner = Planner { host, row, link: &link, ipv4_routes, change, changes, writes };
        for property in PROPERTIES {
            property(&mut planner)?;
        }
        let Planner { changes, mut writes, .. } = planner;
        if link.ipv4.is_some() && writes.iter().any(|(_, write)| write.is_silent()) {
            writes.push((Turn::Announcement, Write::Announce));
        }
        Ok(Self { family: row.family, link, changes, writes })
    }
}

/// A plan under construction, and what it is made from.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    pub(super) host: &'a LinuxHost,
    pub(super) row: &'a IpInterface,
    pub(super) link: &'a Link,
    /// The MTU of IPv4 routes, where it is below the device's.
    pub(super) ipv4_routes: Option<u32>,
    pub(super) change: &'a IpInterfaceChange,
    changes: Vec<PropertyChange>,
    writes: Vec<(Turn, Write)>,
}

impl Planner<'_> {
    /// Tells a change.
    pub(super) fn tell(
        &mut self,
        property: &'static str,
        from: impl Display,
        to: impl Display,
        mechanism: impl Into<String>,
    ) {
        let (from, to, mechanism) = (from.to_string(), to.to_string(), mechanism.into());
        self.changes.push(PropertyChange { property, from, to, mechanism });
    }

    /// Adds a write.
    pub(super) fn write(&mut self, turn: Turn, write: Write) {
        self.writes.push((turn, write));
    }

    /// The name of a sysctl of this interface, as `sysctl(8)` takes it.
    pub(super) fn sysctl_name(&self, file: &str) -> String {
        let family = if self.row.family == Family::V4 { "ipv4" } else { "ipv6" };
        let name = &self.row.name;
        if name.contains('.') {
            format!("net/{family}/conf/{name}/{file}")
        } else {
            format!("net.{family}.conf.{name}.{file}")
        }
    }
}

/// A value that is out of its range.
pub(super) fn invalid(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidParameter, OPERATION).because(reason.into())
}

/// What this host cannot do.
pub(super) fn unsupported(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::NotSupported, OPERATION).because(reason.into())
}

/// A time in milliseconds, as people read it.
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
