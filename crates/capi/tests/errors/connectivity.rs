//! Connectivity hints. Their pages have no table of codes.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::connectivity::{
    connectivity_hint, interface_connectivity_hint, notify_connectivity_hint_change,
};
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::notification::cancel;
use iphelper_capi::raw::*;
use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicI32, Ordering};

static LEVEL: AtomicI32 = AtomicI32::new(-1);

unsafe extern "system" fn told(context: *const c_void, hint: NL_NETWORK_CONNECTIVITY_HINT) {
    assert_eq!((context.addr(), hint.ConnectivityCost, hint.Roaming), (7, 0, false));
    LEVEL.store(hint.ConnectivityLevel, Ordering::Release);
}

pub(super) fn hints(walk: &mut Walk) {
    let mut hint = NL_NETWORK_CONNECTIVITY_HINT { ConnectivityCost: 9, ..Default::default() };
    let mut handle: HANDLE = null_mut();
    let context: *mut c_void = without_provenance_mut(7);
    let (refused, missing) = ("ERROR_INVALID_PARAMETER", "ERROR_FILE_NOT_FOUND");
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        walk.expect("GetNetworkConnectivityHint", refused, connectivity_hint::<Win32>(null_mut()));
        assert_eq!(connectivity_hint::<NtStatus>(&raw mut hint), 0);
        assert_eq!(hint.ConnectivityCost, NetworkConnectivityCostHintUnknown);
        let name = "GetNetworkConnectivityHintForInterface";
        walk.expect(name, refused, interface_connectivity_hint::<Win32>(0, &raw mut hint));
        walk.expect(name, refused, interface_connectivity_hint::<Win32>(1, null_mut()));
        walk.expect(name, missing, interface_connectivity_hint::<Win32>(NOBODY, &raw mut hint));
        assert_eq!(interface_connectivity_hint::<Win32>(1, &raw mut hint), 0);
        assert_eq!(hint.ConnectivityLevel, NetworkConnectivityLevelHintNone, "loopback");
        let name = "NotifyNetworkConnectivityHintChange";
        let register = notify_connectivity_hint_change::<Win32>;
        walk.expect(name, refused, register(None, context, 1, &raw mut handle));
        walk.expect(name, refused, register(Some(told), context, 1, null_mut()));
        assert!(handle.is_null());
        assert_eq!(register(Some(told), context, 1, &raw mut handle), 0);
        iphelper_testkit::eventually("the initial call", || LEVEL.load(Ordering::Acquire) > 0);
        assert_eq!(cancel::<Win32>(handle), 0);
    }
}
