//! `iph address` beside `ip addr`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use iphelper_testkit::{NetNs, eventually, run, set_sysctl};
use serde_json::{Value, json};

/// What a run left behind.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl From<support::Run> for Done {
    fn from(run: support::Run) -> Self {
        Self { code: run.code.unwrap(), stdout: run.stdout, stderr: run.stderr }
    }
}

fn iph(arguments: &[&str]) -> Done {
    support::iph(&arguments.join(" ")).into()
}

fn unprivileged(arguments: &[&str]) -> Done {
    support::unprivileged(&arguments.join(" ")).into()
}

/// Addresses and the lengths of their prefixes.
const ADDRESSES: [(&str, u8); 2] = [("192.0.2.5", 24), ("2001:db8::5", 64)];

/// Runs `work` where `e0` is on a link with another host, which has 192.0.2.9.
fn with_link(work: impl FnOnce() + Send) {
    let (here, there) = (NetNs::new(), NetNs::new());
    for host in [&here, &there] {
        host.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    }
    here.veth("e0", &there, "p0");
    let _ = there.sh("ip addr add 192.0.2.9/24 dev p0");
    eventually("the link is up, with an address", || {
        let shown = here.sh("ip addr show dev e0");
        shown.contains("state UP") && shown.contains("fe80") && !shown.contains("tentative")
    });
    here.run(work);
}

/// An address of `e0` as `ip` shows it.
fn shown(address: &str) -> Option<Value> {
    let links: Value = serde_json::from_str(&run("ip -j addr show dev e0")).unwrap();
    links[0]["addr_info"].as_array().unwrap().iter().find(|it| it["local"] == address).cloned()
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let output = iph(arguments);
    assert_eq!(output.code, 0, "{}", output.stderr);
    serde_json::from_str::<Value>(&output.stdout).unwrap().as_array().unwrap().clone()
}

#[test]
fn the_list_is_what_ip_shows() {
    with_link(|| {
        let _ = run("ip addr add 192.0.2.5/24 dev e0 valid_lft 5000 preferred_lft 4000");
        let links: Value = serde_json::from_str(&run("ip -j addr show")).unwrap();
        let mut shown = Vec::new();
        for link in links.as_array().unwrap() {
            for it in link["addr_info"].as_array().unwrap() {
                shown.push((link["ifname"].clone(), it["local"].clone(), it["prefixlen"].clone()));
            }
        }
        let all = rows(&["address", "list", "--json"]);
        let key = |row: &Value| {
            (row["interface"].clone(), row["address"].clone(), row["on_link_prefix_length"].clone())
        };
        let mut listed: Vec<_> = all.iter().map(key).collect();
        for list in [&mut listed, &mut shown] {
            list.sort_by_key(|it| format!("{it:?}"));
        }
        assert_eq!(listed, shown);
        let lease = all.iter().find(|row| row["address"] == "192.0.2.5").unwrap();
        assert_eq!((&lease["prefix_origin"], &lease["dad_state"]), (&json!("dhcp"), &json!("preferred")));
        assert!((4_000_000..=5_000_000).contains(&lease["valid_lifetime"].as_u64().unwrap()), "{lease}");
        assert!(lease["luid"].is_string() && lease["created"].is_u64(), "{lease}");
        let lo = rows(&["address", "ls", "-4", "--dev", "lo", "--json"]);
        assert_eq!(lo.len(), 1);
        assert_eq!((&lo[0]["address"], &lo[0]["valid_lifetime"]), (&json!("127.0.0.1"), &Value::Null));
        let text = iph(&["address", "list", "-4", "--interface", "lo"]).stdout;
        let columns: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(columns, ["127.0.0.1/8", "lo", "preferred", "well_known", "forever", "forever"]);
        let groups = rows(&["address", "list", "--multicast", "--interface", "e0", "--json"]);
        assert!(groups.iter().any(|row| row["address"] == "ff02::1" && row["scope_id"] == row["index"]));
        assert!(rows(&["address", "list", "--anycast", "-4", "--json"]).is_empty());
    });
}

#[test]
fn an_address_is_added_changed_and_deleted() {
    with_link(|| {
        for (address, length) in ADDRESSES {
            let whole = format!("{address}/{length}");
            let add = ["address", "add", &whole, "--interface", "e0", "--valid", "1h", "--preferred", "30m"];
            let dry = iph(&[&add[..], &["--dry-run"]].concat());
            assert_eq!((dry.code, dry.stderr.trim()), (0, "dry run: nothing was added"));
            assert_eq!(shown(address), None);
            let denied = unprivileged(&add);
            assert_eq!(denied.code, 4, "{}", denied.stderr);
            let added = iph(&add);
            // One of IPv6 is tentative until the kernel has come to it.
            let steady = |text: &str| text.replace("tentative", "preferred").replace(' ', "");
            assert_eq!((added.code, steady(&added.stdout)), (0, steady(&dry.stdout)), "{}", added.stderr);
            let lines: Vec<_> = added.stdout.lines().collect();
            assert!(lines.len() == 2 && lines[1].starts_with(&format!("{whole}  e0")), "{}", added.stdout);
            let seen = shown(address).unwrap();
            assert_eq!(seen["prefixlen"], length);
            assert!((3000..=3600).contains(&seen["valid_life_time"].as_u64().unwrap()), "{seen}");
            let again = iph(&add);
            assert_eq!(again.code, 1);
            assert!(again.stderr.contains("already"), "{}", again.stderr);

            let longer = format!("{address}/{}", length + 4);
            let set =
                ["address", "set", &longer, "--dev", "e0", "--valid", "forever", "--preferred", "forever"];
            let set = [&set[..], &["--skip-as-source", "true", "--json"]].concat();
            let planned = rows(&[&set[..], &["-n"]].concat());
            let done = rows(&set);
            assert_eq!(done.len(), planned.len());
            let named: Vec<_> = done.iter().map(|it| it["property"].as_str().unwrap()).collect();
            let expected =
                ["valid_lifetime", "preferred_lifetime", "on_link_prefix_length", "skip_as_source"];
            assert_eq!(named, expected);
            let row = rows(&["address", "list", "--json"]);
            let row = row.iter().find(|row| row["address"] == address).unwrap();
            assert_eq!(
                (&row["skip_as_source"], &row["on_link_prefix_length"]),
                (&json!(true), &json!(length + 4))
            );
            assert_eq!(row["valid_lifetime"], Value::Null);

            let delete = ["address", "delete", address, "--interface", "e0"];
            let planned = rows(&[&delete[..], &["-n", "--json"]].concat());
            assert_eq!((planned.len(), &planned[0]["address"]), (1, &json!(address)));
            assert!(shown(address).is_some());
            assert_eq!(rows(&[&delete[..], &["--json"]].concat()), planned);
            assert_eq!(shown(address), None);
            assert_eq!(iph(&delete).code, 3);

            let add = ["address", "add", address, "--dev", "e0", "--anycast"];
            let added = rows(&[&add[..], &["--json"]].concat());
            assert_eq!((added.len(), &added[0]["address"]), (1, &json!(address)));
            let anycast = rows(&["address", "list", "--anycast", "--json"]);
            assert!(anycast.iter().any(|row| row["address"] == address), "{anycast:?}");
            assert_eq!(iph(&delete).code, 3, "it is no unicast address");
            assert_eq!(iph(&[&delete[..], &["--anycast"]].concat()).code, 0);
        }
    });
}

#[test]
fn an_address_of_another_computer_is_not_added() {
    with_link(|| {
        // Time enough for the answer; there is no other wait once it has come.
        let set = ["interface", "set", "e0", "--ipv4", "--dad-transmits", "3", "--retransmit-time", "10s"];
        let set = iph(&set);
        assert_eq!(set.code, 0, "{}", set.stderr);
        let output = iph(&["address", "add", "192.0.2.9/24", "--interface", "e0"]);
        assert_eq!(output.code, 1);
        assert!(output.stderr.contains("another computer on e0 has 192.0.2.9"), "{}", output.stderr);
        assert_eq!(shown("192.0.2.9"), None);
        let text = iph(&["address", "list", "-4", "--interface", "e0"]).stdout;
        assert!(text.contains("duplicate"), "{text}");
        assert_eq!(iph(&["address", "delete", "192.0.2.9", "--interface", "e0"]).code, 0);
    });
}

#[test]
fn what_cannot_be_is_refused_by_code() {
    with_link(|| {
        for (arguments, code, words) in [
            (&["address", "add", "192.0.2.5/24"][..], 2, "--interface eth0"),
            (&["address", "add", "192.0.2.5/33", "--dev", "e0"], 2, "0 to 32"),
            (&["address", "add", "eth0", "--dev", "e0"], 2, "192.0.2.5/24"),
            (&["address", "add", "224.0.0.1", "--dev", "e0"], 2, "no unicast address"),
            (&["address", "add", "192.0.2.5", "--dev", "nowhere"], 3, "iph interface list"),
            (&["address", "add", "192.0.2.5", "--dev", "e0", "--valid", "soon"], 2, "forever"),
            (&["address", "set", "192.0.2.5", "--dev", "e0"], 2, "nothing to change"),
            (&["address", "set", "192.0.2.5/25", "--dev", "e0"], 3, "does not have"),
            (&["address", "delete", "fe80::77%e0"], 3, "does not have"),
            (&["address", "delete", "fe80::77%e0", "--dev", "lo"], 2, "two interfaces"),
        ] {
            let output = iph(arguments);
            assert_eq!(output.code, code, "{arguments:?}: {}", output.stderr);
            assert!(output.stderr.contains(words), "{arguments:?}: {}", output.stderr);
        }
    });
}
