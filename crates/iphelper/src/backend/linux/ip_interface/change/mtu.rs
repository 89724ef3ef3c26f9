//! `NlMtu`: the largest IP packet, of each family.
//!
//! The device has one MTU, the larger of the two. IPv6 may have a smaller one of its own; a change of the device's MTU
//! overwrites that, so it is written again behind it. IPv4 has a smaller one by that of its routes.

use super::metric::count;
use super::plan::{Planner, Turn, invalid};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::link::{Link, LinkIpv6};
use crate::error::Result;
use crate::ip_interface::IpInterfaceChange;
use crate::types::Family;

/// Below this the kernel takes IPv4 off the interface (RFC 791).
const LEAST_IPV4: u32 = 68;
/// Below this the kernel takes IPv6 off the interface, with its addresses and settings (RFC 8200).
const LEAST_IPV6: u32 = 1280;

/// How long packets may be. `None`: the interface does not have the family.
#[derive(Clone, Copy)]
struct Mtus {
    ipv4: Option<u32>,
    ipv6: Option<u32>,
}

impl Mtus {
    fn now(link: &Link, ipv4_routes: Option<u32>) -> Self {
        Self {
            ipv4: link.ipv4.map(|_| ipv4_routes.map_or(link.mtu, |mtu| mtu.min(link.mtu))),
            ipv6: link.active_ipv6().map(|ipv6| ipv6.mtu),
        }
    }

    fn with(self, family: Family, mtu: u32) -> Self {
        match family {
            Family::V4 => Self { ipv4: Some(mtu), ..self },
            Family::V6 => Self { ipv6: Some(mtu), ..self },
        }
    }

    /// The device's MTU.
    fn device(self) -> u32 {
        self.ipv4.max(self.ipv6).unwrap_or_default()
    }

    /// The MTU of IPv4 routes, where it is not the device's.
    fn ipv4_routes(self) -> Option<u32> {
        self.ipv4.filter(|mtu| *mtu < self.device())
    }
}

pub(super) fn nl_mtu(planner: &mut Planner<'_>) -> Result<()> {
    let Some(to) = planner.change.nl_mtu else { return Ok(()) };
    let (host, row, link, from_routes) = (planner.host, planner.row, planner.link, planner.ipv4_routes);
    if to == row.nl_mtu {
        return if row.family == Family::V4 { again(planner) } else { Ok(()) };
    }
    if let Some(most) = link.max_mtu.filter(|most| to > *most) {
        return Err(invalid(format!("nl_mtu: {to} is over the device's limit of {most}")));
    }
    let least = match row.family {
        Family::V4 => LEAST_IPV4,
        Family::V6 => LEAST_IPV6,
    };
    if to < least {
        return Err(invalid(format!("nl_mtu: {to} is below {least}, the least for {}", row.family)));
    }
    let from = Mtus::now(link, from_routes);
    let goal = from.with(row.family, to);
    let device = goal.device();
    if let Some(least) = link.min_mtu.filter(|least| device < *least) {
        return Err(invalid(format!("nl_mtu: {to} is below the device's limit of {least}")));
    }

    let mut mechanisms = Vec::new();
    let routes = goal.ipv4_routes();
    if routes != from_routes {
        let work = host.ipv4_mtu_work(link, routes)?;
        mechanisms.push(format!("RTAX_MTU of {}", count(work, "IPv4 route", "IPv4 routes")));
        planner.write(Turn::RouteMtu, Write::RouteMtu(Values { from: from_routes, to: routes }));
    }
    if device != link.mtu {
        // With IPv6 disabled, only a value that was lowered on purpose and still fits.
        let disabled = link.ipv6.filter(|ipv6| ipv6.disabled && ipv6.mtu <= device && ipv6.mtu < link.mtu);
        let lower =
            |mtus: Mtus, device| mtus.ipv6.filter(|mtu| *mtu < device).or(disabled.map(|ipv6| ipv6.mtu));
        let ipv6 = Values { from: lower(from, link.mtu), to: lower(goal, device) };
        let ends_ipv6 = link.ipv6.is_some() && device < LEAST_IPV6;
        let turn = if ends_ipv6 { Turn::MtuThatEndsIpv6 } else { Turn::Mtu };
        mechanisms.push("RTM_SETLINK IFLA_MTU".to_owned());
        planner.write(turn, Write::DeviceMtu { device: Values { from: link.mtu, to: device }, ipv6 });
    } else if row.family == Family::V6 {
        mechanisms.push(planner.sysctl_name("mtu"));
        let values = Values { from: i64::from(row.nl_mtu), to: i64::from(to) };
        planner.write(Turn::Mtu, Write::Sysctl { file: "mtu", values });
    }
    planner.tell("nl_mtu", row.nl_mtu, to, mechanisms.join(", "));
    Ok(())
}

/// The link, and the MTU of its IPv4 routes, as a change of one family leaves them.
pub(super) fn as_left_by(
    link: &Link,
    ipv4_routes: Option<u32>,
    family: Family,
    change: &IpInterfaceChange,
) -> (Link, Option<u32>) {
    let mut left = link.clone();
    let Some(to) = change.nl_mtu else { return (left, ipv4_routes) };
    let goal = Mtus::now(link, ipv4_routes).with(family, to);
    left.mtu = goal.device();
    left.ipv6 = link.ipv6.map(|ipv6| LinkIpv6 { mtu: goal.ipv6.unwrap_or(ipv6.mtu), ..ipv6 });
    (left, goal.ipv4_routes())
}

/// The IPv4 MTU that holds already: routes that were added since get it too.
fn again(planner: &mut Planner<'_>) -> Result<()> {
    let routes = planner.ipv4_routes;
    // Not the one that another part of this very call sets.
    let holds = routes.is_some() && planner.host.route_settings()?.ipv4_mtu(planner.link) == routes;
    let work = if holds { planner.host.ipv4_mtu_work(planner.link, routes)? } else { 0 };
    if work > 0 {
        let mtu = planner.row.nl_mtu;
        let mechanism = format!("RTAX_MTU of {}", count(work, "IPv4 route", "IPv4 routes"));
        planner.tell("nl_mtu", mtu, mtu, mechanism);
        planner.write(Turn::RouteMtu, Write::RouteMtu(Values { from: routes, to: routes }));
    }
    Ok(())
}
