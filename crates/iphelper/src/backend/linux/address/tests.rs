//! A caller that is killed before any of its messages leaves the old address or the new one.

use super::super::LinuxHost;
use super::super::socket::killed;
use super::form::Form;
use crate::address::{NewUnicastAddress, UnicastAddressChange};
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
            let _ = match what {
                0 => host.alter_address(key, address, &skip),
                1 => host.alter_address(key, address, &prefix),
                2 => host.delete_address(key, address),
                _ => {
                    let third = if family == Family::V4 { "198.51.100.1" } else { "2001:db8:3::1" };
                    host.create_address(&NewUnicastAddress {
                        skip_as_source: true,
                        on_link_prefix_length: Some(len),
                        ..NewUnicastAddress::new(InterfaceIndex(7), third.parse().unwrap())
                    })
                }
            }?;
            Ok(())
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
