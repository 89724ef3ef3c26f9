//! Addresses as JSON.

use super::family;
use iphelper::address::{self, Lifetime};
use iphelper::{Family, InterfaceIndex, InterfaceLuid};
use serde::Serialize;
use std::net::IpAddr;

/// A unicast address: each field of `iphelper::address::UnicastAddress`.
#[derive(Debug, Serialize)]
pub(crate) struct UnicastAddress<'a> {
    family: &'static str,
    address: IpAddr,
    luid: String,
    index: u32,
    interface: &'a str,
    prefix_origin: String,
    suffix_origin: String,
    valid_lifetime: Option<u64>,
    preferred_lifetime: Option<u64>,
    on_link_prefix_length: u8,
    skip_as_source: bool,
    dad_state: String,
    scope_id: u32,
    created: Option<u64>,
}

impl<'a> From<&'a address::UnicastAddress> for UnicastAddress<'a> {
    fn from(row: &'a address::UnicastAddress) -> Self {
        let milliseconds = |time: Lifetime| (!time.is_infinite()).then(|| u64::from(time.as_secs()) * 1000);
        let created = row.created.map(|created| {
            let since = created.system_time().duration_since(std::time::SystemTime::UNIX_EPOCH);
            u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
        });
        Self {
            family: family(Family::of(&row.address)),
            address: row.address,
            luid: row.luid.0.to_string(),
            index: row.index.0,
            interface: &row.name,
            prefix_origin: row.prefix_origin.to_string(),
            suffix_origin: row.suffix_origin.to_string(),
            valid_lifetime: milliseconds(row.valid_lifetime),
            preferred_lifetime: milliseconds(row.preferred_lifetime),
            on_link_prefix_length: row.on_link_prefix_length,
            skip_as_source: row.skip_as_source,
            dad_state: row.dad_state.to_string(),
            scope_id: row.scope_id,
            created,
        }
    }
}

/// An anycast address, or a group.
#[derive(Debug, Serialize)]
pub(crate) struct AddressMember<'a> {
    family: &'static str,
    pub(crate) address: IpAddr,
    luid: String,
    index: u32,
    pub(crate) interface: &'a str,
    scope_id: u32,
}

impl<'a> AddressMember<'a> {
    pub(crate) fn new(
        address: IpAddr,
        luid: InterfaceLuid,
        index: InterfaceIndex,
        interface: &'a str,
        scope_id: u32,
    ) -> Self {
        let family = family(Family::of(&address));
        Self { family, address, luid: luid.0.to_string(), index: index.0, interface, scope_id }
    }
}
