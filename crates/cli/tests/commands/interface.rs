//! `iph interface` and `iph path-mtu` beside `ip` and `/proc/sys`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::{iph, snapshot, unprivileged};
use iphelper_testkit::{NetNs, run, set_sysctl, sysctl};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

/// Runs `work` where an interface `e0` is up, with its other end in a namespace of its own.
fn with_cable(work: impl FnOnce() + Send) {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e0");
    here.run(|| {
        iphelper_testkit::eventually("the cable carries", || link("e0")["operstate"] == "UP");
        work();
    });
}

/// `ip -j link show NAME`.
fn link(name: &str) -> Value {
    serde_json::from_str::<Value>(&run(&format!("ip -j -d link show {name}"))).expect("ip prints JSON")[0]
        .take()
}

#[test]
fn the_list_is_what_ip_shows() {
    with_cable(|| {
        let ip: Value = serde_json::from_str(&run("ip -j link")).unwrap();
        let shown = iph("interface list --json").json();
        let pick = |row: &Value, index: &str, name: &str, mtu: &Value| {
            (row[index].as_u64().unwrap(), row[name].as_str().unwrap().to_owned(), mtu.as_u64().unwrap())
        };
        let ours: BTreeSet<_> = shown
            .as_array()
            .unwrap()
            .iter()
            .map(|row| pick(row, "index", "name", &row["ipv4"]["nl_mtu"]))
            .collect();
        let theirs: BTreeSet<_> =
            ip.as_array().unwrap().iter().map(|row| pick(row, "ifindex", "ifname", &row["mtu"])).collect();
        assert_eq!(ours, theirs);
        // One object a line, each as `show` prints it.
        for row in shown.as_array().unwrap() {
            let name = row["name"].as_str().unwrap();
            assert_eq!(
                without_reachable_time(iph(&format!("interface show {name} --json")).json()),
                without_reachable_time(row.clone())
            );
        }
        let text = iph("interface list").ok();
        let e0 = text.lines().find(|line| line.contains("e0")).expect("a line for e0");
        let cells: Vec<_> = e0.split_whitespace().take(5).collect();
        assert_eq!(cells, [&link("e0")["ifindex"].to_string(), "e0", "up", "1500", "off"], "{text}");
        // Values of the families stand apart where they differ.
        set_sysctl("ipv6/conf/e0/mtu", "1280");
        set_sysctl("ipv6/conf/lo/disable_ipv6", "1");
        let text = iph("interface list").ok();
        assert!(text.contains("1500/1280") && text.contains("65536/-"), "{text}");
        assert!(e0.ends_with(link("e0")["address"].as_str().unwrap()), "{text}");
    });
}

/// The kernel draws the reachable time anew now and then.
fn without_reachable_time(mut interface: Value) -> Value {
    for family in ["ipv4", "ipv6"] {
        if let Some(row) = interface[family].as_object_mut() {
            assert!(row.remove("reachable_time").is_some_and(|time| time.is_u64()));
        }
    }
    interface
}

/// The fields that a section of `docs/json.md` documents, with their types.
fn documented(section: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md")).unwrap();
    let section = text.split(section).nth(1).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.flat_map(|row| {
        let mut cells = row.split(" | ");
        let (names, kind) = (cells.next().unwrap(), cells.next().unwrap());
        let names = names.split(", ").map(|name| name.trim_matches('`').to_owned());
        names.map(|name| (name, kind.to_owned())).collect::<Vec<_>>()
    })
    .collect()
}

fn assert_documented(object: &Value, fields: &[(String, String)]) {
    let names: BTreeSet<_> = object.as_object().unwrap().keys().cloned().collect();
    let expected: BTreeSet<_> = fields.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, expected);
    for (name, kind) in fields {
        let value = &object[name];
        let matches = match value {
            Value::Null => kind.contains("null"),
            Value::Bool(_) => kind.contains("boolean"),
            Value::Number(_) => kind.starts_with("number"),
            Value::String(_) => kind.contains("string"),
            Value::Array(_) => kind.contains("array"),
            Value::Object(_) => kind.contains("object"),
        };
        assert!(matches, "{name} is documented as {kind}, and is {value}");
    }
}

#[test]
fn json_has_the_documented_fields() {
    with_cable(|| {
        let interface = iph("interface show e0 --json").json();
        let fields = documented("## `iph interface show NAME --json`");
        let (outer, inner) = fields.split_at(fields.iter().position(|(name, _)| name == "family").unwrap());
        assert_documented(&interface, outer);
        for family in ["ipv4", "ipv6"] {
            let row = &interface[family];
            assert_documented(row, inner);
            assert_eq!(
                (&row["family"], &row["luid"], &row["index"]),
                (&json!(family), &interface["luid"], &interface["index"])
            );
            assert_eq!(row["zone_indices"].as_array().unwrap().len(), 16);
            for offload in ["transmit_offload", "receive_offload"] {
                let parts = row[offload].as_object().unwrap();
                assert_eq!(parts.len(), 8);
                let text =
                    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md"))
                        .unwrap();
                assert!(
                    parts
                        .iter()
                        .all(|(name, value)| value.is_boolean() && text.contains(&format!("`{name}`")))
                );
            }
        }
        let connection = documented("## `iph tcp list --json`");
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_documented(&iph("tcp list --json").json()[0], &connection);
        let mut outcome = connection;
        outcome.extend(documented("## `iph tcp delete ... --json`"));
        assert_documented(&iph("tcp delete --json --dry-run state:listen").json()[0], &outcome);
        let changes = iph("interface set e0 --ipv4 --ipv6 --mtu 1400 --dry-run --json").json();
        assert_eq!(changes.as_array().unwrap().len(), 2);
        assert_documented(&changes[0], &documented("## `iph interface set ... --json`"));
    });
}

#[test]
fn values_are_those_of_proc_sys() {
    with_cable(|| {
        set_sysctl("ipv4/conf/e0/forwarding", "1");
        set_sysctl("ipv6/conf/e0/mtu", "1280");
        set_sysctl("ipv6/conf/e0/dad_transmits", "5");
        set_sysctl("ipv6/conf/e0/accept_ra", "0");
        set_sysctl("ipv4/neigh/e0/base_reachable_time_ms", "12000");
        set_sysctl("ipv6/neigh/e0/retrans_time_ms", "400");
        let row = iph("interface show e0 --json").json();
        for (family, field, value) in [
            ("ipv4", "forwarding_enabled", json!(true)),
            ("ipv6", "forwarding_enabled", json!(false)),
            ("ipv4", "nl_mtu", json!(1500)),
            ("ipv6", "nl_mtu", json!(1280)),
            ("ipv6", "dad_transmits", json!(5)),
            ("ipv6", "router_discovery_behavior", json!("disabled")),
            ("ipv4", "router_discovery_behavior", json!("dhcp")),
            ("ipv4", "base_reachable_time", json!(12000)),
            ("ipv6", "base_reachable_time", json!(30000)),
            ("ipv6", "retransmit_time", json!(400)),
            ("ipv4", "connected", json!(true)),
            ("ipv4", "site_prefix_length", json!(0)),
        ] {
            assert_eq!(row[family][field], value, "{family} {field}");
        }
        let text = iph("interface show e0").ok();
        for line in ["MTU                       1500", "Retransmit time           1 s"] {
            assert!(text.contains(line), "{line:?} in:\n{text}");
        }
        assert!(text.contains("400 ms") && text.contains("12 s"), "{text}");
    });
}

#[test]
fn an_interface_has_several_names() {
    with_cable(|| {
        let _ = run("ip link property add dev e0 altname uplink-to-somewhere");
        let by_name = without_reachable_time(iph("interface show e0 --json").json());
        let (index, luid) = (by_name["index"].to_string(), by_name["luid"].as_str().unwrap());
        let hexadecimal = format!("{:#x}", luid.parse::<u64>().unwrap());
        for name in ["uplink-to-somewhere", &index, luid, &hexadecimal] {
            assert_eq!(
                without_reachable_time(iph(&format!("interface show {name} --json")).json()),
                by_name,
                "{name}"
            );
        }
        assert!(
            iph("interface show e0").ok().starts_with(&format!("e0  index {index}  LUID {hexadecimal}\n"))
        );
        for name in ["nope0", "4000000000", "0x1", "999999999999999999", "-0"] {
            let message = iph(&format!("interface show -- {name}")).message(3);
            assert!(message.contains("iph interface list"), "{name}: {message}");
        }
        // A name of digits only is a name first.
        let _ = run("ip link set e0 down");
        let _ = run("ip link set e0 name 1");
        assert_eq!(iph("interface show 1 --json").json()["index"].to_string(), index);
    });
}

#[test]
fn a_family_that_is_not_there_is_null() {
    with_cable(|| {
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        let row = iph("interface show e0 --json").json();
        assert!(row["ipv4"].is_object() && row["ipv6"].is_null(), "{row:#}");
        let text = iph("interface show e0").ok();
        assert!(text.contains("IPv6 is not on this interface."), "{text}");
        let message = iph("interface set e0 --ipv6 --mtu 1400").message(3);
        assert!(message.contains("IPv6"), "{message}");
    });
}

#[test]
fn a_change_is_told_and_done() {
    with_cable(|| {
        let options = "e0 --ipv4 --forwarding true --base-reachable-time 20s --retransmit-time 300";
        let planned = unprivileged(&format!("interface set {options} --dry-run")).expect(0);
        assert_eq!(planned.stderr, "dry run: nothing was changed\n");
        assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "0", "a dry run writes nothing");
        let done = iph(&format!("interface set {options}")).ok();
        assert_eq!(done, planned.stdout, "the same words");
        snapshot("interface-set", &done);
        assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "1");
        assert_eq!(sysctl("ipv4/neigh/e0/base_reachable_time_ms"), "20000");
        assert_eq!(sysctl("ipv4/neigh/e0/retrans_time_ms"), "300");
        let again = iph(&format!("interface set {options}")).ok();
        assert_eq!(again, "nothing to change: every value is already so\n");
        assert_eq!(iph(&format!("interface set {options} --json")).json(), json!([]));
    });
}

#[test]
fn every_option_with_a_mechanism_reaches_the_kernel() {
    with_cable(|| {
        for (family, option, file, value) in [
            ("ipv4", "--forwarding on", "ipv4/conf/e0/forwarding", "1"),
            ("ipv6", "--forwarding-enabled yes", "ipv6/conf/e0/force_forwarding", "1"),
            ("ipv6", "--mtu 1300", "ipv6/conf/e0/mtu", "1300"),
            ("ipv6", "--nl-mtu 1400", "ipv6/conf/e0/mtu", "1400"),
            ("ipv6", "--router-discovery disabled", "ipv6/conf/e0/accept_ra", "0"),
            ("ipv6", "--router-discovery-behavior enabled", "ipv6/conf/e0/accept_ra", "1"),
            ("ipv6", "--dad-transmits 4", "ipv6/conf/e0/dad_transmits", "4"),
            ("ipv4", "--base-reachable-time 10s", "ipv4/neigh/e0/base_reachable_time_ms", "10000"),
            ("ipv6", "--base-reachable-time 1m", "ipv6/neigh/e0/base_reachable_time_ms", "60000"),
            ("ipv4", "--retransmit-time 500ms", "ipv4/neigh/e0/retrans_time_ms", "500"),
            ("ipv6", "--retransmit-time 2000", "ipv6/neigh/e0/retrans_time_ms", "2000"),
            ("ipv6", "--link-local-address always-off", "ipv6/conf/e0/addr_gen_mode", "1"),
            ("ipv6", "--link-local-address-behavior always_on", "ipv6/conf/e0/addr_gen_mode", "0"),
        ] {
            if option.contains("forwarding-enabled")
                && !std::path::Path::new("/proc/sys/net").join(file).exists()
            {
                eprintln!("skipped: this kernel has no force_forwarding (Linux 6.17)");
                continue;
            }
            let changes = iph(&format!("interface set e0 --{family} {option} --json")).json();
            assert_eq!(changes[0]["family"], family, "{option}: {changes:#}");
            assert_eq!(sysctl(file), value, "{option}");
        }
        let _ = iph("interface set e0 --ipv6 --interface-identifier ::1:2:3:4").ok();
        assert_eq!(link("e0")["inet6_token"].as_str(), None, "ip shows it elsewhere");
        assert!(run("ip token get dev e0").contains("::1:2:3:4"));
        let row = iph("interface show e0 --json").json();
        assert_eq!(row["ipv6"]["interface_identifier"], 0x1_0002_0003_0004_u64.to_string());
        let _ = iph("interface set e0 --ipv6 --interface-identifier none").ok();
        assert!(run("ip token get dev e0").contains("token :: "));
        let _ = iph("interface set e0 --ipv4 --nud false").ok();
        assert_eq!(
            iph("interface show e0 --json").json()["ipv4"]["use_neighbor_unreachability_detection"],
            false
        );
    });
}

#[test]
fn both_families_change_together_or_not_at_all() {
    with_cable(|| {
        let mtus = || (link("e0")["mtu"].to_string(), sysctl("ipv6/conf/e0/mtu"));
        for mtu in ["1400", "9000", "1500"] {
            let planned = iph(&format!("interface set e0 --ipv4 --ipv6 --mtu {mtu} --dry-run")).ok();
            let done = iph(&format!("interface set e0 --ipv4 --ipv6 --mtu {mtu}")).ok();
            assert_eq!(done, planned);
            assert_eq!(mtus(), (mtu.to_owned(), mtu.to_owned()));
            let again = iph(&format!("interface set e0 --ipv4 --ipv6 --mtu {mtu}")).ok();
            assert!(again.starts_with("nothing to change"), "{again}");
        }
        // One family refuses: nothing is done for the other.
        for (options, code) in [
            ("--forwarding true --router-discovery dhcp", 2),
            ("--forwarding true --mtu 1000", 2),
            ("--forwarding true --advertising true", 5),
        ] {
            let _ = iph(&format!("interface set e0 --ipv4 --ipv6 {options} --dry-run")).message(code);
            let _ = iph(&format!("interface set e0 --ipv4 --ipv6 {options}")).message(code);
            assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "0", "{options}");
            assert_eq!(mtus(), ("1500".to_owned(), "1500".to_owned()), "{options}");
        }
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        let _ = iph("interface set e0 --ipv4 --ipv6 --forwarding true").message(3);
        assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "0");
    });
}

#[test]
fn each_failure_has_its_code_and_a_reason() {
    with_cable(|| {
        for (arguments, code, reason) in [
            ("nope0 --ipv4 --mtu 1400", 3, "no interface is called"),
            ("e0 --ipv4 --mtu 1", 2, "68"),
            ("e0 --ipv6 --mtu 1279", 2, "1280"),
            ("e0 --ipv6 --router-discovery dhcp", 2, "router_discovery_behavior"),
            ("e0 --ipv4 --router-discovery enabled", 5, "RFC 1256"),
            ("e0 --ipv6 --site-prefix-length 48", 5, "site_prefix_length"),
            ("e0 --ipv4 --site-prefix-length 48", 2, "site_prefix_length"),
            ("e0 --ipv6 --zone-index 2=9 --zone-index 3=9", 5, "zone_indices"),
            ("e0 --ipv4 --link-local-address-timeout 5s", 5, "link_local_address_timeout"),
            ("e0 --ipv4 --link-local-address delayed", 5, "link_local_address_behavior"),
            ("e0 --ipv4 --path-mtu-discovery-timeout 5m", 5, "`iph path-mtu set`"),
        ] {
            let message = iph(&format!("interface set {arguments}")).message(code);
            assert!(message.contains(reason), "{arguments}: {message}");
        }
        let message = unprivileged("interface set e0 --ipv4 --forwarding true").message(4);
        assert!(message.contains("CAP_NET_ADMIN"), "{message}");
        assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "0");
        // Everybody may read.
        assert_eq!(unprivileged("interface show e0 --json").json()["name"], "e0");
        assert!(unprivileged("interface list").ok().contains("e0"));
    });
}

#[test]
fn an_interfaces_name_cannot_write_on_the_terminal() {
    with_cable(|| {
        let name = "e\u{1b}[31m\u{202e}";
        let _ = run("ip link set e0 down");
        let _ = run(&format!("ip link set e0 name {name}"));
        for arguments in ["interface list".to_owned(), format!("interface show {name}")] {
            let text = iph(&arguments).ok();
            assert!(text.contains(r"e\u{1b}[31m\u{202e}"), "{text:?}");
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
        }
        let planned = iph(&format!("interface set {name} --ipv4 --forwarding true --dry-run")).ok();
        assert!(planned.contains(r"\u{1b}") && !planned.contains('\u{1b}'), "{planned:?}");
        assert_eq!(iph("interface list --json").json()[1]["name"], name, "the name itself, for programs");
        let message = iph("interface show \u{1b}[31m").message(3);
        assert!(message.contains(r"\u{1b}[31m"), "{message:?}");
    });
}

#[test]
fn a_name_that_is_no_text_is_shown_and_reached_by_index() {
    with_cable(|| {
        let name = std::ffi::OsStr::from_bytes(b"e\xff\xfe");
        let _ = run("ip link set e0 down");
        let renamed = std::process::Command::new("ip").args(["link", "set", "e0", "name"]).arg(name).status();
        assert!(renamed.unwrap().success());
        assert!(iph("interface list").ok().contains("e\u{fffd}\u{fffd}"));
        let list = iph("interface list --json").json();
        assert_eq!(list[1]["name"], "e\u{fffd}\u{fffd}");
        let shown = iph(&format!("interface show {} --json", list[1]["index"])).json();
        assert_eq!(shown["luid"], list[1]["luid"]);
        let _ = iph(&format!("interface set {} --ipv4 --forwarding true", list[1]["index"])).ok();
        let path = std::path::Path::new("/proc/sys/net/ipv4/conf").join(name).join("forwarding");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "1\n");
    });
}

#[test]
fn loopback_is_shown_as_it_was() {
    iphelper_testkit::isolated(|| {
        let text = iph("interface show lo").ok();
        // Drawn at random, hidden in user namespaces, and what differs between kernels; the width of columns follows it.
        const OTHERS: [&str; 4] =
            ["Reachable time", "Path MTU timeout", "Transmit offload", "Receive offload"];
        let steady = text.lines().filter(|line| OTHERS.iter().all(|name| !line.starts_with(name)));
        let cells = |line: &str| {
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")
        };
        let steady: Vec<_> = steady.map(cells).collect();
        snapshot("interface-show-lo", &(steady.join("\n") + "\n"));
    });
}

#[test]
fn the_path_mtu_timeout_is_the_hosts() {
    iphelper_testkit::isolated(|| {
        let file = "ipv4/route/mtu_expires";
        assert_eq!(iph("path-mtu show --json").json()["ipv4"], 600_000);
        let done = iph("path-mtu set ipv4 90s").ok();
        assert_eq!(done, "IPv4 path MTU timeout: 600 s -> 90 s\n");
        assert_eq!(sysctl(file), "90");
        assert_eq!(iph("interface show lo --json").json()["ipv4"]["path_mtu_discovery_timeout"], 90_000);
        assert!(iph("path-mtu show").ok().contains("IPv4    90 s"));
        let _ = iph("path-mtu set ipv4 1500ms").ok();
        assert_eq!(sysctl(file), "2", "rounded up");
        let _ = iph("path-mtu set ipv4 0s").message(2);
        let _ = unprivileged("path-mtu set ipv4 5m").message(4);
        assert_eq!(sysctl(file), "2");
        // User namespaces hide IPv6's.
        if std::path::Path::new("/proc/sys/net/ipv6/route/mtu_expires").exists() {
            let _ = iph("path-mtu set ipv6 5m").ok();
            assert_eq!(sysctl("ipv6/route/mtu_expires"), "300");
        } else {
            assert_eq!(iph("path-mtu show --json").json()["ipv6"], Value::Null);
            let _ = iph("path-mtu set ipv6 5m").message(5);
        }
    });
}
