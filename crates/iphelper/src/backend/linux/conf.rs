//! The files of one interface under `/proc/sys/net/ipv{4,6}/conf`, opened all before the first is written.

use super::LinuxHost;
use super::namespace::system;
use super::sysctl::write_value;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceKey, InterfaceLuid};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// What every error of this file was about.
const OPERATION: &str = "changing an IP interface";
/// How often an interface may change its name under one call.
const ATTEMPTS: usize = 10;

/// The files of one interface, for writing.
///
/// They are found by name, and names can change hands. So after a file was opened the kernel is asked whether the name
/// still belongs to the interface. From then on the descriptor is safe: a rename ends the file behind it, and a write gives
/// `ENOENT`, never another interface's file.
#[derive(Debug)]
pub(in crate::backend::linux) struct Conf<'a> {
    host: &'a LinuxHost,
    family: Family,
    luid: InterfaceLuid,
    open: Vec<(&'static str, OwnedFd)>,
}

impl<'a> Conf<'a> {
    pub(in crate::backend::linux) fn new(host: &'a LinuxHost, family: Family, luid: InterfaceLuid) -> Self {
        Self { host, family, luid, open: Vec::new() }
    }

    /// Opens a file, so that a later [`write`](Self::write) cannot fail for want of it.
    pub(in crate::backend::linux) fn open(&mut self, file: &'static str) -> Result<()> {
        if self.open.iter().all(|(name, _)| *name != file) {
            let descriptor = self.find(file)?;
            self.open.push((file, descriptor));
        }
        Ok(())
    }

    /// Writes a value, also after the interface was renamed.
    pub(in crate::backend::linux) fn write(&mut self, file: &'static str, value: i64) -> Result<()> {
        self.open(file)?;
        for _ in 0..ATTEMPTS {
            let Some((_, descriptor)) = self.open.iter_mut().find(|(name, _)| *name == file) else { break };
            match write_value(descriptor, &value.to_string()) {
                // Renamed since it was opened, or gone.
                Err(Errno::NOENT) => {
                    self.open.retain(|(name, _)| *name != file);
                    self.open(file)?;
                }
                Ok(()) => return Ok(()),
                Err(errno) => return Err(refused(OPERATION, errno, &format!("writing {value} to {file}"))),
            }
        }
        Err(renamed_too_often())
    }

    /// The present name, a kernel's object of bytes. Another interface on the same index is none.
    fn name(&self) -> Result<Vec<u8>> {
        Ok(self.host.link(InterfaceKey::Luid(self.luid), OPERATION)?.name)
    }

    /// The file of this interface, whatever its name is now.
    fn find(&self, file: &str) -> Result<OwnedFd> {
        let open = |name: &[u8]| {
            let path = [b"conf/", name, b"/", file.as_bytes()].concat();
            self.host.sysctl.file(self.family, path.as_slice(), OFlags::WRONLY)
        };
        find_by_name(|| self.name(), open)?.map_err(|errno| match errno {
            Errno::NOENT => Error::new(ErrorKind::NotSupported, OPERATION)
                .because(format!("this kernel has no {file} for the interface")),
            errno => refused(OPERATION, errno, &format!("opening {file}")),
        })
    }
}

/// What `open` gives for the name that stays the interface's while it opens.
fn find_by_name<T>(mut name: impl FnMut() -> Result<Vec<u8>>, mut open: impl FnMut(&[u8]) -> T) -> Result<T> {
    let mut before = name()?;
    for _ in 0..ATTEMPTS {
        // These two directories are not an interface's. Linux lets no interface take their names; a kernel that does
        // would not give it files of its own.
        if matches!(before.as_slice(), b"all" | b"default") {
            return Err(Error::new(ErrorKind::NotSupported, OPERATION)
                .because("an interface of this name has no sysctl files of its own; rename it"));
        }
        let opened = open(&before);
        let after = name()?;
        if after == before {
            return Ok(opened);
        }
        before = after;
    }
    Err(renamed_too_often())
}

/// The error of a sysctl file that was not opened or written.
pub(super) fn refused(operation: &'static str, errno: Errno, doing: &str) -> Error {
    let error = system(operation, errno);
    match errno {
        Errno::ROFS => error.with_kind(ErrorKind::AccessDenied).because(format!(
            "{doing}: /proc/sys is mounted read-only here, as containers without privilege have it"
        )),
        _ => error.because(doing.to_owned()),
    }
}

fn renamed_too_often() -> Error {
    Error::new(ErrorKind::Interrupted, OPERATION).because("the interface changed its name again and again")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens while the interface bears these names one after the other, the last for ever.
    fn opened(names: &[&str]) -> Result<String> {
        let mut names = names.iter().copied().map(str::as_bytes).map(<[u8]>::to_vec);
        let mut last = Vec::new();
        let name = || {
            last = names.next().unwrap_or_else(|| last.clone());
            Ok(last.clone())
        };
        find_by_name(name, |name| String::from_utf8_lossy(name).into_owned())
    }

    #[test]
    fn the_name_must_be_the_interfaces_before_and_after() {
        assert_eq!(opened(&["e0"]).unwrap(), "e0");
        assert_eq!(opened(&["e0", "e1"]).unwrap(), "e1", "e0 may be another interface now");
        assert_eq!(opened(&["e0", "e1", "e0"]).unwrap(), "e0");
    }

    #[test]
    fn a_name_that_changes_without_end_ends_the_call() {
        let names: Vec<String> = (0..30).map(|number| format!("e{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(opened(&names).unwrap_err().kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn the_directories_of_all_and_of_new_interfaces_are_never_opened() {
        for name in ["all", "default"] {
            assert_eq!(opened(&[name]).unwrap_err().kind(), ErrorKind::NotSupported);
            assert_eq!(opened(&["e0", name]).unwrap_err().kind(), ErrorKind::NotSupported);
        }
        assert_eq!(opened(&["all0"]).unwrap(), "all0");
    }
}
