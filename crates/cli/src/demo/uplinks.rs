//! Chapter: two uplinks, the better one forbidden to carry default traffic, and packets counted on both.

mod network;

use super::failed;
use super::story::Story;
use crate::exit::Failure;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Host};
use network::{Counts, Network, SERVER, UPLINKS, add_default, near, server};
use nix::sys::socket::{setsockopt, sockopt::BindToDevice};
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Packets of each family, each time.
const PACKETS: u64 = 100;

pub(super) fn play(story: &mut Story, host: &Host) -> Result<(), Failure> {
    let [better, _] = UPLINKS;
    let network = Network::build()?;
    network.wait()?;
    story.chapter("Two uplinks: DisableDefaultRoutes on the better one, packets counted")?;
    describe(story)?;

    let columns = |a: &str, b: &str, server: &str| format!("{a:>9}{b:>10}{server:>13}");
    let row = |story: &mut Story, moment: &str, Counts { routers: [a, b], server }: Counts| {
        let numbers = columns(&a.to_string(), &b.to_string(), &server.to_string());
        story.good(&format!("{moment:<40}"), &numbers)?;
        story.flush()
    };
    let change = |disabled| {
        let change = IpInterfaceChange { disable_default_routes: Some(disabled), ..Default::default() };
        host.set_ip_interface_families(host.interface_named(better)?.luid, &change, &change)
    };
    let command = format!("iph interface set {better} --ipv4 --ipv6 --disable-default-routes");
    let unguarded = || network.count(|| Ok(send_all(None, Duration::ZERO, &AtomicU64::new(0))?.accepted));

    story.line(&format!("{:<40}{}", "", columns("router A", "router B", "the server")))?;
    row(story, "Nothing is set:", unguarded()?)?;

    story.command(&format!("{command} true"))?;
    story.flush()?;
    match change(true) {
        // Without nf_tables or policy rules nothing could hold it: then it is refused, and nothing is done by halves.
        Err(error) if error.kind() == ErrorKind::NotSupported => {
            return Ok(story.bad("refused: ", error.reason().unwrap_or("without a reason"))?);
        }
        changed => drop(changed?),
    }
    row(story, "Now:", guarded(unguarded()?)?)?;

    let [v4, v6] = near(0, 1);
    story.command(&format!("ip route add default via {v4} metric 1"))?;
    story.command_below(&format!("ip route add default via {v6} metric 1"))?;
    story.flush()?;
    row(story, "While these are added, the best of all:", guarded(network.count(send_while_adding)?)?)?;
    let mut refusals = Vec::new();
    let bound = network.count(|| {
        let sent = send_all(Some(better), Duration::ZERO, &AtomicU64::new(0))?;
        refusals = sent.refusals;
        Ok(sent.accepted)
    })?;
    row(story, &format!("A program that binds itself to {better}:"), guarded(bound)?)?;
    for refusal in refusals {
        story.bad("  is told ", &refusal)?;
    }

    story.command(&format!("{command} false"))?;
    story.flush()?;
    let _ = change(false)?;
    row(story, "Allowed again:", unguarded()?)?;
    story.line("")?;
    story.line("No route was changed, and no program has to stay: the kernel holds it.")?;
    story.line("Policy rules choose the way, a packet filter stops who chose another.")?;
    Ok(())
}

fn describe(story: &mut Story) -> io::Result<()> {
    let [better, other] = UPLINKS;
    let [server4, server6] = SERVER;
    for line in [
        "",
        &format!("                .--{:-<12} router A --.", format!("[{better}]")),
        &format!("this computer --|                        |-- server  {server4}"),
        &format!("                '--{:-<12} router B --'           {server6}", format!("[{other}]")),
        "",
        &format!("Default routes go by both: {better}'s metric is 100, {other}'s 200, and"),
        &format!("less is better. Each time {PACKETS} IPv4 and {PACKETS} IPv6 packets leave for the"),
        "server; each router's own kernel counts what it forwards.",
        "",
    ] {
        story.line(line)?;
    }
    Ok(())
}

/// Counts while the guard holds: one packet at the first router is the end of the demo.
fn guarded(counts: Counts) -> Result<Counts, Failure> {
    match counts.routers {
        [0, _] => Ok(counts),
        [leaked, _] => Err(failed("disabling default routes", format!("{leaked} packets left by them"))),
    }
}

/// Sends, and adds better default routes over the first uplink when half of it is sent; how many were accepted.
fn send_while_adding() -> Result<u64, Failure> {
    let tried = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| send_all(None, Duration::from_millis(1), &tried));
        while tried.load(Ordering::Relaxed) < PACKETS && !sender.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let added = add_default(0, 1).map_err(|errno| failed("adding a default route", errno));
        let sent = sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        added.map(|()| sent.accepted)
    })
}

/// What became of packets.
#[derive(Debug, Default)]
struct Sent {
    accepted: u64,
    /// What the kernel said, once each.
    refusals: Vec<String>,
}

/// Sends packets of both families in turn, with a pause after each; `tried` counts them.
fn send_all(device: Option<&str>, pause: Duration, tried: &AtomicU64) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    let [v4, v6] = SERVER;
    let sockets = [(socket(v4, device)?, v4), (socket(v6, device)?, v6)];
    for _ in 0..PACKETS {
        for (socket, address) in &sockets {
            match socket.send_to(b"packet", server(*address)) {
                Ok(_) => sent.accepted += 1,
                Err(error) => {
                    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
                    let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or_default());
                    let refusal = format!("{family}: {errno:?} ({})", errno.desc());
                    if !sent.refusals.contains(&refusal) {
                        sent.refusals.push(refusal);
                    }
                }
            }
            let _ = tried.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(pause);
    }
    Ok(sent)
}

/// A socket that sends to `address`, by one interface alone if that is named.
fn socket(address: IpAddr, device: Option<&str>) -> Result<UdpSocket, Failure> {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    if let Some(device) = device {
        setsockopt(&socket, BindToDevice, &OsString::from(device))
            .map_err(|errno| failed(&format!("binding a socket to {device}"), errno))?;
    }
    Ok(socket)
}
