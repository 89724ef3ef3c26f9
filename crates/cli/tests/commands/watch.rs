//! `iph watch`: what changes is told, and it ends when asked to.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::command;
use iphelper_testkit::{NetNs, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

/// A running `iph watch`.
struct Watch {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watch {
    /// Starts it; it watches when this returns, since it has said so or shown a first change.
    fn start(arguments: &str) -> Self {
        let iph = command(&format!("watch {arguments}"));
        // A watch that misses what it should see would be waited for without end.
        let mut command = std::process::Command::new("timeout");
        let _ = command.arg("600").arg(iph.get_program()).args(iph.get_args()).env("TZ", "UTC");
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starting iph watch");
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let _ = self.lines.read_line(&mut line).expect("reading a line");
        line
    }

    /// The next line that contains `words`.
    fn line_with(&mut self, words: &str) -> String {
        loop {
            let line = self.line();
            assert_ne!(line, "", "the watch ended");
            if line.contains(words) {
                return line;
            }
        }
    }

    /// The next change that `wanted` picks, as JSON.
    fn find(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let line = self.line();
            assert_ne!(line, "", "the watch ended");
            let change: Value = serde_json::from_str(&line).expect("one object a line");
            if wanted(&change) {
                return change;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).expect("sending a signal");
    }

    /// Changes the MTU of `lo` back and forth until the watch has told it, so that it is known to watch.
    fn until_it_watches(&mut self) {
        let seen = std::sync::atomic::AtomicBool::new(false);
        let namespace = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
        std::thread::scope(|scope| {
            let _ = scope.spawn(|| {
                rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), None)
                    .unwrap();
                for mtu in (1300..2300).cycle() {
                    if seen.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    let _ = run(&format!("ip link set lo mtu {mtu}"));
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
            });
            let line = self.line();
            seen.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(line.contains("lo"), "{line}");
        });
    }

    fn finish(mut self) -> (Option<i32>, String) {
        let mut stderr = String::new();
        let _ = std::io::Read::read_to_string(self.child.stderr.as_mut().unwrap(), &mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

#[test]
fn changes_are_told_with_what_changed() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.run(|| {
        let mut watch = Watch::start("interface --json");
        watch.until_it_watches();
        here.veth("e0", &there, "e0");
        let added = watch.find(|change| change["name"] == "e0" && change["family"] == "ipv4");
        assert_eq!(added["kind"], "added", "{added:#}");
        let fields: Vec<_> = added.as_object().unwrap().keys().map(String::as_str).collect();
        // Sorted by the reader; docs/json.md has them in the order of the line.
        assert_eq!(
            fields,
            [
                "changes",
                "class",
                "family",
                "index",
                "kind",
                "luid",
                "name",
                "requester",
                "resynchronised",
                "row",
                "time"
            ]
        );
        assert_eq!(added["class"], "ip_interface");
        let shown = support::iph("interface show e0 --json").json();
        assert_eq!((&added["luid"], &added["index"]), (&shown["luid"], &shown["index"]));

        let _ = run("ip link set e0 mtu 1400");
        let difference = json!({"property": "nl_mtu", "from": 1500, "to": 1400});
        let has = |change: &Value| change["changes"].as_array().unwrap().contains(&difference);
        let changed = watch.find(|change| change["family"] == "ipv4" && has(change));
        assert_eq!((&changed["kind"], &changed["name"]), (&json!("changed"), &json!("e0")));

        // What the kernel does not announce.
        iphelper_testkit::set_sysctl("ipv6/conf/e0/dad_transmits", "7");
        let silent = json!({"property": "dad_transmits", "from": 1, "to": 7});
        let changed = watch.find(|change| change["changes"].as_array().unwrap().contains(&silent));
        assert_eq!(changed["family"], "ipv6");

        let _ = run("ip link del e0");
        let gone = watch.find(|change| change["kind"] == "deleted" && change["family"] == "ipv4");
        assert_eq!((&gone["name"], &gone["luid"]), (&json!("e0"), &shown["luid"]));
        watch.signal(Signal::INT);
        assert_eq!(watch.finish(), (Some(0), String::new()));
    });
}

/// A row has one form, whether it is listed or watched.
#[test]
fn rows_are_as_their_own_commands_list_them() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.run(|| {
        here.veth("e0", &there, "e0");
        let _ = run("ip link set lo up");
        let mut watch = Watch::start("interface address route neighbor --json");
        watch.until_it_watches();
        let cases = [
            ("address", "ip address add 192.0.2.1/24 dev e0 valid_lft 3000 preferred_lft 2000", "192.0.2.1"),
            ("neighbor", "ip neigh add 192.0.2.7 lladdr 02:00:5e:00:53:07 dev e0 nud permanent", "192.0.2.7"),
            ("route", "ip route add 198.51.100.0/24 via 192.0.2.7", "198.51.100.0/24"),
        ];
        for (class, command, about) in cases {
            let _ = run(command);
            let is_about =
                |row: &Value| row["address"] == about || (class == "route" && row["destination"] == about);
            let mut watched =
                watch.find(|change| change["class"] == class && is_about(&change["row"]))["row"].take();
            let list = support::iph(&format!("{class} list --json")).json();
            let mut listed = list.as_array().unwrap().iter().find(|row| is_about(row)).unwrap().clone();
            for row in [&mut watched, &mut listed] {
                for moving in ["valid_lifetime", "preferred_lifetime", "last_reachable", "last_unreachable"] {
                    if let Some(time @ Value::Number(_)) = row.get_mut(moving) {
                        let is_sensible = time.as_u64().is_some_and(|time| time <= 3_000_000);
                        assert!(
                            is_sensible && (class != "address" || time.as_u64() > Some(1_000_000)),
                            "{time}"
                        );
                        *time = "a time".into();
                    }
                }
            }
            assert_eq!(watched, listed);
        }
    });
}

#[test]
fn one_family_may_be_watched() {
    iphelper_testkit::isolated(|| {
        let mut watch = Watch::start("--json -6");
        watch.until_it_watches();
        for mtu in [2000, 2001, 2002] {
            let _ = run(&format!("ip link set lo mtu {mtu}"));
        }
        let last = |change: &Value| change["changes"].to_string().contains("2002");
        let _ = watch.find(|change| {
            assert!(change["family"] == "ipv6" || change["class"] == "interface", "{change}");
            last(change)
        });
        watch.signal(Signal::TERM);
        assert_eq!(watch.finish().0, Some(0));
    });
}

#[test]
fn people_read_a_line_for_each_change() {
    iphelper_testkit::isolated(|| {
        let mut watch = Watch::start("interface --ipv4");
        watch.until_it_watches();
        let _ = run("ip link set lo mtu 1234");
        let line = watch.line_with("IPv4  changed  nl_mtu");
        // 12:34:56  lo  IPv4  changed  nl_mtu 1300 -> 1234
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!((words[1], words[2], words[3], words[4]), ("lo", "IPv4", "changed", "nl_mtu"), "{line}");
        assert_eq!(words[0].len(), "12:34:56".len(), "{line}");
        let _ = run("ip link add e0 type veth peer name e1");
        // Seen before it is renamed, or its first name is no change that anybody could tell.
        let _ = watch.line_with(" e0  IPv4  added");
        let _ = run("ip link set e0 name \u{202e}0e");
        let renamed = watch.line_with("IPv4  changed  name ");
        assert!(renamed.ends_with("  \\u{202e}0e  IPv4  changed  name e0 -> \\u{202e}0e\n"), "{renamed}");
        watch.signal(Signal::INT);
        let (code, stderr) = watch.finish();
        assert_eq!((code, stderr.as_str()), (Some(0), "watching interfaces; Ctrl-C ends\n"));
    });
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    iphelper_testkit::isolated(|| {
        let mut watch = Watch::start("");
        watch.until_it_watches();
        // No change comes after this: the closed pipe alone must end it.
        drop(watch.lines);
        let mut stderr = String::new();
        let _ = std::io::Read::read_to_string(watch.child.stderr.as_mut().unwrap(), &mut stderr).unwrap();
        assert_eq!(watch.child.wait().unwrap().code(), Some(0), "{stderr}");
    });
}

#[test]
fn routes_addresses_and_neighbours_are_told_with_who_asked() {
    iphelper_testkit::isolated(|| {
        let _ = run("ip link set lo up");
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let mut watch = Watch::start("interface address route neighbor --json");
        watch.until_it_watches();
        // A program that goes on running, so that it can be found.
        let mut ip = std::process::Command::new("ip");
        let mut ip = ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = ip.stdin.take().unwrap();
        let mut tell = |line: &str| {
            use std::io::Write;
            writeln!(input, "{line}").unwrap();
            input.flush().unwrap();
        };
        tell("address add 192.0.2.1/24 dev e0");
        let is = |class: &'static str, kind: &'static str, field: &'static str, value: &'static str| {
            move |event: &Value| {
                event["class"] == class && event["kind"] == kind && event["row"][field] == value
            }
        };
        let added = watch.find(is("address", "added", "address", "192.0.2.1"));
        assert_eq!((&added["name"], &added["family"]), (&json!("e0"), &json!("ipv4")));
        assert_eq!(added["requester"]["pid"], json!(ip.id()));
        assert_eq!(added["requester"]["process"], "ip");

        tell("route add 203.0.113.0/24 via 192.0.2.7");
        let added = watch.find(is("route", "added", "destination", "203.0.113.0/24"));
        assert_eq!((&added["name"], &added["row"]["next_hop"]), (&json!("e0"), &json!("192.0.2.7")));
        tell("route change 203.0.113.0/24 via 192.0.2.7 mtu 1400");
        let changed = watch.find(is("route", "changed", "destination", "203.0.113.0/24"));
        let mtu = json!({"property": "mtu", "from": null, "to": 1400});
        assert!(changed["changes"].as_array().unwrap().contains(&mtu), "{changed:#}");

        tell("neighbor add 192.0.2.7 lladdr 02:00:00:00:00:07 dev e0");
        let added = watch.find(is("neighbor", "added", "address", "192.0.2.7"));
        assert_eq!(added["row"]["state"], "permanent");
        tell("route del 203.0.113.0/24");
        let _ = watch.find(is("route", "deleted", "destination", "203.0.113.0/24"));
        drop(input);
        let _ = ip.wait().unwrap();
        watch.signal(Signal::INT);
        assert_eq!(watch.finish(), (Some(0), String::new()));
    });
}

#[test]
fn people_read_what_a_route_is() {
    iphelper_testkit::isolated(|| {
        let _ = run("ip link set lo up");
        let mut watch = Watch::start("");
        watch.until_it_watches();
        let _ = run("ip route add 203.0.113.0/24 dev lo metric 7 table 99");
        let line = watch.line_with("203.0.113.0/24");
        assert!(line.contains("  lo  route  added  203.0.113.0/24 metric 7 table 99"), "{line}");
        let _ = run("ip route add blackhole 198.51.100.0/24");
        let line = watch.line_with("198.51.100.0");
        assert!(line.contains("  -  route  added  198.51.100.0/24 blackhole metric 0"), "{line}");
        let _ = run("ip address add 192.0.2.1/32 dev lo");
        let line = watch.line_with("192.0.2.1/32");
        assert!(line.contains("  lo  address  added  192.0.2.1/32"), "{line}");
        watch.signal(Signal::INT);
        let (code, stderr) = watch.finish();
        assert_eq!(
            (code, stderr.as_str()),
            (Some(0), "watching interfaces, addresses, routes; Ctrl-C ends\n")
        );
    });
}

#[test]
fn connections_are_told() {
    iphelper_testkit::isolated(|| {
        let _ = run("ip link set lo up");
        let mut watch = Watch::start("tcp --json");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let told = std::sync::atomic::AtomicBool::new(false);
        let _clients = std::thread::scope(|scope| {
            // New ones until one is told: those that were there before it watched are not.
            let connecting = scope.spawn(|| {
                let mut clients = Vec::new();
                while !told.load(std::sync::atomic::Ordering::Relaxed) && clients.len() < 100 {
                    clients.push(std::net::TcpStream::connect(server).unwrap());
                    std::thread::sleep(std::time::Duration::from_millis(300));
                }
                clients
            });
            let is_client = |event: &Value| event["row"]["remote_port"] == server.port();
            let added = watch.find(is_client);
            told.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!((&added["class"], &added["kind"]), (&json!("tcp"), &json!("added")));
            connecting.join().unwrap()
        });
        // One of which nothing was told yet.
        let last = std::net::TcpStream::connect(server).unwrap();
        let own = last.local_addr().unwrap().port();
        let _ = watch.find(|event| event["kind"] == "added" && event["row"]["local_port"] == own);
        rustix::net::sockopt::set_socket_linger(&last, Some(std::time::Duration::ZERO)).unwrap();
        drop(last);
        let _ = watch.find(|event| event["kind"] == "deleted" && event["row"]["local_port"] == own);
        watch.signal(Signal::INT);
        assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    });
}

/// Routes in which this program keeps what is set are no routes of the host, and are told only to who asks.
#[test]
fn notes_of_our_own_are_left_out() {
    iphelper_testkit::isolated(|| {
        let mut plain = Watch::start("route interface --json");
        let mut all = Watch::start("route interface --internal --json");
        plain.until_it_watches();
        all.until_it_watches();
        let _ = run("ip link set lo up");
        let _ = support::iph("interface set lo --ipv4 --metric 7").ok();
        let _ = run("ip route add 192.0.2.0/24 dev lo");
        let ours = |change: &Value| change["row"]["table"].as_u64().is_some_and(|table| table > 255);
        let note = all.find(|change| change["class"] == "route" && ours(change));
        assert_eq!(note["row"]["table"].as_u64().unwrap() & !0xff, 0x6970_6800, "{note}");
        let _ = plain.find(|change| {
            assert!(!ours(change), "{change}");
            change["row"]["destination"] == "192.0.2.0/24"
        });
    });
}
