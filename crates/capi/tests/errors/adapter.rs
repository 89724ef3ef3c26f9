//! Adapters.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::adapter;
use iphelper_capi::raw::*;
use iphelper_testkit::{isolated, run, set_sysctl};
use std::ptr::{null, null_mut};

pub(super) fn adapters(walk: &mut Walk) {
    let mut size = 0;
    let mut fake = 0_u8;
    let size = &raw mut size;
    // SAFETY: each argument is NULL or points to a live variable of its type; a buffer of 0 bytes is never touched.
    unsafe {
        let call =
            |family, flags, reserved| adapter::adapters_addresses(family, flags, reserved, null_mut(), size);
        walk.expect("GetAdaptersAddresses", "ERROR_BUFFER_OVERFLOW", call(0, 0, null_mut()));
        let no_size = adapter::adapters_addresses(0, 0, null_mut(), null_mut(), null_mut());
        walk.expect("GetAdaptersAddresses", "ERROR_INVALID_PARAMETER", no_size);
        for family in [1, 3, 24, u32::MAX, 0x1_0002] {
            walk.expect("GetAdaptersAddresses", "ERROR_INVALID_PARAMETER", call(family, 0, null_mut()));
        }
        for flags in [0x1000, 0x8000_0000] {
            walk.expect("GetAdaptersAddresses", "ERROR_INVALID_PARAMETER", call(0, flags, null_mut()));
        }
        let reserved = (&raw mut fake).cast();
        walk.expect("GetAdaptersAddresses", "ERROR_INVALID_PARAMETER", call(0, 0, reserved));
        let nothing = isolated(|| {
            set_sysctl("ipv6/conf/lo/disable_ipv6", "1");
            let mut size = 0;
            adapter::adapters_addresses(23, 0, null_mut(), null_mut(), &raw mut size)
        });
        walk.expect("GetAdaptersAddresses", "ERROR_NO_DATA", nothing);

        // Loopback alone is none to the first generation.
        walk.expect(
            "GetAdaptersInfo",
            "ERROR_INVALID_PARAMETER",
            adapter::adapters_info(null_mut(), null_mut()),
        );
        walk.expect(
            "GetInterfaceInfo",
            "ERROR_INVALID_PARAMETER",
            adapter::interface_info(null_mut(), null_mut()),
        );
        let (infos, interfaces) = isolated(|| {
            let mut size = 0;
            let infos = adapter::adapters_info(null_mut(), &raw mut size);
            (infos, adapter::interface_info(null_mut(), &raw mut size))
        });
        walk.expect("GetAdaptersInfo", "ERROR_NO_DATA", infos);
        walk.expect("GetInterfaceInfo", "ERROR_NO_DATA", interfaces);
        let (infos, interfaces) = isolated(|| {
            let _ = run("ip link add e0 type veth peer name e1");
            let mut size = 0;
            let infos = adapter::adapters_info(null_mut(), &raw mut size);
            size = 0;
            (infos, adapter::interface_info(null_mut(), &raw mut size))
        });
        walk.expect("GetAdaptersInfo", "ERROR_BUFFER_OVERFLOW", infos);
        walk.expect("GetInterfaceInfo", "ERROR_INSUFFICIENT_BUFFER", interfaces);

        *size = 0;
        let info = |index, size| adapter::per_adapter_info(index, null_mut(), size);
        walk.expect("GetPerAdapterInfo", "ERROR_BUFFER_OVERFLOW", info(1, size));
        walk.expect("GetPerAdapterInfo", "ERROR_INVALID_PARAMETER", info(1, null_mut()));
        for index in [0, NOBODY, u32::MAX] {
            walk.expect("GetPerAdapterInfo", "ERROR_INVALID_PARAMETER", info(index, size));
        }
        *size = 0;
        let one_way = |size| adapter::unidirectional_adapter_info(null_mut(), size);
        walk.expect("GetUniDirectionalAdapterInfo", "ERROR_INSUFFICIENT_BUFFER", one_way(size));
        walk.expect("GetUniDirectionalAdapterInfo", "ERROR_INVALID_PARAMETER", one_way(null_mut()));

        let name: Vec<u16> = "nobody\0".encode_utf16().collect();
        walk.expect("GetAdapterIndex", "ERROR_DEV_NOT_EXIST", adapter::adapter_index(name.as_ptr(), size));
        walk.expect("GetAdapterIndex", "ERROR_INVALID_PARAMETER", adapter::adapter_index(null(), size));
        let no_place = adapter::adapter_index(name.as_ptr(), null_mut());
        walk.expect("GetAdapterIndex", "ERROR_INVALID_PARAMETER", no_place);

        let mut table = null_mut();
        let stack = |table, count| adapter::interface_info_from_stack(table, count, 0, null_mut(), 0);
        let name = "NhpAllocateAndGetInterfaceInfoFromStack";
        walk.expect(name, "ERROR_INVALID_PARAMETER", stack(null_mut(), size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", stack(&raw mut table, null_mut()));
        assert_eq!((stack(&raw mut table, size), *size), (0, 0), "loopback alone");
        assert!(table.is_null());

        for index in [0, NOBODY, u32::MAX] {
            let map = IP_ADAPTER_INDEX_MAP { Index: index, Name: [0; 128] };
            let (release, renew) =
                (adapter::ip_release_address(&raw const map), adapter::ip_renew_address(&raw const map));
            walk.expect("IpReleaseAddress", "ERROR_INVALID_PARAMETER", release);
            walk.expect("IpRenewAddress", "ERROR_INVALID_PARAMETER", renew);
        }
        walk.expect("IpReleaseAddress", "ERROR_INVALID_PARAMETER", adapter::ip_release_address(null()));
        walk.expect("IpRenewAddress", "ERROR_INVALID_PARAMETER", adapter::ip_renew_address(null()));
        let loopback = IP_ADAPTER_INDEX_MAP { Index: 1, Name: [0; 128] };
        walk.expect(
            "IpReleaseAddress",
            "ERROR_NOT_SUPPORTED",
            adapter::ip_release_address(&raw const loopback),
        );
        walk.expect("IpRenewAddress", "ERROR_NOT_SUPPORTED", adapter::ip_renew_address(&raw const loopback));

        let mut handle = null_mut();
        let mut overlapped: OVERLAPPED = std::mem::zeroed();
        let overlapped = &raw mut overlapped;
        let disable = |handle, overlapped| adapter::disable_media_sense(handle, overlapped);
        walk.expect("DisableMediaSense", "ERROR_INVALID_PARAMETER", disable(null_mut(), overlapped));
        walk.expect("DisableMediaSense", "ERROR_INVALID_PARAMETER", disable(&raw mut handle, null_mut()));
        assert_eq!(disable(&raw mut handle, overlapped), 0);
        *size = 7;
        let restored = adapter::restore_media_sense(null_mut(), size);
        walk.expect("RestoreMediaSense", "ERROR_INVALID_PARAMETER", restored);
        assert_eq!((adapter::restore_media_sense(overlapped, size), *size), (0, 0));
        assert_eq!(adapter::restore_media_sense(overlapped, null_mut()), 0);
    }
}
