//! UDP endpoints over `sock_diag`.

mod delete;

use super::LinuxHost;
use super::socket_table::{self, Dump, Ends, Row, SocketTable, dumps, invalid};
use crate::backend;
use crate::error::Result;
use crate::socket::{Owner, SocketCookie};
use crate::tcp::TcpState;
use crate::types::Family;
use crate::udp::{UdpCondition, UdpEndpoint, UdpEndpoints, UdpQuery};
use iphelper_netlink::sock_diag::inet::{Protocol, State, States};
use std::net::SocketAddr;

/// The UDP table.
enum Udp {}

impl SocketTable for Udp {
    type Row = UdpEndpoint;
    const OPERATION: &'static str = "reading the UDP table";
    const UNMONITORED: &'static str =
        "this kernel has no UDP socket monitoring (CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG)";

    fn dumps(family: Option<Family>, query: &UdpQuery) -> Result<Vec<Dump>> {
        if query.filter.conditions.iter().any(|condition| matches!(condition, UdpCondition::State(_))) {
            return Err(invalid("a UDP endpoint has no state"));
        }
        dumps(Protocol::Udp, States::ALL, family, &query.filter, query.specific_port_binds)
    }

    #[inline]
    fn state(_state: State) -> Option<Option<TcpState>> {
        Some(None)
    }

    #[inline]
    fn row(ends: Ends, _state: Option<TcpState>, automatic: Option<bool>) -> UdpEndpoint {
        let Ends { family, local, remote, interface_index, cookie, socket_family, user_id, inode } = ends;
        UdpEndpoint {
            family,
            local,
            remote: (remote.port() != 0).then_some(remote),
            interface_index,
            cookie,
            socket_family,
            user_id,
            inode,
            owner: None,
            created: None,
            specific_port_bind: automatic.map(|automatic| !automatic),
        }
    }
}

impl Row for UdpEndpoint {
    fn owner(&mut self) -> &mut Option<Owner> {
        &mut self.owner
    }

    fn place(&self) -> (Family, SocketAddr, Option<SocketAddr>, SocketCookie, Option<u64>) {
        (self.family, self.local, self.remote, self.cookie, self.inode)
    }
}

impl backend::Udp for LinuxHost {
    fn udp_endpoints(&self, query: &UdpQuery) -> Result<Vec<UdpEndpoint>> {
        socket_table::whole::<Udp>(self, query)
    }

    fn udp_endpoints_iter(&self, query: &UdpQuery) -> Result<UdpEndpoints> {
        Ok(UdpEndpoints { rows: Box::new(socket_table::stream::<Udp>(self, query)?) })
    }

    fn delete_udp_endpoint(&self, local: SocketAddr, remote: Option<SocketAddr>) -> Result<()> {
        delete::delete(self, local, remote)
    }
}
