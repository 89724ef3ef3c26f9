//! The handle itself: which namespace it is bound to.

use iphelper::interface::{AdminStatus, InterfaceLevel};
use iphelper::tcp::TcpQuery;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{NetNs, forked, isolated, unprivileged};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn handles_go_to_other_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Host>();
    shared::<iphelper::Error>();
    shared::<iphelper::notification::Watch>();
    shared::<iphelper::notification::Registration>();
    shared::<iphelper::router::RouterReference>();
    sent::<iphelper::icmp::EchoSocket>();
    sent::<iphelper::keeper::Keeper>();
    sent::<iphelper::route::Routes>();
    sent::<iphelper::tcp::TcpConnections>();
}

#[test]
fn a_file_that_is_no_network_namespace_is_refused() {
    let file = std::fs::File::open("/proc/self/status").unwrap();
    let error = Host::open_namespace(file.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
}

#[test]
fn entering_another_namespace_needs_a_privilege() {
    let other = NetNs::new();
    isolated(|| {
        let error = unprivileged(|| Host::open_namespace(other.descriptor())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
    });
}

#[test]
fn who_may_change_the_network_is_told_so() {
    isolated(|| {
        let host = Host::open().unwrap();
        let asked = || host.may_administrate().unwrap();
        assert_eq!((asked(), unprivileged(asked), asked()), (true, false, true));
    });
}

#[test]
fn a_forked_child_does_not_read_its_parents_answers() {
    isolated(|| {
        let host = Host::open().unwrap();
        let one_interface = || host.interfaces(InterfaceLevel::Normal).is_ok_and(|rows| rows.len() == 1);
        assert!(one_interface());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (host, done) = (&host, &done);
            let (begun, wait) = std::sync::mpsc::channel();
            let parent = scope.spawn(move || {
                wait.recv().unwrap();
                let child =
                    forked(|| (0..300).all(|_| host.interface_stack().is_ok_and(|rows| rows.is_empty())));
                done.store(true, Ordering::Relaxed);
                child
            });
            begun.send(()).unwrap();
            while !done.load(Ordering::Relaxed) {
                assert!(one_interface());
            }
            assert!(parent.join().unwrap(), "the child failed or hung");
        });
    });
}

#[test]
fn a_privilege_gained_later_counts() {
    isolated(|| {
        // As a set-uid program lays its privilege down and takes it up again.
        let all = capabilities(None).unwrap();
        let mut laid_down = all;
        laid_down.effective = CapabilitySet::empty();
        set_capabilities(None, laid_down).unwrap();
        let host = Host::open().unwrap();
        let loopback = host.interface_named("lo").unwrap().luid;
        let error = host.set_interface_admin_status(loopback, AdminStatus::Up).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");

        set_capabilities(None, all).unwrap();
        host.set_interface_admin_status(loopback, AdminStatus::Up).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let rows = host.tcp_connections(&TcpQuery::default()).unwrap();
        let row = rows.iter().find(|row| row.local == client.local_addr().unwrap()).unwrap();
        host.delete_tcp_connection(row).unwrap();

        set_capabilities(None, laid_down).unwrap();
        let error = host.set_interface_admin_status(loopback, AdminStatus::Down).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        set_capabilities(None, all).unwrap();
    });
}
