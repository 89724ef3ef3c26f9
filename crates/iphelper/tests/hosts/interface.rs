//! Interface rows, each member compared with what `ip`, `ethtool` and `/proc/net/dev` show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper::interface::{
    AccessType, AdminStatus, ConnectionType, DirectionType, Interface, InterfaceLevel, InterfaceType,
    MediaConnectState, MediaType, OperStatus, PhysicalMedium, TunnelType,
};
use iphelper::{ErrorKind, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{NetNs, eventually, isolated, run, set_sysctl, try_run, unprivileged, zoo};
use serde_json::Value;

/// All links as `ip` shows them, ordered by index.
fn shown() -> Vec<Value> {
    let mut links: Vec<Value> = serde_json::from_str(&run("ip -d -s -j link show")).unwrap();
    links.sort_by_key(|link| link["ifindex"].as_u64());
    links
}

fn flag(link: &Value, flag: &str) -> bool {
    link["flags"].as_array().unwrap().iter().any(|set| set == flag)
}

fn row(host: &Host, name: &str) -> Interface {
    let names = host.interface_named(name).unwrap();
    host.interface(names.luid, InterfaceLevel::Normal).unwrap()
}

/// Interfaces of every kind, and no traffic that nobody asked for.
fn quiet_zoo() {
    for switch in ["ipv6/conf/default/disable_ipv6", "ipv6/conf/all/disable_ipv6"] {
        set_sysctl(switch, "1");
    }
    zoo();
}

#[test]
fn rows_are_what_ip_shows() {
    isolated(|| {
        quiet_zoo();
        let host = Host::open().unwrap();
        let rows = host.interfaces(InterfaceLevel::Normal).unwrap();
        let links = shown();
        assert_eq!(rows.len(), links.len());
        for (row, link) in rows.iter().zip(&links) {
            let name = link["ifname"].as_str().unwrap();
            assert_eq!(row.name, name);
            assert_eq!(u64::from(row.index.0), link["ifindex"], "{name}");
            assert_eq!(u64::from(row.mtu), link["mtu"], "{name}");
            if link["link_type"] != "none" {
                assert_eq!(row.physical_address.to_string(), link["address"], "{name}");
            } else {
                assert!(row.physical_address.is_empty(), "{name}");
            }
            assert_eq!(row.permanent_physical_address, None, "{name}: virtual");
            let kind = link["linkinfo"]["info_kind"].as_str().unwrap_or("loopback");
            assert_eq!(row.description, link["ifalias"].as_str().unwrap_or(kind), "{name}");
            let up = flag(link, "UP");
            assert_eq!(row.admin_status, if up { AdminStatus::Up } else { AdminStatus::Down }, "{name}");
            let lower_up = flag(link, "LOWER_UP");
            let oper_status = match link["operstate"].as_str().unwrap() {
                "UP" => OperStatus::Up,
                "DOWN" => OperStatus::Down,
                "LOWERLAYERDOWN" => OperStatus::LowerLayerDown,
                "UNKNOWN" if lower_up => OperStatus::Up,
                other => panic!("{name} is {other}"),
            };
            assert_eq!(row.oper_status, oper_status, "{name}");
            assert_eq!(row.not_media_connected, up && !lower_up, "{name}");
            let connected = match (up, flag(link, "NO-CARRIER")) {
                (false, _) => MediaConnectState::Unknown,
                (true, false) => MediaConnectState::Connected,
                (true, true) => MediaConnectState::Disconnected,
            };
            assert_eq!(row.media_connect_state, connected, "{name}");
            let access_type = match () {
                () if flag(link, "LOOPBACK") => AccessType::Loopback,
                () if flag(link, "POINTOPOINT") => AccessType::PointToPoint,
                () if flag(link, "BROADCAST") => AccessType::Broadcast,
                () => AccessType::PointToMultiPoint,
            };
            assert_eq!(row.access_type, access_type, "{name}");
            let kind_of = match link["link_type"].as_str().unwrap() {
                "ether" => (InterfaceType::ETHERNET_CSMACD, TunnelType::None, MediaType::IEEE802_3),
                "loopback" => (InterfaceType::SOFTWARE_LOOPBACK, TunnelType::None, MediaType::LOOPBACK),
                "none" => (InterfaceType::PROP_VIRTUAL, TunnelType::None, MediaType::IP),
                "ipip" | "sit" => (InterfaceType::TUNNEL, TunnelType::Direct, MediaType::TUNNEL),
                "gre" => (InterfaceType::TUNNEL, TunnelType::Other, MediaType::TUNNEL),
                other => panic!("{name} is {other}"),
            };
            assert_eq!((row.interface_type, row.tunnel_type, row.media_type), kind_of, "{name}");
            assert_eq!(row.luid.interface_type(), row.interface_type.0, "{name}");
            assert_eq!(row.physical_medium_type, PhysicalMedium::UNSPECIFIED, "{name}: virtual");
            assert!(!row.hardware_interface && !row.connector_present, "{name}: virtual");
            assert_eq!(row.direction_type, DirectionType::SendReceive, "{name}");
            assert_eq!(row.connection_type, ConnectionType::Dedicated, "{name}");
            let one = host.interface(row.index, InterfaceLevel::Normal).unwrap();
            assert_eq!(&one, row, "{name}: one row alone is the row of the table");
        }
    });
}

#[test]
fn names_and_guids_are_those_of_the_conversion() {
    isolated(|| {
        quiet_zoo();
        let host = Host::open().unwrap();
        for row in host.interfaces(InterfaceLevel::Normal).unwrap() {
            let names = host.interface_names(row.index).unwrap();
            assert_eq!((row.luid, row.guid, row.name), (names.luid, names.guid, names.name));
        }
    });
}

#[test]
fn speeds_are_what_ethtool_shows() {
    isolated(|| {
        quiet_zoo();
        let host = Host::open().unwrap();
        let mut known = 0;
        for row in host.interfaces(InterfaceLevel::NormalWithoutStatistics).unwrap() {
            let shown = try_run(&format!("ethtool {}", row.name)).unwrap_or_default();
            let speed =
                shown.lines().find_map(|line| line.trim().strip_prefix("Speed: ")?.strip_suffix("Mb/s"));
            let speed = speed.map(|megabits| megabits.parse::<u64>().unwrap() * 1_000_000);
            assert_eq!(row.transmit_link_speed, speed, "{}", row.name);
            assert_eq!(row.receive_link_speed, speed, "{}", row.name);
            known += usize::from(speed.is_some());
        }
        assert!(known > 0, "no interface has a speed");
        assert_eq!(row(&host, "lo").transmit_link_speed, None);
    });
}

#[test]
fn counters_are_what_ip_shows() {
    isolated(|| {
        quiet_zoo();
        for command in [
            "ip addr add 192.0.2.1/24 dev e0",
            "ip link set e1 mtu 1000",
            "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:99 dev e0",
            // Frames of 1,000 octets and less arrive; 1,300 are more than the other end takes.
            "ping -c 3 -i 0.01 -W 0.01 -q -s 500 192.0.2.2",
            "ping -c 2 -i 0.01 -W 0.01 -q -s 1300 192.0.2.2",
            "ping -c 4 -i 0.01 -W 0.01 -q -I e0 224.0.0.1",
        ] {
            let outcome = try_run(command);
            assert!(command.starts_with("ping") || outcome.is_ok(), "{command}: {outcome:?}");
        }
        let host = Host::open().unwrap();
        // Multicast reaches the macvlan from a queue.
        eventually("the counters stand still and agree", || {
            let rows = host.interfaces(InterfaceLevel::Raw).unwrap();
            rows.iter().zip(&shown()).all(|(row, link)| counters_agree(row, link))
        });
        let (e0, e1, m0) = (row(&host, "e0"), row(&host, "e1"), row(&host, "m0"));
        let [e0, e1, m0] = [e0, e1, m0].map(|row| row.statistics.unwrap());
        assert!(e0.out_discards >= 2, "{e0:?}");
        assert!(e0.out_ucast_packets >= 7 && e0.out_octets > 1500, "{e0:?}");
        assert!(e1.in_discards >= 2 && e1.in_ucast_packets >= 7, "{e1:?}");
        assert!(m0.in_nucast_packets >= 4, "{m0:?}");
    });
}

fn counters_agree(row: &Interface, link: &Value) -> bool {
    let counters = row.statistics.unwrap();
    let (rx, tx) = (&link["stats64"]["rx"], &link["stats64"]["tx"]);
    let number = |value: &Value| value.as_u64().unwrap();
    // The fourth column is what was dropped, for want of room or otherwise.
    let device = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    let line = device.lines().find_map(|line| line.trim().strip_prefix(&format!("{}:", row.name)));
    let dropped = line.unwrap().split_whitespace().nth(3).unwrap();
    assert_eq!(counters.in_unknown_protocols, None, "Linux does not count them");
    counters.in_octets == number(&rx["bytes"])
        && counters.in_ucast_packets + counters.in_nucast_packets == number(&rx["packets"])
        && counters.in_nucast_packets == number(&rx["multicast"])
        && counters.in_errors == number(&rx["errors"])
        && counters.in_discards.to_string() == dropped
        && counters.out_octets == number(&tx["bytes"])
        && counters.out_ucast_packets == number(&tx["packets"])
        && counters.out_errors == number(&tx["errors"])
        && counters.out_discards == number(&tx["dropped"])
}

#[test]
fn the_level_without_statistics_has_none() {
    isolated(|| {
        let host = Host::open().unwrap();
        let rows = host.interfaces(InterfaceLevel::NormalWithoutStatistics).unwrap();
        assert!(rows.iter().all(|row| row.statistics.is_none()));
        for level in [InterfaceLevel::Normal, InterfaceLevel::Raw] {
            assert!(host.interface(InterfaceIndex(1), level).unwrap().statistics.is_some());
        }
    });
}

#[test]
fn the_stack_is_ports_and_devices_made_on_others() {
    let other = NetNs::new();
    isolated(|| {
        quiet_zoo();
        // Made on an interface of this namespace, and moved to another: nothing here stands on it.
        let _ = run("ip link add m1 link e1 type macvlan");
        let _ = run(&format!("ip link set m1 netns {}", other.path()));
        let host = Host::open().unwrap();
        let name = |index| host.interface_names(index).unwrap().name;
        let stack = host.interface_stack().unwrap();
        let mut pairs: Vec<_> = stack.iter().map(|entry| (name(entry.higher), name(entry.lower))).collect();
        pairs.sort();
        let expected = [("br0", "e2"), ("m0", "e1")];
        assert_eq!(pairs, expected.map(|(higher, lower)| (higher.to_owned(), lower.to_owned())));
        assert!(stack.is_sorted());

        let inside = other.run(|| Host::open().unwrap());
        assert_eq!(inside.interface_stack().unwrap(), []);
    });
}

#[test]
fn an_interface_is_switched_on_and_off() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        let luid = host.interface_named("e0").unwrap().luid;
        for (status, shown) in
            [(AdminStatus::Up, true), (AdminStatus::Down, false), (AdminStatus::Down, false)]
        {
            host.set_interface_admin_status(luid, status).unwrap();
            let link = run("ip link show e0");
            assert_eq!(link.contains(",UP") || link.contains("<UP"), shown, "{link}");
            assert_eq!(row(&host, "e0").admin_status, status);
        }
    });
}

#[test]
fn switching_needs_a_privilege_and_an_interface() {
    isolated(|| {
        let _ = run("ip link add e0 index 40 address 02:00:00:00:00:01 type veth peer name e1");
        let host = Host::open().unwrap();
        let names = host.interface_named("e0").unwrap();
        let denied =
            unprivileged(|| host.set_interface_admin_status(names.index, AdminStatus::Up)).unwrap_err();
        assert_eq!((denied.kind(), denied.errno()), (ErrorKind::AccessDenied, Some(1)), "{denied}");
        let unknown = host.set_interface_admin_status(InterfaceIndex(999), AdminStatus::Up).unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::InterfaceNotFound, "{unknown}");

        // Another interface on the same index is left alone.
        let _ = run("ip link del e0");
        let _ = run("ip link add e0 index 40 address 02:00:00:00:00:02 type veth peer name e1");
        let gone = host.set_interface_admin_status(names.luid, AdminStatus::Up).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::InterfaceNotFound, "{gone}");
        assert!(!flag(&shown().pop().unwrap(), "UP"));
    });
}

#[test]
fn an_unknown_interface_has_no_row() {
    isolated(|| {
        let host = Host::open().unwrap();
        let error = host.interface(InterfaceIndex(999), InterfaceLevel::Normal).unwrap_err();
        assert_eq!((error.kind(), error.win32()), (ErrorKind::InterfaceNotFound, 2), "{error}");
        let error = host.interface(InterfaceLuid(6 << 48 | 1), InterfaceLevel::Normal).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{error}");
    });
}

#[test]
fn reading_needs_no_privilege() {
    isolated(|| {
        quiet_zoo();
        let host = Host::open().unwrap();
        let rows = host.interfaces(InterfaceLevel::NormalWithoutStatistics).unwrap();
        let unprivileged = unprivileged(|| {
            let host = Host::open().unwrap();
            (
                host.interfaces(InterfaceLevel::NormalWithoutStatistics).unwrap(),
                host.interface_stack().unwrap(),
            )
        });
        assert_eq!(unprivileged, (rows, host.interface_stack().unwrap()));
    });
}
