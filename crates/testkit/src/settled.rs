//! What the kernel does by itself with interfaces that were just set up.

use crate::{eventually, run, set_sysctl};
use std::collections::BTreeSet;

/// Waits until the kernel has done all that it does by itself with these interfaces of this thread's namespace, which are
/// up and have IPv6: it knows the carrier, has made the link-local address, found no duplicate of any address, and made the
/// routes to them and to groups. Without duplicate address detection (`accept_dad`) that is a matter of milliseconds.
///
/// Who compares tables that were read one after the other calls it first, or the kernel changes them in between.
pub fn settled(interfaces: &[&str]) {
    links_settle(interfaces);
    addresses_settle(interfaces);
    for name in interfaces {
        eventually("the route to groups is there", || {
            run(&format!("ip -6 route show table local dev {name}")).contains("ff00::/8")
        });
    }
}

/// Waits until the kernel has seen that these interfaces of this thread's namespace have a carrier, and has told everybody.
/// It does both some time after the other end was switched on.
pub fn links_settle(interfaces: &[&str]) {
    for interface in interfaces {
        eventually("the link is up", || run(&format!("ip link show dev {interface}")).contains("state UP"));
    }
    let _ = run("ip link set lo up");
}

/// Waits until the kernel is through with the IPv6 addresses that these interfaces of this thread's namespace have, a
/// link-local one among them unless it makes none.
///
/// Work that it does later looks for duplicates, also where nobody is to be asked and of addresses with `nodad`. Only then
/// the host joins the group that questions for the address go to, has the route by which it takes packets for it, and
/// announces the address a second time.
pub fn addresses_settle(interfaces: &[&str]) {
    eventually("the IPv6 addresses are finished", || {
        let (links, shown) = (run("ip -d -o link show"), run("ip -6 -o addr show"));
        let routes = run("ip -6 -o route show table local type local");
        // "local ADDRESS dev NAME ..."
        let local: BTreeSet<_> =
            routes.lines().filter_map(|line| Some((word(line, 1)?, word(line, 3)?))).collect();
        interfaces.iter().all(|interface| {
            // "7: NAME@PEER: <FLAGS> ..."
            let is_it = |line: &&str| {
                let name = word(line, 1).unwrap_or_default().trim_end_matches(':');
                name.split('@').next() == Some(interface)
            };
            let link = links.lines().find(is_it).unwrap_or_default();
            let is_without = link.contains("LOOPBACK") || link.contains("addrgenmode none");
            let mut own: Vec<_> = shown.lines().filter(is_it).collect();
            let has_link_local = own.iter().any(|line| line.contains("inet6 fe80:"));
            own.retain(|line| !line.contains("dadfailed"));
            // "7: NAME inet6 ADDRESS/LENGTH scope ..."
            let is_finished = |line: &&str| {
                let address = word(line, 3).unwrap_or_default().split('/').next().unwrap_or_default();
                !line.contains("tentative") && local.contains(&(address, *interface))
            };
            (is_without || has_link_local) && own.iter().all(is_finished)
        })
    });
    // The work holds the lock that a change of a link waits for, until it has told everybody.
    let _ = run("ip link set lo up");
}

/// Waits until this thread's namespace has so many established ends of TCP connections.
///
/// `connect` returns when the answer is there. The last acknowledgement may still be on its way to the other end, whose
/// state and counters are others afterwards.
pub fn established(ends: usize) {
    eventually("the handshakes are done", || run("ss -Htn state established").lines().count() == ends);
}

/// Keeps the kernel from asking by itself for neighbours on this interface of this thread's namespace: what it has found
/// stays reachable for an hour, what it uses again without knowing that is not checked, and whoever is asked has half a
/// minute for an answer.
pub fn calm_neighbors(interface: &str) {
    for version in ["ipv4", "ipv6"] {
        for (file, value) in [
            ("base_reachable_time_ms", "7200000"),
            ("delay_first_probe_time", "3600"),
            ("retrans_time_ms", "10000"),
        ] {
            set_sysctl(&format!("{version}/neigh/{interface}/{file}"), value);
        }
    }
}

fn word(line: &str, at: usize) -> Option<&str> {
    line.split_whitespace().nth(at)
}
