//! What waits for one consumer: in order, bounded, and with a descriptor that tells whether something is there.

use super::super::namespace::system;
use crate::error::{Error, Result};
use crate::notification::{ChangeKind, IpInterfaceChanged};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use rustix::event::EventfdFlags;
use rustix::io::retry_on_intr;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many changes wait one by one. More are folded into the difference that they make.
const UNFOLDED: usize = 1024;

/// The queue of one consumer, filled by the reader.
#[derive(Debug)]
pub(super) struct Queue {
    /// The family that the consumer asked for.
    family: Option<Family>,
    state: Mutex<State>,
    filled: Condvar,
    /// An eventfd, readable while `state` has something to give.
    descriptor: OwnedFd,
}

#[derive(Debug, Default)]
struct State {
    changes: VecDeque<IpInterfaceChanged>,
    /// The length at which the changes are folded next.
    fold_at: usize,
    /// Why the table could not be read, until told. It happened after the changes.
    failure: Option<Error>,
    ended: bool,
    /// Whether the descriptor is readable.
    readable: bool,
    #[cfg(feature = "tokio")]
    waker: Option<std::task::Waker>,
}

/// What a queue gives.
#[derive(Debug)]
pub(super) enum Taken {
    Item(Result<IpInterfaceChanged>),
    /// Nothing now.
    Empty,
    /// Nothing ever.
    Ended,
}

impl Queue {
    pub(super) fn new(family: Option<Family>) -> Result<Self> {
        let descriptor = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| system("making an event descriptor", errno))?;
        let state = State { fold_at: UNFOLDED, ..State::default() };
        Ok(Self { family, state: Mutex::new(state), filled: Condvar::new(), descriptor })
    }

    /// Appends those of `changes` that the consumer asked for.
    pub(super) fn push(&self, changes: &[IpInterfaceChanged]) -> Wake {
        let mut state = self.state();
        if state.ended {
            return Wake::default();
        }
        let wanted = changes.iter().filter(|change| self.family.is_none_or(|family| family == change.family));
        state.changes.extend(wanted.cloned());
        if state.changes.len() >= state.fold_at {
            fold(&mut state.changes);
            // Twice what is left, so that a full queue is not folded again at each change.
            state.fold_at = UNFOLDED.max(state.changes.len() * 2);
        }
        self.tell(&mut state)
    }

    /// Says that the table could not be read.
    pub(super) fn fail(&self, failure: &Error) -> Wake {
        let mut state = self.state();
        if !state.ended {
            state.failure = Some(failure.clone());
        }
        self.tell(&mut state)
    }

    /// Drops what waits and lets every wait end.
    pub(super) fn end(&self) -> Wake {
        let mut state = self.state();
        state.changes.clear();
        state.failure = None;
        state.ended = true;
        self.tell(&mut state)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// What comes next, without waiting.
    pub(super) fn take(&self) -> Taken {
        self.take_from(&mut self.state())
    }

    /// What comes next; waits for it. `None` at the end.
    pub(super) fn wait(&self) -> Option<Result<IpInterfaceChanged>> {
        let mut state = self.state();
        loop {
            match self.take_from(&mut state) {
                Taken::Item(item) => return Some(item),
                Taken::Ended => return None,
                Taken::Empty => {
                    state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// What comes next, or a promise to wake the task.
    #[cfg(feature = "tokio")]
    pub(super) fn poll(
        &self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<IpInterfaceChanged>>> {
        use std::task::Poll;
        let mut state = self.state();
        match self.take_from(&mut state) {
            Taken::Item(item) => Poll::Ready(Some(item)),
            Taken::Ended => Poll::Ready(None),
            Taken::Empty => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_from(&self, state: &mut State) -> Taken {
        let item = match state.changes.pop_front() {
            Some(change) => Taken::Item(Ok(change)),
            None => match state.failure.take() {
                Some(failure) => Taken::Item(Err(failure)),
                None if state.ended => Taken::Ended,
                None => Taken::Empty,
            },
        };
        if state.readable && !state.has_something() {
            let _ = retry_on_intr(|| rustix::io::read(&self.descriptor, &mut [0; 8]));
            state.readable = false;
        }
        item
    }

    /// Wakes the thread that waits, if there is something to give, and gives the task to wake.
    fn tell(&self, state: &mut State) -> Wake {
        if !state.has_something() {
            return Wake::default();
        }
        if !state.readable {
            // From 0 to 1 on a counter of 64 bits: cannot fail or block.
            let _ = retry_on_intr(|| rustix::io::write(&self.descriptor, &1_u64.to_ne_bytes()));
            state.readable = true;
        }
        self.filled.notify_all();
        Wake {
            #[cfg(feature = "tokio")]
            waker: state.waker.take(),
        }
    }
}

/// A task that is to be woken once no lock is held. An executor may run it at once, or drop it where nobody else has it
/// any more, and the stream in it takes the locks.
#[derive(Debug, Default)]
#[must_use = "the task waits"]
pub(super) struct Wake {
    #[cfg(feature = "tokio")]
    waker: Option<std::task::Waker>,
}

impl Wake {
    /// Wakes the task, if there is one.
    pub(super) fn wake(self) {
        #[cfg(feature = "tokio")]
        if let Some(waker) = self.waker {
            waker.wake();
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl State {
    fn has_something(&self) -> bool {
        self.ended || self.failure.is_some() || !self.changes.is_empty()
    }
}

/// What became of one interface and family over several changes.
struct Net {
    /// Whether the consumer has it from before the first change.
    known: bool,
    /// Where it was deleted first.
    deleted: Option<usize>,
    /// The last change, which holds the last name known.
    last: usize,
    last_kind: ChangeKind,
}

/// Folds changes into the difference that they make, which is at most a deletion and an addition for each interface
/// and family: those of an interface that the consumer never saw and never will are left out.
///
/// A deletion keeps the place of the first one, everything else that of the last change, so that an index is deleted
/// before another interface appears on it.
fn fold(changes: &mut VecDeque<IpInterfaceChanged>) {
    let mut nets: HashMap<(InterfaceIndex, InterfaceLuid, Family), Net> = HashMap::new();
    for (position, change) in changes.iter().enumerate() {
        let deleted = (change.kind == ChangeKind::Delete).then_some(position);
        match nets.entry((change.index, change.luid, change.family)) {
            Entry::Vacant(entry) => {
                let known = change.kind != ChangeKind::Add;
                let _ = entry.insert(Net { known, deleted, last: position, last_kind: change.kind });
            }
            Entry::Occupied(mut entry) => {
                let net = entry.get_mut();
                net.deleted = net.deleted.or(deleted);
                (net.last, net.last_kind) = (position, change.kind);
            }
        }
    }
    let mut kept = Vec::with_capacity(nets.len());
    for net in nets.values() {
        if let (true, Some(position)) = (net.known, net.deleted) {
            kept.push((position, net.last, ChangeKind::Delete));
        }
        if net.last_kind != ChangeKind::Delete {
            let is_new = !net.known || net.deleted.is_some();
            let kind = if is_new { ChangeKind::Add } else { ChangeKind::Parameter };
            kept.push((net.last, net.last, kind));
        }
    }
    kept.sort_unstable_by_key(|(position, ..)| *position);
    *changes = kept
        .into_iter()
        .filter_map(|(_, last, kind)| {
            let change = changes.get(last)?.clone();
            Some(IpInterfaceChanged { kind, resynchronised: true, ..change })
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChangeKind::{Add, Delete, Parameter};

    fn change(kind: ChangeKind, index: u32, luid: u64) -> IpInterfaceChanged {
        IpInterfaceChanged {
            kind,
            family: Family::V4,
            luid: InterfaceLuid(luid),
            index: InterfaceIndex(index),
            name: format!("e{index}"),
            resynchronised: false,
        }
    }

    fn folded(changes: &[(ChangeKind, u32, u64)]) -> Vec<(ChangeKind, u32, u64)> {
        let mut changes = changes.iter().map(|(kind, index, luid)| change(*kind, *index, *luid)).collect();
        fold(&mut changes);
        assert!(changes.iter().all(|change| change.resynchronised));
        changes.into_iter().map(|change| (change.kind, change.index.0, change.luid.0)).collect()
    }

    fn is_readable(queue: &Queue) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut descriptor = [PollFd::new(queue, PollFlags::IN)];
        poll(&mut descriptor, Some(&Timespec::default())).unwrap() == 1
    }

    fn all(queue: &Queue) -> Vec<IpInterfaceChanged> {
        std::iter::from_fn(|| match queue.take() {
            Taken::Item(item) => Some(item.unwrap()),
            Taken::Empty | Taken::Ended => None,
        })
        .collect()
    }

    #[test]
    fn changes_of_one_interface_fold_into_their_difference() {
        assert_eq!(folded(&[(Parameter, 1, 1), (Parameter, 1, 1)]), [(Parameter, 1, 1)]);
        assert_eq!(folded(&[(Add, 1, 1), (Parameter, 1, 1)]), [(Add, 1, 1)]);
        assert_eq!(folded(&[(Parameter, 1, 1), (Delete, 1, 1)]), [(Delete, 1, 1)]);
        assert_eq!(folded(&[(Add, 1, 1), (Parameter, 1, 1), (Delete, 1, 1)]), [], "never seen");
        assert_eq!(folded(&[(Delete, 1, 1), (Add, 1, 1)]), [(Delete, 1, 1), (Add, 1, 1)], "a twin");
        assert_eq!(
            folded(&[(Delete, 1, 1), (Add, 1, 1), (Parameter, 1, 1), (Delete, 1, 1)]),
            [(Delete, 1, 1)]
        );
        assert_eq!(folded(&[(Add, 1, 1), (Delete, 1, 1), (Add, 1, 1)]), [(Add, 1, 1)]);
    }

    #[test]
    fn an_index_is_deleted_before_another_interface_is_on_it() {
        let changes = [
            (Parameter, 1, 7),
            (Parameter, 2, 2),
            (Delete, 1, 7),
            (Add, 1, 8),
            (Delete, 1, 8),
            (Add, 1, 9),
            (Parameter, 1, 9),
        ];
        assert_eq!(folded(&changes), [(Parameter, 2, 2), (Delete, 1, 7), (Add, 1, 9)]);
    }

    #[test]
    fn a_full_queue_is_folded_and_stays_bounded() {
        let queue = Queue::new(None).unwrap();
        for round in 0..100_000_u32 {
            queue.push(&[change(Parameter, round % 10, 1)]).wake();
            assert!(queue.state().changes.len() < UNFOLDED);
        }
        let mut seen: Vec<_> = all(&queue).into_iter().map(|change| change.index.0).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (0..10).collect::<Vec<_>>(), "an interface is missing");

        // More interfaces than that, each with a change: all are kept.
        for index in 0..5 * UNFOLDED as u32 {
            queue.push(&[change(Add, index, 1), change(Parameter, index, 1)]).wake();
        }
        let kept = all(&queue);
        assert_eq!(kept.iter().filter(|change| change.kind == Add).count(), 5 * UNFOLDED);
        assert!(kept.len() < 10 * UNFOLDED);
    }

    #[test]
    fn the_descriptor_is_readable_while_something_is_there() {
        let queue = Queue::new(Some(Family::V4)).unwrap();
        assert!(!is_readable(&queue));
        queue.push(&[IpInterfaceChanged { family: Family::V6, ..change(Add, 1, 1) }]).wake();
        assert!(!is_readable(&queue), "of the other family");
        queue.push(&[change(Add, 1, 1), change(Add, 2, 1)]).wake();
        queue.fail(&Error::new(crate::ErrorKind::OutOfMemory, "reading")).wake();
        for left in [2, 1, 0] {
            assert!(is_readable(&queue), "{left} left");
            let Taken::Item(item) = queue.take() else { panic!("something is there") };
            assert_eq!(item.is_err(), left == 0, "the failure is last");
        }
        assert!(!is_readable(&queue));
        queue.push(&[change(Add, 3, 1)]).wake();
        queue.end().wake();
        queue.push(&[change(Add, 4, 1)]).wake();
        assert!(is_readable(&queue), "the end has to be seen");
        assert!(matches!(queue.take(), Taken::Ended), "what waited is dropped");
        assert!(is_readable(&queue), "for ever");
        assert!(queue.wait().is_none());
    }
}
