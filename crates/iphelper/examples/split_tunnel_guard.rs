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
//! default route, before the tunnel is up and after it broke down, whatever a DHCP lease or router advertisement says.
//! Everything is undone at the end, also at a crash: interface, address and routes of the tunnel go with this process, and
//! a second one, which waits for its end on a pipe, undoes the rest. If that one ends first, this one does. Where both are
//! killed at once the guard stays, so that nothing leaks, and the route to the server. `iph doctor` tells of the guard then, and
//! `iph interface reset eth0` takes it back; a program does the same by `Host::kept_settings`.

use iphelper::address::NewUnicastAddress;
use iphelper::best_route::BestRouteQuery;
use iphelper::interface::AdminStatus;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::{NewRoute, RouteKey};
use iphelper::{ErrorKind, Family, Host, InterfaceLuid, Prefix};
use iphelper_testkit::Tun;
use std::error::Error;
use std::io::{Read, stdin};
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [second, undone @ ..] if second == "--undo-after" => {
            // Nothing is ever written to this pipe: it ends with the first process.
            let _ = stdin().read_to_end(&mut Vec::new())?;
            undo(&Host::open()?, undone)
        }
        [uplink, server, target] => tunnel(uplink, server.parse()?, target.parse()?),
        _ => Err("usage: split_tunnel_guard UPLINK VPN-SERVER SOME-OTHER-ADDRESS".into()),
    }
}

fn tunnel(uplink: &str, server: IpAddr, target: IpAddr) -> Outcome {
    let host = Host::open()?;
    let uplink = host.interface_named(uplink)?.luid;
    tell("before", &host, target);

    // What there is to do, and so to undo: less where somebody has done it already.
    let over_uplink = BestRouteQuery { interface: Some(uplink.into()), ..BestRouteQuery::default() };
    let next_hop = host.best_route(server, &over_uplink)?.route.next_hop;
    let to_server = NewRoute::new(Prefix::host(server), next_hop, uplink);
    let is_there = host.route(&RouteKey::new(to_server.destination, next_hop, uplink)).is_ok();
    let unguarded = |it: &Family| host.ip_interface(*it, uplink).is_ok_and(|it| !it.disable_default_routes);
    let families: Vec<Family> = Family::ALL.into_iter().filter(unguarded).collect();
    let mut undone = vec![uplink.0.to_string(), format!("{families:?}")];
    undone.extend((!is_there).then(|| [server.to_string(), next_hop.to_string()]).into_iter().flatten());

    // In a process group of its own, so that an interrupt from the terminal ends the first process alone.
    let mut second = Command::new(std::env::current_exe()?);
    let _ = second.arg("--undo-after").args(&undone).stdin(Stdio::piped()).process_group(0);
    let mut second = second.spawn()?;
    let pipe = second.stdin.take();
    let done = (|| -> Outcome<InterfaceLuid> {
        if !is_there {
            let _ = host.create_route(&to_server)?;
        }
        for family in families {
            guard(&host, family, uplink, true)?;
        }
        // Of this repository's tests; a VPN opens `/dev/net/tun` in its own way.
        let tun = Tun::new("vpn0")?;
        let vpn = host.interface_named("vpn0")?.luid;
        host.set_interface_admin_status(vpn, AdminStatus::Up)?;
        let own = if target.is_ipv4() { "10.255.0.2" } else { "fd00:ff::2" };
        let _ = host.create_unicast_address(&NewUnicastAddress::new(vpn, own.parse()?))?;
        let everything = Prefix::any(Family::of(&target));
        let _ = host.create_route(&NewRoute::on_link(everything, vpn).with_metric(1))?;
        tell("during", &host, target);
        let _ = std::thread::spawn(move || {
            // Here a VPN would encrypt the packet and send it to its server.
            while let Ok(destination) = tun.next_destination() {
                destination.iter().for_each(|it| println!("tunnel: a packet for {it}"));
            }
        });
        Ok(vpn)
    })();
    let is_up = done.is_ok();
    let _ = std::thread::spawn(move || {
        // The second process waits for the end of the pipe, which is that of the input.
        let _ = is_up.then(|| stdin().read_to_end(&mut Vec::new()));
        drop(pipe);
    });
    if !second.wait()?.success() {
        undo(&host, &undone)?;
    }
    host.set_interface_admin_status(done?, AdminStatus::Down)?;
    tell("after", &host, target);
    Ok(())
}

fn guard(host: &Host, family: Family, uplink: InterfaceLuid, on: bool) -> iphelper::Result<()> {
    let change = IpInterfaceChange { disable_default_routes: Some(on), ..IpInterfaceChange::default() };
    host.set_ip_interface(family, uplink, &change).map(drop)
}

/// Undoes what the words name: an uplink, families that it guards, and the server and the router that it is reached by.
fn undo(host: &Host, words: &[String]) -> Outcome {
    let [uplink, families, route @ ..] = words else { return Err("nothing to undo".into()) };
    let uplink = InterfaceLuid(uplink.parse()?);
    for family in Family::ALL.into_iter().filter(|family| families.contains(&format!("{family:?}"))) {
        gone_is_fine(guard(host, family, uplink, false))?;
    }
    if let [server, next_hop] = route {
        let key = RouteKey::new(Prefix::host(server.parse()?), next_hop.parse()?, uplink);
        gone_is_fine(host.delete_route(&key).map(drop))?;
    }
    Ok(())
}

/// It was not made yet when the first process ended, or went with the uplink.
fn gone_is_fine(done: iphelper::Result<()>) -> iphelper::Result<()> {
    let is_gone =
        |error: &iphelper::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InterfaceNotFound);
    if done.as_ref().is_err_and(is_gone) { Ok(()) } else { done }
}

/// Which way a packet would go.
fn tell(when: &str, host: &Host, target: IpAddr) {
    let found = host.best_route(target, &BestRouteQuery::default()).and_then(|best| {
        let hop = best.route.next_hop;
        let by = if hop.is_unspecified() { String::new() } else { format!(" by {hop}") };
        Ok(format!("goes{by} over {}", host.interface_names(best.luid)?.name))
    });
    println!("{when}: {target} {}", found.unwrap_or_else(|error| format!("is not reached: {error}")));
}
