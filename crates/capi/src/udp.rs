//! The UDP tables.

mod rows;

use crate::error::{Code, Win32};
use crate::raw::{self, Table, UDP_TABLE_BASIC, UDP_TABLE_OWNER_MODULE, UDP_TABLE_OWNER_PID};
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
        answer::<raw::MIB_UDPTABLE>(table.cast(), size, Family::V4, UDP_TABLE_BASIC, order)
    })
}

/// `GetUdp6Table`.
#[doc(alias = "GetUdp6Table")]
pub unsafe fn udp6_table(table: *mut raw::MIB_UDP6TABLE, size: *mut u32, order: i32) -> u32 {
    // SAFETY: the caller's promise on `table` and `size`.
    guard::status::<Win32>(|| unsafe {
        answer::<raw::MIB_UDP6TABLE>(table.cast(), size, Family::V6, UDP_TABLE_BASIC, order)
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
    guard::status::<Win32>(|| {
        let family = key::family(family)?;
        if reserved != 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe {
            match (family, class) {
                (Family::V4, UDP_TABLE_BASIC) => {
                    answer::<raw::MIB_UDPTABLE>(table, size, family, class, order)
                }
                (Family::V6, UDP_TABLE_BASIC) => {
                    answer::<raw::MIB_UDP6TABLE>(table, size, family, class, order)
                }
                (Family::V4, UDP_TABLE_OWNER_PID) => {
                    answer::<raw::MIB_UDPTABLE_OWNER_PID>(table, size, family, class, order)
                }
                (Family::V6, UDP_TABLE_OWNER_PID) => {
                    answer::<raw::MIB_UDP6TABLE_OWNER_PID>(table, size, family, class, order)
                }
                (Family::V4, UDP_TABLE_OWNER_MODULE) => {
                    answer::<raw::MIB_UDPTABLE_OWNER_MODULE>(table, size, family, class, order)
                }
                (Family::V6, UDP_TABLE_OWNER_MODULE) => {
                    answer::<raw::MIB_UDP6TABLE_OWNER_MODULE>(table, size, family, class, order)
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
        let query = query(family, UDP_TABLE_OWNER_PID, order);
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

/// What the rows of a class tell, and no more: owners and who chose a port cost time.
fn query(family: Family, class: i32, order: i32) -> UdpQuery {
    UdpQuery {
        family: Some(family),
        owners: class != UDP_TABLE_BASIC,
        specific_port_binds: class == UDP_TABLE_OWNER_MODULE,
        ordered: order != 0,
        ..UdpQuery::default()
    }
}

/// # Safety
/// `size` is NULL or may be read and written, and `table` is NULL or has as many bytes as it says.
unsafe fn answer<T: Table<Row: FromSocket<UdpEndpoint>>>(
    table: *mut c_void,
    size: *mut u32,
    family: Family,
    class: i32,
    order: i32,
) -> Result<(), Code> {
    let query = query(family, class, order);
    // SAFETY: the caller's promise.
    unsafe { socket_row::answer::<_, T>(table, size, |host| host.udp_endpoints(&query)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_asks_for_what_its_rows_tell() {
        let asked = |class| {
            let query = query(Family::V4, class, 0);
            (query.owners, query.specific_port_binds)
        };
        let classes = [UDP_TABLE_BASIC, UDP_TABLE_OWNER_PID, UDP_TABLE_OWNER_MODULE];
        assert_eq!(classes.map(asked), [(false, false), (true, false), (true, true)]);
    }
}
