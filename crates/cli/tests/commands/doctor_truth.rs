//! What `iph doctor` says can be done is done by the same caller, and what it says cannot be done is refused.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::command;
use iphelper_testkit::{
    isolated, run, set_sysctl, with_private_files, with_private_folder, with_read_only_sysctls,
};
use serde_json::Value;
use std::ffi::OsStr;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};

/// An action of a chapter, and the command that does it.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("tcp", "list", "tcp list"),
    ("tcp", "delete connections", "tcp delete 127.0.0.1:4000 0.0.0.0:0 --yes"),
    ("udp", "list", "udp list"),
    ("route", "create, change and delete", "route add 198.51.100.0/24 --next-hop 192.0.2.2 --interface e0"),
    ("address", "create, change and delete", "address add 2001:db8::77/64 --interface e0"),
    (
        "neighbor",
        "create, change and delete",
        "neighbor add 192.0.2.60 --interface e0 --mac 02:00:00:00:00:60",
    ),
    ("neighbor", "resolve", "neighbor resolve 192.0.2.2 --interface e0"),
    ("statistics", "read", "stats"),
    ("statistics", "set the IPv4 TTL and forwarding", "ttl set ipv4 60"),
    ("statistics", "set the IPv6 hop limit", "ttl set ipv6 60"),
    ("icmp", "send IPv4 echo requests", "ping 127.0.0.1 --count 1 --timeout 60s"),
    ("icmp", "send IPv6 echo requests", "ping ::1 --count 1 --timeout 60s"),
    ("estats", "read", "estats local-port:4002"),
    ("dns", "read", "dns list"),
    ("dns", "change servers and domains", "dns set --servers 192.0.2.53"),
    ("adapter", "read DHCP leases", "adapter list"),
    ("compartment", "enter", "compartment exec blue -- true"),
    ("compartment", "list", "compartment list"),
    ("port_reservation", "create and delete", "port-reservation add tcp 50000-50009"),
    ("timestamp", "tell what interfaces stamp", "timestamp list"),
    ("timestamp", "read hardware clocks", "timestamp clock e0"),
    ("connectivity", "tell how far packets get", "connectivity"),
];

/// Values that the properties do not have at first.
const VALUES: &[(&str, &str)] = &[
    ("interface_identifier", "--interface-identifier ::1:2:3:4"),
    ("advertising_enabled", "--advertising true"),
    ("forwarding_enabled", "--forwarding true"),
    ("weak_host_send", "--weak-host-send false"),
    ("weak_host_receive", "--weak-host-receive false"),
    ("use_automatic_metric", "--automatic-metric false --metric 60"),
    ("metric", "--metric 50"),
    ("use_neighbor_unreachability_detection", "--nud false"),
    ("router_discovery_behavior", "--router-discovery disabled"),
    ("dad_transmits", "--dad-transmits 3"),
    ("base_reachable_time", "--base-reachable-time 20s"),
    ("retransmit_time", "--retransmit-time 500ms"),
    ("link_local_address_behavior", "--link-local-address always_off"),
    ("nl_mtu", "--mtu 1300"),
    ("disable_default_routes", "--disable-default-routes true"),
];

/// What asks the C library of each program, and what asks a service that is to be asked over a bus.
const PLAIN: &str = "nameserver 192.0.2.1\n";
const MANAGED: &str = "# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).\n\
                       nameserver 127.0.0.53\n";

/// Compares each answer with what happens, for a caller that is made by these words before the program.
fn compare(caller: &[&str]) {
    compare_where(caller, PLAIN);
}

/// The same with this `resolv.conf`. There is no bus.
fn compare_where(caller: &[&str], resolv_conf: &str) {
    let run_as_caller = |program: Command| {
        let mut words = caller.iter().copied().map(OsStr::new).chain([program.get_program()]);
        let mut wrapped = Command::new(words.next().unwrap());
        let _ = wrapped.args(words).args(program.get_args()).stdin(Stdio::null());
        crate::support::run(&mut wrapped)
    };
    let as_caller = |arguments: &str| run_as_caller(command(arguments));
    let probe = as_caller("--version");
    if probe.code != Some(0) {
        eprintln!("skipped: no such caller here: {caller:?}: {}", probe.stderr);
        return;
    }
    std::fs::write("/etc/resolv.conf", resolv_conf).unwrap();
    let _ = run("ip netns add blue");
    for words in [
        "link add e0 type veth peer name e1",
        "link set lo up",
        "link set e1 netns blue",
        "link set e0 up",
        "-n blue link set e1 up",
        "address add 192.0.2.1/24 dev e0",
        "-n blue address add 192.0.2.2/24 dev e1",
    ] {
        let _ = run(&format!("ip {words}"));
    }
    let document = as_caller("doctor --json").json();
    let finding = |chapter: &str, action: &str| {
        let mut rows = document["findings"].as_array().unwrap().iter();
        let row = rows.find(|row| row["chapter"] == chapter && row["action"] == action);
        &row.unwrap_or_else(|| panic!("{chapter} {action}"))["obstacle"]
    };
    let agree = |what: &str, obstacle: &Value, arguments: &str| {
        let done = as_caller(arguments);
        let told = format!("{caller:?}: {what}: {obstacle}, and iph {arguments}: {done:?}");
        assert_eq!(obstacle.is_null(), done.code == Some(0), "{told}");
        assert!(!matches!(done.code, None | Some(1 | 2)), "{told}");
    };
    // A connection to tell of.
    let listener = TcpListener::bind("127.0.0.1:4002").unwrap();
    let _connection = (TcpStream::connect("127.0.0.1:4002").unwrap(), listener.accept().unwrap());
    for (chapter, action, arguments) in ACTIONS {
        // One for this action alone: another thread's child may have a closed one for a moment longer.
        let _listener =
            (*action == "delete connections").then(|| TcpListener::bind("127.0.0.1:4000").unwrap());
        agree(&format!("{chapter}: {action}"), finding(chapter, action), arguments);
    }
    // No command of ours closes one, but the same request of another program.
    let endpoint = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = endpoint.local_addr().unwrap().port();
    let is_there = || run(&format!("ss -uanH sport = :{port}")).contains(&format!("127.0.0.1:{port}"));
    assert!(is_there());
    let mut ss = Command::new("ss");
    let _ = ss.args(["-uanK", "sport", "=", &format!(":{port}")]);
    let said = run_as_caller(ss);
    let obstacle = finding("udp", "close endpoints");
    assert_eq!(obstacle.is_null(), !is_there(), "{caller:?}: {obstacle}: {said:?}");
    for row in document["abilities"].as_array().unwrap() {
        let (family, property) = (row["family"].as_str().unwrap(), row["property"].as_str().unwrap());
        if property == "nl_mtu" && row["obstacle"].to_string().contains("read-only") {
            // Some values can be set without sysctls.
            continue;
        }
        let (_, value) = VALUES.iter().find(|(name, _)| *name == property).expect(property);
        agree(
            &format!("{family} {property}"),
            &row["obstacle"],
            &format!("interface set e0 --{family} {value}"),
        );
    }
}

/// Runs `work` with files of its own in a namespace of its own, without duplicate address detection.
fn somewhere(work: impl Fn() + Send + Sync) {
    let _ = with_private_files(|| {
        with_private_folder("/var/lib", || {
            isolated(|| {
                set_sysctl("ipv6/conf/default/accept_dad", "0");
                work();
            });
        });
    });
}

#[test]
fn to_root() {
    somewhere(|| compare(&[]));
}

#[test]
fn to_root_without_the_bus_that_names_are_resolved_by() {
    somewhere(|| compare_where(&[], MANAGED));
}

#[test]
fn to_an_ordinary_user() {
    let words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    somewhere(|| compare(&words));
    // With a group that may send echo requests, where it is known by a number here.
    somewhere(|| {
        if std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 65534").is_ok() {
            compare(&words);
        }
    });
}

#[test]
fn to_root_without_capabilities_and_with_one() {
    somewhere(|| compare(&["setpriv", "--bounding-set=-all", "--inh-caps=-all"]));
    somewhere(|| {
        compare(&["setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin"]);
    });
}

#[test]
fn to_the_root_of_another_user_namespace() {
    somewhere(|| compare(&["unshare", "--user", "--map-root-user"]));
}

#[test]
fn to_root_where_sysctls_are_read_only() {
    somewhere(|| {
        let _ = with_read_only_sysctls(|| compare(&[]));
    });
}
