//! `RegisterWaitForSingleObject`: a function that is called when an event is set.
//!
//! Each registration has a thread of its own, so that a function that takes its time delays no other.

use super::{deadline, succeeds, waited};
use crate::error::Code;
use crate::event;
use crate::process::{self, PerProcess};
use crate::raw::{ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE, WAITORTIMERCALLBACK, WT_EXECUTEONLYONCE};
use rustix::event::{PollFd, PollFlags};
use std::collections::HashMap;
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// The registrations of this process by their handles.
#[derive(Debug, Default)]
struct Registered {
    next: usize,
    waits: HashMap<usize, Arc<Wait>>,
}

static REGISTERED: PerProcess<Mutex<Registered>> = PerProcess::new();

fn registered() -> MutexGuard<'static, Registered> {
    REGISTERED.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// One registration, which its thread and its handle share.
#[derive(Debug)]
struct Wait {
    object: OwnedFd,
    manual: bool,
    milliseconds: u32,
    once: bool,
    call: Call,
    /// Wakes the thread when the registration ends.
    stop: OwnedFd,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    /// The thread inside the program's function.
    calling: Option<ThreadId>,
    /// Who is told when nothing is called any more.
    completion: Option<OwnedFd>,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    routine: unsafe extern "system" fn(*mut c_void, bool),
    context: *mut c_void,
}

// SAFETY: the program gave both to be used on another thread; the pointer is not followed here.
unsafe impl Send for Call {}
// SAFETY: as above.
unsafe impl Sync for Call {}

/// `RegisterWaitForSingleObject`: calls `routine` each time the event is set, or each time `milliseconds` have gone without;
/// with `WT_EXECUTEONLYONCE` once. The other flags choose among Windows' threads, and change nothing.
#[doc(alias = "RegisterWaitForSingleObject")]
pub unsafe fn register_wait(
    handle: *mut HANDLE,
    object: HANDLE,
    routine: WAITORTIMERCALLBACK,
    context: *mut c_void,
    milliseconds: u32,
    flags: u32,
) -> i32 {
    succeeds(|| {
        let routine = routine.ok_or(Code::INVALID_PARAMETER)?;
        if handle.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let wait = Arc::new(Wait {
            object: event::of_handle(object)?,
            manual: event::is_manual(object),
            milliseconds,
            once: flags & WT_EXECUTEONLYONCE != 0,
            call: Call { routine, context },
            stop: event::make()?,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let number = {
            let mut registered = registered();
            registered.next += 1;
            // Far from the handles of events, which are small numbers, and of echo requests.
            let number = 0x3000_0000 + registered.next * 4;
            let _none = registered.waits.insert(number, Arc::clone(&wait));
            number
        };
        // Before the first call, which may use it.
        // SAFETY: the caller's promise.
        unsafe { handle.write_unaligned(std::ptr::without_provenance_mut(number)) };
        let started = process::quiet_thread("iphelper-wait", move || wait.run());
        started.inspect_err(|_| drop(registered().waits.remove(&number)))
    })
}

/// `UnregisterWait`: as [`unregister_wait_ex`] without an event.
#[doc(alias = "UnregisterWait")]
#[must_use]
pub fn unregister_wait(handle: HANDLE) -> i32 {
    unregister_wait_ex(handle, std::ptr::null_mut())
}

/// `UnregisterWaitEx`: no call begins any more when it returns. FALSE with the last error `ERROR_IO_PENDING` while one goes on:
/// then `completion` is set after it. With `INVALID_HANDLE_VALUE` it waits for that, unless it is called from there.
#[doc(alias = "UnregisterWaitEx")]
#[must_use]
pub fn unregister_wait_ex(handle: HANDLE, completion: HANDLE) -> i32 {
    succeeds(|| {
        let waits_for_calls = completion == INVALID_HANDLE_VALUE;
        let completion =
            if completion.is_null() || waits_for_calls { None } else { Some(event::of_handle(completion)?) };
        let wait = registered().waits.remove(&handle.addr()).ok_or(Code::INVALID_HANDLE)?;
        let mut state = wait.state();
        state.stopped = true;
        event::set(&wait.stop);
        if waits_for_calls {
            let this = std::thread::current().id();
            while state.calling.is_some_and(|calling| calling != this) {
                state = wait.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            return Ok(());
        }
        if state.calling.is_some() {
            state.completion = completion;
            return Err(Code::verbatim(ERROR_IO_PENDING));
        }
        if let Some(completion) = completion {
            event::set(completion);
        }
        Ok(())
    })
}

impl Wait {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let mut polled =
                [PollFd::new(&self.stop, PollFlags::IN), PollFd::new(&self.object, PollFlags::IN)];
            let Ok(is_set) = waited(&mut polled, deadline(self.milliseconds)) else { return };
            let mut state = self.state();
            if state.stopped {
                return;
            }
            // Somebody else may have been sooner with an event that resets itself.
            if is_set && !self.manual && !event::reset(&self.object) {
                continue;
            }
            state.calling = Some(std::thread::current().id());
            drop(state);
            // SAFETY: the program promised a function of this type, and keeps the context until it ended the registration.
            unsafe { (self.call.routine)(self.call.context, !is_set) };
            let mut state = self.state();
            state.calling = None;
            self.changed.notify_all();
            if let Some(completion) = state.completion.take() {
                event::set(completion);
            }
            if self.once || state.stopped {
                return;
            }
        }
    }
}
