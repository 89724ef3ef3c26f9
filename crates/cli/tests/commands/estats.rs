//! `iph estats` against `ss`, and what it says where there is nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::support::{command, iph};
use iphelper_testkit::{isolated, run};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

fn pair(listen_on: &str) -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind(listen_on).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (listener, client, server)
}

/// What a busy host acknowledges late is sent again, and counts again.
fn sent_again(client: &TcpStream) -> u64 {
    let shown = run(&format!("ss -tinHO sport = {}", client.local_addr().unwrap().port()));
    let number = |word: &str| word.strip_prefix("bytes_retrans:")?.parse().ok();
    shown.split_whitespace().find_map(number).unwrap_or_default()
}

#[test]
fn a_connection_is_named_by_its_ends_or_by_words() {
    isolated(|| {
        for listen_on in ["127.0.0.1:0", "[::1]:0"] {
            let (_listener, mut client, mut server) = pair(listen_on);
            client.write_all(&[1; 9_000]).unwrap();
            server.read_exact(&mut [0; 9_000]).unwrap();
            let ends = format!("{} {}", client.local_addr().unwrap(), client.peer_addr().unwrap());
            let document = iph(&format!("estats {ends} --json")).json();
            let [row] = document.as_array().unwrap().as_slice() else { panic!("{document:#}") };
            assert_eq!(row["local_port"], client.local_addr().unwrap().port());
            let sent = row["data"]["data_bytes_out"].as_u64().unwrap();
            assert_eq!(sent, 9_000 + sent_again(&client));
            assert!(row["path"]["smoothed_rtt_us"].as_u64().is_some_and(|rtt| rtt > 0), "{row:#}");
            assert!(row["path"]["sample_rtt_us"].is_null() && row["path"]["fast_retransmits"].is_null());
            assert!(row["kernel"]["max_pacing_rate"].is_null(), "without limit");
            let algorithm = row["kernel"]["congestion_algorithm"].as_str().unwrap();
            assert!(run("ss -tinH state established").contains(algorithm));

            let text = iph(&format!("estats {ends}")).ok();
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.lines().any(|line| words(line) == format!("data data_bytes_out {sent}")), "{text}");
            assert!(text.starts_with(&client.local_addr().unwrap().to_string()), "{text}");
            assert!(!text.contains("sample_rtt") && !text.contains("not known"), "{text}");
            let all = iph(&format!("estats {ends} --all")).ok();
            assert!(all.lines().any(|line| words(line) == "path sample_rtt not known"), "{all}");

            // Both ends match; the listener has no statistics, and is left out.
            let port = server.local_addr().unwrap().port();
            let both = iph(&format!("estats port:{port} --json")).json();
            assert_eq!(both.as_array().unwrap().len(), 2, "{both:#}");
            let message = iph(&format!("estats state:listen local-port:{port}")).message(3);
            assert!(message.contains("listener"), "{message}");
            let message = iph(&format!("estats port:{port} --watch")).message(2);
            assert!(message.contains("takes one"), "{message}");
            let _ = iph(&format!("estats {ends} --watch 0s")).message(2);
        }
        let _ = iph("estats 127.0.0.1:1 127.0.0.1:2").message(3);
        let _ = iph("estats port:1").message(3);
        assert_eq!(iph("estats").code, Some(2));
        assert_eq!(iph("estats 127.0.0.1:1").code, Some(2));
    });
}

#[test]
fn a_watch_tells_what_moves_and_ends_with_the_connection() {
    isolated(|| {
        let (listener, mut client, mut server) = pair("127.0.0.1:0");
        let ends = format!("{} {}", client.local_addr().unwrap(), client.peer_addr().unwrap());
        let mut watch = command(&format!("estats {ends} --json --watch 50ms"));
        let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let moved = lines.by_ref().map_while(Result::ok).any(|line| {
            client.write_all(&[1; 500]).unwrap();
            server.read_exact(&mut [0; 500]).unwrap();
            let document: serde_json::Value = serde_json::from_str(&line).unwrap();
            document["data"]["data_bytes_out"].as_u64().is_some_and(|bytes| bytes > 0)
        });
        assert!(moved);
        rustix::net::sockopt::set_socket_linger(&client, Some(std::time::Duration::ZERO)).unwrap();
        drop((listener, client, server));
        assert_eq!(lines.map_while(Result::ok).filter(|line| !line.starts_with('{')).count(), 0);
        assert_eq!(child.wait().unwrap().code(), Some(0), "it ends with the connection");
    });
}
