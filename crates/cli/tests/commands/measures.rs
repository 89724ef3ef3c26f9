//! `iph connectivity`, `iph bandwidth`, `iph path` and `iph timestamp`: what is known without asking the network.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::{iph, unprivileged};
use iphelper_testkit::bandwidth::{delivery_rate, measured};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{NetNs, eventually, isolated, run, send_unfragmented, set_sysctl};
use serde_json::{Value, json};
use std::net::SocketAddr;

fn row<'a>(rows: &'a Value, name: &str) -> &'a Value {
    let rows = rows.as_array().unwrap();
    rows.iter().find(|row| row["interface"] == name).unwrap_or_else(|| panic!("{name}: {rows:?}"))
}

#[test]
fn packets_reach_as_far_as_routes_and_routers() {
    isolated(|| {
        set_sysctl("ipv6/conf/default/disable_ipv6", "1");
        for command in [
            "ip link add e0 type veth peer name e1",
            "ip link add down0 type veth peer name down1",
            "ip link set lo up",
            "ip link set e0 up",
            "ip link set e1 up",
        ] {
            let _ = run(command);
        }
        for name in ["e0", "e1"] {
            eventually("the carrier is known", || run(&format!("ip link show {name}")).contains("state UP"));
        }
        let level = || {
            let all = unprivileged("connectivity --json").json();
            let one = iph("connectivity e0 --json").json();
            assert_eq!(&one, row(&all["interfaces"], "e0"));
            assert_eq!(row(&all["interfaces"], "lo")["level"], "none");
            assert_eq!(row(&all["interfaces"], "down0")["level"], "none");
            assert_eq!((&all["level"], &all["cost"]), (&one["level"], &Value::Null));
            one["level"].as_str().unwrap().to_owned()
        };
        assert_eq!(level(), "none");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        assert_eq!(level(), "local");
        let _ = run("ip route add default via 192.0.2.2");
        assert_eq!(level(), "internet");
        let text = iph("connectivity").ok();
        let line = |of: &str| text.lines().find(|line| line.starts_with(of)).unwrap();
        assert!(line("the host").contains("internet") && line("e0").contains("unknown"), "{text}");
        // A router that does not answer leads nowhere. The kernel may tidy it away before anybody looks.
        let fail = || run("ip neighbor replace 192.0.2.2 dev e0 nud failed");
        eventually("the router is missed", || {
            let _ = fail();
            level() == "local"
        });
        eventually("the text says so", || {
            let _ = fail();
            let text = iph("connectivity e0").ok();
            text.contains("local") && !text.contains("the host")
        });
        let _ = iph("connectivity nowhere").message(3);
    });
}

#[test]
fn connections_tell_how_fast_a_network_is() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    let _ = here.sh("ip address add 192.0.2.1/24 dev e0");
    let _ = there.sh("ip address add 192.0.2.2/24 dev e1");
    here.run(|| {
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        let names = |rows: &Value| {
            let rows = rows.as_array().unwrap().iter();
            rows.map(|row| format!("{} {}", row["interface"], row["family"])).collect::<Vec<_>>()
        };
        let nothing = iph("bandwidth e0 --json").json();
        assert_eq!(names(&nothing), ["\"e0\" \"ipv4\""], "of IPv4 alone");
        assert_eq!((&nothing[0]["outbound"], &nothing[0]["inbound"]), (&Value::Null, &Value::Null));
        let text = iph("bandwidth e0").ok();
        assert_eq!(text.lines().nth(1).unwrap().matches("unknown").count(), 2, "{text}");
        let sockets = measured(&here, &there, "192.0.2.2");
        eventually("what is told is what ss shows", || {
            let best = sockets.iter().filter_map(|(client, _)| delivery_rate(client)).max();
            let rows = unprivileged("bandwidth --json").json();
            row(&rows, "e0")["outbound"] == json!(best.map(|bits| bits.to_string()))
        });
        assert!(names(&iph("bandwidth --json").json()).contains(&"\"lo\" \"ipv4\"".to_owned()));
        let text = iph("bandwidth").ok();
        assert!(text.contains("bit/s"), "{text}");
        let _ = iph("bandwidth nowhere").message(3);
    });
}

#[test]
fn stamps_are_those_that_ethtool_shows() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link add b0 type bridge");
        let rows = unprivileged("timestamp list --json").json();
        for name in ["lo", "e0", "b0"] {
            let shown = run(&format!("ethtool -T {name}"));
            if !shown.contains("PTP Hardware Clock: none") {
                eprintln!("skipped: {name} has a clock here");
                continue;
            }
            let row = row(&rows, name);
            assert_eq!(row["software"]["all_receive"], shown.contains("software-receive"), "{name}");
            assert_eq!(row["software"]["tagged_transmit"], shown.contains("software-transmit"), "{name}");
            let none = json!({"ptp_v2_event_receive": false, "all_receive": false, "tagged_transmit": false});
            assert_eq!((&row["hardware_possible"], &row["hardware_active"]), (&none, &none), "{name}");
            assert_eq!(row["clock"], Value::Null);
            assert_eq!(&iph(&format!("timestamp list {name} --json")).json()[0], row);
            let message = iph(&format!("timestamp clock {name}")).message(5);
            assert!(message.contains("hardware has none"), "{message}");
        }
        let text = iph("timestamp list").ok();
        let line = text.lines().find(|line| line.starts_with("lo ")).unwrap();
        assert!(line.contains("received, sent"), "{text}");
        let _ = iph("timestamp list nowhere").message(3);
    });
}

#[test]
fn paths_are_listed_and_forgotten() {
    let uplinks = Uplinks::new();
    let _ = uplinks.routers[0].sh("ip link set far mtu 1400");
    let servers = [false, true].map(Uplinks::server_address);
    uplinks.host.run(|| {
        assert_eq!(unprivileged("path list --json").json(), json!([]));
        for server in servers {
            eventually("the router complains", || {
                send_unfragmented(SocketAddr::new(server, 9), 1500).is_err_and(|error| {
                    // EMSGSIZE
                    error.raw_os_error() == Some(90)
                })
            });
        }
        let paths = unprivileged("path list --json").json();
        let links: Value = serde_json::from_str(&run("ip -json link")).unwrap();
        let links = links.as_array().unwrap();
        assert_eq!(paths.as_array().unwrap().len(), 2, "{paths}");
        for (path, (server, ipv6)) in
            paths.as_array().unwrap().iter().zip([(servers[0], false), (servers[1], true)])
        {
            assert_eq!(path["family"], if ipv6 { "ipv6" } else { "ipv4" });
            assert_eq!(path["destination"], server.to_string());
            assert_eq!(path["source"], Uplinks::address(0, ipv6).to_string());
            assert_eq!(path["next_hop"], Uplinks::router_address(0, ipv6).to_string());
            assert_eq!((&path["path_mtu"], &path["index"]), (&json!(1400), &json!(2)));
            assert!(path["expires"].as_u64().is_some_and(|left| left <= 600_000), "{path}");
            assert_eq!(path["round_trip_us"], Value::Null);
            let link = links.iter().find(|link| link["ifindex"] == path["index"]).unwrap();
            assert_eq!(path["interface"], link["ifname"]);
            let one = iph(&format!("path show {server} --json")).json();
            assert_eq!((&one["path_mtu"], &one["interface"]), (&path["path_mtu"], &path["interface"]));
        }
        let text = iph("path list -4").ok();
        assert!(
            text.contains("1400") && text.contains("forgotten in") && !text.contains(&servers[1].to_string()),
            "{text}"
        );
        assert_eq!(iph("path list --interface lo --json").json(), json!([]));
        let _ = iph(&format!("path show {}", Uplinks::router_address(0, false))).message(3);

        let _ = unprivileged("path flush").message(4);
        assert!(iph("path flush -4").ok().contains(&servers[0].to_string()));
        assert_eq!(iph("path list --json").json().as_array().unwrap().len(), 1);
        let _ = iph("path flush").ok();
        assert_eq!(iph("path list --json").json(), json!([]));
        assert_eq!(iph("path flush").ok(), "");
        // A large packet goes out again.
        send_unfragmented(SocketAddr::new(servers[0], 9), 1500).unwrap();
    });
}
