//! The feature `tokio`: a stream of changes.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use futures_core::Stream;
use iphelper::Family::V4;
use iphelper::Host;
use iphelper::notification::ChangeKind::Parameter;
use iphelper::notification::IpInterfaceChangeStream;
use iphelper_testkit::{PATIENCE, eventually, isolated, set_sysctl};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};
use tokio::time::timeout;

iphelper_testkit::private_user_namespace!();

/// A task that is not woken is polled when its time is up, and has its change then; so more time than it may take.
const LONG: Duration = PATIENCE.saturating_mul(2);
const SOON: Duration = PATIENCE;

fn with_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

#[test]
fn a_stream_wakes_its_task() {
    isolated(|| {
        with_runtime(async {
            let mut changes = Host::open().unwrap().ip_interface_changes(Some(V4)).unwrap().into_stream();
            assert!(
                timeout(Duration::from_millis(200), changes.next()).await.is_err(),
                "nothing has happened"
            );
            for value in ["1", "0"] {
                let write = std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(100));
                    set_sysctl("ipv4/conf/lo/forwarding", value);
                });
                let started = Instant::now();
                let change = timeout(LONG, changes.next()).await.expect("a change").unwrap().unwrap();
                assert!(started.elapsed() < SOON, "it was not woken");
                assert_eq!((change.kind, change.name.as_str()), (Parameter, "lo"));
                write.join().unwrap();
            }
        });
    });
}

#[test]
fn a_stream_ends_when_it_is_cancelled() {
    isolated(|| {
        with_runtime(async {
            let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap().into_stream();
            let canceller = changes.canceller();
            let ending = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(100));
                canceller.cancel();
            });
            let next = std::future::poll_fn(|context| Pin::new(&mut changes).poll_next(context));
            let started = Instant::now();
            assert!(timeout(LONG, next).await.expect("an end").is_none());
            assert!(started.elapsed() < SOON, "it was not woken");
            assert!(changes.next().await.is_none(), "and it stays ended");
            ending.join().unwrap();
        });
    });
}

/// A task that nobody runs any more: it ends with its last waker.
struct Abandoned(Mutex<Option<IpInterfaceChangeStream>>);

impl Wake for Abandoned {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

#[test]
fn a_task_that_ends_when_it_is_woken_stops_nobody() {
    isolated(|| {
        let host = Host::open().unwrap();
        for others in [1, 0] {
            let mut listeners: Vec<_> =
                (0..others).map(|_| host.ip_interface_changes(Some(V4)).unwrap()).collect();
            let stream = host.ip_interface_changes(Some(V4)).unwrap().into_stream();
            let task = Arc::new(Abandoned(Mutex::new(Some(stream))));
            let waker = Waker::from(Arc::clone(&task));
            let mut context = Context::from_waker(&waker);
            let polled = task.0.lock().unwrap().as_mut().map(|it| Pin::new(it).poll_next(&mut context));
            assert!(polled.is_some_and(|polled| polled.is_pending()));
            set_sysctl("ipv4/conf/lo/forwarding", "1");
            eventually("the end of the task", || Arc::strong_count(&task) == 2);
            for listener in &mut listeners {
                assert_eq!(listener.next().unwrap().unwrap().kind, Parameter);
            }
            // Whoever listens next finds a reader that goes on.
            let mut next = host.ip_interface_changes(Some(V4)).unwrap();
            set_sysctl("ipv4/conf/lo/forwarding", "0");
            assert_eq!(next.next().unwrap().unwrap().kind, Parameter);
        }
    });
}
