//! Registrations: many of them come and go while everything changes.

use iphelper::Host;
use iphelper::notification::{Classes, Notification, WatchOptions};
use iphelper_testkit::{eventually, isolated, run, threads};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[test]
fn registrations_come_and_go_while_everything_changes() {
    const THREADS: usize = 6;
    const ROUNDS: usize = 40;
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let host = Host::open().unwrap();
        let (done, calls) = (AtomicBool::new(false), Arc::new(AtomicUsize::new(0)));
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| {
                let mut routes = crate::support::Routes::over("e0");
                let mut number = 0;
                while !done.load(Ordering::Acquire) {
                    for change in [crate::support::ADD, crate::support::DELETE] {
                        routes.change(change, number % 100);
                        routes.flush();
                    }
                    number += 1;
                }
            });
            let registering: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (host, calls) = (host.clone(), Arc::clone(&calls));
                    scope.spawn(move || {
                        for round in 0..ROUNDS {
                            let classes = [Classes::ROUTES, Classes::NETWORK, Classes::UNICAST_ADDRESSES];
                            let options = WatchOptions::new(classes[(thread + round) % 3]);
                            let cancelled = Arc::new(AtomicBool::new(false));
                            let first = Arc::new(AtomicBool::new(true));
                            let registration = {
                                let (cancelled, calls) = (Arc::clone(&cancelled), Arc::clone(&calls));
                                host.notify(options, true, move |notification| {
                                    assert!(!cancelled.load(Ordering::SeqCst), "a call after the cancel");
                                    let is_first = first.swap(false, Ordering::SeqCst);
                                    assert_eq!(is_first, notification == Notification::Initial);
                                    let _ = calls.fetch_add(1, Ordering::Relaxed);
                                })
                            };
                            let registration = registration.unwrap();
                            if round % 4 == 0 {
                                std::thread::yield_now();
                            }
                            registration.cancel();
                            cancelled.store(true, Ordering::SeqCst);
                        }
                    })
                })
                .collect();
            registering.into_iter().for_each(|thread| thread.join().unwrap());
            done.store(true, Ordering::Release);
            changing.join().unwrap();
        });
        assert!(calls.load(Ordering::Relaxed) > 0);
        eventually("the end of all readers", || threads("iphelper-").is_empty());
    });
}

#[cfg(feature = "tokio")]
#[test]
fn a_stream_tells_the_same() {
    use iphelper::notification::Subject;
    isolated(|| {
        let _ = run("ip link set lo up");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut events =
                Host::open().unwrap().watch(WatchOptions::new(Classes::ROUTES)).unwrap().into_stream();
            let _ = run("ip route add 203.0.113.0/24 dev lo");
            let next = tokio::time::timeout(iphelper_testkit::PATIENCE, events.next());
            let event = next.await.expect("an event").unwrap().unwrap();
            assert!(matches!(event.subject, Subject::Route(_)), "{event:?}");
            let canceller = events.canceller();
            canceller.cancel();
            assert!(events.next().await.is_none());
        });
    });
}
