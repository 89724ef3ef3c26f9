//! `MIB_IPNETROW` and the functions of Windows' first generation: IPv4 alone, no driver flavour.

use super::{bytes_of, flush, unknown};
use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::raw::{
    MIB_IPNET_TYPE_DYNAMIC, MIB_IPNET_TYPE_INVALID, MIB_IPNET_TYPE_STATIC, MIB_IPNETROW, MIB_IPNETROW_0,
    MIB_IPNETTABLE,
};
use crate::{guard, host, sockaddr};
use iphelper::neighbor::{
    Neighbor, NeighborChange, NeighborFlush, NeighborState, NewNeighbor, PhysicalAddress,
};
use iphelper::{Error, ErrorKind, Family, InterfaceIndex};
use std::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr};

/// `GetIpNetTable`, ordered by address if asked for. `ERROR_NO_DATA` for no rows.
///
/// A physical address of more than eight bytes, which the row has no room for, is cut.
#[doc(alias = "GetIpNetTable")]
pub unsafe fn ip_net_table(table: *mut MIB_IPNETTABLE, size: *mut u32, order: i32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(table.cast::<c_void>(), size)?;
        let mut neighbors = host::current()?.neighbors(Some(Family::V4))?;
        if order != 0 {
            neighbors.sort_by_key(|neighbor| neighbor.address);
        }
        let rows: Vec<MIB_IPNETROW> = neighbors.iter().filter_map(row_of).collect();
        if rows.is_empty() {
            return Err(Code::NO_DATA);
        }
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe { buffer.table::<MIB_IPNETTABLE>(&rows) }
    })
}

/// `CreateIpNetEntry`: a permanent neighbour for `MIB_IPNET_TYPE_STATIC`, one in doubt for `MIB_IPNET_TYPE_DYNAMIC`.
#[doc(alias = "CreateIpNetEntry")]
pub unsafe fn create_ip_net_entry(row: *const MIB_IPNETROW) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `row`.
        let entry = unsafe { Entry::read(row) }?;
        let physical_address = entry.physical_address?;
        let new = NewNeighbor {
            permanent: entry.permanent?,
            ..NewNeighbor::new(entry.interface, entry.address, physical_address)
        };
        let _made = host::current()?.create_neighbor(&new).map_err(invalid_interface)?;
        Ok(())
    })
}

/// `SetIpNetEntry`: changes a neighbour that is there. `ERROR_NOT_FOUND` if it is not.
#[doc(alias = "SetIpNetEntry")]
pub unsafe fn set_ip_net_entry(row: *const MIB_IPNETROW) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `row`.
        let entry = unsafe { Entry::read(row) }?;
        let change =
            NeighborChange { physical_address: entry.physical_address?, permanent: entry.permanent? };
        let _changes = host::current()?
            .set_neighbor(entry.interface, entry.address, &change)
            .map_err(invalid_interface)?;
        Ok(())
    })
}

/// `DeleteIpNetEntry`: reads the interface and the address alone. `ERROR_NOT_FOUND` for no such neighbour.
#[doc(alias = "DeleteIpNetEntry")]
pub unsafe fn delete_ip_net_entry(row: *const MIB_IPNETROW) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `row`.
        let entry = unsafe { Entry::read(row) }?;
        let _was =
            host::current()?.delete_neighbor(entry.interface, entry.address).map_err(invalid_interface)?;
        Ok(())
    })
}

/// `FlushIpNetTable`: deletes all IPv4 neighbours of an interface, permanent ones too.
#[doc(alias = "FlushIpNetTable")]
pub unsafe fn flush_ip_net_table(index: u32) -> u32 {
    guard::status::<Win32>(|| {
        let interface = Some(InterfaceIndex(index).into());
        flush(NeighborFlush { family: Some(Family::V4), interface, permanent: true })
    })
}

/// What a row says, as far as it can be understood.
#[derive(Debug)]
struct Entry {
    interface: InterfaceIndex,
    address: IpAddr,
    physical_address: Result<PhysicalAddress, Code>,
    permanent: Result<bool, Code>,
}

impl Entry {
    /// # Safety
    /// `row` is NULL or may be read.
    unsafe fn read(row: *const MIB_IPNETROW) -> Result<Self, Code> {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise; each member is a number, so that every pattern of bytes is a row.
        let (row, kind) = unsafe {
            let row = row.read_unaligned();
            (row, row.Anonymous.dwType)
        };
        Ok(Self {
            interface: InterfaceIndex(row.dwIndex),
            address: sockaddr::ipv4(row.dwAddr).into(),
            physical_address: bytes_of(&row.bPhysAddr, row.dwPhysAddrLen),
            permanent: match kind.cast_signed() {
                MIB_IPNET_TYPE_STATIC => Ok(true),
                MIB_IPNET_TYPE_DYNAMIC => Ok(false),
                _ => Err(Code::INVALID_PARAMETER),
            },
        })
    }
}

/// The pages of these functions have no code for an index of no interface but that of a wrong parameter.
pub(super) fn invalid_interface(error: Error) -> Code {
    match error.kind() {
        ErrorKind::InterfaceNotFound => Code::INVALID_PARAMETER,
        _ => unknown(error),
    }
}

fn row_of(neighbor: &Neighbor) -> Option<MIB_IPNETROW> {
    let IpAddr::V4(address) = neighbor.address else { return None };
    Some(row(neighbor, address))
}

fn row(neighbor: &Neighbor, address: Ipv4Addr) -> MIB_IPNETROW {
    let mut bytes = [0; 8];
    let length =
        bytes.iter_mut().zip(neighbor.physical_address.as_bytes()).map(|(to, from)| *to = *from).count();
    let kind = match neighbor.state {
        NeighborState::Permanent => MIB_IPNET_TYPE_STATIC,
        NeighborState::Unreachable | NeighborState::Incomplete => MIB_IPNET_TYPE_INVALID,
        NeighborState::Probe | NeighborState::Delay | NeighborState::Stale | NeighborState::Reachable => {
            MIB_IPNET_TYPE_DYNAMIC
        }
    };
    MIB_IPNETROW {
        dwIndex: neighbor.index.0,
        dwPhysAddrLen: u32::try_from(length).unwrap_or_default(),
        bPhysAddr: bytes,
        dwAddr: sockaddr::ipv4_number(address),
        Anonymous: MIB_IPNETROW_0 { dwType: kind.cast_unsigned() },
    }
}
