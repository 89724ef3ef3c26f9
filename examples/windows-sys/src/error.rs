//! What Windows' error codes say.

use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{LocalFree, NO_ERROR};
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_ALLOCATE_BUFFER, FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS, FormatMessageW,
};

/// A value, or a message for whoever started the program.
pub type Outcome<T> = std::result::Result<T, String>;

/// Nothing, or what the code of `function` means.
pub fn check(function: &str, code: u32) -> Outcome<()> {
    if code == NO_ERROR { Ok(()) } else { Err(format!("{function}: {code}: {}", text(code))) }
}

fn text(code: u32) -> String {
    let mut text: *mut u16 = null_mut();
    let flags = FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    // SAFETY: with ALLOCATE_BUFFER the function stores a pointer to as many characters as it returns.
    unsafe {
        let length = FormatMessageW(flags, null(), code, 0, (&raw mut text).cast(), 0, null());
        if length == 0 {
            return "no text".to_owned();
        }
        let message = String::from_utf16_lossy(std::slice::from_raw_parts(text, length as usize));
        LocalFree(text.cast());
        message.trim_end().to_owned()
    }
}
