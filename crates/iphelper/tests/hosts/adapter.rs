//! Adapters, compared with the chapters that they are made of, and with `ip -json`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::adapter::{Adapter, AdapterQuery, DhcpClient};
use iphelper::interface::InterfaceLevel;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{MAIN_TABLE, RouteQuery, RouteTables};
use iphelper::types::Lifetime;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{
    addresses_settle, eventually, isolated, run, set_sysctl, sysctl, with_empty_folders, zoo,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

const ALL: AdapterQuery = AdapterQuery {
    family: None,
    all_interfaces: true,
    unicast: true,
    anycast: true,
    multicast: true,
    gateways: true,
    dns: true,
    dhcp: true,
};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn json(command: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(&run(command)).unwrap().as_array().unwrap().clone()
}

fn named<'a>(adapters: &'a [Adapter], name: &str) -> &'a Adapter {
    adapters.iter().find(|it| it.interface.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn names(adapters: &[Adapter]) -> BTreeSet<&str> {
    adapters.iter().map(|it| it.interface.name.as_str()).collect()
}

/// A zoo with addresses, groups and routers of both families.
fn furnished() -> Host {
    // Nobody else has the addresses: interfaces made from now on do not look.
    set_sysctl("ipv6/conf/default/accept_dad", "0");
    zoo();
    for command in [
        "ip link set lo up",
        "ip addr add 192.0.2.7/24 dev e0",
        "ip addr add 192.0.2.8/24 dev e0",
        "ip addr add 2001:db8::7/64 dev e0 nodad",
        "ip addr add 198.51.100.1/31 dev e1",
        "ip route add default via 192.0.2.1 metric 20",
        "ip route add default via 192.0.2.2 metric 10",
        "ip route add 203.0.113.0/24 via 192.0.2.3",
        "ip route add default via 192.0.2.9 dev e0 table 77",
        "ip -6 route add default via 2001:db8::1 dev e0",
        "ip maddr add 01:00:5e:01:02:03 dev e0",
    ] {
        let _ = run(command);
    }
    let host = Host::open().unwrap();
    let e0 = host.interface_named("e0").unwrap().index;
    let _ = host.create_anycast_address(e0, ip("192.0.2.99")).unwrap();
    let _ = host.create_anycast_address(e0, ip("2001:db8::99")).unwrap();
    eventually("the groups of the addresses of e0", || {
        let groups = run("ip maddr show dev e0");
        groups.contains("ff02::1:ff00:99") && groups.contains("ff02::1:ff00:7")
    });
    addresses_settle(&["e0", "e1", "m0"]);
    host
}

#[test]
fn each_row_is_that_of_its_chapter() {
    isolated(|| {
        let host = furnished();
        let change = IpInterfaceChange { metric: Some(7), ..IpInterfaceChange::default() };
        let e0 = host.interface_named("e0").unwrap().index;
        let _ = host.set_ip_interface(Family::V4, e0, &change).unwrap();
        let adapters = host.adapters(&ALL).unwrap();
        let interfaces = host.interfaces(InterfaceLevel::NormalWithoutStatistics).unwrap();
        assert_eq!(adapters.len(), interfaces.len());
        assert_eq!(adapters[0].interface.name, "e0", "the lowest metric is at the front");
        let ip_interfaces = host.ip_interfaces(None).unwrap();
        let unicast = host.unicast_addresses(None).unwrap();
        let anycast = host.anycast_addresses(None).unwrap();
        let multicast = host.multicast_addresses(None).unwrap();
        for interface in &interfaces {
            let adapter = named(&adapters, &interface.name);
            assert_eq!(adapter.interface, *interface);
            for family in Family::ALL {
                let row =
                    ip_interfaces.iter().find(|row| row.index == interface.index && row.family == family);
                let ip = adapter.ip(family);
                assert_eq!(ip.is_some(), row.is_some(), "{} {family}", interface.name);
                let (Some(ip), Some(row)) = (ip, row) else { continue };
                assert_eq!(ip.metric, row.metric, "{} {family}", interface.name);
                let managed = row.managed_address_configuration_supported;
                assert_eq!(ip.managed_address_configuration_supported, managed);
                let other = row.other_stateful_configuration_supported;
                assert_eq!(ip.other_stateful_configuration_supported, other);
            }
            let own = |index: InterfaceIndex| index == interface.index;
            let rows: Vec<_> = unicast.iter().filter(|row| own(row.index)).cloned().collect();
            assert_eq!(adapter.unicast_addresses.len(), rows.len());
            for (ours, row) in adapter.unicast_addresses.iter().zip(&rows) {
                assert_eq!((ours.address, ours.luid, ours.dad_state), (row.address, row.luid, row.dad_state));
                assert_eq!((&ours.name, ours.scope_id, ours.created), (&row.name, row.scope_id, row.created));
                assert_eq!(ours.on_link_prefix_length, row.on_link_prefix_length);
                assert_eq!((ours.prefix_origin, ours.suffix_origin), (row.prefix_origin, row.suffix_origin));
            }
            let sorted = |mut rows: Vec<_>| {
                rows.sort();
                rows
            };
            let ours =
                adapter.anycast_addresses.iter().map(|row| (row.address, row.scope_id, row.luid)).collect();
            let theirs = anycast.iter().filter(|row| own(row.index));
            let theirs = theirs.map(|row| (row.address, row.scope_id, row.luid)).collect();
            assert_eq!(sorted(ours), sorted(theirs), "{}", interface.name);
            let rows: Vec<_> = multicast.iter().filter(|row| own(row.index)).cloned().collect();
            assert_eq!(adapter.multicast_addresses, rows);
        }
        assert_eq!(named(&adapters, "e0").anycast_addresses.len(), 2);
    });
}

#[test]
fn addresses_and_routers_are_what_ip_shows() {
    isolated(|| {
        let host = furnished();
        let adapters = host.adapters(&ALL).unwrap();
        let shown = json("ip -json addr show");
        assert_eq!(shown.len(), adapters.len());
        for link in &shown {
            let adapter = named(&adapters, link["ifname"].as_str().unwrap());
            assert_eq!(u64::from(adapter.interface.index.0), link["ifindex"].as_u64().unwrap());
            assert_eq!(u64::from(adapter.interface.mtu), link["mtu"].as_u64().unwrap());
            let addresses: BTreeSet<(String, u64)> = adapter
                .unicast_addresses
                .iter()
                .map(|row| (row.address.to_string(), u64::from(row.on_link_prefix_length)))
                .collect();
            let theirs: BTreeSet<(String, u64)> = link["addr_info"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| (it["local"].as_str().unwrap().to_owned(), it["prefixlen"].as_u64().unwrap()))
                .filter(|(address, _)| address != "192.0.2.99" && address != "2001:db8::99")
                .collect();
            assert_eq!(addresses, theirs);
            let mut routers: Vec<IpAddr> = Vec::new();
            for digit in [4, 6] {
                let mut routes = json(&format!("ip -{digit} -json route show default"));
                routes.retain(|it| it["dev"] == link["ifname"]);
                routes.sort_by_key(|it| it["metric"].as_u64().unwrap());
                routers.extend(
                    routes.iter().map(|it| it["gateway"].as_str().unwrap().parse::<IpAddr>().unwrap()),
                );
            }
            let ours: Vec<IpAddr> = adapter.gateways.iter().map(|it| it.address).collect();
            assert_eq!(ours, routers, "{}", adapter.interface.name);
        }
        let e0 = named(&adapters, "e0");
        assert_eq!(e0.gateways.iter().map(|it| it.system_metric).collect::<Vec<_>>(), [10, 20, 1024]);
        let chapter = host
            .routes(&RouteQuery { tables: RouteTables::One(MAIN_TABLE), ..RouteQuery::default() })
            .unwrap();
        let routers =
            chapter.iter().filter(|row| row.destination.len() == 0 && !row.next_hop.is_unspecified());
        let ours: usize = adapters.iter().map(|it| it.gateways.len()).sum();
        assert_eq!(routers.count(), ours);
    });
}

#[test]
fn routers_of_several_next_hops_and_of_objects_count() {
    isolated(|| {
        let _ = furnished();
        let _ = run("ip addr add 203.0.113.1/24 dev m0");
        let _ = run("ip route add default metric 5 nexthop via 192.0.2.4 nexthop via 203.0.113.2 weight 3");
        let _ = run("ip nexthop add id 10 via 192.0.2.5 dev e0");
        let _ = run("ip nexthop add id 11 via 203.0.113.3 dev m0");
        let _ = run("ip nexthop add id 12 group 10/11");
        let _ = run("ip route add default metric 6 nhid 12");
        let _ = run("ip -4 route add default metric 7 via inet6 2001:db8::77 dev e0");
        let mut seen = Vec::new();
        // With and without what the kernel adds for programs that know no objects.
        for mode in ["1", "0"] {
            set_sysctl("ipv4/nexthop_compat_mode", mode);
            let adapters = Host::open().unwrap().adapters(&ALL).unwrap();
            let of = |name: &str| -> Vec<IpAddr> {
                named(&adapters, name).gateways.iter().map(|it| it.address).collect()
            };
            let first: Vec<IpAddr> = of("e0").into_iter().take(3).collect();
            assert_eq!(first, [ip("192.0.2.4"), ip("192.0.2.5"), ip("2001:db8::77")]);
            assert_eq!(of("m0"), [ip("203.0.113.2"), ip("203.0.113.3")]);
            seen.push(adapters);
        }
        assert_eq!(seen[0].len(), seen[1].len());
    });
}

#[test]
fn a_query_leaves_out_what_it_does_not_ask_for() {
    isolated(|| {
        let host = furnished();
        let whole = host.adapters(&AdapterQuery::default()).unwrap();
        for (query, is_left_out) in [
            (
                AdapterQuery { unicast: false, ..AdapterQuery::default() },
                (|it: &Adapter| it.unicast_addresses.is_empty()) as fn(&Adapter) -> bool,
            ),
            (AdapterQuery { anycast: false, ..AdapterQuery::default() }, |it| {
                it.anycast_addresses.is_empty()
            }),
            (AdapterQuery { multicast: false, ..AdapterQuery::default() }, |it| {
                it.multicast_addresses.is_empty()
            }),
            (AdapterQuery { gateways: false, ..AdapterQuery::default() }, |it| it.gateways.is_empty()),
        ] {
            let adapters = host.adapters(&query).unwrap();
            assert!(adapters.iter().all(is_left_out), "{query:?}");
            assert!(whole.iter().any(|it| !is_left_out(it)), "{query:?}: nothing to leave out");
            for (cut, full) in adapters.iter().zip(&whole) {
                assert_eq!(cut.interface, full.interface);
                let lists = |it: &Adapter| {
                    [
                        it.unicast_addresses.len(),
                        it.anycast_addresses.len(),
                        it.multicast_addresses.len(),
                        it.gateways.len(),
                    ]
                };
                let differ = lists(cut).iter().zip(lists(full)).filter(|(a, b)| **a != *b).count();
                assert!(differ <= 1, "{query:?} left out more than one list");
            }
        }
        for family in Family::ALL {
            let adapters =
                host.adapters(&AdapterQuery { family: Some(family), ..AdapterQuery::default() }).unwrap();
            for it in &adapters {
                assert!(it.ip(family).is_some());
                assert!(it.unicast_addresses.iter().all(|row| Family::of(&row.address) == family));
                assert!(it.multicast_addresses.iter().all(|row| Family::of(&row.address) == family));
                assert!(it.gateways.iter().all(|it| it.family == family));
            }
            let e0 = named(&adapters, "e0");
            assert!(!e0.unicast_addresses.is_empty() && !e0.gateways.is_empty());
        }
    });
}

#[test]
fn interfaces_without_the_family_are_listed_on_request() {
    isolated(|| {
        let host = furnished();
        set_sysctl("ipv6/conf/e1/disable_ipv6", "1");
        let _ = run("ip link set e3 mtu 1000");
        let query = AdapterQuery { family: Some(Family::V6), ..AdapterQuery::default() };
        let with = host.adapters(&query).unwrap();
        assert!(names(&with).contains("e0") && !names(&with).contains("e1") && !names(&with).contains("e3"));
        let all = host.adapters(&AdapterQuery { all_interfaces: true, ..query }).unwrap();
        assert!(names(&all).is_superset(&["e0", "e1", "e3"].into()));
        assert!(named(&all, "e1").ipv6.is_none() && named(&all, "e1").ipv4.is_some());
        assert_eq!(named(&all, "e1").unicast_addresses, []);
        let e1 = host.adapter(named(&all, "e1").interface.luid, &ALL).unwrap();
        assert_eq!(e1.unicast_addresses[0].address, ip("198.51.100.1"));
        let nobody = host.adapter(InterfaceIndex(0x7fff_ffff), &ALL).unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::InterfaceNotFound);
    });
}

#[test]
fn one_adapter_is_as_it_stands_in_the_list() {
    isolated(|| {
        let host = furnished();
        for listed in host.adapters(&ALL).unwrap() {
            let mut alone = host.adapter(listed.interface.index, &ALL).unwrap();
            for (ours, row) in alone.unicast_addresses.iter_mut().zip(&listed.unicast_addresses) {
                (ours.valid_lifetime, ours.preferred_lifetime) = (row.valid_lifetime, row.preferred_lifetime);
            }
            assert_eq!(alone, listed);
        }
    });
}

#[test]
fn prefixes_are_those_of_hosts_subnets_broadcast_and_groups() {
    isolated(|| {
        let host = furnished();
        let adapters = host.adapters(&ALL).unwrap();
        let of = |name: &str, family| -> Vec<String> {
            named(&adapters, name).prefixes(family).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            of("e0", Some(Family::V4)),
            [
                "192.0.2.7/32",
                "192.0.2.0/24",
                "192.0.2.255/32",
                "192.0.2.8/32",
                "224.0.0.0/4",
                "255.255.255.255/32"
            ]
        );
        assert_eq!(
            of("e1", Some(Family::V4)),
            ["198.51.100.1/32", "198.51.100.0/31", "224.0.0.0/4", "255.255.255.255/32"]
        );
        assert_eq!(
            of("lo", None),
            [
                "127.0.0.1/32",
                "127.0.0.0/8",
                "127.255.255.255/32",
                "::1/128",
                "224.0.0.0/4",
                "255.255.255.255/32",
                "ff00::/8"
            ]
        );
        let ipv6 = of("e0", Some(Family::V6));
        assert!(ipv6.contains(&"2001:db8::/64".to_owned()) && ipv6.contains(&"2001:db8::7/128".to_owned()));
        assert!(!ipv6.iter().any(|it| it.contains('.')));
    });
}

#[test]
fn leases_count_while_the_interface_has_their_address() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip addr add 192.0.2.7/24 dev e0");
        let _ = run("ip addr add 198.51.100.7/24 dev e1");
        let _ = with_empty_folders(&["/run", "/var/lib"], || {
            let host = Host::open().unwrap();
            let index = |name: &str| host.interface_named(name).unwrap().index;
            let write = |path: &str, text: &str| {
                std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            };
            let lease = |name: &str| host.adapter(index(name), &ALL).unwrap().dhcp;
            assert_eq!((lease("e0"), lease("e1")), (None, None));

            let file = format!("/run/systemd/netif/leases/{}", index("e0").0);
            write(&file, "ADDRESS=192.0.2.7\nSERVER_ADDRESS=192.0.2.1\nLIFETIME=3600\n");
            // Somebody else's: another interface with the address, and one that has gone.
            write("/run/systemd/netif/leases/1", "ADDRESS=192.0.2.7\n");
            write(
                &format!("/run/NetworkManager/devices/{}", index("e1").0),
                "[dhcp4]\ndhcp4.ip_address=198.51.100.8\n",
            );
            let found = lease("e0").unwrap();
            assert_eq!(
                (found.client, found.server),
                (DhcpClient::Networkd, Some("192.0.2.1".parse().unwrap()))
            );
            let left = found.remaining().unwrap();
            assert!(left > Lifetime::from_secs(3000) && left <= Lifetime::from_secs(3600), "{left}");
            assert_eq!(lease("e1"), None);
            assert_eq!(lease("lo"), None);

            write(
                "/var/lib/dhcp/dhclient.leases",
                "lease { interface \"e1\"; fixed-address 198.51.100.7; option dhcp-lease-time 60; expire 0 2099/1/1 0:0:0; }",
            );
            assert_eq!(lease("e1").unwrap().client, DhcpClient::Dhclient);
            // A link instead of a file is not followed, a pipe is not waited for.
            std::fs::remove_file("/var/lib/dhcp/dhclient.leases").unwrap();
            write("/var/lib/elsewhere", "lease { interface \"e1\"; fixed-address 198.51.100.7; }");
            std::os::unix::fs::symlink("/var/lib/elsewhere", "/var/lib/dhcp/dhclient.leases").unwrap();
            let _ = run("mkfifo /var/lib/dhcp/dhclient.e1.leases");
            assert_eq!(lease("e1"), None);

            let query = AdapterQuery { dhcp: false, ..ALL };
            assert!(host.adapters(&query).unwrap().iter().all(|it| it.dhcp.is_none()));
            let query = AdapterQuery { unicast: false, ..ALL };
            let adapters = host.adapters(&query).unwrap();
            let e0 = named(&adapters, "e0");
            assert!(e0.dhcp.is_some() && e0.unicast_addresses.is_empty());
            let _ = run("ip addr del 192.0.2.7/24 dev e0");
            assert_eq!(lease("e0"), None, "the address is gone");
        });
    });
}

#[test]
fn name_servers_are_those_of_the_dns_chapter() {
    isolated(|| {
        let host = furnished();
        let dns = host.dns().unwrap();
        for adapter in host.adapters(&ALL).unwrap() {
            let own = adapter.dns.unwrap();
            let chapter = dns.interface(adapter.interface.index);
            let servers: Vec<_> = chapter.iter().flat_map(|it| it.all_servers()).cloned().collect();
            assert_eq!(own.servers, servers, "{}", adapter.interface.name);
            assert_eq!(own.domains, chapter.map(|it| it.domains.clone()).unwrap_or_default());
        }
        let query = AdapterQuery { dns: false, ..ALL };
        assert!(host.adapters(&query).unwrap().iter().all(|it| it.dns.is_none()));
    });
}

#[test]
fn reading_writes_nothing() {
    isolated(|| {
        let host = furnished();
        let seen =
            || [run("ip -d addr show"), run("ip route show table all"), sysctl("ipv6/conf/e0/forwarding")];
        let before = seen();
        let _ = host.adapters(&ALL).unwrap();
        // Lifetimes count down.
        let without_seconds = |text: &str| {
            text.lines().filter(|line| !line.contains("_lft")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(before.map(|it| without_seconds(&it)), seen().map(|it| without_seconds(&it)));
    });
}
