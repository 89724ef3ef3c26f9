//! Notifications.

use crate::walk::Walk;
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::notification;
use iphelper_capi::raw::*;
use std::ffi::c_void;
use std::ptr::null_mut;

unsafe extern "system" fn ignore(_: *mut c_void, _: *mut MIB_IPINTERFACE_ROW, _: i32) {}

pub(super) fn notifications(walk: &mut Walk) {
    let garbage: HANDLE = std::ptr::dangling_mut();
    let mut handle = garbage;
    let out = &raw mut handle;
    let callback: Option<notification::IpInterfaceChangeCallback> = Some(ignore);
    for family in [1, 11, u16::MAX] {
        refused!(
            walk,
            "NotifyIpInterfaceChange",
            notification::notify_ip_interface_change(family, callback, null_mut(), 1, out)
        );
        // SAFETY: the variable lives.
        assert!(unsafe { std::ptr::replace(out, garbage) }.is_null(), "a failure stores NULL");
    }
    refused!(
        walk,
        "NotifyIpInterfaceChange",
        notification::notify_ip_interface_change(0, None, null_mut(), 1, out)
    );
    refused!(
        walk,
        "NotifyIpInterfaceChange",
        notification::notify_ip_interface_change(0, callback, null_mut(), 1, null_mut())
    );
    refused!(walk, "CancelMibChangeNotify2", notification::cancel(null_mut()));
    refused!(
        walk,
        "CancelMibChangeNotify2",
        notification::cancel(std::ptr::without_provenance_mut(usize::MAX))
    );
    // A handle is good for one cancel.
    // SAFETY: the variable lives, and the function, too.
    unsafe {
        assert_eq!(notification::notify_ip_interface_change::<Win32>(0, callback, null_mut(), 0, out), 0);
        assert_eq!(notification::cancel::<Win32>(handle), 0);
    }
    refused!(walk, "CancelMibChangeNotify2", notification::cancel(handle));
}
