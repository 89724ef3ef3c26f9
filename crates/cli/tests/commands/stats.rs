//! `iph stats` counts what the test sends; `iph ttl` beside `sysctl`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::support::{command, iph, unprivileged};
use iphelper_testkit::{isolated, run};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::Stdio;

#[test]
fn datagrams_are_counted() {
    isolated(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..3 {
            let _ = socket.send_to(&[1], socket.local_addr().unwrap()).unwrap();
            // It has come, and is counted.
            let _ = socket.recv(&mut [0]).unwrap();
        }
        let document = iph("stats --json").json();
        assert_eq!(document["udp"]["ipv4"]["out_datagrams"], 3);
        assert_eq!(document["ip"]["ipv4"]["in_receives"], 3);
        assert_eq!(document["udp"]["ipv6"]["out_datagrams"], 0);
        assert_eq!(document["tcp"]["both"]["in_segments"], 0);
        let text = iph("stats udp").ok();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.lines().any(|line| words(line) == "udp IPv4 out_datagrams 3"), "{text}");
        assert!(!text.contains("in_segments"), "UDP alone: {text}");
        let _ = iph("stats --watch 0s").message(2);
    });
}

#[test]
fn rates_are_told_while_something_moves() {
    isolated(|| {
        let mut watch = command("stats udp --json --watch 100ms");
        let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let moved = lines.map_while(Result::ok).any(|line| {
            let _ = socket.send_to(&[1], socket.local_addr().unwrap()).unwrap();
            let document: serde_json::Value = serde_json::from_str(&line).unwrap();
            document["udp"]["ipv4"]["out_datagrams"].as_f64().is_some_and(|rate| rate > 0.0)
        });
        let _ = child.kill();
        let _ = child.wait();
        assert!(moved);
    });
}

#[test]
fn the_default_time_to_live_is_shown_and_set() {
    isolated(|| {
        let sysctl =
            |name: &str| std::fs::read_to_string(format!("/proc/sys/net/{name}")).unwrap().trim().to_owned();
        let files = ["ipv4/ip_default_ttl", "ipv6/conf/default/hop_limit", "ipv6/conf/lo/hop_limit"];
        let values = || files.map(sysctl);
        assert_eq!(unprivileged("ttl show --json").json(), json!({"ipv4": 64, "ipv6": 64}));
        assert!(iph("ttl set ipv4 99 --dry-run").ok().contains("99"));
        assert_eq!(values(), ["64"; 3]);
        let changes = iph("ttl set ipv4 100 --json").json();
        assert_eq!((&changes[0]["from"], &changes[0]["to"]), (&json!("64"), &json!("100")));
        let text = iph("ttl set ipv6 200").ok();
        assert!(text.contains("default_ttl") && text.contains("200"), "{text}");
        assert_eq!(values(), ["100", "200", "200"]);
        let text = iph("ttl show").ok();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.lines().any(|line| words(line) == "IPv6 200"), "{text}");
        // What is sent has it.
        let _ = run("ip link set lo up");
        assert!(run("ping -c 1 127.0.0.1").contains("ttl=100"));
        let _ = unprivileged("ttl set ipv4 64").message(4);
        assert_eq!(values(), ["100", "200", "200"]);
    });
}
