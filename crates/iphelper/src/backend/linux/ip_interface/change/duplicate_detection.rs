//! `DadTransmits`: how many probes duplicate address detection sends.

use super::plan::{Planner, Turn, invalid, unsupported};
use super::router_discovery;
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::policy::ipv4_dad_mechanism;
use crate::error::Result;
use crate::types::Family;

/// The kernel counts the probes of an address in eight bits, so 256 would send none (`struct inet6_ifaddr`).
const MOST_PROBES: u32 = u8::MAX as u32;

pub(super) fn dad_transmits(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.dad_transmits;
    let Some(to) = planner.change.dad_transmits.filter(|to| *to != from) else { return Ok(()) };
    if to > MOST_PROBES {
        return Err(invalid(format!("dad_transmits: {to} is over {MOST_PROBES}")));
    }
    if !router_discovery::is_possible(planner.link) || !planner.row.supports_neighbor_discovery {
        return Err(unsupported("dad_transmits: nobody on this interface could tell of a duplicate"));
    }
    let Some(ipv6) = planner.link.ipv6.filter(|_| planner.row.family == Family::V6) else {
        // The kernel does not look for duplicates of IPv4 addresses; whoever creates one by this library does.
        planner.tell("dad_transmits", from, to, ipv4_dad_mechanism());
        planner.write(Turn::DuplicateDetection, Write::Ipv4Dad(Values { from, to }));
        return Ok(());
    };
    let mechanism = planner.sysctl_name("dad_transmits");
    planner.tell("dad_transmits", from, to, mechanism);
    let mut write = |file, from: i32, to: u32| {
        if i64::from(from) != i64::from(to) {
            let values = Values { from: i64::from(from), to: i64::from(to) };
            planner.write(Turn::DuplicateDetection, Write::Sysctl { file, values });
        }
    };
    write("dad_transmits", ipv6.dad_transmits, to);
    // Detection that is off as a whole sends nothing, so a count above 0 turns it on.
    if to > 0 && ipv6.accept_dad < 1 {
        write("accept_dad", ipv6.accept_dad, 1);
    }
    Ok(())
}
