//! A kernel without policy rules, without nf_tables, or one that refuses a transaction: an error that says so, and
//! nothing half done.

use super::super::super::socket::lacking::{self, Sent};
use super::kernel_objects;
use crate::ip_interface::IpInterfaceChange;
use crate::{Error, ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::sysctl;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const E0: InterfaceIndex = InterfaceIndex(2);

/// `RTM_GETRULE`.
const GET_RULE: u16 = 34;
/// `NFNL_MSG_BATCH_BEGIN`.
const TRANSACTION: u16 = 16;

/// The properties that rules and filters hold, each with another property that is written before.
fn properties() -> [(&'static str, IpInterfaceChange); 3] {
    let mtu = IpInterfaceChange { nl_mtu: Some(1400), ..Default::default() };
    [
        ("disable_default_routes", IpInterfaceChange { disable_default_routes: Some(true), ..mtu.clone() }),
        ("weak_host_send", IpInterfaceChange { weak_host_send: Some(false), ..mtu.clone() }),
        ("weak_host_receive", IpInterfaceChange { weak_host_receive: Some(false), ..mtu }),
    ]
}

/// Everything that a call may have changed.
fn state(uplinks: &Uplinks) -> String {
    let files = uplinks.host.run(|| sysctl("ipv4/conf/e0/arp_ignore") + &sysctl("ipv6/conf/e0/mtu"));
    kernel_objects(uplinks) + &uplinks.host.sh("ip link show e0") + &files
}

/// Asks for each property of each family on such a kernel; what was refused, and why.
fn refused(
    uplinks: &Uplinks,
    judge: impl Fn() -> fn(Sent) -> Option<i32> + Sync,
) -> Vec<(&'static str, Family, Error)> {
    let before = state(uplinks);
    let mut refused = Vec::new();
    for family in Family::ALL {
        for (name, change) in properties() {
            let done = uplinks.host.run(|| {
                let host = Host::open().unwrap();
                lacking::with(judge(), || host.set_ip_interface(family, E0, &change))
            });
            match done {
                Err(error) => {
                    assert_eq!(state(uplinks), before, "{name}, {family}: {error}");
                    refused.push((name, family, error));
                }
                Ok(_) => back(uplinks, family),
            }
        }
    }
    for ipv6 in [false, true] {
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E0);
    }
    refused
}

#[test]
fn without_policy_rules_what_needs_them_is_refused() {
    let uplinks = Uplinks::new();
    let refused = refused(&uplinks, || |sent| (sent == Sent::Other(GET_RULE)).then_some(libc::EOPNOTSUPP));
    let names: Vec<_> = refused.iter().map(|(name, ..)| *name).collect();
    assert_eq!(
        names,
        ["disable_default_routes", "weak_host_send", "disable_default_routes", "weak_host_send"]
    );
    for (name, family, error) in &refused {
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{name}, {family}: {error}");
        assert!(error.to_string().contains("CONFIG_IP_MULTIPLE_TABLES"), "{error}");
    }
}

/// An unknown subsystem is EOPNOTSUPP to a batch, and EINVAL to a request.
#[test]
fn without_nf_tables_each_is_refused() {
    let uplinks = Uplinks::new();
    let refused = refused(&uplinks, || {
        |sent| match sent {
            Sent::Netfilter(TRANSACTION) => Some(libc::EOPNOTSUPP),
            Sent::Netfilter(_) => Some(libc::EINVAL),
            Sent::Other(_) => None,
        }
    });
    assert_eq!(refused.len(), 6, "{refused:?}");
    for (name, family, error) in &refused {
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{name}, {family}: {error}");
        assert!(error.to_string().contains("CONFIG_NF_TABLES_INET"), "{error}");
    }
}

/// Each transaction of a call is refused once, for several reasons: the locks', those that prepare, those that complete.
#[test]
fn a_refused_transaction_leaves_nothing() {
    let uplinks = Uplinks::new();
    let before = state(&uplinks);
    for family in Family::ALL {
        for (name, change) in properties() {
            for errno in [libc::ENOMEM, libc::EPERM, libc::ENOENT, libc::EOPNOTSUPP] {
                let mut errors = 0;
                for transaction in 1.. {
                    let met = Arc::new(AtomicU32::new(0));
                    let count = Arc::clone(&met);
                    let judge = move |sent| {
                        let is_it = sent == Sent::Netfilter(TRANSACTION)
                            && count.fetch_add(1, Ordering::Relaxed) + 1 == transaction;
                        is_it.then_some(errno)
                    };
                    let done = uplinks.host.run(|| {
                        let host = Host::open().unwrap();
                        lacking::with(judge, || host.set_ip_interface(family, E0, &change))
                    });
                    let when = format!("{name}, {family}, transaction {transaction}, errno {errno}");
                    match done {
                        Ok(_) => back(&uplinks, family),
                        Err(error) => {
                            errors += 1;
                            let is_lack = error.kind() == ErrorKind::NotSupported;
                            match errno {
                                libc::EOPNOTSUPP => assert!(is_lack, "{when}: {error}"),
                                // A part that the kernel does not have, or something that went away meanwhile.
                                libc::ENOENT => {}
                                _ => assert!(!is_lack, "{when}: {error}"),
                            }
                        }
                    }
                    assert_eq!(state(&uplinks), before, "{when}");
                    if met.load(Ordering::Relaxed) < transaction {
                        break;
                    }
                }
                // What is missing while the last part is done went away in between, and is looked for again.
                assert!(errors > 0 || errno == libc::ENOENT, "{name}, {family}: errno {errno} is no error");
            }
        }
    }
}

fn back(uplinks: &Uplinks, family: Family) {
    let back = IpInterfaceChange {
        disable_default_routes: Some(false),
        weak_host_send: Some(true),
        weak_host_receive: Some(true),
        nl_mtu: Some(1500),
        ..Default::default()
    };
    let _ = uplinks.host.run(|| Host::open().unwrap().set_ip_interface(family, E0, &back)).unwrap();
}
