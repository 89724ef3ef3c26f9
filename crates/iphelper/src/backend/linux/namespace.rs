//! The network namespace that a host is bound to.

use super::thread::with_signals_blocked;
use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::{AsFd, OwnedFd};

/// A network namespace, kept alive by a descriptor.
#[derive(Debug)]
pub(super) struct Namespace {
    descriptor: OwnedFd,
    identity: Identity,
}

/// Device and inode of the namespace file: unique among namespaces that exist.
pub(super) type Identity = (u64, u64);

const THREAD_NAMESPACE: &str = "/proc/thread-self/ns/net";

impl Namespace {
    /// The calling thread's network namespace.
    pub(super) fn current() -> Result<Self> {
        let descriptor = rustix::fs::open(THREAD_NAMESPACE, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| in_proc("opening the thread's network namespace", errno))?;
        Self::from_descriptor(descriptor)
    }

    /// The namespace that an open namespace file refers to. Whether it is a network namespace, `setns` tells later.
    pub(super) fn from_descriptor(descriptor: OwnedFd) -> Result<Self> {
        let identity = identity(&descriptor)?;
        Ok(Self { descriptor, identity })
    }

    /// Runs `work` in this namespace: here if the calling thread is in it, else on a thread made for the purpose, so
    /// that the caller never moves.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        if Self::current().is_ok_and(|current| current.identity == self.identity) {
            return Ok(work());
        }
        self.run_on_a_thread(work)
    }

    /// Runs `work` on a thread that enters this namespace, also where the calling thread is in it. The kernel asks for the
    /// same rights then.
    pub(super) fn run_on_a_thread<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        std::thread::scope(|scope| {
            // Signals are blocked: a handler of the program's would find itself in another namespace.
            let entered = with_signals_blocked(|| {
                std::thread::Builder::new().name("iphelper-netns".to_owned()).spawn_scoped(scope, || {
                    move_into_link_name_space(self.descriptor.as_fd(), Some(LinkNameSpaceType::Network))
                        .map_err(|errno| match errno {
                            Errno::PERM => system("entering a network namespace", errno)
                                .because("needs CAP_SYS_ADMIN over it and over one's own user namespace"),
                            Errno::INVAL => system("entering a network namespace", errno)
                                .with_kind(ErrorKind::InvalidParameter)
                                .because("the descriptor is of another kind of file"),
                            errno => system("entering a network namespace", errno),
                        })?;
                    Ok(work())
                })
            });
            let failed = |errno: i32| {
                Error::new(ErrorKind::ResourceLimit, "starting a thread for a network namespace")
                    .with_errno(errno)
            };
            let entered = entered
                .map_err(|errno| failed(errno as i32))?
                .map_err(|error| failed(error.raw_os_error().unwrap_or_default()))?;
            entered.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// What tells this namespace from others while it exists.
    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// The inode number that names this namespace while it exists.
    pub(super) fn inode(&self) -> u64 {
        self.identity.1
    }
}

fn identity(descriptor: &OwnedFd) -> Result<Identity> {
    let status =
        rustix::fs::fstat(descriptor).map_err(|errno| system("looking at a network namespace", errno))?;
    Ok((status.st_dev, status.st_ino))
}

/// The error of opening what every `/proc` has: where there is none, that is no row that was not found.
pub(super) fn in_proc(operation: &'static str, errno: Errno) -> Error {
    let error = system(operation, errno);
    match errno {
        Errno::NOENT => error.with_kind(ErrorKind::NotSupported).because("/proc is not mounted"),
        _ => error,
    }
}

/// The error of a descriptor that could not be duplicated.
pub(crate) fn no_descriptor(error: std::io::Error) -> Error {
    Error::new(ErrorKind::ResourceLimit, "keeping a network namespace open")
        .with_errno(error.raw_os_error().unwrap_or_default())
}

/// The error of a system call that no chapter gives a meaning of its own.
pub(super) fn system(operation: &'static str, errno: Errno) -> Error {
    Error::new(super::socket::kind_of(errno.raw_os_error()), operation).with_errno(errno.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_testkit::NetNs;
    use nix::sys::signal::{SigSet, Signal};

    #[test]
    fn a_signal_handler_never_runs_in_another_namespace() {
        let takes = || !SigSet::thread_get_mask().unwrap().contains(Signal::SIGUSR1);
        assert!(takes());
        let elsewhere = NetNs::new();
        let elsewhere = Namespace::from_descriptor(elsewhere.descriptor()).unwrap();
        assert!(!elsewhere.run(takes).unwrap());
        assert!(takes(), "the caller's mask is as before");
    }
}
