//! Out of descriptors: an error that says so, and nothing lost. In children, since a limit is the whole process's.

use iphelper::Family::V4;
use iphelper::notification::ChangeKind::Parameter;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{forked, isolated, set_sysctl, with_spare_descriptors};
use std::io::Write;
use std::time::{Duration, Instant};

#[test]
fn listening_fails_without_descriptors() {
    isolated(|| {
        let host = Host::open().unwrap();
        assert!(forked(|| {
            let error = with_spare_descriptors(0, || host.ip_interface_changes(None)).unwrap_err();
            let callback = with_spare_descriptors(0, || host.notify_ip_interface_change(None, true, |_| {}));
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
            // An attempt is made each second, a look at everything each fourth: a busy host is slow, but not each time.
            (0..10).any(|_| {
                let error = with_spare_descriptors(0, || {
                    file.write_all(b"1").unwrap();
                    changes.next().unwrap().unwrap_err()
                });
                assert_eq!(error.kind(), ErrorKind::ResourceLimit);
                // As many errors as attempts were made meanwhile.
                let started = Instant::now();
                let change = changes.find_map(Result::ok).unwrap();
                let was_soon = started.elapsed() < Duration::from_secs(3);
                assert_eq!(
                    (change.kind, change.name.as_str(), change.resynchronised),
                    (Parameter, "lo", true)
                );
                set_sysctl("ipv4/conf/lo/forwarding", "0");
                let later = changes.next().unwrap().unwrap();
                assert_eq!((later.kind, later.resynchronised), (Parameter, false));
                was_soon
            })
        }));
    });
}
