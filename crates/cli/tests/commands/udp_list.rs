//! `iph udp list` beside `ss -u`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::{as_only_owner, iph};
use iphelper_testkit::{isolated, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::UdpSocket;

fn sockets() -> [UdpSocket; 3] {
    let sockets = ["127.0.0.1:5000", "127.0.0.1:0", "[::1]:5000"].map(|end| UdpSocket::bind(end).unwrap());
    sockets[1].connect("127.0.0.1:5000").unwrap();
    sockets
}

#[test]
fn the_table_is_what_ss_shows() {
    as_only_owner("udp_list::the_table_is_what_ss_shows", || {
        let _sockets = sockets();
        let rows = iph("udp list --json").json();
        let ours: BTreeSet<_> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let (address, port) = (row["local_address"].as_str().unwrap(), &row["local_port"]);
                let local = if row["family"] == "ipv6" {
                    format!("[{address}]:{port}")
                } else {
                    format!("{address}:{port}")
                };
                (local, row["pid"].as_u64().unwrap())
            })
            .collect();
        let theirs: BTreeSet<_> = run("ss -Huanp")
            .lines()
            .map(|line| {
                let pids = line.split("pid=").skip(1).filter_map(|rest| rest.split(',').next()?.parse().ok());
                (line.split_whitespace().nth(3).unwrap().to_owned(), pids.min().unwrap())
            })
            .collect();
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 3);
    });
}

#[test]
fn json_has_the_documented_fields() {
    as_only_owner("udp_list::json_has_the_documented_fields", || {
        let sockets = sockets();
        let port = sockets[1].local_addr().unwrap().port();
        let document = iph(&format!("udp list --json local-port:{port}")).json();
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        let cookie = document[0]["cookie"].as_str().expect("a string").to_owned();
        let expected = json!([{
            "family": "ipv4",
            "local_address": "127.0.0.1",
            "local_port": port,
            "remote_address": "127.0.0.1",
            "remote_port": 5000,
            "specific_port_bind": false,
            "pid": std::process::id(),
            "process": comm.trim_end(),
            "scope_id": null,
            "interface_index": null,
            "cookie": cookie,
        }]);
        assert_eq!(document, expected);
        let document = iph("udp list --json --no-owners family:ipv6").json();
        let row = &document[0];
        assert_eq!((&row["pid"], &row["process"]), (&Value::Null, &Value::Null));
        assert_eq!((&row["remote_address"], &row["remote_port"]), (&Value::Null, &Value::Null));
        assert_eq!((&row["scope_id"], &row["specific_port_bind"]), (&json!(0), &json!(true)));
    });
}

#[test]
fn the_table_for_people_says_who_chose_a_port() {
    as_only_owner("udp_list::the_table_for_people_says_who_chose_a_port", || {
        let sockets = sockets();
        let chosen = sockets[1].local_addr().unwrap();
        let (pid, comm) = (std::process::id(), std::fs::read_to_string("/proc/self/comm").unwrap());
        let name = comm.trim_end();
        let text = iph("udp list port:5000").ok();
        let rows: Vec<_> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let mut expected = vec![
            format!("127.0.0.1:5000 - asked {pid} {name}"),
            format!("{chosen} 127.0.0.1:5000 chosen {pid} {name}"),
            format!("[::1]:5000 - asked {pid} {name}"),
        ];
        if chosen.port() < 5000 {
            expected.swap(0, 1);
        }
        assert_eq!(rows[0], "Local Remote Port PID Process");
        assert_eq!(rows[1..], expected);
        drop(sockets);
        assert_eq!(iph("udp list").ok(), "Local  Remote  Port  PID  Process\n");
    });
}

#[test]
fn a_word_that_udp_does_not_have_is_a_mistake() {
    isolated(|| {
        let message = iph("udp list state:listen").message(2);
        assert_eq!(message, "filtering sockets: a UDP endpoint has no state");
        let _ = iph("udp list nonsense").expect(2);
    });
}
