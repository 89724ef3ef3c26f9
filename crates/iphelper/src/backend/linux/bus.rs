//! The system's bus: how this host's services are asked, such as `systemd-resolved` and NetworkManager.
//!
//! One connection answers one call of this library and is closed then. `zbus` drives it, on a thread that takes none of the
//! program's signals and that the caller's own use of zbus does not meet.
//!
//! A forked child may call, too, but not at the same time as its parent: they share the epoll instance of zbus' reactor, and
//! one may be woken for the other, whose calls then end as timed out.
//!
//! A bus is a file, and so is reached from other network namespaces than the one that its services manage (`ip netns exec`,
//! a container that was given the host's socket). A service that numbers interfaces is asked only if its process is in the
//! namespace of the host; see [`LinuxHost::service`].

mod watch;

pub(super) use watch::{ServiceWatch, Watched};

use super::LinuxHost;
use super::namespace::Namespace;
use super::privilege::has_more_rights_than_its_caller;
use super::thread::start_thread;
use crate::error::{Error, ErrorKind, Result};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use zbus::address::Address;
use zbus::address::transport::{Transport, Unix, UnixSocket};
use zbus::connection::Builder;
use zbus::wire::{DynamicType, OwnedVariant, Type};
use zbus::{Connection, DBusError, Message, block_on};

/// How long each answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where the bus is unless `DBUS_SYSTEM_BUS_ADDRESS` says otherwise.
const DEFAULT: [&str; 2] = ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"];
const DRIVER: &str = "org.freedesktop.DBus";
const DRIVER_PATH: &str = "/org/freedesktop/DBus";

/// A service of this host's namespace, and the connection to it.
#[derive(Debug)]
pub(super) struct Service {
    bus: Bus,
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
        self.service_if(name, operation, |process| self.is_in_namespace(process))
    }

    /// The service called `name`, if `is_ours` says so of its process.
    pub(super) fn service_if(
        &self,
        name: &str,
        operation: &'static str,
        is_ours: impl FnOnce(u32) -> bool,
    ) -> Result<Option<Service>> {
        let Some(bus) = Bus::system(operation)? else { return Ok(None) };
        let Some(owner) = bus.ask_driver::<String>("GetNameOwner", name, operation)? else {
            return Ok(None);
        };
        let Some(process) = bus.ask_driver("GetConnectionUnixProcessID", &owner, operation)? else {
            return Ok(None);
        };
        let is_here = bus.is_of_this_pid_namespace() && is_ours(process);
        Ok(is_here.then_some(Service { bus, owner, process, operation }))
    }

    fn is_in_namespace(&self, process: u32) -> bool {
        match rustix::fs::stat(format!("/proc/{process}/ns/net")) {
            Ok(status) => (status.st_dev, status.st_ino) == self.namespace.identity(),
            // Another user's; `/proc` may even hide that it is there.
            Err(Errno::ACCESS | Errno::PERM | Errno::NOENT) => has_route_socket(&self.namespace, process),
            Err(_) => false,
        }
    }
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
        A: Serialize + DynamicType + Send + 'static,
        T: for<'a> Deserialize<'a> + Type + Send + 'static,
    {
        self.bus.call(&self.owner, path, interface, member, arguments, self.operation)
    }

    /// All properties of an object's interface.
    pub(super) fn properties(&self, path: &str, interface: &str) -> Result<Properties> {
        let arguments = (interface.to_owned(),);
        self.call(path, "org.freedesktop.DBus.Properties", "GetAll", arguments).map(Properties)
    }
}

/// A connection to the system's bus.
struct Bus {
    /// What the connection's thread is to do; it ends, and closes the connection, when this is dropped.
    jobs: Sender<Job>,
    /// The number of the bus' process; 0 for one that this PID namespace does not have, `None` for one elsewhere.
    peer: Option<i32>,
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

impl Bus {
    /// Connects; `None` where there is no bus, or none that would talk to this caller.
    fn system(operation: &'static str) -> Result<Option<Self>> {
        let (jobs, work) = channel::<Job>();
        let (connected, answer) = channel();
        let _thread = start_thread("iphelper-bus", move || match block_on(connect()) {
            Ok(Some((connection, peer))) => {
                if connected.send(Ok(Some(peer))).is_ok() {
                    for job in work {
                        job(&connection);
                    }
                }
            }
            // Nobody waits any more if it cannot be sent.
            Ok(None) => drop(connected.send(Ok(None))),
            Err(error) => drop(connected.send(Err(error))),
        })?;
        let peer = wait(&answer, operation)?.map_err(|error| failed(&error, "greeting it", operation))?;
        Ok(peer.map(|peer| Self { jobs, peer }))
    }

    /// Lets the connection's thread do something.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> T + Send + 'static,
        operation: &'static str,
    ) -> Result<T> {
        let (done, answer) = channel();
        let job = move |connection: &Connection| drop(done.send(work(connection)));
        // A thread that has ended is noticed by the answer that does not come.
        let _ended = self.jobs.send(Box::new(job));
        wait(&answer, operation)
    }

    fn call<A, T>(
        &self,
        destination: &str,
        path: &str,
        interface: &str,
        member: &str,
        arguments: A,
        operation: &'static str,
    ) -> Result<T>
    where
        A: Serialize + DynamicType + Send + 'static,
        T: for<'a> Deserialize<'a> + Type + Send + 'static,
    {
        let [destination, path, interface, name] = [destination, path, interface, member].map(str::to_owned);
        let call = move |connection: &Connection| -> zbus::Result<T> {
            let answer: Message = block_on(connection.call_method(
                Some(destination.as_str()),
                path.as_str(),
                Some(interface.as_str()),
                name.as_str(),
                &arguments,
            ))?;
            answer.body().deserialize()
        };
        self.run(call, operation)?.map_err(|error| failed(&error, member, operation))
    }

    /// Asks the bus itself about a name; `None` where it knows none such.
    fn ask_driver<T>(&self, member: &str, name: &str, operation: &'static str) -> Result<Option<T>>
    where
        T: for<'a> Deserialize<'a> + Type + Send + 'static,
    {
        match self.call(DRIVER, DRIVER_PATH, DRIVER, member, (name.to_owned(),), operation) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Whether process numbers mean the same to the bus and to this caller.
    fn is_of_this_pid_namespace(&self) -> bool {
        self.peer.is_some_and(|process| process > 0)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

/// What the connection's thread answers. Calls have a limit of their own, which comes first.
fn wait<T>(answer: &Receiver<T>, operation: &'static str) -> Result<T> {
    answer.recv_timeout(2 * PATIENCE).map_err(|error| {
        let kind = match error {
            RecvTimeoutError::Timeout => ErrorKind::TimedOut,
            RecvTimeoutError::Disconnected => ErrorKind::Other,
        };
        Error::new(kind, operation).because("the system's bus does not answer")
    })
}

/// The error that a refusal, or a failure on the way, is.
fn failed(error: &zbus::Error, member: &str, operation: &'static str) -> Error {
    let refused = |name: &str, text: &str| {
        let kind = kind_of(name.rsplit('.').next().unwrap_or_default());
        let text = if text.is_empty() { "without a word" } else { text };
        Error::new(kind, operation).because(format!("the service refuses {member}: {text} ({name})"))
    };
    match error {
        zbus::Error::MethodError(name, text, _) => {
            refused(name.as_str(), text.as_deref().unwrap_or_default())
        }
        zbus::Error::FDO(error) => refused(error.name().as_str(), error.description().unwrap_or_default()),
        zbus::Error::InputOutput(error) if error.kind() == io::ErrorKind::TimedOut => {
            Error::new(ErrorKind::TimedOut, operation)
                .because("the system's bus, or the service asked by it, does not answer")
        }
        error => Error::new(ErrorKind::Other, operation)
            .because(format!("talking to the system's bus about {member}: {error}")),
    }
}

fn kind_of(refusal: &str) -> ErrorKind {
    match refusal {
        "AccessDenied" | "InteractiveAuthorizationRequired" | "AuthFailed" => ErrorKind::AccessDenied,
        "UnknownMethod" | "UnknownInterface" | "UnknownProperty" | "NotSupported" | "LinkBusy" => {
            ErrorKind::NotSupported
        }
        "NoSuchLink" => ErrorKind::InterfaceNotFound,
        "UnknownObject" | "ServiceUnknown" | "NameHasNoOwner" => ErrorKind::NotFound,
        "InvalidArgs" => ErrorKind::InvalidParameter,
        "NoReply" | "Timeout" | "TimedOut" => ErrorKind::TimedOut,
        "NoMemory" | "LimitsExceeded" => ErrorKind::ResourceLimit,
        _ => ErrorKind::Other,
    }
}

/// A connection to the first bus that takes any, and the number of its process if it is one of this machine; `None` where
/// there is no bus for this caller.
async fn connect() -> zbus::Result<Option<(Connection, Option<i32>)>> {
    for address in addresses() {
        let (builder, peer) = match address {
            Transport::Unix(address) => {
                let Some(stream) = connect_unix(address.path()) else { continue };
                // The library's own way asks on a thread that it keeps, which a forked child has not.
                let peer = getsockopt(&stream, PeerCredentials).ok().map(|peer| peer.pid());
                (Builder::unix_stream(stream), peer)
            }
            Transport::Tcp(address) => (Builder::address(Address::new(Transport::Tcp(address))), None),
            // No program is started.
            _ => continue,
        };
        match builder.method_timeout(PATIENCE).build().await {
            Ok(connection) => return Ok(Some((connection, peer))),
            // Nobody who listens, or one who does not talk to this caller: for this caller there is no bus.
            Err(zbus::Error::Connection(..) | zbus::Error::Address(_) | zbus::Error::Handshake(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn connect_unix(socket: &UnixSocket) -> Option<UnixStream> {
    match socket {
        UnixSocket::File(path) => UnixStream::connect(path).ok(),
        UnixSocket::Abstract(name) => {
            let address = SocketAddr::from_abstract_name(name.as_bytes()).ok()?;
            UnixStream::connect_addr(&address).ok()
        }
        // Folders are for who listens.
        _ => None,
    }
}

/// Where to look for the bus. A program with more rights than who started it does not let that one choose.
fn addresses() -> Vec<Transport> {
    match std::env::var("DBUS_SYSTEM_BUS_ADDRESS") {
        Ok(list) if !has_more_rights_than_its_caller() => {
            let addresses = list.split(';').filter_map(|address| Address::try_from(address).ok());
            addresses.map(|address| address.transport().clone()).collect()
        }
        _ => DEFAULT.map(|path| Transport::Unix(Unix::new(UnixSocket::File(path.into())))).into(),
    }
}
