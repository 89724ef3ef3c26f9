//! Waiting for changes.

use iphelper::Family;
use iphelper::notification::{ChangeKind, IpInterfaceChanged, IpInterfaceChanges};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// A change that the kernel announces is here by then, even on a busy machine. Shorter than the time between two looks.
pub(crate) const SOON: Duration = Duration::from_millis(2500);
/// A change that the kernel does not announce is promised within 5 s; the rest is for a busy machine.
pub(crate) const LATER: Duration = Duration::from_secs(8);

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

/// Takes changes until each of `wanted` (kind, family, name) was seen, in any order and with others in between, or
/// `time` is up.
#[track_caller]
pub(crate) fn expect(
    what: &str,
    changes: &mut IpInterfaceChanges,
    time: Duration,
    wanted: &[(ChangeKind, Family, &str)],
) {
    let deadline = Instant::now() + time;
    let mut missing = wanted.to_vec();
    let mut seen = Vec::new();
    while !missing.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(change) = next_within(changes, left) else {
            panic!("{what}: no {missing:?} after {time:?}, but {seen:?}");
        };
        missing.retain(|wish| *wish != (change.kind, change.family, change.name.as_str()));
        seen.push((change.kind, change.family, change.name));
    }
}

/// Takes changes until none has come for a while.
pub(crate) fn settle(changes: &mut IpInterfaceChanges) -> Vec<IpInterfaceChanged> {
    std::iter::from_fn(|| next_within(changes, Duration::from_millis(500))).collect()
}
