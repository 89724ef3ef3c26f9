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
