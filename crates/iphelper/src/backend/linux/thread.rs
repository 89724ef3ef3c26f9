//! Threads that a program's signal handlers never run on.

use crate::error::{Error, ErrorKind, Result};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

/// Signals that the kernel raises for a fault of the thread itself. A fault while its signal is blocked kills the
/// process without a word, a stack overflow's message included.
const FAULTS: [Signal; 6] =
    [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP, Signal::SIGSYS];

/// Starts a thread that blocks every signal but those of [`FAULTS`].
pub(crate) fn start_thread(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>> {
    let failed = |errno: i32| Error::new(ErrorKind::ResourceLimit, "starting a thread").with_errno(errno);
    let started = with_signals_blocked(|| Builder::new().name(name.to_owned()).spawn(work))
        .map_err(|errno| failed(errno as i32))?;
    started.map_err(|error| failed(error.raw_os_error().unwrap_or_default()))
}

/// Starts a thread that ends within `scope`, with the same signals blocked; `None` where no thread is to be had.
pub(super) fn start_helper<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    with_signals_blocked(|| Builder::new().name(name.to_owned()).spawn_scoped(scope, work)).ok()?.ok()
}

/// Runs `start` with every signal blocked but those of [`FAULTS`].
///
/// A thread begins with the mask of the one that starts it, so the mask is set here and put back, and there is no
/// moment at which the new thread could take a signal.
pub(super) fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> Result<T, Errno> {
    let mut blocked = SigSet::all();
    for fault in FAULTS {
        blocked.remove(fault);
    }
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let started = start();
    before.thread_set_mask()?;
    Ok(started)
}
