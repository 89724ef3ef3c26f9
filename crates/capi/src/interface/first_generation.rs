//! `MIB_IFROW` and the functions of Windows' first generation. They have no driver flavour.

use super::row;
use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::memory::gaps;
use crate::raw::{
    IF_OPER_STATUS_CONNECTED, IF_OPER_STATUS_DISCONNECTED, IF_OPER_STATUS_NON_OPERATIONAL,
    IF_OPER_STATUS_OPERATIONAL, MIB_IF_ADMIN_STATUS_DOWN, MIB_IF_ADMIN_STATUS_TESTING,
    MIB_IF_ADMIN_STATUS_UP, MIB_IFROW, MIB_IFTABLE,
};
use crate::{guard, host, text};
use iphelper::interface::{AdminStatus, Interface, InterfaceLevel, MediaConnectState, OperStatus};
use iphelper::{ErrorKind, InterfaceIndex};
use std::ffi::c_void;

/// `GetNumberOfInterfaces`, loopback counted.
#[doc(alias = "GetNumberOfInterfaces")]
pub unsafe fn number_of_interfaces(number: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        if number.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let interfaces = host::current()?.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
        // SAFETY: the caller's promise on `number`.
        unsafe { number.write_unaligned(u32::try_from(interfaces.len()).unwrap_or(u32::MAX)) };
        Ok(())
    })
}

/// `GetIfEntry`. `ERROR_INVALID_DATA` for an index of no interface.
#[doc(alias = "GetIfEntry")]
pub unsafe fn if_entry(row: *mut MIB_IFROW) -> u32 {
    guard::status::<Win32>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `row`, of which only the key is read.
        let index = InterfaceIndex(unsafe { (&raw const (*row).dwIndex).read_unaligned() });
        let interface =
            host::current()?.interface(index, InterfaceLevel::Normal).map_err(|error| {
                match error.kind() {
                    ErrorKind::InterfaceNotFound => Code::INVALID_DATA,
                    _ => error.into(),
                }
            })?;
        // SAFETY: the caller's promise on `row`.
        unsafe { gaps::write(row, row_of(&interface)) };
        Ok(())
    })
}

/// `GetIfTable`, ordered by index whether asked for or not.
#[doc(alias = "GetIfTable")]
pub unsafe fn if_table(table: *mut MIB_IFTABLE, size: *mut u32, _order: i32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(table.cast::<c_void>(), size)?;
        let mut rows: Vec<MIB_IFROW> =
            host::current()?.interfaces(InterfaceLevel::Normal)?.iter().map(row_of).collect();
        rows.sort_unstable_by_key(|row| row.dwIndex);
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe { buffer.table::<MIB_IFTABLE>(&rows) }
    })
}

/// `SetIfEntry`: switches the interface `dwIndex` on or off as `dwAdminStatus` says; reads no other member.
///
/// `ERROR_NOT_SUPPORTED` for `MIB_IF_ADMIN_STATUS_TESTING`, a state that Linux does not have.
#[doc(alias = "SetIfEntry")]
pub unsafe fn set_if_entry(row: *const MIB_IFROW) -> u32 {
    guard::status::<Win32>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `row`.
        let (index, status) = unsafe {
            ((&raw const (*row).dwIndex).read_unaligned(), (&raw const (*row).dwAdminStatus).read_unaligned())
        };
        let status = match status {
            MIB_IF_ADMIN_STATUS_UP => AdminStatus::Up,
            MIB_IF_ADMIN_STATUS_DOWN => AdminStatus::Down,
            MIB_IF_ADMIN_STATUS_TESTING => return Err(Code::NOT_SUPPORTED),
            _ => return Err(Code::INVALID_PARAMETER),
        };
        Ok(host::current()?.set_interface_admin_status(InterfaceIndex(index), status)?)
    })
}

fn row_of(interface: &Interface) -> MIB_IFROW {
    let mut row = MIB_IFROW::default();
    text::fill_wide(&mut row.wszName, &interface.name);
    row.dwIndex = interface.index.0;
    row.dwType = interface.interface_type.0.into();
    row.dwMtu = interface.mtu;
    row.dwSpeed =
        interface.transmit_link_speed.map_or(u32::MAX, |speed| u32::try_from(speed).unwrap_or(u32::MAX));
    row.dwPhysAddrLen = row::copy(&mut row.bPhysAddr, interface.physical_address.as_bytes());
    row.dwAdminStatus = row::admin_status(interface.admin_status).cast_unsigned();
    row.dwOperStatus = oper_status(interface);
    if let Some(counters) = &interface.statistics {
        row.dwInOctets = low(counters.in_octets);
        row.dwInUcastPkts = low(counters.in_ucast_packets);
        row.dwInNUcastPkts = low(counters.in_nucast_packets);
        row.dwInDiscards = low(counters.in_discards);
        row.dwInErrors = low(counters.in_errors);
        row.dwInUnknownProtos = low(counters.in_unknown_protocols.unwrap_or(0));
        row.dwOutOctets = low(counters.out_octets);
        row.dwOutUcastPkts = low(counters.out_ucast_packets);
        row.dwOutNUcastPkts = low(counters.out_nucast_packets.unwrap_or(0));
        row.dwOutDiscards = low(counters.out_discards);
        row.dwOutErrors = low(counters.out_errors);
    }
    row.dwDescrLen = u32::try_from(text::fill_narrow(&mut row.bDescr, &interface.description)).unwrap_or(0);
    row
}

/// A counter of 32 bits starts over at 2³², as RFC 2863 has it.
fn low(counter: u64) -> u32 {
    counter as u32
}

/// `INTERNAL_IF_OPER_STATUS` tells LAN interfaces (operational or not) from WAN ones (connected or not). An interface
/// that waits for something is "disconnected" here, which the pages give for a LAN without its cable.
fn oper_status(interface: &Interface) -> i32 {
    match (interface.oper_status, interface.media_connect_state) {
        (OperStatus::Up, _) => IF_OPER_STATUS_OPERATIONAL,
        (OperStatus::Unknown, MediaConnectState::Connected) => IF_OPER_STATUS_OPERATIONAL,
        (_, _) if interface.admin_status == AdminStatus::Down => IF_OPER_STATUS_NON_OPERATIONAL,
        (OperStatus::Unknown, _) => IF_OPER_STATUS_CONNECTED,
        _ => IF_OPER_STATUS_DISCONNECTED,
    }
}
