//! Disabling default routes on a host with two uplinks, and what each kind of socket gets then.
#![allow(dead_code, reason = "each test program uses its part")]

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{Family, Host, InterfaceIndex, Result};
use iphelper_testkit::run;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};

pub(crate) const E0: InterfaceIndex = InterfaceIndex(2);
pub(crate) const E1: InterfaceIndex = InterfaceIndex(3);
pub(crate) const EPERM: i32 = 1;
pub(crate) const ENETUNREACH: i32 = 101;
pub(crate) const EHOSTUNREACH: i32 = 113;

pub(crate) fn disable(family: Family, index: InterfaceIndex, disabled: bool) -> Result<()> {
    let change = IpInterfaceChange { disable_default_routes: Some(disabled), ..Default::default() };
    Host::open()?.set_ip_interface(family, index, &change).map(drop)
}

pub(crate) fn is_disabled(family: Family, index: InterfaceIndex) -> bool {
    let row = Host::open().expect("a host").ip_interface(family, index).expect("a row");
    row.disable_default_routes
}

pub(crate) fn is_v6(family: Family) -> bool {
    family == Family::V6
}

/// Everything of the namespace that the guard must leave as it was.
pub(crate) fn everything() -> String {
    [
        "ip -4 rule",
        "ip -6 rule",
        "ip -4 route show table all",
        "ip -6 route show table all",
        "nft list ruleset",
        "ip -details -4 address",
    ]
    .map(run)
    .concat()
}

pub(crate) fn assert_unchanged(before: &str, after: &str) {
    let only_in = |one: &str, other: &str| -> Vec<String> {
        one.lines().filter(|line| !other.lines().any(|it| it == *line)).map(str::to_owned).collect()
    };
    assert_eq!((only_in(before, after), only_in(after, before)), (vec![], vec![]), "gone, and new");
}

/// What each kind of socket gets while e0 is disabled.
pub(crate) fn expected(ipv6: bool) -> Vec<(&'static str, Bound<'static>, Way, Option<Way>)> {
    let refused_at_connect = Way::Refused(ENETUNREACH);
    vec![
        ("unbound", Bound::Free, Way::E1, Some(Way::E1)),
        (
            "bound to the device",
            Bound::Device("e0"),
            // IPv4 takes the destination for a neighbour where a bound socket has no route; the filter stops it.
            Way::Refused(if ipv6 { ENETUNREACH } else { EPERM }),
            Some(refused_at_connect),
        ),
        (
            "sending by the device",
            Bound::UnicastInterface(E0.0),
            Way::Refused(if ipv6 { ENETUNREACH } else { EPERM }),
            // TCP does not heed the option.
            Some(Way::E1),
        ),
        ("bound to its address", Bound::Address(Uplinks::address(0, ipv6)), Way::E1, Some(Way::E1)),
        ("bound to the other device", Bound::Device("e1"), Way::E1, Some(Way::E1)),
        ("bound to the other address", Bound::Address(Uplinks::address(1, ipv6)), Way::E1, Some(Way::E1)),
    ]
}

pub(crate) fn assert_guarded(uplinks: &Uplinks, family: Family, situation: &str) {
    let ipv6 = is_v6(family);
    for (socket, bound, udp, tcp) in expected(ipv6) {
        assert_eq!(uplinks.udp(ipv6, bound), udp, "{family} UDP, {socket}, {situation}");
        if let Some(tcp) = tcp {
            assert_eq!(uplinks.tcp(ipv6, bound), tcp, "{family} TCP, {socket}, {situation}");
        }
    }
}
