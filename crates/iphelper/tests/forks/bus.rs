//! Children of a process that talks to services over a bus, as daemons make them.

use iphelper::Host;
use iphelper::connectivity::ConnectivityHint;
use iphelper::dns::Resolver;
use iphelper_testkit::bus::{PrivateBus, SOCKET};
use iphelper_testkit::{
    Child, eventually, forked, is_child, isolated, run, serve_network_manager, serve_resolved,
    set_network_manager, threads, with_private_files,
};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Only who waits for ever has not given up by then.
const LONG: Duration = Duration::from_secs(100);

/// Whether the service is asked; on a busy computer it may be too late with an answer or two.
fn is_asked(host: &Host) -> bool {
    (0..6).any(|_| host.dns().is_ok_and(|dns| dns.resolver == Resolver::Resolved))
}

/// The descriptors that this process has.
fn open() -> Vec<OsString> {
    let all = std::fs::read_dir("/proc/self/fd").expect("listing what is open");
    let mut all: Vec<_> = all.flatten().map(|file| file.file_name()).collect();
    all.sort_unstable();
    all
}

/// Waits until this is the process' only thread: one that was waited for may be listed a moment longer.
fn is_alone() {
    let threads = || std::fs::read_dir("/proc/self/task").expect("listing the threads").count();
    eventually("no other thread", || threads() == 1);
}

/// What a child does: it asks, and nothing of that stays behind, neither descriptors nor threads. What would be there for the
/// next call would be there for the next child, too.
fn asks_and_leaves_nothing(host: &Host) -> bool {
    // The host keeps sockets of other kinds.
    let first = is_asked(host);
    let before = open();
    let next = is_asked(host);
    is_alone();
    assert_eq!(open(), before);
    first && next
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
            assert!(forked(|| asks_and_leaves_nothing(&host)), "behind a call");
            assert!(is_asked(&host));

            // While calls are under way in other threads, and threads begin and end: the standard library has a lock of that,
            // which is held for ever in a child that is made meanwhile, so that no thread of the child's begins.
            let (done, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    let _ = scope.spawn(|| {
                        while !done.load(Ordering::Relaxed) {
                            assert!(is_asked(&host));
                            let _ = calls.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    let _ = scope.spawn(|| {
                        while !done.load(Ordering::Relaxed) {
                            std::thread::spawn(|| ()).join().unwrap();
                        }
                    });
                }
                let children: Vec<_> = (0..50).map(|_| forked(|| asks_and_leaves_nothing(&host))).collect();
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
            let (tell, told) = channel::<ConnectivityHint>();
            let registration = host.notify_connectivity_change(true, move |hint| tell.send(hint).unwrap());
            let registration = registration.unwrap();
            let first = told.recv_timeout(LONG).expect("what holds when it begins");
            assert_eq!(first.cost, None);
            // The child leaves by `_exit`: what it drops is its copy.
            let mut of_child = Some(registration);
            assert!(forked(|| {
                drop(of_child.take());
                host.connectivity_hint().is_ok()
            }));
            assert!(of_child.is_some());
            set_network_manager("", "Metered", "uint32:1").unwrap();
            while told.recv_timeout(LONG).expect("the parent's is told").cost.is_none() {}

            // Its thread waits for the bus, and ends with it all the same.
            let is_watched = || !threads("iphelper-sig").is_empty();
            assert!(is_watched());
            drop(of_child);
            eventually("the thread ends", || !is_watched());
        });
    });
}

/// A program that knows nothing of `SIGPIPE` is not ended by a bus that ends in the middle of its words.
#[test]
fn a_bus_that_ends_does_not_end_the_program() {
    isolated(|| {
        let _ = with_private_files(|| {
            let listener = UnixListener::bind(SOCKET).unwrap();
            let (tell, told) = channel();
            let _ = std::thread::spawn(move || {
                let (bus, _) = listener.accept().unwrap();
                let mut greeting = Vec::new();
                let _ = BufReader::new(&bus).read_until(b'\n', &mut greeting).unwrap();
                // What comes now goes to nobody.
                bus.shutdown(Shutdown::Read).unwrap();
                (&bus).write_all(b"OK 0123456789abcdef0123456789abcdef\r\n").unwrap();
                tell.send(greeting).unwrap();
                // At its other address it is looked for again.
                for bus in listener.incoming() {
                    drop(bus);
                }
            });
            let host = Host::open().unwrap();
            std::fs::write("/etc/resolv.conf", "nameserver 192.0.2.1\n").unwrap();
            let child = forked(|| {
                use nix::sys::signal::{SigHandler, Signal, signal};
                // SAFETY: the default is no handler.
                let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.unwrap();
                // There is no bus that would tell who resolves names: the file counts.
                host.dns().is_ok_and(|dns| matches!(dns.resolver, Resolver::File { .. }))
            });
            assert!(child);
            assert!(told.recv_timeout(LONG).unwrap().starts_with(b"\0AUTH EXTERNAL "));
        });
    });
}
