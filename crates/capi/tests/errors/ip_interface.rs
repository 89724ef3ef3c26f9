//! IP interfaces.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::ip_interface;
use iphelper_capi::raw::*;
use iphelper_testkit::{set_sysctl, unprivileged};
use std::ptr::null_mut;

pub(super) fn ip_interfaces(walk: &mut Walk) {
    let mut row = MIB_IPINTERFACE_ROW::default();
    // SAFETY: the row lives.
    unsafe { ip_interface::initialize_ip_interface_entry(&raw mut row) };
    let initial = row;
    for (family, index) in [(0, 1), (1, 1), (24, 1), (2, 0), (23, 0)] {
        row = MIB_IPINTERFACE_ROW { Family: family, InterfaceIndex: index, ..initial };
        refused!(walk, "GetIpInterfaceEntry", ip_interface::ip_interface_entry(&raw mut row));
        refused!(walk, "SetIpInterfaceEntry", ip_interface::set_ip_interface_entry(&raw mut row));
    }
    refused!(walk, "GetIpInterfaceEntry", ip_interface::ip_interface_entry(null_mut()));
    refused!(walk, "SetIpInterfaceEntry", ip_interface::set_ip_interface_entry(null_mut()));
    for family in [2, 10, 23] {
        row = MIB_IPINTERFACE_ROW { Family: family, InterfaceIndex: NOBODY, ..initial };
        both!(
            walk,
            "GetIpInterfaceEntry",
            "ERROR_FILE_NOT_FOUND",
            "STATUS_NOT_FOUND",
            ip_interface::ip_interface_entry(&raw mut row)
        );
        both!(
            walk,
            "SetIpInterfaceEntry",
            "ERROR_FILE_NOT_FOUND",
            "STATUS_NOT_FOUND",
            ip_interface::set_ip_interface_entry(&raw mut row)
        );
        row.InterfaceLuid.Value = ULONG64(u64::MAX);
        row.InterfaceIndex = 1;
        both!(
            walk,
            "GetIpInterfaceEntry",
            "ERROR_FILE_NOT_FOUND",
            "STATUS_NOT_FOUND",
            ip_interface::ip_interface_entry(&raw mut row)
        );
    }
    row = MIB_IPINTERFACE_ROW { Family: 2, InterfaceIndex: 1, ForwardingEnabled: 1, ..initial };
    let denied = unprivileged(|| {
        let mut row = row;
        // SAFETY: the row lives.
        unsafe {
            (
                ip_interface::set_ip_interface_entry::<Win32>(&raw mut row),
                ip_interface::set_ip_interface_entry::<NtStatus>(&raw mut row).cast_unsigned(),
            )
        }
    });
    walk.expect("SetIpInterfaceEntry", "ERROR_ACCESS_DENIED", denied.0);
    walk.expect("SetIpInterfaceEntry", "STATUS_ACCESS_DENIED", denied.1);
    // What Linux cannot do at all: an IPv4 router that advertises itself.
    row = MIB_IPINTERFACE_ROW { Family: 2, InterfaceIndex: 1, AdvertisingEnabled: 1, ..initial };
    both!(
        walk,
        "SetIpInterfaceEntry",
        "ERROR_NOT_SUPPORTED",
        "STATUS_NOT_SUPPORTED",
        ip_interface::set_ip_interface_entry(&raw mut row)
    );

    set_sysctl("ipv6/conf/lo/disable_ipv6", "1");
    row = MIB_IPINTERFACE_ROW { Family: 23, InterfaceIndex: 1, DadTransmits: 2, ..initial };
    both!(
        walk,
        "SetIpInterfaceEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        ip_interface::set_ip_interface_entry(&raw mut row)
    );
    both!(
        walk,
        "GetIpInterfaceEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        ip_interface::ip_interface_entry(&raw mut row)
    );
    let mut table = null_mut();
    both!(
        walk,
        "GetIpInterfaceTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        ip_interface::ip_interface_table(23, &raw mut table)
    );
    set_sysctl("ipv6/conf/lo/disable_ipv6", "0");
    for family in [1, 11, u16::MAX] {
        refused!(walk, "GetIpInterfaceTable", ip_interface::ip_interface_table(family, &raw mut table));
    }
    refused!(walk, "GetIpInterfaceTable", ip_interface::ip_interface_table(2, null_mut()));
}
