//! A caller that is killed at any message leaves the old state, the new one, or less way than either; never an open
//! guard that reads as closed; and the next call completes it.

mod lacking;

use super::super::LinuxHost;
use super::super::socket::killed;
use super::KeeperLock;
use crate::ip_interface::IpInterfaceChange;
use crate::{Family, Host, InterfaceIndex, Result};
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use iphelper_testkit::{isolated, run, sysctl, unprivileged};

iphelper_testkit::private_user_namespace!();

const E0: InterfaceIndex = InterfaceIndex(2);
const E1: InterfaceIndex = InterfaceIndex(3);

/// A property, and what of it a packet can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Subject {
    DisabledDefaults,
    StrongHost,
}

impl Subject {
    fn set(self, host: &Host, family: Family, is_set: bool) -> Result<()> {
        let (index, change) = match self {
            Self::DisabledDefaults => {
                (E0, IpInterfaceChange { disable_default_routes: Some(is_set), ..Default::default() })
            }
            Self::StrongHost => (
                E1,
                IpInterfaceChange {
                    weak_host_send: Some(!is_set),
                    weak_host_receive: Some(!is_set),
                    ..Default::default()
                },
            ),
        };
        host.set_ip_interface(family, index, &change).map(drop)
    }

    fn is_set(self, family: Family) -> bool {
        let row = |index| Host::open().unwrap().ip_interface(family, index).unwrap();
        match self {
            Self::DisabledDefaults => row(E0).disable_default_routes,
            Self::StrongHost => !row(E1).weak_host_send,
        }
    }

    /// A packet of which the property decides: whether it goes where it must not.
    fn leaks(self, uplinks: &Uplinks, ipv6: bool) -> bool {
        match self {
            Self::DisabledDefaults => {
                uplinks.udp(ipv6, Bound::Free) == Way::E0 || uplinks.udp(ipv6, Bound::Device("e0")) == Way::E0
            }
            Self::StrongHost => uplinks.udp(ipv6, Bound::Address(Uplinks::address(1, ipv6))) == Way::E0,
        }
    }
}

/// Nobody is told of a guard that does not hold.
fn assert_honest(uplinks: &Uplinks, subject: Subject, family: Family, when: &str) {
    let told = uplinks.host.run(|| subject.is_set(family) || unprivileged(|| subject.is_set(family)));
    let ipv6 = family == Family::V6;
    let unbound = uplinks.udp(ipv6, Bound::Free);
    assert!(matches!(unbound, Way::E0 | Way::E1), "{family}, {when}: traffic is lost ({unbound:?})");
    assert!(!told || !subject.leaks(uplinks, ipv6), "{subject:?} for {family}, {when}");
}

fn kernel_objects(uplinks: &Uplinks) -> String {
    [
        "ip -4 rule",
        "ip -6 rule",
        "ip -4 route show table all",
        "ip -6 route show table all",
        "nft list ruleset",
    ]
    .map(|command| uplinks.host.sh(command))
    .concat()
}

fn a_killed_caller(subject: Subject, family: Family) {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let before = kernel_objects(&uplinks);
    let mut after = String::new();
    for target in [true, false] {
        for messages in 0.. {
            let (_, died) =
                uplinks.host.run(|| killed::after(messages, || subject.set(&host, family, target)));
            assert_honest(
                &uplinks,
                subject,
                family,
                &format!("setting {target}, killed after {messages} messages"),
            );
            // The next call completes it, with another host, since this process "died".
            uplinks.host.run(|| subject.set(&Host::open().unwrap(), family, target)).unwrap();
            let now = kernel_objects(&uplinks);
            match (target, after.is_empty()) {
                (true, true) => after.clone_from(&now),
                (true, false) => assert_eq!(now, after, "completed after {messages} messages"),
                (false, _) => assert_eq!(now, before, "completed after {messages} messages"),
            }
            if !died {
                assert!(messages > 10, "a change takes more messages than {messages}");
                break;
            }
            uplinks.host.run(|| subject.set(&Host::open().unwrap(), family, !target)).unwrap();
        }
    }
}

#[test]
fn a_killed_caller_leaves_no_open_guard_for_ipv4() {
    a_killed_caller(Subject::DisabledDefaults, Family::V4);
}

#[test]
fn a_killed_caller_leaves_no_open_guard_for_ipv6() {
    a_killed_caller(Subject::DisabledDefaults, Family::V6);
}

#[test]
fn a_killed_caller_leaves_no_weak_host_for_ipv4() {
    a_killed_caller(Subject::StrongHost, Family::V4);
}

#[test]
fn a_killed_caller_leaves_no_weak_host_for_ipv6() {
    a_killed_caller(Subject::StrongHost, Family::V6);
}

/// What is set of advertisements is a route and a sysctl; a keeper reads both.
#[test]
fn a_killed_caller_leaves_advertising_as_it_was_or_as_it_shall_be() {
    let set = |host: &Host, enabled: bool| {
        let change = IpInterfaceChange {
            advertising_enabled: Some(enabled),
            advertise_default_route: Some(enabled),
            managed_address_configuration_supported: enabled.then_some(true),
            ..Default::default()
        };
        host.set_ip_interface(Family::V6, E0, &change).map(drop)
    };
    isolated(|| {
        let _ = run("ip link add e0 index 2 type veth peer name p0 index 7");
        let _ = run("ip link set e0 up");
        let forward = IpInterfaceChange { forwarding_enabled: Some(true), ..Default::default() };
        let _ = Host::open().unwrap().set_ip_interface(Family::V6, E0, &forward).unwrap();
        let kept = LinuxHost::open().unwrap();
        let _keeper = KeeperLock::take(&kept).unwrap();
        let state = || {
            let row = Host::open().unwrap().ip_interface(Family::V6, E0).unwrap();
            let shown = run("ip route show table all proto 105");
            (row.advertising_enabled, sysctl("ipv6/conf/e0/forwarding"), shown)
        };
        let before = state();
        assert_eq!((before.0, before.1.as_str()), (false, "0"));
        let host = Host::open().unwrap();
        let mut after = None;
        for target in [true, false] {
            for messages in 0.. {
                let (_, died) = killed::after(messages, || set(&host, target));
                let (told, role, _) = state();
                // A router that nobody would put back.
                assert!(told || role == "0", "setting {target}, killed after {messages} messages");
                set(&Host::open().unwrap(), target).unwrap();
                let now = state();
                if target {
                    assert!(now.0 && now.1 == "1", "completed after {messages} messages: {now:?}");
                    assert_eq!(&now, after.get_or_insert_with(|| now.clone()));
                } else {
                    assert_eq!(now, before, "completed after {messages} messages");
                }
                if !died {
                    assert!(messages > 3, "a change takes more messages than {messages}");
                    break;
                }
                set(&Host::open().unwrap(), !target).unwrap();
            }
        }
    });
}
