//! Events, and waiting for them: what programs for Windows do with the asynchronous functions.
//!
//! An event is an eventfd, and its handle tells which (`event.rs`). A thread's handle is an event, too.

pub mod critical_section;
pub mod overlapped;
pub mod registered;
pub mod thread;

use crate::error::{Code, last_error};
use crate::icmp::apc;
use crate::raw::{
    ERROR_GEN_FAILURE, HANDLE, INFINITE, MAXIMUM_WAIT_OBJECTS, WAIT_FAILED, WAIT_IO_COMPLETION,
    WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use crate::{event, guard};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::ffi::c_void;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd};
use std::time::{Duration, Instant};

/// `CreateEventA`: an event that one wait takes, or with `manual` one that stays set.
///
/// NULL with the last error `ERROR_NOT_SUPPORTED` for a name or a security descriptor: events belong to this process.
#[doc(alias = "CreateEvent")]
#[must_use]
pub fn create_event_a(attributes: *const c_void, manual: i32, initial: i32, name: *const u8) -> HANDLE {
    create_event(attributes.is_null() && name.is_null(), manual != 0, initial != 0)
}

/// `CreateEventW`: as [`create_event_a`].
#[must_use]
pub fn create_event_w(attributes: *const c_void, manual: i32, initial: i32, name: *const u16) -> HANDLE {
    create_event(attributes.is_null() && name.is_null(), manual != 0, initial != 0)
}

fn create_event(is_plain: bool, manual: bool, initial: bool) -> HANDLE {
    let created = || {
        if !is_plain {
            return Err(Code::NOT_SUPPORTED);
        }
        let event = event::make()?;
        if initial {
            event::set(&event);
        }
        let handle = event::handle_of(event.as_fd(), manual);
        // The program's, which closes it.
        let _number = event.into_raw_fd();
        Ok(handle)
    };
    or_last_error(guard::caught(created, Err(Code::NOT_ENOUGH_MEMORY)), std::ptr::null_mut())
}

/// `SetEvent`. `FALSE` with the last error `ERROR_INVALID_HANDLE` for what is no event, as the others.
#[doc(alias = "SetEvent")]
#[must_use]
pub fn set_event(handle: HANDLE) -> i32 {
    succeeds(|| event::named(handle).map(event::set))
}

/// `ResetEvent`.
#[doc(alias = "ResetEvent")]
#[must_use]
pub fn reset_event(handle: HANDLE) -> i32 {
    succeeds(|| {
        let _was_set = event::reset(event::named(handle)?);
        Ok(())
    })
}

/// `CloseHandle`, of events and threads. Handles that functions of this library lend are left open.
#[doc(alias = "CloseHandle")]
#[must_use]
pub fn close_handle(handle: HANDLE) -> i32 {
    succeeds(|| {
        thread::forget(handle);
        event::close(handle)
    })
}

/// `WaitForSingleObject`.
#[doc(alias = "WaitForSingleObject")]
#[must_use]
pub fn wait_for_single_object(handle: HANDLE, milliseconds: u32) -> u32 {
    caught(|| wait(&[handle], false, milliseconds, false))
}

/// `WaitForSingleObjectEx`: in an alertable wait the thread's routines are called, which ends it.
#[doc(alias = "WaitForSingleObjectEx")]
#[must_use]
pub fn wait_for_single_object_ex(handle: HANDLE, milliseconds: u32, alertable: i32) -> u32 {
    caught(|| wait(&[handle], false, milliseconds, alertable != 0))
}

/// `WaitForMultipleObjects`.
#[doc(alias = "WaitForMultipleObjects")]
pub unsafe fn wait_for_multiple_objects(
    count: u32,
    handles: *const HANDLE,
    all: i32,
    milliseconds: u32,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { wait_for_multiple_objects_ex(count, handles, all, milliseconds, 0) }
}

/// `WaitForMultipleObjectsEx`. `ERROR_INVALID_PARAMETER` for none, or more than 64.
#[doc(alias = "WaitForMultipleObjectsEx")]
pub unsafe fn wait_for_multiple_objects_ex(
    count: u32,
    handles: *const HANDLE,
    all: i32,
    milliseconds: u32,
    alertable: i32,
) -> u32 {
    caught(|| {
        if handles.is_null() || count == 0 || count > MAXIMUM_WAIT_OBJECTS {
            return Err(Code::INVALID_PARAMETER);
        }
        let count = usize::try_from(count).unwrap_or_default();
        // SAFETY: the caller's promise: so many are there, wherever they stand.
        let handles: Vec<HANDLE> = (0..count).map(|i| unsafe { handles.add(i).read_unaligned() }).collect();
        wait(&handles, all != 0, milliseconds, alertable != 0)
    })
}

/// `Sleep`.
#[doc(alias = "Sleep")]
pub fn sleep(milliseconds: u32) {
    let _ended = sleep_ex(milliseconds, 0);
}

/// `SleepEx`: an alertable sleep ends when routines were called, with `WAIT_IO_COMPLETION`; else 0.
#[doc(alias = "SleepEx")]
#[must_use]
pub fn sleep_ex(milliseconds: u32, alertable: i32) -> u32 {
    let result = caught(|| wait(&[], true, milliseconds, alertable != 0));
    if result == WAIT_IO_COMPLETION { result } else { 0 }
}

/// Waits for one event or all, and takes those that reset themselves.
fn wait(handles: &[HANDLE], all: bool, milliseconds: u32, alertable: bool) -> Result<u32, Code> {
    show_output();
    let deadline = deadline(milliseconds);
    let events = handles.iter().map(|handle| event::named(*handle)).collect::<Result<Vec<_>, _>>()?;
    let routines = if alertable { Some(apc::event()?) } else { None };
    // Of those that all are waited for: the ones that are set would end each wait at once.
    let mut passed_over = vec![false; events.len()];
    loop {
        if alertable && apc::call() {
            return Ok(WAIT_IO_COMPLETION);
        }
        let mut places = Vec::new();
        let mut polled = Vec::new();
        for (place, event) in events.iter().enumerate() {
            if !passed_over.get(place).is_some_and(|passed| *passed) {
                places.push(place);
                polled.push(PollFd::new(event, PollFlags::IN));
            }
        }
        if let Some(routines) = &routines {
            polled.push(PollFd::new(routines, PollFlags::IN));
        }
        if !waited(&mut polled, deadline)? {
            return Ok(WAIT_TIMEOUT);
        }
        let mut ready = vec![false; events.len()];
        for (place, polled) in places.iter().zip(&polled) {
            if polled.revents().contains(PollFlags::NVAL) {
                return Err(Code::INVALID_HANDLE);
            }
            if let Some(ready) = ready.get_mut(*place) {
                *ready = polled.revents().contains(PollFlags::IN);
            }
        }
        if all {
            for (passed, ready) in passed_over.iter_mut().zip(ready) {
                *passed |= ready;
            }
            if !events.is_empty() && passed_over.iter().all(|passed| *passed) {
                match take_all(handles, &events) {
                    None => return Ok(WAIT_OBJECT_0),
                    // Another waiter was sooner with one of them.
                    Some(missing) => {
                        passed_over.fill(true);
                        if let Some(passed) = passed_over.get_mut(missing) {
                            *passed = false;
                        }
                    }
                }
            }
        } else {
            for (place, ((handle, event), ready)) in handles.iter().zip(&events).zip(ready).enumerate() {
                if ready && take(*handle, *event) {
                    return Ok(WAIT_OBJECT_0 + u32::try_from(place).unwrap_or_default());
                }
            }
        }
    }
}

/// Takes all of these events, or none: the place of one that is not set.
fn take_all(handles: &[HANDLE], events: &[BorrowedFd<'_>]) -> Option<usize> {
    for (place, (handle, event)) in handles.iter().zip(events).enumerate() {
        if !take_or_look(*handle, *event) {
            for (handle, event) in handles.iter().zip(events).take(place) {
                if !event::is_manual(*handle) {
                    event::set(event);
                }
            }
            return Some(place);
        }
    }
    None
}

/// Takes an event that was found to be set: one that resets itself belongs to one waiter.
fn take(handle: HANDLE, event: BorrowedFd<'_>) -> bool {
    event::is_manual(handle) || event::reset(event)
}

/// As [`take`], of one that was found to be set some time ago.
fn take_or_look(handle: HANDLE, event: BorrowedFd<'_>) -> bool {
    if !event::is_manual(handle) {
        return event::reset(event);
    }
    let mut polled = [PollFd::new(&event, PollFlags::IN)];
    let _count = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled.iter().all(|polled| polled.revents().contains(PollFlags::IN))
}

/// The end of a wait; `None`: never.
fn deadline(milliseconds: u32) -> Option<Instant> {
    (milliseconds != INFINITE).then(|| Instant::now() + Duration::from_millis(milliseconds.into()))
}

/// Waits for descriptors: false when the time is over. An interrupted wait goes on.
fn waited(polled: &mut [PollFd<'_>], deadline: Option<Instant>) -> Result<bool, Code> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(polled, left.as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(_) => return Err(Code::NOT_ENOUGH_MEMORY),
        }
    }
}

/// On Windows a console shows what a program wrote before it waits; here the C library may hold it back.
///
/// Of one stream alone, and not while another thread uses it: a thread that reads its input keeps that stream's lock until
/// a line comes, and who flushes all streams waits for it.
fn show_output() {
    // SAFETY: the C library's own variable, which programs may replace before they start threads; each of the three takes the
    // stream that it names, whose lock counts the entries of one thread.
    unsafe {
        if !stdout.is_null() && ftrylockfile(stdout) == 0 {
            let _result = libc::fflush(stdout);
            funlockfile(stdout);
        }
    }
}

unsafe extern "C" {
    static stdout: *mut libc::FILE;
    fn ftrylockfile(stream: *mut libc::FILE) -> std::ffi::c_int;
    fn funlockfile(stream: *mut libc::FILE);
}

/// What a wait returns, and the last error where it failed.
fn caught(work: impl FnOnce() -> Result<u32, Code>) -> u32 {
    or_last_error(guard::caught(work, Err(Code::verbatim(ERROR_GEN_FAILURE))), WAIT_FAILED)
}

/// TRUE, or FALSE and the last error.
fn succeeds(work: impl FnOnce() -> Result<(), Code>) -> i32 {
    or_last_error(guard::caught(work, Err(Code::verbatim(ERROR_GEN_FAILURE))).map(|()| 1), 0)
}

fn or_last_error<T>(result: Result<T, Code>, failure: T) -> T {
    result.unwrap_or_else(|code| {
        last_error::set(code.win32());
        failure
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(manual: bool, initial: bool) -> HANDLE {
        create_event(true, manual, initial)
    }

    fn all(handles: &[HANDLE], milliseconds: u32) -> Result<u32, Code> {
        wait(handles, true, milliseconds, false)
    }

    #[test]
    fn all_are_taken_together_or_none() {
        let (automatic, manual, missing) = (event(false, true), event(true, true), event(false, false));
        assert_eq!(all(&[automatic, manual, missing], 5), Ok(WAIT_TIMEOUT));
        assert_eq!(all(&[automatic, manual], 0), Ok(WAIT_OBJECT_0), "none of them was taken before");
        assert_eq!(all(&[manual], 0), Ok(WAIT_OBJECT_0));
        assert_eq!(all(&[automatic], 0), Ok(WAIT_TIMEOUT));
        for handle in [automatic, manual, missing] {
            assert_eq!(close_handle(handle), 1);
            assert_eq!((close_handle(handle), last_error::get()), (0, 6));
        }
    }
}
