//! `iph neighbor` beside `ip neigh`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{iph, unprivileged};
use iphelper_testkit::{NetNs, calm_neighbors, eventually, run, set_sysctl, try_run};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MAC: &str = "02:00:5e:00:53:07";
/// Nobody's, and the other host's, of each family.
const ADDRESSES: [(&str, &str); 2] = [("192.0.2.7", "192.0.2.2"), ("2001:db8::7", "2001:db8::2")];

/// Runs `work` where `e0` is on a link with another host, whose physical address is 02:00:5e:00:53:02.
fn with_neighbor(work: impl FnOnce() + Send) {
    let (here, there) = (NetNs::new(), NetNs::new());
    for host in [&here, &there] {
        host.run(|| {
            set_sysctl("ipv6/conf/default/accept_dad", "0");
            set_sysctl("ipv6/conf/default/router_solicitations", "0");
        });
    }
    here.veth("e0", &there, "p0");
    let _ = there.sh("ip link set p0 address 02:00:5e:00:53:02");
    for (host, name, last) in [(&here, "e0", 1), (&there, "p0", 2)] {
        let _ = host.sh(&format!("ip addr add 192.0.2.{last}/24 dev {name}"));
        let _ = host.sh(&format!("ip addr add 2001:db8::{last}/64 dev {name}"));
        eventually("the link is up", || host.sh(&format!("ip link show {name}")).contains("state UP"));
        // Nobody asks again by himself, or learns who asked.
        host.run(|| calm_neighbors(name));
    }
    here.run(work);
}

/// Runs `work`, in which hosts that do not answer are given up soon. A busy one may take longer.
fn impatiently<T>(work: impl FnOnce() -> T) -> T {
    let wait = |time: &str| {
        for version in ["ipv4", "ipv6"] {
            set_sysctl(&format!("{version}/neigh/e0/retrans_time_ms"), time);
        }
    };
    wait("60");
    let result = work();
    wait("10000");
    result
}

/// State and physical address of a neighbour of `e0`, as `ip` shows them.
fn shown(address: &str) -> Option<(String, String)> {
    let rows: Value = serde_json::from_str(&run("ip -j neigh show nud all dev e0")).unwrap_or_default();
    let row = rows.as_array()?.iter().find(|row| row["dst"] == address)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some((text(&row["state"][0]), text(&row["lladdr"])))
}

#[test]
fn the_list_is_what_ip_shows() {
    with_neighbor(|| {
        for (nobody, far) in ADDRESSES {
            let _ = run(&format!("ip neigh add {nobody} lladdr {MAC} dev e0 router"));
            let _ = run(&format!("ip neigh add {far} lladdr 02:00:5e:00:53:02 dev e0 nud reachable"));
        }
        let _ = run("ip neigh add fe80::9 lladdr 02:00:5e:00:53:09 dev e0 nud stale extern_learn");
        let rows = iph("neighbor list --json").json();
        let ours: BTreeSet<_> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                (text("interface"), text("address"), text("physical_address"))
            })
            .collect();
        let mut theirs = BTreeSet::new();
        for digit in [4, 6] {
            let rows: Value =
                serde_json::from_str(&run(&format!("ip -{digit} -j neigh show nud all"))).unwrap_or_default();
            for row in rows.as_array().into_iter().flatten() {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                if text("dst") != "0.0.0.0" {
                    let _ = theirs.insert((text("dev"), text("dst"), text("lladdr")));
                }
            }
        }
        assert_eq!(ours, theirs);
        let row = rows.as_array().unwrap().iter().find(|row| row["address"] == "192.0.2.7").unwrap();
        let index: u64 = run("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        assert_eq!(
            *row,
            json!({
                "family": "ipv4", "address": "192.0.2.7", "luid": row["luid"], "index": index, "interface": "e0",
                "scope_id": 0, "physical_address": MAC, "state": "permanent", "is_router": true,
                "is_unreachable": false, "last_reachable": null, "last_unreachable": null,
                "externally_learned": false, "managed": false, "protocol": null, "nud_state": 128
            })
        );
        assert_eq!(row["luid"], iph("interface show e0 --json").json()["luid"]);

        let text = iph("neighbor ls -4 --dev e0").ok();
        let lines: Vec<_> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[0], "Address Interface Physical address State Notes");
        assert!(lines.contains(&format!("192.0.2.7 e0 {MAC} permanent router")), "{text}");
        let confirmed = lines.iter().find(|line| line.starts_with("192.0.2.2 e0 ")).unwrap();
        assert!(confirmed.contains(" reachable confirmed ") && confirmed.ends_with(" s ago"), "{text}");
        assert!(!text.contains("2001:db8::"), "{text}");
        let text = iph("neighbour list -6 --interface e0").ok();
        assert!(text.contains("another program's") && !text.contains("192.0.2."), "{text}");

        let _ = run("ip neigh add proxy 192.0.2.50 dev e0");
        assert!(iph("neighbor proxy list").ok().contains("192.0.2.50  e0"));
        let proxies = iph("neighbor proxy list --json").json();
        assert_eq!((&proxies[0]["address"], &proxies[0]["interface"]), (&json!("192.0.2.50"), &json!("e0")));
        assert_eq!(iph("neighbor proxy list -6 --json").json(), json!([]));
        assert!(iph("neighbor list --interface e9").message(3).contains("no interface is called"));
    });
}

#[test]
fn proxies_are_added_and_deleted() {
    with_neighbor(|| {
        set_sysctl("ipv6/conf/e0/proxy_ndp", "1");
        let proxies = |digit: u8| run(&format!("ip -{digit} neigh show proxy dev e0"));
        for (range, first, last, digit) in [
            ("192.0.2.64/30", "192.0.2.64", "192.0.2.67", 4),
            ("2001:db8::7", "2001:db8::7", "2001:db8::7", 6),
        ] {
            let (add, delete) = (
                format!("neighbor proxy add {range} --interface e0"),
                format!("neighbor proxy delete {range} --dev e0"),
            );
            let dry = iph(&format!("{add} -n")).expect(0);
            assert_eq!((dry.stderr.as_str(), proxies(digit).trim()), ("dry run: nothing was added\n", ""));
            assert!(dry.stdout.contains(first) && dry.stdout.contains(last), "{}", dry.stdout);
            let _ = unprivileged(&add).message(4);
            assert_eq!(iph(&add).ok(), dry.stdout);
            assert!(proxies(digit).contains(last));
            assert!(iph(&add).message(1).contains("already"));
            let dry = iph(&format!("{delete} --dry-run --json")).expect(0);
            assert!(proxies(digit).contains(first));
            assert_eq!(iph(&format!("{delete} --json")).ok(), dry.stdout);
            assert_eq!(proxies(digit).trim(), "");
            assert!(iph(&delete).message(3).contains("is not answered for on e0"));
        }
        for (arguments, code, words) in [
            ("neighbor proxy add 192.0.2.65/28 --dev e0", 2, "192.0.2.64/28"),
            ("neighbor proxy add e0 --dev e0", 2, "192.0.2.64/28"),
            ("neighbor proxy add 10.0.0.0/8 --dev e0", 5, "4096"),
            ("neighbor proxy add 192.0.2.64/28 --dev e9", 3, "no interface is called"),
        ] {
            let run = iph(arguments).expect(code);
            assert!(run.stderr.contains(words), "{arguments}: {}", run.stderr);
        }
    });
}

#[test]
fn neighbors_are_added_set_and_deleted() {
    with_neighbor(|| {
        for (nobody, _) in ADDRESSES {
            let add = format!("neighbor add {nobody} --interface e0 --mac {MAC}");
            let dry = iph(&format!("{add} --dry-run")).expect(0);
            assert_eq!(dry.stderr, "dry run: nothing was added\n");
            assert_eq!(shown(nobody), None);
            assert_eq!(iph(&add).ok(), dry.stdout);
            assert_eq!(shown(nobody), Some(("PERMANENT".to_owned(), MAC.to_owned())));
            let message = iph(&add).message(1);
            assert!(message.contains("(permanent): set that, or delete it first"), "{message}");

            let set =
                format!("neighbor set {nobody} --dev e0 --physical-address 02-00-5E-00-53-08 --dynamic");
            let dry = iph(&format!("{set} --dry-run --json")).expect(0);
            assert_eq!(shown(nobody), Some(("PERMANENT".to_owned(), MAC.to_owned())));
            let changes = iph(&format!("{set} --json")).json();
            assert_eq!(changes, serde_json::from_str::<Value>(&dry.stdout).unwrap());
            assert_eq!(changes[0]["to"], "02:00:5e:00:53:08");
            assert_eq!((&changes[1]["from"], &changes[1]["to"]), (&json!("permanent"), &json!("stale")));
            assert_eq!(shown(nobody), Some(("STALE".to_owned(), "02:00:5e:00:53:08".to_owned())));
            assert_eq!(iph(&set).ok(), "nothing to change: every value is already so\n");
            assert!(iph(&set.replace("--dynamic", "")).ok().contains(&format!("neighbour {nobody} on e0")));

            let delete = format!("neighbor delete {nobody} --interface e0");
            let dry = iph(&format!("{delete} -n")).ok();
            assert_eq!(iph(&delete).ok(), dry);
            assert_eq!(shown(nobody), None);
            assert!(iph(&delete).message(3).contains(&format!("e0 has no neighbour {nobody}")));
        }
        // A zone is the interface.
        let _ = iph(&format!("neighbor add fe80::7%e0 --mac {MAC} --json")).ok();
        assert_eq!(shown("fe80::7"), Some(("PERMANENT".to_owned(), MAC.to_owned())));
        let row = iph("neighbor delete fe80::7%e0 --json").json();
        assert_eq!(row[0]["scope_id"], row[0]["index"]);
    });
}

#[test]
fn a_flush_leaves_what_was_set() {
    with_neighbor(|| {
        for (nobody, far) in ADDRESSES {
            let _ = run(&format!("ip neigh add {nobody} lladdr {MAC} dev e0"));
            let _ = run(&format!("ip neigh add {far} lladdr 02:00:5e:00:53:02 dev e0 nud stale"));
        }
        let dry = iph("neighbor flush --dry-run").expect(0);
        assert!(
            dry.stdout.contains("192.0.2.2") && dry.stderr.ends_with("nothing was forgotten\n"),
            "{dry:?}"
        );
        assert!(shown("192.0.2.2").is_some());
        assert!(iph("neighbor flush -4 --interface e0").ok().contains("192.0.2.2"));
        assert!(shown("192.0.2.2").is_none() && shown("2001:db8::2").is_some());
        let rows = iph("neighbor flush --permanent --json").json();
        let addresses: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["address"].clone()).collect();
        assert_eq!(addresses, ["192.0.2.7", "2001:db8::2", "2001:db8::7"]);
        assert!(ADDRESSES.iter().all(|(nobody, _)| shown(nobody).is_none()));
        let nothing = iph("neighbor flush").expect(0);
        assert_eq!((nothing.stdout.as_str(), nothing.stderr.as_str()), ("", "there was nothing to forget\n"));
    });
}

#[test]
fn a_neighbor_answers_or_does_not() {
    with_neighbor(|| {
        for (nobody, far) in ADDRESSES {
            for arguments in [far.to_owned(), format!("{far} --interface e0")] {
                let text = iph(&format!("neighbor resolve {arguments}")).ok();
                assert!(text.contains("02:00:5e:00:53:02  reachable"), "{text}");
            }
            let row = unprivileged(&format!("neighbor resolve {far} --json")).json();
            assert_eq!(row[0]["physical_address"], "02:00:5e:00:53:02");
            let message = impatiently(|| iph(&format!("neighbor resolve {nobody}"))).message(3);
            assert!(message.contains("does not answer on e0"), "{message}");
        }
        let text = iph("neighbor resolve 192.0.2.2 --from 192.0.2.1").ok();
        assert!(text.contains("02:00:5e:00:53:02"), "{text}");
        assert!(
            iph("neighbor resolve 192.0.2.2 --from 192.0.2.77").message(3).contains("no address of this")
        );
        assert!(iph("neighbor resolve 203.0.113.1").message(3).contains("no route leads to 203.0.113.1"));
        assert!(iph("neighbor resolve 192.0.2.1").message(2).contains("own address"));
    });
}

#[test]
fn mistakes_say_what_to_do() {
    with_neighbor(|| {
        let add = |rest: &str| iph(&format!("neighbor add {rest}"));
        let usage = |run: support::Run, reason: &str| {
            let run = run.expect(2);
            assert!(run.stderr.contains(reason), "{run:?}");
        };
        usage(add(&format!("192.0.2.7 --mac {MAC}")), "--interface eth0");
        usage(add(&format!("192.0.2.7%e0 --mac {MAC}")), "an IPv4 address has no zone");
        usage(add(&format!("fe80::7%lo --dev e0 --mac {MAC}")), "two interfaces");
        usage(add(&format!("nobody --dev e0 --mac {MAC}")), "give an address such as");
        usage(add("192.0.2.7 --dev e0 --mac nothing"), "02:00:5e:00:53:07");
        usage(add("192.0.2.7 --dev e0 --mac 02:00"), "have 6 bytes, and 02:00 has 2");
        usage(add("192.0.2.7 --dev e0"), "--physical-address");
        usage(add(&format!("127.0.0.1 --dev e0 --mac {MAC}")), "no address that a host of a link can have");
        assert!(add(&format!("192.0.2.7 --dev e9 --mac {MAC}")).message(3).contains("iph interface list"));

        let before = run("ip neigh");
        for command in [
            format!("add 192.0.2.7 --dev e0 --mac {MAC}"),
            format!("set 192.0.2.7 --dev e0 --mac {MAC}"),
            "delete 192.0.2.7 --dev e0".to_owned(),
            "flush".to_owned(),
        ] {
            let message = unprivileged(&format!("neighbor {command}")).message(4);
            assert!(message.contains("CAP_NET_ADMIN"), "{message}");
        }
        assert_eq!(run("ip neigh"), before);
        let planned = unprivileged(&format!("neighbor add 192.0.2.7 --dev e0 --mac {MAC} --dry-run")).ok();
        assert!(planned.contains("permanent"), "{planned}");
    });
}

#[test]
fn names_of_interfaces_are_escaped() {
    NetNs::new().run(|| {
        if let Err(error) = try_run("ip link add e\u{9b}0 type veth peer name e1") {
            eprintln!("skipped: such a name cannot be given here: {error}");
            return;
        }
        let _ = run("ip link set e\u{9b}0 up");
        let _ = run(&format!("ip neigh add 192.0.2.7 lladdr {MAC} dev e\u{9b}0"));
        let text = iph("neighbor list -4").ok();
        assert!(text.contains("e\\u{9b}0") && !text.contains('\u{9b}'), "{text}");
        assert!(iph("neighbor list -4 --json").ok().contains("e\\u009b0"));
    });
}
