//! Procedures that a thread calls in an alertable wait.
//!
//! The waits themselves (`SleepEx`, `WaitForSingleObjectEx`) are in `wait.rs`, and ask here.

use crate::error::Code;
use crate::event;
use crate::raw::{IO_STATUS_BLOCK, IO_STATUS_BLOCK_0, STATUS_SUCCESS};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

/// What is called: the caller's context, what came of the operation, a number without a meaning.
pub(crate) type Routine = unsafe extern "system" fn(*mut c_void, *mut IO_STATUS_BLOCK, u32);

/// A call that a thread owes.
#[derive(Clone, Copy, Debug)]
struct Call {
    routine: Routine,
    context: *mut c_void,
}

// SAFETY: the pointer is handed back to the caller's routine, on the caller's own thread, and never followed here.
unsafe impl Send for Call {}

/// The calls that one thread owes, and the event that is set while there are some.
#[derive(Debug)]
struct Queue {
    process: u32,
    calls: Mutex<VecDeque<Call>>,
    event: OwnedFd,
}

thread_local! {
    static QUEUE: RefCell<Option<Arc<Queue>>> = const { RefCell::new(None) };
}

/// This thread's queue. The copy in a forked child's is none of its own: calls are owed to its parent.
fn queue() -> Result<Arc<Queue>, Code> {
    let process = std::process::id();
    let kept = QUEUE.try_with(|queue| queue.borrow().clone()).ok().flatten();
    if let Some(queue) = kept.filter(|queue| queue.process == process) {
        return Ok(queue);
    }
    let made = Arc::new(Queue { process, calls: Mutex::default(), event: event::make()? });
    let _kept = QUEUE.try_with(|queue| queue.replace(Some(Arc::clone(&made))));
    Ok(made)
}

/// A call and the thread that is to make it.
#[derive(Debug)]
pub(super) struct Destination {
    queue: Arc<Queue>,
    call: Call,
}

impl Destination {
    pub(super) fn of_this_thread(routine: Routine, context: *mut c_void) -> Result<Self, Code> {
        Ok(Self { queue: queue()?, call: Call { routine, context } })
    }

    /// The operation is done: the thread calls when it waits next.
    pub(super) fn post(self) {
        let mut calls = self.queue.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push_back(self.call);
        event::set(&self.queue.event);
    }
}

/// The event that is set while this thread owes calls.
pub(crate) fn event() -> Result<OwnedFd, Code> {
    queue()?.event.try_clone().map_err(|_| Code::NOT_ENOUGH_MEMORY)
}

/// Calls what this thread owes; whether there was any.
pub(crate) fn call() -> bool {
    let Ok(queue) = queue() else { return false };
    let mut called = false;
    loop {
        let call = {
            let mut calls = queue.calls.lock().unwrap_or_else(PoisonError::into_inner);
            let call = calls.pop_front();
            if calls.is_empty() {
                let _was_set = event::reset(&queue.event);
            }
            call
        };
        let Some(Call { routine, context }) = call else { return called };
        let mut block =
            IO_STATUS_BLOCK { Anonymous: IO_STATUS_BLOCK_0 { Status: STATUS_SUCCESS }, Information: 0 };
        // SAFETY: the caller promised a routine of this type, and waits alertably on its own thread.
        unsafe { routine(context, &raw mut block, 0) };
        called = true;
    }
}
