//! Compartments: network stacks of one computer beside each other. On Linux each network namespace is one.
//!
//! A compartment has a number that every program sees alike, [`CompartmentId`], a name where somebody gave it one
//! (`ip netns`), and processes. A thread is in one of them; a [`Host`] stays in the one in which it was opened.
//!
//! - Which there are: [`compartments`], [`default_compartment`], [`process_compartment`], [`session_compartment`],
//!   [`Host::compartment_id`]
//! - Into one: [`OpenCompartment`], whose [`host`](OpenCompartment::host) reads and changes it;
//!   [`set_current_thread_compartment`] and [`current_thread_compartment`] for the thread itself
//!
//! ```no_run
//! use iphelper::compartment::{self, OpenCompartment};
//!
//! # fn main() -> iphelper::Result<()> {
//! for compartment in compartment::compartments()? {
//!     println!("{} {:?}: {} processes", compartment.id, compartment.names, compartment.processes.len());
//! }
//! let blue = OpenCompartment::named("blue")?;
//! println!("{} addresses in blue", blue.host()?.unicast_addresses(None)?.len());
//! # Ok(())
//! # }
//! ```

use crate::backend;
use crate::error::Result;
use crate::host::Host;
use crate::types::Guid;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// The number of a compartment.
///
/// - Windows: `NET_IF_COMPARTMENT_ID`
/// - Linux: 1 for the network namespace of process 1, the one in which the computer or the container begins; for every
///   other its inode number, which `ls -L -i /run/netns` and `readlink /proc/PID/ns/net` show. The same to every process
///   that sees the same processes, unique among the namespaces that exist. The kernel gives numbers of namespaces that are
///   gone to later ones.
#[doc(alias = "NET_IF_COMPARTMENT_ID")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CompartmentId(pub u32);

impl CompartmentId {
    /// No compartment.
    #[doc(alias = "NET_IF_COMPARTMENT_ID_UNSPECIFIED")]
    pub const UNSPECIFIED: Self = Self(0);
    /// The one in which the computer, or the container, begins.
    #[doc(alias = "NET_IF_COMPARTMENT_ID_PRIMARY")]
    pub const PRIMARY: Self = Self(1);
}

impl fmt::Display for CompartmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A compartment and who is in it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Compartment {
    /// Its number.
    pub id: CompartmentId,
    /// Its GUID, see [`CompartmentId::guid`].
    pub guid: Guid,
    /// The inode number of the network namespace; `None` for the primary one where this caller may not see it.
    pub inode: Option<u64>,
    /// The names that `ip netns` knows it by, in order.
    pub names: Vec<String>,
    /// Where else it is kept, as container runtimes do: mount points.
    pub paths: Vec<PathBuf>,
    /// The processes with a thread in it, as far as this caller may see, in order.
    pub processes: Vec<u32>,
    /// Whether the calling thread is in it.
    pub is_current: bool,
}

/// The compartments that this caller can see: by processes, by `ip netns`' names, by other mounts. The primary one is
/// first, the others follow in the order of their numbers.
///
/// - Linux: `/proc/PID/task/TID/ns/net` and the mounts of the kind `nsfs` in this thread's mount namespace. A namespace
///   that only descriptors or sockets of processes keep is not found.
/// - Privilege: none. Processes of other users, into which the caller may not look, are known by their view of
///   `/proc/PID/net`, where one that may be looked into has the same.
pub fn compartments() -> Result<Vec<Compartment>> {
    backend::compartments()
}

/// The compartment that the calling thread is in.
///
/// - Windows: `GetCurrentThreadCompartmentId`
/// - Linux: `/proc/thread-self/ns/net`
/// - Privilege: none
#[doc(alias = "GetCurrentThreadCompartmentId")]
pub fn current_thread_compartment() -> Result<CompartmentId> {
    backend::current_thread_compartment()
}

/// The compartment in which the computer, or the container, begins: [`CompartmentId::PRIMARY`].
///
/// - Windows: `GetDefaultCompartmentId`
/// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where process 1 is hidden (`hidepid`)
/// - Linux: that of process 1
/// - Privilege: none
#[doc(alias = "GetDefaultCompartmentId")]
pub fn default_compartment() -> Result<CompartmentId> {
    backend::default_compartment()
}

/// The compartment that a process' first thread is in.
///
/// - Errors: [`NotFound`](crate::ErrorKind::NotFound) for no such process;
///   [`AccessDenied`](crate::ErrorKind::AccessDenied) where the caller may not look into it, and it is neither in the
///   primary compartment nor in the caller's
pub fn process_compartment(process: u32) -> Result<CompartmentId> {
    backend::process_compartment(process)
}

/// The compartment of a session's leader, in which what the session starts begins; `None` is the caller's own session.
///
/// - Windows: `GetSessionCompartmentId`
/// - Linux: a session is that of `setsid(2)`, its number the process number of its leader (`ps -o sid`). It has no
///   compartment of its own, and its processes may be elsewhere by now.
/// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where the leader has ended or is outside this view of processes;
///   those of [`process_compartment`]
#[doc(alias = "GetSessionCompartmentId")]
pub fn session_compartment(session: Option<u32>) -> Result<CompartmentId> {
    backend::session_compartment(session)
}

/// Moves the calling thread, and no other, to a compartment; gives the one it left, which is kept for as long.
///
/// See [`OpenCompartment::enter`].
#[doc(alias = "SetCurrentThreadCompartmentId")]
pub fn set_current_thread_compartment(id: CompartmentId) -> Result<OpenCompartment> {
    OpenCompartment::open(id)?.enter()
}

impl CompartmentId {
    /// A GUID that names this compartment: for the primary one the same for ever, for another the same to every process
    /// until the computer starts anew.
    ///
    /// - Windows: `ConvertCompartmentIdToGuid`
    /// - Linux: version 5 (RFC 9562), of the computer's start (`boot_id`) and the number
    #[doc(alias = "ConvertCompartmentIdToGuid")]
    #[must_use]
    pub fn guid(self) -> Guid {
        backend::compartment_guid(self)
    }

    /// The compartment with this GUID, among those that this caller can see.
    ///
    /// - Windows: `ConvertCompartmentGuidToId`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound)
    #[doc(alias = "ConvertCompartmentGuidToId")]
    pub fn from_guid(guid: Guid) -> Result<Self> {
        backend::compartment_with_guid(guid)
    }
}

/// A compartment that is kept, and can be entered: it lives at least as long as this value.
#[derive(Debug)]
pub struct OpenCompartment {
    pub(crate) descriptor: OwnedFd,
    pub(crate) id: CompartmentId,
}

impl OpenCompartment {
    /// The one with this number, among those that [`compartments`] finds.
    ///
    /// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for [`CompartmentId::UNSPECIFIED`];
    ///   [`NotFound`](crate::ErrorKind::NotFound); [`AccessDenied`](crate::ErrorKind::AccessDenied) where only processes
    ///   have it into which the caller may not look
    pub fn open(id: CompartmentId) -> Result<Self> {
        backend::open_compartment(id)
    }

    /// The one that `ip netns` knows by this name.
    ///
    /// - Errors: [`InvalidName`](crate::ErrorKind::InvalidName) for what is no file name;
    ///   [`NotFound`](crate::ErrorKind::NotFound)
    /// - Linux: `/run/netns/NAME`
    pub fn named(name: &str) -> Result<Self> {
        backend::open_named_compartment(name)
    }

    /// The one that a process' first thread is in.
    ///
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) for no such process;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) where the caller may not look into it
    pub fn of_process(process: u32) -> Result<Self> {
        backend::open_compartment_of_process(process)
    }

    /// The one that the calling thread is in.
    pub fn current() -> Result<Self> {
        backend::open_current_compartment()
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> CompartmentId {
        self.id
    }

    /// Opens its network stack. The calling thread does not move.
    ///
    /// - Errors and privilege: those of [`Host::open_namespace`]
    pub fn host(&self) -> Result<Host> {
        let descriptor = self.descriptor.try_clone().map_err(backend::no_descriptor)?;
        Host::open_namespace(descriptor)
    }

    /// Gives it a name by which `ip netns` knows it, and which keeps it until somebody takes the name away
    /// (`ip netns delete`). Nothing is done where it has this name; others that it has stay.
    ///
    /// - Windows: `SetNetworkInformation`
    /// - Errors: [`InvalidName`](crate::ErrorKind::InvalidName) for what is no file name;
    ///   [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where something else has it;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: a mount on `/run/netns/NAME`, as `ip netns attach` makes it
    /// - Privilege: `CAP_SYS_ADMIN` over the mount namespace, and to write to `/run/netns`
    #[doc(alias = "SetNetworkInformation")]
    pub fn set_name(&self, name: &str) -> Result<()> {
        backend::name_compartment(self, name)
    }

    /// Moves the calling thread, and no other, here; gives the compartment that it left.
    ///
    /// Sockets stay where they were made, and a [`Host`] where it was opened. Threads and processes that this thread
    /// starts begin here. Of a pool of threads, as executors have, whoever uses the thread next finds itself here.
    ///
    /// - Windows: `SetCurrentThreadCompartmentId`
    /// - Errors: [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `setns(2)`; nothing is done where the thread is here already
    /// - Privilege: `CAP_SYS_ADMIN` in the user namespace that owns this one, and in one's own
    pub fn enter(&self) -> Result<Self> {
        backend::enter_compartment(self)
    }
}

impl AsFd for OpenCompartment {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Host {
    /// The compartment that this host is bound to.
    ///
    /// - Windows: `CompartmentId` of `IP_ADAPTER_ADDRESSES`
    /// - Privilege: none
    #[doc(alias = "CompartmentId")]
    pub fn compartment_id(&self) -> Result<CompartmentId> {
        self.backend().compartment_id()
    }
}
