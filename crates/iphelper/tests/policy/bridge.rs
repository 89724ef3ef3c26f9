//! What guards of a bridge's own interface see of frames between its ports.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{Family, Host};
use iphelper_testkit::{NetNs, bound, ping, receive, set_sysctl, stay_on_one_processor};
use std::net::UdpSocket;

/// A host whose bridge joins a guest and a router.
///
/// ```text
/// guest .2 --- p0 [br0: host .1] p1 --- .3 router, and behind it 198.51.100.1, 2001:db8:ff::1
/// ```
struct Network {
    host: NetNs,
    guest: NetNs,
    router: NetNs,
}

impl Network {
    fn new() -> Self {
        let network = Self { host: NetNs::new(), guest: NetNs::new(), router: NetNs::new() };
        let Self { host, guest, router } = &network;
        for namespace in [host, guest, router] {
            namespace.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
        }
        let _ = host.sh("ip link add br0 type bridge");
        let _ = host.sh("ip link set br0 up");
        host.veth("p0", guest, "eth0");
        host.veth("p1", router, "eth0");
        for (namespace, device, number) in [(host, "br0", 1), (guest, "eth0", 2), (router, "eth0", 3)] {
            for address in [format!("10.5.0.{number}/24"), format!("2001:db8:5::{number}/64 nodad")] {
                let _ = namespace.sh(&format!("ip address add {address} dev {device}"));
            }
        }
        for port in ["p0", "p1"] {
            let _ = host.sh(&format!("ip link set {port} master br0"));
        }
        for address in ["198.51.100.1/32", "2001:db8:ff::1/128 nodad"] {
            let _ = router.sh(&format!("ip address add {address} dev lo"));
        }
        let _ = router.sh("ip link set lo up");
        for namespace in [host, guest] {
            let _ = namespace.sh("ip route add default via 10.5.0.3");
            let _ = namespace.sh("ip -6 route add default via 2001:db8:5::3");
        }
        for address in ["198.51.100.1", "2001:db8:ff::1"] {
            guest.run(|| ping(address));
            host.run(|| ping(address));
        }
        network
    }

    /// Whether a packet from there reaches what is behind the router.
    fn reaches(&self, from: &NetNs, ipv6: bool) -> bool {
        let (listening, any, beyond, near) = match ipv6 {
            false => ("0.0.0.0:9", "0.0.0.0:0", "198.51.100.1:9", "10.5.0.3:9"),
            true => ("[::]:9", "[::]:0", "[2001:db8:ff::1]:9", "[2001:db8:5::3]:9"),
        };
        let router = self.router.run(|| bound(|| UdpSocket::bind(listening)));
        from.run(|| {
            stay_on_one_processor();
            let socket = UdpSocket::bind(any).unwrap();
            let _ = socket.send_to(b"beyond", beyond);
            // Behind it in the same queue.
            let _ = socket.send_to(b"near", near).unwrap();
        });
        let mut text = [0; 16];
        let (len, _) = receive(&router, &mut text);
        text.get(..len).unwrap() == b"beyond"
    }

    fn set(&self, change: &IpInterfaceChange) {
        self.host.run(|| {
            let host = Host::open().unwrap();
            let index = host.interface_named("br0").unwrap().index;
            for family in [Family::V4, Family::V6] {
                let _ = host.set_ip_interface(family, index, change).unwrap();
            }
        });
    }

    /// Whether frames between ports are shown to the packet filters of IP.
    fn show_frames_to_filters(&self, shown: bool) {
        self.host.run(|| {
            for file in ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"] {
                set_sysctl(file, if shown { "1" } else { "0" });
            }
        });
    }
}

#[test]
fn a_bridge_without_default_routes_carries_frames_unless_they_are_shown_to_filters() {
    if std::fs::metadata("/proc/sys/net/bridge").is_err() {
        eprintln!("skipped: this kernel has no br_netfilter");
        return;
    }
    let network = Network::new();
    let Network { host, guest, .. } = &network;
    let change =
        |disabled| IpInterfaceChange { disable_default_routes: Some(disabled), ..Default::default() };
    for shown in [true, false] {
        network.show_frames_to_filters(shown);
        for ipv6 in [false, true] {
            assert!(network.reaches(guest, ipv6) && network.reaches(host, ipv6), "{shown} {ipv6}");
        }
        network.set(&change(true));
        for ipv6 in [false, true] {
            assert!(!network.reaches(host, ipv6), "{shown} {ipv6}: the host's own packets");
            assert_eq!(network.reaches(guest, ipv6), !shown, "{shown} {ipv6}: the guest's frames");
        }
        network.set(&change(false));
    }
}

#[test]
fn a_strong_host_leaves_frames_between_ports_alone() {
    let network = Network::new();
    let strong = Some(false);
    network.set(&IpInterfaceChange {
        weak_host_send: strong,
        weak_host_receive: strong,
        ..Default::default()
    });
    for ipv6 in [false, true] {
        assert!(network.reaches(&network.guest, ipv6) && network.reaches(&network.host, ipv6), "{ipv6}");
    }
}
