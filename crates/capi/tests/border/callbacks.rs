//! What the library calls back: functions that look at what they are given.

use crate::functions::Value;
use iphelper_capi::error::Win32;
use iphelper_capi::memory::free_mib_table;
use iphelper_capi::notification;
use iphelper_capi::raw::{
    HANDLE, IO_STATUS_BLOCK, MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_UNICASTIPADDRESS_ROW,
    MIB_UNICASTIPADDRESS_TABLE, NL_NETWORK_CONNECTIVITY_HINT,
};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

unsafe extern "system" fn called(_context: *mut c_void) {}

unsafe extern "system" fn called_with_row<Row: Copy>(_context: *mut c_void, row: *mut Row, _kind: i32) {
    if !row.is_null() {
        // SAFETY: the row lives during the call, and its bytes are zero where no member is.
        let bytes = unsafe { std::slice::from_raw_parts(row.cast::<u8>(), size_of::<Row>()) };
        let name = std::any::type_name::<Row>();
        let left = crate::case::gaps::left(name, None, bytes);
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        let first = seen.entry(name).or_insert(left);
        *first = first.or(left);
    }
}

/// Of which types rows were seen, and the first byte that is no member's and not zero.
static SEEN: Mutex<BTreeMap<&str, Option<usize>>> = Mutex::new(BTreeMap::new());

pub(crate) fn seen() -> BTreeMap<&'static str, Option<usize>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Registers for each notification that has rows.
pub(crate) fn register() -> [HANDLE; 3] {
    let mut handles = [null_mut(); 3];
    let [interfaces, addresses, routes] = handles.each_mut().map(std::ptr::from_mut);
    // SAFETY: functions of their types, and live variables.
    let codes = unsafe {
        [
            notification::notify_ip_interface_change::<Win32>(
                0,
                row::<MIB_IPINTERFACE_ROW>().get(),
                null_mut(),
                0,
                interfaces,
            ),
            notification::notify_unicast_ip_address_change::<Win32>(
                0,
                row::<MIB_UNICASTIPADDRESS_ROW>().get(),
                null_mut(),
                0,
                addresses,
            ),
            notification::notify_route_change2::<Win32>(
                0,
                row::<MIB_IPFORWARD_ROW2>().get(),
                null_mut(),
                0,
                routes,
            ),
        ]
    };
    assert_eq!(codes, [0; 3]);
    handles
}

pub(crate) fn cancel(handles: [HANDLE; 3]) {
    for handle in handles {
        // SAFETY: each was given, and is cancelled once.
        assert_eq!(unsafe { notification::cancel::<Win32>(handle) }, 0);
    }
}

unsafe extern "system" fn called_with_hint(_context: *mut c_void, _hint: NL_NETWORK_CONNECTIVITY_HINT) {}

unsafe extern "system" fn called_with_port(_context: *mut c_void, _port: u16, _kind: i32) {}

unsafe extern "system" fn called_with_table(_context: *mut c_void, table: *mut MIB_UNICASTIPADDRESS_TABLE) {
    // SAFETY: the table is the caller's now.
    unsafe { free_mib_table(table.cast()) };
}

unsafe extern "system" fn called_in_a_wait(
    _context: *mut c_void,
    block: *mut IO_STATUS_BLOCK,
    _reserved: u32,
) {
    // SAFETY: the block lives during the call.
    let _ = unsafe { block.read_unaligned() };
}

pub(crate) fn plain() -> Value {
    Value::of(Some(called as unsafe extern "system" fn(*mut c_void)))
}

pub(crate) fn row<Row: Copy + 'static>() -> Value {
    Value::of(Some(called_with_row::<Row> as unsafe extern "system" fn(*mut c_void, *mut Row, i32)))
}

pub(crate) fn hint() -> Value {
    Value::of(Some(called_with_hint as unsafe extern "system" fn(*mut c_void, NL_NETWORK_CONNECTIVITY_HINT)))
}

pub(crate) fn port() -> Value {
    Value::of(Some(called_with_port as unsafe extern "system" fn(*mut c_void, u16, i32)))
}

pub(crate) fn table() -> Value {
    Value::of(Some(
        called_with_table as unsafe extern "system" fn(*mut c_void, *mut MIB_UNICASTIPADDRESS_TABLE),
    ))
}

unsafe extern "system" fn called_after_a_wait(_context: *mut c_void, _timed_out: bool) {}

unsafe extern "system" fn called_as_thread(_context: *mut c_void) -> u32 {
    7
}

pub(crate) fn wait() -> Value {
    Value::of(Some(called_after_a_wait as unsafe extern "system" fn(*mut c_void, bool)))
}

pub(crate) fn thread() -> Value {
    Value::of(Some(called_as_thread as unsafe extern "system" fn(*mut c_void) -> u32))
}

pub(crate) fn apc() -> Value {
    Value::of(Some(called_in_a_wait as unsafe extern "system" fn(*mut c_void, *mut IO_STATUS_BLOCK, u32)))
}
