//! The last error of a thread.
//!
//! The functions of this library return their codes. They set the last error only where a code alone would not tell:
//! `SetTcpEntry`, and the functions that return no code.

use std::cell::Cell;

thread_local! {
    // Without a destructor, so that it can be used to the thread's very end.
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// `GetLastError`: what this thread's last [`set`] said; 0 at its start.
#[doc(alias = "GetLastError")]
#[must_use]
pub fn get() -> u32 {
    LAST.get()
}

/// `SetLastError`. `errno` has the same number then, where other languages look: `Marshal.GetLastWin32Error` on Mono,
/// `std::io::Error::last_os_error` in Rust, `ctypes.get_errno`, and `WSAGetLastError` of our headers.
#[doc(alias = "SetLastError")]
pub fn set(code: u32) {
    LAST.set(code);
    // SAFETY: the C library gives the calling thread's own `errno`.
    unsafe { *libc::__errno_location() = code.cast_signed() };
}

#[cfg(test)]
mod tests {
    #[test]
    fn belongs_to_one_thread() {
        super::set(1168);
        std::thread::spawn(|| {
            assert_eq!(super::get(), 0);
            super::set(5);
        })
        .join()
        .unwrap();
        assert_eq!(super::get(), 1168);
    }
}
