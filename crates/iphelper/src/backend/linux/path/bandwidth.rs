//! What TCP connections have measured of the networks behind an interface.

use crate::backend::linux::LinuxHost;
use crate::backend::{Address as _, Estats as _, IpInterface as _, Tcp as _};
use crate::error::{ErrorKind, Result};
use crate::path::BandwidthEstimates;
use crate::socket::SocketQuery;
use crate::tcp::{TcpConnection, TcpState};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// `LOOPBACK_IFINDEX`: the same in every namespace.
const LOOPBACK: InterfaceIndex = InterfaceIndex(1);

pub(super) fn estimates(host: &LinuxHost, family: Family, key: InterfaceKey) -> Result<BandwidthEstimates> {
    let interface = host.ip_interface(family, key)?.index;
    let addresses = host.unicast_addresses(Some(family))?;
    let addresses: FxHashMap<IpAddr, InterfaceIndex> =
        addresses.into_iter().map(|row| (row.address, row.index)).collect();
    let query = SocketQuery { family: Some(family), ..SocketQuery::default() };
    let mut estimates = BandwidthEstimates::default();
    for connection in host.tcp_connections(&query)? {
        let has_statistics = !matches!(connection.state, TcpState::Listen | TcpState::TimeWait);
        if !has_statistics || way(&connection, &addresses) != Some(interface) {
            continue;
        }
        match host.tcp_estats(&connection) {
            Ok(estats) => estimates.outbound = estimates.outbound.max(estats.bandwidth.outbound),
            // It has ended since.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(estimates)
}

/// The interface that a connection's packets leave by, as far as its ends tell.
fn way(connection: &TcpConnection, addresses: &FxHashMap<IpAddr, InterfaceIndex>) -> Option<InterfaceIndex> {
    let (local, remote) = (connection.local.ip(), connection.remote.ip());
    let is_within = local.is_loopback() || addresses.contains_key(&remote);
    if is_within {
        return Some(LOOPBACK);
    }
    connection.interface_index.or_else(|| addresses.get(&local).copied())
}
