use crate::backend::{self, Backend};
use crate::error::Result;
use std::fmt;
use std::sync::Arc;

/// A computer's network stack: the handle that every call hangs on.
///
/// A host is cheap to clone, may be shared between threads, and is bound to one compartment (on Linux: one network
/// namespace) for its life.
#[derive(Clone)]
pub struct Host {
    backend: Arc<dyn Backend>,
}

impl Host {
    /// Opens this computer's network stack, as the calling thread sees it now.
    ///
    /// - Linux: the thread's network namespace at this moment. The host stays in it, whatever the thread does later: it
    ///   keeps a descriptor of the namespace and of its `/proc/sys/net`.
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) on an operating system without a back end; on Linux
    ///   where `/proc` is not mounted.
    /// - Privilege: none. What a later call needs, it asks for.
    pub fn open() -> Result<Self> {
        Ok(Self { backend: backend::open()? })
    }

    /// Opens the network namespace that `namespace` refers to (an open `/run/netns/NAME` or `/proc/PID/ns/net`).
    ///
    /// The calling thread does not move: a thread made for the purpose enters the namespace and opens what is needed.
    ///
    /// - Errors: [`AccessDenied`](crate::ErrorKind::AccessDenied) without `CAP_SYS_ADMIN` in the user namespace that
    ///   owns it and in one's own; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for another kind of file.
    /// - Linux: `setns(2)`.
    #[cfg(target_os = "linux")]
    pub fn open_namespace(namespace: std::os::fd::OwnedFd) -> Result<Self> {
        Ok(Self { backend: backend::open_namespace(namespace)? })
    }

    /// Whether this caller may change what belongs to this host's network: each change asks this before all else.
    ///
    /// - Windows: membership of Administrators, without which functions give `ERROR_ACCESS_DENIED`
    /// - Linux: `CAP_NET_ADMIN` over the network namespace, asked of the kernel by a change of no interface
    /// - Privilege: none
    pub fn may_administrate(&self) -> Result<bool> {
        self.backend.may_administrate()
    }

    pub(crate) fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.backend.fmt(f)
    }
}
