//! Unicast, anycast and multicast addresses as they are read, compared with `ip -json`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::address::{DadState, Lifetime, PrefixOrigin, SuffixOrigin, UnicastAddress};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{
    Advertisement, NetNs, addresses_settle, eventually, isolated, run, set_sysctl, unprivileged,
};
use serde_json::Value;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn json(command: &str) -> Vec<Value> {
    let text = run(command);
    serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap().clone()
}

/// Interface, address, prefix length and lifetimes as `ip` shows them, in the order of interfaces.
fn shown(family: Family) -> Vec<(u64, String, u64, u64, u64)> {
    let digit = if family == Family::V4 { 4 } else { 6 };
    let mut rows = Vec::new();
    for link in json(&format!("ip -{digit} -json addr show")) {
        for address in link["addr_info"].as_array().into_iter().flatten() {
            let number = |name: &str| address[name].as_u64().unwrap();
            let local = address["local"].as_str().unwrap().to_owned();
            let lifetimes = (number("valid_life_time"), number("preferred_life_time"));
            rows.push((
                link["ifindex"].as_u64().unwrap(),
                local,
                number("prefixlen"),
                lifetimes.0,
                lifetimes.1,
            ));
        }
    }
    rows
}

fn row(host: &Host, name: &str, address: &str) -> UnicastAddress {
    let index = host.interface_named(name).unwrap().index;
    host.unicast_address(index, ip(address)).unwrap_or_else(|error| panic!("{address}: {error}"))
}

fn origins(row: &UnicastAddress) -> (PrefixOrigin, SuffixOrigin) {
    (row.prefix_origin, row.suffix_origin)
}

const MANUAL: (PrefixOrigin, SuffixOrigin) = (PrefixOrigin::Manual, SuffixOrigin::Manual);

#[test]
fn tables_are_what_ip_shows() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        for name in ["e0", "e1"] {
            set_sysctl(&format!("ipv6/conf/{name}/accept_dad"), "0");
            let _ = run(&format!("ip link set {name} up"));
        }
        for address in
            ["192.0.2.1/24", "192.0.2.2/24", "198.51.100.1/31", "2001:db8::1/64", "2001:db8::2/128"]
        {
            let _ = run(&format!("ip addr add {address} dev e0"));
        }
        let _ = run("ip addr add 192.0.2.9 peer 192.0.2.10 dev e1");
        let _ = run("ip addr add 10.0.0.1/8 dev e1 valid_lft 100000 preferred_lft 50000");
        addresses_settle(&["e0", "e1"]);
        let host = Host::open().unwrap();
        let near = |a: u64, b: u64| a.abs_diff(b) <= 600;
        for family in Family::ALL {
            let rows = host.unicast_addresses(Some(family)).unwrap();
            let shown = shown(family);
            assert_eq!(rows.len(), shown.len(), "{rows:#?}\n{shown:#?}");
            for (row, (index, address, length, valid, preferred)) in rows.iter().zip(shown) {
                assert_eq!((u64::from(row.index.0), row.address), (index, ip(&address)));
                assert_eq!(u64::from(row.on_link_prefix_length), length, "{address}");
                let lifetimes =
                    [row.valid_lifetime, row.preferred_lifetime].map(|it| u64::from(it.as_secs()));
                assert!(
                    near(lifetimes[0], valid) && near(lifetimes[1], preferred),
                    "{address}: {lifetimes:?}"
                );
                let names = host.interface_names(row.index).unwrap();
                assert_eq!((row.luid, &row.name), (names.luid, &names.name));
                // The same row by each key.
                let again = host.unicast_address(row.luid, row.address).unwrap();
                assert_eq!(
                    (again.created, again.address, again.index),
                    (row.created, row.address, row.index)
                );
                assert_eq!(host.unicast_address(row.index, row.address).unwrap().luid, row.luid);
            }
        }
        let both = host.unicast_addresses(None).unwrap().len();
        let each = Family::ALL.map(|family| host.unicast_addresses(Some(family)).unwrap().len());
        assert_eq!(both, each[0] + each[1]);
    });
}

#[test]
fn origins_are_told_by_who_made_the_address() {
    let (ours, router) = (NetNs::new(), NetNs::new());
    ours.veth("e0", &router, "e1");
    ours.run(|| {
        let _ = run("ip addr add 192.0.2.1/24 dev e0");
        let _ = run("ip addr add 192.0.2.2/24 dev e0 valid_lft 1000 preferred_lft 1000");
        let _ = run("ip addr add 169.254.3.4/16 dev e0 scope link");
        let _ = run("ip addr add 169.254.3.5/16 dev e0 scope link valid_lft 1000 preferred_lft 1000");
        let _ = run("ip -6 addr add 2001:db8::1/64 dev e0 nodad");
        let _ = run(
            "ip -6 addr add 2001:db8::2/128 dev e0 nodad noprefixroute valid_lft 1000 preferred_lft 1000",
        );
        let _ = run("ip -6 addr add fe80::7/64 dev e0 nodad");
        eventually("the kernel's link-local address", || {
            run("ip -6 -json addr show dev e0 scope link").matches("fe80::").count() == 2
        });
        let host = Host::open().unwrap();
        let of = |address| origins(&row(&host, "e0", address));
        let dhcp = (PrefixOrigin::Dhcp, SuffixOrigin::Dhcp);
        assert_eq!(of("192.0.2.1"), MANUAL);
        assert_eq!(of("192.0.2.2"), dhcp);
        assert_eq!(of("169.254.3.4"), (PrefixOrigin::WellKnown, SuffixOrigin::Random));
        assert_eq!(of("169.254.3.5"), (PrefixOrigin::WellKnown, SuffixOrigin::Random));
        assert_eq!(of("2001:db8::1"), MANUAL);
        assert_eq!(of("2001:db8::2"), dhcp);
        assert_eq!(of("fe80::7"), MANUAL);
        let well_known = (PrefixOrigin::WellKnown, SuffixOrigin::WellKnown);
        assert_eq!(origins(&row(&host, "lo", "127.0.0.1")), well_known);
        assert_eq!(origins(&row(&host, "lo", "::1")), well_known);
        let made = host.unicast_addresses(Some(Family::V6)).unwrap();
        let made = made.iter().find(|row| row.suffix_origin == SuffixOrigin::LinkLayerAddress).unwrap();
        assert_eq!(made.prefix_origin, PrefixOrigin::WellKnown, "{made:?}");
        assert_eq!(made.scope_id, made.index.0);
    });
}

#[test]
fn an_advertised_address_is_the_routers_and_random_or_by_the_hardware() {
    for (mode, suffix) in [("0", SuffixOrigin::LinkLayerAddress), ("3", SuffixOrigin::Random)] {
        let (ours, router) = (NetNs::new(), NetNs::new());
        ours.run(|| {
            set_sysctl("ipv6/conf/default/addr_gen_mode", mode);
            set_sysctl("ipv6/conf/default/use_tempaddr", "2");
            set_sysctl("ipv6/conf/default/accept_dad", "0");
        });
        router.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
        ours.veth("e0", &router, "e1");
        let advertisement = Advertisement {
            router_lifetime: 1800,
            prefix: "2001:db8:1::".parse().unwrap(),
            route: None,
            managed: false,
            other_configuration: false,
        };
        router.addresses_settle(&["e1"]);
        eventually("an address by the advertisement", || {
            router.run(|| advertisement.send("e1"));
            ours.run(|| run("ip -6 addr show dev e0 scope global").matches("dynamic").count() >= 2)
        });
        ours.run(|| {
            let host = Host::open().unwrap();
            let mut rows = host.unicast_addresses(Some(Family::V6)).unwrap();
            rows.retain(|row| row.prefix_origin == PrefixOrigin::RouterAdvertisement);
            let temporary = run("ip -6 addr show dev e0 temporary");
            let (temporary, others): (Vec<_>, Vec<_>) =
                rows.iter().partition(|row| temporary.contains(&row.address.to_string()));
            assert!(!temporary.is_empty() && !others.is_empty(), "{rows:#?}");
            assert!(temporary.iter().all(|row| row.suffix_origin == SuffixOrigin::Random), "{temporary:#?}");
            assert!(others.iter().all(|row| row.suffix_origin == suffix), "{others:#?}");
            assert!(rows.iter().all(|row| row.valid_lifetime < Lifetime::INFINITE), "{rows:#?}");
        });
    }
}

#[test]
fn states_follow_the_kernel() {
    let (ours, peer) = (NetNs::new(), NetNs::new());
    ours.veth("e0", &peer, "e1");
    let _ = peer.sh("ip -6 addr add 2001:db8::5/64 dev e1 nodad");
    ours.run(|| {
        let host = Host::open().unwrap();
        let state = |address| row(&host, "e0", address).dad_state;
        let _ = run("ip addr add 192.0.2.1/24 dev e0");
        let _ = run("ip addr add 192.0.2.2/24 dev e0 preferred_lft 0");
        assert_eq!((state("192.0.2.1"), state("192.0.2.2")), (DadState::Preferred, DadState::Deprecated));
        let _ = run("ip -6 addr add 2001:db8::1/64 dev e0 nodad");
        let _ = run("ip -6 addr add 2001:db8::2/64 dev e0 nodad preferred_lft 0");
        assert_eq!((state("2001:db8::1"), state("2001:db8::2")), (DadState::Preferred, DadState::Deprecated));
        assert!(!row(&host, "e0", "2001:db8::2").skip_as_source, "somebody's own deprecated address");
        set_sysctl("ipv6/conf/e0/dad_transmits", "100");
        let _ = run("ip -6 addr add 2001:db8::3/64 dev e0");
        assert_eq!(state("2001:db8::3"), DadState::Tentative);
        let _ = run("ip -6 addr add 2001:db8::5/64 dev e0");
        eventually("the duplicate is found", || state("2001:db8::5") == DadState::Duplicate);
    });
}

#[test]
fn the_time_of_making_is_the_time_of_day() {
    isolated(|| {
        let before = SystemTime::now();
        let _ = run("ip addr add 192.0.2.1/24 dev lo");
        let after = SystemTime::now();
        let host = Host::open().unwrap();
        let made = row(&host, "lo", "192.0.2.1").created.unwrap();
        // The kernel counts jiffies, which began some time after the clock did.
        let slack = Duration::from_secs(2);
        let time = made.system_time();
        assert!(before - slack <= time && time <= after + slack, "{before:?} {time:?} {after:?}");
        // A change is no making.
        let _ = run("ip addr change 192.0.2.1/24 dev lo valid_lft 1000 preferred_lft 500");
        assert_eq!(row(&host, "lo", "192.0.2.1").created, Some(made));
    });
}

#[test]
fn groups_are_what_ip_shows() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        for name in ["e0", "e1"] {
            set_sysctl(&format!("ipv6/conf/{name}/accept_dad"), "0");
            let _ = run(&format!("ip link set {name} up"));
        }
        // An interface is in the group of a link-local address some time after it came up.
        addresses_settle(&["e0", "e1"]);
        let _ = run("ip addr add 192.0.2.1/24 dev e0");
        let _ = run("ip addr add 239.1.2.3/32 dev e0 autojoin");
        let host = Host::open().unwrap();
        for (family, digit, name) in [(Family::V4, 4, "inet"), (Family::V6, 6, "inet6")] {
            let mut shown = Vec::new();
            for link in json(&format!("ip -{digit} -json maddr show")) {
                for group in link["maddr"].as_array().unwrap() {
                    if group["family"] == name {
                        let address = ip(group["address"].as_str().unwrap());
                        shown.push((link["ifindex"].as_u64().unwrap(), address));
                    }
                }
            }
            shown.sort_unstable();
            let rows = host.multicast_addresses(Some(family)).unwrap();
            let mut ours: Vec<_> = rows.iter().map(|row| (u64::from(row.index.0), row.address)).collect();
            assert!(ours.is_sorted_by_key(|row| row.0), "{ours:?}");
            ours.sort_unstable();
            assert_eq!(ours, shown);
            for row in rows {
                assert_eq!(host.multicast_address(row.luid, row.address).unwrap(), row);
            }
        }
        let e0 = host.interface_named("e0").unwrap();
        let all_nodes = host.multicast_address(e0.index, ip("ff02::1")).unwrap();
        assert_eq!((all_nodes.scope_id, all_nodes.luid), (e0.index.0, e0.luid));
    });
}

#[test]
fn anycast_addresses_are_those_of_routers_and_programs() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        set_sysctl("ipv6/conf/e0/accept_dad", "0");
        set_sysctl("ipv6/conf/e0/addr_gen_mode", "1");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = run("ip -6 addr add 2001:db8:1::1/64 dev e0");
        let host = Host::open().unwrap();
        let e0 = host.interface_named("e0").unwrap();
        let router = ip("2001:db8:1::");
        assert_eq!(host.anycast_address(e0.index, router).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(host.anycast_addresses(Some(Family::V4)).unwrap().is_empty());
        set_sysctl("ipv6/conf/e0/forwarding", "1");
        // As the kernel's own file tells it.
        let file = || std::fs::read_to_string("/proc/thread-self/net/anycast6").unwrap();
        eventually("the router answers to its subnet's address", || {
            file().contains("20010db8000100000000000000000000")
        });
        let found = host.anycast_address(e0.luid, router).unwrap();
        assert_eq!((found.name.as_str(), found.scope_id), ("e0", 0));
        eventually("all of the file are rows", || {
            host.anycast_addresses(None).unwrap().len() == file().lines().count()
        });
        let rows = host.anycast_addresses(None).unwrap();
        assert!(rows.contains(&found));
    });
}

#[test]
fn what_is_not_there_is_refused_by_kind() {
    isolated(|| {
        let host = Host::open().unwrap();
        let lo = host.interface_named("lo").unwrap();
        let kind = |error: iphelper::Error| error.kind();
        let nowhere = (InterfaceIndex(77), InterfaceLuid(77));
        for address in ["10.0.0.1", "2001:db8::1"].map(ip) {
            assert_eq!(
                kind(host.unicast_address(nowhere.0, address).unwrap_err()),
                ErrorKind::InterfaceNotFound
            );
            assert_eq!(
                kind(host.unicast_address(nowhere.1, address).unwrap_err()),
                ErrorKind::InterfaceNotFound
            );
            assert_eq!(kind(host.unicast_address(lo.index, address).unwrap_err()), ErrorKind::NotFound);
            assert_eq!(kind(host.anycast_address(lo.index, address).unwrap_err()), ErrorKind::NotFound);
            assert_eq!(
                kind(host.multicast_address(lo.index, address).unwrap_err()),
                ErrorKind::InvalidParameter
            );
        }
        for group in ["224.9.9.9", "ff02::9999"].map(ip) {
            assert_eq!(kind(host.unicast_address(lo.index, group).unwrap_err()), ErrorKind::InvalidParameter);
            assert_eq!(kind(host.anycast_address(lo.index, group).unwrap_err()), ErrorKind::InvalidParameter);
            assert_eq!(kind(host.multicast_address(lo.index, group).unwrap_err()), ErrorKind::NotFound);
            assert_eq!(
                kind(host.multicast_address(nowhere.0, group).unwrap_err()),
                ErrorKind::InterfaceNotFound
            );
        }
        // IPv6 that is switched off on an interface is not there, and IPv4 does not care.
        set_sysctl("ipv6/conf/lo/disable_ipv6", "1");
        let error = host.unicast_address(lo.index, ip("::1")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("disable_ipv6"), "{error}");
        assert!(host.unicast_address(lo.index, ip("127.0.0.1")).is_ok());
        assert!(host.unicast_addresses(Some(Family::V6)).unwrap().is_empty());
    });
}

#[test]
fn reads_need_no_privilege() {
    isolated(|| {
        let all = Host::open().unwrap();
        let expected = (all.unicast_addresses(None).unwrap(), all.multicast_addresses(None).unwrap());
        let host = unprivileged(|| {
            let host = Host::open().unwrap();
            (host.unicast_addresses(None).unwrap(), host.multicast_addresses(None).unwrap())
        });
        assert_eq!(host, expected);
    });
}
