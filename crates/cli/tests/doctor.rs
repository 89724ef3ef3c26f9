//! `iph doctor` and `iph keeper rules`: what can be set, what does not work as it is set, and what is ours.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod keeper_support;
mod support;

use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{isolated, run, set_sysctl, with_read_only_sysctls};
use keeper_support::Keeper;
use serde_json::Value;
use support::iph;

iphelper_testkit::private_user_namespace!();

fn obstacle(document: &Value, family: &str, property: &str) -> Value {
    let rows = document["abilities"].as_array().unwrap();
    let row = rows.iter().find(|row| row["family"] == family && row["property"] == property);
    row.unwrap_or_else(|| panic!("{family} {property}"))["obstacle"].clone()
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
