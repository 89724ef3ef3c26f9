//! What stands in memory that nobody has written yet: a pattern, on the heap and on the stack. What a function gives must
//! not have it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

static PATTERN: AtomicU8 = AtomicU8::new(0xA5);

#[global_allocator]
static ALLOCATOR: Poisoning = Poisoning;

struct Poisoning;

// SAFETY: every call goes on to the system's allocator with the arguments that it came with; what is filled is new.
unsafe impl GlobalAlloc for Poisoning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        let made = unsafe { System.alloc(layout) };
        if !made.is_null() {
            // SAFETY: as many bytes were made.
            unsafe { made.write_bytes(PATTERN.load(Ordering::Relaxed), layout.size()) };
        }
        made
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let made = unsafe { System.realloc(pointer, layout, size) };
        if let (false, Some(more)) = (made.is_null(), size.checked_sub(layout.size())) {
            // SAFETY: so many bytes are behind what was there.
            unsafe { made.add(layout.size()).write_bytes(PATTERN.load(Ordering::Relaxed), more) };
        }
        made
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the pointer came from there.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Fills what is allocated from now on.
pub(crate) fn fill_with(pattern: u8) {
    PATTERN.store(pattern, Ordering::Relaxed);
}

/// Fills the stack that the next call will have.
#[inline(never)]
pub(crate) fn fill_stack() {
    let filled = [PATTERN.load(Ordering::Relaxed); 256 * 1024];
    let _ = std::hint::black_box(&filled);
}
