//! How fast the forwarding table is read and filled, beside the kernel's own speed and beside `ip`.
//!
//! ```text
//! cargo bench -p iphelper-capi --bench route                      1,000,000 routes, 100,000 added, 5 rounds
//! cargo bench -p iphelper-capi --bench route -- --smoke           a small run that shows that everything works
//! cargo bench -p iphelper-capi --bench route -- --rows 300000     another size
//! ```
//!
//! Everything happens in private network namespaces. Each round takes every measurement once, so that all of them see the
//! same machine; the medians and their ratios are printed, and nothing is asserted about them. What was read is compared
//! with what was added, row by row.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark fails as a test does")]

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{NewRoute, RouteKey, RouteQuery, RouteTables};
use iphelper::{Family, Host, InterfaceLuid};
use iphelper_capi::error::Win32;
use iphelper_capi::raw::{MIB_IPFORWARD_ROW2, MIB_IPFORWARD_TABLE2, Table};
use iphelper_capi::{memory, route};
use iphelper_netlink::message::{ACK, APPEND, CREATE};
use iphelper_netlink::rtnetlink::route::{Filter, Route, dump};
use iphelper_testkit::bench::{Times, ip_batch, run_quietly, value_or, walk_dump};
use iphelper_testkit::{CountingAllocator, NetNs, isolated, run};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
use std::fmt::Write as _;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

iphelper_testkit::private_user_namespace!();

#[global_allocator]
static MEMORY: CountingAllocator = CountingAllocator::new();

/// The first destination; the others follow, each an address of its own.
const FIRST: u32 = 0x1000_0000;
const AF_INET: u8 = 2;

const FLOOR: &str = "floor: receive the dump, walk the messages";
const C_TABLE: &str = "GetIpForwardTable2";
const RUST_TABLE: &str = "Host::routes";
const ITERATOR: &str = "Host::routes_iter";
const IP_SHOW: &str = "ip route show";
const OURS: &str = "Host::create_routes, one call";
const IP_BATCH: &str = "ip -batch";
const FLOOR_ONE: &str = "floor: RTM_NEWROUTE, one at a time";
const ONE: &str = "Host::create_route, one at a time";
const ONE_DELETED: &str = "Host::delete_route, one at a time";
const ONE_METRIC: &str = "the same, by an interface with a metric";

fn main() {
    let number =
        |name, small, whole| u32::try_from(value_or(name, small, whole)).expect("a number of routes");
    let rows = number("--rows", 2_000, 1_000_000);
    let added = number("--add", 1_000, 100_000);
    let rounds = value_or("--rounds", 1, 5);
    println!("{rows} routes, {added} added, medians of {rounds} rounds");
    let mut times = Times::default();
    let memory = NetNs::new().run(|| read(rows, rounds, &mut times));
    for _ in 0..rounds {
        add(added, &mut times);
    }
    let single = number("--single", 100, 5_000);
    println!("{single} added, or deleted, one at a time, beside 10,000");
    for _ in 0..rounds {
        add_singly(single, &mut times);
    }
    times.print(FLOOR);
    times.print_ratios(&[
        (C_TABLE, FLOOR, "at most 1.5 wanted"),
        (IP_SHOW, C_TABLE, "more than 1 wanted"),
        (IP_BATCH, OURS, "at least 1 wanted"),
    ]);
    println!("most memory that {ITERATOR} took: {} KiB", memory / 1024);
    for name in [FLOOR_ONE, ONE, ONE_DELETED, ONE_METRIC] {
        println!("{name:45} {:10.1} us each", times.median(name) * 1e3 / f64::from(single));
    }
}

/// An interface that is up; a host of this namespace.
fn namespace() -> (Host, InterfaceLuid) {
    let _ = run("ip link add e0 type veth peer name p0");
    let _ = run("ip link set p0 up");
    let _ = run("ip link set e0 up");
    let _ = run("ip addr add 10.0.0.1/24 dev e0");
    let host = Host::open().expect("opening the namespace");
    let luid = host.interface_named("e0").expect("the interface").luid;
    (host, luid)
}

fn new_routes(count: u32, interface: InterfaceLuid) -> Vec<NewRoute> {
    let route = |number: u32| {
        let destination = iphelper::Prefix::host(Ipv4Addr::from_bits(FIRST + number).into());
        NewRoute::new(destination, Ipv4Addr::new(10, 0, 0, 2).into(), interface).with_metric(number % 100)
    };
    (0..count).map(route).collect()
}

/// How much memory the iterator took at most.
fn read(rows: u32, rounds: usize, times: &mut Times) -> usize {
    let (host, luid) = namespace();
    let outcomes = host.create_routes(&new_routes(rows, luid)).expect("adding the routes");
    assert!(outcomes.iter().all(Result::is_ok));
    drop(outcomes);
    let query = RouteQuery { family: Some(Family::V4), tables: RouteTables::MainAndLocal, interface: None };
    check(rows);
    let mut most = 0;
    for _ in 0..rounds {
        times.take(FLOOR, || assert!(floor() >= rows as usize));
        times.take(C_TABLE, || {
            let mut table: *mut MIB_IPFORWARD_TABLE2 = std::ptr::null_mut();
            // SAFETY: the table is a live variable, and freed once.
            unsafe {
                assert_eq!(route::ip_forward_table2::<Win32>(2, &raw mut table), 0);
                assert!((*table).NumEntries >= rows);
                memory::free_mib_table(black_box(table).cast());
            }
        });
        times.take(RUST_TABLE, || {
            let table = host.routes(&query).expect("reading the table");
            assert!(black_box(table).len() >= rows as usize);
        });
        let (growth, ()) = MEMORY.growth(|| {
            times.take(ITERATOR, || {
                let read = host.routes_iter(&query).expect("reading the table");
                let mut count = 0;
                for row in read {
                    let _ = black_box(row.expect("a row"));
                    count += 1;
                }
                assert!(count >= rows);
            });
        });
        most = most.max(growth);
        times.take(IP_SHOW, || run_quietly("ip", &["-4", "route", "show"]));
    }
    most
}

/// Every route is there once, with its metric.
fn check(rows: u32) {
    let mut table: *mut MIB_IPFORWARD_TABLE2 = std::ptr::null_mut();
    let mut seen = vec![false; rows as usize];
    // SAFETY: the table is a live variable with as many rows as it says, and freed once.
    unsafe {
        assert_eq!(route::ip_forward_table2::<Win32>(2, &raw mut table), 0);
        let first = table.cast::<u8>().add(MIB_IPFORWARD_TABLE2::ROWS_AT).cast::<MIB_IPFORWARD_ROW2>();
        for row in std::slice::from_raw_parts(first, (*table).NumEntries as usize) {
            let address = row.DestinationPrefix.Prefix.Ipv4.sin_addr.S_un.S_addr;
            let number = u32::from_be(address).wrapping_sub(FIRST);
            let Some(seen) = seen.get_mut(number as usize) else { continue };
            assert!(!std::mem::replace(seen, true), "route {number} twice");
            assert_eq!((row.Metric, row.DestinationPrefix.PrefixLength), (number % 100, 32));
        }
        memory::free_mib_table(table.cast());
    }
    assert!(seen.iter().all(|seen| *seen), "a route is missing");
}

/// The least that any reader has to do: the dump that the table needs, received and walked.
fn floor() -> usize {
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).expect("a socket");
    // Without strict checking one dump holds all tables.
    walk_dump(&socket, dump(AF_INET, Filter::default()).finish(1))
}

fn add(count: u32, times: &mut Times) {
    let ours = isolated(|| {
        let (host, luid) = namespace();
        let new = new_routes(count, luid);
        let start = Instant::now();
        let outcomes = host.create_routes(&new).expect("adding the routes");
        let took = start.elapsed();
        assert!(outcomes.iter().all(Result::is_ok));
        took
    });
    times.push(OURS, ours);
    let batch = isolated(|| {
        let _ = namespace();
        let lines = (0..count).fold(String::new(), |mut lines, number| {
            let destination = Ipv4Addr::from_bits(FIRST + number);
            let metric = number % 100;
            let _ = writeln!(lines, "route add {destination}/32 via 10.0.0.2 dev e0 metric {metric}");
            lines
        });
        let start = Instant::now();
        ip_batch(&lines);
        start.elapsed()
    });
    times.push(IP_BATCH, batch);
}

/// Each added or deleted by a call of its own, beside what the kernel needs for the message and its acknowledgement.
fn add_singly(count: u32, times: &mut Times) {
    const THERE: u32 = 10_000;
    let measure = |work: &(dyn Fn(&Host, &[NewRoute]) -> Duration + Sync)| {
        isolated(|| {
            let (host, luid) = namespace();
            let new = new_routes(THERE + count, luid);
            let (there, new) = new.split_at(THERE as usize);
            assert!(host.create_routes(there).expect("adding routes").iter().all(Result::is_ok));
            work(&host, new)
        })
    };
    times.push(FLOOR_ONE, measure(&floor_of_single));
    let singly = |host: &Host, new: &[NewRoute]| {
        let start = Instant::now();
        for route in new {
            let _ = host.create_route(route).expect("adding a route");
        }
        start.elapsed()
    };
    times.push(ONE, measure(&singly));
    times.push(
        ONE_DELETED,
        measure(&|host, new| {
            assert!(host.create_routes(new).expect("adding routes").iter().all(Result::is_ok));
            let start = Instant::now();
            for route in new {
                let key = RouteKey::new(route.destination, route.next_hop, route.interface);
                let _ = host.delete_route(&key).expect("deleting a route");
            }
            start.elapsed()
        }),
    );
    times.push(
        ONE_METRIC,
        measure(&|host, new| {
            let change = IpInterfaceChange {
                use_automatic_metric: Some(false),
                metric: Some(50),
                ..Default::default()
            };
            let index = host.interface_named("e0").expect("the interface").index;
            let _ = host.set_ip_interface(Family::V4, index, &change).expect("setting the metric");
            singly(host, new)
        }),
    );
}

fn floor_of_single(host: &Host, new: &[NewRoute]) -> Duration {
    let index = host.interface_named("e0").expect("the interface").index;
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).expect("a socket");
    let mut answer = [0; 1024];
    let start = Instant::now();
    for (number, route) in (1..).zip(new) {
        let wire = Route {
            destination: Some(route.destination.address()),
            destination_len: route.destination.len(),
            gateway: Some(route.next_hop),
            interface: Some(index.0),
            priority: route.metric,
            protocol: 105,
            ..Route::new(AF_INET, 254)
        };
        let mut request = wire.add(CREATE | APPEND | ACK);
        let _ = rustix::net::send(&socket, request.finish(number), SendFlags::empty()).expect("sending");
        let _ = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty()).expect("receiving");
        assert_eq!(answer.get(16..20), Some(&[0; 4][..]), "refused");
    }
    start.elapsed()
}
