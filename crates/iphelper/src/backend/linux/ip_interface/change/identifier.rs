//! `InterfaceIdentifier`: the lower half of the addresses that are made from advertised prefixes.

use super::plan::{Planner, Turn, invalid, unsupported};
use super::router_discovery;
use super::undo::Values;
use super::write::Write;
use crate::error::Result;
use crate::types::Family;
use std::net::Ipv6Addr;

pub(super) fn interface_identifier(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.interface_identifier;
    let Some(to) = planner.change.interface_identifier.filter(|to| *to != from) else { return Ok(()) };
    let ipv6 = match (planner.row.family, planner.link.ipv6) {
        (Family::V6, Some(ipv6)) => ipv6,
        _ => return Err(unsupported("interface_identifier: IPv4 addresses have none")),
    };
    // The kernel checks the same, but only when it is asked to write, and then for the present settings.
    if !router_discovery::is_possible(planner.link) {
        return Err(invalid("interface_identifier: there is no neighbour discovery on this interface"));
    }
    if ipv6.router_solicitations == 0 {
        return Err(invalid(
            "interface_identifier: routers are not solicited here (net.ipv6.conf.*.router_solicitations is 0)",
        ));
    }
    let before = ipv6.obeys_routers(ipv6.accept_ra);
    let after = router_discovery::asked(planner).unwrap_or(before);
    let turn = match (before, after) {
        (_, true) => Turn::IdentifierSet,
        // Going off with this call: the identifier can still go with it.
        (true, false) if to == 0 => Turn::IdentifierCleared,
        _ => return Err(invalid("interface_identifier: router discovery is disabled on this interface")),
    };
    let token = |identifier: u64| Ipv6Addr::from_bits(u128::from(identifier));
    planner.tell("interface_identifier", token(from), token(to), "RTM_SETLINK IFLA_INET6_TOKEN");
    planner.write(turn, Write::Token(Values { from: token(from), to: token(to) }));
    Ok(())
}
