//! Tables that are kept by announcements, compared with what the kernel lists.

use super::super::super::super::LinuxHost;
use super::super::{News, View, Watcher};
use crate::backend::{Address as _, Neighbor as _, Route as _};
use crate::notification::{ChangeKind, Classes, Subject};
use crate::route::RouteQuery;
use iphelper_testkit::{PATIENCE, isolated, run};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A row in words, by what names it.
type Table = BTreeMap<String, String>;

const CLASSES: Classes = Classes::NETWORK;

fn entry(subject: &Subject) -> Option<(String, String)> {
    Some(match subject {
        Subject::Route(row) => {
            let mut row = row.clone();
            row.valid_lifetime = None;
            let key = format!(
                "route {} {:?} {} by {} over {:?} metric {} tos {}",
                row.destination,
                row.source,
                row.table,
                row.next_hop,
                row.index,
                row.system_metric,
                row.type_of_service
            );
            (key, format!("{row:?}"))
        }
        Subject::UnicastAddress(row) => {
            let key = format!("address {} on {:?}", row.address, row.index);
            (key, format!("{:?}", row.dad_state))
        }
        // Those of groups and those that are being sought are not announced, and found by looking.
        Subject::Neighbor(row) if row.nud_state & 0x41 != 0 || row.nud_state == 0 => return None,
        Subject::Neighbor(row) => {
            (format!("neighbour {} on {:?}", row.address, row.index), format!("{}", row.physical_address))
        }
        _ => return None,
    })
}

/// What the kernel lists.
fn listed() -> Table {
    let host = LinuxHost::open().unwrap();
    let routes = host.routes(&RouteQuery::default()).unwrap().into_iter().map(Box::new).map(Subject::Route);
    let addresses = host.unicast_addresses(None).unwrap();
    let addresses = addresses.into_iter().map(Box::new).map(Subject::UnicastAddress);
    let neighbors = host.neighbors(None).unwrap().into_iter().map(Box::new).map(Subject::Neighbor);
    let rows: Vec<_> =
        routes.chain(addresses).chain(neighbors).filter_map(|subject| entry(&subject)).collect();
    let mut table = Table::new();
    for (key, row) in rows {
        // The first of those that one key names is the one that counts.
        let _ = table.entry(key).or_insert(row);
    }
    table
}

/// A watcher, and what its events add up to.
struct Watched {
    watcher: Watcher,
    table: Table,
    resynchronised: usize,
    /// Whether the table was the kernel's once. Before, it may have what the news tell as well.
    is_strict: bool,
}

impl Watched {
    fn new() -> Self {
        let mut watcher = Watcher::open(Arc::new(LinuxHost::open().unwrap())).unwrap();
        watcher.want(CLASSES, true, &mut News::default()).unwrap();
        let mut watched = Self { watcher, table: listed(), resynchronised: 0, is_strict: false };
        watched.check("the beginning");
        watched.is_strict = true;
        watched
    }

    fn with_a_tiny_queue() -> Self {
        let watched = Self::new();
        rustix::net::sockopt::set_socket_recv_buffer_size(watched.watcher.socket(), 1).unwrap();
        watched
    }

    /// Takes in what is there; whether that was nothing, and nothing is to be done later.
    fn step(&mut self) -> bool {
        let mut news = News::default();
        let later = self.watcher.update(false, &mut news).unwrap();
        for (view, event) in news.iter().filter(|(view, _)| *view != View::Windows) {
            self.resynchronised += usize::from(event.resynchronised);
            let Some((key, row)) = entry(&event.subject) else { continue };
            let before = match event.kind {
                ChangeKind::Add | ChangeKind::Parameter => self.table.insert(key.clone(), row),
                ChangeKind::Delete => self.table.remove(&key),
            };
            let is_sound = before.is_some() == (event.kind != ChangeKind::Add);
            assert!(is_sound || !self.is_strict, "{view:?} {event:?}, before: {before:?}");
        }
        news.is_empty() && later.is_none()
    }

    fn settle(&mut self) {
        while !self.step() {}
    }

    /// Compares with the kernel's list. Neighbour discovery and duplicate detection go on by themselves.
    fn check(&mut self, after: &str) {
        let mut differences = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.settle();
            let listed = listed();
            if listed == self.table {
                return;
            }
            differences.clear();
            for key in listed.keys().chain(self.table.keys()) {
                if listed.get(key) != self.table.get(key) {
                    differences.push((key.clone(), listed.get(key).cloned(), self.table.get(key).cloned()));
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("after {after} (listed, watched): {differences:#?}");
    }
}

fn network() {
    for command in [
        "ip link add e0 type veth peer name e1",
        "ip link add e2 type veth peer name e3",
        "ip link set e0 up",
        "ip link set e1 up",
        "ip link set e2 up",
        "ip link set e3 up",
        "ip link set lo up",
        "ip address add 192.0.2.1/24 dev e0",
        "ip address add 198.51.100.1/24 dev e2",
        "ip address add 2001:db8::1/64 dev e0 nodad",
        "ip address add 2001:db8:2::1/64 dev e2 nodad",
    ] {
        let _ = run(command);
    }
}

#[test]
fn every_kind_of_change_is_followed() {
    isolated(|| {
        network();
        let mut watched = Watched::new();
        for command in [
            "ip route add 203.0.113.0/24 via 192.0.2.7",
            "ip route add 203.0.113.0/24 via 192.0.2.8 metric 5",
            "ip route append 203.0.113.0/24 via 198.51.100.7",
            "ip route prepend 203.0.113.0/24 via 198.51.100.8",
            "ip route replace 203.0.113.0/24 via 192.0.2.9",
            "ip route change 203.0.113.0/24 via 192.0.2.9 mtu 1400",
            "ip route del 203.0.113.0/24 via 198.51.100.7",
            "ip route add 203.0.113.128/25 nexthop via 192.0.2.7 nexthop via 198.51.100.7 weight 3",
            "ip route add blackhole 203.0.113.9 table 77",
            "ip route add 203.0.113.10 dev e0 tos 0x10",
            "ip -6 route add 2001:db8:9::/48 via 2001:db8::7",
            "ip -6 route append 2001:db8:9::/48 via 2001:db8:2::7",
            "ip -6 route append 2001:db8:9::/48 via 2001:db8:2::8",
            "ip -6 route add 2001:db8:9::/48 dev e0 metric 9",
            "ip -6 route append 2001:db8:9::/48 dev e2 metric 9",
            "ip -6 route del 2001:db8:9::/48 via 2001:db8::7",
            "ip -6 route replace 2001:db8:9::/48 via 2001:db8::9",
            "ip -6 route add unreachable 2001:db8:a::/48",
            "ip -6 route add 2001:db8:b::/48 from 2001:db8::/64 via 2001:db8::7",
            "ip -6 route add 2001:db8:c::/48 nexthop via 2001:db8::7 nexthop via 2001:db8:2::7",
            "ip nexthop add id 7 via 192.0.2.7 dev e0",
            "ip route add 203.0.113.64/26 nhid 7",
            "ip nexthop replace id 7 via 192.0.2.17 dev e0",
            "ip nexthop del id 7",
            "ip route add 203.0.113.32/27 via 192.0.2.7 src 192.0.2.2",
            "ip address add 192.0.2.1/25 dev e0",
            "ip address add 192.0.2.3/32 dev e0",
            "ip address change 192.0.2.3/32 dev e0 valid_lft 1000 preferred_lft 500",
            "ip address del 192.0.2.3/32 dev e0",
            "ip neighbor add 192.0.2.50 lladdr 02:00:00:00:00:50 dev e0",
            "ip neighbor replace 192.0.2.50 lladdr 02:00:00:00:00:51 dev e0",
            "ip neighbor add 2001:db8::50 lladdr 02:00:00:00:00:50 dev e0",
            "ip neighbor del 192.0.2.50 dev e0",
            "ip link set e0 down",
            "ip link set e0 up",
            "ip link set e1 down",
            "ip link set e1 up",
            "ip link set e2 name renamed",
            "ip link del e0",
            "ip link add e0 type veth peer name e1",
            "ip link del renamed",
        ] {
            if command.contains("192.0.2.2") {
                let _ = run("ip address add 192.0.2.2/24 dev e0");
                watched.check("ip address add 192.0.2.2/24 dev e0");
            }
            let _ = run(command);
            watched.check(command);
            if command.contains("192.0.2.2") {
                let _ = run("ip address del 192.0.2.2/24 dev e0");
                watched.check("ip address del 192.0.2.2/24 dev e0");
            }
        }
        assert_eq!(watched.resynchronised, 0, "nothing was lost");
    });
}

/// A random number from a small generator, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A file of commands for `ip -batch`, all of them about a few destinations, so that they meet.
fn commands(dice: &mut Dice, count: usize) -> String {
    let mut commands = String::new();
    for _ in 0..count {
        let verb = ["add", "append", "prepend", "replace", "del", "add"][dice.roll(6) as usize];
        let (metric, table) = (1 + dice.roll(2), [254, 99][dice.roll(2) as usize]);
        let command = match dice.roll(8) {
            0..3 => {
                let (subnet, router) =
                    ([("192.0.2", "e0"), ("198.51.100", "e2")][dice.roll(2) as usize], 5 + dice.roll(3));
                format!(
                    "route {verb} 203.0.113.{}/28 via {}.{router} dev {} metric {metric} table {table}",
                    16 * dice.roll(3),
                    subnet.0,
                    subnet.1
                )
            }
            3..6 => {
                let (subnet, router) =
                    ([("2001:db8:", "e0"), ("2001:db8:2:", "e2")][dice.roll(2) as usize], 5 + dice.roll(3));
                let verb = if verb == "prepend" { "append" } else { verb };
                format!(
                    "-6 route {verb} 2001:db8:{:x}::/48 via {}:{router} dev {} metric {metric} table {table}",
                    0x90 + dice.roll(3),
                    subnet.0,
                    subnet.1
                )
            }
            6 => format!(
                "address {} 192.0.2.{}/{} dev e0",
                ["add", "del"][dice.roll(2) as usize],
                100 + dice.roll(3),
                24 + dice.roll(2)
            ),
            _ => format!(
                "neighbor {} 192.0.2.{} lladdr 02:00:00:00:00:0{} dev e0",
                ["replace", "del"][dice.roll(2) as usize],
                200 + dice.roll(3),
                dice.roll(9)
            ),
        };
        // The command line has the family as an option of its own, which a line of a batch has not.
        let command = command.replace("-6 route", "route");
        commands.push_str(&command);
        commands.push('\n');
    }
    commands
}

/// Runs commands of which some fail, by a program of its own.
fn batch(commands: &str) {
    use std::io::Write;
    let mut ip = std::process::Command::new("ip");
    let ip = ip.args(["-force", "-batch", "-"]).stdin(std::process::Stdio::piped());
    let mut ip = ip.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    ip.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    let _ = ip.wait().unwrap();
}

#[test]
fn random_changes_are_followed() {
    isolated(|| {
        network();
        let mut watched = Watched::new();
        let mut dice = Dice(7);
        for round in 0..40 {
            let commands = commands(&mut dice, 25);
            batch(&commands);
            watched.check(&format!("round {round}:\n{commands}"));
        }
        assert_eq!(watched.resynchronised, 0, "nothing was lost");
    });
}

#[test]
fn random_changes_during_overruns_end_at_the_kernels_table() {
    isolated(|| {
        network();
        let mut watched = Watched::with_a_tiny_queue();
        // Which of several routes of one metric was replaced cannot be told while announcements are lost.
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _ = scope.spawn(|| {
                let mut dice = Dice(11);
                for _ in 0..40 {
                    batch(&commands(&mut dice, 50));
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                let _ = watched.step();
            }
        });
        watched.check("the end");
        assert!(watched.resynchronised > 0, "nothing overran, so this test has tested nothing");
    });
}
