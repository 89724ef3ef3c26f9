//! Compartments: which network namespaces there are, their numbers, and how a thread gets there.
//!
//! A namespace is known by the inode of its file (`/proc/PID/ns/net`), which shows only to who may look into the process.
//! The files of `/proc/PID/net` show to everybody, and their inodes differ from namespace to namespace (each has files of its
//! own, `fs/proc/proc_net.c`): so everybody can tell whether two processes are in one namespace.

mod list;
mod name;

use super::LinuxHost;
use super::link::NAME_SPACE;
use super::namespace::system;
use super::process::Processes;
use crate::backend;
use crate::compartment::{CompartmentId, OpenCompartment};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Guid;
pub(crate) use list::{compartments, open_compartment};
pub(crate) use name::name_compartment;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::fs::MetadataExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const OPERATION: &str = "looking for a compartment";
const THREAD: &str = "/proc/thread-self";
const FIRST_PROCESS: &str = "/proc/1";
/// Where `ip netns` keeps names.
const NAMES: &str = "/run/netns";

/// The kernel's first namespaces have fixed inode numbers (`linux/nsfs.h`): that of processes always had this one, that of
/// the network has since Linux 6.17.
const FIRST_PROCESSES: u64 = 0xEFFF_FFFC;
const FIRST_NETWORK: u64 = 0xEFFF_FFF9;

impl backend::Compartment for LinuxHost {
    fn compartment_id(&self) -> Result<CompartmentId> {
        let view = self.counters.identity().map_err(|errno| system(OPERATION, errno))?;
        Primary::find().id(Place { namespace: Some(self.namespace.inode()), view: Some(view) })
    }
}

/// What is known of a namespace.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The namespace's own inode number.
    namespace: Option<u64>,
    /// That of a file which belongs to the namespace.
    view: Option<u64>,
}

impl Place {
    /// That of a thread or process, by its folder in `/proc`.
    fn of(folder: &str) -> Result<Self, Errno> {
        let view = inode(&format!("{folder}/net/snmp"));
        match inode(&format!("{folder}/ns/net")) {
            Ok(namespace) => Ok(Self { namespace: Some(namespace), view: view.ok() }),
            // Whoever may not look into a process may see its network.
            Err(errno) => Ok(Self { namespace: None, view: Some(view.map_err(|_| errno)?) }),
        }
    }
}

impl LinuxHost {
    /// Whether this is the network namespace in which the computer began, and not that of a container.
    pub(super) fn is_computers_first(&self) -> bool {
        use backend::Compartment as _;
        let is_primary = || self.compartment_id().is_ok_and(|id| id == CompartmentId::PRIMARY);
        self.namespace.inode() == FIRST_NETWORK
            || inode("/proc/self/ns/pid") == Ok(FIRST_PROCESSES) && is_primary()
    }
}

fn inode(path: &str) -> Result<u64, Errno> {
    std::fs::metadata(path)
        .map(|file| file.st_ino())
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// The namespace of process 1.
#[derive(Clone, Copy, Debug)]
struct Primary(Place);

impl Primary {
    fn find() -> Self {
        let mut place = Place::of(FIRST_PROCESS).unwrap_or_default();
        match place.view {
            // Process 1 is hidden. Of the kernel's own first processes it is known where they are.
            None if inode("/proc/self/ns/pid") == Ok(FIRST_PROCESSES) => {
                place.namespace = place.namespace.or(Some(FIRST_NETWORK));
            }
            Some(view) if place.namespace.is_none() => {
                let here = Place::of(THREAD).unwrap_or_default();
                place.namespace = here.namespace.filter(|_| here.view == Some(view));
            }
            _ => {}
        }
        Self(place)
    }

    /// The same for who asks about namespaces by their own inodes alone. Where process 1 may not be looked into, another
    /// process that has its view of the network tells which it is: all are looked at then.
    fn complete() -> Self {
        let Self(mut place) = Self::find();
        if let (None, Some(view)) = (place.namespace, place.view) {
            let processes = Processes::open().and_then(|processes| processes.pids()).unwrap_or_default();
            place.namespace = processes.into_iter().find_map(|process| {
                let of = Place::of(&format!("/proc/{process}")).ok()?;
                of.namespace.filter(|_| of.view == Some(view))
            });
        }
        Self(place)
    }

    fn is(self, place: Place) -> bool {
        let same = |here: Option<u64>, there: Option<u64>| here.is_some() && here == there;
        same(self.0.namespace, place.namespace) || same(self.0.view, place.view)
    }

    /// The number of a namespace.
    fn id(self, place: Place) -> Result<CompartmentId> {
        if self.is(place) {
            return Ok(CompartmentId::PRIMARY);
        }
        let inode = place.namespace.ok_or_else(not_for_this_caller)?;
        // 32 bits in the kernel, too, and never so small as the primary one's.
        u32::try_from(inode)
            .map(CompartmentId)
            .map_err(|_| Error::new(ErrorKind::Other, OPERATION).because("its inode number is too large"))
    }
}

fn not_for_this_caller() -> Error {
    Error::new(ErrorKind::AccessDenied, OPERATION)
        .because("it belongs to processes of others: needs CAP_SYS_PTRACE over them")
}

/// The kernel's answer about a process.
fn process_error(errno: Errno, process: u32) -> Error {
    match errno {
        Errno::NOENT | Errno::SRCH => Error::new(ErrorKind::NotFound, OPERATION)
            .because(format!("there is no process {process}"))
            .with_errno(errno.raw_os_error()),
        Errno::ACCESS | Errno::PERM => not_for_this_caller().with_errno(errno.raw_os_error()),
        errno => system(OPERATION, errno),
    }
}

pub(crate) fn current_thread_compartment() -> Result<CompartmentId> {
    Primary::find().id(Place::of(THREAD).map_err(|errno| system(OPERATION, errno))?)
}

pub(crate) fn default_compartment() -> Result<CompartmentId> {
    let Primary(place) = Primary::find();
    if place.namespace.is_none() && place.view.is_none() {
        return Err(Error::new(ErrorKind::NotFound, OPERATION)
            .because("process 1 is hidden from this caller (hidepid)"));
    }
    Ok(CompartmentId::PRIMARY)
}

pub(crate) fn process_compartment(process: u32) -> Result<CompartmentId> {
    let mut place = Place::of(&format!("/proc/{process}")).map_err(|errno| process_error(errno, process))?;
    if place.namespace.is_none() {
        let here = Place::of(THREAD).unwrap_or_default();
        place.namespace = here.namespace.filter(|_| here.view == place.view);
    }
    Primary::find().id(place)
}

pub(crate) fn session_compartment(session: Option<u32>) -> Result<CompartmentId> {
    let not_found = |reason: &str| Err(Error::new(ErrorKind::NotFound, OPERATION).because(reason.to_owned()));
    let session = match session {
        Some(session) => Some(session),
        None => session_of("self")?,
    };
    // Sessions from outside this view of processes have no number here.
    let Some(session) = session.filter(|session| *session != 0) else {
        return not_found("the session's leader is outside this PID namespace");
    };
    match session_of(&session.to_string()) {
        Ok(Some(of_leader)) if of_leader == session => process_compartment(session),
        Ok(_) => not_found("no session has this number: it is the process number of its leader"),
        Err(_) => not_found("there is no such session, or its leader has ended"),
    }
}

/// The session of a process: the sixth field of its `stat` (`proc_pid_stat(5)`).
fn session_of(process: &str) -> Result<Option<u32>> {
    let stat = std::fs::read(format!("/proc/{process}/stat")).map_err(|error| {
        system(OPERATION, Errno::from_io_error(&error).unwrap_or(Errno::IO))
            .because("reading a process' state")
    })?;
    let stat = String::from_utf8_lossy(&stat);
    // The name before it may hold anything, brackets too.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    Ok(fields.split_whitespace().nth(3).and_then(|field| field.parse().ok()))
}

pub(crate) fn compartment_guid(id: CompartmentId) -> Guid {
    let name = if id == CompartmentId::PRIMARY {
        b"compartment\0primary".to_vec()
    } else {
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        [&b"compartment"[..], boot.trim_ascii(), &id.0.to_be_bytes()].join(&0)
    };
    Guid::from_bytes(Uuid::new_v5(&NAME_SPACE, &name).into_bytes())
}

pub(crate) fn compartment_with_guid(guid: Guid) -> Result<CompartmentId> {
    let known = compartments()?;
    known.iter().find(|compartment| compartment.guid == guid).map(|compartment| compartment.id).ok_or_else(
        || Error::new(ErrorKind::NotFound, OPERATION).because("no compartment that is known has this GUID"),
    )
}

/// The file of a name.
fn named(name: &str) -> Result<PathBuf> {
    const LONGEST: usize = 255;
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) || name.len() > LONGEST {
        return Err(Error::new(ErrorKind::InvalidName, OPERATION).because("a name is that of a file"));
    }
    Ok(Path::new(NAMES).join(name))
}

pub(crate) fn open_named_compartment(name: &str) -> Result<OpenCompartment> {
    open(&named(name)?).map_err(|errno| match errno {
        Errno::NOENT | Errno::NOTDIR => Error::new(ErrorKind::NotFound, OPERATION)
            .because("`ip netns` knows none of this name")
            .with_errno(errno.raw_os_error()),
        errno => system(OPERATION, errno),
    })?
}

pub(crate) fn open_compartment_of_process(process: u32) -> Result<OpenCompartment> {
    open(Path::new(&format!("/proc/{process}/ns/net"))).map_err(|errno| process_error(errno, process))?
}

pub(crate) fn open_current_compartment() -> Result<OpenCompartment> {
    open(Path::new("/proc/thread-self/ns/net")).map_err(|errno| system(OPERATION, errno))?
}

/// Opens the file of a namespace. What is no network namespace is not found.
fn open(path: &Path) -> Result<Result<OpenCompartment>, Errno> {
    let descriptor =
        rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())?;
    let namespace = rustix::fs::fstat(&descriptor)?.st_ino;
    // A link in /proc and a mount tell their kind; an open file does not.
    let link = std::fs::read_link(format!("{THREAD}/fd/{}", descriptor.as_raw_fd()));
    let is_network = link.is_ok_and(|link| link.to_string_lossy() == format!("net:[{namespace}]"))
        || list::mounts().iter().any(|(inode, _)| *inode == namespace);
    if !is_network {
        return Ok(Err(Error::new(ErrorKind::NotFound, OPERATION)
            .because(format!("{} is no network namespace", path.display()))));
    }
    Ok(Primary::complete()
        .id(Place { namespace: Some(namespace), view: None })
        .map(|id| OpenCompartment { descriptor, id }))
}

pub(crate) fn enter_compartment(there: &OpenCompartment) -> Result<OpenCompartment> {
    const OPERATION: &str = "entering a compartment";
    let here = open_current_compartment()?;
    let same = |one: &OwnedFd, other: &OwnedFd| {
        let (one, other) = (rustix::fs::fstat(one)?, rustix::fs::fstat(other)?);
        Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
    };
    if !same(&here.descriptor, &there.descriptor).map_err(|errno| system(OPERATION, errno))? {
        move_into_link_name_space(there.descriptor.as_fd(), Some(LinkNameSpaceType::Network)).map_err(
            |errno| match errno {
                Errno::PERM => system(OPERATION, errno)
                    .because("needs CAP_SYS_ADMIN in the user namespace that owns it and in one's own"),
                errno => system(OPERATION, errno),
            },
        )?;
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_collide_with_the_primary_one() {
        let place = |namespace, view| Place { namespace, view };
        let primary = Primary(place(Some(0xF000_0001), Some(7)));
        assert_eq!(primary.id(place(Some(0xF000_0001), None)).unwrap(), CompartmentId::PRIMARY);
        assert_eq!(primary.id(place(None, Some(7))).unwrap(), CompartmentId::PRIMARY);
        assert_eq!(primary.id(place(Some(0xF000_0002), Some(8))).unwrap().0, 0xF000_0002);
        assert_eq!(primary.id(place(None, Some(8))).unwrap_err().kind(), ErrorKind::AccessDenied);
        // Two that are not known are not one.
        let hidden = Primary(Place::default());
        assert_eq!(hidden.id(place(Some(5), None)).unwrap().0, 5);
        assert!(hidden.id(place(Some(u64::MAX), None)).is_err());
    }

    #[test]
    fn a_guid_of_the_primary_one_is_for_ever() {
        let guid = compartment_guid(CompartmentId::PRIMARY);
        assert_eq!(guid.to_string(), "{17C82507-BABF-55DF-95AE-4C1C649E7245}");
        assert_ne!(guid, compartment_guid(CompartmentId(2)));
    }
}
