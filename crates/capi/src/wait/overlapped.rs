//! `GetOverlappedResult`: what came of an operation in the background.

use super::{caught, deadline, or_last_error, wait};
use crate::error::{Code, last_error};
use crate::raw::{
    ERROR_GEN_FAILURE, ERROR_IO_INCOMPLETE, ERROR_MR_MID_NOT_FOUND, HANDLE, INFINITE, OVERLAPPED,
    STATUS_PENDING, WAIT_FAILED, WAIT_OBJECT_0,
};
use crate::{event, guard};
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

/// `GetOverlappedResult`: as [`get_overlapped_result_ex`], without an end of the wait, or without one.
#[doc(alias = "GetOverlappedResult")]
pub unsafe fn get_overlapped_result(
    handle: HANDLE,
    overlapped: *const OVERLAPPED,
    transferred: *mut u32,
    wait: i32,
) -> i32 {
    let milliseconds = if wait == 0 { 0 } else { INFINITE };
    // SAFETY: the caller's promise.
    unsafe { get_overlapped_result_ex(handle, overlapped, transferred, milliseconds, 0) }
}

/// `GetOverlappedResultEx`: TRUE when the operation is done and went well; else FALSE with the last error.
///
/// That is `ERROR_IO_INCOMPLETE` while it goes on and nobody waits, `WAIT_TIMEOUT` or `WAIT_IO_COMPLETION` where the wait ended
/// so, else the code of the status in `Internal`: `ERROR_OPERATION_ABORTED` for one that was cancelled. A wait is for the
/// event of `overlapped`, without one for `handle`.
#[doc(alias = "GetOverlappedResultEx")]
pub unsafe fn get_overlapped_result_ex(
    handle: HANDLE,
    overlapped: *const OVERLAPPED,
    transferred: *mut u32,
    milliseconds: u32,
    alertable: i32,
) -> i32 {
    let result = || {
        if overlapped.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `overlapped`.
        let status = unsafe { finished(handle, overlapped, milliseconds, alertable != 0) }?;
        if !transferred.is_null() {
            // SAFETY: the caller's promise on both.
            unsafe {
                let bytes = (&raw const (*overlapped).InternalHigh).read_unaligned();
                transferred.write_unaligned((bytes & 0xFFFF_FFFF) as u32);
            }
        }
        // Above are failures and warnings, as on Windows.
        if status >= 0 { Ok(1) } else { Err(Code::verbatim(win32_of(status))) }
    };
    or_last_error(guard::caught(result, Err(Code::verbatim(ERROR_GEN_FAILURE))), 0)
}

/// The status of an operation, once it is done.
///
/// # Safety
/// `overlapped` may be read.
unsafe fn finished(
    handle: HANDLE,
    overlapped: *const OVERLAPPED,
    milliseconds: u32,
    alertable: bool,
) -> Result<i32, Code> {
    let end = deadline(milliseconds);
    loop {
        // SAFETY: the caller's promise. Another thread writes it; what it wrote before is seen after the fence.
        let status = unsafe { (&raw const (*overlapped).Internal).read_unaligned() };
        fence(Ordering::Acquire);
        let status = ((status & 0xFFFF_FFFF) as u32).cast_signed();
        if status != STATUS_PENDING {
            return Ok(status);
        }
        if milliseconds == 0 {
            return Err(Code::verbatim(ERROR_IO_INCOMPLETE));
        }
        // SAFETY: as above.
        let event = unsafe { (&raw const (*overlapped).hEvent).read_unaligned() };
        let left = end.map_or(INFINITE, |end| {
            let left = end.saturating_duration_since(Instant::now());
            u32::try_from(left.as_millis()).unwrap_or(INFINITE - 1)
        });
        let waited = if event.is_null() { handle } else { event };
        match caught(|| wait(&[waited], false, left, alertable)) {
            WAIT_OBJECT_0 => {
                // A handle stands for all operations on it: another one's end must not end this wait over and over.
                if event.is_null()
                    && let Ok(event) = event::named(handle)
                {
                    let _was_set = event::reset(event);
                }
            }
            WAIT_FAILED => return Err(Code::verbatim(last_error::get())),
            ended => return Err(Code::verbatim(ended)),
        }
    }
}

/// The Win32 code of an NTSTATUS.
fn win32_of(status: i32) -> u32 {
    let status = status.cast_unsigned();
    let found = CODES.binary_search_by_key(&status, |(known, _)| *known);
    found.ok().and_then(|place| CODES.get(place)).map_or(ERROR_MR_MID_NOT_FOUND, |(_, win32)| *win32)
}

/// What Windows makes of the statuses that network functions have, in ascending order.
const CODES: &[(u32, u32)] = &[
    (0x8000_0005, 234),
    (0x8000_001A, 259),
    (0xC000_0001, 31),
    (0xC000_0002, 1),
    (0xC000_0003, 87),
    (0xC000_0004, 24),
    (0xC000_0005, 998),
    (0xC000_0008, 6),
    (0xC000_000D, 87),
    (0xC000_000E, 433),
    (0xC000_0010, 1),
    (0xC000_0017, 8),
    (0xC000_0022, 5),
    (0xC000_0023, 122),
    (0xC000_0024, 6),
    (0xC000_0033, 123),
    (0xC000_0034, 2),
    (0xC000_0035, 183),
    (0xC000_0043, 32),
    (0xC000_0061, 1314),
    (0xC000_009A, 1450),
    (0xC000_009D, 1167),
    (0xC000_00A3, 21),
    (0xC000_00B5, 121),
    (0xC000_00BB, 50),
    (0xC000_00BE, 53),
    (0xC000_00CC, 67),
    (0xC000_00E8, 1784),
    (0xC000_00EF, 87),
    (0xC000_00F0, 87),
    (0xC000_00F1, 87),
    (0xC000_0120, 995),
    (0xC000_0225, 1168),
    (0xC000_022A, 5010),
    (0xC000_022B, 5010),
    (0xC000_022D, 1237),
    (0xC000_0236, 1225),
    (0xC000_0239, 1228),
    (0xC000_023A, 1229),
    (0xC000_023C, 1231),
    (0xC000_023D, 1232),
    (0xC000_023E, 1233),
    (0xC000_023F, 1234),
    (0xC000_0240, 1235),
    (0xC000_0241, 1236),
    (0xC000_042C, 740),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::STATUS_CANCELLED;

    #[test]
    fn statuses_have_their_codes() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(win32_of(STATUS_CANCELLED), 995);
        assert_eq!(win32_of(0xC000_0022_u32.cast_signed()), 5);
        assert_eq!(win32_of(0xC0FF_FFFF_u32.cast_signed()), 317);
    }
}
