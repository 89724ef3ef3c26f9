//! `MIB_IPFORWARDROW` and the functions of Windows' first generation: IPv4, the metric of the interface added. They have
//! no driver flavour.

use super::row::code;
use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::raw::{
    MIB_IPFORWARDROW, MIB_IPFORWARDROW_0, MIB_IPFORWARDROW_1, MIB_IPFORWARDTABLE, MIB_IPPROTO_NETMGMT,
    MIB_IPROUTE_METRIC_UNUSED, MIB_IPROUTE_TYPE_DIRECT, MIB_IPROUTE_TYPE_INDIRECT, MIB_IPROUTE_TYPE_OTHER,
};
use crate::{guard, host, privilege, sockaddr};
use iphelper::route::{NewRoute, Route, RouteChange, RouteKey, RouteKind, RouteQuery, RouteTables};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, Prefix};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr};

/// `GetIpForwardTable`. `ERROR_NO_DATA` for no route at all.
#[doc(alias = "GetIpForwardTable")]
pub unsafe fn ip_forward_table(table: *mut MIB_IPFORWARDTABLE, size: *mut u32, order: i32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(table.cast::<c_void>(), size)?;
        let host = host::current()?;
        let query =
            RouteQuery { family: Some(Family::V4), tables: RouteTables::MainAndLocal, interface: None };
        let metrics: BTreeMap<u32, u32> =
            host.ip_interfaces(Some(Family::V4))?.iter().map(|row| (row.index.0, row.metric)).collect();
        // A next hop of the other family has no room.
        let has_room = |route: &Route| Family::of(&route.next_hop) == Family::V4;
        let routes = host.routes(&query)?;
        let mut rows: Vec<MIB_IPFORWARDROW> =
            routes.iter().filter(|route| has_room(route)).map(|route| row_of(route, &metrics)).collect();
        if rows.is_empty() {
            return Err(Code::NO_DATA);
        }
        if order != 0 {
            rows.sort_by_key(|row| {
                // SAFETY: a number is all that the union holds.
                let protocol = unsafe { row.Anonymous2.dwForwardProto };
                let number = |address: u32| u32::from_be(address);
                (number(row.dwForwardDest), protocol, row.dwForwardPolicy, number(row.dwForwardNextHop))
            });
        }
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe { buffer.table::<MIB_IPFORWARDTABLE>(&rows) }
    })
}

/// `CreateIpForwardEntry`. `dwForwardProto` must be `MIB_IPPROTO_NETMGMT`, and `dwForwardMetric1`, which is that of route
/// and interface together, no less than the interface's: `ERROR_INVALID_PARAMETER`, as for an unknown interface.
#[doc(alias = "CreateIpForwardEntry")]
pub unsafe fn create_ip_forward_entry(row: *const MIB_IPFORWARDROW) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `row`.
        let (key, row) = unsafe { key(row) }?;
        let host = host::current()?;
        let unknown = |found: Code| if found == Code::NOT_FOUND { Code::INVALID_PARAMETER } else { found };
        let metric = route_metric(&host, &row).map_err(unknown)?;
        let new = NewRoute { metric, ..NewRoute::new(key.destination, key.next_hop, key.interface) };
        let _made = host.create_route(&new).map_err(|error| unknown(code(error)))?;
        Ok(())
    })
}

/// `SetIpForwardEntry`: the metric. `ERROR_FILE_NOT_FOUND` for an unknown interface, `ERROR_NOT_FOUND` for no such route.
#[doc(alias = "SetIpForwardEntry")]
pub unsafe fn set_ip_forward_entry(row: *const MIB_IPFORWARDROW) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `row`.
        let (key, row) = unsafe { key(row) }?;
        let host = host::current()?;
        let metric = route_metric(&host, &row).map_err(|found| match found {
            Code::NOT_FOUND => Code::of(ErrorKind::InterfaceNotFound),
            found => found,
        })?;
        let _changes = host.set_route(&key, &RouteChange::metric(metric))?;
        Ok(())
    })
}

/// `DeleteIpForwardEntry`: the metrics are not looked at.
#[doc(alias = "DeleteIpForwardEntry")]
pub unsafe fn delete_ip_forward_entry(row: *const MIB_IPFORWARDROW) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `row`.
        let (key, _) = unsafe { key(row) }?;
        let _gone = host::current()?.delete_route(&key).map_err(code)?;
        Ok(())
    })
}

/// The route that a row names, and the row.
///
/// # Safety
/// `row` is NULL or may be read.
unsafe fn key(row: *const MIB_IPFORWARDROW) -> Result<(RouteKey, MIB_IPFORWARDROW), Code> {
    if row.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; each member is made of numbers.
    let row = unsafe { row.read_unaligned() };
    let mask = u32::from_be(row.dwForwardMask);
    let length = mask.leading_ones();
    let address = sockaddr::ipv4(row.dwForwardDest);
    let destination = Prefix::new(address.into(), u8::try_from(length).unwrap_or(u8::MAX))?;
    if mask.count_ones() != length
        || destination.address() != IpAddr::V4(address)
        || row.dwForwardIfIndex == 0
    {
        return Err(Code::INVALID_PARAMETER);
    }
    let next_hop = sockaddr::ipv4(row.dwForwardNextHop);
    let key = RouteKey::new(destination, next_hop.into(), InterfaceIndex(row.dwForwardIfIndex));
    Ok((key, row))
}

/// The route's part of a row's metric.
fn route_metric(host: &Host, row: &MIB_IPFORWARDROW) -> Result<u32, Code> {
    // SAFETY: a number is all that the union holds.
    let protocol = unsafe { row.Anonymous2.dwForwardProto };
    if protocol.cast_signed() != MIB_IPPROTO_NETMGMT {
        return Err(Code::INVALID_PARAMETER);
    }
    let interface = host.ip_interface(Family::V4, InterfaceIndex(row.dwForwardIfIndex)).map_err(code);
    let metric =
        interface.and_then(|it| row.dwForwardMetric1.checked_sub(it.metric).ok_or(Code::INVALID_PARAMETER));
    metric.map_err(|code| privilege::or_denied(host, code))
}

/// The row of one route; `None` for one by an IPv6 router, for which there is no room.
pub(crate) fn row_of_one(host: &Host, route: &Route) -> Result<Option<MIB_IPFORWARDROW>, Code> {
    let Some(index) = route.index.filter(|_| route.next_hop.is_ipv4()) else { return Ok(None) };
    let interface = host.ip_interface(Family::V4, index)?;
    Ok(Some(row_of(route, &BTreeMap::from([(index.0, interface.metric)]))))
}

fn row_of(route: &Route, metrics: &BTreeMap<u32, u32>) -> MIB_IPFORWARDROW {
    let ipv4 = |address: IpAddr| match address {
        IpAddr::V4(address) => sockaddr::ipv4_number(address),
        IpAddr::V6(_) => 0,
    };
    let index = route.index.map_or(0, |index| index.0);
    let bits = u32::MAX.checked_shl(32 - u32::from(route.destination.len())).unwrap_or(0);
    let kind = match route.kind {
        RouteKind::Unicast if !route.next_hop.is_unspecified() => MIB_IPROUTE_TYPE_INDIRECT,
        RouteKind::Unicast | RouteKind::Local | RouteKind::Broadcast => MIB_IPROUTE_TYPE_DIRECT,
        _ => MIB_IPROUTE_TYPE_OTHER,
    };
    let unused = MIB_IPROUTE_METRIC_UNUSED;
    MIB_IPFORWARDROW {
        dwForwardDest: ipv4(route.destination.address()),
        dwForwardMask: sockaddr::ipv4_number(Ipv4Addr::from(bits)),
        dwForwardPolicy: 0,
        dwForwardNextHop: ipv4(route.next_hop),
        dwForwardIfIndex: index,
        Anonymous1: MIB_IPFORWARDROW_0 { ForwardType: kind },
        Anonymous2: MIB_IPFORWARDROW_1 { dwForwardProto: route.protocol.number() },
        dwForwardAge: 0,
        dwForwardNextHopAS: 0,
        dwForwardMetric1: route.metric.saturating_add(metrics.get(&index).copied().unwrap_or(0)),
        dwForwardMetric2: unused,
        dwForwardMetric3: unused,
        dwForwardMetric4: unused,
        dwForwardMetric5: unused,
    }
}
