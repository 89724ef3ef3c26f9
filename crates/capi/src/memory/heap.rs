//! Tables in memory of the C library's heap, which the caller gives back with `HeapFree`.

use super::gaps;
use crate::error::Code;
use crate::raw::{HANDLE, Table};

/// Answers with a table of `rows` in memory that `HeapFree` frees; a failure stores NULL.
///
/// The headers' heap is the C library's, whatever its handle.
///
/// # Safety
/// `table` is NULL or may be written.
pub(crate) unsafe fn answer<T: Table>(
    table: *mut *mut std::ffi::c_void,
    heap: HANDLE,
    rows: impl FnOnce() -> Result<Vec<T::Row>, Code>,
) -> Result<(), Code> {
    if table.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; it may be unaligned.
    unsafe { table.write_unaligned(std::ptr::null_mut()) };
    if heap.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    let rows = rows()?;
    let count = u32::try_from(rows.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
    let size = T::ROWS_AT.saturating_add(size_of_val(rows.as_slice())).max(size_of::<T>());
    // SAFETY: memory of that size, or NULL; the count and the rows behind it fit. `calloc` aligns for every row.
    unsafe {
        let block = libc::calloc(1, size).cast::<u8>();
        if block.is_null() {
            return Err(Code::NOT_ENOUGH_MEMORY);
        }
        block.cast::<u32>().write(count);
        let first = block.add(T::ROWS_AT).cast::<T::Row>();
        gaps::write_all(first, &rows);
        table.write_unaligned(block.cast());
    }
    Ok(())
}
