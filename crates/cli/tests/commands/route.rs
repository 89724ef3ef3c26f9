//! `iph route` beside `ip`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::{iph, unprivileged};
use iphelper_testkit::{NetNs, run};
use serde_json::Value;
use std::collections::BTreeSet;

/// Runs `work` where e0 and e1 are up, with addresses 10.N.0.1/24 and fd00:N::1/64.
fn with_cables(work: impl FnOnce() + Send) {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e0");
    here.veth("e1", &there, "e1");
    here.run(|| {
        for number in 0..2 {
            let _ = run(&format!("ip addr add 10.{number}.0.1/24 dev e{number}"));
            let _ = run(&format!("ip addr add fd00:{number}::1/64 dev e{number} nodad"));
        }
        work();
    });
}

/// `ip -j route show ARGUMENTS`.
fn ip(arguments: &str) -> Vec<Value> {
    let json = run(&format!("ip -j {arguments}"));
    serde_json::from_str::<Value>(&json).unwrap().as_array().unwrap().clone()
}

#[test]
fn routes_are_added_listed_changed_and_deleted() {
    with_cables(|| {
        for (prefix, hop, flag) in [("203.0.113.0/24", "10.0.0.2", "-4"), ("2001:db8::/32", "fd00::2", "-6")]
        {
            let name = format!("{prefix} --next-hop {hop} --interface e0");
            let shown = || ip(&format!("{flag} route show {prefix}"));
            let dry = iph(&format!("route add {name} --metric 7 --dry-run --json")).expect(0);
            assert!(dry.stderr.contains("nothing was added") && shown().is_empty(), "{dry:?}");
            let planned: Value = serde_json::from_str(&dry.stdout).unwrap();
            assert_eq!(iph(&format!("route add {name} --metric 7 --json")).json(), planned);
            assert_eq!(planned[0]["metric"], 7);
            assert_eq!(planned[0]["interface"], "e0");
            assert_eq!((shown().len(), shown()[0]["gateway"].as_str()), (1, Some(hop)));
            let exists = iph(&format!("route add {name} --metric 9")).message(1);
            assert!(exists.contains(&format!("by {hop} over e0 already")), "{exists}");
            let beside = name.replace("e0", "e1").replace("10.0.0", "10.1.0").replace("fd00::", "fd00:1::");
            let text = iph(&format!("route add {beside} --metric 7")).ok();
            assert!(text.contains(prefix) && text.contains("e1"), "{text}");
            assert_eq!(shown().len(), 2);

            let text = iph(&format!("route list {flag}")).ok();
            assert_eq!(text.lines().filter(|line| line.starts_with(prefix)).count(), 2, "{text}");
            let listed = iph(&format!("route list {flag} --interface e1 --json")).json();
            let listed = listed.as_array().unwrap();
            assert!(listed.iter().all(|row| row["interface"] == "e1"));
            assert_eq!(listed.len(), ip(&format!("{flag} route show dev e1")).len());
            let text = iph(&format!("route show {prefix} --via {hop}")).ok();
            assert!(text.contains("rtm_protocol 105") && text.contains("Age"), "{text}");

            let dry = iph(&format!("route set {name} --metric 3 --dry-run")).expect(0);
            assert!(dry.stdout.contains("RTA_PRIORITY") && dry.stderr.contains("nothing was changed"));
            let changes = iph(&format!("route set {name} --metric 3 --protocol ospf --json")).json();
            assert_eq!(changes.as_array().unwrap().len(), 2);
            assert_eq!((&changes[0]["from"], &changes[0]["to"]), (&"7".into(), &"3".into()));
            assert_eq!(shown()[0]["protocol"], "ospf");
            assert_eq!(shown()[0]["metric"], 3);
            assert!(iph(&format!("route set {name} --metric 3")).ok().contains("nothing to change"));

            assert!(iph(&format!("route delete {name} -n")).expect(0).stderr.contains("nothing was deleted"));
            assert_eq!(shown().len(), 2);
            assert!(iph(&format!("route delete {name}")).ok().contains(hop));
            assert_eq!(shown().len(), 1);
            let missing = iph(&format!("route delete {name}")).message(3);
            assert!(missing.contains("no route"), "{missing}");
        }
        let _ = iph("route add default --interface e0").ok();
        let _ = iph("route add default --interface e0 -6").ok();
        let _ = iph("route add 198.51.100.0/24 --interface e0 --table 100").ok();
        assert_eq!(ip("-4 route show default")[0]["dev"], "e0");
        assert_eq!(ip("-6 route show default")[0]["dev"], "e0");
        assert_eq!(ip("route show table 100").len(), 1);
        assert_eq!(iph("route show default --json").json().as_array().unwrap().len(), 2);
        let _ = iph("route delete 198.51.100.0/24 --interface e0 --table 100").ok();
    });
}

#[test]
fn every_table_is_listed() {
    with_cables(|| {
        let _ = run("ip route add blackhole 203.0.113.0/24 table 100");
        let _ = run("ip route add 203.0.114.0/24 nexthop via 10.0.0.2 dev e0 nexthop via 10.1.0.2 dev e1");
        let hops = |rows: Vec<Value>| -> usize {
            rows.iter().map(|row| row["nexthops"].as_array().map_or(1, Vec::len)).sum()
        };
        for (ours, theirs) in [
            ("route list --table all -4", "-4 route show table all"),
            ("route list --table local -6", "-6 route show table local"),
            ("route list --table 100 -4", "-4 route show table 100"),
            ("route ls", "-4 route show"),
        ] {
            let rows = iph(&format!("{ours} --json")).json();
            let mut expected = hops(ip(theirs));
            if ours == "route ls" {
                expected += hops(ip("-6 route show"));
            }
            assert_eq!(rows.as_array().unwrap().len(), expected, "{ours}");
        }
        let text = iph("route list --table all").ok();
        assert!(text.contains("blackhole, table 100") && text.contains("one of 2 next hops"), "{text}");
        let documented =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md")).unwrap();
        let section = documented.split("## `iph route list --json`").nth(1).expect("a section");
        let section = section.split("\n## ").next().unwrap();
        let fields: BTreeSet<String> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .flat_map(|row| {
                row.split(" | ").next().unwrap().split(", ").map(|it| it.trim_matches('`').to_owned())
            })
            .collect();
        for row in iph("route list --table all --json").json().as_array().unwrap() {
            let names: BTreeSet<String> = row.as_object().unwrap().keys().cloned().collect();
            assert_eq!(names, fields);
        }
    });
}

#[test]
fn the_next_hop_says_which_interface() {
    with_cables(|| {
        for (prefix, hop, flag) in
            [("203.0.113.0/24", "10.1.0.2", "-4"), ("2001:db8::/32", "fd00:1::2", "-6")]
        {
            let _ = iph(&format!("route add {prefix} --via {hop}")).ok();
            assert_eq!(ip(&format!("{flag} route show {prefix}"))[0]["dev"], "e1");
            let _ = iph(&format!("route set {prefix} --via {hop} --metric 3")).ok();
            let _ = iph(&format!("route delete {prefix} --via {hop}")).ok();
            assert!(ip(&format!("{flag} route show {prefix}")).is_empty());
        }
        // A router behind a router, one on a link of which nothing is known, and one that any link may have.
        let _ = run("ip route add 192.0.2.0/24 via 10.0.0.2");
        for (hop, code) in [("192.0.2.1", 3), ("198.51.100.1", 3), ("fe80::1", 2)] {
            let prefix = if code == 3 { "203.0.113.0/24" } else { "2001:db8::/32" };
            let message = iph(&format!("route add {prefix} --via {hop}")).message(code);
            assert!(message.contains("--interface NAME"), "{hop}: {message}");
        }
    });
}

#[test]
fn failures_say_what_to_do() {
    with_cables(|| {
        for (arguments, code, words) in [
            ("route add 203.0.113.0/24 --interface ee0", 3, "did you mean e0?"),
            ("route add 203.0.113.0/24 --interface nowhere0", 3, "no interface is called"),
            ("route add 203.0.113.0/24 --via 192.0.2.1 --dev e0", 2, "no neighbour"),
            ("route add 203.0.113.0/24 --dev e0 --protocol local", 5, "no number"),
            ("route add 203.0.113.0/24 --dev e0 --lifetime 10s", 5, "IPv6"),
            ("route add 203.0.113.0/24 --dev e0 --table 0", 2, "table 0"),
            ("route set 203.0.113.0/24 --dev e0 --metric 4", 3, "no route"),
            ("route set 203.0.113.0/24 --dev e0", 2, "nothing to change"),
            ("route show 203.0.113.0/24", 3, "no such route"),
            ("route list --interface 4711", 3, "no interface"),
        ] {
            let message = iph(arguments).message(code);
            assert!(message.contains(words), "{arguments}: {message}");
        }
        for arguments in [
            "route add 203.0.113.1/24 --dev e0",
            "route add 203.0.113.0/33 --dev e0",
            "route add 203.0.113.0/24",
            "route add 203.0.113.0/24 --dev e0 --protocol static",
            "route add 203.0.113.0/24 --dev e0 --lifetime soon",
            "route list --table everything",
        ] {
            let run = iph(arguments).expect(2);
            assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{arguments}");
        }
        let refused = unprivileged("route add 203.0.113.0/24 --dev e0").message(4);
        assert!(refused.contains("CAP_NET_ADMIN"), "{refused}");
        let _ = unprivileged("route add 203.0.113.0/24 --dev e0 --dry-run").ok();
        for metric in [10, 20] {
            let _ = run(&format!("ip route add 203.0.113.0/24 via 10.0.0.2 dev e0 metric {metric}"));
        }
        let several = iph("route delete 203.0.113.0/24 --via 10.0.0.2 --dev e0").message(2);
        assert!(several.contains("10, 20"), "{several}");
        let _ = iph("route delete 203.0.113.0/24 --via 10.0.0.2 --dev e0 --of-metric 10").ok();
        assert_eq!(ip("route show 203.0.113.0/24")[0]["metric"], 20);
    });
}
