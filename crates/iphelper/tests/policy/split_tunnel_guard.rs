//! The example `split_tunnel_guard` in a network of namespaces: what it says is what packets do, and whatever its end,
//! everything is as before.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::best_route::BestRouteQuery;
use iphelper::route::RouteKey;
use iphelper::{ErrorKind, Family, Host, Prefix};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{Tun, eventually, isolated, run};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Lines};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The example's program. Cargo builds it with all tests, but not with one of them.
fn program() -> PathBuf {
    // This program is target/PROFILE/deps/NAME.
    let this = std::env::current_exe().unwrap();
    let profile = this.ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    // As `scripts/test` builds, so that nothing is made again with other features of the same crates.
    let _ =
        build.args(["build", "--quiet", "--workspace", "--all-features", "--example", "split_tunnel_guard"]);
    let _ = build.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", profile.parent().unwrap());
    if profile.ends_with("release") {
        let _ = build.arg("--release");
    }
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    profile.join("examples/split_tunnel_guard")
}

/// The running example.
struct Guard {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Guard {
    fn start(uplinks: &Uplinks, server: IpAddr, target: IpAddr) -> Self {
        let mut process = uplinks.host.run(|| {
            Command::new(program())
                .args(["e0", &server.to_string(), &target.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        });
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn says(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// The process that undoes everything after the first one.
    fn second(&self) -> Pid {
        let parent = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        let second: i32 = children.split_whitespace().next().unwrap().parse().unwrap();
        Pid::from_raw(second).unwrap()
    }

    /// Waits for word of a packet, behind those that the interface itself sends: router solicitations and the like.
    fn says_that_it_took(&mut self, target: IpAddr) {
        let wanted = format!("tunnel: a packet for {target}");
        let own = |line: &String| line.starts_with("tunnel: a packet for ff02::");
        let line = self.lines.by_ref().map(Result::unwrap).find(|line| !own(line)).unwrap();
        assert_eq!(line, wanted);
    }
}

/// Whether this host lets a namespace make tunnels; said aloud where not.
fn has_tunnels() -> bool {
    match isolated(|| Tun::new("vpn0")) {
        Ok(_) => true,
        Err(error) => {
            eprintln!("skipped: no TUN interface can be made here: {error}");
            false
        }
    }
}

fn everything() -> String {
    ["ip -4 rule", "ip -6 rule", "ip -4 route show table all", "nft list ruleset", "ip -br link"]
        .map(run)
        .concat()
}

/// One packet for another host behind the same routers.
fn send(uplinks: &Uplinks, ipv6: bool, bound: Bound<'_>, target: IpAddr) -> Way {
    uplinks.way(ipv6, || udp_socket(ipv6, bound)?.send_to(b"?", SocketAddr::new(target, 9)).map(drop))
}

/// One packet that the tunnel gets, and no router.
fn send_through_tunnel(uplinks: &Uplinks, guard: &mut Guard, target: IpAddr) {
    let ipv6 = target.is_ipv6();
    let before = uplinks.counts(ipv6);
    uplinks.host.run(|| {
        let socket = udp_socket(ipv6, Bound::Free).unwrap();
        assert_eq!(socket.send_to(b"?", SocketAddr::new(target, 9)).unwrap(), 1);
    });
    guard.says_that_it_took(target);
    assert_eq!(uplinks.counts(ipv6), before, "a router has seen it");
}

fn target(ipv6: bool) -> IpAddr {
    if ipv6 { "2001:db8:ffff::77" } else { "203.0.113.77" }.parse().unwrap()
}

/// The host has one way out, so that what leaks is seen.
fn uplinks() -> Uplinks {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip -4 route delete default dev e1");
        let _ = run("ip -6 route delete default dev e1");
    });
    uplinks
}

fn assert_guarded(uplinks: &Uplinks, guard: &mut Guard, ipv6: bool) {
    let (server, target) = (Uplinks::server_address(ipv6), target(ipv6));
    let router = Uplinks::router_address(0, ipv6);
    assert_eq!(guard.says(), format!("before: {target} goes by {router} over e0"));
    assert_eq!(guard.says(), format!("during: {target} goes over vpn0"));
    assert_eq!(send(uplinks, ipv6, Bound::Free, server), Way::E0, "the tunnel's own packets");
    send_through_tunnel(uplinks, guard, target);
    assert!(matches!(send(uplinks, ipv6, Bound::Device("e0"), target), Way::Refused(_)), "around the tunnel");
    // A default route that comes later, as by DHCP.
    let flag = if ipv6 { "-6" } else { "-4" };
    let _ = uplinks.host.sh(&format!("ip {flag} route add default via {router} dev e0 metric 0"));
    send_through_tunnel(uplinks, guard, target);
    let _ = uplinks.host.sh(&format!("ip {flag} route delete default via {router} dev e0 metric 0"));
    // The other family has no tunnel: it goes nowhere, instead of out.
    assert!(matches!(send(uplinks, !ipv6, Bound::Free, self::target(!ipv6)), Way::Refused(_)));
    let host = uplinks.host.run(|| Host::open().unwrap());
    let best = |target| host.best_route(target, &BestRouteQuery::default());
    assert_eq!(best(self::target(!ipv6)).unwrap_err().kind(), ErrorKind::NetworkUnreachable);
    assert_eq!(host.interface_names(best(target).unwrap().luid).unwrap().name, "vpn0");
    assert_eq!(best(server).unwrap().index.0, 2);
}

#[test]
fn the_tunnel_ends_and_everything_is_as_before() {
    if !has_tunnels() {
        return;
    }
    for ipv6 in [false, true] {
        let uplinks = uplinks();
        let before = uplinks.host.run(everything);
        let mut guard = Guard::start(&uplinks, Uplinks::server_address(ipv6), target(ipv6));
        assert_guarded(&uplinks, &mut guard, ipv6);
        drop(guard.process.stdin.take());
        let router = Uplinks::router_address(0, ipv6);
        // Packets of the interface itself, such as router solicitations, may come before.
        let last = guard.lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("after")).unwrap();
        assert_eq!(last, format!("after: {} goes by {router} over e0", target(ipv6)));
        assert!(guard.process.wait().unwrap().success());
        assert_eq!(uplinks.host.run(everything), before);
        assert_eq!(send(&uplinks, ipv6, Bound::Free, target(ipv6)), Way::E0);
    }
}

#[test]
fn a_crash_undoes_everything_too() {
    if !has_tunnels() {
        return;
    }
    let uplinks = uplinks();
    let before = uplinks.host.run(everything);
    let mut guard = Guard::start(&uplinks, Uplinks::server_address(false), target(false));
    assert_guarded(&uplinks, &mut guard, false);
    guard.process.kill().unwrap();
    let _ = guard.process.wait().unwrap();
    eventually("the second process has undone everything", || uplinks.host.run(everything) == before);
    assert_eq!(send(&uplinks, false, Bound::Free, target(false)), Way::E0);
}

#[test]
fn the_end_of_the_second_process_ends_the_tunnel() {
    if !has_tunnels() {
        return;
    }
    let uplinks = uplinks();
    let before = uplinks.host.run(everything);
    let mut guard = Guard::start(&uplinks, Uplinks::server_address(false), target(false));
    assert_guarded(&uplinks, &mut guard, false);
    kill_process(guard.second(), Signal::KILL).unwrap();
    assert!(guard.process.wait().unwrap().success());
    assert_eq!(uplinks.host.run(everything), before);
}

/// Then nothing leaks, and somebody who does not know what happened is told what is left, and how it goes.
#[test]
fn what_two_killed_processes_leave_is_told_and_taken_back() {
    if !has_tunnels() {
        return;
    }
    let uplinks = uplinks();
    let before = uplinks.host.run(everything);
    let mut guard = Guard::start(&uplinks, Uplinks::server_address(false), target(false));
    assert_guarded(&uplinks, &mut guard, false);
    let first = Pid::from_raw(guard.process.id().cast_signed()).unwrap();
    let second = guard.second();
    // The first one must not see the second one's end.
    kill_process(first, Signal::STOP).unwrap();
    kill_process(second, Signal::KILL).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    let _ = guard.process.wait().unwrap();
    eventually("the tunnel went with its process", || !uplinks.host.run(everything).contains("vpn0"));
    for ipv6 in [false, true] {
        assert!(matches!(send(&uplinks, ipv6, Bound::Free, target(ipv6)), Way::Refused(_)), "a leak");
    }

    let host = uplinks.host.run(|| Host::open().unwrap());
    let kept = host.kept_settings().unwrap();
    let told: Vec<_> = kept.iter().map(|it| (it.name.as_str(), it.family, it.properties.clone())).collect();
    let disabled = vec![("disable_default_routes", "true".to_owned())];
    assert_eq!(told, [("e0", Family::V4, disabled.clone()), ("e0", Family::V6, disabled)]);
    for it in &kept {
        assert_eq!(host.set_ip_interface(it.family, it.luid, &it.undo).unwrap().len(), 1);
    }
    assert_eq!(host.kept_settings().unwrap(), []);
    let server = Prefix::host(Uplinks::server_address(false));
    let to_server = RouteKey::new(server, Uplinks::router_address(0, false), kept[0].luid);
    let _ = host.delete_route(&to_server).unwrap();
    assert_eq!(uplinks.host.run(everything), before);
    assert_eq!(send(&uplinks, false, Bound::Free, target(false)), Way::E0);
}
