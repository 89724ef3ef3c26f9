//! The network stack that a C call means: the calling thread's, as it is at the call.
//!
//! C has no handle to pass. Opening a [`Host`] costs some system calls and descriptors, so a thread keeps the one that
//! it used last, and threads of one network namespace share it. Two things end that: the thread moves to another
//! namespace (`setns`), or it is the copy that `fork` left in a child, whose sockets are the parent's.

use crate::error::Code;
use crate::process::PerProcess;
use iphelper::{Error, ErrorKind, Host};
use std::cell::RefCell;
use std::os::linux::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What must be as it was for a host to be used again. A namespace that a host holds cannot lose its inode to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    process: u32,
    device: u64,
    inode: u64,
}

impl Place {
    fn current() -> Result<Self, Code> {
        let namespace = std::fs::metadata("/proc/thread-self/ns/net").map_err(|error| {
            Code::from(
                Error::new(ErrorKind::Other, "looking at the thread's network namespace")
                    .with_errno(error.raw_os_error().unwrap_or_default()),
            )
        })?;
        Ok(Self { process: std::process::id(), device: namespace.st_dev(), inode: namespace.st_ino() })
    }
}

thread_local! {
    static LAST: RefCell<Option<(Place, Arc<Host>)>> = const { RefCell::new(None) };
}

/// The hosts that threads keep, so that a hundred threads need the descriptors of one.
static SHARED: PerProcess<Hosts> = PerProcess::new();

type Hosts = Mutex<Vec<(Place, Weak<Host>)>>;

/// The calling thread's host.
pub(crate) fn current() -> Result<Arc<Host>, Code> {
    let place = Place::current()?;
    // No thread-local storage is left at a thread's very end: then the host serves this call alone.
    let kept = LAST.try_with(|last| {
        last.borrow().as_ref().filter(|(kept, _)| *kept == place).map(|(_, host)| Arc::clone(host))
    });
    if let Ok(Some(host)) = kept {
        return Ok(host);
    }
    let host = shared(place)?;
    let _kept = LAST.try_with(|last| last.replace(Some((place, Arc::clone(&host)))));
    Ok(host)
}

fn shared(place: Place) -> Result<Arc<Host>, Code> {
    let mut shared = SHARED.get().lock().unwrap_or_else(PoisonError::into_inner);
    shared.retain(|(_, host)| host.strong_count() > 0);
    if let Some(host) = shared.iter().find(|(kept, _)| *kept == place).and_then(|(_, host)| host.upgrade()) {
        return Ok(host);
    }
    let host = Arc::new(Host::open()?);
    shared.push((place, Arc::downgrade(&host)));
    Ok(host)
}
