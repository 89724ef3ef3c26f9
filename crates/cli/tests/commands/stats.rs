//! `iph stats` counts what the test sends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::support::{command, iph};
use iphelper_testkit::isolated;
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
