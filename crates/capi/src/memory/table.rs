//! Tables that this library allocates: the caller passes a pointer to a pointer and frees with one `FreeMibTable`.

use super::{Kind, allocate, gaps};
use crate::error::Code;
use crate::raw::Table;

/// Answers with a table of `rows`, made only if `table` is a place to put it.
///
/// A failure stores NULL, so that a caller who frees what it finds frees nothing. No rows are a failure where
/// `empty` is one: [`Code::NOT_FOUND`].
///
/// # Safety
/// `table` is NULL or may be written.
pub(crate) unsafe fn answer<T: Table>(
    table: *mut *mut T,
    empty: Option<Code>,
    rows: impl FnOnce() -> Result<Vec<T::Row>, Code>,
) -> Result<(), Code> {
    if table.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; it may be unaligned.
    unsafe { table.write_unaligned(std::ptr::null_mut()) };
    let rows = rows()?;
    match empty {
        Some(code) if rows.is_empty() => return Err(code),
        _ => {}
    }
    let made = allocate_rows::<T>(&rows)?;
    // SAFETY: as above.
    unsafe { table.write_unaligned(made) };
    Ok(())
}

fn allocate_rows<T: Table>(rows: &[T::Row]) -> Result<*mut T, Code> {
    let count = u32::try_from(rows.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
    let size = T::ROWS_AT.saturating_add(size_of_val(rows)).max(size_of::<T>());
    let block = allocate(Kind::Table, size).ok_or(Code::NOT_ENOUGH_MEMORY)?;
    // SAFETY: a table begins with its count, and the block has room for the rows at `ROWS_AT`. It is aligned to 16.
    unsafe {
        block.cast::<u32>().write(count);
        let first = block.cast::<u8>().add(T::ROWS_AT).cast::<T::Row>().as_ptr();
        gaps::write_all(first, rows);
    }
    Ok(block.as_ptr().cast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::{MIB_IFSTACK_ROW, MIB_IFSTACK_TABLE, MIB_IPINTERFACE_ROW, MIB_IPINTERFACE_TABLE};

    #[test]
    fn rows_stand_behind_the_count() {
        let row = |index| MIB_IPINTERFACE_ROW { InterfaceIndex: index, ..Default::default() };
        let mut table: *mut MIB_IPINTERFACE_TABLE = std::ptr::null_mut();
        // SAFETY: `table` is a live variable; then the table that `answer` made, with two rows.
        unsafe {
            answer(&raw mut table, None, || Ok(vec![row(7), row(8)])).unwrap();
            assert_eq!((*table).NumEntries, 2);
            let rows =
                std::slice::from_raw_parts((&raw const (*table).Table).cast::<MIB_IPINTERFACE_ROW>(), 2);
            assert_eq!((rows[0].InterfaceIndex, rows[1].InterfaceIndex), (7, 8));
            crate::memory::free_mib_table(table.cast());
        }
    }

    #[test]
    fn failures_leave_null() {
        let mut table: *mut MIB_IFSTACK_TABLE = std::ptr::dangling_mut();
        // SAFETY: `table` is a live variable or NULL.
        unsafe {
            let empty = answer(&raw mut table, Some(Code::NOT_FOUND), || Ok(Vec::<MIB_IFSTACK_ROW>::new()));
            assert_eq!(empty, Err(Code::NOT_FOUND));
            assert!(table.is_null());
            let called =
                answer::<MIB_IFSTACK_TABLE>(std::ptr::null_mut(), None, || panic!("nowhere to put rows"));
            assert_eq!(called, Err(Code::INVALID_PARAMETER));
        }
    }
}
