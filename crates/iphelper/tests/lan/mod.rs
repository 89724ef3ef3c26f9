//! Two hosts on one link, for the tests of changes of IP interfaces.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::ip_interface::{IpInterface, IpInterfaceChange, PropertyChange};
use iphelper::types::{Family, InterfaceIndex};
use iphelper::{Error, ErrorKind, Host, Result};
use iphelper_testkit::{NetNs, set_sysctl, sysctl};
use std::time::Duration;

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
        near.addresses_settle(&[name]);
        far.addresses_settle(&["p0"]);
        Self { near, far, host, index }
    }

    pub(crate) fn row(&self, family: Family) -> IpInterface {
        self.host.ip_interface(family, self.index).expect("reading the row")
    }

    pub(crate) fn set(&self, family: Family, change: &IpInterfaceChange) -> Result<Vec<PropertyChange>> {
        self.host.set_ip_interface(family, self.index, change)
    }

    pub(crate) fn plan(&self, family: Family, change: &IpInterfaceChange) -> Result<Vec<PropertyChange>> {
        self.host.plan_set_ip_interface(family, self.index, change)
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

/// Asks for a change that must be refused, and checks that nothing of the rows or the kernel's settings moved.
pub(crate) fn refused(
    lan: &Lan,
    family: Family,
    change: &IpInterfaceChange,
    kind: ErrorKind,
    word: &str,
) -> Error {
    let state = || (lan.row(Family::V4), lan.row(Family::V6), all_sysctls(lan), lan.near.sh("ip -6 address"));
    let before = stable(state());
    let planned = lan.plan(family, change).expect_err("planning it");
    let error = lan.set(family, change).expect_err("setting it");
    assert_eq!(error.kind(), kind, "{change:?}: {error}");
    assert_eq!(planned.to_string(), error.to_string(), "plan and set refuse alike");
    assert!(error.to_string().contains(word), "{word} is not named: {error}");
    assert_eq!(stable(state()), before, "{change:?} moved something");
    error
}

/// The drawn reachable times change by themselves.
pub(crate) fn stable<A, B>(state: (IpInterface, IpInterface, A, B)) -> (IpInterface, IpInterface, A, B) {
    let (mut v4, mut v6, sysctls, addresses) = state;
    (v4.reachable_time, v6.reachable_time) = (Duration::ZERO, Duration::ZERO);
    (v4, v6, sysctls, addresses)
}

pub(crate) fn all_sysctls(lan: &Lan) -> String {
    lan.near.run(|| {
        ["ipv4", "ipv6"]
            .iter()
            .flat_map(|family| {
                let directory = format!("/proc/sys/net/{family}/conf/e0");
                let mut files: Vec<_> =
                    std::fs::read_dir(directory).unwrap().map(|it| it.unwrap().path()).collect();
                files.sort();
                files
            })
            .map(|file| format!("{}={}", file.display(), std::fs::read_to_string(&file).unwrap_or_default()))
            .collect()
    })
}

/// Each field of a row, to be set as it is.
pub(crate) fn as_it_is(row: &IpInterface) -> IpInterfaceChange {
    IpInterfaceChange {
        interface_identifier: Some(row.interface_identifier),
        advertising_enabled: Some(row.advertising_enabled),
        forwarding_enabled: Some(row.forwarding_enabled),
        weak_host_send: Some(row.weak_host_send),
        weak_host_receive: Some(row.weak_host_receive),
        use_automatic_metric: Some(row.use_automatic_metric),
        use_neighbor_unreachability_detection: Some(row.use_neighbor_unreachability_detection),
        managed_address_configuration_supported: row.managed_address_configuration_supported,
        other_stateful_configuration_supported: row.other_stateful_configuration_supported,
        advertise_default_route: Some(row.advertise_default_route),
        router_discovery_behavior: Some(row.router_discovery_behavior),
        dad_transmits: Some(row.dad_transmits),
        base_reachable_time: Some(row.base_reachable_time),
        retransmit_time: Some(row.retransmit_time),
        path_mtu_discovery_timeout: row.path_mtu_discovery_timeout,
        link_local_address_behavior: Some(row.link_local_address_behavior),
        link_local_address_timeout: Some(row.link_local_address_timeout),
        zone_indices: row.zone_indices.map(Some),
        site_prefix_length: Some(row.site_prefix_length),
        metric: Some(row.metric),
        nl_mtu: Some(row.nl_mtu),
        disable_default_routes: Some(row.disable_default_routes),
        min_router_advertisement_interval: row.min_router_advertisement_interval,
        max_router_advertisement_interval: row.max_router_advertisement_interval,
    }
}
