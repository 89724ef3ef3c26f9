//! What routers advertise, and callers that are killed while it moves.

use super::{follow_prefixes, set};
use crate::backend::linux::socket::killed;
use crate::types::Family;
use iphelper_testkit::{
    Advertisement, NetNs, addresses_settle, eventually, heard_advertisements, isolated, run, sysctl,
};

#[test]
fn a_killed_call_leaves_an_advertised_default_route_to_the_next() {
    for messages in 0.. {
        let router = NetNs::new();
        let died = isolated(|| {
            let _ = run(&format!("ip link add e0 type veth peer name r0 netns {}", router.path()));
            for namespace in [None, Some(&router)] {
                let quick = || {
                    let interface = if namespace.is_some() { "r0" } else { "e0" };
                    let _ = run(&format!("sysctl -qw net.ipv6.conf.{interface}.accept_dad=0"));
                    let _ = run(&format!("ip link set {interface} up"));
                };
                match namespace {
                    Some(namespace) => namespace.run(quick),
                    None => quick(),
                }
            }
            let _ = router.sh("sysctl -qw net.ipv6.conf.all.forwarding=1");
            addresses_settle(&["e0"]);
            router.addresses_settle(&["r0"]);
            let prefix = "2001:db8:77::".parse().unwrap();
            let advertise = || {
                let advertisement = Advertisement {
                    router_lifetime: 1800,
                    prefix,
                    route: None,
                    managed: false,
                    other_configuration: false,
                };
                let heard = heard_advertisements();
                router.run(|| advertisement.send("r0"));
                eventually("the advertisement is received", || heard_advertisements() > heard);
            };
            let defaults = || run("ip -6 route show default");
            let only = |metric: u32, proto: &str| {
                let shown = defaults();
                shown.lines().count() == 1 && shown.contains(&format!("{proto} metric {metric} "))
            };
            eventually("the router is heard", || {
                advertise();
                only(1024, "proto ra")
            });
            let (_, died) = killed::after_messages(messages, || set(Family::V6, Some(50)));
            assert!(!defaults().is_empty(), "{messages}");
            let _ = set(Family::V6, Some(50)).unwrap();
            assert!(only(1075, "dev e0"), "killed before message {messages}: {}", defaults());
            advertise();
            eventually("the kernel's own route", || only(1074, "proto ra"));
            let _ = set(Family::V6, None).unwrap();
            advertise();
            eventually("as it was", || only(1024, "proto ra"));
            assert_eq!(sysctl("ipv6/conf/e0/ra_defrtr_metric"), "1024");
            died
        });
        if !died {
            assert!(messages > 5, "{messages} messages");
            return;
        }
    }
}

/// How long a router says that its prefixes are valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Valid {
    Hours,
    ForEver,
}

const LIFETIMES: [Valid; 2] = [Valid::Hours, Valid::ForEver];

/// Two prefixes that a router advertises: one on the link, one that it is the way to.
struct Prefixes {
    router: NetNs,
    valid: Valid,
}

impl Prefixes {
    const ADVERTISEMENT: Advertisement = Advertisement {
        router_lifetime: 0,
        prefix: std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x77, 0, 0, 0, 0, 0),
        route: Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x48, 0, 0, 0, 0, 0)),
        managed: false,
        other_configuration: false,
    };

    /// A cable from this namespace to the router's.
    fn cable(valid: Valid) -> Self {
        let router = NetNs::new();
        let _ = run(&format!("ip link add e0 type veth peer name r0 netns {}", router.path()));
        let _ = run("sysctl -qw net.ipv6.conf.e0.accept_dad=0");
        let _ = run("sysctl -qw net.ipv6.conf.e0.accept_ra_rt_info_max_plen=64");
        let _ = router.sh("sysctl -qw net.ipv6.conf.r0.accept_dad=0 net.ipv6.conf.all.forwarding=1");
        let _ = router.sh("ip link set r0 up");
        let _ = run("ip link set e0 up");
        addresses_settle(&["e0"]);
        router.addresses_settle(&["r0"]);
        Self { router, valid }
    }

    fn advertise(&self) {
        let heard = heard_advertisements();
        self.router.run(|| match self.valid {
            Valid::Hours => Self::ADVERTISEMENT.send("r0"),
            Valid::ForEver => Self::ADVERTISEMENT.send_for_ever("r0"),
        });
        eventually("the advertisement is received", || heard_advertisements() > heard);
    }

    /// The routes to both, as another program tells them.
    fn shown() -> [String; 2] {
        ["2001:db8:77::/64", "2001:db8:48::/48"].map(|it| run(&format!("ip -6 route show {it}")))
    }

    /// Whether each stands once, behind the kernel's metric.
    fn stand(&self, offset: u32) -> bool {
        Self::shown().iter().zip([256, 1024]).all(|(shown, metric)| {
            shown.lines().count() == 1
                && shown.contains(&format!("metric {} ", metric + offset))
                && shown.contains("expires") == (self.valid == Valid::Hours)
        })
    }

    fn are_heard(&self, offset: u32) {
        eventually("the router is heard", || {
            self.advertise();
            self.stand(offset)
        });
    }

    fn end(&self) {
        self.router.run(|| Self::ADVERTISEMENT.withdraw("r0"));
        eventually("withdrawn", || Self::shown().iter().all(String::is_empty));
    }
}

#[test]
fn a_killed_call_leaves_advertised_prefixes_to_the_next() {
    for valid in LIFETIMES {
        for messages in 0.. {
            let died = isolated(|| {
                let prefixes = Prefixes::cable(valid);
                prefixes.are_heard(0);
                let mut died = false;
                for (from, to) in [(None, Some(50)), (Some(50), Some(20)), (Some(20), None)] {
                    let at = || format!("{valid:?} {from:?} {to:?} {messages}: {:?}", Prefixes::shown());
                    died |= killed::after_messages(messages, || set(Family::V6, to)).1;
                    assert!(Prefixes::shown().iter().all(|it| !it.is_empty()), "{}", at());
                    // Who comes next may want something else.
                    if messages % 2 == 0 {
                        let _ = set(Family::V6, from).unwrap();
                        assert!(prefixes.stand(from.unwrap_or(0)), "{}", at());
                    }
                    let _ = set(Family::V6, to).unwrap();
                    assert!(prefixes.stand(to.unwrap_or(0)), "{}", at());
                }
                assert!(!run("ip route show table all").contains("proto 105"));
                prefixes.end();
                died
            });
            if !died {
                assert!(messages > 8, "{messages} messages");
                break;
            }
        }
    }
}

/// The router advertises them first, or again, when the metric is set, and the keeper that moves them is killed.
#[test]
fn a_killed_keeper_leaves_advertised_prefixes_to_the_next() {
    for valid in LIFETIMES {
        for messages in 0.. {
            let died = isolated(|| {
                let prefixes = Prefixes::cable(valid);
                let _ = set(Family::V6, Some(50)).unwrap();
                prefixes.are_heard(0);
                let at = || format!("{valid:?} {messages}: {:?}", Prefixes::shown());
                let (_, died) = killed::after_messages(messages, follow_prefixes);
                assert!(Prefixes::shown().iter().all(|it| !it.is_empty()), "{}", at());
                // The next advertisement may come before the next keeper does: it must make nothing twice.
                if messages % 2 == 0 {
                    prefixes.advertise();
                }
                follow_prefixes().unwrap();
                assert!(prefixes.stand(50), "{}", at());
                prefixes.advertise();
                let _ = set(Family::V6, None).unwrap();
                assert!(prefixes.stand(0), "{}", at());
                assert!(!run("ip route show table all").contains("proto 105"));
                prefixes.end();
                died
            });
            if !died {
                assert!(messages > 3, "{messages} messages");
                break;
            }
        }
    }
}
