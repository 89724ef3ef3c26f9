//! `RouterDiscoveryBehavior`: whether router advertisements are obeyed, and routers solicited.

use super::plan::{Planner, Turn, invalid, unsupported};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::link::Link;
use crate::error::Result;
use crate::ip_interface::RouterDiscoveryBehavior;
use crate::types::Family;
use iphelper_netlink::rtnetlink::link::flag;

pub(super) fn router_discovery_behavior(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.router_discovery_behavior;
    let Some(to) = planner.change.router_discovery_behavior.filter(|to| *to != from) else { return Ok(()) };
    match (planner.row.family, to) {
        // Routers are not discovered over IPv4 whichever of the two is asked.
        (Family::V4, RouterDiscoveryBehavior::Disabled | RouterDiscoveryBehavior::Dhcp) => Ok(()),
        (Family::V4, RouterDiscoveryBehavior::Enabled) => Err(unsupported(
            "router_discovery_behavior: Linux does not discover routers over IPv4 (RFC 1256)",
        )),
        (Family::V6, RouterDiscoveryBehavior::Dhcp) => Err(invalid(
            "router_discovery_behavior: DHCPv6 tells no router; take enabled or disabled for IPv6",
        )),
        (Family::V6, RouterDiscoveryBehavior::Disabled | RouterDiscoveryBehavior::Enabled) => {
            let Some(ipv6) = planner.link.ipv6 else { return Ok(()) };
            let accept_ra = match to {
                RouterDiscoveryBehavior::Enabled if ipv6.forwarding => 2,
                RouterDiscoveryBehavior::Enabled => 1,
                _ => 0,
            };
            let mechanism = planner.sysctl_name("accept_ra");
            planner.tell("router_discovery_behavior", from, to, mechanism);
            let values = Values { from: ipv6.accept_ra, to: accept_ra };
            planner.write(Turn::RouterDiscovery, Write::RouterDiscovery(values));
            Ok(())
        }
    }
}

/// Whether this call enables or disables the obedience to routers; `None` if it does neither.
pub(super) fn asked(planner: &Planner<'_>) -> Option<bool> {
    planner.change.router_discovery_behavior.map(|to| to == RouterDiscoveryBehavior::Enabled)
}

/// Whether the link has neighbours that are discovered: not loopback, nor PPP and the like.
pub(super) fn is_possible(link: &Link) -> bool {
    link.flags & (flag::LOOPBACK | flag::NO_ARP) == 0
}
