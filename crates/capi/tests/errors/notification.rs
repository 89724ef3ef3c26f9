//! Notifications.

use crate::walk::Walk;
use iphelper_capi::error::{NtStatus, Win32, last_error};
use iphelper_capi::notification::{self, overlapped};
use iphelper_capi::raw::*;
use std::ffi::c_void;
use std::ptr::null_mut;

unsafe extern "system" fn ignore<Row>(_: *mut c_void, _: *mut Row, _: i32) {}

/// What one of the functions refuses.
macro_rules! registration {
    ($walk:ident, $name:literal, $function:ident) => {{
        let garbage: HANDLE = std::ptr::dangling_mut();
        let mut handle = garbage;
        let out = &raw mut handle;
        for family in [1, 11, u16::MAX] {
            refused!($walk, $name, notification::$function(family, Some(ignore), null_mut(), 1, out));
            // SAFETY: the variable lives.
            assert!(unsafe { std::ptr::replace(out, garbage) }.is_null(), "a failure stores NULL");
        }
        refused!($walk, $name, notification::$function(0, None, null_mut(), 1, out));
        refused!($walk, $name, notification::$function(0, Some(ignore), null_mut(), 1, null_mut()));
        // A handle is good for one cancel.
        // SAFETY: the variable lives, and the function, too.
        unsafe {
            assert_eq!(notification::$function::<Win32>(0, Some(ignore), null_mut(), 0, out), 0);
            assert_eq!(notification::cancel::<Win32>(handle), 0);
        }
        refused!($walk, "CancelMibChangeNotify2", notification::cancel(handle));
    }};
}

pub(super) fn notifications(walk: &mut Walk) {
    registration!(walk, "NotifyIpInterfaceChange", notify_ip_interface_change);
    registration!(walk, "NotifyRouteChange2", notify_route_change2);
    registration!(walk, "NotifyUnicastIpAddressChange", notify_unicast_ip_address_change);
    refused!(walk, "CancelMibChangeNotify2", notification::cancel(null_mut()));
    refused!(
        walk,
        "CancelMibChangeNotify2",
        notification::cancel(std::ptr::without_provenance_mut(usize::MAX))
    );
}

/// The functions of the first generation.
pub(super) fn one_change(walk: &mut Walk) {
    type Notify = unsafe fn(*mut HANDLE, *mut OVERLAPPED) -> u32;
    let functions: [(&'static str, Notify); 2] = [
        ("NotifyAddrChange", overlapped::notify_addr_change),
        ("NotifyRouteChange", overlapped::notify_route_change),
    ];
    for (name, notify) in functions {
        // SAFETY: numbers and null pointers.
        let mut request: OVERLAPPED = unsafe { std::mem::zeroed() };
        let mut handle: HANDLE = null_mut();
        let (handle, request) = (&raw mut handle, &raw mut request);
        // SAFETY: NULL, or live variables.
        unsafe {
            walk.expect(name, "ERROR_INVALID_PARAMETER", notify(null_mut(), request));
            walk.expect(name, "ERROR_INVALID_PARAMETER", notify(handle, null_mut()));
            walk.expect(name, "ERROR_IO_PENDING", notify(handle, request));
            assert!(!handle.read().is_null());
            walk.expect(name, "ERROR_INVALID_PARAMETER", notify(handle, request));
            assert_eq!(overlapped::cancel_ip_change_notify(request), 1);
            assert_eq!(overlapped::cancel_ip_change_notify(request), 0, "nothing waits any more");
            assert_eq!(last_error::get(), 1168);
            assert_eq!(overlapped::cancel_ip_change_notify(null_mut()), 0);
            assert_eq!(last_error::get(), 87);
        }
    }
}
