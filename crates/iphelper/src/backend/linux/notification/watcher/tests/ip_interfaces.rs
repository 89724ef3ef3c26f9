//! IP interfaces, whose rows are read again where something is announced.

use super::super::super::super::LinuxHost;
use super::super::{News, Watcher};
use crate::backend::IpInterface as _;
use crate::ip_interface::IpInterface;
use crate::notification::{ChangeKind, Classes, Event, Subject};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{isolated, run, set_sysctl};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Keys = BTreeSet<(InterfaceIndex, InterfaceLuid, Family)>;

fn key(row: &IpInterface) -> (InterfaceIndex, InterfaceLuid, Family) {
    (row.index, row.luid, row.family)
}

fn keys<'a>(rows: impl IntoIterator<Item = &'a IpInterface>) -> Keys {
    rows.into_iter().map(key).collect()
}

fn row(event: &Event) -> &IpInterface {
    let Subject::IpInterface(row) = &event.subject else { panic!("{event:?}") };
    row
}

/// What has changed since the last time.
fn news_of(watcher: &mut Watcher) -> Vec<Event> {
    let mut news = News::default();
    let _ = watcher.update(false, &mut news).unwrap();
    news.iter().map(|(_, event)| event.clone()).collect()
}

/// Plays changes back on the table that they began with.
fn play(changes: &[Event], table: &mut Keys) {
    for change in changes {
        let key = key(row(change));
        let is_sound = match change.kind {
            ChangeKind::Add => table.insert(key),
            ChangeKind::Delete => table.remove(&key),
            ChangeKind::Parameter => table.contains(&key),
        };
        assert!(is_sound, "{change:?} with {table:?}");
    }
}

/// Watches the IP interfaces of the thread's namespace.
fn watch() -> Watcher {
    let mut watcher = Watcher::open(Arc::new(LinuxHost::open().unwrap())).unwrap();
    watcher.want(Classes::IP_INTERFACES, false, &mut News::default()).unwrap();
    watcher
}

/// The same, by a socket whose queue holds a message or two.
fn watch_with_a_tiny_queue() -> Watcher {
    let watcher = watch();
    rustix::net::sockopt::set_socket_recv_buffer_size(watcher.socket(), 1).unwrap();
    watcher
}

#[test]
fn after_an_overrun_the_difference_is_found() {
    isolated(|| {
        for pair in ["add e0 type veth peer name e1", "add e2 type veth peer name e3"] {
            let _ = run(&format!("ip link {pair}"));
        }
        let mut watcher = watch_with_a_tiny_queue();
        let mut table = keys(watcher.ip_interfaces().unwrap().rows());
        let name = |changes: &[Event], kind| -> BTreeSet<String> {
            changes
                .iter()
                .filter(|change| change.kind == kind)
                .map(|change| row(change).name.clone())
                .collect()
        };
        for flip in 0..3000 {
            set_sysctl("ipv4/conf/lo/forwarding", if flip % 2 == 0 { "1" } else { "0" });
        }
        let _ = run("ip link del e0");
        let _ = run("ip link set e2 mtu 1400");
        let _ = run("ip link add e4 type veth peer name e5");
        let changes = news_of(&mut watcher);
        assert!(!changes.is_empty() && changes.iter().all(|change| change.resynchronised), "{changes:#?}");
        play(&changes, &mut table);
        assert_eq!(name(&changes, ChangeKind::Delete), ["e0", "e1"].map(String::from).into());
        assert_eq!(name(&changes, ChangeKind::Add), ["e4", "e5"].map(String::from).into());
        assert_eq!(name(&changes, ChangeKind::Parameter), ["e2".to_owned()].into());

        set_sysctl("ipv4/conf/e2/forwarding", "1");
        let changes = news_of(&mut watcher);
        assert_eq!(changes.len(), 1);
        assert!(!changes[0].resynchronised, "the overrun is over");
    });
}

#[test]
fn a_twin_on_the_same_index_is_told_apart_by_the_announcement() {
    isolated(|| {
        let twin = "ip link add e0 index 77 address 02:00:00:00:00:07 type veth peer name e1 index 78";
        let _ = run(twin);
        let mut watcher = watch();
        // Both happen before anything is read.
        let _ = run("ip link del e0");
        let _ = run(twin);
        let changes = news_of(&mut watcher);
        let steps: Vec<_> = changes
            .iter()
            .map(|change| (change.kind, row(change)))
            .filter(|(_, row)| row.index == InterfaceIndex(77) && row.family == Family::V4)
            .map(|(kind, row)| (kind, row.luid))
            .collect();
        let [(ChangeKind::Delete, gone), (ChangeKind::Add, new)] = steps[..] else {
            panic!("a deletion and an addition, not {steps:?}")
        };
        assert_eq!(gone, new, "no twin after all");
    });
}

#[test]
fn what_changes_during_overruns_adds_up_to_the_table() {
    isolated(|| {
        let mut watcher = watch_with_a_tiny_queue();
        let mut table = keys(watcher.ip_interfaces().unwrap().rows());
        let mut resynchronised = 0;
        let done = AtomicBool::new(false);
        let mut step = |watcher: &mut Watcher| {
            let mut news = News::default();
            let later = watcher.update(false, &mut news).unwrap();
            let changes: Vec<Event> = news.iter().map(|(_, event)| event.clone()).collect();
            play(&changes, &mut table);
            resynchronised += changes.iter().filter(|change| change.resynchronised).count();
            changes.is_empty() && later.is_none()
        };
        std::thread::scope(|scope| {
            let _ = scope.spawn(|| {
                for round in 0..40 {
                    let _ = run(&format!("ip link add e{round} type veth peer name p{round}"));
                    for flip in 0..100 {
                        set_sysctl("ipv4/conf/all/forwarding", if flip % 2 == 0 { "1" } else { "0" });
                    }
                    if round % 2 == 0 {
                        let _ = run(&format!("ip link del e{round}"));
                    }
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                let _ = step(&mut watcher);
            }
        });
        while !step(&mut watcher) {}
        let rows = LinuxHost::open().unwrap().ip_interfaces(None).unwrap();
        assert_eq!(table, keys(&rows));
        assert!(resynchronised > 0, "nothing overran, so this test has tested nothing");
    });
}
