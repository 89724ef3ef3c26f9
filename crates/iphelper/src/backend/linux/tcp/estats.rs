//! Extended statistics of a connection: the kernel's `tcp_info` as the classes of RFC 4898.

mod collection;
mod members;

use super::Tcp;
use super::delete::{identity, ports};
use crate::backend;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::{Refusal, Socket};
use crate::backend::linux::socket_table::SocketTable;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::tcp::estats::{TcpEstats, TcpEstatsCollection, TcpEstatsSwitch};
use crate::tcp::{TcpConnection, TcpState};
use iphelper_netlink::sock_diag::inet::{
    self, EXTENSION_CONGESTION, EXTENSION_CONGESTION_INFO, EXTENSION_INFO, EXTENSION_MEMORY, Protocol,
    SocketId, SocketRow, States,
};

const OPERATION: &str = "reading the statistics of a TCP connection";
const EXTENSIONS: u8 = EXTENSION_INFO | EXTENSION_CONGESTION_INFO | EXTENSION_CONGESTION | EXTENSION_MEMORY;

impl backend::Estats for LinuxHost {
    fn tcp_estats(&self, connection: &TcpConnection) -> Result<TcpEstats> {
        read(self, connection)
    }

    fn tcp_estats_collection(&self, connection: &TcpConnection) -> Result<TcpEstatsCollection> {
        let _lives = read(self, connection)?;
        Ok(collection::of(self, connection.cookie))
    }

    fn set_tcp_estats_collection(
        &self,
        connection: &TcpConnection,
        switches: &[(TcpEstatsSwitch, bool)],
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        const OPERATION: &str = "switching the statistics of a TCP connection";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let _lives = read(self, connection)?;
        collection::set(self, connection.cookie, switches, write)
    }
}

fn read(host: &LinuxHost, connection: &TcpConnection) -> Result<TcpEstats> {
    let id = identity(connection, OPERATION)?;
    match connection.state {
        TcpState::Listen => return Err(none("a listener is no connection")),
        TcpState::Closed => return Err(none("the socket is not connected")),
        _ => {}
    }
    let mut socket = host.sock_diag.take()?;
    let refused = |refusal: Refusal| match refusal.errno() {
        libc::ENOENT => refusal.into_error(ErrorKind::NotSupported, OPERATION).because(Tcp::UNMONITORED),
        _ => refusal.error(OPERATION),
    };
    let found = match by_ends(&mut socket, &id) {
        Ok(None) => by_table(&mut socket, &id).map_err(refused)?,
        found => found.map_err(refused)?,
    };
    match found {
        Some(Found::Statistics(estats)) => Ok(*estats),
        Some(Found::Small) => Err(none(
            "the kernel keeps no statistics of a connection in TIME_WAIT, nor of a request that waits for its last \
             acknowledgement",
        )),
        None => Err(none("the connection is gone, or its ends belong to a later one")),
    }
}

fn none(why: &'static str) -> Error {
    Error::new(ErrorKind::NotFound, OPERATION).because(why)
}

/// What is known of a socket.
enum Found {
    Statistics(Box<TcpEstats>),
    /// It is one of the small ones, which have none.
    Small,
}

impl Found {
    fn decode(row: &SocketRow<'_>) -> Result<Self, iphelper_netlink::DecodeError> {
        Ok(match row.tcp_info()? {
            Some(info) => Self::Statistics(Box::new(members::estats(row, &info)?)),
            None => Self::Small,
        })
    }
}

/// The socket that the kernel finds by its ends, if it has the cookie.
fn by_ends(socket: &mut Socket, id: &SocketId) -> Result<Option<Found>, Refusal> {
    let mut found = None;
    let asked = socket.ask(&mut id.request(Protocol::Tcp, EXTENSIONS), |message| {
        let row = SocketRow::parse(message)?;
        if row.cookie() == id.cookie {
            found = Some(Found::decode(&row)?);
        }
        Ok(())
    });
    match asked {
        // No such socket, or another one at these ends.
        Err(refusal) if refusal.errno() == libc::ENOENT => Ok(None),
        asked => asked.map(|()| found),
    }
}

/// The socket with the cookie, wherever it stands: twins at the same ends hide each other.
fn by_table(socket: &mut Socket, id: &SocketId) -> Result<Option<Found>, Refusal> {
    let filter = ports(std::slice::from_ref(id));
    // The IPv4 ends of an IPv6 socket are in the table of IPv6.
    for family in [id.family, inet_other(id.family)] {
        let mut request = inet::dump(family, Protocol::Tcp, States::ALL, EXTENSIONS, &filter);
        let found = socket.snapshot(
            &mut request,
            || None,
            |found, message| {
                let row = SocketRow::parse(message)?;
                if row.cookie() == id.cookie {
                    *found = Some(Found::decode(&row)?);
                }
                Ok(())
            },
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

const fn inet_other(family: u8) -> u8 {
    use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
    if family == AF_INET { AF_INET6 } else { AF_INET }
}
