//! The one error of this crate.

pub mod codes;

use std::borrow::Cow;
use std::fmt;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is; decides its Win32 and NTSTATUS numbers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is out of its range, or arguments do not go together.
    InvalidParameter,
    /// The caller lacks a privilege: on Linux `CAP_NET_ADMIN` over the network namespace.
    AccessDenied,
    /// The caller lacks the privilege but could raise itself to it (`sudo`): Windows' "not elevated".
    ElevationRequired,
    /// No such interface on this host.
    InterfaceNotFound,
    /// The thing asked for does not exist, or not on this interface or for this address family.
    NotFound,
    /// This host cannot do what was asked. The message says why.
    NotSupported,
    /// What was to be created exists.
    AlreadyExists,
    /// What was asked for is, or a part of it is, somebody else's already.
    InUse,
    /// Another computer on the link has the address.
    AddressConflict,
    /// A name that no interface can have.
    InvalidName,
    /// A handle that is not, or no longer, one of ours.
    InvalidHandle,
    /// Out of memory.
    OutOfMemory,
    /// A limit of the host: descriptors, threads, locked memory.
    ResourceLimit,
    /// A table kept changing while it was read. Try again.
    Interrupted,
    /// A bounded wait ended.
    TimedOut,
    /// No route leads there.
    NetworkUnreachable,
    /// A route or rule says that it cannot be reached, or forbids it.
    HostUnreachable,
    /// A neighbour that was asked for did not answer, or there is no way to ask it.
    NeighborUnreachable,
    /// A failure that Windows has no number for; see [`Error::errno`] and the message.
    Other,
}

/// Why a call failed: the kind, what was being done, and the kernel's own answer.
///
/// [`win32`](Error::win32) and [`ntstatus`](Error::ntstatus) give the number that the Windows function returns in this
/// case. [`Display`](fmt::Display) gives one line to act on.
///
/// ```
/// use iphelper::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::NotSupported, "changing the metric").because("needs a policy rule");
/// assert_eq!(error.win32(), 50);
/// assert_eq!(error.to_string(), "changing the metric: needs a policy rule");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    operation: Cow<'static, str>,
    reason: Option<Cow<'static, str>>,
    errno: Option<i32>,
    kernel: Option<String>,
}

impl Error {
    /// An error of this `kind` in `operation`, a lower-case clause such as "changing an interface".
    #[must_use]
    pub fn new(kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, operation: operation.into(), reason: None, errno: None, kernel: None }))
    }

    /// Adds why, as a lower-case clause that the reader can act on.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    /// Adds the errno that a system call or the kernel's answer carried.
    #[must_use]
    pub fn with_errno(mut self, errno: i32) -> Self {
        self.0.errno = Some(errno);
        self
    }

    /// Adds the kernel's own words (`NLMSGERR_ATTR_MSG`).
    #[must_use]
    pub fn with_kernel_message(mut self, message: impl Into<String>) -> Self {
        self.0.kernel = Some(message.into());
        self
    }

    /// The same failure seen by a caller that names it differently.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// Why it failed, where more is known than the errno.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The errno behind the failure, if the host is Linux and one was given.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// The kernel's extended error message, if it sent one.
    #[must_use]
    pub fn kernel_message(&self) -> Option<&str> {
        self.0.kernel.as_deref()
    }

    /// The Win32 code of this kind. A few functions of the C library name a kind otherwise, as their pages do.
    #[must_use]
    pub fn win32(&self) -> u32 {
        codes::of(self.0.kind).0
    }

    /// The NTSTATUS of this kind, as the functions' driver flavour returns it.
    #[must_use]
    pub fn ntstatus(&self) -> u32 {
        codes::of(self.0.kind).1
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.write_str(&inner.operation)?;
        if let Some(reason) = &inner.reason {
            write!(f, ": {reason}")?;
        }
        if let Some(errno) = inner.errno {
            // "Operation not permitted (os error 1)", without the second half.
            let text = std::io::Error::from_raw_os_error(errno).to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            write!(f, ": {text} (errno {errno})")?;
        }
        if let Some(kernel) = &inner.kernel {
            write!(f, "; the kernel says: {kernel}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, operation, reason, errno, kernel } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("operation", operation)
            .field("reason", reason)
            .field("errno", errno)
            .field("kernel", kernel)
            .finish()
    }
}

impl std::error::Error for Error {}

/// With the kind that the standard library has for it, and this error as its source.
///
/// ```
/// use iphelper::{Error, ErrorKind};
/// let error = std::io::Error::from(Error::new(ErrorKind::NotFound, "reading a route"));
/// assert_eq!((error.kind(), error.to_string()), (std::io::ErrorKind::NotFound, "reading a route".to_owned()));
/// ```
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            ErrorKind::InvalidParameter | ErrorKind::InvalidName | ErrorKind::InvalidHandle => {
                Io::InvalidInput
            }
            ErrorKind::AccessDenied | ErrorKind::ElevationRequired => Io::PermissionDenied,
            ErrorKind::InterfaceNotFound | ErrorKind::NotFound => Io::NotFound,
            ErrorKind::NotSupported => Io::Unsupported,
            ErrorKind::AlreadyExists => Io::AlreadyExists,
            ErrorKind::InUse => Io::ResourceBusy,
            ErrorKind::AddressConflict => Io::AddrInUse,
            ErrorKind::OutOfMemory => Io::OutOfMemory,
            ErrorKind::TimedOut => Io::TimedOut,
            ErrorKind::NetworkUnreachable => Io::NetworkUnreachable,
            ErrorKind::HostUnreachable | ErrorKind::NeighborUnreachable => Io::HostUnreachable,
            // `Io::Interrupted` would have loops try again for ever.
            ErrorKind::ResourceLimit | ErrorKind::Interrupted | ErrorKind::Other => Io::Other,
        };
        Self::new(kind, error)
    }
}
