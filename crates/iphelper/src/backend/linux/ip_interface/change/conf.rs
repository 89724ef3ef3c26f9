//! The files of one interface under `/proc/sys/net/ipv{4,6}/conf`, opened all before the first is written.

use super::OPERATION;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::namespace::system;
use crate::backend::linux::sysctl::write_value;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceKey, InterfaceLuid};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// How often an interface may change its name under one call.
const ATTEMPTS: usize = 10;

/// The files of one interface, for writing.
///
/// They are found by name, and names can change hands. So after a file was opened the kernel is asked whether the name
/// still belongs to the interface. From then on the descriptor is safe: a rename ends the file behind it, and a write gives
/// `ENOENT`, never another interface's file.
#[derive(Debug)]
pub(super) struct Conf<'a> {
    host: &'a LinuxHost,
    family: Family,
    luid: InterfaceLuid,
    open: Vec<(&'static str, OwnedFd)>,
}

impl<'a> Conf<'a> {
    pub(super) fn new(host: &'a LinuxHost, family: Family, luid: InterfaceLuid) -> Self {
        Self { host, family, luid, open: Vec::new() }
    }

    /// Opens a file, so that a later [`write`](Self::write) cannot fail for want of it.
    pub(super) fn open(&mut self, file: &'static str) -> Result<()> {
        if self.open.iter().all(|(name, _)| *name != file) {
            let descriptor = self.find(file)?;
            self.open.push((file, descriptor));
        }
        Ok(())
    }

    /// Writes a value, also after the interface was renamed.
    pub(super) fn write(&mut self, file: &'static str, value: i64) -> Result<()> {
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
        for _ in 0..ATTEMPTS {
            let name = self.name()?;
            // These two directories are not an interface's. Linux lets no interface take their names; an old one that
            // does would not give it files of its own.
            if matches!(name.as_slice(), b"all" | b"default") {
                return Err(Error::new(ErrorKind::NotSupported, OPERATION)
                    .because("an interface of this name has no sysctl files of its own; rename it"));
            }
            let path = [b"conf/", name.as_slice(), b"/", file.as_bytes()].concat();
            let opened = self.host.sysctl.file(self.family, path.as_slice(), OFlags::WRONLY);
            if self.name()? != name {
                continue;
            }
            return opened.map_err(|errno| match errno {
                Errno::NOENT => Error::new(ErrorKind::NotSupported, OPERATION)
                    .because(format!("this kernel has no {file} for the interface")),
                errno => refused(OPERATION, errno, &format!("opening {file}")),
            });
        }
        Err(renamed_too_often())
    }
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
