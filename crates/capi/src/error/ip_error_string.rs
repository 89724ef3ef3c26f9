//! `GetIpErrorString`.

use super::{Code, Win32, messages};
use crate::raw::ERROR_MR_MID_NOT_FOUND;
use crate::{guard, text};

/// `GetIpErrorString`: what an `IP_STATUS` means. `size` is the room in characters without the terminator, then the length
/// of the text, also where that is the answer to `ERROR_INSUFFICIENT_BUFFER`. NULL as the buffer asks for the length.
#[doc(alias = "GetIpErrorString")]
pub unsafe fn ip_error_string(status: u32, buffer: *mut u16, size: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        if size.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let text = messages::of(status).ok_or(Code::verbatim(ERROR_MR_MID_NOT_FOUND))?;
        let units: Vec<u16> = text.encode_utf16().collect();
        let length = u32::try_from(units.len()).unwrap_or(u32::MAX);
        // SAFETY: the caller's promise: there is one character more than the size says.
        unsafe {
            let room = size.read_unaligned();
            size.write_unaligned(length);
            if buffer.is_null() || room < length {
                return Err(Code::INSUFFICIENT_BUFFER);
            }
            let _fits = text::write(buffer, units.len() + 1, &units);
        }
        Ok(())
    })
}
