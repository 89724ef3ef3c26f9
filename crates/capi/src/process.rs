//! State of this process that a forked child begins anew.
//!
//! A child has the parent's memory and one of its threads. A lock that another thread held stays locked for ever there,
//! sockets are shared with the parent, and threads that the state speaks of do not exist.

use crate::error::Code;
use iphelper::{Error, ErrorKind};
use std::ffi::c_int;
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

/// Starts a thread on which no signal handler of the program's runs.
pub(crate) fn quiet_thread(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), Code> {
    /// `SIG_SETMASK`.
    const SET: c_int = 2;
    unsafe extern "C" {
        fn pthread_sigmask(how: c_int, new: *const [u64; 16], old: *mut [u64; 16]) -> c_int;
    }
    let (all, mut before) = ([u64::MAX; 16], [0; 16]);
    // SAFETY: both are as large as the C library's set of signals.
    let masked = unsafe { pthread_sigmask(SET, &raw const all, &raw mut before) } == 0;
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    if masked {
        // SAFETY: as above.
        let _ = unsafe { pthread_sigmask(SET, &raw const before, std::ptr::null_mut()) };
    }
    started.map(drop).map_err(|error| {
        Error::new(ErrorKind::ResourceLimit, "starting a thread")
            .with_errno(error.raw_os_error().unwrap_or_default())
            .into()
    })
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
