//! A VPN's client: everything goes through the tunnel but the tunnel's own packets, which go by the uplink.
//!
//! ```text
//! # cargo run -p iphelper --example split_tunnel_guard -- eth0 203.0.113.1 198.51.100.7
//! before: 198.51.100.7 goes by 192.0.2.1 over eth0
//! during: 198.51.100.7 goes over vpn0
//! tunnel: a packet for 198.51.100.7
//! after: 198.51.100.7 goes by 192.0.2.1 over eth0
//! ```
//!
//! It runs until its standard input ends. `DisableDefaultRoutes` on the uplink makes sure that nothing leaves it by a
//! default route, whatever a later DHCP lease or router advertisement says: before the tunnel is up, and after it broke
//! down. Everything is undone at the end, also at a crash: the tunnel's interface, with its address and routes, goes with
//! this process, and what stays in the kernel is undone by a second process, which waits for the end of the first one on a
//! pipe. If that one ends first, this one undoes it all and ends too. Only where both are killed at once the guard stays
//! (nothing leaks then), until `iph interface set eth0 --disable-default-routes off`.

use iphelper::address::NewUnicastAddress;
use iphelper::best_route::BestRouteQuery;
use iphelper::interface::AdminStatus;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{NewRoute, RouteKey};
use iphelper::{ErrorKind, Family, Host, InterfaceLuid, Prefix};
use iphelper_testkit::Tun;
use std::error::Error;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--undo-after", uplink, families, server, next_hop] => {
            // Nothing is ever written to this pipe: it ends with the first process.
            let _ = std::io::stdin().read_to_end(&mut Vec::new())?;
            undo(&Host::open()?, InterfaceLuid(uplink.parse()?), families, server, next_hop)
        }
        [uplink, server, target] => tunnel(uplink, server.parse()?, target.parse()?),
        _ => Err("usage: split_tunnel_guard UPLINK VPN-SERVER SOME-OTHER-ADDRESS".into()),
    }
}

fn tunnel(uplink: &str, server: IpAddr, target: IpAddr) -> Outcome {
    let host = Host::open()?;
    let uplink = host.interface_named(uplink)?.luid;
    tell("before", &host, target);

    // What there is to do, and so to undo.
    let over_uplink = BestRouteQuery { interface: Some(uplink.into()), ..BestRouteQuery::default() };
    let next_hop = host.best_route(server, &over_uplink)?.route.next_hop;
    let to_server = RouteKey::new(Prefix::host(server), next_hop, uplink);
    let is_there = host.route(&to_server).is_ok();
    let unguarded = |family: &Family| {
        host.ip_interface(*family, uplink).is_ok_and(|interface| !interface.disable_default_routes)
    };
    let families: Vec<String> =
        Family::ALL.iter().filter(|it| unguarded(it)).map(ToString::to_string).collect();
    let (families, to_undo) =
        (families.join("+"), if is_there { "-".to_owned() } else { server.to_string() });
    let undo_words = [uplink.0.to_string(), families.clone(), to_undo.clone(), next_hop.to_string()];

    // In a process group of its own, so that an interrupt from the terminal ends the first process alone.
    let mut second = Command::new(std::env::current_exe()?)
        .arg("--undo-after")
        .args(&undo_words)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let pipe = second.stdin.take();
    let (events, happened) = mpsc::channel();
    let watching = events.clone();
    let watcher = std::thread::spawn(move || {
        let ended = second.wait();
        let _ = watching.send(Event::End);
        ended
    });

    let done = (|| -> Outcome {
        if !is_there {
            let _ = host.create_route(&NewRoute::new(Prefix::host(server), next_hop, uplink))?;
        }
        for family in Family::ALL.iter().filter(|family| families.contains(&family.to_string())) {
            let change = IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
            let _ = host.set_ip_interface(*family, uplink, &change)?;
        }
        let tun = Tun::new("vpn0")?;
        let vpn = host.interface_named("vpn0")?.luid;
        host.set_interface_admin_status(vpn, AdminStatus::Up)?;
        let (own, any): (IpAddr, IpAddr) = match target {
            IpAddr::V4(_) => (Ipv4Addr::new(10, 255, 0, 2).into(), Ipv4Addr::UNSPECIFIED.into()),
            IpAddr::V6(_) => {
                (Ipv6Addr::new(0xfd00, 0xff, 0, 0, 0, 0, 0, 2).into(), Ipv6Addr::UNSPECIFIED.into())
            }
        };
        let _ = host.create_unicast_address(&NewUnicastAddress::new(vpn, own))?;
        let _ = host.create_route(&NewRoute::new(Prefix::new(any, 0)?, any, vpn).with_metric(1))?;
        tell("during", &host, target);

        let at_end = events.clone();
        let _ = std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            at_end.send(Event::End)
        });
        let _ = std::thread::spawn(move || {
            // Here a VPN would encrypt the packet and send it to its server.
            while let Ok(destination) = tun.next_destination() {
                let _ = events.send(Event::Packet(destination));
            }
        });
        while let Ok(Event::Packet(destination)) = happened.recv() {
            if let Some(destination) = destination {
                println!("tunnel: a packet for {destination}");
            }
        }
        host.set_interface_admin_status(vpn, AdminStatus::Down).map_err(Into::into)
    })();
    drop(pipe);
    let undone = watcher.join().map_err(|_| "a thread panicked")??;
    if !undone.success() {
        undo(&host, uplink, &families, &to_undo, &next_hop.to_string())?;
    }
    tell("after", &host, target);
    done
}

enum Event {
    Packet(Option<IpAddr>),
    End,
}

fn undo(host: &Host, uplink: InterfaceLuid, families: &str, server: &str, next_hop: &str) -> Outcome {
    for family in Family::ALL.iter().filter(|family| families.contains(&family.to_string())) {
        let change = IpInterfaceChange { disable_default_routes: Some(false), ..Default::default() };
        gone_is_fine(host.set_ip_interface(*family, uplink, &change).map(drop))?;
    }
    if let Ok(server) = server.parse() {
        let key = RouteKey::new(Prefix::host(server), next_hop.parse()?, uplink);
        // It was not made yet when the first process ended, or went with the uplink.
        gone_is_fine(host.delete_route(&key).map(drop))?;
    }
    Ok(())
}

fn gone_is_fine(done: iphelper::Result<()>) -> iphelper::Result<()> {
    match done {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InterfaceNotFound) => Ok(()),
        done => done,
    }
}

/// Which way a packet would go.
fn tell(when: &str, host: &Host, target: IpAddr) {
    match host.best_route(target, &BestRouteQuery::default()) {
        Ok(best) => {
            let name =
                host.interface_names(best.luid).map_or_else(|_| best.index.to_string(), |names| names.name);
            let hop = best.route.next_hop;
            let by = if hop.is_unspecified() { String::new() } else { format!(" by {hop}") };
            println!("{when}: {target} goes{by} over {name}");
        }
        Err(error) => println!("{when}: {target} is not reached: {error}"),
    }
}
