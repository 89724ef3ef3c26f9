//! `DisableDefaultRoutes` beside tunnels that have rules and tables of their own.

use crate::policy_support::{E0, EPERM, assert_guarded, assert_unchanged, disable, everything, is_v6};
use iphelper::Family;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way, udp_socket};
use iphelper_testkit::{ping, run};
use std::net::SocketAddr;

#[test]
fn a_foreign_table_selects_the_interface_and_the_filter_stops_it() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip rule add fwmark 7 lookup 100 pref 100");
        let _ = run("ip -6 rule add fwmark 7 lookup 100 pref 100");
        let _ = run("ip route add default via 10.0.1.1 table 100");
        let _ = run("ip -6 route add default via 2001:db8:1::1 dev e0 table 100");
    });
    for family in Family::ALL {
        let ipv6 = is_v6(family);
        assert_eq!(uplinks.udp(ipv6, Bound::Mark(7)), Way::E0);
        uplinks.host.run(|| disable(family, E0, true)).unwrap();
        assert_eq!(uplinks.udp(ipv6, Bound::Mark(7)), Way::Refused(EPERM), "{family}");
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "{family}");
    }
}

/// A tunnel that takes all traffic: rules and routes as its program makes them, with an Ethernet device for its own.
struct Tunnel {
    device: &'static str,
    up: fn(),
    down: fn(),
    /// What the tunnel's own packets are marked with.
    mark: u32,
    /// Whether a call, or a keeper, must learn of its rules when they come after ours.
    is_followed: bool,
}

const WIREGUARD: Tunnel =
    Tunnel { device: "wg0", up: wireguard_up, down: wireguard_down, mark: 51820, is_followed: false };
const TAILSCALE: Tunnel =
    Tunnel { device: "tailscale0", up: tailscale_up, down: tailscale_down, mark: 0x80000, is_followed: true };

fn device_up(name: &str) {
    let _ = run(&format!("ip link add {name} type veth peer name far"));
    let _ = run(&format!("ip address add 10.77.0.2/32 dev {name}"));
    let _ = run(&format!("ip -6 address add fd77::2/128 dev {name} nodad"));
    let _ = run(&format!("ip link set {name} up"));
}

/// What `wg-quick up` does for `AllowedIPs = 0.0.0.0/0, ::/0`.
fn wireguard_up() {
    device_up("wg0");
    for (family, everywhere) in [("-4", "0.0.0.0/0"), ("-6", "::/0")] {
        let _ = run(&format!("ip {family} rule add not fwmark 51820 table 51820"));
        let _ = run(&format!("ip {family} rule add table main suppress_prefixlength 0"));
        let _ = run(&format!("ip {family} route add {everywhere} dev wg0 table 51820"));
    }
}

/// What `wg-quick down` does: deletes rules in a loop until none looks like its own.
fn wireguard_down() {
    for family in ["-4", "-6"] {
        while run(&format!("ip {family} rule show")).contains("lookup 51820") {
            let _ = run(&format!("ip {family} rule delete table 51820"));
        }
        while run(&format!("ip {family} rule show")).contains("from all lookup main suppress_prefixlength 0")
        {
            let _ = run(&format!("ip {family} rule delete table main suppress_prefixlength 0"));
        }
    }
    let _ = run("ip link delete wg0");
}

/// What `tailscaled` does for a node that uses an exit node.
fn tailscale_up() {
    device_up("tailscale0");
    for family in ["-4", "-6"] {
        let _ = run(&format!("ip {family} rule add pref 5210 fwmark 0x80000/0xff0000 lookup main"));
        let _ = run(&format!("ip {family} rule add pref 5230 fwmark 0x80000/0xff0000 lookup default"));
        let _ = run(&format!("ip {family} rule add pref 5250 fwmark 0x80000/0xff0000 unreachable"));
        let _ = run(&format!("ip {family} rule add pref 5270 lookup 52"));
        let _ = run(&format!("ip {family} route add default dev tailscale0 table 52"));
    }
    // It lets the local networks out, as with --exit-node-allow-lan-access.
    for net in ["10.0.1.0/24", "10.0.2.0/24", "2001:db8:1::/64", "2001:db8:2::/64"] {
        let _ = run(&format!("ip route add throw {net} table 52"));
    }
}

fn tailscale_down() {
    for family in ["-4", "-6"] {
        for pref in [5210, 5230, 5250, 5270] {
            let _ = run(&format!("ip {family} rule delete pref {pref}"));
        }
        let _ = run(&format!("ip {family} route flush table 52"));
    }
    let _ = run("ip link delete tailscale0");
}

/// How many packets for the server have passed the filter on their way into a tunnel.
fn count_tunnelled() {
    let _ = run("nft add table inet witness");
    let _ = run("nft add counter inet witness tunnelled");
    let _ = run("nft add chain inet witness out { type filter hook output priority 500 ; }");
    for destination in ["ip daddr 203.0.113.0/24", "ip6 daddr 2001:db8:ffff::/48"] {
        let _ = run(&format!(
            "nft add rule inet witness out oifname {{ wg0, tailscale0 }} {destination} counter name tunnelled"
        ));
    }
}

fn tunnelled(uplinks: &Uplinks) -> u64 {
    let text = uplinks.host.sh("nft list counter inet witness tunnelled");
    let count = text.split_whitespace().skip_while(|word| *word != "packets").nth(1);
    count.and_then(|count| count.parse().ok()).expect("a counter")
}

impl Tunnel {
    /// All traffic goes into the tunnel, what the tunnel sends itself by the uplink that is allowed, and what is on the
    /// link goes there.
    #[track_caller]
    fn assert_works(&self, uplinks: &Uplinks, when: &str) {
        for ipv6 in [false, true] {
            let (before, counts) = (tunnelled(uplinks), uplinks.counts(ipv6));
            let to = SocketAddr::new(Uplinks::server_address(ipv6), 9);
            let sent = uplinks.host.run(|| udp_socket(ipv6, Bound::Free)?.send_to(b"?", to));
            assert!(sent.is_ok(), "{when}: {sent:?}");
            assert_eq!(tunnelled(uplinks), before + 1, "{when}: one packet into the tunnel");
            assert_eq!(uplinks.counts(ipv6), counts, "{when}: and nowhere else");
            assert_eq!(uplinks.udp(ipv6, Bound::Mark(self.mark)), Way::E1, "{when}: the tunnel's own");
            for uplink in [0, 1] {
                let neighbour = Uplinks::router_address(uplink, ipv6);
                let route = uplinks.host.sh(&format!("ip route get {neighbour}"));
                assert!(route.contains(&format!("dev e{uplink}")), "{when}: {route}");
                uplinks.host.run(|| ping(&neighbour.to_string()));
            }
        }
    }

    fn goes_on_working(&self) {
        for tunnel_first in [true, false] {
            let uplinks = Uplinks::new();
            let _server = uplinks.tcp_server();
            uplinks.host.run(count_tunnelled);
            let before = uplinks.host.run(everything);
            let guard = |disabled| {
                uplinks.host.run(|| {
                    disable(Family::V4, E0, disabled).expect("IPv4");
                    disable(Family::V6, E0, disabled).expect("IPv6");
                });
            };
            if tunnel_first {
                uplinks.host.run(self.up);
                guard(true);
            } else {
                guard(true);
                uplinks.host.run(self.up);
                if self.is_followed {
                    for ipv6 in [false, true] {
                        let way = uplinks.udp(ipv6, Bound::Mark(self.mark));
                        assert_eq!(way, Way::Refused(EPERM), "closed until somebody learns of the rules");
                    }
                    guard(true);
                }
            }
            let when = if tunnel_first { "tunnel, then guard" } else { "guard, then tunnel" };
            self.assert_works(&uplinks, &format!("{}: {when}", self.device));
            uplinks.host.run(self.down);
            for family in Family::ALL {
                assert_guarded(&uplinks, family, "without the tunnel");
                let neighbour = Uplinks::router_address(0, is_v6(family));
                let route = uplinks.host.sh(&format!("ip route get {neighbour}"));
                assert!(route.contains("dev e0"), "the tunnel took a rule of ours away: {route}");
            }
            guard(false);
            // Counters go on.
            let static_part = |text: &str| -> String {
                text.lines().filter(|line| !line.contains("packets")).collect::<Vec<_>>().join("\n")
            };
            assert_unchanged(&static_part(&before), &static_part(&uplinks.host.run(everything)));
        }
    }
}

#[test]
fn a_wireguard_tunnel_before_or_after_goes_on_working() {
    WIREGUARD.goes_on_working();
}

#[test]
fn a_tailscale_tunnel_before_or_after_goes_on_working() {
    TAILSCALE.goes_on_working();
}

/// What one of them leaves of the other.
#[test]
fn both_tunnels_and_the_guard_leave_nothing_of_each_other() {
    let uplinks = Uplinks::new();
    let before = uplinks.host.run(everything);
    uplinks.host.run(|| {
        tailscale_up();
        disable(Family::V4, E0, true).unwrap();
        let rules = run("ip rule");
        assert!(rules.contains("5209:\tfrom all fwmark 0x80000/0xff0000 goto 32765 proto"), "{rules}");
        assert!(!run("ip -6 rule").contains("goto"), "IPv6 is not disabled");
        disable(Family::V4, E0, true).unwrap();
        assert_eq!(run("ip rule"), rules, "once");
        // Who deletes a rule by what it does, and not by its priority, meets its own.
        let _ = run("ip rule delete fwmark 0x80000/0xff0000 lookup main");
        assert!(run("ip rule").contains("goto 32765"));
        disable(Family::V4, E0, true).unwrap();
        assert!(!run("ip rule").contains("goto"), "it goes with the rule that it is for");
        disable(Family::V4, E0, false).unwrap();
        let _ = run("ip rule add pref 5210 fwmark 0x80000/0xff0000 lookup main");
        tailscale_down();
    });
    assert_unchanged(&before, &uplinks.host.run(everything));
}
