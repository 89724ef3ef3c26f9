//! Out of descriptors: an error that says so, and nothing lost. In children, since a limit is the whole process's.

use iphelper::Family::V4;
use iphelper::notification::ChangeKind::Parameter;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{forked, isolated, set_sysctl};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write;
use std::time::{Duration, Instant};

/// Runs `work` while no descriptor can be opened.
fn without_descriptors<T>(work: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Nofile);
    let highest = std::fs::read_dir("/proc/self/fd").unwrap();
    let highest = highest.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u64>().ok()).max();
    setrlimit(Resource::Nofile, Rlimit { current: highest.map(|highest| highest + 1), ..before }).unwrap();
    let filling: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    let result = work();
    drop(filling);
    setrlimit(Resource::Nofile, before).unwrap();
    result
}

#[test]
fn listening_fails_without_descriptors() {
    isolated(|| {
        let host = Host::open().unwrap();
        assert!(forked(|| {
            let error = without_descriptors(|| host.ip_interface_changes(None)).unwrap_err();
            let callback = without_descriptors(|| host.notify_ip_interface_change(None, true, |_| {}));
            (error.kind(), callback.unwrap_err().kind())
                == (ErrorKind::ResourceLimit, ErrorKind::ResourceLimit)
        }));
    });
}

#[test]
fn what_changes_while_the_table_cannot_be_read_is_found_later() {
    isolated(|| {
        assert!(forked(|| {
            let file = std::fs::OpenOptions::new().write(true).open("/proc/sys/net/ipv4/conf/lo/forwarding");
            let mut file = file.unwrap();
            let mut changes = Host::open().unwrap().ip_interface_changes(Some(V4)).unwrap();
            let error = without_descriptors(|| {
                file.write_all(b"1").unwrap();
                changes.next().unwrap().unwrap_err()
            });
            // As many errors as attempts were made meanwhile; one each second.
            let started = Instant::now();
            let change = changes.find_map(Result::ok).unwrap();
            let was_soon = started.elapsed() < Duration::from_secs(3);
            set_sysctl("ipv4/conf/lo/forwarding", "0");
            let later = changes.next().unwrap().unwrap();
            was_soon
                && error.kind() == ErrorKind::ResourceLimit
                && (change.kind, change.name.as_str(), change.resynchronised) == (Parameter, "lo", true)
                && (later.kind, later.resynchronised) == (Parameter, false)
        }));
    });
}
