//! What our objects in the kernel are called. All of it is fixed: other versions of this library, the files for
//! iproute2 in `packaging/iproute2` and administrators know our objects by it.

use crate::types::Family;
use iphelper_netlink::rtnetlink::route::Route;

/// Who made our routes and rules (`RTPROT_*`). iproute2, FRRouting, BIRD, Calico and Tailscale use other numbers.
pub(in crate::backend::linux) const PROTOCOL: u8 = 105;

/// Our tables have numbers from here on, "iph" and one byte; those of one interface apart.
const TABLES: u32 = 0x6970_6800;

/// The table of the default routes that are allowed.
pub(in crate::backend::linux) const DEFAULTS_TABLE: u32 = TABLES + 1;

/// The table of device-less routes that tell everybody, and also us, which properties rules and filters hold.
pub(super) const STATE_TABLE: u32 = TABLES + 2;

/// Which interface has which metric or IPv4 MTU by hand, see [`marker`](super::marker).
pub(super) const MARKERS: u32 = TABLES + 0x10;
/// Where IPv4 routes stand since they were moved, see [`moved`](super::metric).
pub(super) const MOVED_IPV4_ROUTES: u32 = TABLES + 0x11;
/// Where IPv6 routes stand since they were moved.
pub(super) const MOVED_IPV6_ROUTES: u32 = TABLES + 0x12;
/// Where the prefixes of IPv4 addresses stand since they were moved.
pub(super) const MOVED_IPV4_PREFIXES: u32 = TABLES + 0x13;
/// Where the prefixes of IPv6 addresses stand since they were moved.
pub(super) const MOVED_IPV6_PREFIXES: u32 = TABLES + 0x14;

/// Where IPv6 routes that were made for callers stand behind others of their metric, see [`shifted`](super::metric).
pub(super) const SHIFTED_ROUTES: u32 = TABLES + 0x17;

/// Which MTU IPv4 routes had before theirs was lowered.
pub(super) const LOWERED_ROUTES: u32 = TABLES + 0x15;

/// What this host was like before a program made it an IPv4 router, see [`router`](super::router).
pub(super) const ROUTER: u32 = TABLES + 0x16;

/// IPv4 addresses that are looked for on the link before they are taken, and those that another computer has.
pub(super) const DETECTIONS: u32 = TABLES + 0x18;

/// Which of several IPv4 routes of one place stood first before one of them was moved, see [`order`](super::metric).
pub(super) const ORDER: u32 = TABLES + 0x19;

/// The number of a marker about how many probes look for duplicates of an IPv4 address.
pub(super) const IPV4_DAD: u32 = 403;

/// The number of a marker about an IPv4 MTU.
pub(super) const IPV4_MTU: u32 = 402;

/// The number of the marker about the sysctl that makes every interface forward IPv6.
pub(super) const IPV6_FORWARDING: u32 = 602;

/// The number of a marker about an interface that is an IPv6 router, and shall stay one.
pub(super) const IPV6_ROUTER: u32 = 603;

/// The number of a marker about an interface whose `optimistic_dad` somebody has raised for a moment.
pub(super) const OPTIMISTIC_DETECTION: u32 = 604;

/// The number of a note that the file with the copy of the state is older than the state.
pub(super) const OUT_OF_DATE: u32 = 999;

/// The number of a marker about an interface metric.
pub(super) const fn metric_of(family: Family) -> u32 {
    match family {
        Family::V4 => 401,
        Family::V6 => 601,
    }
}

/// The number of a marker about the metric to which an interface is on its way round others.
pub(super) const fn round_of(family: Family) -> u32 {
    match family {
        Family::V4 => 405,
        Family::V6 => 605,
    }
}

/// The table of the routes over one interface: this and its index, which has 31 bits.
pub(in crate::backend::linux) const INTERFACE_TABLES: u32 = 0x8000_0000;

/// The table of device-less routes that tell what is advertised on which interface.
pub(super) const ADVERTISING_TABLE: u32 = 0x6970_6820;

/// The tables whose routes, all of IPv4 and without device, remember what is set.
pub(super) const STATE_TABLES: [u32; 9] = [
    STATE_TABLE,
    MARKERS,
    MOVED_IPV4_ROUTES,
    MOVED_IPV6_ROUTES,
    MOVED_IPV4_PREFIXES,
    MOVED_IPV6_PREFIXES,
    LOWERED_ROUTES,
    ORDER,
    ADVERTISING_TABLE,
];

/// The priority of all our rules. The kernel gives a rule without priority the number before the first one that is
/// there, so that `wg-quick` lands before ours when it starts later, and stays before ours when it was there first.
pub(super) const RULE_PRIORITY: u32 = 32765;

/// A mark that no packet should have.
///
/// The rule that skips default routes says "unless marked so", which is always. Without that it would read like the rule
/// that `wg-quick down` removes in a loop until `ip rule` shows none of its kind. A packet which does have the mark
/// misses the prefixes of the main table, and so uses an allowed default route or none.
pub(super) const UNUSED_MARK: u32 = 0x6970_6800;

/// The kernel's main routing table (`RT_TABLE_MAIN`).
pub(in crate::backend::linux) const MAIN_TABLE: u32 = 254;

/// The table of local addresses (`RT_TABLE_LOCAL`), which the kernel keeps.
pub(in crate::backend::linux) const LOCAL_TABLE: u32 = 255;

/// Whether a table is one of those that our rules look up.
pub(super) const fn is_selection(table: u32) -> bool {
    table == DEFAULTS_TABLE || table >= INTERFACE_TABLES
}

/// Whether a route tells what policy there is, or what it has changed: in one of our tables, and not to be looked up.
pub(in crate::backend::linux) const fn is_state(table: u32, protocol: u8) -> bool {
    protocol == PROTOCOL && table & !0xff == TABLES && table != DEFAULTS_TABLE
}

/// Whether a route is one of ours: an original of somebody else's never is, whatever its table.
pub(crate) const fn is_ours(table: u32, protocol: u8) -> bool {
    protocol == PROTOCOL && is_our_table(table)
}

/// Whether a table is kept for what is ours.
pub(in crate::backend::linux) const fn is_our_table(table: u32) -> bool {
    table & !0xff == TABLES || is_selection(table)
}

/// Whether a route is a copy of one of the main table, for our rules to look up.
pub(in crate::backend::linux) fn is_copy(route: &Route) -> bool {
    is_selection(route.table) && is_ours(route.table, route.protocol)
}

/// The packet filter's table, of the `inet` family.
pub(in crate::backend::linux) const FILTER_TABLE: &str = "iphelper";

/// The table that one caller at a time can make, and that vanishes with its socket.
pub(super) const LOCK_TABLE: &str = "iphelper-lock";

/// The table that the keeper of a namespace owns, and that vanishes with it.
pub(super) const KEEPER_TABLE: &str = "iphelper-keeper";

/// The tables of programs that made this host an IPv4 router begin so. Each vanishes with its program.
pub(in crate::backend::linux) const ROUTER_TABLES: &str = "iphelper-router-";

/// The family in the names of sets and chains.
pub(super) const fn digit(family: Family) -> char {
    match family {
        Family::V4 => '4',
        Family::V6 => '6',
    }
}

/// Length of an address in octets.
pub(super) const fn address_len(family: Family) -> usize {
    match family {
        Family::V4 => 4,
        Family::V6 => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_marker_has_a_number_of_its_own() {
        let families = Family::ALL.into_iter();
        let mut numbers: Vec<u32> =
            families.flat_map(|family| [metric_of(family), round_of(family)]).collect();
        numbers.extend([IPV4_DAD, IPV4_MTU, IPV6_FORWARDING, IPV6_ROUTER, OPTIMISTIC_DETECTION, OUT_OF_DATE]);
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len(), "{numbers:?}");
    }
}
