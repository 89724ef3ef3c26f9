//! Two hosts on one link, for the tests of changes of IP interfaces.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper::ip_interface::{IpInterface, IpInterfaceChange, PropertyChange};
use iphelper::types::{Family, InterfaceIndex};
use iphelper::{Host, Result};
use iphelper_testkit::{NetNs, eventually, set_sysctl, sysctl};

/// A change of nothing, to be filled.
pub(crate) fn nothing() -> IpInterfaceChange {
    IpInterfaceChange::default()
}

/// This host with the interface `e0`, and another on the same link with `p0`.
pub(crate) struct Lan {
    pub(crate) near: NetNs,
    pub(crate) far: NetNs,
    pub(crate) host: Host,
    pub(crate) index: InterfaceIndex,
}

impl Lan {
    /// Link-local addresses are there at once; the other host answers no address conflict.
    pub(crate) fn new() -> Self {
        Self::with_interface("e0")
    }

    pub(crate) fn with_interface(name: &str) -> Self {
        let (near, far) = (NetNs::new(), NetNs::new());
        for host in [&near, &far] {
            host.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
            // The kernel repeats its solicitations at the link's start; no test is to take those for its own.
            host.run(|| set_sysctl("ipv6/conf/default/router_solicitation_interval", "600"));
        }
        near.veth(name, &far, "p0");
        let host = near.run(|| Host::open().expect("opening the host"));
        let index = index_of(&near, name);
        let lan = Self { near, far, host, index };
        for (host, name) in [(&lan.near, name), (&lan.far, "p0")] {
            eventually("a link-local address", || {
                let shown = host.sh(&format!("ip -6 address show dev {name}"));
                shown.contains("inet6 fe80::") && !shown.contains("tentative")
            });
        }
        lan
    }

    pub(crate) fn row(&self, family: Family) -> IpInterface {
        self.host.ip_interface(family, self.index).expect("reading the row")
    }

    pub(crate) fn set(&self, family: Family, change: &IpInterfaceChange) -> Result<Vec<PropertyChange>> {
        self.host.set_ip_interface(family, self.index, change)
    }

    pub(crate) fn plan(&self, family: Family, change: &IpInterfaceChange) -> Result<Vec<PropertyChange>> {
        self.host.plan_ip_interface(family, self.index, change)
    }

    /// A file below `/proc/sys/net` of this host.
    pub(crate) fn sysctl(&self, path: &str) -> String {
        self.near.run(|| sysctl(path))
    }

    pub(crate) fn set_sysctl(&self, path: &str, value: &str) {
        self.near.run(|| set_sysctl(path, value));
    }

    /// The words that `ip ntable` prints for `e0` in the table of one family.
    pub(crate) fn neighbor_table(&self, family: Family) -> Vec<String> {
        let name = if family == Family::V4 { "arp_cache" } else { "ndisc_cache" };
        let shown = self.near.sh(&format!("ip ntable show dev e0 name {name}"));
        shown.split_whitespace().map(str::to_owned).collect()
    }

    /// The number after a word of [`neighbor_table`](Self::neighbor_table).
    pub(crate) fn neighbor_time(&self, family: Family, word: &str) -> u64 {
        let words = self.neighbor_table(family);
        let position = words.iter().position(|it| it == word).expect("the word is in ip's answer");
        words[position + 1].parse().expect("a number follows")
    }

    /// The device's MTU as `ip` shows it.
    pub(crate) fn device_mtu(&self) -> u32 {
        let shown = self.near.sh("ip -o link show dev e0");
        let mut words = shown.split_whitespace().skip_while(|word| *word != "mtu");
        words.nth(1).expect("ip shows the MTU").parse().expect("an MTU is a number")
    }
}

/// The index of an interface as `ip` shows it.
pub(crate) fn index_of(host: &NetNs, name: &str) -> InterfaceIndex {
    let shown = host.run(|| {
        let output = std::process::Command::new("ip").args(["-o", "link", "show", "dev", name]).output();
        String::from_utf8(output.expect("running ip").stdout).expect("text")
    });
    InterfaceIndex(shown.split(':').next().expect("a first column").parse().expect("an index"))
}

/// What a change told, as `property: from -> to`.
pub(crate) fn told(changes: &[PropertyChange]) -> Vec<String> {
    changes.iter().map(|it| format!("{}: {} -> {}", it.property, it.from, it.to)).collect()
}
