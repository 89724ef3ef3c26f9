//! Iterators and registrations: waiting, cancelling, falling behind.

use crate::support::{expect, is_readable, next_within, settle};
use iphelper::Family::{self, V4, V6};
use iphelper::notification::ChangeKind::{self, Add, Delete, Parameter};
use iphelper::notification::{IpInterfaceNotification, Registration};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{NetNs, PATIENCE, eventually, isolated, run, set_sysctl, unprivileged};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Changes the loopback interface `times` times, each time to what it never was.
fn change_loopback(times: usize) {
    static MTU: AtomicUsize = AtomicUsize::new(20_000);
    for _ in 0..times {
        let _ = run(&format!("ip link set lo mtu {}", MTU.fetch_add(1, Ordering::Relaxed)));
    }
}

/// What a registration was told, as (kind, family, name).
fn told(notification: IpInterfaceNotification) -> Option<(ChangeKind, Family, String)> {
    match notification {
        IpInterfaceNotification::Initial => None,
        IpInterfaceNotification::Changed(change) => Some((change.kind, change.family, change.name)),
    }
}

fn notified(host: &Host, initial: bool) -> (Registration, Receiver<IpInterfaceNotification>) {
    let (sender, receiver) = mpsc::channel();
    let registration = host.notify_ip_interface_change(None, initial, move |notification| {
        let _ = sender.send(notification);
    });
    (registration.unwrap(), receiver)
}

#[test]
fn the_descriptor_is_readable_exactly_while_there_is_something() {
    isolated(|| {
        let host = Host::open().unwrap();
        let mut changes = host.ip_interface_changes(Some(V4)).unwrap();
        assert!(!is_readable(&changes, Duration::from_millis(200)), "nothing has happened");
        assert_eq!(changes.try_next().unwrap(), None);
        let _ = run("ip link add e0 type veth peer name e1");
        assert!(is_readable(&changes, PATIENCE));
        eventually("both ends", || {
            let _ = is_readable(&changes, PATIENCE);
            changes.try_next().unwrap().is_some_and(|change| change.name == "e0")
        });
        let _ = settle(&mut changes);
        assert!(!is_readable(&changes, Duration::ZERO), "everything was taken");
        changes.canceller().cancel();
        assert!(is_readable(&changes, Duration::ZERO), "who waits has to see the end");
        assert!(changes.has_ended());
        assert_eq!(changes.try_next().unwrap(), None);
        assert!(changes.next().is_none());
    });
}

#[test]
fn a_blocked_iterator_is_ended_from_another_thread() {
    isolated(|| {
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let canceller = changes.canceller();
        let (sender, receiver) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            for change in &mut changes {
                sender.send(change.unwrap().name).unwrap();
            }
            changes
        });
        set_sysctl("ipv4/conf/lo/forwarding", "1");
        assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), "lo", "it is waiting");
        canceller.cancel();
        let changes = waiting.join().unwrap();
        assert!(changes.has_ended());
        drop(changes);
        canceller.cancel();
    });
}

#[test]
fn listening_needs_no_privilege() {
    isolated(|| {
        let mut changes = unprivileged(|| Host::open().unwrap().ip_interface_changes(None).unwrap());
        let (sender, receiver) = mpsc::channel();
        let registration = unprivileged(|| {
            Host::open().unwrap().notify_ip_interface_change(None, true, move |notification| {
                let _ = sender.send(notification);
            })
        });
        change_loopback(1);
        expect("iterator", &mut changes, &[(Parameter, V4, "lo"), (Parameter, V6, "lo")]);
        assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), IpInterfaceNotification::Initial);
        assert!(told(receiver.recv_timeout(PATIENCE).unwrap()).is_some());
        registration.unwrap().cancel();
    });
}

#[test]
fn who_has_left_the_namespace_needs_the_right_to_enter_it() {
    let (here, there) = (NetNs::new(), NetNs::new());
    let host = here.run(|| Host::open().unwrap());
    let refused = there.run(|| unprivileged(|| host.ip_interface_changes(None))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
}

#[test]
fn the_initial_notification_comes_first_and_only_when_asked_for() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (with, first) = notified(&host, true);
        let (without, second) = notified(&host, false);
        assert_eq!(first.recv_timeout(PATIENCE).unwrap(), IpInterfaceNotification::Initial);
        set_sysctl("ipv4/conf/lo/forwarding", "1");
        for receiver in [&first, &second] {
            let change = told(receiver.recv_timeout(PATIENCE).unwrap());
            assert_eq!(change, Some((Parameter, V4, "lo".to_owned())));
        }
        drop((with, without));
        assert!(first.try_recv().is_err() && second.try_recv().is_err());
    });
}

#[test]
fn callbacks_of_one_registration_never_overlap_and_come_in_order() {
    isolated(|| {
        let host = Host::open().unwrap();
        let running = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let registration = host.notify_ip_interface_change(Some(V4), true, move |notification| {
            assert!(!running.swap(true, Ordering::SeqCst), "two at once");
            std::thread::sleep(Duration::from_millis(1));
            running.store(false, Ordering::SeqCst);
            let _ = sender.send((std::thread::current().id(), notification));
        });
        let registration = registration.unwrap();
        for _ in 0..20 {
            let _ = run("ip link add e0 type bridge");
            let _ = run("ip link del e0");
        }
        let _ = run("ip link add last type bridge");
        let mut thread = None;
        let mut exists = BTreeSet::new();
        loop {
            let (id, notification) = receiver.recv_timeout(PATIENCE).unwrap();
            assert_eq!(*thread.get_or_insert(id), id, "one thread makes all calls");
            let IpInterfaceNotification::Changed(change) = notification else { continue };
            match change.kind {
                Add => assert!(exists.insert((change.index, change.luid)), "added twice"),
                Delete => assert!(exists.remove(&(change.index, change.luid)), "deleted before it was added"),
                Parameter => assert!(exists.contains(&(change.index, change.luid)) || change.name == "lo"),
            }
            if change.name == "last" {
                break;
            }
        }
        assert_ne!(thread, Some(std::thread::current().id()));
        registration.cancel();
    });
}

#[test]
fn a_blocked_callback_stops_no_other_and_loses_nothing() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let (sender, blocked) = mpsc::channel();
        let first = host.notify_ip_interface_change(Some(V4), true, move |notification| {
            if notification == IpInterfaceNotification::Initial {
                let _ = gate.recv();
            }
            let _ = sender.send(notification);
        });
        let first = first.unwrap();
        let mut others = host.ip_interface_changes(Some(V4)).unwrap();
        // Many more changes than are kept one by one, each seen by the other listener: 100 interfaces, each new, then
        // changed 20 times, and half of them deleted.
        for number in 0..50 {
            let _ = run(&format!("ip link add e{number} type veth peer name p{number}"));
        }
        expect("the other listener", &mut others, &[(Add, V4, "e49")]);
        let _ = settle(&mut others);
        for round in 0..20 {
            set_sysctl("ipv4/conf/all/forwarding", if round % 2 == 0 { "1" } else { "0" });
            for number in 0..=100 {
                assert!(next_within(&mut others, PATIENCE).is_some(), "{number} of 101 changes");
            }
        }
        for number in 0..25 {
            let _ = run(&format!("ip link del e{number}"));
        }
        expect("the other listener", &mut others, &[(Delete, V4, "e24")]);

        release.send(()).unwrap();
        let mut exists = BTreeSet::from(["lo".to_owned()]);
        let mut folded = 0;
        let table = || -> BTreeSet<String> {
            host.ip_interfaces(Some(V4)).unwrap().into_iter().map(|row| row.name).collect()
        };
        while exists != table() {
            let notification =
                blocked.recv_timeout(PATIENCE).expect("the sum of all changes is not the table");
            let IpInterfaceNotification::Changed(change) = notification else { continue };
            folded += usize::from(change.resynchronised);
            let is_sound = match change.kind {
                Add => exists.insert(change.name.clone()),
                Delete => exists.remove(&change.name),
                Parameter => exists.contains(&change.name),
            };
            assert!(is_sound, "{change:?} with {exists:?}");
        }
        assert!(folded > 0, "nothing was folded, so this test has tested nothing");
        first.cancel();
    });
}

#[test]
fn cancel_waits_for_the_running_callback_and_none_comes_after() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (calls, returned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (entered, is_inside) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let registration = {
            let (calls, returned) = (Arc::clone(&calls), Arc::clone(&returned));
            host.notify_ip_interface_change(Some(V4), false, move |_| {
                let _ = calls.fetch_add(1, Ordering::SeqCst);
                let _ = entered.send(());
                let _ = gate.recv();
                let _ = returned.fetch_add(1, Ordering::SeqCst);
            })
        };
        let registration = registration.unwrap();
        change_loopback(1);
        is_inside.recv_timeout(PATIENCE).unwrap();
        // More is waiting when it is cancelled.
        change_loopback(5);
        let cancelling = std::thread::spawn(move || registration.cancel());
        std::thread::sleep(Duration::from_millis(300));
        assert!(!cancelling.is_finished(), "cancel came back while a callback ran");
        assert_eq!(returned.load(Ordering::SeqCst), 0);
        drop(release);
        cancelling.join().unwrap();
        assert_eq!(returned.load(Ordering::SeqCst), 1, "cancel came back before the callback");
        change_loopback(5);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(calls.load(Ordering::SeqCst), 1, "a callback after its cancel");
    });
}

#[test]
fn a_callback_may_cancel_its_own_registration() {
    isolated(|| {
        let host = Host::open().unwrap();
        let slot = Arc::new(Mutex::new(None::<Registration>));
        let calls = Arc::new(AtomicUsize::new(0));
        let (cancelled, was_cancelled) = mpsc::channel();
        let registration = {
            let (slot, calls) = (Arc::clone(&slot), Arc::clone(&calls));
            host.notify_ip_interface_change(Some(V4), false, move |_| {
                let _ = calls.fetch_add(1, Ordering::SeqCst);
                change_loopback(10);
                let own = slot.lock().unwrap().take().expect("the first call is the last");
                own.cancel();
                let _ = cancelled.send(());
            })
        };
        *slot.lock().unwrap() = Some(registration.unwrap());
        change_loopback(1);
        was_cancelled.recv_timeout(PATIENCE).expect("the callback waits for itself");
        change_loopback(10);
        // The closure, and the sender in it, go when the registration has ended.
        eventually("the end of the registration", || {
            matches!(was_cancelled.try_recv(), Err(mpsc::TryRecvError::Disconnected))
        });
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_callback_may_read_register_and_cancel_others() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (sender, receiver): (Sender<Result<u32, String>>, _) = mpsc::channel();
        let (other, _) = notified(&host, false);
        let mut other = Some(other);
        let inner = host.clone();
        let registration = host.notify_ip_interface_change(Some(V4), false, move |notification| {
            let IpInterfaceNotification::Changed(change) = notification else { return };
            if let Some(other) = other.take() {
                other.cancel();
            }
            let nested = inner.notify_ip_interface_change(None, true, |_| {});
            let row = inner.ip_interface(change.family, change.luid);
            let _ = sender.send(nested.and(row).map(|row| row.nl_mtu).map_err(|error| error.to_string()));
        });
        let registration = registration.unwrap();
        let _ = run("ip link set lo mtu 20000");
        assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), Ok(20000));
        registration.cancel();
    });
}

#[test]
fn a_panic_in_a_callback_ends_its_registration_alone() {
    isolated(|| {
        let host = Host::open().unwrap();
        let panicking = host.notify_ip_interface_change(None, false, |_| panic!("on purpose, by a test"));
        let panicking = panicking.unwrap();
        let (good, receiver) = notified(&host, false);
        assert!(!panicking.has_ended());
        set_sysctl("ipv4/conf/lo/forwarding", "1");
        assert!(told(receiver.recv_timeout(PATIENCE).unwrap()).is_some());
        eventually("the end of the registration", || panicking.has_ended());
        set_sysctl("ipv4/conf/lo/forwarding", "0");
        assert!(told(receiver.recv_timeout(PATIENCE).unwrap()).is_some(), "the other one goes on");
        panicking.cancel();
        good.cancel();
    });
}

#[test]
fn what_happened_before_a_registration_is_not_its_news() {
    isolated(|| {
        let host = Host::open().unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        // An earlier listener, whose reader has not looked yet when the second comes.
        let mut first = host.ip_interface_changes(None).unwrap();
        set_sysctl("ipv6/conf/e0/dad_transmits", "5");
        let mut second = host.ip_interface_changes(None).unwrap();
        expect("the first", &mut first, &[(Parameter, V6, "e0")]);
        // Longer than the time between two looks.
        assert_eq!(next_within(&mut second, Duration::from_secs(5)), None);
        set_sysctl("ipv4/conf/lo/forwarding", "1");
        expect("the second", &mut second, &[(Parameter, V4, "lo")]);
    });
}
