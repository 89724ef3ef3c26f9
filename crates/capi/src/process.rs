//! State of this process that a forked child begins anew.
//!
//! A child has the parent's memory and one of its threads. A lock that another thread held stays locked for ever there,
//! sockets are shared with the parent, and threads that the state speaks of do not exist.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A value for each process that uses it. A child's leaves the parent's copy behind, which costs its memory.
#[derive(Debug)]
pub(crate) struct PerProcess<T: 'static> {
    slot: AtomicPtr<Slot<T>>,
}

#[derive(Debug)]
struct Slot<T> {
    process: u32,
    value: T,
}

impl<T: Default + Sync> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { slot: AtomicPtr::new(ptr::null_mut()) }
    }

    /// This process's value.
    pub(crate) fn get(&self) -> &'static T {
        let process = std::process::id();
        let mut present = self.slot.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or a slot that was leaked below and lives for ever.
            if let Some(slot) = unsafe { present.as_ref() }
                && slot.process == process
            {
                return &slot.value;
            }
            let made = Box::into_raw(Box::new(Slot { process, value: T::default() }));
            match self.slot.compare_exchange(present, made, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => present = made,
                Err(others) => {
                    // SAFETY: just made, and given to nobody.
                    drop(unsafe { Box::from_raw(made) });
                    present = others;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn all_threads_have_one_value() {
        static VALUE: PerProcess<Mutex<Vec<usize>>> = PerProcess::new();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let _ = scope.spawn(move || VALUE.get().lock().unwrap().push(number));
            }
        });
        assert_eq!(VALUE.get().lock().unwrap().len(), 8);
    }
}
