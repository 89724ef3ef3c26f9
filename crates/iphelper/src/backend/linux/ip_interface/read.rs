//! The rows of IP interfaces: a link as each address family uses it.
//!
//! A table is made of one dump each of links, neighbour parameters, markers of policy, features, wake-on-LAN and
//! speeds, and of four files
//! that hold for the whole namespace. None of it is read per interface.

mod metric;
mod offload;

use super::super::LinuxHost;
use super::super::ethtool::LinkFeatures;
use super::super::link::{Link, LinkIpv6, address_family};
use super::super::namespace::system;
use super::super::policy::advertise::Advertising;
use super::super::policy::forwarding::Ipv6Forwarding;
use super::super::policy::{Property, RouteSettings, Setting, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::{IpInterface, LinkLocalAddressBehavior, RouterDiscoveryBehavior};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use iphelper_netlink::rtnetlink::link::flag;
use iphelper_netlink::rtnetlink::neigh_table::{self, NeighborParameters};
pub(in crate::backend::linux) use metric::automatic as automatic_metric;
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::time::Duration;

const OPERATION: &str = "reading IP interfaces";

/// From this time on, a neighbour in doubt is never probed: 11 days, far above what anybody sets to be probed late, and
/// below what a change that switches probing off writes.
const NEVER_PROBED: Duration = Duration::from_millis(1_000_000_000);

/// Windows' default; Linux has no sites.
const IPV6_SITE_PREFIX_LENGTH: u32 = 64;

/// `IN6_ADDR_GEN_MODE_NONE`.
const NO_ADDRESS_GENERATION: u8 = 1;

impl LinuxHost {
    pub(super) fn read_ip_interfaces(&self, family: Option<Family>) -> Result<Vec<IpInterface>> {
        if let Some(family) = family {
            self.require_family(family, OPERATION)?;
        }
        let families: Vec<Family> = match family {
            Some(family) => vec![family],
            None => Family::ALL.into_iter().filter(|family| self.sysctl.has(*family)).collect(),
        };
        let links = self.links(OPERATION)?;
        let surroundings = Surroundings::read(self, &families, &links)?;
        let rows = families.iter().flat_map(|family| {
            links
                .iter()
                .filter(|link| link.has_family(*family))
                .filter_map(|link| surroundings.row(*family, link))
        });
        Ok(rows.collect())
    }

    pub(super) fn read_ip_interface(&self, family: Family, key: InterfaceKey) -> Result<IpInterface> {
        const OPERATION: &str = "reading an IP interface";
        self.require_family(family, OPERATION)?;
        let link = self.link(key, OPERATION)?;
        if !link.has_family(family) {
            return Err(Error::new(ErrorKind::NotFound, OPERATION).because(link.why_without(family)));
        }
        let surroundings = Surroundings::read(self, &[family], std::slice::from_ref(&link))?;
        surroundings.row(family, &link).ok_or_else(|| {
            Error::new(ErrorKind::InterfaceNotFound, OPERATION).because("it vanished while it was read")
        })
    }

    /// The rows of one link, at most one for each family; none if it is gone.
    pub(in crate::backend::linux) fn read_rows_of(&self, index: InterfaceIndex) -> Result<Vec<IpInterface>> {
        let link = match self.link(index.into(), OPERATION) {
            Err(error) if error.kind() == ErrorKind::InterfaceNotFound => return Ok(Vec::new()),
            link => link?,
        };
        let mut families = Family::ALL.to_vec();
        families.retain(|family| self.sysctl.has(*family) && link.has_family(*family));
        let surroundings = Surroundings::read(self, &families, std::slice::from_ref(&link))?;
        Ok(families.iter().filter_map(|family| surroundings.row(*family, &link)).collect())
    }
}

/// What the rows take from elsewhere than the link.
struct Surroundings {
    neighbors: FxHashMap<(Family, InterfaceIndex), NeighborParameters>,
    features: FxHashMap<u32, LinkFeatures>,
    speeds: FxHashMap<u32, u64>,
    wakers: Option<FxHashSet<u32>>,
    policy: Settings,
    advertising: BTreeMap<InterfaceIndex, Advertising>,
    ipv6_forwarding: Ipv6Forwarding,
    /// `net.ipv6.conf.all.accept_dad`.
    all_accept_dad: i32,
    path_mtu_timeouts: FxHashMap<Family, Duration>,
    route_settings: RouteSettings,
}

impl Surroundings {
    fn read(host: &LinuxHost, families: &[Family], links: &[Link]) -> Result<Self> {
        let mut surroundings = Self {
            neighbors: FxHashMap::default(),
            features: host.link_features(links)?,
            speeds: host.link_speeds(links)?,
            wakers: host.wake_on_lan(links)?,
            policy: host.policy_settings(links)?,
            advertising: BTreeMap::new(),
            ipv6_forwarding: Ipv6Forwarding::None,
            all_accept_dad: 0,
            path_mtu_timeouts: FxHashMap::default(),
            route_settings: host.route_settings()?,
        };
        for family in families {
            let parameters = neighbor_parameters(host, *family)?;
            surroundings.neighbors.extend(parameters.into_iter().map(|(index, row)| ((*family, index), row)));
            // Linux hides the IPv6 file in network namespaces that a user namespace owns (net/ipv6/route.c).
            if let Some(seconds) = namespace_number(host, *family, "route/mtu_expires")? {
                let timeout = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
                let _ = surroundings.path_mtu_timeouts.insert(*family, timeout);
            }
        }
        if families.contains(&Family::V6) {
            surroundings.advertising = host.advertising(links)?;
            let number = |file| Ok(namespace_number(host, Family::V6, file)?.unwrap_or_default());
            surroundings.ipv6_forwarding = host.ipv6_forwarding()?;
            surroundings.all_accept_dad = number("conf/all/accept_dad")?;
        }
        Ok(surroundings)
    }

    /// The row of a link that has the family; `None` if it vanished between the dumps.
    fn row(&self, family: Family, link: &Link) -> Option<IpInterface> {
        let neighbors = self.neighbors.get(&(family, link.index))?;
        let features = self.features.get(&link.index.0).copied().unwrap_or_default();
        let speed = self.speeds.get(&link.index.0).copied();
        let ipv6 = link.ipv6.as_ref().filter(|_| family == Family::V6);
        // How far zones are known: a link-local zone is the interface; what is larger has one zone, which Linux does
        // not number (net/ipv6/af_inet6.c takes any scope id with it).
        let mut zone_indices = [0; 16];
        for zone in zone_indices.iter_mut().skip(1).take(3) {
            *zone = link.index.0;
        }
        let has = |property| {
            self.policy.contains(&Setting { family, property, index: link.index, luid: link.luid() })
        };
        let advertising = self.advertising.get(&link.index).copied().unwrap_or_default();
        let advertising = ipv6.map(|_| advertising);
        // What is advertised, or else what a router told.
        let told = |ours: fn(Advertising) -> bool, theirs: fn(&LinkIpv6) -> bool| {
            let ours = advertising.filter(|it| it.enabled).map(ours);
            ours.or_else(|| ipv6.map(theirs))
        };
        let manual_metric = self.route_settings.metric(family, link);
        let is_neighborly = !link.has(flag::NO_ARP) && !link.has(flag::LOOPBACK);
        Some(IpInterface {
            family,
            luid: link.luid(),
            index: link.index,
            name: link.name(),
            max_reassembly_size: ipv6.and_then(|ipv6| ipv6.max_reassembly),
            interface_identifier: ipv6.map_or(0, interface_identifier),
            min_router_advertisement_interval: advertising.map(|it| seconds(it.shortest())),
            max_router_advertisement_interval: advertising.map(|it| seconds(it.longest())),
            advertising_enabled: advertising.is_some_and(|it| it.enabled),
            advertise_default_route: advertising.is_some_and(|it| it.default_route),
            forwarding_enabled: match ipv6 {
                // net/ipv6/ip6_output.c, ip6_forward: judged by the interface that a packet came in on.
                Some(_) => self.ipv6_forwarding.of(link, &self.policy),
                None => link.ipv4.is_some_and(|ipv4| ipv4.forwarding),
            },
            // Linux by itself takes packets for each of its addresses on each interface, and sends each from each.
            weak_host_send: !has(Property::StrongSend),
            weak_host_receive: !has(Property::StrongReceive),
            use_automatic_metric: manual_metric.is_none(),
            metric: manual_metric.unwrap_or_else(|| metric::automatic(link.interface_type, speed)),
            use_neighbor_unreachability_detection: neighbors.delay_probe_time? < NEVER_PROBED,
            managed_address_configuration_supported: told(|it| it.managed, |ipv6| ipv6.managed),
            other_stateful_configuration_supported: told(
                |it| it.other_configuration,
                |ipv6| ipv6.other_configuration,
            ),
            router_discovery_behavior: match ipv6 {
                Some(ipv6) if ipv6.obeys_routers(ipv6.accept_ra) => RouterDiscoveryBehavior::Enabled,
                Some(_) => RouterDiscoveryBehavior::Disabled,
                None => RouterDiscoveryBehavior::Dhcp,
            },
            dad_transmits: match ipv6 {
                Some(ipv6) if is_neighborly => self.dad_transmits(ipv6),
                None if is_neighborly => self.route_settings.ipv4_dad_transmits(link),
                _ => 0,
            },
            base_reachable_time: neighbors.base_reachable_time?,
            reachable_time: neighbors.reachable_time?,
            retransmit_time: neighbors.retransmit_time?,
            path_mtu_discovery_timeout: self.path_mtu_timeouts.get(&family).copied(),
            link_local_address_behavior: match ipv6 {
                Some(ipv6) if ipv6.address_generation != NO_ADDRESS_GENERATION => {
                    LinkLocalAddressBehavior::AlwaysOn
                }
                _ => LinkLocalAddressBehavior::AlwaysOff,
            },
            link_local_address_timeout: Duration::ZERO,
            zone_indices,
            site_prefix_length: ipv6.map_or(0, |_| IPV6_SITE_PREFIX_LENGTH),
            nl_mtu: match ipv6 {
                Some(ipv6) => ipv6.mtu,
                None => self.route_settings.ipv4_mtu(link).map_or(link.mtu, |mtu| mtu.min(link.mtu)),
            },
            connected: link.is_connected(),
            supports_wake_up_patterns: self.wakers.as_ref().map(|wakers| wakers.contains(&link.index.0)),
            supports_neighbor_discovery: is_neighborly,
            // Also where there are no link-layer addresses, over PPP for example: a router needs none to be heard.
            supports_router_discovery: ipv6.is_some()
                && link.has(flag::MULTICAST)
                && !link.has(flag::LOOPBACK),
            transmit_offload: offload::transmit(family, &features, link.gso_max_size),
            receive_offload: offload::receive(&features),
            disable_default_routes: has(Property::DisableDefaultRoutes),
        })
    }

    /// Probes that the kernel sends (net/ipv6/addrconf.c): none if detection is off for all and for this link; and the
    /// count of those left has 8 bits.
    fn dad_transmits(&self, ipv6: &LinkIpv6) -> u32 {
        let detects = self.all_accept_dad > 0 || ipv6.accept_dad > 0;
        if detects { ipv6.dad_transmits.cast_unsigned() & 0xff } else { 0 }
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// The lower 64 bits of the token.
fn interface_identifier(ipv6: &LinkIpv6) -> u64 {
    let [.., i0, i1, i2, i3, i4, i5, i6, i7] = ipv6.token.octets();
    u64::from_be_bytes([i0, i1, i2, i3, i4, i5, i6, i7])
}

/// How each link resolves and watches its neighbours. The kernel has no request for one link.
fn neighbor_parameters(
    host: &LinuxHost,
    family: Family,
) -> Result<FxHashMap<InterfaceIndex, NeighborParameters>> {
    let mut request = neigh_table::dump(address_family(family));
    host.route
        .take()?
        .snapshot(&mut request, FxHashMap::default, |rows, message| {
            if let Some(row) = NeighborParameters::parse(message)?
                && let Some(index) = row.index
            {
                let _ = rows.insert(InterfaceIndex(index), row);
            }
            Ok(())
        })
        .map_err(|refusal| refusal.error("reading neighbour parameters"))
}

/// A number under `/proc/sys/net/ipv4` or `ipv6` that holds for the whole namespace; `None` if the file is not there.
fn namespace_number(host: &LinuxHost, family: Family, file: &str) -> Result<Option<i32>> {
    match host.sysctl.read(family, file) {
        Ok(text) => Ok(text.parse().ok()),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(system(OPERATION, errno).because(format!("net/{family}/{file}"))),
    }
}
