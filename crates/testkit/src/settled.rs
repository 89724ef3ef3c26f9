//! What the kernel does by itself with interfaces that were just set up.

use crate::{eventually, run, set_sysctl};

/// Waits until the kernel has done all that it does by itself with these interfaces of this thread's namespace, which are
/// up and have IPv6: it knows the carrier, has made the link-local address, found no duplicate of any address, and made the
/// routes to them and to groups. Without duplicate address detection (`accept_dad`) that is a matter of milliseconds.
///
/// Who compares tables that were read one after the other calls it first, or the kernel changes them in between.
pub fn settled(interfaces: &[&str]) {
    for name in interfaces {
        eventually("the carrier is known", || run(&format!("ip link show dev {name}")).contains("state UP"));
        eventually("addresses are tried out", || {
            let shown = run(&format!("ip -6 address show dev {name}"));
            shown.contains("fe80::") && !shown.contains("tentative")
        });
        eventually("routes to them are there", || {
            let shown = run(&format!("ip -6 route show table local dev {name}"));
            shown.contains("local fe80::") && shown.contains("ff00::/8")
        });
    }
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
