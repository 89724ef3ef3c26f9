//! Wide texts that a caller frees, and lists in texts.

use crate::error::Code;
use crate::memory::{self, Kind};
use crate::text;
use std::ffi::c_void;
use std::ptr::null_mut;

/// A longer text of a caller is refused.
const LONGEST: usize = 1 << 15;

/// Blocks that are freed again unless all of them could be had.
#[derive(Debug, Default)]
pub(super) struct Strings(Vec<*mut c_void>);

impl Strings {
    /// A block of so many bytes, zeroed.
    pub(super) fn block(&mut self, size: usize) -> Result<*mut c_void, Code> {
        let block = memory::allocate(Kind::Dns, size).ok_or(Code::NOT_ENOUGH_MEMORY)?.as_ptr();
        self.0.push(block);
        Ok(block)
    }

    /// A copy of a text with its terminator; NULL for none.
    pub(super) fn text(&mut self, text: &str) -> Result<*mut u16, Code> {
        if text.is_empty() {
            return Ok(null_mut());
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        let block = self.block((units.len() + 1) * size_of::<u16>())?.cast::<u16>();
        // SAFETY: the block has room for the units and one more.
        let _fits = unsafe { text::write(block, units.len() + 1, &units) };
        Ok(block)
    }

    /// Leaves the blocks to the caller.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Strings {
    fn drop(&mut self) {
        for block in &self.0 {
            // SAFETY: a block of ours that nobody else has seen.
            let _ours = unsafe { memory::free(Kind::Dns, *block) };
        }
    }
}

/// Frees a block of ours and leaves NULL.
///
/// # Safety
/// As for [`memory::free`].
pub(super) unsafe fn free<T>(block: &mut *mut T) {
    // SAFETY: the caller's promise.
    let _ours = unsafe { memory::free(Kind::Dns, block.cast()) };
    *block = null_mut();
}

/// A caller's text; NULL is an empty one.
///
/// # Safety
/// `text` is NULL or ends with a zero.
pub(super) unsafe fn read(text: *const u16) -> Result<String, Code> {
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the caller's promise.
    let units = unsafe { text::read(text, LONGEST) }.ok_or(Code::INVALID_PARAMETER)?;
    String::from_utf16(&units).map_err(|_| Code::INVALID_PARAMETER)
}

/// The items of a list.
pub(super) fn items(list: &str) -> Vec<String> {
    let is_between = |c: char| c == ',' || c == ';' || c.is_ascii_whitespace();
    list.split(is_between).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
