//! Memory that C gets from this library and gives back: tables (`FreeMibTable`), texts and buffers (`LocalFree`)
//! and what hangs on DNS settings (`FreeInterfaceDnsSettings`, `FreeDnsSettings`).

pub(crate) mod buffer;
pub(crate) mod gaps;
pub(crate) mod heap;
pub(crate) mod image;
pub(crate) mod table;

use crate::error::last_error;
use crate::{guard, raw};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::NonNull;

/// Stands before each block. Its size keeps what follows on 16 bytes, enough for every row.
#[repr(C, align(16))]
struct Header {
    /// [`Kind`], mixed with the block's address: no copy of a header passes for one.
    seal: usize,
    /// Bytes that follow.
    size: usize,
}

/// Who frees a block. A number that memory of somebody else hardly holds by chance.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(crate) enum Kind {
    /// `FreeMibTable`.
    Table = 0x6d69_6274,
    /// `FreeInterfaceDnsSettings` and `FreeDnsSettings`.
    Dns = 0x646e_7373,
    /// `LocalFree`.
    Local = 0x6c6f_636c,
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(size_of::<Header>())?, align_of::<Header>()).ok()
}

fn seal(kind: Kind, header: *const Header) -> usize {
    (kind as usize).rotate_left(16) ^ header.addr()
}

/// A zeroed block of `size` bytes, aligned to 16; `None` without memory.
pub(crate) fn allocate(kind: Kind, size: usize) -> Option<NonNull<c_void>> {
    let layout = layout(size)?;
    // SAFETY: the layout is never empty, for it has the header. The header fits in front, and what is behind it
    // belongs to the same allocation.
    unsafe {
        let header = NonNull::new(alloc_zeroed(layout).cast::<Header>())?;
        header.write(Header { seal: seal(kind, header.as_ptr()), size });
        Some(header.add(1).cast())
    }
}

/// Frees a block that [`allocate`] gave for `kind`; anything else is left alone, and the answer is false.
///
/// # Safety
/// `block` is NULL or an address whose 16 bytes in front may be read, and nobody uses the block any more.
pub(crate) unsafe fn free(kind: Kind, block: *mut c_void) -> bool {
    let block = block.cast::<Header>();
    if block.is_null() || !block.is_aligned() {
        return false;
    }
    // SAFETY: the caller's promise; `block` is aligned, so the header in front is, too.
    unsafe {
        let header = block.sub(1);
        if (*header).seal != seal(kind, header) {
            return false;
        }
        let Some(layout) = layout((*header).size) else { return false };
        // A second call finds no seal, as long as the allocator has not given the memory out again.
        (&raw mut (*header).seal).write_volatile(0);
        dealloc(header.cast(), layout);
    }
    true
}

/// `FreeMibTable`: frees a table that a function of this library allocated. NULL, and what is no such table, is left
/// alone.
#[doc(alias = "FreeMibTable")]
pub unsafe fn free_mib_table(memory: *mut c_void) {
    // SAFETY: the caller's promise.
    let _freed = guard::caught(|| unsafe { free(Kind::Table, memory) }, false);
}

/// `LocalAlloc`: zeroed memory, whatever the flags, to be freed with `LocalFree`; NULL with `ERROR_NOT_ENOUGH_MEMORY` as the last
/// error.
#[doc(alias = "LocalAlloc")]
#[must_use]
pub fn local_alloc(_flags: u32, size: usize) -> *mut c_void {
    let made = guard::caught(|| allocate(Kind::Local, size), None);
    made.map_or_else(
        || {
            last_error::set(raw::ERROR_NOT_ENOUGH_MEMORY);
            std::ptr::null_mut()
        },
        NonNull::as_ptr,
    )
}

/// `LocalFree`: frees what `LocalAlloc` or `FormatMessage` allocated; NULL for success. What is no such
/// memory is given back with `ERROR_INVALID_HANDLE` as the last error.
#[doc(alias = "LocalFree")]
pub unsafe fn local_free(memory: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    if memory.is_null() || guard::caught(|| unsafe { free(Kind::Local, memory) }, false) {
        return std::ptr::null_mut();
    }
    last_error::set(raw::ERROR_INVALID_HANDLE);
    memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zeroed_aligned_and_freed_once() {
        let block = allocate(Kind::Table, 100).unwrap().as_ptr();
        assert_eq!(block.addr() % 16, 0);
        // SAFETY: 100 bytes were asked for.
        assert!(unsafe { std::slice::from_raw_parts(block.cast::<u8>(), 100) }.iter().all(|byte| *byte == 0));
        // SAFETY: the block is ours and lives until the last line.
        unsafe {
            assert!(!free(Kind::Local, block), "freed by the wrong function");
            assert!(free(Kind::Table, block));
        }
    }

    #[test]
    fn foreign_memory_is_left_alone() {
        let mut foreign = [0_u128; 8];
        let block: *mut c_void = (&raw mut foreign[4]).cast();
        // SAFETY: the bytes in front of `block` belong to the same array; `local_free` only reads them.
        unsafe {
            assert!(!free(Kind::Table, block));
            assert!(!free(Kind::Table, block.byte_add(1)), "an odd address");
            free_mib_table(std::ptr::null_mut());
            assert_eq!(local_free(block), block);
            assert_eq!(last_error::get(), 6);
            assert!(local_free(std::ptr::null_mut()).is_null());
            let made = local_alloc(0, 0);
            assert!(!made.is_null() && local_free(made).is_null(), "of no bytes");
            assert!(local_alloc(0x40, usize::MAX).is_null());
            assert_eq!(last_error::get(), 8);
        }
        let copied = allocate(Kind::Table, 16).unwrap().as_ptr();
        // SAFETY: the header is copied whole, from in front of a live block, to where the array has room.
        unsafe {
            std::ptr::copy_nonoverlapping(copied.cast::<u8>().sub(16), block.cast::<u8>().sub(16), 16);
            assert!(!free(Kind::Table, block), "the copy of a header passes for one");
            assert!(free(Kind::Table, copied));
        }
    }

    #[test]
    fn impossible_sizes_are_out_of_memory() {
        assert!(allocate(Kind::Table, usize::MAX).is_none());
        assert!(allocate(Kind::Table, isize::MAX as usize).is_none());
    }
}
