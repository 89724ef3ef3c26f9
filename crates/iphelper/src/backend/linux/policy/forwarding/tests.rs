//! What a kernel before 6.17 does, on a later one whose `force_forwarding` is not looked at. Packets are the judges.

use super::super::super::link::before_6_17;
use super::super::super::socket::killed;
use crate::ip_interface::{IpInterfaceChange, RouterDiscoveryBehavior};
use crate::keeper::KeeperOptions;
use crate::{ErrorKind, Family, Host, InterfaceIndex, Result};
use iphelper_testkit::{
    Advertisement, Capture, NetNs, eventually, receive, run, set_sysctl, stay_on_one_processor, sysctl,
    unprivileged,
};
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

iphelper_testkit::private_user_namespace!();

/// The interface towards the first client, and the one towards the second.
const LAN: InterfaceIndex = InterfaceIndex(2);
const GUESTS: InterfaceIndex = InterfaceIndex(3);
const WAN: InterfaceIndex = InterfaceIndex(4);

/// A host between three networks.
///
/// ```text
/// lan client 2001:db8:1::2 --- lan0 +------+
///                                   | host | wan0 --- outside 2001:db8:3::2, a router to the host
/// guest      2001:db8:2::2 --- guest0 ------+
/// ```
struct Network {
    host: NetNs,
    lan: NetNs,
    guests: NetNs,
    outside: NetNs,
}

impl Network {
    fn new() -> Self {
        let network =
            Self { host: NetNs::new(), lan: NetNs::new(), guests: NetNs::new(), outside: NetNs::new() };
        let Self { host, lan, guests, outside } = &network;
        for namespace in [host, lan, guests, outside] {
            namespace.run(|| {
                set_sysctl("ipv6/conf/default/accept_dad", "0");
                set_sysctl(
                    "ipv6/conf/default/accept_ra",
                    if std::ptr::eq(namespace, host) { "1" } else { "0" },
                );
            });
        }
        for (net, name, peer) in [(1, "lan0", lan), (2, "guest0", guests), (3, "wan0", outside)] {
            host.veth(name, peer, "eth0");
            let _ = host.sh(&format!("ip -6 address add 2001:db8:{net}::1/64 dev {name} nodad"));
            let _ = peer.sh(&format!("ip -6 address add 2001:db8:{net}::2/64 dev eth0 nodad"));
            let _ = peer.sh(&format!("ip -6 route add default via 2001:db8:{net}::1"));
            eventually("the host answers", || answers(peer, &format!("ping -c 1 -W 1 2001:db8:{net}::1")));
            host.addresses_settle(&[name]);
            peer.addresses_settle(&["eth0"]);
        }
        outside.run(|| {
            // Whoever answers as a host is no router any more: its route goes as soon as it is asked whether it is still there.
            set_sysctl("ipv6/conf/all/forwarding", "1");
            let advertisement = Advertisement {
                router_lifetime: 1800,
                prefix: "2001:db8:77::".parse().unwrap(),
                route: None,
                managed: false,
                other_configuration: false,
            };
            advertisement.send("eth0");
        });
        eventually("the advertised default route", || network.default_route().contains("proto ra"));
        host.run(|| before_6_17_host().interface_named("lan0").map(drop)).unwrap();
        network
    }

    /// The default route that a router told.
    fn default_route(&self) -> String {
        self.host.sh("ip -6 route show default dev wan0")
    }

    /// Whether the host forwards a packet of a client that goes outside.
    fn forwards(&self, client: &NetNs, net: u16) -> bool {
        let forwarded = || {
            let counters = self.host.run(|| std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap());
            let line = counters.lines().find(|line| line.starts_with("Ip6OutForwDatagrams")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
        };
        // A port for each call: children that are killed half-way have copies of the sockets of the last one.
        static PORTS: AtomicU16 = AtomicU16::new(1000);
        let port = PORTS.fetch_add(1, Ordering::Relaxed);
        let to = |net: u16, host: u16| {
            SocketAddr::new(Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, host).into(), port)
        };
        let before = forwarded();
        let last = self.host.run(|| UdpSocket::bind(to(net, 1)).unwrap());
        let _silent = self.outside.run(|| UdpSocket::bind(("::", port)).unwrap());
        client.run(|| {
            stay_on_one_processor();
            let socket = UdpSocket::bind("[::]:0").unwrap();
            let _ = socket.send_to(b"outside", to(3, 2)).unwrap();
            // Behind it in the same queue: when this one is there, the other one was decided about.
            let _ = socket.send_to(b"host", to(net, 1)).unwrap();
        });
        let _ = receive(&last, &mut [0; 16]);
        forwarded() > before
    }

    /// Which networks the host forwards from.
    fn forwarding(&self) -> [bool; 3] {
        [
            self.forwards(&self.lan, 1),
            self.forwards(&self.guests, 2),
            // What comes from outside goes to the guests.
            self.host.run(|| row(WAN)),
        ]
    }

    fn set(&self, index: InterfaceIndex, forwarding: bool) -> Result<()> {
        self.host.run(|| set(&before_6_17_host(), index, forwarding))
    }

    /// All that must be as it was when nothing forwards.
    fn state(&self) -> String {
        let files = ["all", "default", "lo", "lan0", "guest0", "wan0"].map(|name| {
            self.host.run(|| {
                let value = |file: &str| sysctl(&format!("ipv6/conf/{name}/{file}"));
                format!("{name}: forwarding {} accept_ra {}\n", value("forwarding"), value("accept_ra"))
            })
        });
        let objects = ["nft list ruleset", "ip -4 route show table all", "ip -6 rule"];
        format!("{}{}", files.concat(), objects.map(|command| self.host.sh(command)).concat())
    }
}

fn answers(namespace: &NetNs, command: &str) -> bool {
    namespace.run(|| iphelper_testkit::try_run(command)).is_ok()
}

/// Pretends on this thread, which is made for the purpose.
fn before_6_17_host() -> Host {
    before_6_17::pretend();
    Host::open().unwrap()
}

fn set(host: &Host, index: InterfaceIndex, forwarding: bool) -> Result<()> {
    let change = IpInterfaceChange { forwarding_enabled: Some(forwarding), ..Default::default() };
    host.set_ip_interface(Family::V6, index, &change).map(drop)
}

fn row(index: InterfaceIndex) -> bool {
    before_6_17_host().ip_interface(Family::V6, index).unwrap().forwarding_enabled
}

fn rows() -> [bool; 3] {
    let rows = before_6_17_host().ip_interfaces(Some(Family::V6)).unwrap();
    let rows = [LAN, GUESTS, WAN]
        .map(|index| rows.iter().find(|row| row.index == index).unwrap().forwarding_enabled);
    assert_eq!([LAN, GUESTS, WAN].map(row), rows, "one row and the table");
    rows
}

#[test]
fn the_chosen_interfaces_forward_and_no_other() {
    let network = Network::new();
    let before = network.state();
    assert_eq!(network.forwarding(), [false; 3]);
    network.set(LAN, true).unwrap();
    assert_eq!(network.forwarding(), [true, false, false]);
    assert_eq!(network.host.run(|| unprivileged(rows)), [true, false, false]);
    assert!(network.default_route().contains("proto ra"), "the default route that a router told stays");
    let files = network.state();
    for name in ["default", "lo", "lan0", "guest0", "wan0"] {
        assert!(
            files.contains(&format!("{name}: forwarding 0 accept_ra 1")),
            "no other becomes a router: {files}"
        );
    }
    network.set(GUESTS, true).unwrap();
    assert_eq!(network.forwarding(), [true, true, false]);
    network.set(LAN, false).unwrap();
    assert_eq!(network.forwarding(), [false, true, false]);
    // An interface that comes later does not forward either.
    let late = NetNs::new();
    network.host.veth("late0", &late, "eth0");
    let _ = network.host.sh("ip -6 address add 2001:db8:4::1/64 dev late0 nodad");
    let _ = late.sh("ip -6 address add 2001:db8:4::2/64 dev eth0 nodad");
    let _ = late.sh("ip -6 route add default via 2001:db8:4::1");
    eventually("the host answers", || answers(&late, "ping -c 1 -W 1 2001:db8:4::1"));
    assert!(!network.forwards(&late, 4));
    let _ = network.host.sh("ip link delete late0");
    network.set(GUESTS, false).unwrap();
    assert_eq!(network.forwarding(), [false; 3]);
    assert_eq!(network.state(), before);
    assert!(network.default_route().contains("proto ra"));
}

/// Both ways, as a router between two networks has it.
#[test]
fn two_forwarding_interfaces_carry_a_conversation() {
    let network = Network::new();
    network.set(LAN, true).unwrap();
    let ping = "ping -c 1 -W 1 2001:db8:3::2";
    assert!(!answers(&network.lan, ping), "the answer comes in where nothing is forwarded");
    network.set(WAN, true).unwrap();
    eventually("the answer comes", || answers(&network.lan, ping));
    // A router's answer where it is one, and none where it is not.
    let exceeded = |client: &NetNs| {
        client.run(|| {
            const TIME_EXCEEDED: u8 = 3;
            let capture = Capture::start();
            let _ = iphelper_testkit::try_run("ping -c 1 -W 1 -t 1 2001:db8:3::2");
            capture.frames().iter().any(|frame| frame.icmpv6().is_some_and(|it| it.kind == TIME_EXCEEDED))
        })
    };
    eventually("the router answers", || exceeded(&network.lan));
    assert!(!exceeded(&network.guests));
}

#[test]
fn a_router_stays_a_router() {
    let network = Network::new();
    network.host.run(|| set_sysctl("ipv6/conf/guest0/forwarding", "1"));
    // That takes advertised routes away; a later advertisement brings them.
    let before = network.state();
    network.set(LAN, true).unwrap();
    assert!(network.state().contains("guest0: forwarding 1"));
    assert_eq!(network.forwarding(), [true, false, false]);
    network.set(LAN, false).unwrap();
    assert_eq!(network.state(), before);
}

#[test]
fn what_all_interfaces_do_is_not_ours_to_end() {
    let network = Network::new();
    network.host.run(|| set_sysctl("ipv6/conf/all/forwarding", "1"));
    let before = network.state();
    assert_eq!(network.host.run(rows), [true; 3]);
    let error = network.set(LAN, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    assert_eq!(network.state(), before);
}

/// Without its interface nothing may be left that forwards for the others.
#[test]
fn an_interface_that_goes_leaves_nothing_open() {
    let network = Network::new();
    network.set(LAN, true).unwrap();
    let _ = network.host.sh("ip link delete lan0");
    assert!(!network.forwards(&network.guests, 2));
    // A call about something else, of policy.
    network.host.run(|| {
        let change = IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
        let _ = before_6_17_host().set_ip_interface(Family::V6, WAN, &change).unwrap();
    });
    assert_eq!(network.host.run(|| sysctl("ipv6/conf/all/forwarding")), "0");
    assert!(!network.forwards(&network.guests, 2));
}

/// The filter alone makes the difference, so that all interfaces forward while it is gone.
#[test]
fn a_flushed_filter_is_made_anew_by_the_next_call_or_a_keeper() {
    let network = Network::new();
    network.set(LAN, true).unwrap();
    let filter = || network.host.sh("nft list table inet iphelper");
    let before = filter();
    let _ = network.host.sh("nft flush ruleset");
    assert_eq!(network.forwarding(), [true, true, false], "documented: the guests' packets are forwarded");
    assert_eq!(network.host.run(rows), [true, false, false], "what is set still reads as set");
    // A call about something else.
    network.host.run(|| {
        let change = IpInterfaceChange { dad_transmits: Some(2), ..Default::default() };
        let _ = before_6_17_host().set_ip_interface(Family::V6, WAN, &change).unwrap();
    });
    assert_eq!(filter(), before);
    assert_eq!(network.forwarding(), [true, false, false]);

    let folder = iphelper_testkit::new_folder("forwarding");
    let options = KeeperOptions { status_directory: folder.clone() };
    let (stop, stopper) = rustix::pipe::pipe().unwrap();
    std::thread::scope(|scope| {
        let keeper = scope.spawn(|| {
            network.host.run(|| before_6_17_host().keeper(&options).unwrap().run(&stop).unwrap());
        });
        for _ in 0..3 {
            // With the keeper's place, which it keeps.
            eventually("the keeper has its place", || {
                network.host.sh("nft list tables").contains("iphelper-keeper")
            });
            let _ = network.host.sh("nft flush ruleset");
            eventually("the keeper makes the filter anew", || {
                network.host.run(|| iphelper_testkit::try_run("nft list table inet iphelper"))
                    == Ok(before.clone())
            });
            assert_eq!(network.forwarding(), [true, false, false]);
        }
        drop(stopper);
        keeper.join().unwrap();
    });
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Frames between the ports of a bridge that are shown to packet filters of IP look like what comes in on the bridge.
#[test]
fn frames_that_a_bridge_shows_to_filters_are_taken_for_what_it_should_forward() {
    if std::fs::metadata("/proc/sys/net/bridge").is_err() {
        eprintln!("skipped: this kernel has no br_netfilter");
        return;
    }
    let network = Network::new();
    let ports = [NetNs::new(), NetNs::new()];
    let _ = network.host.sh("ip link add br0 type bridge");
    let _ = network.host.sh("ip link set br0 up");
    for (number, port) in ports.iter().enumerate() {
        network.host.veth(&format!("port{number}"), port, "eth0");
        let _ = network.host.sh(&format!("ip link set port{number} master br0"));
        let _ = port.sh(&format!("ip address add 2001:db8:9::{number}/64 dev eth0 nodad"));
    }
    let joined = || answers(&ports[0], "ping -c 1 -W 1 2001:db8:9::1");
    let show = |shown| network.host.run(|| set_sysctl("bridge/bridge-nf-call-ip6tables", shown));
    show("1");
    eventually("the bridge carries frames", joined);
    network.set(LAN, true).unwrap();
    assert!(!joined(), "documented");
    show("0");
    eventually("the bridge carries frames again", joined);
}

/// Other properties of the same call are put back with it, and it with them.
#[test]
fn it_is_all_or_nothing() {
    let network = Network::new();
    let before = network.state();
    network.host.run(|| {
        let host = before_6_17_host();
        let _ = run("nft add table inet iphelper { comment \"other\" ; }");
        let change = IpInterfaceChange {
            forwarding_enabled: Some(true),
            nl_mtu: Some(1400),
            router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
            ..Default::default()
        };
        let error = host.set_ip_interface(Family::V6, WAN, &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        let _ = run("nft delete table inet iphelper");
        assert_eq!(sysctl("ipv6/conf/wan0/mtu"), "1500");
    });
    assert_eq!(network.state(), before);
    assert!(network.default_route().contains("proto ra"));
}

/// The old state, or the new one, and never a packet from an interface that nobody chose; the next call completes it.
#[test]
fn a_killed_caller_opens_nothing() {
    let network = Network::new();
    let before = network.state();
    let mut after = String::new();
    for target in [true, false] {
        for messages in 0.. {
            let (_, died) = network.host.run(|| {
                let host = before_6_17_host();
                killed::after(messages, || set(&host, LAN, target))
            });
            let when = format!("setting {target}, killed after {messages} messages");
            let told = network.host.run(rows);
            assert_eq!([told[1], told[2]], [false, false], "{when}");
            let [lan, guests, _] = network.forwarding();
            assert!(!guests, "{when}: the guests' packets are forwarded");
            assert_eq!(lan, told[0], "{when}");
            assert!(network.default_route().contains("proto ra"), "{when}");
            network.set(LAN, target).unwrap();
            // To obey routers whether it is one or not is the same for an interface that is none.
            let now = network.state().replace("accept_ra 2", "accept_ra 1");
            match (target, after.is_empty()) {
                (true, true) => after.clone_from(&now),
                (true, false) => assert_eq!(now, after, "{when}, completed"),
                (false, _) => assert_eq!(now, before, "{when}, completed"),
            }
            if !died {
                assert!(messages > 10, "a change takes more messages than {messages}");
                break;
            }
            network.set(LAN, !target).unwrap();
        }
    }
}
