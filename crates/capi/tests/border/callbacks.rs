//! What the library calls back: functions that look at what they are given.

use crate::functions::Value;
use iphelper_capi::memory::free_mib_table;
use iphelper_capi::raw::{IO_STATUS_BLOCK, MIB_UNICASTIPADDRESS_TABLE, NL_NETWORK_CONNECTIVITY_HINT};
use std::ffi::c_void;

unsafe extern "system" fn called(_context: *mut c_void) {}

unsafe extern "system" fn called_with_row<Row: Copy>(_context: *mut c_void, row: *mut Row, _kind: i32) {
    if !row.is_null() {
        // SAFETY: the row lives during the call.
        let _ = std::hint::black_box(unsafe { row.read_unaligned() });
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
