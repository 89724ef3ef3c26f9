//! Children of a process that talks to services over a bus, as daemons make them.

use iphelper::Host;
use iphelper::dns::Resolver;
use iphelper_testkit::bus::PrivateBus;
use iphelper_testkit::{
    Child, eventually, forked, is_child, isolated, run, serve_network_manager, serve_resolved,
    set_network_manager, with_private_files,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn is_asked(host: &Host) -> bool {
    host.dns().is_ok_and(|dns| dns.resolver == Resolver::Resolved)
}

#[test]
fn a_child_has_conversations_of_its_own() {
    const NAME: &str = "bus::a_child_has_conversations_of_its_own";
    if is_child(NAME) {
        return serve_resolved();
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let Some(_bus) = PrivateBus::start() else { return };
            let _service = Child::start(NAME);
            let host = Host::open().unwrap();
            eventually("the service is asked", || is_asked(&host));
            assert!(forked(|| (0..3).all(|_| is_asked(&host))), "behind a call");
            assert!(is_asked(&host));

            // While calls are under way in other threads.
            let (done, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    let _ = scope.spawn(|| {
                        while !done.load(Ordering::Relaxed) {
                            assert!(is_asked(&host));
                            let _ = calls.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
                let children: Vec<_> = (0..20).map(|_| forked(|| is_asked(&host))).collect();
                done.store(true, Ordering::Relaxed);
                assert!(children.iter().all(|child| *child), "{children:?}");
            });
            assert!(calls.load(Ordering::Relaxed) > 0);
        });
    });
}

#[test]
fn a_childs_copy_of_a_registration_is_inert() {
    const NAME: &str = "bus::a_childs_copy_of_a_registration_is_inert";
    if is_child(NAME) {
        return serve_network_manager();
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip link set lo up");
            let Some(_bus) = PrivateBus::start() else { return };
            let _service = Child::start(NAME);
            eventually("the service answers", || set_network_manager("", "Metered", "uint32:0").is_ok());
            let host = Host::open().unwrap();
            let (tell, told) = std::sync::mpsc::channel();
            let registration = host.notify_connectivity_change(true, move |hint| tell.send(hint).unwrap());
            let registration = registration.unwrap();
            assert_eq!(told.recv().unwrap().cost, None);
            // The child leaves by `_exit`: what it drops is its copy.
            let mut of_child = Some(registration);
            assert!(forked(|| {
                drop(of_child.take());
                host.connectivity_hint().is_ok()
            }));
            assert!(of_child.is_some());
            set_network_manager("", "Metered", "uint32:1").unwrap();
            assert!(told.recv().unwrap().cost.is_some(), "the parent's is told");
        });
    });
}
