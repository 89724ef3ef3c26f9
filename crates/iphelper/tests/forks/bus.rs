//! Children of a process that talks to services over a bus, as daemons make them.

use iphelper::Host;
use iphelper::dns::Resolver;
use iphelper_testkit::bus::PrivateBus;
use iphelper_testkit::{
    Child, eventually, forked, is_child, isolated, run, serve_network_manager, serve_resolved,
    set_network_manager, with_private_files,
};

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
            // One after the other: for both in one instant see `backend/linux/bus.rs`.
            for _ in 0..10 {
                assert!(forked(|| (0..3).all(|_| is_asked(&host))), "behind a call");
                assert!(is_asked(&host));
            }
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
