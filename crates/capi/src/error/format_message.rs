//! `FormatMessageA` and `FormatMessageW` for the codes of this library.
//!
//! A text ends with CR LF, as Windows' own do, unless `FORMAT_MESSAGE_MAX_WIDTH_MASK` is given. No text has inserts, so
//! arguments and `FORMAT_MESSAGE_IGNORE_INSERTS` change nothing. There is one language, and no module has texts.

use super::{last_error, messages};
use crate::memory::{self, Kind};
use crate::raw::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_MR_MID_NOT_FOUND, ERROR_NOT_ENOUGH_MEMORY,
    ERROR_NOT_SUPPORTED,
};
use crate::{guard, text};
use std::ffi::c_void;
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_ALLOCATE_BUFFER, FORMAT_MESSAGE_ARGUMENT_ARRAY, FORMAT_MESSAGE_FROM_HMODULE,
    FORMAT_MESSAGE_FROM_STRING, FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS,
};

const MAX_WIDTH_MASK: u32 = 0xFF;
const KNOWN_FLAGS: u32 = FORMAT_MESSAGE_ALLOCATE_BUFFER
    | FORMAT_MESSAGE_ARGUMENT_ARRAY
    | FORMAT_MESSAGE_FROM_HMODULE
    | FORMAT_MESSAGE_FROM_STRING
    | FORMAT_MESSAGE_FROM_SYSTEM
    | FORMAT_MESSAGE_IGNORE_INSERTS
    | MAX_WIDTH_MASK;

/// `FormatMessageW`: writes the text of the code `id`, in UTF-16, and gives its length; 0 with a last error on failure.
///
/// With `FORMAT_MESSAGE_ALLOCATE_BUFFER`, `buffer` is the address of a pointer that receives a text to free with
/// `LocalFree`, of `size` characters at least.
///
/// Last errors: `ERROR_MR_MID_NOT_FOUND` for a code without a text; `ERROR_INSUFFICIENT_BUFFER`;
/// `ERROR_INVALID_PARAMETER` for NULL, unknown flags and no source; `ERROR_NOT_SUPPORTED` for texts of the caller
/// (`FORMAT_MESSAGE_FROM_STRING`) or of a module alone, which this library does not have.
#[doc(alias = "FormatMessageW")]
pub unsafe fn wide(
    flags: u32,
    _source: *const c_void,
    id: u32,
    _language: u32,
    buffer: *mut u16,
    size: u32,
    _arguments: *mut c_void,
) -> u32 {
    // SAFETY: the caller's promise on `buffer`.
    unsafe { format(flags, id, buffer, size, |text| text.encode_utf16().collect()) }
}

/// `FormatMessageA`: as [`wide()`], in ASCII.
#[doc(alias = "FormatMessageA")]
pub unsafe fn narrow(
    flags: u32,
    _source: *const c_void,
    id: u32,
    _language: u32,
    buffer: *mut u8,
    size: u32,
    _arguments: *mut c_void,
) -> u32 {
    // SAFETY: the caller's promise on `buffer`.
    unsafe { format(flags, id, buffer, size, |text| text.as_bytes().to_vec()) }
}

/// # Safety
/// `buffer` is NULL, has `size` units, or points to a pointer where the flags say so.
unsafe fn format<U: Copy + Default>(
    flags: u32,
    id: u32,
    buffer: *mut U,
    size: u32,
    units: impl FnOnce(&str) -> Vec<U>,
) -> u32 {
    let written = || {
        if buffer.is_null() || flags & !KNOWN_FLAGS != 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // Of a module and the system Windows asks the module first; no module has texts here.
        match (
            flags & FORMAT_MESSAGE_FROM_SYSTEM,
            flags & (FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_FROM_HMODULE),
        ) {
            (FORMAT_MESSAGE_FROM_SYSTEM, others) if others & FORMAT_MESSAGE_FROM_STRING == 0 => {}
            (0, 0) => return Err(ERROR_INVALID_PARAMETER),
            _ => return Err(ERROR_NOT_SUPPORTED),
        }
        let text = messages::of(id).ok_or(ERROR_MR_MID_NOT_FOUND)?;
        let end = if flags & MAX_WIDTH_MASK == MAX_WIDTH_MASK { "" } else { "\r\n" };
        let units = units(&format!("{text}{end}"));
        // SAFETY: the caller's promise; memory just allocated has the room that was asked for.
        unsafe {
            if flags & FORMAT_MESSAGE_ALLOCATE_BUFFER != 0 {
                let result = buffer.cast::<*mut c_void>();
                result.write_unaligned(std::ptr::null_mut());
                let room = (units.len() + 1).max(size as usize);
                let memory = room
                    .checked_mul(size_of::<U>())
                    .and_then(|bytes| memory::allocate(Kind::Local, bytes))
                    .ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
                let _fits = text::write(memory.as_ptr().cast::<U>(), room, &units);
                result.write_unaligned(memory.as_ptr());
            } else if !text::write(buffer, size as usize, &units) {
                return Err(ERROR_INSUFFICIENT_BUFFER);
            }
        }
        Ok(u32::try_from(units.len()).unwrap_or(0))
    };
    guard::caught(written, Err(ERROR_MR_MID_NOT_FOUND)).unwrap_or_else(|code| {
        last_error::set(code);
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::{null, null_mut};

    /// `FormatMessageA` into a buffer of `size` bytes: the text, or the last error.
    fn text(flags: u32, id: u32, size: usize) -> Result<String, u32> {
        let mut buffer = vec![0xA5_u8; size + 8];
        // SAFETY: the buffer has `size` bytes and more.
        let len = unsafe {
            narrow(flags, null(), id, 0, buffer.as_mut_ptr(), u32::try_from(size).unwrap(), null_mut())
        };
        assert_eq!(buffer[size..], [0xA5; 8], "written behind the buffer");
        if len == 0 {
            return Err(last_error::get());
        }
        assert_eq!(buffer[len as usize], 0, "no terminator");
        Ok(String::from_utf8(buffer[..len as usize].to_vec()).unwrap())
    }

    #[test]
    fn texts_end_as_windows_texts_do() {
        assert_eq!(text(FORMAT_MESSAGE_FROM_SYSTEM, 87, 100).unwrap(), "A parameter is wrong.\r\n");
        let plain = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | MAX_WIDTH_MASK;
        assert_eq!(text(plain, 87, 100).unwrap(), "A parameter is wrong.");
    }

    #[test]
    fn failures_have_their_last_error() {
        let system = FORMAT_MESSAGE_FROM_SYSTEM;
        assert_eq!(text(system, 0x1234_5678, 100), Err(ERROR_MR_MID_NOT_FOUND));
        assert_eq!(text(0, 87, 100), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(text(system | 0x8000_0000, 87, 100), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(text(FORMAT_MESSAGE_FROM_STRING, 87, 100), Err(ERROR_NOT_SUPPORTED));
        assert_eq!(text(FORMAT_MESSAGE_FROM_HMODULE, 87, 100), Err(ERROR_NOT_SUPPORTED));
        // SAFETY: NULL is refused.
        assert_eq!(unsafe { wide(system, null(), 87, 0, null_mut(), 10, null_mut()) }, 0);
        assert_eq!(last_error::get(), ERROR_INVALID_PARAMETER);
        let whole = text(system, 87, 100).unwrap().len();
        for size in 0..=whole {
            assert_eq!(text(system, 87, size), Err(ERROR_INSUFFICIENT_BUFFER), "{size}");
        }
        assert_eq!(text(system, 87, whole + 1).unwrap().len(), whole);
    }

    #[test]
    fn a_text_may_be_allocated() {
        let mut allocated: *mut u16 = null_mut();
        let flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER;
        // SAFETY: with this flag the buffer is the address of a pointer; what it receives has as many units as the
        // answer says and a terminator, until it is freed.
        unsafe {
            let len = wide(flags, null(), 1168, 0, (&raw mut allocated).cast(), 500, null_mut());
            let units = std::slice::from_raw_parts(allocated, len as usize + 1);
            assert_eq!(String::from_utf16_lossy(units), "Not found.\r\n\0");
            assert!(memory::local_free(allocated.cast()).is_null());
        }
    }
}
