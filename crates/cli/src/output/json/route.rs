//! Routes as JSON.

use super::family;
use iphelper::route;
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// A route: each field of `iphelper::route::Route` by its name, and its interface's name.
#[derive(Debug, Serialize)]
pub(crate) struct Route<'a> {
    family: &'static str,
    destination: String,
    next_hop: Option<IpAddr>,
    luid: Option<String>,
    index: Option<u32>,
    interface: Option<&'a str>,
    metric: u32,
    protocol: String,
    origin: String,
    valid_lifetime: Option<u64>,
    age: Option<u64>,
    kind: String,
    table: u32,
    system_metric: u32,
    system_protocol: u8,
    preferred_source: Option<IpAddr>,
    source: Option<String>,
    type_of_service: u8,
    multipath: Option<Multipath>,
    next_hop_object: Option<u32>,
    encapsulated: bool,
    mtu: Option<u32>,
    beyond_row: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Multipath {
    hops: u16,
    weight: u16,
}

impl<'a> Route<'a> {
    pub(crate) fn new(row: &route::Route, interface: Option<&'a str>) -> Self {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            family: family(row.family()),
            destination: row.destination.to_string(),
            next_hop: Some(row.next_hop).filter(|hop| !hop.is_unspecified()),
            luid: row.luid.map(|luid| luid.0.to_string()),
            index: row.index.map(|index| index.0),
            interface,
            metric: row.metric,
            protocol: row.protocol.to_string(),
            origin: row.origin.to_string(),
            valid_lifetime: row.valid_lifetime.map(milliseconds),
            age: row.age.map(milliseconds),
            kind: row.kind.to_string(),
            table: row.table,
            system_metric: row.system_metric,
            system_protocol: row.system_protocol,
            preferred_source: row.preferred_source,
            source: row.source.map(|source| source.to_string()),
            type_of_service: row.type_of_service,
            multipath: row.multipath.map(|it| Multipath { hops: it.hops, weight: it.weight }),
            next_hop_object: row.next_hop_object,
            encapsulated: row.encapsulated,
            mtu: row.mtu,
            beyond_row: row.beyond_row(),
        }
    }
}
