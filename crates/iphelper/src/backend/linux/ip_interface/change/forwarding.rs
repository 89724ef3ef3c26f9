//! `ForwardingEnabled`: whether packets that come in on the interface, and are for others, are forwarded.

use super::plan::{Planner, Turn, unsupported};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::namespace::system;
use crate::error::Result;
use crate::types::Family;

pub(super) fn forwarding_enabled(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.forwarding_enabled;
    let Some(to) = planner.change.forwarding_enabled.filter(|to| *to != from) else { return Ok(()) };
    let file = match planner.row.family {
        // Not IPV4_DEVCONF over netlink, which leaves large receive offload on and cached routes in use.
        Family::V4 => "forwarding",
        Family::V6 => {
            check_ipv6(planner)?;
            // `forwarding` would not forward a packet, and delete the default routes that routers on other interfaces
            // advertised.
            "force_forwarding"
        }
    };
    let mechanism = planner.sysctl_name(file);
    planner.tell("forwarding_enabled", from, to, mechanism);
    let values = Values { from: i64::from(from), to: i64::from(to) };
    planner.write(Turn::Forwarding, Write::Sysctl { file, values });
    Ok(())
}

fn check_ipv6(planner: &Planner<'_>) -> Result<()> {
    if planner.link.ipv6.is_none_or(|ipv6| ipv6.force_forwarding.is_none()) {
        return Err(unsupported(
            "forwarding_enabled: IPv6 forwarding of one interface needs net.ipv6.conf.*.force_forwarding, which Linux \
             has from 6.17 on",
        ));
    }
    // Differs from the row only where every interface forwards, so this one cannot stop.
    let all = planner.host.sysctl.read(Family::V6, "conf/all/forwarding");
    let all = all.map_err(|errno| system("reading net.ipv6.conf.all.forwarding", errno))?;
    if all != "0" {
        return Err(unsupported(
            "forwarding_enabled: net.ipv6.conf.all.forwarding makes every interface forward; set it to 0 first",
        ));
    }
    Ok(())
}
