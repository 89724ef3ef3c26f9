//! Changes of routes by callers that are killed, on a kernel.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::killed;
use crate::route::{NewRoute, RouteChange, RouteKey};
use crate::types::Family;
use iphelper_testkit::{isolated, run};

/// The routes to the prefix, as another program tells them.
fn shown(family: Family) -> Vec<String> {
    let shown = run(match family {
        Family::V4 => "ip -4 route show 192.0.2.0/24",
        Family::V6 => "ip -6 route show 2001:db8::/32",
    });
    shown.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn namespace(family: Family) -> (LinuxHost, NewRoute) {
    for command in [
        "ip link add e0 type veth peer name p0",
        "ip link set p0 up",
        "ip link set e0 up",
        "ip addr add 10.0.0.1/24 dev e0",
        "ip addr add fd00::1/64 dev e0 nodad",
    ] {
        let _ = run(command);
    }
    let host = LinuxHost::open().unwrap();
    let index = host.link_named("e0", "testing").unwrap().index;
    let (prefix, hop) = match family {
        Family::V4 => ("192.0.2.0/24", "10.0.0.2"),
        Family::V6 => ("2001:db8::/32", "fd00::2"),
    };
    (host, NewRoute::new(prefix.parse().unwrap(), hop.parse().unwrap(), index).with_metric(7))
}

/// Runs a change that is killed before each of its messages in turn: there is a route at each time, and the same change
/// again ends where one that nothing hindered does.
fn killed_anywhere(family: Family, change: &(dyn Fn(&LinuxHost, &RouteKey) -> crate::Result<()> + Sync)) {
    for messages in 0.. {
        let died = isolated(|| {
            let (host, new) = namespace(family);
            let _ = super::create::create(&host, &[new]).unwrap();
            let key = RouteKey::new(new.destination, new.next_hop, new.interface);
            let (_, died) = killed::after_messages(messages, || drop(change(&host, &key)));
            let left = shown(family);
            assert!((1..=2).contains(&left.len()), "{family}, killed before message {messages}: {left:?}");
            change(&host, &key).unwrap();
            let ended = shown(family);
            assert_eq!(ended.len(), 1, "{family}, killed before message {messages}, then again: {ended:?}");
            let row = super::find::route(&host, &key).unwrap();
            assert_eq!(row.metric, 9);
            died
        });
        if !died {
            assert!(messages > 1, "{messages} messages");
            return;
        }
    }
}

#[test]
fn a_killed_change_leaves_a_route_and_is_completed_by_the_next() {
    for family in Family::ALL {
        killed_anywhere(family, &|host, key| super::set::set(host, key, &RouteChange::metric(9)).map(drop));
    }
}

#[test]
fn with_an_interface_metric_too() {
    for family in Family::ALL {
        killed_anywhere(family, &|host, key| {
            let link = host.link_named("e0", "testing")?;
            let _ = host.set_interface_metric(family, &link, Some(30))?;
            super::set::set(host, key, &RouteChange::metric(9)).map(drop)
        });
    }
}
