//! Critical sections: the lock with which programs for Windows guard what their callbacks and their other threads share.

use crate::guard;
use crate::raw::CRITICAL_SECTION;
use rustix::thread::futex;
use std::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const TAKEN: u32 = 1;
/// Taken, and somebody waits.
const AWAITED: u32 = 2;

/// `InitializeCriticalSection`: free, and of no thread.
#[doc(alias = "InitializeCriticalSection")]
pub unsafe fn initialize(section: *mut CRITICAL_SECTION) {
    if !section.is_null() {
        // SAFETY: the caller's promise.
        unsafe { section.write_unaligned(CRITICAL_SECTION::default()) };
    }
}

/// `InitializeCriticalSectionAndSpinCount`: as [`initialize`]. A thread that waits sleeps at once, whatever the count.
#[doc(alias = "InitializeCriticalSectionAndSpinCount")]
pub unsafe fn initialize_and_spin_count(section: *mut CRITICAL_SECTION, _count: u32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { initialize(section) };
    1
}

/// `InitializeCriticalSectionEx`: as [`initialize`].
#[doc(alias = "InitializeCriticalSectionEx")]
pub unsafe fn initialize_ex(section: *mut CRITICAL_SECTION, _count: u32, _flags: u32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { initialize(section) };
    1
}

/// `DeleteCriticalSection`: nothing is kept of one elsewhere.
#[doc(alias = "DeleteCriticalSection")]
pub unsafe fn delete(_section: *mut CRITICAL_SECTION) {}

/// `EnterCriticalSection`: waits until no other thread is inside. A thread may enter again, and leaves as often.
#[doc(alias = "EnterCriticalSection")]
pub unsafe fn enter(section: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    if let Some(section) = unsafe { Section::of(section) } {
        guard::caught(|| section.enter(), ());
    }
}

/// `TryEnterCriticalSection`: FALSE while another thread is inside.
#[doc(alias = "TryEnterCriticalSection")]
pub unsafe fn try_enter(section: *mut CRITICAL_SECTION) -> i32 {
    // SAFETY: the caller's promise.
    let entered = unsafe { Section::of(section) }.is_some_and(|section| section.try_enter());
    i32::from(entered)
}

/// `LeaveCriticalSection`. A thread that is not inside changes nothing.
#[doc(alias = "LeaveCriticalSection")]
pub unsafe fn leave(section: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    if let Some(section) = unsafe { Section::of(section) } {
        section.leave();
    }
}

/// The members that are used.
struct Section<'a> {
    lock: &'a AtomicU32,
    depth: &'a AtomicU32,
    owner: &'a AtomicU32,
}

impl Section<'_> {
    /// # Safety
    /// NULL, or a critical section that was initialised and lives while it is used.
    unsafe fn of<'a>(section: *mut CRITICAL_SECTION) -> Option<Section<'a>> {
        // A lock that is not aligned cannot be one.
        if section.is_null() || !section.is_aligned() {
            return None;
        }
        // SAFETY: the caller's promise; members of 32 bits, which all threads use as atomics; of the handle its first half.
        unsafe {
            Some(Section {
                lock: AtomicU32::from_ptr((&raw mut (*section).LockCount).cast()),
                depth: AtomicU32::from_ptr((&raw mut (*section).RecursionCount).cast()),
                owner: AtomicU32::from_ptr((&raw mut (*section).OwningThread).cast()),
            })
        }
    }

    fn try_enter(&self) -> bool {
        let this = this_thread();
        // Only this thread writes its own number there.
        if self.owner.load(Ordering::Relaxed) == this {
            let _before = self.depth.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        let free = self.lock.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if free {
            self.begin(this);
        }
        free
    }

    fn enter(&self) {
        if self.try_enter() {
            return;
        }
        while self.lock.swap(AWAITED, Ordering::Acquire) != FREE {
            // Interrupted, or changed meanwhile: look again.
            let _result = futex::wait(self.lock, futex::Flags::PRIVATE, AWAITED, None);
        }
        self.begin(this_thread());
    }

    fn begin(&self, this: u32) {
        self.depth.store(1, Ordering::Relaxed);
        self.owner.store(this, Ordering::Relaxed);
    }

    fn leave(&self) {
        if self.owner.load(Ordering::Relaxed) != this_thread()
            || self.depth.fetch_sub(1, Ordering::Relaxed) > 1
        {
            return;
        }
        self.owner.store(0, Ordering::Relaxed);
        if self.lock.swap(FREE, Ordering::Release) == AWAITED {
            let _woken = futex::wake(self.lock, futex::Flags::PRIVATE, 1);
        }
    }
}

fn this_thread() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned()
}
