//! Programs written for Windows, compiled with our headers and run against the built library: what they print is
//! what `ss` and `ip` show. Where Windows' own compiler environment (MinGW-w64) is there, it compiles them, too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use iphelper_testkit::{NetNs, eventually, in_child, isolated, run, settled, sysctl};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, OnceLock};
use support::program::{self, Running, output};
use support::{Scratch, compile, compiles, crate_dir, succeeded};

mod support;

iphelper_testkit::private_user_namespace!();

const PROGRAMS: [&str; 19] = [
    "adapters",
    "add_address",
    "connection_table",
    "close_connection",
    "compartment",
    "estats",
    "ip_interface_table",
    "neighbors",
    "network_string",
    "notify_idioms",
    "one_change",
    "port_reservation",
    "ping",
    "ping6",
    "routes",
    "set_ip_interface",
    "watch_ip_interfaces",
    "watch_routes",
    "waits",
];

/// Programs for users to start from stand in `examples/c`, those that only test something beside the tests.
fn source(name: &str) -> PathBuf {
    let file = format!("{name}.c");
    let example = support::examples().join("c").join(&file);
    if example.exists() { example } else { crate_dir().join("tests/c").join(file) }
}

/// A compiled program; `None`, said aloud, without a compiler.
fn program(name: &str) -> Option<PathBuf> {
    static FOLDER: LazyLock<Option<Scratch>> =
        LazyLock::new(|| compiles("gcc", &[], "gcc libc6-dev").then(|| Scratch::of_target("programs")));
    static COMPILED: [OnceLock<()>; PROGRAMS.len()] = [const { OnceLock::new() }; PROGRAMS.len()];
    let place = PROGRAMS.iter().position(|known| *known == name).expect("a program of the list");
    let path = FOLDER.as_ref()?.path(name);
    let () = COMPILED[place].get_or_init(|| compile(&source(name), &path, &["-liphlpapi"]));
    Some(path)
}

/// Runs a program in this thread's namespace: its exit code and what it printed.
fn outcome(program: &Path, arguments: &[&str]) -> (i32, String) {
    let output = output(Command::new(program).args(arguments));
    let text = String::from_utf8(output.stdout).expect("programs print UTF-8");
    (output.status.code().expect("ended by itself"), text)
}

/// As [`outcome`], with no capability: a program of root's gets none that its bounding set does not have.
fn unprivileged_outcome(program: &Path, arguments: &[&str]) -> (i32, String) {
    let program = program.to_str().expect("a path in ASCII");
    let setpriv = ["--bounding-set=-all", "--inh-caps=-all", program];
    outcome(Path::new("setpriv"), &[&setpriv, arguments].concat())
}

/// Two ends of one connection and its listener, on `address`.
fn connection(address: &str) -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind(address).expect("listening");
    let client = TcpStream::connect(listener.local_addr().unwrap()).expect("connecting");
    let (server, _) = listener.accept().expect("accepting");
    (listener, client, server)
}

#[test]
fn the_connection_table_is_what_ss_shows() {
    let Some(program) = program("connection_table") else { return };
    // In a process of its own: what other tests start has copies of the sockets until it executes.
    in_child("the_connection_table_is_what_ss_shows", &["env"], || {
        isolated(|| {
            let _four = connection("127.0.0.1:0");
            let _six = connection("[::1]:0");
            let (code, printed) = outcome(&program, &[]);
            assert_eq!(code, 0, "{printed}");
            let ours: BTreeSet<String> = printed
                .lines()
                .map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" "))
                .collect();
            let states = [("LISTEN", "LISTEN"), ("ESTAB", "ESTABLISHED")];
            let theirs: BTreeSet<String> = run("ss -tanpH")
                .lines()
                .map(|line| {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let state = states.iter().find(|(ss, _)| *ss == words[0]).unwrap().1;
                    let pid = words[5].split("pid=").nth(1).unwrap().split(',').next().unwrap();
                    format!("{} {} {state} {pid}", words[3], words[4].replace('*', "0"))
                })
                .collect();
            assert_eq!(ours, theirs);
            assert_eq!(ours.len(), 6, "{printed}");
            // All sockets are this program's, whose file the last column names.
            let me = std::env::current_exe().unwrap();
            let me = me.file_name().unwrap().to_str().unwrap();
            assert!(printed.lines().all(|line| line.ends_with(&format!(" {me}"))), "{printed}");
        })
    });
}

#[test]
fn extended_statistics_are_what_ss_shows() {
    let Some(program) = program("estats") else { return };
    isolated(|| {
        let (_listener, mut client, mut server) = connection("127.0.0.1:0");
        client.write_all(&[1; 50_000]).unwrap();
        server.read_exact(&mut [0; 50_000]).unwrap();
        server.write_all(&[1; 3_000]).unwrap();
        client.read_exact(&mut [0; 3_000]).unwrap();
        let ports = [client.local_addr().unwrap().port(), client.peer_addr().unwrap().port()];
        let words = ports.map(|port| port.to_string());
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        let ss = || run(&format!("ss -tiHO sport = {} and dport = {}", ports[0], ports[1]));
        let number = |text: &str, key: &str| {
            let word = text.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
            word.unwrap_or_else(|| panic!("{key} in {text}")).to_owned()
        };
        let keys = [
            "advmss",
            "mss",
            "bytes_sent",
            "bytes_acked",
            "bytes_received",
            "segs_out",
            "segs_in",
            "data_segs_out",
            "data_segs_in",
            "rto",
            "cwnd",
            "rtt",
            "minrtt",
            "wscale",
            "snd_wnd",
        ];
        // An acknowledgement may be held back for a while.
        eventually("both say the same", || {
            let (code, printed) = outcome(&program, &arguments);
            assert_eq!(code, 0, "{printed}");
            assert!(printed.starts_with("advmss:") && printed.contains(" on:1\n"), "{printed}");
            let theirs = ss();
            keys.iter().all(|key| number(&printed, key) == number(&theirs, key))
        });
        let (code, printed) = unprivileged_outcome(&program, &arguments);
        assert_eq!(code, 0, "{printed}");
        assert!(printed.starts_with("set 1: 5\n") && printed.contains("set 8: 5\n"), "{printed}");
        assert!(printed.contains(" on:0\n"), "another process has its own switches: {printed}");
    });
}

#[test]
fn adapters_are_listed_as_programs_for_windows_do() {
    let Some(program) = program("adapters") else { return };
    isolated(|| {
        for command in [
            "ip link set lo up",
            "ip link add e0 type veth peer name e1",
            "ip link set e0 up",
            "ip link set e1 up",
            "ip addr add 192.0.2.7/24 dev e0",
            "ip route add default via 192.0.2.1",
        ] {
            let _ = run(command);
        }
        // More than the first guess of such programs holds.
        for number in 1..100 {
            let _ = run(&format!("ip addr add 198.51.100.{number}/32 dev e1"));
        }
        settled(&["e0", "e1"]);
        let (code, printed) = outcome(&program, &[]);
        assert_eq!(code, 0, "{printed}");
        assert_eq!(printed.matches("\nadapter ").count() + 1, 3, "{printed}");
        let shown = run("ip -json addr show");
        assert_eq!(printed.matches("  unicast ").count(), shown.matches("\"local\":").count());
        assert!(printed.contains("  unicast 192.0.2.7/24\n") && printed.contains("  gateway 192.0.2.1\n"));
        assert!(printed.contains(" length 448 ipv4 1 dhcp 0\n"), "{printed}");
        let e0 = run("ip -json link show e0");
        let index = e0.split("\"ifindex\":").nth(1).unwrap().split(',').next().unwrap();
        assert!(
            printed.contains(&format!("info {index} 192.0.2.7 255.255.255.0 gateway 192.0.2.1\n")),
            "{printed}"
        );
        assert!(printed.ends_with("order 3\nnames 2\nfriendly 5\n"), "{printed}");
    });
}

#[test]
fn a_connection_is_closed_and_both_ends_hear_of_it() {
    let Some(program) = program("close_connection") else { return };
    isolated(|| {
        let (_listener, mut client, mut server) = connection("127.0.0.1:0");
        let (local, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let (local_port, remote_port) = (local.port().to_string(), remote.port().to_string());
        let arguments = ["127.0.0.1", &local_port, "127.0.0.1", &remote_port];

        let (code, printed) = unprivileged_outcome(&program, &arguments);
        // What a user could raise itself to depends on who runs the tests.
        assert_eq!(code, 1, "{printed}");
        assert!(
            printed.starts_with("SetTcpEntry: 5: ") || printed.starts_with("SetTcpEntry: 317: "),
            "{printed}"
        );
        assert!(!printed.ends_with("there is no such connection\n"), "{printed}");

        assert_eq!(outcome(&program, &arguments), (0, "closed\n".to_owned()));
        let mut byte = [0];
        assert_eq!(client.read(&mut byte).unwrap_err().kind(), ErrorKind::ConnectionAborted);
        assert_eq!(server.read(&mut byte).unwrap_err().kind(), ErrorKind::ConnectionReset);

        let (code, printed) = outcome(&program, &arguments);
        assert_eq!(code, 1);
        assert!(printed.starts_with("SetTcpEntry: 317: "), "{printed}");
        assert!(printed.ends_with("there is no such connection\n"), "{printed}");
    });
}

#[test]
fn the_interface_table_is_what_ip_shows() {
    let Some(program) = program("ip_interface_table") else { return };
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let _ = run("ip link set e0 mtu 1400");
        let _ = run("ip link add höhe type bridge");
        iphelper_testkit::set_sysctl("ipv4/conf/e0/forwarding", "1");
        iphelper_testkit::set_sysctl("ipv6/conf/e0/dad_transmits", "3");
        let (code, printed) = outcome(&program, &[]);
        assert_eq!(code, 0, "{printed}");
        let links: Vec<String> = run("ip -o link show")
            .lines()
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let name = words[1].trim_end_matches(':').split('@').next().unwrap();
                let mtu = words[words.iter().position(|word| *word == "mtu").unwrap() + 1];
                format!("{} {name} mtu {mtu}", words[0].trim_end_matches(':'))
            })
            .collect();
        let mut expected = Vec::new();
        for family in ["ipv4", "ipv6"] {
            expected.extend(links.iter().map(|link| format!("{family} {link}")));
        }
        let ours: Vec<String> = printed
            .lines()
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                format!("{} {} {} mtu {}", words[0], words[1], words[2], words[6])
            })
            .collect();
        assert_eq!(ours, expected);
        let row = |start: &str| printed.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
        let index = run("ip -o link show e0").split(':').next().unwrap().to_owned();
        let (four, six) = (row(&format!("ipv4 {index} e0 ")), row(&format!("ipv6 {index} e0 ")));
        assert!(
            four.contains(" type 6 ") && four.contains(" forwarding yes ") && four.ends_with("link up"),
            "{four}"
        );
        assert!(six.contains(" forwarding no dad 3 "), "{six}");
        assert!(printed.contains(" höhe type 6 "), "{printed}");
    });
}

#[test]
fn an_interface_is_changed_as_ip_and_sysctl_show() {
    let Some(program) = program("set_ip_interface") else { return };
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let (code, printed) = unprivileged_outcome(&program, &["e0", "4", "forwarding", "1"]);
        assert_eq!((code, sysctl("ipv4/conf/e0/forwarding").as_str()), (1, "0"), "{printed}");
        assert!(printed.starts_with("run this as an administrator\nSetIpInterfaceEntry: 5\n"), "{printed}");

        let (code, printed) = outcome(&program, &["e0", "4", "forwarding", "1"]);
        assert_eq!((code, sysctl("ipv4/conf/e0/forwarding").as_str()), (0, "1"), "{printed}");
        assert!(printed.starts_with("forwarding 1 mtu 1500 "), "{printed}");

        let (code, printed) = outcome(&program, &["e0", "6", "dad", "2"]);
        assert_eq!((code, sysctl("ipv6/conf/e0/dad_transmits").as_str()), (0, "2"), "{printed}");

        let (code, printed) = outcome(&program, &["e0", "6", "mtu", "1400"]);
        assert_eq!((code, sysctl("ipv6/conf/e0/mtu").as_str()), (0, "1400"), "{printed}");
        assert!(run("ip link show e0").contains(" mtu 1500 "), "IPv4's MTU is another");

        let (code, printed) = outcome(&program, &["e0", "4", "retransmit", "300"]);
        assert_eq!((code, sysctl("ipv4/neigh/e0/retrans_time_ms").as_str()), (0, "300"), "{printed}");

        // TRUE and FALSE are 1 and 0; 2 is neither.
        let (code, printed) = outcome(&program, &["e0", "4", "forwarding", "2"]);
        assert_eq!((code, printed.as_str()), (1, "SetIpInterfaceEntry: 87\n"));
        assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "1");

        let (code, printed) = outcome(&program, &["e9", "4", "mtu", "1400"]);
        assert_eq!((code, printed.as_str()), (1, "no interface e9\n"));
    });
}

#[test]
fn a_program_that_hangs_fails_its_test() {
    program::check_limits();
}

#[test]
fn changes_are_told_until_the_registration_is_cancelled() {
    let Some(program) = program("watch_ip_interfaces") else { return };
    isolated(|| {
        let mut lines = Running::start(Command::new(&program).arg("me"));
        let mut next = || lines.next().expect("a line");
        assert_eq!(next(), "me: watching");
        let _ = run("ip link set lo mtu 1400");
        // Both families have the MTU; each order is fine.
        let told: BTreeSet<String> = [next(), next()].into();
        let expected = [
            "me: ipv4 interface 1 changed mtu 1400 forwarding 0",
            "me: ipv6 interface 1 changed mtu 1400 forwarding 0",
        ];
        assert_eq!(told, expected.map(str::to_owned).into());
        let _ = run("ip link add e0 type veth peer name e1");
        let index = run("ip -o link show e0").split(':').next().unwrap().to_owned();
        while !next().starts_with(&format!("me: ipv6 interface {index} added")) {}
        lines.close_input();
        let last = lines.by_ref().last().unwrap_or_default();
        lines.ends();
        assert!(last.ends_with(" calls"), "{last}");
    });
}

#[test]
fn changes_of_routes_and_addresses_are_told() {
    let Some(program) = program("watch_routes") else { return };
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let index = run("ip -o link show e0").split(':').next().unwrap().to_owned();
        let mut lines = Running::start(&mut Command::new(&program));
        let mut wait_for = |wanted: &[String]| {
            let mut missing: BTreeSet<&String> = wanted.iter().collect();
            while !missing.is_empty() {
                let line = lines.next().unwrap_or_else(|| panic!("no {missing:?}"));
                let _ = missing.remove(&line);
            }
        };
        wait_for(&["routes: watching".to_owned(), "addresses: watching".to_owned()]);
        let on = |what: &str| format!("{what} interface {index}");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        wait_for(&[format!("{} added", on("address 192.0.2.1"))]);
        // A second metric is the same row to Windows; it is gone with the last one.
        let _ = run("ip route add 203.0.113.0/24 via 192.0.2.7 metric 9");
        let route = on("route 203.0.113.0/24 by 192.0.2.7");
        wait_for(&[format!("{route} added")]);
        let _ = run("ip route add 203.0.113.0/24 via 192.0.2.7 metric 5");
        wait_for(&[format!("{route} changed")]);
        let _ = run("ip route del 203.0.113.0/24 metric 9");
        let _ = run("ip -6 route add 2001:db8::/32 dev e0");
        wait_for(&[format!("{} added", on("route 2001:db8::/32 by ::"))]);
        let _ = run("ip route del 203.0.113.0/24 metric 5");
        wait_for(&[format!("{route} deleted")]);
        let _ = run("ip address del 192.0.2.1/24 dev e0");
        wait_for(&[format!("{} deleted", on("address 192.0.2.1"))]);
        lines.ends();
    });
}

#[test]
fn an_address_is_added_used_and_deleted() {
    let Some(program) = program("add_address") else { return };
    isolated(|| {
        let _ = run("ip link set lo up");
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e1 up");
        let _ = run("ip link set e0 up");
        let index = run("ip -o link show e0").split(':').next().unwrap().to_owned();
        for (address, length, skip) in [
            ("192.0.2.5", "24", "0"),
            ("192.0.2.5", "24", "1"),
            ("2001:db8::5", "64", "0"),
            ("2001:db8::5", "255", "1"),
        ] {
            let arguments = ["second-generation", &index, address, length, skip];
            let mut lines = Running::start(Command::new(&program).args(arguments));
            let shown = if length == "255" { "128" } else { length };
            let expected = format!("preferred /{shown} skip {skip} origins 1 1");
            assert_eq!(lines.next(), Some(expected), "{address}");
            assert!(run("ip addr show dev e0").contains(address));
            lines.close_input();
            assert_eq!(lines.by_ref().collect::<Vec<_>>(), ["delete: 0", "get: 1168"]);
            lines.ends();
            assert!(!run("ip addr show dev e0").contains(address));
        }

        // Another program deletes by the context.
        let (code, context) = outcome(&program, &["add", &index, "198.51.100.5", "255.255.255.0"]);
        assert_eq!(code, 0, "{context}");
        assert!(run("ip addr show dev e0").contains("198.51.100.5/24"));
        let (_, table) = outcome(&program, &[]);
        let mut rows =
            vec![format!("{index} 198.51.100.5 255.255.255.0"), "1 127.0.0.1 255.0.0.0".to_owned()];
        rows.sort_by_key(|row| !row.contains("127"));
        assert_eq!(table.lines().collect::<Vec<_>>(), rows);
        assert_eq!(unprivileged_outcome(&program, &["delete", context.trim()]).1, "delete: 5\n");
        assert_eq!(outcome(&program, &["delete", context.trim()]).1, "delete: 0\n");
        assert_eq!(outcome(&program, &["delete", context.trim()]).1, "delete: 87\n");
        assert!(!run("ip addr show dev e0").contains("198.51.100.5"));
        assert_eq!(
            unprivileged_outcome(&program, &["add", &index, "192.0.2.6", "255.255.255.0"]).1,
            "add: 6\n"
        );
    });
}

#[test]
fn the_first_generation_tells_of_one_change() {
    let Some(program) = program("one_change") else { return };
    isolated(|| {
        let _ = run("ip link set lo up");
        let mut lines = Running::start(&mut Command::new(&program));
        for address in ["192.0.2.1", "192.0.2.2"] {
            assert_eq!(lines.next().as_deref(), Some("waiting"));
            let _ = run(&format!("ip address add {address} dev lo"));
            assert_eq!(lines.next().as_deref(), Some("changed"));
        }
        // The kernel announces an address before its route, and that is there now, too.
        lines.close_input();
        // Nothing waits; the handle says so (258 is a time-out), until its request is cancelled.
        assert_eq!(lines.next().as_deref(), Some("0 258 1 0"));
        lines.ends();

        let mut lines = Running::start(Command::new(&program).arg("blocking"));
        assert_eq!(lines.next().as_deref(), Some("waiting"));
        // It says so just before it listens.
        while !lines.has_ended() {
            let _ = run("ip route add 203.0.113.1 dev lo");
            let _ = run("ip route del 203.0.113.1 dev lo");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(lines.next().as_deref(), Some("0"));
    });
}

#[test]
fn network_strings_are_taken_apart_and_put_together() {
    let Some(program) = program("network_string") else { return };
    for (string, printed) in [
        ("192.0.2.1", "IPv4 192.0.2.1"),
        ("192.0.2.1:80", "IPv4 192.0.2.1:80 port 80"),
        ("192.0.2/24", "IPv4 192.0.2.0 prefix 24"),
        ("2001:DB8:0:0:0:0:0:1", "IPv6 2001:db8::1"),
        ("[fe80::1%258]:4096", "IPv6 [fe80::1%258]:4096 port 4096"),
        ("2001:db8::/32", "IPv6 2001:db8:: prefix 32"),
        ("www.example.com", "name www.example.com"),
        ("www.example.com:443", "name www.example.com port 443"),
    ] {
        assert_eq!(outcome(&program, &[string]), (0, format!("{printed}\n")), "{string}");
    }
    assert_eq!(outcome(&program, &["192.0.2.256"]), (1, "ParseNetworkString: 87\n".to_owned()));
}

#[test]
fn they_are_programs_for_windows() {
    let compiler = "x86_64-w64-mingw32-gcc";
    // Windows' linker options are named in the source, which this compiler does not read.
    let options = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"];
    if !compiles(compiler, &options, "gcc-mingw-w64-x86-64-win32") {
        return;
    }
    let scratch = Scratch::new("windows");
    // All of Windows' headers, which each program begins with, are read once; those of IP Helper each program names.
    let header = scratch.write("system.h", "#include <winsock2.h>\n#include <windows.h>\n");
    let made = Command::new(compiler).args(["-x", "c-header"]).arg(&header).output();
    let _ = succeeded(made.expect("starting the compiler"), "windows.h");
    // MinGW-w64 10 has no ICMPV6_ECHO_REPLY.
    for name in PROGRAMS.into_iter().filter(|name| *name != "ping6") {
        let mut command = Command::new(compiler);
        let _ = command.args(options).arg("-include").arg(&header).arg(source(name)).arg("-o");
        let _ = command.arg(scratch.path(name)).args(["-liphlpapi", "-lntdll", "-lws2_32"]);
        let _ = succeeded(command.output().expect("starting the compiler"), name);
    }
}

#[test]
fn routes_are_added_changed_and_deleted() {
    let Some(program) = program("routes") else { return };
    isolated(|| {
        for command in [
            "ip link add e0 type veth peer name e1",
            "ip link set e0 up",
            "ip link set e1 up",
            "ip addr add 10.0.0.1/24 dev e0",
        ] {
            let _ = run(command);
        }
        let shown = run("ip -o link show e0");
        let index = shown.split(':').next().unwrap().trim();
        let route = |verb, metric| outcome(&program, &[verb, index, "203.0.113.0", "24", "10.0.0.2", metric]);
        let shown = || run("ip route show 203.0.113.0/24");
        assert_eq!(
            unprivileged_outcome(&program, &["add", index, "203.0.113.0", "24", "10.0.0.2", "5"]).1,
            "5\n"
        );
        assert_eq!(route("add", "5").0, 0);
        assert!(shown().contains("via 10.0.0.2 dev e0 proto 105 metric 5"), "{}", shown());
        assert_eq!(route("add", "6"), (1, "5010\n".to_owned()));
        assert_eq!(route("set", "7").0, 0);
        assert!(shown().contains("metric 7"), "{}", shown());
        let (code, listed) = outcome(&program, &["list"]);
        assert_eq!((code, listed.lines().count()), (0, run("ip -4 route show table all").lines().count()));
        let line = format!("203.0.113.0/24 via 10.0.0.2 dev {index} metric 7 protocol 3 origin 0");
        assert!(listed.lines().any(|it| it == line), "{listed}");
        assert_eq!(route("delete", "0").0, 0);
        assert_eq!(shown(), "");
        assert_eq!(route("delete", "0"), (1, "1168\n".to_owned()));
    });
}

#[test]
fn a_thread_goes_to_another_compartment_and_back() {
    let Some(program) = program("compartment") else { return };
    isolated(|| {
        let _ = run("ip link add name e0 type veth peer name e1");
        let there = run("readlink /proc/self/ns/net");
        let there = there.trim().trim_start_matches("net:[").trim_end_matches(']');
        // Nobody but the program itself keeps the compartment from which it comes.
        let program = program.to_str().expect("a path in ASCII");
        let (code, text) = outcome(Path::new("unshare"), &["--net", program, there]);
        assert_eq!(code, 0, "{text}");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("home ") && lines[0].ends_with(" 1"), "loopback alone: {text}");
        assert_eq!((lines[1], lines[2]), (format!("there {there} 3").as_str(), lines[0]));
        let (code, text) = outcome(Path::new(program), &["7"]);
        assert_eq!((code, text.lines().last()), (1, Some("SetCurrentThreadCompartmentId: 1168")));
    });
}

#[test]
fn ports_are_reserved_looked_up_and_given_up() {
    let Some(program) = program("port_reservation") else { return };
    iphelper_testkit::with_private_folder("/var/lib", || {
        isolated(|| {
            let (code, token) = outcome(&program, &["create", "9000", "10"]);
            assert_eq!((code, sysctl("ipv4/ip_local_reserved_ports").as_str()), (0, "9000-9009"), "{token}");
            assert_eq!(unprivileged_outcome(&program, &["lookup", "9000", "10"]), (0, token));
            let text = |text: &str| text.to_owned();
            assert_eq!(outcome(&program, &["create", "9009", "1"]), (1, text("failed: 32\n")));
            assert_eq!(unprivileged_outcome(&program, &["delete", "9000", "10"]), (1, text("failed: 5\n")));
            assert_eq!(outcome(&program, &["delete", "9000", "10"]), (0, text("0000000000000000\n")));
            assert_eq!(outcome(&program, &["lookup", "9000", "10"]), (1, text("failed: 1168\n")));
            assert_eq!(sysctl("ipv4/ip_local_reserved_ports"), "");
        });
    });
}

#[test]
fn hosts_and_routers_answer_echo_requests() {
    let Some(program) = program("ping") else { return };
    let (here, router, there) = (NetNs::new(), NetNs::new(), NetNs::new());
    here.veth("e0", &router, "near");
    router.veth("far", &there, "e0");
    for (namespace, commands) in [
        (&here, ["ip address add 10.0.0.2/24 dev e0", "ip route add default via 10.0.0.1"]),
        (&router, ["ip address add 10.0.0.1/24 dev near", "ip address add 10.1.0.1/24 dev far"]),
        (&there, ["ip address add 10.1.0.2/24 dev e0", "ip route add default via 10.1.0.1"]),
    ] {
        namespace.run(|| {
            iphelper_testkit::set_sysctl("ipv4/ip_forward", "1");
            iphelper_testkit::set_sysctl("ipv4/icmp_ratelimit", "0");
            for command in commands {
                let _ = run(command);
            }
        });
    }
    let said = |code, address, status, data| {
        let line = |how| match (code, status) {
            (0, status) => format!("{how}: none, {status}, known\n"),
            _ => format!("{how}: 1 from {address} status {status} data {data}\n"),
        };
        let calls = "calls before: 0 after: 1, then 258\n";
        (0, [line("waiting"), line("event"), calls.to_owned(), line("routine")].concat())
    };
    here.run(|| {
        let data = "how far is it?";
        assert_eq!(outcome(&program, &["127.0.0.1", "64"]), said(1, "127.0.0.1", 0, data));
        assert_eq!(outcome(&program, &["10.1.0.2", "64"]), said(1, "10.1.0.2", 0, data));
        assert_eq!(outcome(&program, &["10.1.0.2", "1"]), said(1, "10.0.0.1", 11013, ""));
        let program6 = self::program("ping6").expect("there is a compiler");
        let six = |address| outcome(&program6, &[address]);
        let lines = format!("waiting: 1 status 0 data {data}\nevent: 1 status 0 data {data}\n");
        assert_eq!(six("::1"), (0, lines));
        assert_eq!(
            six("2001:db8::1").1,
            "waiting: 0 status 11002 data none\nevent: 0 status 11002 data none\n"
        );
        // Nobody may send any in a new namespace but who has the capability.
        assert_eq!(
            unprivileged_outcome(&program, &["127.0.0.1", "64"]),
            (1, "IcmpCreateFile: 5\n".to_owned())
        );
        iphelper_testkit::set_sysctl("ipv4/ping_group_range", "0 0");
        let unprivileged = unprivileged_outcome(&program, &["127.0.0.1", "64"]);
        assert_eq!(unprivileged, said(1, "127.0.0.1", 0, data));
    });
}

#[test]
fn several_events_are_waited_for_at_once() {
    let Some(program) = program("waits") else { return };
    isolated(|| {
        let mut lines = Running::start(&mut Command::new(&program));
        assert_eq!(lines.next().as_deref(), Some("258 1 258 0 258 0 0"));
        assert_eq!(lines.next().as_deref(), Some("0 996 waiting"));
        let _ = run("ip address add 192.0.2.1/32 dev lo");
        assert_eq!(lines.next().as_deref(), Some("1 0"));
        assert_eq!(lines.next().as_deref(), Some("0 995"));
        lines.ends();
    });
}

/// Loops that are written for Windows rely on what each request does to the event, and on what `GetOverlappedResult` says.
#[test]
fn loops_for_one_change_after_another_work_in_every_way() {
    let Some(program) = program("notify_idioms") else { return };
    isolated(|| {
        let _ = run("ip link set lo up");
        let expected = "\
258 0 0 258 0 0 258 0 0 never reset
0 258 7 1 0 0 258 0 1 0 handle alone
1:1:0:1 0:0:996:99 1:1:0:3 1:0:234:4 1:0:31:5 1:0:6:6 1:0:5:7 1:0:995:8 1:0:1168:9 1:0:317:10 103 1 c0000120 1 statuses
0 0 0 1 258 3 258 1 0 6 0 registered wait
1 259 258 1 1 1 1 42 thread
258 0 6 6 0 0 6 0 0 4294967295 6 closed events
258 beside input
";
        let mut child = Running::start(&mut Command::new(&program));
        // Its last thread waits for a line of input all the time.
        let told: Vec<String> = child.by_ref().take(expected.lines().count()).collect();
        assert_eq!(told, expected.lines().collect::<Vec<_>>());
        child.ends();
    });
}
