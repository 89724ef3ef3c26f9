//! A caller's filter, divided: what the kernel tests before it sends a row, and what is tested here.
//!
//! The kernel's part lets through all that the filter wants and perhaps more, since one socket can have a row in both
//! tables and the kernel knows sockets only. Addresses, ports, states and interfaces are therefore tested again here,
//! row by row. Marks and control groups the kernel alone can test.

use super::row::{CONNECTIONS, kernel_states};
use crate::error::{Error, ErrorKind, Result};
use crate::tcp::{TcpCondition, TcpConnection, TcpFilter, TcpState};
use crate::types::{Family, Prefix};
use iphelper_netlink::message::Request;
use iphelper_netlink::sock_diag::filter::{Condition, Filter};
use iphelper_netlink::sock_diag::inet::{Protocol, States, dump};
use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The dumps that together have every row of `family` that passes `filter`.
pub(super) fn dumps(family: Option<Family>, filter: &TcpFilter) -> Result<Vec<Request>> {
    let states = states(filter);
    if states.is_empty() {
        return Ok(Vec::new());
    }
    let mut dumps = Vec::new();
    // IPv4 connections and dual-stack listeners of AF_INET6 sockets are in the AF_INET6 dump alone.
    if family != Some(Family::V6) && !wants_ipv6_addresses(filter) {
        dumps.push(request(AF_INET, states, filter, &mut Filter::new())?);
    }
    let mut kernel = Filter::new();
    if family == Some(Family::V4) {
        let ipv4_of_ipv6 = [
            [Condition::LocalAddress(Ipv4Addr::UNSPECIFIED.into(), 0)],
            [Condition::LocalAddress(Ipv6Addr::UNSPECIFIED.into(), 128)],
        ];
        let _ = kernel.require(&[&ipv4_of_ipv6[0], &ipv4_of_ipv6[1]]);
    }
    dumps.push(request(AF_INET6, states, filter, &mut kernel)?);
    Ok(dumps)
}

/// Whether a row of an `AF_INET` socket cannot pass.
fn wants_ipv6_addresses(filter: &TcpFilter) -> bool {
    filter.conditions.iter().any(|condition| match condition {
        TcpCondition::LocalAddress(prefix) | TcpCondition::RemoteAddress(prefix) => {
            prefix.address().is_ipv6()
        }
        _ => false,
    })
}

/// The kernel's states that pass every condition on states.
fn states(filter: &TcpFilter) -> States {
    let mut wanted: Option<Vec<TcpState>> = None;
    for condition in &filter.conditions {
        if let TcpCondition::State(states) = condition {
            wanted = Some(match wanted {
                None => states.clone(),
                Some(wanted) => wanted.into_iter().filter(|state| states.contains(state)).collect(),
            });
        }
    }
    match wanted {
        None => CONNECTIONS,
        Some(wanted) => wanted.into_iter().fold(States::none(), kernel_states),
    }
}

fn request(family: u8, states: States, filter: &TcpFilter, kernel: &mut Filter) -> Result<Request> {
    // First what only the kernel can test: that must fit.
    for condition in &filter.conditions {
        let condition = match *condition {
            TcpCondition::Cgroup(id) => Condition::Cgroup(id),
            TcpCondition::Mark { value, mask } => Condition::Mark { value, mask },
            _ => continue,
        };
        kernel.require(&[&[condition]]).map_err(|too_long| {
            Error::new(ErrorKind::InvalidParameter, "filtering TCP connections").because(too_long.to_string())
        })?;
    }
    for condition in &filter.conditions {
        // What does not fit any more is tested here alone.
        let _ = match condition {
            TcpCondition::Port(range) => kernel
                .require(&[&[Condition::LocalPort(range.clone())], &[Condition::RemotePort(range.clone())]]),
            TcpCondition::LocalPort(range) => kernel.require(&[&[Condition::LocalPort(range.clone())]]),
            TcpCondition::RemotePort(range) => kernel.require(&[&[Condition::RemotePort(range.clone())]]),
            TcpCondition::LocalAddress(prefix) => address(kernel, family, prefix, Condition::LocalAddress),
            TcpCondition::RemoteAddress(prefix) => address(kernel, family, prefix, Condition::RemoteAddress),
            TcpCondition::Interface(index) => kernel.require(&[&[Condition::Device(index.0)]]),
            TcpCondition::State(_)
            | TcpCondition::Cgroup(_)
            | TcpCondition::Mark { .. }
            | TcpCondition::UserId(_)
            | TcpCondition::Pid(_)
            | TcpCondition::Process(_) => Ok(()),
        };
    }
    Ok(dump(family, Protocol::Tcp, states, 0, kernel))
}

fn address(
    kernel: &mut Filter,
    family: u8,
    prefix: &Prefix,
    condition: fn(IpAddr, u8) -> Condition,
) -> Result<(), iphelper_netlink::sock_diag::filter::FilterTooLong> {
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
pub(super) fn passes(filter: &TcpFilter, row: &TcpConnection) -> bool {
    filter.conditions.iter().all(|condition| match condition {
        TcpCondition::State(states) => states.contains(&row.state),
        TcpCondition::Port(range) => range.contains(&row.local.port()) || range.contains(&row.remote.port()),
        TcpCondition::LocalPort(range) => range.contains(&row.local.port()),
        TcpCondition::RemotePort(range) => range.contains(&row.remote.port()),
        TcpCondition::LocalAddress(prefix) => prefix.contains(row.local.ip()),
        TcpCondition::RemoteAddress(prefix) => prefix.contains(row.remote.ip()),
        TcpCondition::Interface(index) => row.interface_index == Some(*index),
        TcpCondition::UserId(user) => row.user_id == Some(*user),
        // Tested by the kernel, and by the holders of sockets.
        TcpCondition::Cgroup(_)
        | TcpCondition::Mark { .. }
        | TcpCondition::Pid(_)
        | TcpCondition::Process(_) => true,
    })
}
