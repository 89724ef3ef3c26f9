//! What connections have measured, by interface, beside what `ss` tells of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{NetNs, eventually, run, set_sysctl};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// Sends as much as makes the kernel measure, and waits until all has come. The sender's end, and the receiver's.
fn transfer(here: &NetNs, there: &NetNs, address: &str) -> (TcpStream, TcpStream) {
    const SIZE: usize = 8 << 20;
    // BBR has an estimate of its own; without it the delivery rate is the estimate.
    here.run(|| set_sysctl("ipv4/tcp_congestion_control", "reno"));
    let server: SocketAddr = SocketAddr::new(address.parse::<IpAddr>().unwrap(), 0);
    let listener = there.run(|| TcpListener::bind(server).unwrap());
    let server = listener.local_addr().unwrap();
    let mut client = here.run(|| TcpStream::connect(server).unwrap());
    let (mut receiver, _) = listener.accept().unwrap();
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| receiver.read_exact(&mut vec![0; SIZE]).unwrap());
        client.write_all(&vec![7; SIZE]).unwrap();
    });
    (client, receiver)
}

/// Connections, of which one has measured at least: not each transfer is limited by the network.
fn measured(here: &NetNs, there: &NetNs, address: &str) -> Vec<(TcpStream, TcpStream)> {
    let mut sockets = Vec::new();
    eventually("a connection has measured", || {
        sockets.push(transfer(here, there, address));
        sockets.len() > 2 && sockets.iter().any(|(client, _)| shown(client).is_some())
    });
    sockets
}

/// The delivery rate that `ss` shows, unless the program's own pace is what it shows.
fn shown(client: &TcpStream) -> Option<u64> {
    let text = run(&format!("ss -tinH sport = {}", client.local_addr().unwrap().port()));
    let rate = text.split("delivery_rate ").nth(1)?.split("bps").next()?.parse().ok()?;
    (!text.contains("app_limited")).then_some(rate)
}

#[test]
fn the_best_measurement_of_the_connections_over_an_interface() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    for (family, network) in [(Family::V4, "192.0.2"), (Family::V6, "2001:db8:")] {
        let (mine, peer) = (format!("{network}{}1", dot(family)), format!("{network}{}2", dot(family)));
        let (length, flag) = if family == Family::V4 { (24, "") } else { (64, " nodad") };
        let _ = here.sh(&format!("ip address add {mine}/{length} dev e0{flag}"));
        let _ = there.sh(&format!("ip address add {peer}/{length} dev e1{flag}"));
        here.run(|| {
            let host = Host::open().unwrap();
            let index = host.interface_named("e0").unwrap().index;
            assert_eq!(
                host.bandwidth_estimates(family, index).unwrap().outbound,
                None,
                "nobody has measured"
            );
            let sockets = measured(&here, &there, &peer);
            eventually("what is told is what the connections have", || {
                let best = sockets.iter().filter_map(|(client, _)| shown(client)).max();
                // `ss` counts bits each second, too.
                host.bandwidth_estimates(family, index).unwrap().outbound == best
            });
            let lo = host.bandwidth_estimates(family, InterfaceIndex(1)).unwrap();
            assert_eq!((lo.outbound, lo.inbound), (None, None), "nothing went there");
            let error = host.bandwidth_estimates(family, InterfaceIndex(4711)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{error}");
        });
    }
}

#[test]
fn what_stays_within_the_host_is_loopbacks() {
    let here = NetNs::new();
    let other = NetNs::new();
    here.veth("e0", &other, "e1");
    let _ = here.sh("ip address add 192.0.2.1/24 dev e0");
    here.run(|| {
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        // To its own address: by loopback, whose address it is not.
        let sockets = measured(&here, &here, "192.0.2.1");
        eventually("loopback has it", || {
            let best = sockets.iter().filter_map(|(client, _)| shown(client)).max();
            host.bandwidth_estimates(Family::V4, InterfaceIndex(1)).unwrap().outbound == best
        });
        assert_eq!(host.bandwidth_estimates(Family::V4, index).unwrap().outbound, None);
    });
}

fn dot(family: Family) -> &'static str {
    if family == Family::V4 { "." } else { ":" }
}
