//! A forked child has copies of iterators and registrations, and they do nothing.

use crate::support::{expect, settle};
use iphelper::Family::V4;
use iphelper::Host;
use iphelper::notification::ChangeKind::Parameter;
use iphelper::notification::IpInterfaceNotification;
use iphelper_testkit::{PATIENCE, forked, isolated, set_sysctl};
use std::sync::mpsc;

#[test]
fn a_forked_copy_is_inert_and_the_parent_goes_on() {
    isolated(|| {
        let host = Host::open().unwrap();
        let mut changes = host.ip_interface_changes(None).unwrap();
        let canceller = changes.canceller();
        let (sender, receiver) = mpsc::channel();
        let registration = host
            .notify_ip_interface_change(None, false, move |notification| drop(sender.send(notification)))
            .unwrap();
        set_sysctl("ipv4/conf/lo/forwarding", "1");
        expect("before the fork", &mut changes, &[(Parameter, V4, "lo")]);

        let (mut changes, mut registration) = (Some(changes), Some(registration));
        let child_did_well = forked(|| {
            let (Some(mut changes), Some(registration)) = (changes.take(), registration.take()) else {
                return false;
            };
            let inert = changes.has_ended()
                && changes.next().is_none()
                && matches!(changes.try_next(), Ok(None))
                && registration.has_ended();
            canceller.cancel();
            registration.cancel();
            drop(changes);
            inert
        });
        assert!(child_did_well, "the child's copies did something, or waited for ever");

        let (mut changes, registration) = (changes.unwrap(), registration.unwrap());
        assert!(!changes.has_ended() && !registration.has_ended(), "the child ended the parent's");
        let _ = settle(&mut changes);
        while receiver.try_recv().is_ok() {}
        set_sysctl("ipv4/conf/lo/forwarding", "0");
        expect("after the fork", &mut changes, &[(Parameter, V4, "lo")]);
        let is_it =
            |notification| matches!(notification, IpInterfaceNotification::Changed(it) if it.name == "lo");
        while !is_it(receiver.recv_timeout(PATIENCE).expect("the parent's registration is told")) {}
    });
}

#[test]
fn a_child_listens_for_itself() {
    isolated(|| {
        let _parents = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let heard = forked(|| {
            let Ok(mut changes) = Host::open().and_then(|host| host.ip_interface_changes(None)) else {
                return false;
            };
            set_sysctl("ipv4/conf/lo/forwarding", "1");
            changes.next().is_some_and(|change| change.is_ok_and(|change| change.name == "lo"))
        });
        assert!(heard);
    });
}
