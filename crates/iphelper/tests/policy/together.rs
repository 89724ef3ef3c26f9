//! Properties of routes, rules and filters beside each other: what rules copy follows the routes in the same call, and
//! what one call sets is all or nothing.

use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, Result};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use iphelper_testkit::{isolated, refuse_sends_of, run, try_run, unprivileged};

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);
const EIO: i32 = 5;

fn nothing() -> IpInterfaceChange {
    IpInterfaceChange::default()
}

fn disabled() -> IpInterfaceChange {
    IpInterfaceChange { disable_default_routes: Some(true), ..nothing() }
}

fn metric(metric: u32) -> IpInterfaceChange {
    IpInterfaceChange { use_automatic_metric: Some(false), metric: Some(metric), ..nothing() }
}

fn set(family: Family, index: InterfaceIndex, change: &IpInterfaceChange) -> Result<()> {
    Host::open()?.set_ip_interface(family, index, change).map(drop)
}

fn flag(family: Family) -> &'static str {
    match family {
        Family::V4 => "-4",
        Family::V6 => "-6",
    }
}

/// The default routes of a table, each as "DEVICE METRIC".
fn defaults(family: Family, table: u32) -> Vec<String> {
    let shown = try_run(&format!("ip {} route show default table {table}", flag(family))).unwrap_or_default();
    let after = |line: &str, word: &str| {
        let mut words = line.split_whitespace().skip_while(|it| *it != word);
        words.nth(1).unwrap_or_default().to_owned()
    };
    shown.lines().map(|line| format!("{} {}", after(line, "dev"), after(line, "metric"))).collect()
}

/// Rules and routes, in the order of their text: some of the kernel's own routes have none.
fn routes() -> Vec<String> {
    let shown = ["ip -4 rule", "ip -6 rule", "ip -4 route show table all", "ip -6 route show table all"];
    let shown = shown.map(run).concat();
    let mut lines: Vec<_> = shown.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn everything() -> (Vec<String>, String) {
    (routes(), run("nft list ruleset"))
}

const COPIES: u32 = 1_768_974_337;
const MAIN: u32 = 254;

#[test]
fn the_allowed_defaults_follow_a_metric_in_the_same_call() {
    let uplinks = Uplinks::new();
    let before = uplinks.host.run(everything);
    for family in Family::ALL {
        let ipv6 = family == Family::V6;
        uplinks.host.run(|| {
            set(family, E0, &disabled()).unwrap();
            assert_eq!(defaults(family, COPIES), ["e1 200"]);
            set(family, E1, &metric(60)).unwrap();
            assert_eq!(defaults(family, MAIN), ["e0 100", "e1 260"]);
            assert_eq!(defaults(family, COPIES), ["e1 260"]);
            // The disabled interface's own metric moves its routes, and lets none of them through.
            set(family, E0, &metric(5)).unwrap();
            assert_eq!(defaults(family, COPIES), ["e1 260"]);
        });
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "{family}");
        assert_eq!(uplinks.counts(ipv6)[0], 0, "{family}: a packet left by the disabled interface");
        uplinks.host.run(|| {
            let automatic = IpInterfaceChange { use_automatic_metric: Some(true), ..nothing() };
            set(family, E1, &automatic).unwrap();
            assert_eq!(defaults(family, COPIES), ["e1 200"]);
            let back = IpInterfaceChange { disable_default_routes: Some(false), ..automatic };
            set(family, E0, &back).unwrap();
            assert_eq!(defaults(family, MAIN), ["e0 100", "e1 200"]);
        });
    }
    assert_eq!(uplinks.host.run(everything), before);
}

#[test]
fn the_routes_of_a_strong_interface_follow_its_metric_and_mtu() {
    let uplinks = Uplinks::new();
    let strong = IpInterfaceChange { weak_host_send: Some(false), ..nothing() };
    for family in Family::ALL {
        uplinks.host.run(|| {
            let table = 1 << 31 | E1.0;
            set(family, E1, &strong).unwrap();
            assert_eq!(defaults(family, table), ["e1 200"]);
            set(family, E1, &metric(60)).unwrap();
            assert_eq!(defaults(family, table), ["e1 260"]);
            if family == Family::V4 {
                set(family, E1, &IpInterfaceChange { nl_mtu: Some(1400), ..nothing() }).unwrap();
                let shown = run(&format!("ip route show table {table}"));
                assert!(shown.lines().all(|line| line.contains("mtu 1400")), "{shown}");
                assert!(run("ip link show e1").contains("mtu 1500"));
            }
        });
        let bound = Bound::Address(Uplinks::address(1, family == Family::V6));
        assert_eq!(uplinks.udp(family == Family::V6, bound), Way::E1, "{family}");
    }
}

#[test]
fn both_in_one_call_are_all_or_nothing() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        for family in Family::ALL {
            let before = everything();
            let both = IpInterfaceChange { weak_host_send: Some(false), ..metric(7) };
            set(family, E1, &both).unwrap();
            assert_eq!(defaults(family, 1 << 31 | E1.0), ["e1 207"], "copied behind the metric");
            let back = IpInterfaceChange {
                weak_host_send: Some(true),
                use_automatic_metric: Some(true),
                ..nothing()
            };
            set(family, E1, &back).unwrap();
            assert_eq!(everything(), before);
            // The filter's table turns out to be another program's when the routes have moved.
            let _ = run("nft add table inet iphelper { comment \"other\" ; }");
            let error = set(family, E1, &both).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            let _ = run("nft delete table inet iphelper");
            assert_eq!(everything(), before, "{family}");
        }
    });
}

/// What rules copy follows the routes back, too.
#[test]
fn copies_follow_routes_that_are_put_back() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| set(Family::V6, E0, &disabled()).unwrap());
    let before = uplinks.host.run(routes);
    let identified = IpInterfaceChange { interface_identifier: Some(0xaa), ..metric(60) };
    let strong = IpInterfaceChange { weak_host_receive: Some(false), ..identified.clone() };
    for change in [&identified, &strong] {
        let error = uplinks.host.run(|| {
            // A message with one token, the last that is sent of what is asked.
            refuse_sends_of(60, EIO);
            set(Family::V6, E1, change).unwrap_err()
        });
        assert!(error.to_string().contains("token") && !error.to_string().contains("put back"), "{error}");
        assert_eq!(uplinks.host.run(|| defaults(Family::V6, COPIES)), ["e1 200"]);
        assert_eq!(uplinks.host.run(routes), before);
    }
    uplinks.host.run(|| set(Family::V6, E1, &strong).unwrap());
    assert_eq!(uplinks.host.run(|| defaults(Family::V6, COPIES)), ["e1 260"]);
}

/// IPv6 takes its own routes without device away when the loopback interface goes down.
#[test]
fn everybody_reads_what_is_set_while_loopback_is_down() {
    isolated(|| {
        let _ = run("ip link set lo up");
        let _ = run("ip link add va type veth peer name vb");
        let change = IpInterfaceChange {
            disable_default_routes: Some(true),
            weak_host_send: Some(false),
            weak_host_receive: Some(false),
            ..metric(60)
        };
        for family in Family::ALL {
            set(family, InterfaceIndex(3), &change).unwrap();
        }
        let _ = run("ip link set lo down");
        for family in Family::ALL {
            let row = unprivileged(|| Host::open().unwrap().ip_interface(family, InterfaceIndex(3)).unwrap());
            assert!(row.disable_default_routes, "{family}");
            assert_eq!((row.weak_host_send, row.weak_host_receive), (false, false), "{family}");
            assert_eq!((row.metric, row.use_automatic_metric), (60, false), "{family}");
        }
    });
}

#[test]
fn callers_of_both_kinds_take_turns() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let host = Host::open().unwrap();
        let before = everything();
        std::thread::scope(|scope| {
            let host = &host;
            let _ = scope.spawn(move || {
                for metric_now in [20, 30, 50, 60, 70] {
                    for family in Family::ALL {
                        let _ = host.set_ip_interface(family, E1, &metric(metric_now)).unwrap();
                    }
                }
            });
            let _ = scope.spawn(move || {
                for disable in [true, false, true, false, true] {
                    let change = IpInterfaceChange { disable_default_routes: Some(disable), ..nothing() };
                    for family in Family::ALL {
                        let _ = host.set_ip_interface(family, E0, &change).unwrap();
                    }
                }
            });
        });
        for family in Family::ALL {
            assert_eq!(defaults(family, COPIES), ["e1 270"], "{family}");
            let back = IpInterfaceChange { disable_default_routes: Some(false), ..nothing() };
            set(family, E0, &back).unwrap();
            set(family, E1, &IpInterfaceChange { use_automatic_metric: Some(true), ..nothing() }).unwrap();
        }
        assert_eq!(everything(), before);
    });
}
