//! `EnableRouter` and `UnenableRouter`.

use crate::error::{Code, Win32};
use crate::process::PerProcess;
use crate::raw::{ERROR_IO_PENDING, HANDLE};
use crate::{guard, host};
use iphelper::router::RouterReference;
use std::ffi::{c_int, c_void};
use std::sync::{Mutex, Once, PoisonError};

/// What `UnenableRouter` says of the references that are left, whatever their number: its page has this constant.
const COUNT: u32 = u32::MAX / 2;

/// The references of this process, each with the `OVERLAPPED` that it was made with.
static REFERENCES: PerProcess<Mutex<Vec<(usize, RouterReference)>>> = PerProcess::new();

/// `EnableRouter`: this host forwards IPv4 packets until each call was taken back by `UnenableRouter`, or the process ends.
///
/// Success is `ERROR_IO_PENDING`. The handle is of no use, and NULL; the event of `overlapped` is never signalled.
#[doc(alias = "EnableRouter")]
pub unsafe fn enable_router(handle: *mut HANDLE, overlapped: *mut c_void) -> u32 {
    guard::status::<Win32>(|| {
        if handle.is_null() || overlapped.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let reference = host::current()?.enable_router()?;
        let references = REFERENCES.get();
        references.lock().unwrap_or_else(PoisonError::into_inner).push((overlapped.addr(), reference));
        release_at_exit();
        // SAFETY: the caller's promise on `handle`.
        unsafe { handle.write_unaligned(std::ptr::null_mut()) };
        Err(Code::verbatim(ERROR_IO_PENDING))
    })
}

/// `UnenableRouter`: takes one `EnableRouter` with this `overlapped` back. `ERROR_INVALID_PARAMETER` where there is none.
#[doc(alias = "UnenableRouter")]
pub unsafe fn unenable_router(overlapped: *mut c_void, count: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        let reference = {
            let mut references = REFERENCES.get().lock().unwrap_or_else(PoisonError::into_inner);
            let place = references.iter().rposition(|(made_with, _)| *made_with == overlapped.addr());
            references.remove(place.ok_or(Code::INVALID_PARAMETER)?).1
        };
        let _left = reference.release()?;
        if !count.is_null() {
            // SAFETY: the caller's promise on `count`.
            unsafe { count.write_unaligned(COUNT) };
        }
        Ok(())
    })
}

/// A process that ends without taking its calls back puts the host back as it was. One that is killed cannot.
fn release_at_exit() {
    static REGISTERED: Once = Once::new();
    unsafe extern "C" {
        fn atexit(function: extern "C" fn()) -> c_int;
    }
    extern "C" fn release() {
        guard::caught(
            || {
                let references = REFERENCES.get();
                let mut references = references.lock().unwrap_or_else(PoisonError::into_inner);
                references.clear();
            },
            (),
        );
    }
    REGISTERED.call_once(|| {
        // SAFETY: the function lives as long as this library, whose own exit runs it if it is unloaded before.
        let _without_memory = unsafe { atexit(release) };
    });
}
