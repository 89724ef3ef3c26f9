//! UDP endpoints as JSON.

use super::family;
use super::tcp::scope;
use iphelper::udp::UdpEndpoint;
use serde::Serialize;
use std::net::IpAddr;

/// An endpoint.
#[derive(Debug, Serialize)]
pub(crate) struct Endpoint<'a> {
    family: &'static str,
    local_address: IpAddr,
    local_port: u16,
    remote_address: Option<IpAddr>,
    remote_port: Option<u16>,
    specific_port_bind: Option<bool>,
    pid: Option<u32>,
    process: Option<&'a str>,
    scope_id: Option<u32>,
    interface_index: Option<u32>,
    cookie: String,
}

impl<'a> From<&'a UdpEndpoint> for Endpoint<'a> {
    fn from(row: &'a UdpEndpoint) -> Self {
        Self {
            family: family(row.family),
            local_address: row.local.ip(),
            local_port: row.local.port(),
            remote_address: row.remote.map(|remote| remote.ip()),
            remote_port: row.remote.map(|remote| remote.port()),
            specific_port_bind: row.specific_port_bind,
            pid: row.owner.as_ref().map(|owner| owner.pid),
            process: row.owner.as_ref().map(|owner| &*owner.name),
            scope_id: scope(row.local).max(row.remote.and_then(scope)),
            interface_index: row.interface_index.map(|index| index.0),
            cookie: row.cookie.0.to_string(),
        }
    }
}
