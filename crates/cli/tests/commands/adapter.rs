//! `iph adapter` beside `ip`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::iph;
use iphelper_testkit::{isolated, run, set_sysctl, with_private_files};
use serde_json::{Value, json};

fn furnish() {
    set_sysctl("ipv6/conf/default/accept_dad", "0");
    for command in [
        "ip link add e0 type veth peer name e1",
        "ip link set lo up",
        "ip link set e0 up",
        "ip addr add 192.0.2.7/24 dev e0",
        "ip addr add 2001:db8::7/64 dev e0 nodad",
        "ip route add default via 192.0.2.1 metric 9",
    ] {
        let _ = run(command);
    }
    set_sysctl("ipv6/conf/e1/disable_ipv6", "1");
}

fn named<'a>(adapters: &'a Value, name: &str) -> &'a Value {
    adapters.as_array().unwrap().iter().find(|it| it["interface"] == name).unwrap()
}

#[test]
fn the_list_is_what_ip_shows() {
    isolated(|| {
        furnish();
        let adapters = iph("adapter list --json").json();
        let shown: Value = serde_json::from_str(&run("ip -j addr show")).unwrap();
        assert_eq!(adapters.as_array().unwrap().len(), shown.as_array().unwrap().len());
        for link in shown.as_array().unwrap() {
            let adapter = named(&adapters, link["ifname"].as_str().unwrap());
            assert_eq!(adapter["index"], link["ifindex"]);
            assert_eq!(adapter["mtu"], link["mtu"]);
            let ours = adapter["unicast_addresses"].as_array().unwrap();
            let theirs = link["addr_info"].as_array().unwrap();
            for address in theirs {
                let row = ours.iter().find(|row| row["address"] == address["local"]).unwrap();
                assert_eq!(row["on_link_prefix_length"], address["prefixlen"]);
            }
            assert_eq!(ours.len(), theirs.len());
        }
        let e0 = named(&adapters, "e0");
        assert_eq!(e0["gateways"], json!([{"family": "ipv4", "address": "192.0.2.1", "system_metric": 9}]));
        assert!(e0["prefixes"].as_array().unwrap().contains(&json!("192.0.2.255/32")));
        assert_eq!(
            (&e0["dhcp"], &e0["ipv6"]["managed_address_configuration_supported"]),
            (&json!(null), &json!(false))
        );
        assert_eq!(named(&adapters, "e1")["ipv6"], json!(null));
        let ipv6 = iph("adapter list -6 --json").json();
        assert!(ipv6.as_array().unwrap().iter().all(|it| it["interface"] != "e1"));
        let all = iph("adapter list -6 --all --json").json();
        assert_eq!(named(&all, "e1")["unicast_addresses"], json!([]));

        let table = iph("adapter list").ok();
        let line = table.lines().find(|line| line.contains(" e0 ")).unwrap();
        assert!(line.contains("192.0.2.7/24 2001:db8::7/64") && line.contains(" 192.0.2.1 "), "{table}");
    });
}

#[test]
fn one_is_shown_as_it_stands_in_the_list() {
    isolated(|| {
        furnish();
        let shown = iph("adapter show e0 --json").json();
        assert_eq!(named(&iph("adapter list --json").json(), "e0")["guid"], shown["guid"]);
        let by_index = iph(&format!("adapter show {} --json", shown["index"])).json();
        assert_eq!(by_index["luid"], shown["luid"]);
        let text = iph("adapter show e0").ok();
        for part in
            ["192.0.2.7/24 preferred (manual, valid forever)", "192.0.2.1 metric 9", "none that is known"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        let missing = iph("adapter show nobody");
        assert!(missing.stderr.contains("no interface is called \"nobody\""), "{}", missing.stderr);
    });
}

#[test]
fn a_lease_is_shown_and_who_cannot_be_asked_is_named() {
    isolated(|| {
        furnish();
        let _ = with_private_files(|| {
            std::fs::create_dir_all("/run/NetworkManager").unwrap();
            std::fs::write(
                "/run/NetworkManager/dhclient-u-e0.lease",
                "lease { interface \"e0\"; fixed-address 192.0.2.7; option dhcp-lease-time 600; \
                 option dhcp-server-identifier 192.0.2.1; expire 5 2099/01/02 00:10:00; }",
            )
            .unwrap();
            let lease = &iph("adapter show e0 --json").json()["dhcp"];
            assert_eq!(lease["client"], "dhclient");
            assert_eq!((&lease["lifetime"], &lease["never_ends"]), (&json!(600_000), &json!(false)));
            // 2099-01-02 00:10 UTC.
            assert_eq!(lease["expires"], json!(4_070_995_800_000_u64));
            assert!(iph("adapter show e0").ok().contains("DHCP lease"));
            for (command, advice) in [("renew", "run: dhclient e0"), ("release", "run: dhclient -r e0")] {
                for option in ["", " --dry-run"] {
                    let refused = iph(&format!("adapter {command} e0{option}"));
                    assert!(refused.stderr.contains(advice), "{}", refused.stderr);
                    assert_ne!(refused.code, Some(0));
                }
            }
            let none = iph("adapter renew e1 --dry-run");
            assert!(none.stderr.contains("no DHCP client that is known"), "{}", none.stderr);
        });
    });
}
