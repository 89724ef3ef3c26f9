//! A conversation with a bus over a socket, without a thread or anything else that lives beside it.
//!
//! Everything that it needs is its own, so that a forked child, whatever the threads of its parent were in the middle of,
//! finds nothing that is theirs: no reactor, no thread and no lock.

use super::address::addresses;
use super::message::{ERROR, Message, Method, RETURN, START};
use super::{DRIVER, DRIVER_PATH, PATIENCE};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zbus::wire::{DynamicType, Type};

/// How long a line of the greeting may be.
const LONGEST_LINE: usize = 16 << 10;

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was refused: the name of the error, and what it says.
    Refused { name: String, text: String },
    /// Nobody has answered in time.
    TimedOut,
    /// The bus does not talk to this caller.
    Unwelcome,
    /// The conversation has ended.
    Ended(Errno),
    /// What was to be sent, or has come, is not as agreed.
    Malformed(zbus::Error),
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        Self::Malformed(error)
    }
}

type Result<T> = std::result::Result<T, Failure>;

/// A connection to a bus.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Arc<UnixStream>,
    /// What has come and was not looked at.
    received: Vec<u8>,
    /// Of the last call.
    serial: u32,
    process: u32,
}

impl Connection {
    /// Greets the first bus that takes any; `None` where there is none for this caller.
    pub(super) fn system() -> Result<Option<Self>> {
        let deadline = Instant::now() + PATIENCE;
        for address in addresses() {
            match Self::open(&address, deadline).and_then(|mut bus| bus.greet(deadline).map(|()| bus)) {
                Ok(bus) => return Ok(Some(bus)),
                // Nobody who listens, or one who does not talk to this caller.
                Err(Failure::Ended(_) | Failure::Unwelcome) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    fn open(address: &SocketAddrUnix, deadline: Instant) -> Result<Self> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let socket = socket.map_err(Failure::Ended)?;
        loop {
            // Where too many wait already, the kernel lets the caller wait so long.
            let left = time_left(deadline).ok_or(Failure::TimedOut)?;
            set_socket_timeout(&socket, Timeout::Send, Some(left)).map_err(Failure::Ended)?;
            match connect(&socket, address) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Err(Failure::TimedOut),
                Err(errno) => return Err(Failure::Ended(errno)),
            }
        }
        let socket = Arc::new(UnixStream::from(socket));
        Ok(Self { socket, received: Vec::new(), serial: 0, process: std::process::id() })
    }

    /// Says who the caller is (the kernel says so, too), and is given a name.
    fn greet(&mut self, deadline: Instant) -> Result<()> {
        let mut identity = String::new();
        for digit in rustix::process::geteuid().as_raw().to_string().bytes() {
            // Writing to a string does not fail.
            let _ = write!(identity, "{digit:02x}");
        }
        self.send(format!("\0AUTH EXTERNAL {identity}\r\n").as_bytes(), deadline)?;
        if !self.receive_line(deadline)?.starts_with(b"OK ") {
            return Err(Failure::Unwelcome);
        }
        self.send(b"BEGIN\r\n", deadline)?;
        let hello = Method { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER, member: "Hello" };
        let _name: String = self.call_until(hello, &(), deadline)?;
        Ok(())
    }

    /// The socket, by which another thread may end the conversation.
    pub(super) fn socket(&self) -> &Arc<UnixStream> {
        &self.socket
    }

    /// Calls a method and waits for its answer. Meanwhile signals are lost.
    pub(super) fn call<T>(
        &mut self,
        method: Method<'_>,
        arguments: &(impl Serialize + DynamicType),
    ) -> Result<T>
    where
        T: for<'a> Deserialize<'a> + Type,
    {
        self.call_until(method, arguments, Instant::now() + PATIENCE)
    }

    fn call_until<T>(
        &mut self,
        method: Method<'_>,
        arguments: &(impl Serialize + DynamicType),
        deadline: Instant,
    ) -> Result<T>
    where
        T: for<'a> Deserialize<'a> + Type,
    {
        // Never 0.
        self.serial = self.serial.checked_add(1).unwrap_or(1);
        self.send(&method.call(self.serial, arguments)?, deadline)?;
        loop {
            let message = self.receive(Some(deadline))?;
            if message.answers == Some(self.serial) {
                match message.kind {
                    RETURN => return Ok(message.body()?),
                    ERROR => {
                        let text = message.text().unwrap_or_default();
                        let name = message.error.unwrap_or_default();
                        return Err(Failure::Refused { name, text });
                    }
                    _ => {}
                }
            }
            // Of other messages there may be many.
            if time_left(deadline).is_none() {
                return Err(Failure::TimedOut);
            }
        }
    }

    /// The next message; without a deadline, whenever it comes.
    pub(super) fn receive(&mut self, deadline: Option<Instant>) -> Result<Message> {
        let received = self.receive_bytes(deadline).and_then(|bytes| Ok(Message::read(bytes)?));
        if let Err(Failure::Malformed(_)) = received {
            // Where the next one begins is not known.
            self.end();
        }
        received
    }

    fn receive_bytes(&mut self, deadline: Option<Instant>) -> Result<Vec<u8>> {
        let length = loop {
            match self.received.first_chunk::<START>() {
                Some(start) => break Message::length(start)?,
                None => self.receive_some(deadline)?,
            }
        };
        while self.received.len() < length {
            self.receive_some(deadline)?;
        }
        let rest = self.received.split_off(length);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    /// A line of the greeting, without its end.
    fn receive_line(&mut self, deadline: Instant) -> Result<Vec<u8>> {
        loop {
            if let Some(length) = self.received.windows(2).position(|end| end == b"\r\n") {
                let rest = self.received.split_off(length + 2);
                let mut line = std::mem::replace(&mut self.received, rest);
                line.truncate(length);
                return Ok(line);
            }
            if self.received.len() > LONGEST_LINE {
                return Err(Failure::Unwelcome);
            }
            self.receive_some(Some(deadline))?;
        }
    }

    fn receive_some(&mut self, deadline: Option<Instant>) -> Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Err(Failure::Ended(Errno::PIPE)),
                Ok((length, _)) => {
                    self.received.extend(buffer.get(..length).unwrap_or_default());
                    return Ok(());
                }
                Err(Errno::AGAIN) => self.wait(PollFlags::IN, deadline)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Failure::Ended(errno)),
            }
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<()> {
        while !bytes.is_empty() {
            // The program may not know of signals that are for who writes to nobody.
            match send(&self.socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, Some(deadline)).inspect_err(|_| self.end())?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Failure::Ended(errno)),
            }
        }
        Ok(())
    }

    fn wait(&self, for_what: PollFlags, deadline: Option<Instant>) -> Result<()> {
        let left = deadline.map(|deadline| time_left(deadline).ok_or(Failure::TimedOut)).transpose()?;
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::from_borrowed_fd(self.socket.as_fd(), for_what)], left.as_ref()) {
            // The caller tries again, and finds out.
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(Failure::Ended(errno)),
        }
    }

    /// Ends the conversation for the bus and all who have copies of the socket.
    fn end(&self) {
        // It has ended if it cannot be.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A child that was forked meanwhile would keep it open. If this is the child, it is its parent's.
        if self.process == std::process::id() {
            self.end();
        }
    }
}

/// `None`: none.
fn time_left(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests;
