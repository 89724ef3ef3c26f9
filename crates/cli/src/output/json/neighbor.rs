//! Neighbours as JSON.

use super::family;
use iphelper::{Family, neighbor};
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// A neighbour: each field of `iphelper::neighbor::Neighbor`.
#[derive(Debug, Serialize)]
pub(crate) struct Neighbor<'a> {
    family: &'static str,
    address: IpAddr,
    luid: String,
    index: u32,
    interface: &'a str,
    scope_id: u32,
    physical_address: Option<String>,
    state: String,
    is_router: Option<bool>,
    is_unreachable: bool,
    last_reachable: Option<u64>,
    last_unreachable: Option<u64>,
    externally_learned: bool,
    managed: bool,
    protocol: Option<u8>,
    nud_state: u16,
}

impl<'a> From<&'a neighbor::Neighbor> for Neighbor<'a> {
    fn from(row: &'a neighbor::Neighbor) -> Self {
        let milliseconds = |age: Option<Duration>| age.and_then(|age| u64::try_from(age.as_millis()).ok());
        let bytes = &row.physical_address;
        Self {
            family: family(Family::of(&row.address)),
            address: row.address,
            luid: row.luid.0.to_string(),
            index: row.index.0,
            interface: &row.name,
            scope_id: row.scope_id,
            physical_address: (!bytes.is_empty()).then(|| bytes.to_string()),
            state: row.state.to_string(),
            is_router: row.is_router,
            is_unreachable: row.is_unreachable,
            last_reachable: milliseconds(row.last_reachable),
            last_unreachable: milliseconds(row.last_unreachable),
            externally_learned: row.externally_learned,
            managed: row.managed,
            protocol: row.protocol,
            nud_state: row.nud_state,
        }
    }
}

/// An address that this host answers for.
#[derive(Debug, Serialize)]
pub(crate) struct ProxyNeighbor<'a> {
    family: &'static str,
    address: IpAddr,
    luid: Option<String>,
    index: Option<u32>,
    interface: Option<&'a str>,
    is_router: bool,
    protocol: Option<u8>,
}

impl<'a> From<&'a neighbor::ProxyNeighbor> for ProxyNeighbor<'a> {
    fn from(row: &'a neighbor::ProxyNeighbor) -> Self {
        let interface = row.interface.as_ref();
        Self {
            family: family(Family::of(&row.address)),
            address: row.address,
            luid: interface.map(|it| it.luid.0.to_string()),
            index: interface.map(|it| it.index.0),
            interface: interface.map(|it| it.name.as_str()),
            is_router: row.is_router,
            protocol: row.protocol,
        }
    }
}
