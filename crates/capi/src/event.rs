//! Events as `CreateEvent` of our headers makes them: an eventfd's number plus one, shifted by one; the lowest bit of a
//! handle says that it stays set.

use crate::error::Code;
use crate::process::PerProcess;
use crate::raw::HANDLE;
use iphelper::{Error, ErrorKind};
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

/// Descriptors of this library's own that programs have handles of, and must not close.
static KEPT: PerProcess<Mutex<Vec<RawFd>>> = PerProcess::new();

/// A new event that is not set.
pub(crate) fn make() -> Result<OwnedFd, Code> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(limit)
}

fn limit(errno: rustix::io::Errno) -> Code {
    Error::new(ErrorKind::ResourceLimit, "making an event").with_errno(errno.raw_os_error()).into()
}

/// A handle of an event; `manual`: of one that stays set until somebody resets it.
pub(crate) fn handle_of(event: BorrowedFd<'_>, manual: bool) -> HANDLE {
    let number = usize::try_from(event.as_raw_fd()).unwrap_or_default() + 1;
    std::ptr::without_provenance_mut(number << 1 | usize::from(manual))
}

/// Whether an event stays set until somebody resets it.
pub(crate) fn is_manual(handle: HANDLE) -> bool {
    handle.addr() & 1 != 0
}

/// Says that an event is this library's own: [`close`] leaves it open.
pub(crate) fn keep(event: BorrowedFd<'_>) {
    KEPT.get().lock().unwrap_or_else(PoisonError::into_inner).push(event.as_raw_fd());
}

/// The event of a caller's handle; [`Code::INVALID_HANDLE`] for what is none. Good while the caller keeps it open.
pub(crate) fn named(handle: HANDLE) -> Result<BorrowedFd<'static>, Code> {
    let number = (handle.addr() >> 1).checked_sub(1).and_then(|number| RawFd::try_from(number).ok());
    let number = number.ok_or(Code::INVALID_HANDLE)?;
    // Never read or write a file that a mistaken handle names.
    let kind = std::fs::read_link(format!("/proc/self/fd/{number}")).map_err(|_| Code::INVALID_HANDLE)?;
    if kind.to_str() != Some("anon_inode:[eventfd]") {
        return Err(Code::INVALID_HANDLE);
    }
    // SAFETY: it was open a moment ago, and the caller that named it keeps it open; should it not, the kernel refuses the
    // number or means another event.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}

/// The event of a caller's handle, held open; [`Code::INVALID_HANDLE`] for what is none.
pub(crate) fn of_handle(handle: HANDLE) -> Result<OwnedFd, Code> {
    rustix::io::fcntl_dupfd_cloexec(named(handle)?, 0).map_err(limit)
}

/// Closes a caller's event.
pub(crate) fn close(handle: HANDLE) -> Result<(), Code> {
    use std::os::fd::FromRawFd;
    let event = named(handle)?.as_raw_fd();
    if !KEPT.get().lock().unwrap_or_else(PoisonError::into_inner).contains(&event) {
        // SAFETY: an event that is not this library's own, which its owner gives up.
        drop(unsafe { OwnedFd::from_raw_fd(event) });
    }
    Ok(())
}

/// Sets an event.
pub(crate) fn set(event: impl AsFd) {
    // Fails where the counter is full, and then the event is set.
    let _ = rustix::io::write(event, &1_u64.to_ne_bytes());
}

/// Takes the mark off an event: whether it was set.
pub(crate) fn reset(event: impl AsFd) -> bool {
    // Fails where it is not set.
    rustix::io::read(event, &mut [0_u8; 8]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_an_event_or_nothing() {
        let event = make().unwrap();
        let held = of_handle(handle_of(event.as_fd(), true)).unwrap();
        set(&held);
        assert_eq!(rustix::io::read(&event, &mut [0_u8; 8]), Ok(8), "both are one event");
        let file = std::fs::File::open("/dev/null").unwrap();
        for handle in [
            handle_of(file.as_fd(), true),
            std::ptr::null_mut(),
            std::ptr::without_provenance_mut(usize::MAX),
        ] {
            assert_eq!(of_handle(handle).err(), Some(Code::INVALID_HANDLE));
        }
        let number = event.as_raw_fd();
        drop((event, held));
        let closed =
            std::ptr::without_provenance_mut(((usize::try_from(number).unwrap() + 1) << 1) + (1 << 30));
        assert_eq!(of_handle(closed).err(), Some(Code::INVALID_HANDLE));
    }
}
