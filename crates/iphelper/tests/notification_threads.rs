//! The threads of notifications: how many, what they are open to, and when they are gone.
//!
//! A program of its own, since it counts the threads of its process; so this is one test.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::Host;
use iphelper_testkit::{NetNs, eventually};

iphelper_testkit::private_user_namespace!();

/// The ids of the process's threads with this name.
fn threads(name: &str) -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let ids = tasks.map(|task| task.unwrap().file_name().into_string().unwrap());
    // A thread may end between the two reads.
    ids.filter(|id| {
        std::fs::read_to_string(format!("/proc/self/task/{id}/comm"))
            .is_ok_and(|comm| comm.trim_end() == name)
    })
    .collect()
}

fn counts() -> (usize, usize) {
    (threads("iphelper-reader").len(), threads("iphelper-notify").len())
}

#[test]
fn one_reader_for_each_namespace_one_worker_for_each_registration_and_nothing_afterwards() {
    let (first, second) = (NetNs::new(), NetNs::new());
    let open = |namespace: &NetNs| namespace.run(|| Host::open().unwrap());
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert_eq!(counts(), (0, 0));
    let (host, again, other) = (open(&first), open(&first), open(&second));
    // The first read opens what a host keeps.
    for host in [&host, &again, &other] {
        drop(host.ip_interface_changes(None).unwrap());
    }
    eventually("the end of the readers", || counts() == (0, 0));
    let before = descriptors();

    let changes = host.ip_interface_changes(None).unwrap();
    eventually("an iterator has the reader alone", || counts() == (1, 0));
    let registrations: Vec<_> = [&host, &again, &again]
        .map(|host| host.notify_ip_interface_change(None, true, |_| {}).unwrap())
        .into_iter()
        .collect();
    eventually("all of a namespace share one reader", || counts() == (1, 3));
    let elsewhere = other.notify_ip_interface_change(None, true, |_| {}).unwrap();
    eventually("another namespace has another", || counts() == (2, 4));

    for id in threads("iphelper-reader").iter().chain(&threads("iphelper-notify")) {
        let status = std::fs::read_to_string(format!("/proc/self/task/{id}/status")).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        let blocked = u64::from_str_radix(mask.trim(), 16).unwrap();
        for (signal, name, wanted) in [
            (1, "HUP", true),
            (2, "INT", true),
            (10, "USR1", true),
            (14, "ALRM", true),
            (15, "TERM", true),
            (17, "CHLD", true),
            (40, "RTMIN+6", true),
            (11, "SEGV", false),
            (7, "BUS", false),
        ] {
            assert_eq!(
                blocked >> (signal - 1) & 1 != 0,
                wanted,
                "SIG{name} in a thread with the mask {mask}"
            );
        }
    }
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(status.contains("SigBlk:\t0000000000000000"), "the caller's own mask is as before: {status}");

    for (left, registration) in registrations.into_iter().enumerate() {
        registration.cancel();
        eventually("a worker ends with its registration", || counts() == (2, 3 - left));
    }
    drop(changes);
    eventually("the reader ends with the last of its namespace", || counts() == (1, 1));
    elsewhere.cancel();
    eventually("nothing is left", || counts() == (0, 0));
    eventually("no descriptors are left", || descriptors() == before);

    // And once more: a reader that has ended is followed by a new one.
    let registration = host.notify_ip_interface_change(None, false, |_| {}).unwrap();
    eventually("a new reader", || counts() == (1, 1));
    drop(registration);
    eventually("nothing is left again", || counts() == (0, 0));
}
