//! Buffers that the caller brings, with their size in bytes: too small a one learns the size it should have.

use super::gaps;
use crate::error::Code;
use crate::raw::Table;
use std::ffi::c_void;

/// A caller's buffer and its size, neither of which need be aligned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    start: *mut u8,
    size: *mut u32,
}

impl Buffer {
    /// [`Code::INVALID_PARAMETER`] without a size; a buffer of NULL is one of no bytes.
    pub(crate) fn new(start: *mut c_void, size: *mut u32) -> Result<Self, Code> {
        if size.is_null() { Err(Code::INVALID_PARAMETER) } else { Ok(Self { start: start.cast(), size }) }
    }

    /// The buffer's beginning if it has `needed` bytes, else [`Code::INSUFFICIENT_BUFFER`] with `needed` stored.
    ///
    /// # Safety
    /// `size` may be read and written, and `start` is NULL or has as many bytes as it says.
    pub(crate) unsafe fn room(self, needed: usize) -> Result<*mut u8, Code> {
        let needed = u32::try_from(needed).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        // SAFETY: the caller's promise.
        unsafe {
            if self.start.is_null() || self.size.read_unaligned() < needed {
                self.size.write_unaligned(needed);
                return Err(Code::INSUFFICIENT_BUFFER);
            }
        }
        Ok(self.start)
    }

    /// Writes a table of `rows` if it fits.
    ///
    /// # Safety
    /// As for [`room`](Self::room).
    pub(crate) unsafe fn table<T: Table>(self, rows: &[T::Row]) -> Result<(), Code> {
        let count = u32::try_from(rows.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        // SAFETY: `room` gives as many bytes as are written: the count at the beginning, the rows at `ROWS_AT`. They are
        // copied as bytes, which need no alignment.
        unsafe {
            let start = self.room(T::ROWS_AT.saturating_add(size_of_val(rows)))?;
            start.cast::<u32>().write_unaligned(count);
            start.add(size_of::<u32>()).write_bytes(0, T::ROWS_AT - size_of::<u32>());
            gaps::write_all(start.add(T::ROWS_AT).cast::<T::Row>(), rows);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::{MIB_TCPROW_OWNER_MODULE, MIB_TCPTABLE_OWNER_MODULE};

    const GUARD: u8 = 0xA5;

    /// Fills a buffer of `size` bytes, at an odd address, with `rows` rows; gives the outcome, the size and the bytes.
    fn fill(rows: usize, size: usize) -> (Result<(), Code>, usize, Vec<u8>) {
        let rows = vec![MIB_TCPROW_OWNER_MODULE { dwOwningPid: 0x0102_0304, ..Default::default() }; rows];
        let mut memory = vec![GUARD; size + 64];
        let mut stated = u32::try_from(size).unwrap();
        let odd = 1 + memory.as_ptr().addr() % 2;
        let buffer = Buffer::new(memory[odd..].as_mut_ptr().cast(), &raw mut stated).unwrap();
        // SAFETY: behind `odd` the memory has more than `size` bytes.
        let outcome = unsafe { buffer.table::<MIB_TCPTABLE_OWNER_MODULE>(&rows) };
        assert!(memory[odd + size..].iter().all(|byte| *byte == GUARD), "written behind the buffer");
        (outcome, stated as usize, memory[odd..odd + size].to_vec())
    }

    #[test]
    fn every_size_from_none_to_plenty() {
        for rows in 0..3 {
            let needed = 8 + rows * 160;
            for size in 0..needed + 20 {
                let (outcome, stated, bytes) = fill(rows, size);
                if size < needed {
                    assert_eq!(
                        (outcome, stated),
                        (Err(Code::INSUFFICIENT_BUFFER), needed),
                        "{rows} rows, {size}"
                    );
                    assert!(bytes.iter().all(|byte| *byte == GUARD), "written though too small");
                } else {
                    assert_eq!((outcome, stated), (Ok(()), size), "{rows} rows, {size}");
                    assert_eq!(bytes[..4], u32::try_from(rows).unwrap().to_ne_bytes());
                    for row in 0..rows {
                        let pid = 8 + row * 160 + 20;
                        assert_eq!(bytes[pid..pid + 4], 0x0102_0304_u32.to_ne_bytes());
                    }
                }
            }
        }
    }

    #[test]
    fn no_buffer_is_too_small_a_one() {
        let mut size = 4096;
        let buffer = Buffer::new(std::ptr::null_mut(), &raw mut size).unwrap();
        // SAFETY: `size` is a live variable, the buffer NULL.
        assert_eq!(unsafe { buffer.room(24) }, Err(Code::INSUFFICIENT_BUFFER));
        assert_eq!(size, 24);
        assert!(Buffer::new(std::ptr::null_mut(), std::ptr::null_mut()).is_err());
    }
}
