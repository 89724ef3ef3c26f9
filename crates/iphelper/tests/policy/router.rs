//! This host as an IPv4 router while programs want it, judged by `/proc/sys` and by packets.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::keeper::KeeperOptions;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{
    Child, NetNs, eventually, is_child, isolated, ping, run, set_sysctl, sysctl, try_run, unprivileged,
};
use std::os::fd::AsFd;

/// What must be as before: forwarding of all, of new and of single interfaces, and nothing of ours.
fn everything() -> String {
    let files =
        ["all", "default", "e0", "e1", "lo"].map(|name| sysctl(&format!("ipv4/conf/{name}/forwarding")));
    files.join(" ") + &run("ip -4 route show table all") + &run("nft list ruleset")
}

/// A host with e0 and e1, and a neighbour behind each.
struct Scene {
    host: NetNs,
    near: NetNs,
    _far: NetNs,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { host: NetNs::new(), near: NetNs::new(), _far: NetNs::new() };
        let Self { host, near, _far: far } = &scene;
        host.veth("e0", near, "n0");
        host.veth("e1", far, "f0");
        let _ = host.sh("ip address add 10.0.1.1/24 dev e0");
        let _ = host.sh("ip address add 10.0.2.1/24 dev e1");
        let _ = near.sh("ip address add 10.0.1.2/24 dev n0");
        let _ = far.sh("ip address add 10.0.2.2/24 dev f0");
        let _ = near.sh("ip route add default via 10.0.1.1");
        let _ = far.sh("ip route add default via 10.0.2.1");
        near.run(|| ping("10.0.1.1"));
        host.run(|| ping("10.0.2.2"));
        scene
    }

    /// Whether a packet goes through the host.
    fn forwards(&self) -> bool {
        self.near.run(|| try_run("ping -c 2 -i 0.2 -W 1 10.0.2.2").is_ok())
    }
}

#[test]
fn a_host_is_a_router_until_the_last_reference_goes() {
    let scene = Scene::new();
    let before = scene.host.run(everything);
    assert!(!scene.forwards());
    let host = scene.host.run(|| Host::open().unwrap());
    let first = host.enable_router().unwrap();
    eventually("it forwards", || scene.forwards());
    assert_eq!(scene.host.run(|| sysctl("ipv4/ip_forward")), "1");
    let second = host.enable_router().unwrap();
    assert_eq!(first.release().unwrap(), 1);
    eventually("it forwards, since one is left", || scene.forwards());
    assert_eq!(second.release().unwrap(), 0);
    assert!(!scene.forwards());
    assert_eq!(scene.host.run(everything), before);
    drop(host.enable_router().unwrap());
    assert_eq!(scene.host.run(everything), before, "dropped");
}

#[test]
fn what_forwarded_by_itself_goes_on() {
    let scene = Scene::new();
    let before = scene.host.run(|| {
        set_sysctl("ipv4/conf/default/forwarding", "1");
        set_sysctl("ipv4/conf/e1/forwarding", "1");
        let before = everything();
        let reference = Host::open().unwrap().enable_router().unwrap();
        assert_eq!(sysctl("ipv4/conf/e0/forwarding"), "1");
        assert_eq!(reference.release().unwrap(), 0);
        before
    });
    assert_eq!(scene.host.run(everything), before);
}

#[test]
fn a_router_stays_one() {
    isolated(|| {
        set_sysctl("ipv4/ip_forward", "1");
        let host = Host::open().unwrap();
        drop(host.enable_router().unwrap());
        assert_eq!(sysctl("ipv4/ip_forward"), "1", "it was one before");
        // Somebody else decides in between.
        set_sysctl("ipv4/ip_forward", "0");
        let reference = host.enable_router().unwrap();
        set_sysctl("ipv4/ip_forward", "0");
        let second = host.enable_router().unwrap();
        assert_eq!(sysctl("ipv4/ip_forward"), "1");
        drop((reference, second));
        assert_eq!(sysctl("ipv4/ip_forward"), "0");
        assert_eq!(run("ip route show table all proto 105") + &run("nft list tables"), "");
    });
}

const KILLED: &str = "router::a_program_that_is_killed";

/// The program that is killed: a router until then.
#[test]
fn a_program_that_is_killed() {
    if is_child(KILLED) {
        let _reference = Host::open().unwrap().enable_router().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

/// SIGKILL, with and without another program that still wants it.
#[test]
fn a_program_that_is_killed_leaves_what_the_next_call_puts_back() {
    let scene = Scene::new();
    let before = scene.host.run(everything);
    let child = scene.host.run(|| Child::start(KILLED));
    eventually("the child is a router", || scene.host.run(|| sysctl("ipv4/ip_forward") == "1"));
    let reference = scene.host.run(|| Host::open().unwrap().enable_router().unwrap());
    child.kill();
    eventually("it forwards, since another program wants it", || scene.forwards());
    assert_eq!(reference.release().unwrap(), 0);
    assert_eq!(scene.host.run(everything), before);

    let child = scene.host.run(|| Child::start(KILLED));
    eventually("the child is a router", || scene.host.run(|| sysctl("ipv4/ip_forward") == "1"));
    child.kill();
    assert_eq!(scene.host.run(|| sysctl("ipv4/ip_forward")), "1", "nobody has looked yet");
    scene.host.run(|| {
        let change =
            iphelper::ip_interface::IpInterfaceChange { weak_host_send: Some(false), ..Default::default() };
        let host = Host::open().unwrap();
        let e0 = iphelper::InterfaceIndex(2);
        let _ = host.set_ip_interface(iphelper::Family::V4, e0, &change).unwrap();
        assert_eq!(sysctl("ipv4/ip_forward"), "0");
        let change = iphelper::ip_interface::IpInterfaceChange { weak_host_send: Some(true), ..change };
        let _ = host.set_ip_interface(iphelper::Family::V4, e0, &change).unwrap();
    });
    assert_eq!(scene.host.run(everything), before);
}

#[test]
fn the_keeper_puts_back_what_a_killed_program_left() {
    let scene = Scene::new();
    let before = scene.host.run(everything);
    let child = scene.host.run(|| Child::start(KILLED));
    eventually("the child is a router", || scene.host.run(|| sysctl("ipv4/ip_forward") == "1"));
    let directory = iphelper_testkit::new_folder("router");
    let mut options = KeeperOptions::default();
    options.status_directory.clone_from(&directory);
    let mut keeper = scene.host.run(|| Host::open().unwrap().keeper(&options).unwrap());
    let (stop, stopped) = rustix::pipe::pipe().unwrap();
    let kept = std::thread::spawn(move || keeper.run(stop.as_fd()));
    eventually("a keeper leaves a router that is wanted alone", || scene.forwards());
    child.kill();
    eventually("the keeper has put forwarding back", || {
        scene
            .host
            .run(|| sysctl("ipv4/ip_forward") == "0" && run("ip route show table all proto 105").is_empty())
    });
    // One that comes while the keeper runs.
    let child = scene.host.run(|| Child::start(KILLED));
    eventually("the child is a router", || scene.host.run(|| sysctl("ipv4/ip_forward") == "1"));
    child.kill();
    eventually("the keeper has put forwarding back again", || {
        scene
            .host
            .run(|| sysctl("ipv4/ip_forward") == "0" && run("ip route show table all proto 105").is_empty())
    });
    drop(stopped);
    kept.join().unwrap().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(scene.host.run(everything), before);
}

#[test]
fn it_needs_an_administrator() {
    isolated(|| {
        let error = unprivileged(|| Host::open().unwrap().enable_router().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        assert_eq!(sysctl("ipv4/ip_forward"), "0");
    });
}
