//! Functions of things that no Linux host has.

use crate::walk::Walk;
use iphelper_capi::absent;
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::*;
use std::ffi::c_void;
use std::ptr::{dangling_mut, null, null_mut};

unsafe extern "system" fn told(_context: *const c_void, _port: u16, _kind: i32) {}

pub(super) fn teredo(walk: &mut Walk) {
    let (mut port, mut handle): (u16, HANDLE) = (7, null_mut());
    refused!(walk, "GetTeredoPort", absent::teredo_port(null_mut()));
    both!(
        walk,
        "GetTeredoPort",
        "ERROR_NOT_SUPPORTED",
        "STATUS_NOT_SUPPORTED",
        absent::teredo_port(&raw mut port)
    );
    assert_eq!(port, 7, "nothing is written");
    refused!(
        walk,
        "NotifyTeredoPortChange",
        absent::notify_teredo_port_change(None, null_mut(), 1, &raw mut handle)
    );
    refused!(
        walk,
        "NotifyTeredoPortChange",
        absent::notify_teredo_port_change(Some(told), null_mut(), 1, null_mut())
    );
    handle = dangling_mut();
    both!(
        walk,
        "NotifyTeredoPortChange",
        "ERROR_NOT_SUPPORTED",
        "STATUS_NOT_SUPPORTED",
        absent::notify_teredo_port_change(Some(told), null_mut(), 1, &raw mut handle)
    );
    assert!(handle.is_null(), "no registration");
}

/// Functions that have no page, or none with codes.
pub(super) fn without_pages() {
    let mut row = MIB_FL_VIRTUAL_INTERFACE_ROW { VirtualIfId: 7, AllowLocalNd: 1, ..Default::default() };
    let mut table: *mut MIB_FL_VIRTUAL_INTERFACE_TABLE = dangling_mut();
    // SAFETY: integers and pointers, for which zero is a value.
    let mut overlapped: OVERLAPPED = unsafe { std::mem::zeroed() };
    let mut handle: HANDLE = null_mut();
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        absent::initialize_fl_virtual_interface_entry(null_mut());
        absent::initialize_fl_virtual_interface_entry(&raw mut row);
        assert_eq!((row.VirtualIfId, row.AllowLocalNd), (0, 0));
        assert_eq!(absent::change_fl_virtual_interface::<Win32>(null()), ERROR_INVALID_PARAMETER);
        assert_eq!(absent::change_fl_virtual_interface::<Win32>(&raw const row), ERROR_NOT_SUPPORTED);
        assert_eq!(absent::fl_virtual_interface::<Win32>(null_mut()), ERROR_INVALID_PARAMETER);
        assert_eq!(absent::fl_virtual_interface::<Win32>(&raw mut row), ERROR_NOT_SUPPORTED);
        assert_eq!(absent::fl_virtual_interface_table::<Win32>(2, null_mut()), ERROR_INVALID_PARAMETER);
        assert_eq!(absent::fl_virtual_interface_table::<Win32>(2, &raw mut table), ERROR_NOT_SUPPORTED);
        assert!(table.is_null());
        assert!(absent::fl_virtual_interface_table::<NtStatus>(2, &raw mut table) < 0);
        let told = absent::notify_security_health_change(&raw mut handle, &raw mut overlapped, null_mut());
        assert_eq!(told, ERROR_NOT_SUPPORTED);
        let refused = absent::notify_security_health_change(null_mut(), &raw mut overlapped, null_mut());
        assert_eq!(refused, ERROR_INVALID_PARAMETER);
        assert_eq!(absent::cancel_security_health_change_notify(&raw mut overlapped), ERROR_NOT_SUPPORTED);
        assert_eq!(absent::cancel_security_health_change_notify(null_mut()), ERROR_INVALID_PARAMETER);
    }
}
