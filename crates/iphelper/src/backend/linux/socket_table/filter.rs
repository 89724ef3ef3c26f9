//! A caller's filter, divided: what the kernel tests before it sends a row, and what is tested here.
//!
//! The kernel's part lets through all that the filter wants and perhaps more, since one socket can have a row in both
//! tables and the kernel knows sockets only. Addresses, ports, states and interfaces are therefore tested again here,
//! row by row. Marks and control groups the kernel alone can test.

use super::Ends;
use crate::error::{Error, ErrorKind, Result};
use crate::socket::{SocketCondition, SocketFilter};
use crate::tcp::TcpState;
use crate::types::{Family, Prefix};
use iphelper_netlink::message::Request;
use iphelper_netlink::sock_diag::filter::{Condition, Filter, FilterTooLong};
use iphelper_netlink::sock_diag::inet::{Protocol, States, dump};
use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A dump to ask the kernel for.
#[derive(Clone, Debug)]
pub(in crate::backend::linux) struct Dump {
    pub(super) request: Request,
    /// Whether it is one of sockets whose ports the kernel chose, or one of the others; `None` if of both.
    pub(super) automatic: Option<bool>,
}

/// The dumps that together have every row of `family` in one of `states` that passes `filter`. Where rows are to
/// tell who chose a port, as `ports` says, there is a dump of each kind.
pub(in crate::backend::linux) fn dumps(
    protocol: Protocol,
    states: States,
    family: Option<Family>,
    filter: &SocketFilter,
    ports: bool,
) -> Result<Vec<Dump>> {
    if states.is_empty() {
        return Ok(Vec::new());
    }
    let mut dumps = Vec::new();
    let kinds: &[Option<bool>] = if ports { &[Some(true), Some(false)] } else { &[None] };
    for automatic in kinds {
        let mut kind = Filter::new();
        if let Some(automatic) = automatic {
            let condition = if *automatic { Condition::AutomaticPort } else { Condition::RequestedPort };
            kind.require(&[&[condition]]).map_err(too_long)?;
        }
        let dump = |family, kernel: Filter| {
            let request = request(protocol, family, states, filter, kernel)?;
            Ok(Dump { request, automatic: *automatic })
        };
        // IPv4 connections and dual-stack listeners of AF_INET6 sockets are in the AF_INET6 dump alone.
        if family != Some(Family::V6) && !wants_ipv6_addresses(filter) {
            dumps.push(dump(AF_INET, kind.clone())?);
        }
        if family == Some(Family::V4) {
            let ipv4_of_ipv6 = [
                [Condition::LocalAddress(Ipv4Addr::UNSPECIFIED.into(), 0)],
                [Condition::LocalAddress(Ipv6Addr::UNSPECIFIED.into(), 128)],
            ];
            kind.require(&[&ipv4_of_ipv6[0], &ipv4_of_ipv6[1]]).map_err(too_long)?;
        }
        dumps.push(dump(AF_INET6, kind)?);
    }
    Ok(dumps)
}

/// The error of a filter that cannot be.
pub(in crate::backend::linux) fn invalid(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidParameter, "filtering sockets").because(why)
}

fn too_long(error: FilterTooLong) -> Error {
    invalid(error.to_string())
}

/// Whether a row of an `AF_INET` socket cannot pass.
fn wants_ipv6_addresses(filter: &SocketFilter) -> bool {
    filter.conditions.iter().any(|condition| match condition {
        SocketCondition::LocalAddress(prefix) | SocketCondition::RemoteAddress(prefix) => {
            prefix.address().is_ipv6()
        }
        _ => false,
    })
}

fn request(
    protocol: Protocol,
    family: u8,
    states: States,
    filter: &SocketFilter,
    mut kernel: Filter,
) -> Result<Request> {
    // First what only the kernel can test: that must fit.
    for condition in &filter.conditions {
        let condition = match *condition {
            SocketCondition::Cgroup(id) => Condition::Cgroup(id),
            SocketCondition::Mark { value, mask } => Condition::Mark { value, mask },
            _ => continue,
        };
        kernel.require(&[&[condition]]).map_err(too_long)?;
    }
    for condition in &filter.conditions {
        // What does not fit any more is tested here alone.
        let _ = match condition {
            SocketCondition::Port(range) => kernel
                .require(&[&[Condition::LocalPort(range.clone())], &[Condition::RemotePort(range.clone())]]),
            SocketCondition::LocalPort(range) => kernel.require(&[&[Condition::LocalPort(range.clone())]]),
            SocketCondition::RemotePort(range) => kernel.require(&[&[Condition::RemotePort(range.clone())]]),
            SocketCondition::LocalAddress(prefix) => {
                address(&mut kernel, family, prefix, Condition::LocalAddress)
            }
            SocketCondition::RemoteAddress(prefix) => {
                address(&mut kernel, family, prefix, Condition::RemoteAddress)
            }
            SocketCondition::Interface(index) => kernel.require(&[&[Condition::Device(index.0)]]),
            SocketCondition::State(_)
            | SocketCondition::Cgroup(_)
            | SocketCondition::Mark { .. }
            | SocketCondition::UserId(_)
            | SocketCondition::Pid(_)
            | SocketCondition::Process(_) => Ok(()),
        };
    }
    Ok(dump(family, protocol, states, 0, &kernel))
}

fn address(
    kernel: &mut Filter,
    family: u8,
    prefix: &Prefix,
    condition: fn(IpAddr, u8) -> Condition,
) -> Result<(), FilterTooLong> {
    let wanted = [condition(prefix.address(), prefix.len())];
    if family == AF_INET6 && prefix.contains(Ipv4Addr::UNSPECIFIED.into()) {
        // The IPv4 row of a dual-stack listener has the address 0.0.0.0, its socket `::`.
        let any = [condition(Ipv6Addr::UNSPECIFIED.into(), 128)];
        return kernel.require(&[&wanted, &any]);
    }
    kernel.require(&[&wanted])
}

/// Whether a row passes, as far as the row itself tells.
#[inline]
pub(super) fn passes(filter: &SocketFilter, row: &Ends, state: Option<TcpState>) -> bool {
    filter.conditions.iter().all(|condition| match condition {
        SocketCondition::State(states) => state.is_some_and(|state| states.contains(&state)),
        SocketCondition::Port(range) => {
            range.contains(&row.local.port()) || range.contains(&row.remote.port())
        }
        SocketCondition::LocalPort(range) => range.contains(&row.local.port()),
        SocketCondition::RemotePort(range) => range.contains(&row.remote.port()),
        SocketCondition::LocalAddress(prefix) => prefix.contains(row.local.ip()),
        SocketCondition::RemoteAddress(prefix) => prefix.contains(row.remote.ip()),
        SocketCondition::Interface(index) => row.interface_index == Some(*index),
        SocketCondition::UserId(user) => row.user_id == Some(*user),
        // Tested by the kernel, and by the holders of sockets.
        SocketCondition::Cgroup(_)
        | SocketCondition::Mark { .. }
        | SocketCondition::Pid(_)
        | SocketCondition::Process(_) => true,
    })
}
