//! Reading the forwarding table of a kernel: `ip` is the judge.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use crate::route_support::{FAMILIES, interfaces, ip_batch, key, steady, told, told_by_ip};
use iphelper::route::{RouteKind, RouteOrigin, RouteProtocol, RouteQuery, RouteTables};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{Advertisement, NetNs, eventually, isolated, run, set_sysctl, unprivileged};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Routes of every kind.
fn routes_of_every_kind() {
    interfaces();
    ip_batch(
        "route add default via 10.0.0.2 dev e0 metric 100
         route add default via 10.1.0.2 dev e1 metric 200
         route add 192.0.2.0/24 via 10.0.0.2 dev e0 metric 7 proto 186 src 10.0.0.1 mtu 1000
         route append 192.0.2.0/24 via 10.1.0.2 dev e1 metric 7
         route add 192.0.2.0/24 via 10.0.0.2 dev e0 metric 9
         route add 192.0.2.0/24 via 10.0.0.2 dev e0 metric 3 tos 0x10
         route add 198.51.100.0/24 via inet6 fd00:0::2 dev e0 table 100
         route add 198.51.100.7 dev e0 scope link proto 16
         route add 203.0.113.0/24 nexthop via 10.0.0.2 dev e0 weight 3 nexthop via 10.1.0.2 dev e1
         route add blackhole 203.0.115.0/24
         route add unreachable 203.0.116.0/24 metric 5
         route add prohibit 203.0.117.0/24 table 100
         route add throw 203.0.118.0/24 table 100
         nexthop add id 11 via 10.0.0.4 dev e0
         nexthop add id 12 via 10.1.0.4 dev e1
         nexthop add id 20 group 11/12
         route add 203.0.119.0/24 nhid 11
         route add 203.0.120.0/24 nhid 20
         route add default via fd00:0::2 dev e0 metric 100
         route add default via fd00:1::2 dev e1 metric 200
         route add 2001:db8:1::/48 via fd00:0::2 dev e0 proto 42 mtu 1300 pref high
         route add 2001:db8:2::/48 from 2001:db8:ff::/48 via fd00:0::2 dev e0 metric 5
         route add 2001:db8:4::/48 nexthop via fd00:0::2 dev e0 nexthop via fd00:1::2 dev e1 weight 2
         route add 2001:db8:5::/48 dev e0 table 100
         route add 2001:db8:6::/48 dev e0 metric 9 expires 300
         route add blackhole 2001:db8:7::/48
         route add unreachable 2001:db8:8::/48
         nexthop add id 31 via fd00:0::4 dev e0
         route add 2001:db8:9::/48 nhid 31 metric 70
        ",
    );
}

#[test]
fn the_table_is_the_one_that_ip_shows() {
    isolated(|| {
        routes_of_every_kind();
        let host = Host::open().unwrap();
        for names in FAMILIES {
            let query = RouteQuery { family: Some(names.family), ..RouteQuery::default() };
            let expected = told_by_ip(names.flag);
            assert!(expected.len() > 15, "{expected:#?}");
            let rows = host.routes(&query).unwrap();
            assert_eq!(told(&host, &rows), expected, "{}", names.family);
            assert_eq!(steady(&unprivileged(|| host.routes(&query)).unwrap()), steady(&rows));
            let streamed: Vec<_> = host.routes_iter(&query).unwrap().map(Result::unwrap).collect();
            assert_eq!(steady(&streamed), steady(&rows));
            for row in &rows {
                assert_eq!(row.family(), names.family);
                assert_eq!(row.metric, row.system_metric, "no interface has a metric by hand");
            }
        }
        let both = host.routes(&RouteQuery::default()).unwrap();
        assert_eq!(both.len(), told_by_ip("-4").len() + told_by_ip("-6").len());
        assert!(both.is_sorted_by_key(|row| row.family()));
    });
}

#[test]
fn a_query_names_tables_and_an_interface() {
    isolated(|| {
        routes_of_every_kind();
        let host = Host::open().unwrap();
        let all = host.routes(&RouteQuery::default()).unwrap();
        let e1 = host.interface_named("e1").unwrap();
        for tables in [
            RouteTables::All,
            RouteTables::MainAndLocal,
            RouteTables::One(100),
            RouteTables::One(254),
            RouteTables::One(4711),
        ] {
            for interface in [None, Some(e1.luid.into())] {
                let query = RouteQuery { tables, interface, ..RouteQuery::default() };
                let mut expected = all.clone();
                expected.retain(|row| {
                    tables.contains(row.table) && (interface.is_none() || row.luid == Some(e1.luid))
                });
                let mut rows = host.routes(&query).unwrap();
                let key = |row: &iphelper::route::Route| (row.family(), row.table);
                rows.sort_by_key(key);
                expected.sort_by_key(key);
                assert_eq!(steady(&rows), steady(&expected), "{query:?}");
                assert_eq!(
                    interface.is_none() && rows.is_empty(),
                    interface.is_none() && tables == RouteTables::One(4711)
                );
            }
        }
        let unknown = RouteQuery { interface: Some(InterfaceIndex(4711).into()), ..RouteQuery::default() };
        assert_eq!(host.routes(&unknown).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
    });
}

#[test]
fn a_row_tells_what_windows_row_cannot() {
    isolated(|| {
        routes_of_every_kind();
        let host = Host::open().unwrap();
        let all = host.routes(&RouteQuery::default()).unwrap();
        let to = |prefix: &str| {
            let found: Vec<_> = all.iter().filter(|it| it.destination.to_string() == prefix).collect();
            found
        };
        let bgp = to("192.0.2.0/24")[1];
        assert_eq!(
            (bgp.protocol, bgp.origin, bgp.mtu),
            (RouteProtocol::Bgp, RouteOrigin::Manual, Some(1000))
        );
        assert_eq!(bgp.preferred_source, Some("10.0.0.1".parse().unwrap()));
        assert_eq!(bgp.beyond_row(), ["its MTU"]);
        assert_eq!(to("192.0.2.0/24").iter().filter(|it| it.type_of_service == 0x10).count(), 1);
        let dhcp = to("198.51.100.7/32")[0];
        assert_eq!((dhcp.protocol, dhcp.origin), (RouteProtocol::Dhcp, RouteOrigin::Dhcp));
        assert!(dhcp.beyond_row().is_empty() && dhcp.next_hop.is_unspecified());
        let hops: Vec<_> = to("203.0.113.0/24").iter().map(|it| it.multipath.unwrap()).collect();
        assert_eq!(hops.iter().map(|it| (it.hops, it.weight)).collect::<Vec<_>>(), [(2, 3), (2, 1)]);
        let other = to("198.51.100.0/24")[0];
        assert_eq!(other.next_hop.to_string(), "fd00::2");
        assert_eq!(other.beyond_row(), ["a next hop of the other family", "its table"]);
        let blackhole = to("203.0.115.0/24")[0];
        assert_eq!((blackhole.kind, blackhole.luid, blackhole.key()), (RouteKind::Blackhole, None, None));
        assert_eq!(to("203.0.119.0/24")[0].next_hop_object, Some(11));
        assert_eq!(to("203.0.120.0/24").len(), 2, "a group has a row for each member");
        let from = to("2001:db8:2::/48")[0];
        assert_eq!(from.source.unwrap().to_string(), "2001:db8:ff::/48");
        let ending = to("2001:db8:6::/48")[0].valid_lifetime.unwrap();
        assert!((Duration::from_secs(200)..=Duration::from_secs(300)).contains(&ending), "{ending:?}");
        let own = to("10.0.0.1/32")[0];
        assert_eq!((own.kind, own.origin), (RouteKind::Local, RouteOrigin::WellKnown));
        assert!(all.iter().all(|row| row.age.is_none()), "the kernel does not keep it");

        // What is hidden in an object is looked up.
        set_sysctl("ipv4/nexthop_compat_mode", "0");
        let hidden = host.routes(&RouteQuery::default()).unwrap();
        let hops = |rows: &[iphelper::route::Route], prefix: &str| -> Vec<_> {
            let rows = rows.iter().filter(|it| it.destination.to_string() == prefix);
            rows.map(|it| (it.next_hop, it.luid, it.next_hop_object)).collect()
        };
        for prefix in ["203.0.119.0/24", "203.0.120.0/24", "2001:db8:9::/48"] {
            assert_eq!(hops(&hidden, prefix), hops(&all, prefix), "{prefix}");
        }
    });
}

#[test]
fn one_route_is_read_by_its_key() {
    isolated(|| {
        routes_of_every_kind();
        let host = Host::open().unwrap();
        let kind = |prefix: &str, next_hop: &str, interface| {
            host.route(&key(prefix, next_hop, interface)).map_err(|error| error.kind())
        };
        let lowest = kind("192.0.2.0/24", "10.0.0.2", "e0").unwrap();
        assert_eq!((lowest.metric, lowest.type_of_service), (7, 0), "that for all packets, of lowest metric");
        let exact = key("192.0.2.0/24", "10.0.0.2", "e0").with_metric(9);
        assert_eq!(host.route(&exact).unwrap().metric, 9);
        assert_eq!(kind("192.0.2.0/24", "10.1.0.2", "e1").unwrap().metric, 7);
        assert_eq!(kind("203.0.113.0/24", "10.1.0.2", "e1").unwrap().multipath.unwrap().hops, 2);
        assert_eq!(kind("10.0.0.1/32", "0.0.0.0", "e0").unwrap().table, 255);
        assert_eq!(kind("2001:db8:5::/48", "::", "e0"), Err(ErrorKind::NotFound), "in another table");
        assert!(host.route(&key("2001:db8:5::/48", "::", "e0").in_table(100)).is_ok());
        for (prefix, next_hop, interface) in [
            ("192.0.2.0/24", "10.0.0.3", "e0"),
            ("192.0.2.0/24", "10.0.0.2", "e1"),
            ("192.0.2.0/25", "10.0.0.2", "e0"),
            ("192.0.2.0/24", "0.0.0.0", "e0"),
            ("2001:db8:4::/48", "fd00::2", "e1"),
        ] {
            assert_eq!(kind(prefix, next_hop, interface), Err(ErrorKind::NotFound), "{prefix} {next_hop}");
        }
        assert_eq!(kind("2001:db8:4::/48", "10.0.0.2", "e1"), Err(ErrorKind::InvalidParameter));
        for row in host.routes(&RouteQuery::default()).unwrap() {
            if let Some(key) = row.key().filter(|_| row.type_of_service == 0) {
                assert_eq!(steady(&[host.route(&key).unwrap()]), steady(&[row]));
            }
        }
        set_sysctl("ipv6/conf/e1/disable_ipv6", "1");
        assert_eq!(kind("2001:db8:4::/48", "fd00:1::2", "e1"), Err(ErrorKind::NotFound));
        assert!(kind("192.0.2.0/24", "10.1.0.2", "e1").is_ok(), "IPv4 is unaffected");
        let gone = key("192.0.2.0/24", "10.1.0.2", "e1");
        let _ = run("ip link del e1");
        assert_eq!(host.route(&gone).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
    });
}

#[test]
fn what_a_router_advertised_has_that_origin() {
    let router = NetNs::new();
    isolated(|| {
        let _ = run(&format!("ip link add e0 type veth peer name r0 netns {}", router.path()));
        let _ = router.sh("ip link set r0 up");
        let _ = run("ip link set e0 up");
        let ready = || router.sh("ip -6 addr show dev r0 -tentative").contains("fe80::");
        eventually("the router has an address", ready);
        let prefix = "2001:db8:77::".parse().unwrap();
        let advertisement = Advertisement {
            router_lifetime: 1800,
            prefix,
            route: None,
            managed: false,
            other_configuration: false,
        };
        eventually("the router is heard", || {
            router.run(|| advertisement.send("r0"));
            run("ip -6 route show").contains("2001:db8:77::/64") && run("ip -6 route").contains("default")
        });
        let rows = Host::open().unwrap().routes(&RouteQuery {
            family: Some(Family::V6),
            tables: RouteTables::One(254),
            interface: None,
        });
        let origin = |prefix: &str| {
            let rows = rows.as_ref().unwrap();
            rows.iter().find(|it| it.destination.to_string() == prefix).unwrap().origin
        };
        assert_eq!(origin("::/0"), RouteOrigin::RouterAdvertisement);
        assert_eq!(origin("2001:db8:77::/64"), RouteOrigin::RouterAdvertisement);
        assert_eq!(origin("fe80::/64"), RouteOrigin::WellKnown);
    });
}

/// Adds so many IPv4 routes with `ip`, and compares every row.
fn many(count: u32) {
    isolated(|| {
        interfaces();
        let first = u32::from_be_bytes([16, 0, 0, 0]);
        let script = (0..count).fold(String::new(), |mut script, number| {
            let (to, interface) = (Ipv4Addr::from_bits(first + number), number % 3);
            let metric = number % 100;
            let _ =
                writeln!(script, "route add {to} via 10.{interface}.0.2 dev e{interface} metric {metric}");
            script
        });
        ip_batch(&script);
        let host = Host::open().unwrap();
        let luids = ["e0", "e1", "e2"].map(|name| host.interface_named(name).unwrap().luid);
        let mut seen = vec![false; count as usize];
        for row in
            host.routes_iter(&RouteQuery { family: Some(Family::V4), ..RouteQuery::default() }).unwrap()
        {
            let row = row.unwrap();
            let IpAddr::V4(to) = row.destination.address() else { panic!("{row:?}") };
            let number = to.to_bits().wrapping_sub(first);
            let Some(seen) = seen.get_mut(number as usize).filter(|_| row.destination.len() == 32) else {
                continue;
            };
            assert!(!std::mem::replace(seen, true), "{row:?} twice");
            let interface = number % 3;
            assert_eq!(row.next_hop, IpAddr::from([10, interface as u8, 0, 2]));
            assert_eq!((row.luid, row.metric), (Some(luids[interface as usize]), number % 100));
        }
        assert!(seen.iter().all(|seen| *seen), "a route is missing");
    });
}

#[test]
fn a_long_table_is_read_whole() {
    many(50_000);
}

#[test]
#[ignore = "ten seconds and more; the benchmark compares a million rows, too"]
fn a_table_of_a_million_routes_is_read_whole() {
    many(1_000_000);
}
