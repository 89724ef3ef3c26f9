//! Events as `CreateEvent` of our headers makes them: an eventfd's number plus one, shifted by one; the lowest bit of a
//! handle says that it stays set.

use crate::error::Code;
use crate::raw::HANDLE;
use iphelper::{Error, ErrorKind};
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

/// A new event that is not set.
pub(crate) fn make() -> Result<OwnedFd, Code> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|errno| {
        Error::new(ErrorKind::ResourceLimit, "making an event").with_errno(errno.raw_os_error()).into()
    })
}

/// A handle of an event, of one that stays set.
pub(crate) fn handle_of(event: BorrowedFd<'_>) -> HANDLE {
    use std::os::fd::AsRawFd;
    let number = usize::try_from(event.as_raw_fd()).unwrap_or_default() + 1;
    std::ptr::without_provenance_mut(number << 1 | 1)
}

/// The event of a caller's handle, held open; [`Code::INVALID_PARAMETER`] for what is none.
pub(crate) fn of_handle(handle: HANDLE) -> Result<OwnedFd, Code> {
    let number = (handle.addr() >> 1).checked_sub(1).and_then(|number| RawFd::try_from(number).ok());
    let number = number.ok_or(Code::INVALID_PARAMETER)?;
    // SAFETY: the number of a descriptor that the caller names; one that is not open is refused by the kernel, and nothing
    // is done with it but to look at it.
    let named = unsafe { BorrowedFd::borrow_raw(number) };
    let event = rustix::io::fcntl_dupfd_cloexec(named, 0).map_err(|_| Code::INVALID_PARAMETER)?;
    // Never write into a file that a mistaken handle names.
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", event.as_raw_fd());
    let kind = std::fs::read_link(path).map_err(|_| Code::INVALID_PARAMETER)?;
    if kind.to_str() == Some("anon_inode:[eventfd]") { Ok(event) } else { Err(Code::INVALID_PARAMETER) }
}

/// Sets an event.
pub(crate) fn set(event: impl AsFd) {
    // Fails where the counter is full, and then the event is set.
    let _ = rustix::io::write(event, &1_u64.to_ne_bytes());
}

/// Takes the mark off an event.
pub(crate) fn reset(event: impl AsFd) {
    // Fails where it is not set.
    let _ = rustix::io::read(event, &mut [0_u8; 8]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_handle_is_an_event_or_nothing() {
        let event = make().unwrap();
        let held = of_handle(handle_of(event.as_fd())).unwrap();
        set(&held);
        assert_eq!(rustix::io::read(&event, &mut [0_u8; 8]), Ok(8), "both are one event");
        let file = std::fs::File::open("/dev/null").unwrap();
        for handle in
            [handle_of(file.as_fd()), std::ptr::null_mut(), std::ptr::without_provenance_mut(usize::MAX)]
        {
            assert_eq!(of_handle(handle).err(), Some(Code::INVALID_PARAMETER));
        }
        let number = event.as_raw_fd();
        drop((event, held));
        let closed =
            std::ptr::without_provenance_mut(((usize::try_from(number).unwrap() + 1) << 1) + (1 << 30));
        assert_eq!(of_handle(closed).err(), Some(Code::INVALID_PARAMETER));
    }
}
