//! `NhpAllocateAndGetInterfaceInfoFromStack`: a table in memory of the caller's heap.

use super::ipv4_adapters;
use crate::convert::c_guid;
use crate::error::{Code, Win32};
use crate::memory::gaps;
use crate::raw::{HANDLE, IP_INTERFACE_NAME_INFO};
use crate::{guard, interface};
use iphelper::adapter::Adapter;
use std::ffi::c_void;
use std::ptr::null_mut;

// The C library's, which is the heap that the header's HeapFree gives back to.
unsafe extern "C" {
    fn calloc(count: usize, size: usize) -> *mut c_void;
}

/// `NhpAllocateAndGetInterfaceInfoFromStack`: IPv4 adapters, loopback left out, in order whether asked for or not; to be
/// freed with `HeapFree`. No adapters: a count of 0 and NULL.
///
/// Windows XP's; later versions have `GetInterfaceInfo` instead.
#[doc(alias = "NhpAllocateAndGetInterfaceInfoFromStack")]
pub unsafe fn interface_info_from_stack(
    table: *mut *mut IP_INTERFACE_NAME_INFO,
    count: *mut u32,
    _order: i32,
    _heap: HANDLE,
    _flags: u32,
) -> u32 {
    guard::status::<Win32>(|| {
        if table.is_null() || count.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on both.
        unsafe {
            table.write_unaligned(null_mut());
            count.write_unaligned(0);
        }
        let rows: Vec<IP_INTERFACE_NAME_INFO> = ipv4_adapters()?.iter().map(row_of).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let number = u32::try_from(rows.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        // SAFETY: the block has room for as many rows as are copied; the caller's promise on both pointers.
        unsafe {
            let block =
                calloc(rows.len(), size_of::<IP_INTERFACE_NAME_INFO>()).cast::<IP_INTERFACE_NAME_INFO>();
            if block.is_null() {
                return Err(Code::NOT_ENOUGH_MEMORY);
            }
            gaps::write_all(block, &rows);
            table.write_unaligned(block);
            count.write_unaligned(number);
        }
        Ok(())
    })
}

fn row_of(adapter: &Adapter) -> IP_INTERFACE_NAME_INFO {
    let row = interface::row(&adapter.interface);
    let byte = |number: i32| u8::try_from(number).unwrap_or_default();
    IP_INTERFACE_NAME_INFO {
        Index: row.InterfaceIndex,
        // An interface type, whatever the member is called.
        MediaType: row.Type,
        ConnectionType: byte(row.ConnectionType),
        AccessType: byte(row.AccessType),
        DeviceGuid: c_guid(adapter.interface.guid),
        InterfaceGuid: c_guid(adapter.interface.guid),
    }
}
