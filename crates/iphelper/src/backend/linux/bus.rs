//! The system's bus: how this host's services are asked, such as `systemd-resolved` and NetworkManager.
//!
//! One connection answers one call of this library and is closed then. The caller's own thread speaks, and waits for each
//! answer as long as [`PATIENCE`] says.
//!
//! No thread is made for a call, and connections share nothing, so that a forked child may call whatever its parent's threads
//! were about: a child that was made while any of them began or ended can make no thread that runs. Each begins and ends with a
//! lock of the standard library (`std/src/sys/pal/unix/stack_overflow/thread_info.rs`), which is held there for ever.
//!
//! A bus is a file, and so is reached from other network namespaces than the one that its services manage (`ip netns exec`,
//! a container that was given the host's socket). A service that numbers interfaces is asked only if its process is in the
//! namespace of the host; see [`LinuxHost::service`].

mod address;
mod connection;
mod message;
mod watch;

pub(super) use watch::{ServiceWatch, Watched};

use super::LinuxHost;
use super::namespace::Namespace;
use crate::error::{Error, ErrorKind, Result};
use connection::{Connection, Failure};
use message::Method;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use zbus::wire::{DynamicType, OwnedVariant, Type};

/// How long the bus may take to greet a caller, and then for each answer.
const PATIENCE: Duration = Duration::from_secs(5);
const NETWORKD: &str = "org.freedesktop.network1";
const DRIVER: &str = "org.freedesktop.DBus";
const DRIVER_PATH: &str = "/org/freedesktop/DBus";

/// A service of this host's namespace, and the connection to it.
#[derive(Debug)]
pub(super) struct Service {
    bus: RefCell<Connection>,
    /// The unique name of the process that had the service's name when it was looked at: a later one is not asked.
    owner: String,
    process: u32,
    operation: &'static str,
}

/// Properties of an object's interface, by name.
#[derive(Debug)]
pub(super) struct Properties(HashMap<String, OwnedVariant>);

impl Properties {
    /// A property; `None` where it is missing, or of another type.
    pub(super) fn get<T: TryFrom<OwnedVariant>>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.try_clone().ok()?.try_into().ok()
    }
}

impl LinuxHost {
    /// The service called `name`; `None` where there is no bus, the service does not run, or it works on another network
    /// namespace than this host's.
    ///
    /// It is of this namespace if its process is. Where this caller may not look at the process, it is if the process has
    /// an rtnetlink socket in the namespace: the kernel gives a process's first one the process's number as port, and lists
    /// the ports to everybody (`/proc/net/netlink`). A bus of another PID namespace has numbers that mean nothing here.
    pub(super) fn service(&self, name: &str, operation: &'static str) -> Result<Option<Service>> {
        // `systemd-networkd` has the socket of systemd, which gives it one (`systemd-networkd.socket`).
        let process_of_socket =
            |process| if name == NETWORKD && is_child_of_first(process) { 1 } else { process };
        self.service_if(name, operation, |process| self.is_in_namespace(process, process_of_socket(process)))
    }

    /// The service called `name`, if `is_ours` says so of its process.
    pub(super) fn service_if(
        &self,
        name: &str,
        operation: &'static str,
        is_ours: impl FnOnce(u32) -> bool,
    ) -> Result<Option<Service>> {
        let bus = Connection::system().map_err(|failure| failed(failure, "greeting it", operation))?;
        let Some(mut bus) = bus else { return Ok(None) };
        let Some(owner) = ask_driver::<String>(&mut bus, "GetNameOwner", name, operation)? else {
            return Ok(None);
        };
        let Some(process) = ask_driver(&mut bus, "GetConnectionUnixProcessID", &owner, operation)? else {
            return Ok(None);
        };
        let is_here = is_of_this_pid_namespace(&bus) && is_ours(process);
        Ok(is_here.then_some(Service { bus: bus.into(), owner, process, operation }))
    }

    fn is_in_namespace(&self, process: u32, process_of_socket: u32) -> bool {
        match rustix::fs::stat(format!("/proc/{process}/ns/net")) {
            Ok(status) => (status.st_dev, status.st_ino) == self.namespace.identity(),
            // Another user's; `/proc` may even hide that it is there.
            Err(Errno::ACCESS | Errno::PERM | Errno::NOENT) => {
                has_route_socket(&self.namespace, process_of_socket)
            }
            Err(_) => false,
        }
    }
}

/// Asks the bus itself about a name; `None` where it knows none such.
fn ask_driver<T>(bus: &mut Connection, member: &str, name: &str, operation: &'static str) -> Result<Option<T>>
where
    T: for<'a> Deserialize<'a> + Type,
{
    let method = Method { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER, member };
    match bus.call(method, &(name,)).map_err(|failure| failed(failure, member, operation)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

/// Whether process numbers mean the same to the bus and to this caller: the bus' own is 0 in a namespace without it.
fn is_of_this_pid_namespace(bus: &Connection) -> bool {
    getsockopt(bus.socket(), PeerCredentials).is_ok_and(|peer| peer.pid() > 0)
}

/// Whether the first process has started this one.
fn is_child_of_first(process: u32) -> bool {
    let status = std::fs::read(format!("/proc/{process}/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|parent| parent.trim() == "1"))
}

/// Whether an rtnetlink socket of the namespace has the number of this process as its port.
fn has_route_socket(namespace: &Namespace, process: u32) -> bool {
    let list = namespace.run(|| std::fs::read("/proc/thread-self/net/netlink"));
    let Ok(Ok(list)) = list else { return false };
    // A head line, then: address, protocol (0 is rtnetlink), port, and more.
    let port = process.to_string();
    String::from_utf8_lossy(&list).lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next() == Some("0") && fields.next() == Some(port.as_str())
    })
}

impl Service {
    /// The number of its process.
    pub(super) fn process(&self) -> u32 {
        self.process
    }

    /// Calls a method.
    ///
    /// Errors: [`AccessDenied`](ErrorKind::AccessDenied) where the bus or the service (polkit) forbids it,
    /// [`NotSupported`](ErrorKind::NotSupported) where this version of the service has no such method or property,
    /// [`NotFound`](ErrorKind::NotFound) where it is gone, [`TimedOut`](ErrorKind::TimedOut) where it does not answer; what
    /// else it refuses is [`Other`](ErrorKind::Other), and its words are in the reason.
    pub(super) fn call<A, T>(&self, path: &str, interface: &str, member: &str, arguments: A) -> Result<T>
    where
        A: Serialize + DynamicType,
        T: for<'a> Deserialize<'a> + Type,
    {
        let method = Method { destination: &self.owner, path, interface, member };
        let answer = self.bus.borrow_mut().call(method, &arguments);
        answer.map_err(|failure| failed(failure, member, self.operation))
    }

    /// All properties of an object's interface.
    pub(super) fn properties(&self, path: &str, interface: &str) -> Result<Properties> {
        let arguments = (interface,);
        self.call(path, "org.freedesktop.DBus.Properties", "GetAll", arguments).map(Properties)
    }
}

/// The error that a refusal, or a failure on the way, is.
fn failed(failure: Failure, member: &str, operation: &'static str) -> Error {
    let broken = |why: &dyn fmt::Display| {
        Error::new(ErrorKind::Other, operation)
            .because(format!("talking to the system's bus about {member}: {why}"))
    };
    match failure {
        Failure::Refused { name, text } => {
            let kind = kind_of(name.rsplit('.').next().unwrap_or_default());
            let text = if text.is_empty() { "without a word" } else { &text };
            Error::new(kind, operation).because(format!("the service refuses {member}: {text} ({name})"))
        }
        Failure::TimedOut => Error::new(ErrorKind::TimedOut, operation)
            .because("the system's bus, or the service asked by it, does not answer"),
        Failure::Unwelcome => broken(&"it does not talk to this caller"),
        Failure::Ended(errno) => broken(&std::io::Error::from(errno)).with_errno(errno.raw_os_error()),
        Failure::Malformed(error) => broken(&error),
    }
}

fn kind_of(refusal: &str) -> ErrorKind {
    match refusal {
        // The last one is NetworkManager's.
        "AccessDenied" | "InteractiveAuthorizationRequired" | "AuthFailed" | "PermissionDenied" => {
            ErrorKind::AccessDenied
        }
        "UnknownMethod" | "UnknownInterface" | "UnknownProperty" | "NotSupported" | "LinkBusy"
        | "UnmanagedInterface" => ErrorKind::NotSupported,
        "NoSuchLink" => ErrorKind::InterfaceNotFound,
        "UnknownObject" | "UnknownDevice" | "ServiceUnknown" | "NameHasNoOwner" => ErrorKind::NotFound,
        "InvalidArgs" => ErrorKind::InvalidParameter,
        "NoReply" | "Timeout" | "TimedOut" => ErrorKind::TimedOut,
        "NoMemory" | "LimitsExceeded" => ErrorKind::ResourceLimit,
        _ => ErrorKind::Other,
    }
}
