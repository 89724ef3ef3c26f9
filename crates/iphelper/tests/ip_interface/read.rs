//! Rows of IP interfaces, each member compared with `/proc/sys`, `ip` and `ethtool`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::ip_interface::{IpInterface, LinkLocalAddressBehavior, RouterDiscoveryBehavior};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{
    Advertisement, NetNs, eventually, in_child, isolated, run, set_sysctl, sysctl, try_run, unprivileged, zoo,
};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

fn json(command: &str) -> Vec<Value> {
    serde_json::from_str(&run(command)).unwrap()
}

fn row(host: &Host, family: Family, name: &str) -> IpInterface {
    let luid = host.interface_named(name).unwrap().luid;
    host.ip_interface(family, luid).unwrap_or_else(|error| panic!("{name} {family}: {error}"))
}

fn both(host: &Host, name: &str) -> [IpInterface; 2] {
    Family::ALL.map(|family| row(host, family, name))
}

fn directory(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

/// A number of `/proc/sys/net`.
fn number(path: &str) -> i64 {
    sysctl(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn rows_are_what_the_files_of_the_kernel_say() {
    isolated(|| {
        zoo();
        let host = Host::open().unwrap();
        let links = json("ip -d -j link show");
        let rows = host.ip_interfaces(None).unwrap();
        assert_eq!(rows.len(), 2 * links.len());
        for row in &rows {
            let name = &row.name;
            let family = directory(row.family);
            let is_v6 = row.family == Family::V6;
            let link = links.iter().find(|link| link["ifname"] == name.as_str()).unwrap();
            let flag = |flag: &str| link["flags"].as_array().unwrap().iter().any(|set| set == flag);
            let conf = |file: &str| number(&format!("{family}/conf/{name}/{file}"));
            let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap();
            assert_eq!(u64::from(row.index.0), link["ifindex"], "{name}");
            assert_eq!(row.luid, host.interface_named(name).unwrap().luid, "{name}");

            let neighbor = |file: &str| number(&format!("{family}/neigh/{name}/{file}"));
            assert_eq!(milliseconds(row.base_reachable_time), neighbor("base_reachable_time_ms"), "{name}");
            assert_eq!(milliseconds(row.retransmit_time), neighbor("retrans_time_ms"), "{name}");
            assert!(row.use_neighbor_unreachability_detection, "{name}");
            let (low, high) = (row.base_reachable_time / 2, row.base_reachable_time * 3 / 2);
            assert!((low..=high).contains(&row.reachable_time), "{name}: {:?}", row.reachable_time);

            let supports_neighbors = !flag("NOARP") && !flag("LOOPBACK");
            assert_eq!(row.supports_neighbor_discovery, supports_neighbors, "{name}");
            let supports_routers = is_v6 && flag("MULTICAST") && !flag("LOOPBACK");
            assert_eq!(row.supports_router_discovery, supports_routers, "{name}");
            let operstate = link["operstate"].as_str().unwrap();
            assert_eq!(
                row.connected,
                operstate == "UP" || operstate == "UNKNOWN" && flag("LOWER_UP"),
                "{name}"
            );

            let mtu = if is_v6 { conf("mtu") } else { link["mtu"].as_i64().unwrap() };
            assert_eq!(i64::from(row.nl_mtu), mtu, "{name}");
            let dad_transmits = if is_v6 && supports_neighbors { conf("dad_transmits") } else { 0 };
            assert_eq!(i64::from(row.dad_transmits), dad_transmits, "{name}");
            let behavior = match (is_v6, is_v6 && conf("accept_ra") != 0) {
                (false, _) => RouterDiscoveryBehavior::Dhcp,
                (true, true) => RouterDiscoveryBehavior::Enabled,
                (true, false) => RouterDiscoveryBehavior::Disabled,
            };
            assert_eq!(row.router_discovery_behavior, behavior, "{name}");
            let link_local = is_v6 && link["inet6_addr_gen_mode"] != "none";
            let link_local = if link_local {
                LinkLocalAddressBehavior::AlwaysOn
            } else {
                LinkLocalAddressBehavior::AlwaysOff
            };
            assert_eq!(row.link_local_address_behavior, link_local, "{name}");
            assert_eq!(row.link_local_address_timeout, Duration::ZERO, "{name}");
            assert_eq!(i64::from(row.forwarding_enabled), conf("forwarding"), "{name}");

            let [zero, interface, link_zone, subnet, larger @ ..] = row.zone_indices;
            assert_eq!([interface, link_zone, subnet], [row.index.0; 3], "{name}");
            assert_eq!((zero, larger), (0, [0; 12]), "{name}");
            let advertisement =
                [row.min_router_advertisement_interval, row.max_router_advertisement_interval];
            let expected = if is_v6 { [Some(200), Some(600)] } else { [None; 2] };
            assert_eq!(advertisement, expected.map(|seconds| seconds.map(Duration::from_secs)), "{name}");
            assert_eq!(row.site_prefix_length, if is_v6 { 64 } else { 0 }, "{name}");
            assert_eq!(row.max_reassembly_size, is_v6.then_some(65_535), "{name}");
            assert_eq!(row.interface_identifier, 0, "{name}");
            let no_router_told = is_v6.then_some(false);
            assert_eq!(row.managed_address_configuration_supported, no_router_told, "{name}");
            assert_eq!(row.other_stateful_configuration_supported, no_router_told, "{name}");
            assert_eq!(row.supports_wake_up_patterns, Some(false), "{name}: virtual");

            // What needs policy: the state of a host that has none.
            assert!(row.weak_host_send && row.weak_host_receive && row.use_automatic_metric, "{name}");
            assert!(!row.advertising_enabled && !row.advertise_default_route, "{name}");
            assert!(!row.disable_default_routes, "{name}");

            let mut one = host.ip_interface(row.family, row.index).unwrap();
            // The kernel draws it anew from time to time.
            one.reachable_time = row.reachable_time;
            assert_eq!(&one, row, "{name}: one row alone is the row of the table");
        }
    });
}

#[test]
fn tables_are_ordered_by_family_then_index() {
    isolated(|| {
        zoo();
        let host = Host::open().unwrap();
        let keys = |rows: &[IpInterface]| rows.iter().map(|row| (row.family, row.index)).collect::<Vec<_>>();
        let all = keys(&host.ip_interfaces(None).unwrap());
        assert!(all.is_sorted());
        for family in Family::ALL {
            let some = keys(&host.ip_interfaces(Some(family)).unwrap());
            assert_eq!(some, all.iter().copied().filter(|key| key.0 == family).collect::<Vec<_>>());
        }
    });
}

#[test]
fn reachable_times_are_what_ip_shows() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ =
            run("ip ntable change name arp_cache dev e0 base_reachable 20000 retrans 700 delay_probe 4000");
        let _ = run("ip ntable change name ndisc_cache dev e0 delay_probe 2000000000");
        let host = Host::open().unwrap();
        let shown_time = || run("ip -j ntable show dev e0");
        let (mut shown, mut rows) = (String::new(), both(&host, "e0"));
        // The kernel draws the reachable times anew from time to time.
        eventually("they were not drawn anew meanwhile", || {
            shown = shown_time();
            rows = both(&host, "e0");
            shown_time() == shown
        });
        let shown: Vec<Value> = serde_json::from_str(&shown).unwrap();
        let [v4, v6] = rows;
        for (row, table) in [(&v4, "arp_cache"), (&v6, "ndisc_cache")] {
            let shown = shown.iter().find(|shown| shown["name"] == table).unwrap();
            let milliseconds = |time: &str| Duration::from_millis(shown[time].as_u64().unwrap());
            assert_eq!(row.base_reachable_time, milliseconds("base_reachable"), "{table}");
            assert_eq!(row.reachable_time, milliseconds("reachable"), "{table}");
            assert_eq!(row.retransmit_time, milliseconds("retrans"), "{table}");
        }
        assert_eq!(v4.retransmit_time, Duration::from_millis(700));
        assert!(v4.use_neighbor_unreachability_detection);
        assert!(!v6.use_neighbor_unreachability_detection, "the probe would come in 23 days");
    });
}

#[test]
fn forwarding_is_judged_as_the_kernel_does() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        let forwarding = || both(&host, "e0").map(|row| row.forwarding_enabled);
        assert_eq!(forwarding(), [false, false]);
        set_sysctl("ipv4/conf/e0/forwarding", "1");
        assert_eq!(forwarding(), [true, false]);
        // For IPv6 the interface's own switch makes it a router to its neighbours, and forwards nothing.
        set_sysctl("ipv6/conf/e0/forwarding", "1");
        assert_eq!(forwarding(), [true, false]);
        match std::fs::write("/proc/sys/net/ipv6/conf/e0/force_forwarding", "1") {
            Ok(()) => {
                assert_eq!(forwarding(), [true, true]);
                assert!(!row(&host, Family::V6, "e1").forwarding_enabled, "another interface");
                set_sysctl("ipv6/conf/e0/force_forwarding", "0");
            }
            Err(error) => eprintln!("skipped: no force_forwarding before Linux 6.17: {error}"),
        }
        set_sysctl("ipv6/conf/all/forwarding", "1");
        set_sysctl("ipv6/conf/e0/forwarding", "0");
        assert_eq!(forwarding(), [true, true]);
    });
}

#[test]
fn router_discovery_depends_on_forwarding() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        for (accept_ra, forwarding, enabled) in
            [(0, 0, false), (1, 0, true), (2, 0, true), (0, 1, false), (1, 1, false), (2, 1, true)]
        {
            set_sysctl("ipv6/conf/e0/forwarding", &forwarding.to_string());
            set_sysctl("ipv6/conf/e0/accept_ra", &accept_ra.to_string());
            let expected =
                if enabled { RouterDiscoveryBehavior::Enabled } else { RouterDiscoveryBehavior::Disabled };
            let behavior = row(&host, Family::V6, "e0").router_discovery_behavior;
            assert_eq!(behavior, expected, "accept_ra {accept_ra}, forwarding {forwarding}");
        }
    });
}

#[test]
fn what_the_last_router_told_is_read() {
    let (here, there) = (NetNs::new(), NetNs::new());
    // The router's link-local address is ready as soon as there is a carrier.
    there.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    here.veth("e0", &there, "e1");
    there.addresses_settle(&["e1"]);
    let host = here.run(|| Host::open().unwrap());
    let told = || {
        let row = row(&host, Family::V6, "e0");
        (row.managed_address_configuration_supported, row.other_stateful_configuration_supported)
    };
    assert_eq!(told(), (Some(false), Some(false)), "before the first advertisement");
    for (managed, other_configuration) in [(true, false), (false, true), (true, true), (false, false)] {
        let prefix = "2001:db8::".parse().unwrap();
        let advertisement =
            Advertisement { router_lifetime: 0, prefix, route: None, managed, other_configuration };
        eventually("the advertisement is obeyed", || {
            there.run(|| advertisement.send("e1"));
            told() == (Some(managed), Some(other_configuration))
        });
    }
    let v4 = row(&host, Family::V4, "e0");
    assert_eq!(v4.managed_address_configuration_supported, None);
    assert_eq!(v4.other_stateful_configuration_supported, None);
}

#[test]
fn a_table_is_read_while_interfaces_come_and_go() {
    isolated(|| {
        let host = Host::open().unwrap();
        std::thread::scope(|scope| {
            // A thread begins in its parent's namespace.
            let churn = scope.spawn(|| {
                for _ in 0..100 {
                    let _ = run("ip link add e0 type veth peer name e1");
                    let _ = run("ip link del e0");
                }
            });
            while !churn.is_finished() {
                match host.ip_interfaces(None) {
                    Ok(rows) => assert!(rows.iter().any(|row| row.name == "lo"), "{rows:#?}"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}"),
                }
                match host.interface_named("e0").and_then(|names| host.ip_interface(Family::V6, names.index))
                {
                    Ok(row) => assert_eq!(row.name, "e0"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{error}"),
                }
            }
        });
    });
}

#[test]
fn routers_are_discovered_without_neighbour_discovery() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    // A router counts what it is asked.
    there.run(|| set_sysctl("ipv6/conf/all/forwarding", "1"));
    let _ = here.sh("ip link set e0 arp off");
    let host = here.run(|| Host::open().unwrap());
    let row = row(&host, Family::V6, "e0");
    assert!(!row.supports_neighbor_discovery && row.supports_router_discovery);
    let asked = || {
        let counters = there.run(|| std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap());
        let line = counters.lines().find(|line| line.starts_with("Icmp6InRouterSolicits")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let _ = here.sh("ip link set e0 down");
    let before = asked();
    let _ = here.sh("ip link set e0 up");
    eventually("the kernel solicits routers on an interface without ARP", || asked() > before);
}

#[test]
fn dad_transmits_is_what_the_kernel_sends() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        let transmits = || row(&host, Family::V6, "e0").dad_transmits;
        set_sysctl("ipv6/conf/e0/dad_transmits", "3");
        assert_eq!(transmits(), 3);
        // Detection that is off here alone, or for all alone.
        set_sysctl("ipv6/conf/e0/accept_dad", "0");
        assert_eq!(transmits(), 0);
        set_sysctl("ipv6/conf/all/accept_dad", "1");
        assert_eq!(transmits(), 3);
        // The kernel counts the probes that are left in a byte.
        set_sysctl("ipv6/conf/e0/dad_transmits", "257");
        assert_eq!(transmits(), 1);
        let _ = run("ip link set e1 up");
        let _ = run("ip link set e0 up");
        let _ = run("ip addr add 2001:db8::1/64 dev e0");
        eventually("one probe is sent and the address is used, not 257 s later", || {
            !run("ip -6 addr show dev e0 scope global").contains("tentative")
        });
    });
}

#[test]
fn the_identifier_is_the_lower_half_of_the_token() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e1 up");
        let _ = run("ip link set e0 up");
        let _ = run("ip token set ::1:2:3:aa dev e0");
        let host = Host::open().unwrap();
        assert_eq!(both(&host, "e0").map(|row| row.interface_identifier), [0, 0x0001_0002_0003_00aa]);
    });
}

#[test]
fn each_family_has_an_mtu() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        set_sysctl("ipv6/conf/e0/mtu", "1300");
        assert_eq!(both(&host, "e0").map(|row| row.nl_mtu), [1500, 1300]);
    });
}

#[test]
fn the_time_of_a_path_mtu_is_the_namespaces() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        set_sysctl("ipv4/route/mtu_expires", "77");
        assert_eq!(row(&host, Family::V4, "e0").path_mtu_discovery_timeout, Some(Duration::from_secs(77)));
        assert_eq!(row(&host, Family::V4, "lo").path_mtu_discovery_timeout, Some(Duration::from_secs(77)));
        let v6 = row(&host, Family::V6, "e0").path_mtu_discovery_timeout;
        match std::fs::read_to_string("/proc/sys/net/ipv6/route/mtu_expires") {
            Ok(shown) => assert_eq!(v6, Some(Duration::from_secs(shown.trim().parse().unwrap()))),
            Err(_) => assert_eq!(v6, None, "hidden in a user namespace"),
        }
    });
}

#[test]
fn what_a_user_namespace_hides_is_not_known() {
    const TEST: &str = "read::what_a_user_namespace_hides_is_not_known";
    in_child(TEST, &["unshare", "--user", "--map-root-user", "--net"], || {
        assert!(std::fs::exists("/proc/sys/net/ipv4/route/mtu_expires").unwrap());
        assert!(!std::fs::exists("/proc/sys/net/ipv6/route/mtu_expires").unwrap());
        let [v4, v6] = both(&Host::open().unwrap(), "lo");
        assert_eq!(v4.path_mtu_discovery_timeout, Some(Duration::from_secs(600)));
        assert_eq!(v6.path_mtu_discovery_timeout, None);
    });
}

/// As on a kernel without IPv6, which has no such directory.
#[test]
fn a_kernel_without_ipv6_says_so() {
    const TEST: &str = "read::a_kernel_without_ipv6_says_so";
    const HIDE_IPV6: &str = "mount -t tmpfs none /mnt && mkdir /mnt/ipv4 && \
        mount --bind /proc/sys/net/ipv4 /mnt/ipv4 && mount --rbind /mnt /proc/sys/net && exec \"$0\" \"$@\"";
    in_child(TEST, &["unshare", "--mount", "--net", "sh", "-c", HIDE_IPV6], || {
        let host = Host::open().unwrap();
        let error = host.ip_interface(Family::V6, InterfaceIndex(1)).unwrap_err();
        assert_eq!((error.kind(), error.win32()), (ErrorKind::NotSupported, 50), "{error}");
        let error = host.ip_interfaces(Some(Family::V6)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        let families: Vec<_> = host.ip_interfaces(None).unwrap().iter().map(|row| row.family).collect();
        assert_eq!(families, [Family::V4]);
    });
}

#[test]
fn connected_follows_the_carrier() {
    isolated(|| {
        zoo();
        let host = Host::open().unwrap();
        let connected = |name: &str| row(&host, Family::V4, name).connected;
        assert!(connected("lo"));
        assert!(!connected("e3"), "it is down");
        eventually("e0 is connected", || connected("e0"));
        let _ = run("ip link set e1 down");
        eventually("e0 is not connected", || !connected("e0"));
    });
}

#[test]
fn the_metric_follows_speed_and_kind() {
    isolated(|| {
        zoo();
        let host = Host::open().unwrap();
        assert_eq!(both(&host, "lo").map(|row| row.metric), [75, 75]);
        for row in host.ip_interfaces(None).unwrap().iter().filter(|row| row.name != "lo") {
            let shown = try_run(&format!("ethtool {}", row.name)).unwrap_or_default();
            let speed =
                shown.lines().find_map(|line| line.trim().strip_prefix("Speed: ")?.strip_suffix("Mb/s"));
            let expected = match speed {
                Some("10000") => 15,
                Some("10") => 55,
                None => 25,
                Some(other) => panic!("{}: {other} Mb/s", row.name),
            };
            assert_eq!(row.metric, expected, "{}: {speed:?} Mb/s", row.name);
        }
    });
}

#[test]
fn offloads_are_what_ethtool_shows() {
    isolated(|| {
        zoo();
        let _ = run("ethtool -K e0 tx-checksum-ip-generic off");
        let _ = run("ethtool -K e1 tx-tcp-segmentation off");
        let _ = run("ethtool -K e0 rx-checksumming off");
        let _ = run("ip link set e1 gso_max_size 100000");
        let host = Host::open().unwrap();
        for row in host.ip_interfaces(None).unwrap() {
            let name = &row.name;
            let shown = run(&format!("ethtool -k {name}"));
            let on = |feature: &str| {
                let line = shown.lines().find_map(|line| line.trim().strip_prefix(&format!("{feature}: ")));
                line.unwrap().starts_with("on")
            };
            let (checksum, segmentation) = match row.family {
                Family::V4 => (on("tx-checksum-ipv4"), on("tx-tcp-segmentation")),
                Family::V6 => (on("tx-checksum-ipv6"), on("tx-tcp6-segmentation")),
            };
            let checksum = checksum || on("tx-checksum-ip-generic");
            let transmit = row.transmit_offload;
            assert_eq!(transmit.tl_datagram_checksum_supported, checksum, "{name}");
            assert_eq!(transmit.tl_stream_checksum_supported, checksum, "{name}");
            assert_eq!(transmit.tl_stream_options_supported, checksum, "{name}");
            assert_eq!(transmit.tl_large_send_offload_supported, segmentation, "{name}");
            let giant = name == "e1" && row.family == Family::V6;
            assert_eq!(transmit.tl_giant_send_offload_supported, giant, "{name} {}", row.family);
            let receive = row.receive_offload;
            assert_eq!(receive.tl_datagram_checksum_supported, on("rx-checksumming"), "{name}");
            assert_eq!(receive.tl_stream_checksum_supported, on("rx-checksumming"), "{name}");
            assert_eq!(receive.tl_stream_options_supported, on("rx-checksumming"), "{name}");
            let large = on("rx-gro-hw") || on("large-receive-offload");
            assert_eq!(receive.tl_large_send_offload_supported, large, "{name}");
            for offload in [transmit, receive] {
                assert!(!offload.nl_checksum_supported && !offload.nl_options_supported, "{name}");
                assert!(!offload.fast_path_compatible, "{name}");
            }
        }
        // What was switched off above is off, and only that.
        let [e0, e1] = ["e0", "e1"].map(|name| row(&host, Family::V4, name));
        assert!(!e0.transmit_offload.tl_stream_checksum_supported);
        assert!(!e0.receive_offload.tl_stream_checksum_supported);
        assert!(!e1.transmit_offload.tl_large_send_offload_supported);
        assert!(e1.transmit_offload.tl_stream_checksum_supported);
        assert!(e1.receive_offload.tl_stream_checksum_supported);
    });
}

#[test]
fn an_interface_without_a_family_has_no_row_of_it() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link add e2 type veth peer name e3");
        let _ = run("ip link set e2 mtu 1279");
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        // Loopback alone has no smallest MTU, and IPv4 wants 68.
        let _ = run("ip link set lo mtu 67");
        let host = Host::open().unwrap();
        for (name, family) in [("e0", Family::V6), ("e2", Family::V6), ("lo", Family::V4)] {
            let index = host.interface_named(name).unwrap().index;
            let error = host.ip_interface(family, index).unwrap_err();
            assert_eq!((error.kind(), error.win32()), (ErrorKind::NotFound, 1168), "{name}: {error}");
            let rows = host.ip_interfaces(Some(family)).unwrap();
            assert!(rows.iter().all(|row| row.index != index), "{name} is in the {family} table");
        }
        assert_eq!(host.ip_interfaces(Some(Family::V4)).unwrap().len(), 4);
        set_sysctl("ipv6/conf/e0/disable_ipv6", "0");
        let _ = run("ip link set e2 mtu 1280");
        for name in ["e0", "e2"] {
            assert_eq!(row(&host, Family::V6, name).name, name);
        }
    });
}

#[test]
fn an_unknown_interface_is_told_from_a_missing_family() {
    isolated(|| {
        let _ = run("ip link add e0 index 40 address 02:00:00:00:00:01 type veth peer name e1");
        let host = Host::open().unwrap();
        let first = host.interface_named("e0").unwrap();
        let _ = run("ip link del e0");
        for family in Family::ALL {
            for key in [InterfaceIndex(0), InterfaceIndex(40), InterfaceIndex(u32::MAX)] {
                let error = host.ip_interface(family, key).unwrap_err();
                assert_eq!(
                    (error.kind(), error.win32()),
                    (ErrorKind::InterfaceNotFound, 2),
                    "{key}: {error}"
                );
            }
        }
        let _ = run("ip link add e0 index 40 address 02:00:00:00:00:02 type veth peer name e1");
        for family in Family::ALL {
            let error = host.ip_interface(family, first.luid).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "another interface on the index: {error}");
            let error = host.ip_interface(family, InterfaceLuid(0)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{error}");
            assert_eq!(host.ip_interface(family, first.index).unwrap().name, "e0");
        }
    });
}

#[test]
fn a_renamed_interface_keeps_its_row() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        let before = both(&host, "e0");
        let _ = run("ip link set e0 name wan");
        for before in before {
            let after = host.ip_interface(before.family, before.luid).unwrap();
            assert_eq!(after.name, "wan");
            assert_eq!(
                (after.index, after.nl_mtu, after.metric),
                (before.index, before.nl_mtu, before.metric)
            );
        }
    });
}

#[test]
fn odd_names_have_rows() {
    isolated(|| {
        for (number, name) in ["größe-0", "a.b", "{}", "-"].into_iter().enumerate() {
            let _ = run(&format!("ip link add name {name} type veth peer name p{number}"));
            let host = Host::open().unwrap();
            assert_eq!(both(&host, name).map(|row| row.name), [name, name]);
        }
    });
}

#[test]
fn a_caller_without_privilege_reads_all_but_wake_on_lan() {
    isolated(|| {
        zoo();
        let mut privileged = Host::open().unwrap().ip_interfaces(None).unwrap();
        let unprivileged = unprivileged(|| Host::open().unwrap().ip_interfaces(None).unwrap());
        assert!(unprivileged.iter().all(|row| row.supports_wake_up_patterns.is_none()));
        for (row, other) in privileged.iter_mut().zip(&unprivileged) {
            assert_eq!(row.supports_wake_up_patterns, Some(false));
            row.supports_wake_up_patterns = None;
            // The kernel draws it anew from time to time.
            row.reachable_time = other.reachable_time;
        }
        assert_eq!(unprivileged, privileged);
    });
}

#[test]
fn a_host_stays_in_its_namespace() {
    let (here, there) = (NetNs::new(), NetNs::new());
    let _ = here.sh("ip link add e0 type veth peer name e1");
    let _ = there.sh("ip link add e0 type veth peer name e1");
    here.run(|| {
        set_sysctl("ipv4/route/mtu_expires", "77");
        set_sysctl("ipv6/conf/all/forwarding", "1");
    });
    let host = here.run(|| Host::open().unwrap());
    let [v4, v6] = there.run(|| both(&host, "e0"));
    assert_eq!(v4.path_mtu_discovery_timeout, Some(Duration::from_secs(77)));
    assert!(v6.forwarding_enabled);
    let [v4, v6] = there.run(|| both(&Host::open().unwrap(), "e0"));
    assert_ne!(v4.path_mtu_discovery_timeout, Some(Duration::from_secs(77)));
    assert!(!v6.forwarding_enabled);
}

/// Calls of `read` by this thread so far.
fn file_reads() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("syscr: "));
    line.unwrap().parse().unwrap()
}

#[test]
fn a_thousand_interfaces_cost_no_more_file_reads_than_one() {
    isolated(|| {
        let host = Host::open().unwrap();
        let reads = || {
            let before = file_reads();
            let rows = host.ip_interfaces(None).unwrap().len();
            (rows, file_reads() - before)
        };
        // What is read once and kept.
        let _ = reads();
        let (few_rows, few_reads) = reads();
        let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut batch = ip.stdin.take().unwrap();
        for number in 0..500 {
            writeln!(batch, "link add a{number} type veth peer name b{number}").unwrap();
        }
        drop(batch);
        assert!(ip.wait().unwrap().success());
        let (many_rows, many_reads) = reads();
        assert_eq!((few_rows, many_rows), (2, 2002));
        assert_eq!(many_reads, few_reads, "file reads for 1,001 interfaces and for one");
        assert!(few_reads < 20, "{few_reads} file reads");
    });
}
