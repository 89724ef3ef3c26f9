//! A caller that is killed before any of its messages leaves the old address or the new one.

use super::super::LinuxHost;
use super::super::socket::{killed, lacking};
use super::form::Form;
use crate::address::{NewUnicastAddress, PrefixOrigin, SuffixOrigin, UnicastAddressChange};
use crate::error::ErrorKind;
use crate::types::{Family, InterfaceIndex};
use iphelper_testkit::{NetNs, run};
use std::net::IpAddr;

/// More messages than any of these calls sends.
const MOST: u32 = 60;

/// What the kernel has of the interface: addresses with form, routes of others, the sysctl that is borrowed.
#[derive(Clone, Debug, Eq, PartialEq)]
struct State {
    forms: Vec<(IpAddr, Form)>,
    routes: Vec<String>,
    promotes: String,
}

fn state(host: &LinuxHost, family: Family) -> State {
    let link = host.link_named("e0", "").unwrap();
    let held = host.addresses(family, Some(link.index), "").unwrap();
    let mut forms: Vec<_> =
        held.iter().filter(|it| it.scope != 253).map(|it| (it.address, Form::of(it, &link))).collect();
    forms.sort_by_key(|it| it.0);
    let digit = if family == Family::V4 { 4 } else { 6 };
    let shown = run(&format!("ip -{digit} route show"));
    let routes = shown.lines().filter(|line| line.contains("via")).map(str::to_owned).collect();
    State { forms, routes, promotes: iphelper_testkit::sysctl("ipv4/conf/e0/promote_secondaries") }
}

#[test]
fn killed_at_any_message_the_address_is_old_or_new_and_the_same_call_completes_it() {
    for (family, one, two, peer, len) in [
        (Family::V4, "192.0.2.1", "192.0.2.2", "192.0.2.9", 24),
        (Family::V6, "2001:db8::1", "2001:db8::2", "2001:db8::9", 64),
    ] {
        let address: IpAddr = one.parse().unwrap();
        let nodad = if family == Family::V6 { "nodad" } else { "" };
        let skip = UnicastAddressChange { skip_as_source: Some(true), ..Default::default() };
        let prefix = UnicastAddressChange { on_link_prefix_length: Some(len + 4), ..Default::default() };
        let work = |host: &LinuxHost, what: usize| -> crate::Result<()> {
            let key = InterfaceIndex(7).into();
            match what {
                0 => host.alter_address(key, address, &skip).map(drop),
                1 => host.alter_address(key, address, &prefix).map(drop),
                2 => host.delete_address(key, address).map(drop),
                _ => {
                    let third = if family == Family::V4 { "198.51.100.1" } else { "2001:db8:3::1" };
                    host.create_address(&NewUnicastAddress {
                        skip_as_source: true,
                        on_link_prefix_length: Some(len),
                        ..NewUnicastAddress::new(InterfaceIndex(7), third.parse().unwrap())
                    })
                    .map(drop)
                }
            }
        };
        for what in 0..4 {
            let prepared = || {
                let namespace = NetNs::new();
                namespace.run(|| {
                    let _ = run("ip link add e0 index 7 type veth peer name e1");
                    let _ = run("ip link set e0 up addrgenmode none");
                    let _ = run("ip link set e1 up");
                    let _ = run(&format!("ip addr add {one}/{len} dev e0 {nodad}"));
                    let _ = run(&format!("ip addr add {two}/{len} dev e0 {nodad}"));
                    let to = if family == Family::V4 { "203.0.113.0/24" } else { "2001:db8:2::/64" };
                    let _ = run(&format!("ip route add {to} via {peer}"));
                });
                namespace
            };
            let namespace = prepared();
            let (old, new) = namespace.run(|| {
                let host = LinuxHost::open().unwrap();
                let old = state(&host, family);
                work(&host, what).unwrap();
                (old, state(&host, family))
            });
            assert_ne!(old.forms, new.forms);
            assert_eq!((&old.routes, &old.promotes), (&new.routes, &new.promotes));
            let mut ended = false;
            for messages in 0..MOST {
                let namespace = prepared();
                ended = namespace.run(|| {
                    let host = LinuxHost::open().unwrap();
                    let (done, died) = killed::after(messages, || work(&host, what));
                    drop(host);
                    let host = LinuxHost::open().unwrap();
                    let mut found = state(&host, family);
                    let as_new = found == new;
                    // Both lengths are there for a moment; the row is the first one's.
                    found.forms.dedup_by_key(|it| it.0);
                    assert!(
                        found == old || found == new,
                        "{family}, call {what}, {messages} messages: {found:#?}"
                    );
                    if done.is_err() && !as_new {
                        work(&host, what).unwrap();
                        assert_eq!(state(&host, family), new, "call {what} after {messages} messages");
                    }
                    !died
                });
                if ended {
                    break;
                }
            }
            assert!(ended, "{what} needs more than {MOST} messages");
        }
    }
}

#[test]
fn killed_at_any_write_of_an_optimistic_address_the_sysctl_is_put_back_by_the_next_call() {
    const FILE: &str = "ipv6/conf/e0/optimistic_dad";
    let prepared = || {
        let namespace = NetNs::new();
        namespace.run(|| {
            let _ = run("ip link add e0 index 7 type veth peer name e1");
        });
        namespace
    };
    let optimistic = NewUnicastAddress {
        optimistic: true,
        ..NewUnicastAddress::new(InterfaceIndex(7), "2001:db8::1".parse().unwrap())
    };
    let other = NewUnicastAddress::new(InterfaceIndex(1), "127.0.0.5".parse().unwrap());
    let (mut ended, mut left) = (false, 0);
    for writes in 0..MOST {
        ended = prepared().run(|| {
            let host = LinuxHost::open().unwrap();
            let (_, died) = killed::after(writes, || host.create_address(&optimistic));
            drop(host);
            left += u32::from(iphelper_testkit::sysctl(FILE) == "1");
            let host = LinuxHost::open().unwrap();
            let _ = host.create_address(&other).unwrap();
            assert_eq!(iphelper_testkit::sysctl(FILE), "0", "after {writes} writes");
            assert!(!host.route_settings().unwrap().has_optimistic_detection(), "after {writes} writes");
            !died
        });
        if ended {
            break;
        }
    }
    assert!(ended, "more than {MOST} writes");
    assert!(left > 0, "it was never left, so this test has tested nothing");
}

/// Before Linux 5.18 the kernel overlooks who made an address: what needs that is refused, and nothing is left of it.
#[test]
fn a_kernel_that_keeps_no_note_at_an_address_is_told_from_one_that_does() {
    /// `RTM_NEWADDR`, `struct ifaddrmsg`, `IFA_PROTO`.
    const NOTE: lacking::Attribute = lacking::Attribute { message: 20, fixed_len: 8, kind: 11 };
    for (family, one, two, len) in
        [(Family::V4, "192.0.2.1", "192.0.2.2", 24), (Family::V6, "2001:db8::1", "2001:db8::2", 64)]
    {
        NetNs::new().run(|| {
            let _ = run("ip link add e0 index 7 type veth peer name e1");
            let _ = run("ip link set e0 up addrgenmode none");
            let _ = run("ip link set e1 up");
            let nodad = if family == Family::V6 { "nodad" } else { "" };
            let _ = run(&format!("ip addr add {one}/{len} dev e0 {nodad}"));
            let host = LinuxHost::open().unwrap();
            let (one, two): (IpAddr, IpAddr) = (one.parse().unwrap(), two.parse().unwrap());
            let key = InterfaceIndex(7).into();
            let new = NewUnicastAddress {
                on_link_prefix_length: Some(len),
                ..NewUnicastAddress::new(InterfaceIndex(7), two)
            };
            let dhcp = Some((PrefixOrigin::Dhcp, SuffixOrigin::Dhcp));
            let all = || (state(&host, family), run("ip -4 route show"), run("ip -6 route show"));
            let before = all();
            lacking::without(NOTE, || {
                for refused in [
                    host.create_address(&NewUnicastAddress { skip_as_source: true, ..new }).map(drop),
                    host.create_address(&NewUnicastAddress { origins: dhcp, ..new }).map(drop),
                    host.create_anycast(key, two).map(drop),
                    host.alter_address(
                        key,
                        one,
                        &UnicastAddressChange { skip_as_source: Some(true), ..Default::default() },
                    )
                    .map(drop),
                    host.alter_address(
                        key,
                        one,
                        &UnicastAddressChange { origins: dhcp, ..Default::default() },
                    )
                    .map(drop),
                ] {
                    let error = refused.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
                    assert!(error.to_string().contains("5.18"), "{error}");
                    assert_eq!(all(), before);
                }
                let _ = host.create_address(&new).unwrap();
            });
            let _ = host.delete_address(key, two).unwrap();
            // And this one keeps it.
            let _ = host.create_address(&NewUnicastAddress { skip_as_source: true, ..new }).unwrap();
        });
    }
}
