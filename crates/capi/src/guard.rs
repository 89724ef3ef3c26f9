//! The border to C: a panic of this library becomes an error code there, since unwinding into C is undefined.

use crate::error::{Code, Flavour};
use iphelper::ErrorKind;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work` and gives the status that C returns; a panic is the code of an unknown failure.
pub(crate) fn status<F: Flavour>(work: impl FnOnce() -> Result<(), Code>) -> F::Status {
    F::status(caught(work, Err(Code::of(ErrorKind::Other))))
}

/// Runs `work`; `otherwise` if it panics.
pub(crate) fn caught<T>(work: impl FnOnce() -> T, otherwise: T) -> T {
    // Nothing that `work` touches outlives it but locks and caches, which tolerate a panic.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        discard(panic);
        otherwise
    })
}

/// Drops what was thrown, and what that throws. Whatever throws again and again is left alone.
fn discard(mut thrown: Box<dyn Any + Send>) {
    for _ in 0..2 {
        match catch_unwind(AssertUnwindSafe(|| drop(thrown))) {
            Ok(()) => return,
            Err(again) => thrown = again,
        }
    }
    std::mem::forget(thrown);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{NtStatus, Win32};

    #[test]
    fn a_panic_is_an_error_code() {
        let broken = || -> Result<(), Code> { panic!("on purpose, to see it stopped") };
        assert_eq!(status::<Win32>(broken), 31);
        assert_eq!(status::<NtStatus>(broken), 0xC000_0001_u32.cast_signed());
        assert_eq!(status::<Win32>(|| Ok(())), 0);
    }

    #[test]
    fn a_panic_of_what_was_thrown_is_stopped_too() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("on purpose, while the first panic is dropped");
            }
        }
        assert_eq!(caught(|| std::panic::panic_any(Bomb), ()), ());
    }
}
