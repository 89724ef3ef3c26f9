//! `ForwardingEnabled`: whether packets that come in on the interface, and are for others, are forwarded.

use super::plan::{Planner, Turn, unsupported};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::namespace::system;
use crate::backend::linux::policy::{Property, Setting, mechanism};
use crate::error::Result;
use crate::types::Family;

pub(super) fn forwarding_enabled(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.forwarding_enabled;
    let Some(to) = planner.change.forwarding_enabled.filter(|to| *to != from) else { return Ok(()) };
    let file = match planner.row.family {
        // Not IPV4_DEVCONF over netlink, which leaves large receive offload on and cached routes in use.
        Family::V4 => "forwarding",
        // `forwarding` would not forward a packet, and delete the default routes that routers on other interfaces
        // advertised.
        Family::V6 if has_force_forwarding(planner) => {
            check_all(planner)?;
            "force_forwarding"
        }
        Family::V6 => return by_filter(planner, from, to),
    };
    let mechanism = planner.sysctl_name(file);
    planner.tell("forwarding_enabled", from, to, mechanism);
    let values = Values { from: i64::from(from), to: i64::from(to) };
    planner.write(Turn::Forwarding, Write::Sysctl { file, values });
    Ok(())
}

fn has_force_forwarding(planner: &Planner<'_>) -> bool {
    planner.link.ipv6.is_some_and(|ipv6| ipv6.force_forwarding.is_some())
}

/// Before Linux 6.17 the kernel forwards for all interfaces or none; a filter makes the difference.
fn by_filter(planner: &mut Planner<'_>, from: bool, to: bool) -> Result<()> {
    let (index, luid) = (planner.row.index, planner.row.luid);
    let setting = Setting { family: Family::V6, property: Property::Forwarding, index, luid };
    if !to && !planner.host.policy_settings(std::slice::from_ref(planner.link))?.contains(&setting) {
        check_all(planner)?;
    }
    planner.tell("forwarding_enabled", from, to, mechanism(&setting));
    planner.write(Turn::Policy, Write::Policy { setting, values: Values { from, to } });
    Ok(())
}

/// Refuses to end what somebody else began for all interfaces.
fn check_all(planner: &Planner<'_>) -> Result<()> {
    let all = planner.host.sysctl.read(Family::V6, "conf/all/forwarding");
    let all = all.map_err(|errno| system("reading net.ipv6.conf.all.forwarding", errno))?;
    if all != "0" {
        return Err(unsupported(
            "forwarding_enabled: net.ipv6.conf.all.forwarding makes every interface forward; set it to 0 first",
        ));
    }
    Ok(())
}
