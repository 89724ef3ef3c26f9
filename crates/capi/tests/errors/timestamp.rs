//! Time stamps.

use crate::walk::Walk;
use iphelper_capi::convert::index_to_luid;
use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_capi::timestamp;
use std::ffi::c_void;
use std::ptr::{null, null_mut, without_provenance_mut};

unsafe extern "system" fn changed(_context: *const c_void) {}

pub(super) fn timestamps(walk: &mut Walk) {
    let (mut luid, mut stamps) = (NET_LUID::default(), INTERFACE_TIMESTAMP_CAPABILITIES::default());
    let (mut cross, mut handle) = (INTERFACE_HARDWARE_CROSSTIMESTAMP::default(), null_mut());
    let unknown = NET_LUID { Value: ULONG64(6 << 48 | 0x7FFF) };
    let (refused, missing) = ("ERROR_INVALID_PARAMETER", "ERROR_FILE_NOT_FOUND");
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        assert_eq!(index_to_luid::<Win32>(1, &raw mut luid), 0);
        for (name, ask) in [
            (
                "GetInterfaceSupportedTimestampCapabilities",
                timestamp::supported_capabilities as unsafe fn(_, _) -> u32,
            ),
            ("GetInterfaceActiveTimestampCapabilities", timestamp::active_capabilities),
        ] {
            walk.expect(name, refused, ask(null(), &raw mut stamps));
            walk.expect(name, refused, ask(&raw const luid, null_mut()));
            walk.expect(name, refused, ask(&NET_LUID::default(), &raw mut stamps));
            walk.expect(name, missing, ask(&raw const unknown, &raw mut stamps));
            assert_eq!(ask(&raw const luid, &raw mut stamps), 0);
            let software = INTERFACE_SOFTWARE_TIMESTAMP_CAPABILITIES {
                AllReceive: 1,
                AllTransmit: 0,
                TaggedTransmit: 1,
            };
            let expected =
                INTERFACE_TIMESTAMP_CAPABILITIES { SoftwareCapabilities: software, ..Default::default() };
            assert_eq!(stamps, expected, "what `ethtool -T lo` shows");
        }
        let name = "CaptureInterfaceHardwareCrossTimestamp";
        walk.expect(name, refused, timestamp::hardware_cross_timestamp(null(), &raw mut cross));
        walk.expect(name, refused, timestamp::hardware_cross_timestamp(&raw const luid, null_mut()));
        walk.expect(name, missing, timestamp::hardware_cross_timestamp(&raw const unknown, &raw mut cross));
        let without = timestamp::hardware_cross_timestamp(&raw const luid, &raw mut cross);
        walk.expect(name, "ERROR_NOT_SUPPORTED", without);

        let name = "RegisterInterfaceTimestampConfigChange";
        walk.expect(name, refused, timestamp::register_change(None, null_mut(), &raw mut handle));
        walk.expect(name, refused, timestamp::register_change(Some(changed), null_mut(), null_mut()));
        walk.expect(name, refused, timestamp::notify_change(null_mut(), None, &raw mut handle));
        assert!(handle.is_null());
        assert_eq!(timestamp::register_change(Some(changed), null_mut(), &raw mut handle), 0);
        assert!(!handle.is_null());
        timestamp::unregister_change(handle);
        for nobody in [handle, null_mut(), without_provenance_mut(7)] {
            timestamp::unregister_change(nobody);
        }
        assert_eq!(timestamp::notify_change(null_mut(), Some(changed), &raw mut handle), 0);
        timestamp::unregister_change(handle);
    }
}
