//! Waiting for changes.

use iphelper::Family;
use iphelper::notification::{ChangeKind, IpInterfaceChanged, IpInterfaceChanges};
use iphelper_testkit::{PATIENCE, run};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Whether the iterator's descriptor is readable within `time`.
pub(crate) fn is_readable(changes: &IpInterfaceChanges, time: Duration) -> bool {
    let mut descriptor = [PollFd::new(changes, PollFlags::IN)];
    poll(&mut descriptor, Some(&Timespec::try_from(time).unwrap())).unwrap() == 1
}

/// The next change, waited for with `poll`.
pub(crate) fn next_within(changes: &mut IpInterfaceChanges, time: Duration) -> Option<IpInterfaceChanged> {
    if !is_readable(changes, time) {
        return None;
    }
    let change = changes.try_next().expect("reading the changes");
    assert!(change.is_some(), "the descriptor was readable and there is nothing");
    change
}

/// Takes changes until each of `wanted` (kind, family, name) was seen, in any order and with others in between.
#[track_caller]
pub(crate) fn expect(what: &str, changes: &mut IpInterfaceChanges, wanted: &[(ChangeKind, Family, &str)]) {
    let deadline = Instant::now() + PATIENCE;
    let mut missing = wanted.to_vec();
    let mut seen = Vec::new();
    while !missing.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(change) = next_within(changes, left) else {
            panic!("{what}: no {missing:?}, but {seen:?}");
        };
        missing.retain(|wish| *wish != (change.kind, change.family, change.name.as_str()));
        seen.push((change.kind, change.family, change.name));
    }
}

/// The same, for what is told without a look at everything: changes by `step`, which is given 0 and 1 in turn.
///
/// A look comes every 4 s and finds whatever there is, but not two changes of which each takes less than 2.5 s. On a host so busy
/// that an announcement takes longer, the next two are judged.
#[track_caller]
pub(crate) fn expect_at_once(
    what: &str,
    changes: &mut IpInterfaceChanges,
    mut step: impl FnMut(usize),
    wanted: impl Fn(usize) -> Vec<(ChangeKind, Family, &'static str)>,
) {
    const SOON: Duration = Duration::from_millis(2500);
    let deadline = Instant::now() + PATIENCE;
    let mut in_a_row = 0;
    for turn in [0, 1].into_iter().cycle() {
        let begun = Instant::now();
        step(turn);
        expect(what, changes, &wanted(turn));
        in_a_row = if begun.elapsed() < SOON { in_a_row + 1 } else { 0 };
        let _ = settle(changes);
        // After an even number, so that all is as it was.
        if turn == 1 && in_a_row >= 2 {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: found by looking alone");
    }
}

/// The changes that were told of what happened before this call, in the namespace of this thread: an interface that is made here
/// comes behind them all.
pub(crate) fn settle(changes: &mut IpInterfaceChanges) -> Vec<IpInterfaceChanged> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("fence{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let deadline = Instant::now() + PATIENCE;
    let (mut before, mut families) = (Vec::new(), 0);
    let _ = run(&format!("ip link add {name} type bridge"));
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let change = next_within(changes, left).expect("the last change is told");
        match change.kind {
            _ if change.name != name && change.name.starts_with("fence") => {}
            _ if change.name != name => before.push(change),
            ChangeKind::Add => {
                families += 1;
                if families == 1 {
                    let _ = run(&format!("ip link del {name}"));
                }
            }
            ChangeKind::Parameter => {}
            ChangeKind::Delete => {
                families -= 1;
                if families == 0 {
                    return before;
                }
            }
        }
    }
}
