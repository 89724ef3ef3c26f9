//! `CreateThread`: the threads in which programs for Windows wait.

use super::{or_last_error, succeeds};
use crate::error::Code;
use crate::process::PerProcess;
use crate::raw::{
    ERROR_GEN_FAILURE, HANDLE, LPTHREAD_START_ROUTINE, STACK_SIZE_PARAM_IS_A_RESERVATION, STILL_ACTIVE,
};
use crate::{event, guard};
use std::collections::HashMap;
use std::ffi::c_void;
use std::os::fd::{AsFd, IntoRawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// What threads returned, by their handles; until those are closed.
static THREADS: PerProcess<Mutex<HashMap<usize, Arc<AtomicU32>>>> = PerProcess::new();

/// What the program's thread begins with.
struct Start {
    routine: unsafe extern "system" fn(*mut c_void) -> u32,
    argument: *mut c_void,
}

// SAFETY: the program gave both for another thread; the pointer is not followed here.
unsafe impl Send for Start {}

/// `CreateThread`: a thread, and a handle that is set when it has ended. NULL with the last error `ERROR_NOT_SUPPORTED` for
/// a security descriptor and for one that is to begin suspended.
#[doc(alias = "CreateThread")]
pub unsafe fn create_thread(
    attributes: *const c_void,
    stack: usize,
    routine: LPTHREAD_START_ROUTINE,
    argument: *mut c_void,
    flags: u32,
    id: *mut u32,
) -> HANDLE {
    let created = || {
        let routine = routine.ok_or(Code::INVALID_PARAMETER)?;
        if !attributes.is_null() || flags & !STACK_SIZE_PARAM_IS_A_RESERVATION != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        let ended = event::make()?;
        let its_end = ended.try_clone().map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        let handle = event::handle_of(ended.as_fd(), true);
        let result = Arc::new(AtomicU32::new(STILL_ACTIVE));
        let its_result = Arc::clone(&result);
        let (tell, told) = mpsc::channel();
        let start = Start { routine, argument };
        let mut builder = std::thread::Builder::new();
        // Windows' own default is 1 MiB, Linux' usually 8.
        if stack > 1 << 20 {
            builder = builder.stack_size(stack);
        }
        let body = move || {
            let Start { routine, argument } = { start };
            let _listener = tell.send(rustix::thread::gettid());
            // SAFETY: the program promised a function of this type.
            let code = unsafe { routine(argument) };
            its_result.store(code, Ordering::Release);
            event::set(its_end);
        };
        let _detached = builder.spawn(body).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        let number = told.recv().map_or(0, |number| number.as_raw_nonzero().get().cast_unsigned());
        let _none =
            THREADS.get().lock().unwrap_or_else(PoisonError::into_inner).insert(handle.addr(), result);
        if !id.is_null() {
            // SAFETY: the caller's promise.
            unsafe { id.write_unaligned(number) };
        }
        // The program's, which closes it.
        let _descriptor = ended.into_raw_fd();
        Ok(handle)
    };
    or_last_error(guard::caught(created, Err(Code::verbatim(ERROR_GEN_FAILURE))), std::ptr::null_mut())
}

/// `GetExitCodeThread`: what the thread returned, `STILL_ACTIVE` (259) before that.
#[doc(alias = "GetExitCodeThread")]
pub unsafe fn get_exit_code_thread(handle: HANDLE, code: *mut u32) -> i32 {
    succeeds(|| {
        let threads = THREADS.get().lock().unwrap_or_else(PoisonError::into_inner);
        let result = threads.get(&handle.addr()).ok_or(Code::INVALID_HANDLE)?.load(Ordering::Acquire);
        if code.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        unsafe { code.write_unaligned(result) };
        Ok(())
    })
}

/// A handle is closed: nobody can ask any more.
pub(super) fn forget(handle: HANDLE) {
    drop(THREADS.get().lock().unwrap_or_else(PoisonError::into_inner).remove(&handle.addr()));
}
