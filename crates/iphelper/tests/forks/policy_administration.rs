//! What administrators, ordinary users and other programs see of policy, and what is refused.

use crate::policy_support::{E0, E1, assert_unchanged, disable, everything, is_disabled};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::notification::ChangeKind;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{forked, isolated, ping, run, unprivileged};

#[test]
fn an_administrator_sees_what_a_person_would_have_written() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        disable(Family::V4, E0, true).unwrap();
        disable(Family::V6, E0, true).unwrap();
        let rules = run("nft list ruleset");
        for line in [
            "comment \"iphelper layout 1\"",
            "type iface_index : verdict",
            "10.0.1.0/24",
            "2001:db8:1::/64",
            "type filter hook output priority 400; policy accept;",
            "type filter hook forward priority 400; policy accept;",
            "meta nfproto ipv4 oif vmap @ddr4 comment \"DisableDefaultRoutes, IPv4: guarded interfaces\"",
            "meta nfproto ipv6 oif vmap @ddr6 comment \"DisableDefaultRoutes, IPv6: guarded interfaces\"",
            "ip daddr @onlink4-2 return comment \"prefixes of its routes, link-local, multicast\"",
            "ip6 daddr @onlink6-2 return",
            "rt ipsec exists return",
            "fib daddr type broadcast return",
            "reject with icmpx no-route",
            ": jump ddr4-2",
            "\"e0\" comment \"luid 0x",
        ] {
            assert!(rules.contains(line), "{line}\n{rules}");
        }
        let rules = run("ip rule");
        assert!(rules.contains("lookup main suppress_prefixlength 0 proto"), "{rules}");
        assert!(rules.contains("32765:\tfrom all unreachable proto"), "{rules}");
    });
}

#[test]
fn everybody_reads_and_only_administrators_set() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        disable(Family::V4, E0, true).unwrap();
        unprivileged(|| {
            assert!(is_disabled(Family::V4, E0));
            assert!(!is_disabled(Family::V6, E0));
            assert!(!is_disabled(Family::V4, E1));
            let error = disable(Family::V4, E1, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        });
    });
}

/// Another process, and an unprivileged one, learns of it at once.
#[test]
fn listeners_are_told() {
    isolated(|| {
        let _ = run("ip link add va type veth peer name vb");
        let _ = run("ip link set va up");
        let mut changes =
            unprivileged(|| Host::open().unwrap().ip_interface_changes(Some(Family::V4)).unwrap());
        for disabled in [true, false] {
            assert!(forked(|| disable(Family::V4, InterfaceIndex(3), disabled).is_ok()));
            let change = changes.find(|change| change.as_ref().unwrap().name == "va").unwrap().unwrap();
            assert_eq!(change.kind, ChangeKind::Parameter);
            assert_eq!(is_disabled(Family::V4, InterfaceIndex(3)), disabled);
        }
    });
}

/// What `--dry-run` shows.
#[test]
fn a_plan_names_the_kernel_objects_and_writes_nothing() {
    isolated(|| {
        let before = everything();
        let change = IpInterfaceChange { disable_default_routes: Some(true), ..Default::default() };
        let plan =
            |change| Host::open().unwrap().plan_set_ip_interface(Family::V4, InterfaceIndex(1), change);
        for plan in [plan(&change).unwrap(), unprivileged(|| plan(&change).unwrap())] {
            assert_eq!((plan[0].property, &*plan[0].to), ("disable_default_routes", "true"));
            for object in ["inet iphelper", "ddr4-1", "onlink4-1", "32765", "1768974337", "1768974338"] {
                assert!(plan[0].mechanism.contains(object), "{object}: {}", plan[0].mechanism);
            }
        }
        assert_eq!(everything(), before);
        disable(Family::V4, InterfaceIndex(1), true).unwrap();
        assert!(plan(&change).unwrap().is_empty(), "what holds is no change");
        // Loopback is never stopped.
        ping("127.0.0.1");
    });
}

/// Everything is put back when a later part of the same call fails.
#[test]
fn the_guard_is_put_back_with_the_rest() {
    isolated(|| {
        let _ = run("ip link add va type veth peer name vb");
        let before = everything();
        // The MTU is set first; then the filter's table turns out to be another program's.
        let _ = run("nft add table inet iphelper { comment \"other\" ; }");
        let change = IpInterfaceChange {
            disable_default_routes: Some(true),
            nl_mtu: Some(1400),
            ..Default::default()
        };
        let error =
            Host::open().unwrap().set_ip_interface(Family::V4, InterfaceIndex(3), &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(run("ip link show va").contains("mtu 1500"));
        let _ = run("nft delete table inet iphelper");
        assert_unchanged(&before, &everything());
    });
}

#[test]
fn a_table_of_another_version_or_program_is_left_alone() {
    for comment in ["comment \"iphelper layout 2\" ;", "", "comment \"mine\" ;"] {
        isolated(|| {
            let _ = run("ip link add va type veth peer name vb");
            let _ = run(&format!("nft add table inet iphelper {{ {comment} }}"));
            let before = everything();
            let error = disable(Family::V4, E0, true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            assert!(error.to_string().contains("inet iphelper"), "{error}");
            assert_eq!(everything(), before);
        });
    }
}

#[test]
fn many_threads_and_hosts_agree() {
    isolated(|| {
        let _ = run("ip link add va type veth peer name vb");
        let _ = run("ip link add vc type veth peer name vd");
        let host = Host::open().unwrap();
        std::thread::scope(|scope| {
            for index in 2..6 {
                let host = &host;
                let _ = scope.spawn(move || {
                    for disabled in [true, false, true] {
                        let change = IpInterfaceChange {
                            disable_default_routes: Some(disabled),
                            ..Default::default()
                        };
                        let set = || host.set_ip_interface(Family::V4, InterfaceIndex(index), &change);
                        let mut done = set();
                        // On a busy host the others' turns may last longer than a caller waits.
                        while done.as_ref().is_err_and(|error| error.kind() == ErrorKind::TimedOut) {
                            done = set();
                        }
                        let _ = done.unwrap();
                    }
                });
            }
        });
        for index in 2..6 {
            assert!(is_disabled(Family::V4, InterfaceIndex(index)));
        }
        assert!(!run("nft list tables").contains("lock"));
        assert_eq!(run("ip rule").matches("32765:").count(), 3);
    });
}
