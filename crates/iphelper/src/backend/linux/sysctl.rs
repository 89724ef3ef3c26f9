//! The files under `/proc/sys/net` of one namespace.
//!
//! A descriptor of `/proc/sys/net/ipv4` stays with the namespace in which it was opened, for reads and writes, after
//! its thread has left; one of `/proc/sys/net` does not.

use super::namespace::{in_proc, system};
use crate::error::Result;
use crate::types::Family;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;
use std::os::fd::OwnedFd;

/// The two directories of one namespace. IPv6's is absent where the kernel has no IPv6.
#[derive(Debug)]
pub(super) struct Sysctl {
    ipv4: OwnedFd,
    ipv6: Option<OwnedFd>,
}

impl Sysctl {
    /// Opens the directories of the calling thread's namespace.
    pub(super) fn open() -> Result<Self> {
        let directory = |path: &str| {
            rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        };
        let ipv4 =
            directory("/proc/sys/net/ipv4").map_err(|errno| in_proc("opening /proc/sys/net/ipv4", errno))?;
        let ipv6 = match directory("/proc/sys/net/ipv6") {
            Ok(descriptor) => Some(descriptor),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(system("opening /proc/sys/net/ipv6", errno)),
        };
        Ok(Self { ipv4, ipv6 })
    }

    /// Whether this kernel has the address family at all.
    pub(super) fn has(&self, family: Family) -> bool {
        family == Family::V4 || self.ipv6.is_some()
    }

    /// Opens one file, such as `conf/eth0/forwarding`.
    pub(super) fn file(
        &self,
        family: Family,
        path: impl Arg + Copy,
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let directory = match family {
            Family::V4 => &self.ipv4,
            Family::V6 => self.ipv6.as_ref().ok_or(Errno::NOENT)?,
        };
        retry_on_intr(|| rustix::fs::openat(directory, path, flags | OFlags::CLOEXEC, Mode::empty()))
    }

    /// The content of one file, white space at its end taken off.
    pub(super) fn read(&self, family: Family, path: &str) -> Result<String, Errno> {
        let file = self.file(family, path, OFlags::RDONLY)?;
        read_value(&file)
    }
}

/// The content of an open sysctl file, white space at its end taken off.
pub(super) fn read_value(file: &OwnedFd) -> Result<String, Errno> {
    let mut bytes = [0; 256];
    let len = retry_on_intr(|| rustix::io::pread(file, &mut bytes, 0))?;
    Ok(String::from_utf8_lossy(bytes.get(..len).unwrap_or_default()).trim_end().to_owned())
}

/// Writes one value to an open sysctl file, in one `write`, as these files demand.
pub(super) fn write_value(file: &OwnedFd, value: &str) -> Result<(), Errno> {
    write_at(file, value, 0)
}

/// The same at another place than the beginning, for files to which that means something.
pub(super) fn write_at(file: &OwnedFd, value: &str, at: u64) -> Result<(), Errno> {
    #[cfg(test)]
    super::socket::killed::before_a_write().map_err(|_| Errno::OWNERDEAD)?;
    let len = retry_on_intr(|| rustix::io::pwrite(file, value.as_bytes(), at))?;
    if len == value.len() { Ok(()) } else { Err(Errno::IO) }
}
