//! The part of a queue that threads meet in. It knows neither what waits in it nor the kernel, so that a test can run it
//! in every order that its threads may take (`orders/queue.rs` of the repository).

use super::sync::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;

/// How many items wait one by one. More are folded into the difference that they make.
pub(super) const UNFOLDED: usize = 1024;

/// What waits in a queue.
pub(super) trait Item: Sized {
    /// Makes of the items the fewest that end at the same state.
    fn fold(items: &mut VecDeque<Self>);
}

/// What shows from outside whether something is there: readable from `ring` to `still`. Both are called in turns, and
/// under the queue's lock.
pub(super) trait Bell {
    fn ring(&self);
    fn still(&self);
}

/// A queue of `T` with failures `F` between.
#[derive(Debug)]
pub(super) struct Core<T, F, B> {
    state: Mutex<State<T, F>>,
    filled: Condvar,
    bell: B,
}

#[derive(Debug)]
struct State<T, F> {
    items: VecDeque<T>,
    /// The length at which the items are folded next.
    fold_at: usize,
    /// Why nothing could be read, until told. It happened after the items.
    failure: Option<F>,
    ended: bool,
    /// Whether the bell rings.
    rings: bool,
    #[cfg(feature = "tokio")]
    waker: Option<std::task::Waker>,
}

/// What a queue gives.
#[derive(Debug)]
pub(crate) enum Taken<T, F> {
    Item(Result<T, F>),
    /// Nothing now.
    Empty,
    /// Nothing ever.
    Ended,
}

impl<T: Item, F, B: Bell> Core<T, F, B> {
    pub(super) fn new(bell: B) -> Self {
        let state = State {
            items: VecDeque::new(),
            fold_at: UNFOLDED,
            failure: None,
            ended: false,
            rings: false,
            #[cfg(feature = "tokio")]
            waker: None,
        };
        Self { state: Mutex::new(state), filled: Condvar::new(), bell }
    }

    /// Appends `items`.
    pub(super) fn push(&self, items: impl Iterator<Item = T>) -> Wake {
        let mut state = self.state();
        if state.ended {
            return Wake::default();
        }
        state.items.extend(items);
        if state.items.len() >= state.fold_at {
            T::fold(&mut state.items);
            // Twice what is left, so that a full queue is not folded again at each item.
            state.fold_at = UNFOLDED.max(state.items.len() * 2);
        }
        self.tell(&mut state)
    }

    /// Says that nothing could be read.
    pub(super) fn fail(&self, failure: F) -> Wake {
        let mut state = self.state();
        if !state.ended {
            state.failure = Some(failure);
        }
        self.tell(&mut state)
    }

    /// Drops what waits and lets every wait end.
    pub(super) fn end(&self) -> Wake {
        let mut state = self.state();
        state.items = VecDeque::new();
        state.failure = None;
        state.ended = true;
        self.tell(&mut state)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// How many items wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.state().items.len()
    }

    /// What comes next, without waiting.
    pub(super) fn take(&self) -> Taken<T, F> {
        self.take_from(&mut self.state())
    }

    /// What comes next; waits for it. `None` at the end.
    pub(super) fn wait(&self) -> Option<Result<T, F>> {
        let mut state = self.state();
        loop {
            match self.take_from(&mut state) {
                Taken::Item(item) => return Some(item),
                Taken::Ended => return None,
                Taken::Empty => {
                    state = self.filled.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
                }
            }
        }
    }

    /// What comes next, or a promise to wake the task.
    #[cfg(feature = "tokio")]
    pub(super) fn poll(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<T, F>>> {
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

    pub(super) fn bell(&self) -> &B {
        &self.bell
    }

    fn state(&self) -> MutexGuard<'_, State<T, F>> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn take_from(&self, state: &mut State<T, F>) -> Taken<T, F> {
        let taken = match state.items.pop_front() {
            Some(item) => {
                if state.items.is_empty() && state.fold_at > UNFOLDED {
                    // The room of a long queue is given back once it is empty.
                    (state.items, state.fold_at) = (VecDeque::new(), UNFOLDED);
                }
                Taken::Item(Ok(item))
            }
            None => match state.failure.take() {
                Some(failure) => Taken::Item(Err(failure)),
                None if state.ended => Taken::Ended,
                None => Taken::Empty,
            },
        };
        if state.rings && !state.has_something() {
            self.bell.still();
            state.rings = false;
        }
        taken
    }

    /// Wakes the thread that waits, if there is something to give, and gives the task to wake.
    fn tell(&self, state: &mut State<T, F>) -> Wake {
        if !state.has_something() {
            return Wake::default();
        }
        if !state.rings {
            self.bell.ring();
            state.rings = true;
        }
        self.filled.notify_all();
        Wake {
            #[cfg(feature = "tokio")]
            waker: state.waker.take(),
        }
    }
}

impl<T, F> State<T, F> {
    fn has_something(&self) -> bool {
        self.ended || self.failure.is_some() || !self.items.is_empty()
    }
}

/// A task that is to be woken once no lock is held. An executor may run it at once, or drop it where nobody else has it
/// any more, and the stream in it takes the locks.
#[derive(Debug, Default)]
#[must_use = "the task waits"]
pub(crate) struct Wake {
    #[cfg(feature = "tokio")]
    waker: Option<std::task::Waker>,
}

impl Wake {
    /// Wakes the task, if there is one.
    pub(crate) fn wake(self) {
        #[cfg(feature = "tokio")]
        if let Some(waker) = self.waker {
            waker.wake();
        }
    }
}
