//! `iph doctor` and `iph keeper rules`: what can be set, what does not work as it is set, and what is ours.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::keeper_support::Keeper;
use crate::support;
use crate::support::{Folder, iph};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{isolated, run, set_sysctl, with_read_only_sysctls};
use serde_json::Value;

fn obstacle(document: &Value, family: &str, property: &str) -> Value {
    let rows = document["abilities"].as_array().unwrap();
    let row = rows.iter().find(|row| row["family"] == family && row["property"] == property);
    row.unwrap_or_else(|| panic!("{family} {property}"))["obstacle"].clone()
}

/// What is found of an action: the obstacle and the detail, empty where there is none.
fn finding(document: &Value, chapter: &str, action: &str) -> (String, String) {
    let rows = document["findings"].as_array().unwrap();
    let row = rows.iter().find(|row| row["chapter"] == chapter && row["action"] == action);
    let row = row.unwrap_or_else(|| panic!("{chapter} {action}"));
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    (text("obstacle"), text("detail"))
}

fn warnings() -> Vec<String> {
    let document = iph("doctor --json").json();
    let rows = document["warnings"].as_array().unwrap().clone();
    rows.iter()
        .map(|row| format!("{}: {}", row["subject"].as_str().unwrap(), row["message"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_can_be_set_depends_on_user_and_kernel() {
    isolated(|| {
        let document = iph("doctor --json").json();
        assert_eq!(document["kernel"], run("uname -r").trim_end());
        assert_eq!((&document["may_change"], &document["keeper"]), (&true.into(), &false.into()));
        assert_eq!(obstacle(&document, "ipv4", "disable_default_routes"), Value::Null);
        assert_eq!(obstacle(&document, "ipv6", "weak_host_send"), Value::Null);
        let advertising = obstacle(&document, "ipv6", "advertising_enabled");
        assert!(advertising.as_str().unwrap().contains("start iph keeper"), "{advertising}");
        let _keeper = Keeper::start();
        let document = iph("doctor --json").json();
        assert_eq!(document["keeper"], true);
        assert_eq!(obstacle(&document, "ipv6", "advertising_enabled"), Value::Null);
        let document = support::unprivileged("doctor --json").json();
        assert_eq!(document["may_change"], false);
        for row in document["abilities"].as_array().unwrap() {
            assert!(row["obstacle"].as_str().unwrap().contains("CAP_NET_ADMIN"), "{row}");
        }
        let text = iph("doctor").ok();
        assert!(text.contains("Everything that is set works"), "{text}");
        let _ = with_read_only_sysctls(|| {
            let document = iph("doctor --json").json();
            let reason = obstacle(&document, "ipv4", "forwarding_enabled");
            assert!(reason.as_str().unwrap().contains("read-only"), "{reason}");
            assert_eq!(obstacle(&document, "ipv4", "disable_default_routes"), Value::Null);
        });
    });
}

/// What needs privilege to be changed.
const CHANGES: [(&str, &str); 8] = [
    ("tcp", "delete connections"),
    ("udp", "close endpoints"),
    ("route", "create, change and delete"),
    ("address", "create, change and delete"),
    ("neighbor", "create, change and delete"),
    ("statistics", "set the IPv4 TTL and forwarding"),
    ("statistics", "set the IPv6 hop limit"),
    ("estats", "switch collection"),
];

#[test]
fn each_chapter_says_what_this_user_may_do() {
    isolated(|| {
        let document = iph("doctor --json").json();
        for (chapter, action) in CHANGES {
            assert_eq!(finding(&document, chapter, action).0, "", "{chapter} {action}");
        }
        for (chapter, action) in [
            ("tcp", "list"),
            ("udp", "list"),
            ("address", "find duplicates of IPv4 addresses by ARP"),
            ("icmp", "send IPv4 echo requests"),
            ("icmp", "send IPv6 echo requests"),
            ("compartment", "enter"),
            ("timestamp", "tell what interfaces stamp"),
        ] {
            assert_eq!(finding(&document, chapter, action).0, "", "{chapter} {action}");
        }
        let (obstacle, detail) = finding(&document, "connectivity", "tell how far packets get");
        assert!(obstacle.is_empty() && detail.starts_with("none,"), "{obstacle} {detail}");
        assert!(finding(&document, "timestamp", "read hardware clocks").0.contains("no interface here"));
        let (obstacle, detail) = finding(&document, "port_reservation", "put back after a restart");
        assert!(obstacle.is_empty() && detail.contains("end with it"), "{obstacle} {detail}");

        let document = support::unprivileged("doctor --json").json();
        for (chapter, action) in CHANGES {
            let told = finding(&document, chapter, action).0;
            assert!(told.contains("CAP_NET_ADMIN"), "{chapter} {action}: {told}");
        }
        assert!(finding(&document, "port_reservation", "create and delete").0.contains("CAP_NET_ADMIN"));
        let owners = finding(&document, "tcp", "tell the owners of all sockets").0;
        assert!(owners.contains("CAP_SYS_PTRACE"), "{owners}");
        let arp = finding(&document, "address", "find duplicates of IPv4 addresses by ARP").0;
        assert!(arp.contains("CAP_NET_RAW") && arp.contains("dad_transmits"), "{arp}");
        let enter = finding(&document, "compartment", "enter").0;
        assert!(enter.contains("CAP_SYS_ADMIN"), "{enter}");
        let resolve = finding(&document, "neighbor", "resolve");
        assert!(resolve.0.is_empty() && resolve.1.contains("CAP_NET_ADMIN"), "{resolve:?}");
        let text = support::unprivileged("doctor").ok();
        assert!(text.contains("delete connections") && text.contains("no: needs CAP_NET_ADMIN"), "{text}");
    });
}

#[test]
fn capabilities_over_another_user_namespace_are_none_here() {
    isolated(|| {
        let mut unshare = std::process::Command::new("unshare");
        let words = ["--user", "--map-root-user", env!("CARGO_BIN_EXE_iph"), "doctor", "--json"];
        let document = support::run(unshare.args(words)).json();
        assert_eq!(document["may_change"], false);
        for (chapter, action, missing) in [
            ("tcp", "tell the owners of all sockets", "of this user namespace"),
            ("tcp", "delete connections", "CAP_NET_ADMIN"),
            ("address", "find duplicates of IPv4 addresses by ARP", "CAP_NET_RAW"),
            ("compartment", "enter", "CAP_SYS_ADMIN"),
        ] {
            let told = finding(&document, chapter, action).0;
            assert!(told.contains(missing), "{chapter} {action}: {told}");
        }
    });
}

#[test]
fn what_the_namespace_lacks_is_told() {
    isolated(|| {
        let raw = |document: &Value| finding(document, "icmp", "send IPv4 echo requests");
        assert!(raw(&iph("doctor --json").json()).1.contains("raw socket"));
        let refused = raw(&support::unprivileged("doctor --json").json()).0;
        assert!(refused.contains("ping_group_range") && refused.contains("CAP_NET_RAW"), "{refused}");
        set_sysctl("ipv4/ping_group_range", "0 0");
        let allowed = raw(&support::unprivileged("doctor --json").json());
        assert!(allowed.0.is_empty() && allowed.1.contains("ping socket"), "{allowed:?}");
        let _ = with_read_only_sysctls(|| {
            let document = iph("doctor --json").json();
            for (chapter, action) in [
                ("statistics", "set the IPv4 TTL and forwarding"),
                ("statistics", "set the IPv6 hop limit"),
                ("port_reservation", "create and delete"),
            ] {
                let told = finding(&document, chapter, action).0;
                assert!(told.contains("read-only"), "{chapter} {action}: {told}");
            }
            assert_eq!(finding(&document, "tcp", "delete connections").0, "");
        });
    });
}

#[test]
fn the_file_of_the_resolver_is_looked_at() {
    isolated(|| {
        let folder = Folder::new();
        let file = folder.0.join("resolv.conf");
        let told = |content: &str| {
            std::fs::write(&file, content).unwrap();
            let script = format!("mount --bind {} /etc && exec {}", folder.0.display(), doctor());
            let output =
                std::process::Command::new("unshare").args(["--mount", "sh", "-c", &script]).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            (finding(&document, "dns", "read"), finding(&document, "dns", "change servers and domains"))
        };
        let (read, change) = told("nameserver 192.0.2.53\n");
        if read.1.contains("systemd-resolved") {
            eprintln!("skipped: systemd-resolved works here");
            return;
        }
        assert!(read.0.is_empty() && read.1.contains("/etc/resolv.conf"), "{read:?}");
        assert!(change.0.is_empty() && change.1.contains("replacing"), "{change:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "nameserver 192.0.2.53\n", "nothing is written");
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left");
        let (_, change) = told("# Generated by NetworkManager\nnameserver 192.0.2.53\n");
        assert!(change.0.contains("NetworkManager"), "{change:?}");
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("kept.conf", &file).unwrap();
        let (read, change) = told("nameserver 192.0.2.53\n");
        assert!(read.1.contains("a link to kept.conf"), "{read:?}");
        assert!(change.0.contains("a link to kept.conf"), "{change:?}");
    });
}

/// The command line, with words that a shell leaves alone.
fn doctor() -> String {
    format!("{} doctor --json", env!("CARGO_BIN_EXE_iph"))
}

#[test]
fn what_does_not_work_as_it_is_set_is_a_warning() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        assert_eq!(warnings(), [""; 0]);
        let _ = iph("interface set e0 --ipv4 --disable-default-routes true").ok();
        let told = warnings();
        assert!(told.iter().any(|it| it.starts_with("host: no keeper runs")), "{told:?}");
        assert!(!told.iter().any(|it| it.contains("rp_filter")), "{told:?}");
        let shown = iph("interface show e0").ok();
        assert!(
            shown.contains("No keeper runs: routes and addresses that others add are not followed"),
            "{shown}"
        );
        for (all, one, strict) in [("0", "1", true), ("1", "0", true), ("1", "2", false), ("0", "0", false)] {
            set_sysctl("ipv4/conf/all/rp_filter", all);
            set_sysctl("ipv4/conf/e0/rp_filter", one);
            let told = warnings();
            assert_eq!(
                told.iter().any(|it| it.starts_with("e0: rp_filter is 1")),
                strict,
                "{all} {one} {told:?}"
            );
        }
        let _ = run("nft flush ruleset");
        let told = warnings();
        assert!(told.iter().any(|it| it.contains("nftables table") && it.contains("went away")), "{told:?}");
        let _ = run("ip rule delete priority 32765");
        let told = warnings();
        assert!(told.iter().any(|it| it.contains("policy rules of IPv4")), "{told:?}");
        let _keeper = Keeper::start();
        assert_eq!(warnings(), [""; 0], "the keeper has made all of it anew");
        let shown = iph("interface show e0").ok();
        assert!(!shown.contains("No keeper"), "{shown}");
    });
}

#[test]
fn each_of_our_objects_is_explained() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        assert_eq!(iph("keeper rules --json").json(), serde_json::json!([]));
        assert!(iph("keeper rules").ok().contains("Nothing of ours"));
        let _ = iph("interface set e0 --ipv4 --ipv6 --disable-default-routes true").ok();
        let _ = iph("interface set e1 --ipv4 --weak-host-send false --weak-host-receive false").ok();
        let objects = iph("keeper rules --json").json();
        let names: Vec<_> =
            objects.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        // As many as other programs see.
        let count = |kind: &str| names.iter().filter(|name| name.starts_with(kind)).count();
        for family in ["-4", "-6"] {
            let rules = run(&format!("ip {family} rule"));
            let ours = rules.lines().filter(|line| line.starts_with("32765:")).count();
            assert_eq!(count(&format!("ip {family} rule")), ours, "{names:#?}");
        }
        let table = run("nft list table inet iphelper");
        let listed =
            |kind: &str| table.lines().filter(|line| line.starts_with(&format!("\t{kind} "))).count();
        assert_eq!(count("nft chain"), listed("chain"), "{names:#?}");
        assert_eq!(count("nft set"), listed("set") + listed("map"), "{names:#?}");
        assert_eq!(
            count("nft rule"),
            table.matches(" comment \"").count() - table.matches("luid").count(),
            "{table}"
        );
        let text = iph("keeper rules").ok();
        for words in [
            "interfaces whose default routes are disabled: e0",
            "where packets may go over e0",
            "copies of the default routes that are allowed",
            "copies of the routes over e1",
            "this host's packets with an address of e1 go by its routes",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let public = support::unprivileged("keeper rules").ok();
        assert!(
            public.contains("tells everybody which properties are set") && !public.contains("nft"),
            "{public}"
        );
    });
}

#[test]
fn notes_and_routes_of_all_chapters_are_explained() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        for command in [
            "interface set e0 --ipv4 --ipv6 --metric 50",
            "interface set e0 --ipv4 --mtu 1300",
            "interface set e1 --ipv4 --dad-transmits 0",
            "address add 192.0.2.1/28 --interface e1 --skip-as-source",
            "route add 2001:db8:7::/64 --next-hop fe80::7 --interface e1 --metric 5",
            "route add 2001:db8:7::/64 --next-hop fe80::8 --interface e1 --metric 5",
        ] {
            let _ = iph(command).ok();
        }
        let objects = iph("keeper rules --json").json();
        let text = objects.to_string();
        assert!(!text.contains("another version"), "{objects:#}");
        // As many as other programs see.
        let of_ours = |line: &&str| line.contains("proto 105") && line.contains("table ");
        let ours = run("ip -N -4 route show table all");
        let tables: std::collections::BTreeSet<_> = ours
            .lines()
            .filter(of_ours)
            .map(|line| line.split("table ").nth(1).unwrap().split(' ').next().unwrap())
            .collect();
        for table in &tables {
            assert!(text.contains(&format!("ip -4 route table {table} ")), "{table}: {objects:#}");
        }
        assert!(tables.contains("1768974352") && tables.contains("1768974359"), "{ours}");
        assert!(
            ours.lines().any(|line| line.starts_with("192.0.2.0/28") && line.contains("proto 106")),
            "{ours}"
        );
        assert!(text.contains("ip -4 route 192.0.2.0/28 dev e1 proto 106"), "{objects:#}");
    });
}

#[test]
fn a_bridge_that_shows_its_frames_to_filters_is_warned_of() {
    if std::fs::metadata("/proc/sys/net/bridge").is_err() {
        eprintln!("skipped: this kernel has no br_netfilter");
        return;
    }
    isolated(|| {
        let _ = run("ip link add br0 type bridge");
        let show = |shown: &str| {
            for file in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
                set_sysctl(&format!("bridge/{file}"), shown);
            }
        };
        let told = || warnings().iter().any(|it| it.starts_with("br0: br_netfilter shows frames"));
        show("1");
        assert!(!told(), "nothing is guarded");
        let _ = iph("interface set br0 --ipv4 --disable-default-routes true").ok();
        assert!(told(), "{:?}", warnings());
        show("0");
        assert!(!told(), "{:?}", warnings());
    });
}

#[test]
fn routes_that_a_metric_does_not_move_are_counted() {
    isolated(|| {
        for (name, net) in [("e0", 1), ("e1", 2)] {
            let _ = run(&format!("ip link add {name} type veth peer name p{name}"));
            set_sysctl(&format!("ipv6/conf/{name}/accept_dad"), "0");
            let _ = run(&format!("ip link set {name} up"));
            let _ = run(&format!("ip link set p{name} up"));
            let _ = run(&format!("ip address add 10.0.{net}.1/24 dev {name}"));
        }
        let _ = run("ip route add 192.0.2.0/24 nexthop via 10.0.1.2 nexthop via 10.0.2.2");
        let told = || warnings().into_iter().find(|it| it.starts_with("e0: has an IPv4 metric by hand"));
        assert_eq!(told(), None);
        let _ = iph("interface set e0 --ipv4 --metric 50").ok();
        let message = told().unwrap_or_else(|| panic!("{:?}", warnings()));
        assert!(message.ends_with("keep their own: 1 over other interfaces, too"), "{message}");
        // As a router tells them.
        let _ = run("ip -6 route add 2001:db8:5::/48 via fe80::1 dev e0 proto ra metric 1024");
        let _ = iph("interface set e0 --ipv6 --metric 50").ok();
        let six = warnings().into_iter().find(|it| it.starts_with("e0: has an IPv6 metric by hand"));
        let six = six.unwrap_or_else(|| panic!("{:?}", warnings()));
        assert!(six.ends_with("1 to prefixes that a router advertised"), "{six}");
        let _ = iph("interface set e0 --ipv4 --ipv6 --automatic-metric true").ok();
        assert_eq!(told(), None);
    });
}

/// What is kept, as text: name, family, property and value.
fn kept() -> Vec<String> {
    let document = iph("doctor --json").json();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let rows = document["kept"].as_array().unwrap().clone();
    let words = ["name", "family", "property", "value"];
    rows.iter().map(|row| words.map(|word| text(row, word)).join(" ")).collect()
}

/// All that the kernel has, as others tell it.
fn everything() -> String {
    [
        "ip -4 rule",
        "ip -6 rule",
        "ip -4 route show table all",
        "ip -6 route show table main",
        "nft list ruleset",
    ]
    .map(run)
    .concat()
}

#[test]
fn what_stays_is_told_and_taken_back() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        assert_eq!(kept(), Vec::<String>::new());
        assert!(!iph("doctor").ok().contains("Kept on"));
        // IPv6 has the metric again that its addresses' routes begin with, and says so from then on.
        for metric in ["--metric 3", "--automatic-metric on"] {
            let _ = iph(&format!("interface set e0 -4 -6 {metric}")).ok();
        }
        let before = everything();
        for set in [
            "e0 -4 -6 --disable-default-routes on --weak-host-send off --metric 7",
            "e0 -4 --dad-transmits 3 --weak-host-receive off",
            "e0 -4 --mtu 1300",
            "e1 -6 --weak-host-receive off",
        ] {
            let _ = iph(&format!("interface set {set}")).ok();
        }
        assert_eq!(
            kept(),
            [
                "e0 ipv4 weak_host_send false",
                "e0 ipv4 weak_host_receive false",
                "e0 ipv4 metric 7",
                "e0 ipv4 dad_transmits 3",
                "e0 ipv4 nl_mtu 1300",
                "e0 ipv4 disable_default_routes true",
                "e0 ipv6 weak_host_send false",
                "e0 ipv6 metric 7",
                "e0 ipv6 disable_default_routes true",
                "e1 ipv6 weak_host_receive false",
            ]
        );
        let unprivileged = support::unprivileged("doctor").ok();
        assert!(unprivileged.contains("iph interface reset e0"), "{unprivileged}");

        let set = everything();
        let planned = iph("interface reset e0 --dry-run --json").json();
        assert_eq!(everything(), set, "a plan writes nothing");
        let done = iph("interface reset e0 --json").json();
        assert_eq!(done, planned);
        // Each of them, and use_automatic_metric beside metric.
        assert!(done.as_array().unwrap().len() >= 9, "{done}");
        assert_eq!(kept(), ["e1 ipv6 weak_host_receive false"]);
        assert!(iph("interface reset e0").ok().contains("nothing to change"));
        let _ = iph("interface reset e1 -4").ok();
        assert_eq!(kept().len(), 1, "the other side is left alone");
        let _ = iph("interface reset e1 -6").ok();
        assert_eq!(everything(), before);
    });
}
