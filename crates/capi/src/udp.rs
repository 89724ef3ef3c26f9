//! The UDP tables.

mod rows;

use crate::error::{Code, Win32};
use crate::raw::{self, Table};
use crate::socket_row::{self, FromSocket};
use crate::{guard, key};
use iphelper::Family;
use iphelper::udp::{UdpEndpoint, UdpQuery};
use std::ffi::c_void;

/// `GetUdpTable`.
#[doc(alias = "GetUdpTable")]
pub unsafe fn udp_table(table: *mut raw::MIB_UDPTABLE, size: *mut u32, order: i32) -> u32 {
    // SAFETY: the caller's promise on `table` and `size`.
    guard::status::<Win32>(|| unsafe {
        answer::<raw::MIB_UDPTABLE>(table.cast(), size, Family::V4, false, order)
    })
}

/// `GetUdp6Table`.
#[doc(alias = "GetUdp6Table")]
pub unsafe fn udp6_table(table: *mut raw::MIB_UDP6TABLE, size: *mut u32, order: i32) -> u32 {
    // SAFETY: the caller's promise on `table` and `size`.
    guard::status::<Win32>(|| unsafe {
        answer::<raw::MIB_UDP6TABLE>(table.cast(), size, Family::V6, false, order)
    })
}

/// `GetExtendedUdpTable`: every class of both families; `reserved` must be 0.
#[doc(alias = "GetExtendedUdpTable")]
pub unsafe fn extended_udp_table(
    table: *mut c_void,
    size: *mut u32,
    order: i32,
    family: u32,
    class: i32,
    reserved: u32,
) -> u32 {
    use raw::{UDP_TABLE_BASIC, UDP_TABLE_OWNER_MODULE, UDP_TABLE_OWNER_PID};
    guard::status::<Win32>(|| {
        let family = key::family(family)?;
        if reserved != 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe {
            match (family, class) {
                (Family::V4, UDP_TABLE_BASIC) => {
                    answer::<raw::MIB_UDPTABLE>(table, size, family, false, order)
                }
                (Family::V6, UDP_TABLE_BASIC) => {
                    answer::<raw::MIB_UDP6TABLE>(table, size, family, false, order)
                }
                (Family::V4, UDP_TABLE_OWNER_PID) => {
                    answer::<raw::MIB_UDPTABLE_OWNER_PID>(table, size, family, true, order)
                }
                (Family::V6, UDP_TABLE_OWNER_PID) => {
                    answer::<raw::MIB_UDP6TABLE_OWNER_PID>(table, size, family, true, order)
                }
                (Family::V4, UDP_TABLE_OWNER_MODULE) => {
                    answer::<raw::MIB_UDPTABLE_OWNER_MODULE>(table, size, family, true, order)
                }
                (Family::V6, UDP_TABLE_OWNER_MODULE) => {
                    answer::<raw::MIB_UDP6TABLE_OWNER_MODULE>(table, size, family, true, order)
                }
                _ => Err(Code::INVALID_PARAMETER),
            }
        }
    })
}

/// `AllocateAndGetUdpExTableFromStack` of Windows XP: the table with owners, in memory that the caller frees with `HeapFree`.
///
/// `_flags` are those of `HeapAlloc`; the memory is cleared in any case.
#[doc(alias = "AllocateAndGetUdpExTableFromStack")]
pub unsafe fn allocate_udp_ex_table(
    table: *mut *mut c_void,
    order: i32,
    heap: raw::HANDLE,
    _flags: u32,
    family: u32,
) -> u32 {
    guard::status::<Win32>(|| {
        let family = key::family(family)?;
        let query =
            UdpQuery { family: Some(family), owners: true, ordered: order != 0, ..UdpQuery::default() };
        let read = |host: &iphelper::Host| host.udp_endpoints(&query);
        // SAFETY: the caller's promise on `table`.
        unsafe {
            match family {
                Family::V4 => socket_row::heap_answer::<_, raw::MIB_UDPTABLE_OWNER_PID>(table, heap, read),
                Family::V6 => socket_row::heap_answer::<_, raw::MIB_UDP6TABLE_OWNER_PID>(table, heap, read),
            }
        }
    })
}

/// # Safety
/// `size` is NULL or may be read and written, and `table` is NULL or has as many bytes as it says.
unsafe fn answer<T: Table<Row: FromSocket<UdpEndpoint>>>(
    table: *mut c_void,
    size: *mut u32,
    family: Family,
    owners: bool,
    order: i32,
) -> Result<(), Code> {
    let query = UdpQuery { family: Some(family), owners, ordered: order != 0, ..UdpQuery::default() };
    // SAFETY: the caller's promise.
    unsafe { socket_row::answer::<_, T>(table, size, |host| host.udp_endpoints(&query)) }
}
