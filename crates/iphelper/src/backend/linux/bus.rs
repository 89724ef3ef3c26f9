//! The system's bus: how this host's services are asked, such as `systemd-resolved` and NetworkManager.
//!
//! One connection answers one call of this library and is closed then. It starts no thread and no service, waits for
//! [`PATIENCE`] at most, and is a forked child's own as every descriptor is.
//!
//! A bus is a file, and so is reached from other network namespaces than the one that its services manage (`ip netns exec`,
//! a container that was given the host's socket). A service that numbers interfaces is asked only if its process is in the
//! namespace of the host; see [`LinuxHost::service`].

use super::LinuxHost;
use super::namespace::{Namespace, system};
use super::privilege::has_more_rights_than_its_caller;
use crate::error::{Error, ErrorKind, Result};
use iphelper_dbus::address::{self, Address};
use iphelper_dbus::message::PREFIX_LEN;
use iphelper_dbus::{Kind, Message, Value};
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

/// How long all that is asked by one connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer messages are refused: none of the services that are asked has so much to say.
const LONGEST: usize = 1 << 20;
/// A line of the greeting is short.
const LONGEST_LINE: usize = 4096;
/// Where the bus is unless `DBUS_SYSTEM_BUS_ADDRESS` says otherwise.
const DEFAULT: [&str; 2] = ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"];
const DRIVER: &str = "org.freedesktop.DBus";

/// A service of this host's namespace, and the connection to it.
#[derive(Debug)]
pub(super) struct Service {
    bus: Bus,
    /// The unique name of the process that had the service's name when it was looked at: a later one is not asked.
    owner: String,
    operation: &'static str,
}

impl LinuxHost {
    /// The service called `name`; `None` where there is no bus, the service does not run, or it works on another network
    /// namespace than this host's.
    ///
    /// It is of this namespace if its process is. Where this caller may not look at the process, it is if the process has
    /// an rtnetlink socket in the namespace: the kernel gives a process's first one the process's number as port, and lists
    /// the ports to everybody (`/proc/net/netlink`). A bus of another PID namespace has numbers that mean nothing here.
    pub(super) fn service(&self, name: &str, operation: &'static str) -> Result<Option<Service>> {
        let Some(mut bus) = Bus::system(operation)? else { return Ok(None) };
        let Some(owner) = bus.ask_driver("GetNameOwner", name, operation)? else { return Ok(None) };
        let Some(owner) = owner.as_text().map(str::to_owned) else {
            return Err(unexpected(operation, "the bus names no owner"));
        };
        let process = bus.ask_driver("GetConnectionUnixProcessID", &owner, operation)?;
        let Some(process) = process.and_then(|process| u32::try_from(process.as_integer()?).ok()) else {
            return Ok(None);
        };
        let is_here = bus.is_of_this_pid_namespace() && self.is_in_namespace(process);
        Ok(is_here.then_some(Service { bus, owner, operation }))
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
    /// Calls a method.
    ///
    /// Errors: [`AccessDenied`](ErrorKind::AccessDenied) where the bus or the service (polkit) forbids it,
    /// [`NotSupported`](ErrorKind::NotSupported) where this version of the service has no such method or property,
    /// [`NotFound`](ErrorKind::NotFound) where it is gone, [`TimedOut`](ErrorKind::TimedOut) where it does not answer; what
    /// else it refuses is [`Other`](ErrorKind::Other), and its words are in the reason.
    pub(super) fn call(
        &mut self,
        path: &str,
        interface: &str,
        member: &str,
        body: Vec<Value>,
    ) -> Result<Vec<Value>> {
        let mut call = Message::call(self.bus.next_serial(), path, member);
        call.interface = Some(interface.to_owned());
        call.destination = Some(self.owner.clone());
        call.body = body;
        let answer = self.bus.exchange(&call, self.operation)?;
        if answer.kind == Kind::Error {
            Err(refusal(&answer, member, self.operation))
        } else {
            Ok(answer.body)
        }
    }

    /// All properties of an object's interface: a dictionary, see [`Value::get`].
    pub(super) fn properties(&mut self, path: &str, interface: &str) -> Result<Value> {
        let arguments = vec![Value::text(interface)];
        let body = self.call(path, "org.freedesktop.DBus.Properties", "GetAll", arguments)?;
        let properties = body.into_iter().next().filter(|value| value.is_of("a{sv}"));
        properties.ok_or_else(|| unexpected(self.operation, "the service gives no properties"))
    }
}

/// The error that a service's refusal is.
fn refusal(answer: &Message, member: &str, operation: &'static str) -> Error {
    let name = answer.error_name.as_deref().unwrap_or_default();
    let short = name.rsplit('.').next().unwrap_or_default();
    let kind = match short {
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
    };
    Error::new(kind, operation)
        .because(format!("the service refuses {member}: {} ({name})", answer.error_text()))
}

fn unexpected(operation: &'static str, what: &'static str) -> Error {
    Error::new(ErrorKind::Other, operation).because(what)
}

/// A connection to the system's bus.
#[derive(Debug)]
struct Bus {
    socket: OwnedFd,
    serial: u32,
    deadline: Instant,
    /// What came behind the message that was read last.
    received: Vec<u8>,
}

impl Bus {
    /// Connects; `None` where there is no bus, or none that would talk to this caller.
    fn system(operation: &'static str) -> Result<Option<Self>> {
        let Some(socket) =
            connect().map_err(|errno| system(operation, errno).because("connecting to the system's bus"))?
        else {
            return Ok(None);
        };
        let deadline = Instant::now() + PATIENCE;
        let mut bus = Self { socket, serial: 0, deadline, received: Vec::new() };
        if !bus.greet().map_err(|errno| failed(operation, errno))? {
            return Ok(None);
        }
        let mut hello = Message::call(bus.next_serial(), "/org/freedesktop/DBus", "Hello");
        hello.interface = Some(DRIVER.to_owned());
        hello.destination = Some(DRIVER.to_owned());
        let answer = bus.exchange(&hello, operation)?;
        if answer.kind == Kind::Error { Err(refusal(&answer, "Hello", operation)) } else { Ok(Some(bus)) }
    }

    /// Who this caller is, the bus learns from the socket.
    fn greet(&mut self) -> Result<bool, Errno> {
        self.send(b"\0AUTH EXTERNAL\r\nDATA\r\n")?;
        loop {
            let line = self.line()?;
            if line.starts_with(b"OK ") {
                break;
            }
            if !line.starts_with(b"DATA") {
                return Ok(false);
            }
        }
        self.send(b"BEGIN\r\n")?;
        Ok(true)
    }

    fn line(&mut self) -> Result<Vec<u8>, Errno> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
                let rest = self.received.split_off(end + 2);
                return Ok(std::mem::replace(&mut self.received, rest));
            }
            if self.received.len() > LONGEST_LINE {
                return Err(Errno::MSGSIZE);
            }
            self.receive()?;
        }
    }

    fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Asks the bus itself about a name; `None` where it knows none such.
    fn ask_driver(&mut self, member: &str, name: &str, operation: &'static str) -> Result<Option<Value>> {
        let mut call = Message::call(self.next_serial(), "/org/freedesktop/DBus", member);
        call.interface = Some(DRIVER.to_owned());
        call.destination = Some(DRIVER.to_owned());
        call.body = vec![Value::text(name)];
        let answer = self.exchange(&call, operation)?;
        if answer.kind != Kind::Error {
            return Ok(answer.body.into_iter().next());
        }
        let refusal = refusal(&answer, member, operation);
        if refusal.kind() == ErrorKind::NotFound { Ok(None) } else { Err(refusal) }
    }

    /// Whether process numbers mean the same to the bus and to this caller. The kernel gives 0 for a process that this PID
    /// namespace does not have.
    fn is_of_this_pid_namespace(&self) -> bool {
        nix::sys::socket::getsockopt(&self.socket, PeerCredentials).is_ok_and(|peer| peer.pid() > 0)
    }

    /// Sends a call and waits for its answer; what else comes is passed over.
    fn exchange(&mut self, call: &Message, operation: &'static str) -> Result<Message> {
        let malformed = |error: iphelper_dbus::Malformed| {
            Error::new(ErrorKind::Other, operation).because(error.to_string())
        };
        let bytes = call.to_bytes().map_err(malformed)?;
        self.send(&bytes).map_err(|errno| failed(operation, errno))?;
        loop {
            let bytes = self.message().map_err(|errno| failed(operation, errno))?;
            let message = Message::parse(&bytes).map_err(malformed)?;
            let answers = matches!(message.kind, Kind::Return | Kind::Error);
            // The bus fills in the sender, so nobody else can answer in the name of the one that was asked.
            if answers && message.reply_serial == Some(call.serial) {
                return Ok(message);
            }
        }
    }

    fn message(&mut self) -> Result<Vec<u8>, Errno> {
        while self.received.len() < PREFIX_LEN {
            self.receive()?;
        }
        let len = Message::len(self.received.get(..PREFIX_LEN).unwrap_or_default());
        let len = len.map_err(|_| Errno::BADMSG)?;
        if len > LONGEST {
            return Err(Errno::MSGSIZE);
        }
        while self.received.len() < len {
            self.receive()?;
        }
        let rest = self.received.split_off(len);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    fn receive(&mut self) -> Result<(), Errno> {
        let mut part = [0; 8192];
        loop {
            match retry_on_intr(|| rustix::net::recv(&self.socket, &mut part[..], RecvFlags::empty())) {
                Ok((0, _)) => return Err(Errno::PIPE),
                Ok((len, _)) => {
                    self.received.extend_from_slice(part.get(..len).unwrap_or_default());
                    return Ok(());
                }
                Err(Errno::AGAIN) => self.wait(PollFlags::IN)?,
                Err(errno) => return Err(errno),
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Errno> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // Without a signal (`SIGPIPE`) if the bus is gone.
            match retry_on_intr(|| rustix::net::send(&self.socket, rest, SendFlags::NOSIGNAL)) {
                Ok(len) => rest = rest.get(len..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT)?,
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Waits until the socket is ready, and not beyond the deadline.
    fn wait(&self, until: PollFlags) -> Result<(), Errno> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Errno::TIMEDOUT);
            }
            let left = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
            match poll(&mut [PollFd::new(&self.socket, until)], Some(&left)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn failed(operation: &'static str, errno: Errno) -> Error {
    let error = system(operation, errno);
    match errno {
        Errno::TIMEDOUT => error.because("the system's bus, or the service asked by it, does not answer"),
        _ => error.because("talking to the system's bus"),
    }
}

/// A socket that is connected to the first bus that takes connections; `None` where there is none.
fn connect() -> Result<Option<OwnedFd>, Errno> {
    let mut refused = None;
    for address in addresses() {
        let address = match &address {
            Address::Path(path) => SocketAddrUnix::new(path.as_slice()),
            Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name),
        };
        let Ok(address) = address else { continue };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match retry_on_intr(|| rustix::net::connect(&socket, &address)) {
            Ok(()) => return Ok(Some(socket)),
            // No such file, nobody who listens, or no way to it for this caller: for this caller there is no bus.
            Err(
                Errno::NOENT | Errno::CONNREFUSED | Errno::ACCESS | Errno::PERM | Errno::NOTDIR | Errno::LOOP,
            ) => {}
            Err(errno) => refused = Some(errno),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// Where to look for the bus. A program with more rights than who started it does not let that one choose.
fn addresses() -> Vec<Address> {
    match std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS") {
        Some(list) if !has_more_rights_than_its_caller() => address::parse(&list.into_vec()),
        _ => DEFAULT.map(|path| Address::Path(path.as_bytes().to_vec())).to_vec(),
    }
}
