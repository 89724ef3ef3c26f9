//! What other programs change is reported: soon where the kernel announces it, later where it does not.

use crate::support::{expect, expect_at_once, next_within, settle};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::notification::ChangeKind::{Add, Delete, Parameter};
use iphelper::{Family, Family::V4, Family::V6, Host};
use iphelper_testkit::{
    NetNs, PATIENCE, addresses_settle, forked, isolated, links_settle, run, set_sysctl, try_run,
};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A pair of connected interfaces, in the thread's namespace, which change no more by themselves.
fn pair(name: &str, peer: &str) {
    let _ = run(&format!("ip link add {name} type veth peer name {peer}"));
    for end in [name, peer] {
        set_sysctl(&format!("ipv6/conf/{end}/dad_transmits"), "0");
        let _ = run(&format!("ip link set {end} up"));
    }
    links_settle(&[name, peer]);
    addresses_settle(&[name, peer]);
}

#[test]
fn what_the_kernel_announces_is_reported_soon() {
    isolated(|| {
        pair("e0", "e1");
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        let mut steps = |commands: [&str; 2], wanted: &[(_, Family, &'static str)]| {
            let step = |turn: usize| match commands[turn].split_once('=') {
                Some((path, value)) if path.starts_with("ipv") => set_sysctl(path, value),
                _ => drop(run(commands[turn])),
            };
            expect_at_once(commands[0], &mut changes, step, |_| wanted.to_vec());
        };
        let (v4, v6) = ((Parameter, V4, "e0"), (Parameter, V6, "e0"));
        steps(["ip link set e0 mtu 1400", "ip link set e0 mtu 1450"], &[v4, v6]);
        steps(["ipv4/conf/e0/forwarding=1", "ipv4/conf/e0/forwarding=0"], &[v4]);
        let both = [v4, (Parameter, V4, "e1")];
        steps(["ipv4/conf/all/forwarding=1", "ipv4/conf/all/forwarding=0"], &both);
        steps(["ipv6/neigh/e0/retrans_time_ms=300", "ipv6/neigh/e0/retrans_time_ms=400"], &[v6]);
        steps(["ip token set ::aa dev e0", "ip token set ::bb dev e0"], &[v6]);
        if std::path::Path::new("/proc/sys/net/ipv6/conf/e0/force_forwarding").exists() {
            steps(["ipv6/conf/e0/force_forwarding=1", "ipv6/conf/e0/force_forwarding=0"], &[v6]);
        } else {
            eprintln!("skipped: this kernel has no force_forwarding (Linux 6.17)");
        }
        let both = [v6, (Parameter, V6, "e1")];
        steps(["ipv6/conf/all/forwarding=1", "ipv6/conf/all/forwarding=0"], &both);
        steps(["ethtool -K e0 tx off", "ethtool -K e0 tx on"], &[v4, v6]);
        steps(["ip link set e1 down", "ip link set e1 up"], &[v4, v6]);
        let names = ["e8", "e9"];
        let rename = |turn: usize| {
            let from =
                if std::fs::exists("/proc/sys/net/ipv4/conf/e0").unwrap() { "e0" } else { names[1 - turn] };
            drop(run(&format!("ip link set {from} name {}", names[turn])));
        };
        expect_at_once("a name", &mut changes, rename, |turn| {
            vec![(Parameter, V4, names[turn]), (Parameter, V6, names[turn])]
        });
    });
}

#[test]
fn what_the_kernel_does_not_announce_is_reported_later() {
    isolated(|| {
        // One interface for each, so that one wait does for all of them.
        type Write = fn(&str);
        let writes: [(&str, Family, Write); 11] = [
            ("dad_transmits", V6, |e| set_sysctl(&format!("ipv6/conf/{e}/dad_transmits"), "3")),
            ("accept_ra", V6, |e| set_sysctl(&format!("ipv6/conf/{e}/accept_ra"), "0")),
            ("conf6 mtu", V6, |e| set_sysctl(&format!("ipv6/conf/{e}/mtu"), "1300")),
            ("addr_gen_mode", V6, |e| set_sysctl(&format!("ipv6/conf/{e}/addr_gen_mode"), "1")),
            ("base4", V4, |e| set_sysctl(&format!("ipv4/neigh/{e}/base_reachable_time_ms"), "20000")),
            ("base6", V6, |e| set_sysctl(&format!("ipv6/neigh/{e}/base_reachable_time_ms"), "20000")),
            ("retrans4", V4, |e| set_sysctl(&format!("ipv4/neigh/{e}/retrans_time_ms"), "400")),
            ("delay4", V4, |e| set_sysctl(&format!("ipv4/neigh/{e}/delay_first_probe_time"), "2000000")),
            ("ntable4", V4, |e| {
                drop(run(&format!("ip ntable change name arp_cache dev {e} base_reachable 20000")))
            }),
            ("ntable6", V6, |e| drop(run(&format!("ip ntable change name ndisc_cache dev {e} retrans 400")))),
            ("disable_ipv6", V6, |e| set_sysctl(&format!("ipv6/conf/{e}/disable_ipv6"), "1")),
        ];
        for number in 0..writes.len() {
            let _ = run(&format!("ip link add e{number} type veth peer name p{number}"));
        }
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        let mut missing = BTreeSet::new();
        for (number, (what, family, write)) in writes.iter().enumerate() {
            let name = format!("e{number}");
            write(&name);
            let kind = if *what == "disable_ipv6" { Delete } else { Parameter };
            let _ = missing.insert((name, *family, format!("{kind:?}"), *what));
        }
        let deadline = Instant::now() + PATIENCE;
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(change) = next_within(&mut changes, left) else { panic!("not reported: {missing:?}") };
            let kind = format!("{:?}", change.kind);
            missing.retain(|(name, family, wanted, _)| {
                (name, family, wanted) != (&change.name, &change.family, &kind)
            });
            assert!(!change.resynchronised);
        }
        assert_eq!(settle(&mut changes), [], "reported twice, or something that nobody changed");
    });
}

#[test]
fn how_long_a_path_mtu_is_kept_belongs_to_all_rows_of_a_family() {
    isolated(|| {
        pair("e0", "e1");
        let mut changes = Host::open().unwrap().ip_interface_changes(Some(V4)).unwrap();
        let _ = settle(&mut changes);
        set_sysctl("ipv4/route/mtu_expires", "500");
        let names = ["lo", "e1", "e0"].map(|name| (Parameter, V4, name));
        expect("mtu_expires", &mut changes, &names);
    });
}

#[test]
fn a_speed_is_announced_by_ethtool_alone() {
    isolated(|| {
        // A TAP interface is the one virtual kind whose speed can be set.
        if let Err(error) = try_run("ip tuntap add tap0 mode tap") {
            eprintln!("skipped: no TAP interface here: {error}");
            return;
        }
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        let set = |turn: usize| {
            drop(run(&format!("ethtool -s tap0 speed {} duplex full", [1000, 100][turn])));
        };
        expect_at_once("ethtool -s", &mut changes, set, |_| {
            vec![(Parameter, V4, "tap0"), (Parameter, V6, "tap0")]
        });
    });
}

#[test]
fn what_this_process_changes_is_reported_at_once() {
    isolated(|| {
        pair("live", "e1");
        let _ = run("ip link add dead type veth peer name e2");
        let host = Host::open().unwrap();
        let mut changes = host.ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        for (position, name) in ["live", "dead"].into_iter().enumerate() {
            let index = host.interface_named(name).unwrap().index;
            let set = |family, change| {
                assert_eq!(host.set_ip_interface(family, index, &change).unwrap().len(), 1);
            };
            let probes = |turn: usize| {
                let count = [5, 6][turn];
                set(V6, IpInterfaceChange { dad_transmits: Some(count), ..Default::default() });
            };
            expect_at_once(name, &mut changes, probes, |_| vec![(Parameter, V6, name)]);
            let times = [Duration::from_millis(2500), Duration::from_millis(5000)];
            let reachable = |turn: usize| {
                set(V4, IpInterfaceChange { base_reachable_time: Some(times[turn]), ..Default::default() });
            };
            expect_at_once(name, &mut changes, reachable, |_| vec![(Parameter, V4, name)]);
            let both = |turn: usize| {
                let silent = IpInterfaceChange { retransmit_time: Some(times[turn]), ..Default::default() };
                let [of_v4, of_v6] = host.set_ip_interface_families(index, &silent, &silent).unwrap();
                assert_eq!((of_v4.len(), of_v6.len()), (1, 1));
            };
            expect_at_once(name, &mut changes, both, |_| vec![(Parameter, V4, name), (Parameter, V6, name)]);
            let path_mtu = |turn: usize| {
                let seconds = [400, 500][turn] + position as u64;
                host.set_path_mtu_discovery_timeout(V4, Duration::from_secs(seconds)).unwrap();
            };
            expect_at_once(name, &mut changes, path_mtu, |_| {
                vec![(Parameter, V4, "lo"), (Parameter, V4, "e1")]
            });
        }
    });
}

#[test]
fn what_another_process_changes_with_this_crate_is_announced_while_the_interface_is_up() {
    isolated(|| {
        pair("e0", "e1");
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        let write = |turn: usize| {
            let written = forked(|| {
                let change = IpInterfaceChange { dad_transmits: Some([5, 6][turn]), ..Default::default() };
                let host = Host::open().unwrap();
                let index = host.interface_named("e0").unwrap().index;
                host.set_ip_interface(V6, index, &change).is_ok()
            });
            assert!(written);
        };
        expect_at_once("dad_transmits", &mut changes, write, |_| vec![(Parameter, V6, "e0")]);
    });
}

#[test]
fn what_policy_holds_is_announced_to_other_processes() {
    isolated(|| {
        pair("e0", "e1");
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        let none = IpInterfaceChange::default;
        let set = |family, change: &IpInterfaceChange| {
            assert!(forked(|| {
                let host = Host::open().unwrap();
                let index = host.interface_named("e0").unwrap().index;
                host.set_ip_interface(family, index, change).is_ok_and(|changes| !changes.is_empty())
            }));
        };
        let pairs = [
            ("sending", [false, true].map(|it| IpInterfaceChange { weak_host_send: Some(it), ..none() })),
            (
                "receiving",
                [false, true].map(|it| IpInterfaceChange { weak_host_receive: Some(it), ..none() }),
            ),
            (
                "metric",
                [
                    IpInterfaceChange { metric: Some(50), ..none() },
                    IpInterfaceChange { use_automatic_metric: Some(true), ..none() },
                ],
            ),
            (
                "default routes",
                [true, false].map(|it| IpInterfaceChange { disable_default_routes: Some(it), ..none() }),
            ),
        ];
        for family in [V4, V6] {
            for (what, both) in &pairs {
                let what = format!("{family}, {what}");
                let step = |turn: usize| set(family, &both[turn]);
                expect_at_once(&what, &mut changes, step, |_| vec![(Parameter, family, "e0")]);
            }
        }
        // An IPv4 MTU below that of IPv6 is one of routes.
        let step = |turn: usize| {
            set(V4, &IpInterfaceChange { nl_mtu: Some([1300, 1310][turn]), ..none() });
        };
        expect_at_once("the IPv4 MTU", &mut changes, step, |_| vec![(Parameter, V4, "e0")]);
    });
}

#[test]
fn interfaces_come_and_go() {
    isolated(|| {
        let host = Host::open().unwrap();
        let mut changes = host.ip_interface_changes(None).unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        expect("e0", &mut changes, &[(Add, V4, "e0"), (Add, V6, "e0")]);
        let _ = settle(&mut changes);
        let row = host.ip_interfaces(Some(V4)).unwrap().into_iter().find(|row| row.name == "e0").unwrap();
        let _ = run("ip link del e0");
        let mut gone = settle(&mut changes);
        gone.retain(|change| change.name == "e0" && change.kind == Delete);
        assert_eq!(gone.len(), 2, "one for each family: {gone:?}");
        for change in gone {
            assert_eq!((change.luid, change.index), (row.luid, row.index));
        }
        assert_eq!(
            host.ip_interface(V4, row.luid).unwrap_err().kind(),
            iphelper::ErrorKind::InterfaceNotFound
        );
    });
}

#[test]
fn another_interface_on_an_index_is_a_deletion_and_an_addition() {
    isolated(|| {
        let mut changes = Host::open().unwrap().ip_interface_changes(Some(V4)).unwrap();
        for (what, first, second) in [
            ("another kind", "add e0 index 77 type veth", "add e0 index 77 type bridge"),
            (
                "a twin",
                "add e0 index 77 address 02:00:00:00:00:07 type veth peer name e1 index 78",
                "add e0 index 77 address 02:00:00:00:00:07 type veth peer name e1 index 78",
            ),
        ] {
            let _ = run(&format!("ip link {first}"));
            expect(what, &mut changes, &[(Add, V4, "e0")]);
            let _ = settle(&mut changes);
            let _ = run("ip link del e0");
            let _ = run(&format!("ip link {second}"));
            expect(what, &mut changes, &[(Delete, V4, "e0")]);
            expect(what, &mut changes, &[(Add, V4, "e0")]);
            let _ = run("ip link del e0");
            let _ = settle(&mut changes);
        }
    });
}

#[test]
fn an_interface_whose_luid_changes_is_deleted_and_added() {
    isolated(|| {
        let _ = run("ip link add e0 index 77 type veth peer name e1 index 78");
        let mut changes = Host::open().unwrap().ip_interface_changes(Some(V4)).unwrap();
        let _ = settle(&mut changes);
        // The other end gets another index where its own is taken, and that is what this end is told by.
        let other = NetNs::new();
        let _ = other.sh("ip link add taken index 78 type bridge");
        let _ = run(&format!("ip link set e1 netns {}", other.path()));
        let _ = run("ip link set e0 up");
        let mut seen = settle(&mut changes);
        seen.retain(|change| change.name == "e0");
        let [gone, new, ..] = &seen[..] else { panic!("two changes, not {seen:?}") };
        assert_eq!((gone.kind, new.kind), (Delete, Add));
        assert_eq!(gone.index, new.index);
        assert_ne!(gone.luid, new.luid);
    });
}

#[test]
fn ipv6_leaves_an_interface_and_comes_back() {
    isolated(|| {
        pair("e0", "e1");
        let mut changes = Host::open().unwrap().ip_interface_changes(Some(V6)).unwrap();
        let _ = settle(&mut changes);
        for (what, off, on) in [
            (
                "disable_ipv6",
                "sysctl -qw net.ipv6.conf.e0.disable_ipv6=1",
                "sysctl -qw net.ipv6.conf.e0.disable_ipv6=0",
            ),
            ("an MTU below 1280", "ip link set e0 mtu 1279", "ip link set e0 mtu 1500"),
        ] {
            let _ = run(off);
            expect(what, &mut changes, &[(Delete, V6, "e0")]);
            let _ = settle(&mut changes);
            let _ = run(on);
            expect(what, &mut changes, &[(Add, V6, "e0")]);
            let _ = settle(&mut changes);
        }
    });
}

#[test]
fn a_registration_for_one_family_hears_of_that_one() {
    isolated(|| {
        pair("e0", "e1");
        let host = Host::open().unwrap();
        let mut ipv4 = host.ip_interface_changes(Some(V4)).unwrap();
        let mut ipv6 = host.ip_interface_changes(Some(V6)).unwrap();
        let (_, _) = (settle(&mut ipv4), settle(&mut ipv6));
        let _ = run("ip link set e0 mtu 1400");
        for (changes, family) in [(&mut ipv4, V4), (&mut ipv6, V6)] {
            expect("mtu", changes, &[(Parameter, family, "e0")]);
            let rest = settle(changes);
            assert!(rest.iter().all(|change| change.family == family), "{rest:?}");
        }
        set_sysctl("ipv4/conf/e0/forwarding", "1");
        expect("forwarding", &mut ipv4, &[(Parameter, V4, "e0")]);
        assert_eq!(settle(&mut ipv6), []);
    });
}

#[test]
fn a_write_of_the_value_that_is_there_is_no_change() {
    isolated(|| {
        pair("e0", "e1");
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let _ = settle(&mut changes);
        let _ = run("ip link set e0 mtu 1500");
        let _ = run("ip link set e0 alias uplink");
        let _ = run("ip addr add 192.0.2.1/24 dev e0");
        assert_eq!(settle(&mut changes), []);
    });
}

#[test]
fn an_interface_that_moves_is_gone_here_and_new_there() {
    let (here, there) = (NetNs::new(), NetNs::new());
    let open =
        |namespace: &NetNs| namespace.run(|| Host::open().unwrap().ip_interface_changes(None).unwrap());
    let (mut left, mut entered) = (open(&here), open(&there));
    let _ = here.sh("ip link add e0 type veth peer name e1");
    expect("e0", &mut left, &[(Add, V4, "e0"), (Add, V6, "e0")]);
    let _ = here.sh(&format!("ip link set e0 netns {}", there.path()));
    expect("leaving", &mut left, &[(Delete, V4, "e0"), (Delete, V6, "e0")]);
    expect("entering", &mut entered, &[(Add, V4, "e0"), (Add, V6, "e0")]);
}

#[test]
fn a_listener_stays_in_its_namespace() {
    let (first, second) = (NetNs::new(), NetNs::new());
    // Opened in one namespace, asked from a thread in another, listened to from a third.
    let host = first.run(|| Host::open().unwrap());
    let mut changes = second.run(|| host.ip_interface_changes(None).unwrap());
    let mut entered = Host::open_namespace(first.descriptor()).unwrap().ip_interface_changes(None).unwrap();
    let _ = second.sh("ip link add wrong type veth peer name wrong1");
    let _ = first.sh("ip link add right type veth peer name right1");
    for changes in [&mut changes, &mut entered] {
        expect("right", changes, &[(Add, V4, "right"), (Add, V6, "right")]);
        let rest = first.run(|| settle(changes));
        assert!(rest.iter().all(|change| change.name.starts_with("right")), "{rest:?}");
    }
}
