//! TCP connections that measure how fast a network is, and what `ss` tells of them.

use crate::{NetNs, eventually, run, set_sysctl};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// Sends as much as makes the kernel measure, and waits until all has come. The sender's end, and the receiver's.
fn transfer(here: &NetNs, there: &NetNs, address: &str) -> (TcpStream, TcpStream) {
    const SIZE: usize = 8 << 20;
    // BBR has an estimate of its own; without it the delivery rate is the estimate.
    here.run(|| set_sysctl("ipv4/tcp_congestion_control", "reno"));
    let server: SocketAddr = SocketAddr::new(address.parse::<IpAddr>().expect("an address"), 0);
    let listener = there.run(|| TcpListener::bind(server).expect("listening"));
    let server = listener.local_addr().expect("its address");
    let mut client = here.run(|| TcpStream::connect(server).expect("connecting"));
    let (mut receiver, _) = listener.accept().expect("accepting");
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| receiver.read_exact(&mut vec![0; SIZE]).expect("receiving"));
        client.write_all(&vec![7; SIZE]).expect("sending");
    });
    (client, receiver)
}

/// Connections, of which one has measured at least: not each transfer is limited by the network.
pub fn measured(here: &NetNs, there: &NetNs, address: &str) -> Vec<(TcpStream, TcpStream)> {
    let mut sockets = Vec::new();
    eventually("a connection has measured", || {
        sockets.push(transfer(here, there, address));
        sockets.len() > 2 && sockets.iter().any(|(client, _)| delivery_rate(client).is_some())
    });
    sockets
}

/// The delivery rate that `ss` shows, unless the program's own pace is what it shows.
pub fn delivery_rate(client: &TcpStream) -> Option<u64> {
    let text = run(&format!("ss -tinH sport = {}", client.local_addr().expect("its address").port()));
    let rate = text.split("delivery_rate ").nth(1)?.split("bps").next()?.parse().ok()?;
    (!text.contains("app_limited")).then_some(rate)
}
