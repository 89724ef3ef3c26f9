//! Addresses.
#![allow(unused_unsafe, reason = "the macros have blocks of their own")]

use crate::walk::{NOBODY, Walk};
use iphelper_capi::address;
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::notification;
use iphelper_capi::raw::*;
use iphelper_testkit::{eventually, isolated, run, set_sysctl, unprivileged};
use std::ffi::c_void;
use std::ptr::{null, null_mut};

/// Of a namespace of its own, which has the interfaces `e0` and `e1`.
pub(super) fn addresses(walk: &mut Walk) {
    isolated(|| {
        let _ = run("ip link set lo down");
        let _ = run("ip addr flush dev lo");
        nothing_there(walk);
        let _ = run("ip link set lo up");
        let _ = run("ip link add e0 type veth peer name e1");
        set_sysctl("ipv6/conf/e0/accept_dad", "0");
        for name in ["e0", "e1"] {
            let _ = run(&format!("ip link set {name} up"));
        }
        eventually("the link is up", || run("ip link show e0").contains("state UP"));
        let index = run("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        for is_ipv6 in [false, true] {
            unicast(walk, index, is_ipv6);
            anycast(walk, index, is_ipv6);
            multicast(walk, index, is_ipv6);
        }
        first_generation(walk, index);
        stable(walk, index);
    });
}

fn address_of(is_ipv6: bool, last: u8) -> SOCKADDR_INET {
    let mut address = SOCKADDR_INET::default();
    if is_ipv6 {
        address.Ipv6.sin6_family = AF_INET6;
        let bytes = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
        address.Ipv6.sin6_addr = IN6_ADDR { u: IN6_ADDR_0 { Byte: bytes } };
    } else {
        address.Ipv4.sin_family = AF_INET;
        address.Ipv4.sin_addr = IN_ADDR { S_un: IN_ADDR_0 { S_addr: number([192, 0, 2, last]) } };
    }
    address
}

fn group(is_ipv6: bool) -> SOCKADDR_INET {
    let mut address = address_of(is_ipv6, 1);
    if is_ipv6 {
        address.Ipv6.sin6_addr.u.Byte = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77];
    } else {
        address.Ipv4.sin_addr.S_un.S_addr = number([224, 0, 0, 0x77]);
    }
    address
}

fn number(octets: [u8; 4]) -> u32 {
    u32::from_ne_bytes(octets)
}

/// Where no interface is up: tables without rows.
fn nothing_there(walk: &mut Walk) {
    let mut unicast = null_mut();
    let mut anycast = null_mut();
    let mut multicast = null_mut();
    both!(
        walk,
        "GetUnicastIpAddressTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::unicast_ip_address_table(0, &raw mut unicast)
    );
    both!(
        walk,
        "GetAnycastIpAddressTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::anycast_ip_address_table(2, &raw mut anycast)
    );
    both!(
        walk,
        "GetMulticastIpAddressTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::multicast_ip_address_table(2, &raw mut multicast)
    );
    assert!(unicast.is_null() && anycast.is_null() && multicast.is_null());
    for family in [1, 11, u16::MAX] {
        refused!(
            walk,
            "GetUnicastIpAddressTable",
            address::unicast_ip_address_table(family, &raw mut unicast)
        );
        refused!(
            walk,
            "GetAnycastIpAddressTable",
            address::anycast_ip_address_table(family, &raw mut anycast)
        );
        refused!(
            walk,
            "GetMulticastIpAddressTable",
            address::multicast_ip_address_table(family, &raw mut multicast)
        );
    }
    refused!(walk, "GetUnicastIpAddressTable", address::unicast_ip_address_table(0, null_mut()));
    refused!(walk, "GetAnycastIpAddressTable", address::anycast_ip_address_table(0, null_mut()));
    refused!(walk, "GetMulticastIpAddressTable", address::multicast_ip_address_table(0, null_mut()));
}

fn unicast(walk: &mut Walk, index: u32, is_ipv6: bool) {
    let mut good = MIB_UNICASTIPADDRESS_ROW::default();
    // SAFETY: the row lives.
    unsafe { address::initialize_unicast_ip_address_entry(&raw mut good) };
    assert_eq!((good.PrefixOrigin, good.SuffixOrigin, good.OnLinkPrefixLength), (16, 16, 255));
    assert_eq!((good.ValidLifetime, good.PreferredLifetime, good.SkipAsSource), (u32::MAX, u32::MAX, 0));
    (good.Address, good.InterfaceIndex) = (address_of(is_ipv6, 5), index);
    let no_address = MIB_UNICASTIPADDRESS_ROW { Address: SOCKADDR_INET::default(), ..good };
    let keys = [
        no_address,
        MIB_UNICASTIPADDRESS_ROW { Address: group(is_ipv6), ..good },
        MIB_UNICASTIPADDRESS_ROW { InterfaceIndex: 0, ..good },
    ];
    let values = [
        MIB_UNICASTIPADDRESS_ROW { ValidLifetime: 5, ..good },
        MIB_UNICASTIPADDRESS_ROW { PrefixOrigin: 1, ..good },
        MIB_UNICASTIPADDRESS_ROW { SuffixOrigin: 1, ..good },
        MIB_UNICASTIPADDRESS_ROW { PrefixOrigin: 5, SuffixOrigin: 1, ..good },
        MIB_UNICASTIPADDRESS_ROW { PrefixOrigin: 1, SuffixOrigin: -1, ..good },
        MIB_UNICASTIPADDRESS_ROW { OnLinkPrefixLength: if is_ipv6 { 129 } else { 33 }, ..good },
    ];
    let pointers = keys.iter().map(std::ptr::from_ref).chain([null()]);
    for bad in pointers.clone().chain(values.iter().map(std::ptr::from_ref)) {
        refused!(walk, "CreateUnicastIpAddressEntry", address::create_unicast_ip_address_entry(bad));
    }
    // Such an address must be there before its values are looked at.
    for bad in pointers {
        refused!(walk, "SetUnicastIpAddressEntry", address::set_unicast_ip_address_entry(bad));
        refused!(walk, "DeleteUnicastIpAddressEntry", address::delete_unicast_ip_address_entry(bad));
        let mut row = no_address;
        if !bad.is_null() {
            // SAFETY: one of the rows above.
            row = unsafe { *bad };
        }
        let row = if bad.is_null() { null_mut() } else { &raw mut row };
        refused!(walk, "GetUnicastIpAddressEntry", address::unicast_ip_address_entry(row));
    }
    let mut nowhere = MIB_UNICASTIPADDRESS_ROW { InterfaceIndex: NOBODY, ..good };
    let mut row = good;
    both!(
        walk,
        "GetUnicastIpAddressEntry",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::unicast_ip_address_entry(&raw mut nowhere)
    );
    both!(
        walk,
        "GetUnicastIpAddressEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::unicast_ip_address_entry(&raw mut row)
    );
    for row in [&raw const nowhere, &raw const good] {
        both!(
            walk,
            "SetUnicastIpAddressEntry",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            address::set_unicast_ip_address_entry(row)
        );
        both!(
            walk,
            "DeleteUnicastIpAddressEntry",
            "ERROR_NOT_FOUND",
            "STATUS_NOT_FOUND",
            address::delete_unicast_ip_address_entry(row)
        );
    }
    let row = &raw const nowhere;
    both!(
        walk,
        "CreateUnicastIpAddressEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::create_unicast_ip_address_entry(row)
    );
    let denied = unprivileged(|| {
        let row = good;
        // SAFETY: the row lives.
        unsafe {
            [
                (
                    "CreateUnicastIpAddressEntry",
                    address::create_unicast_ip_address_entry::<Win32>(&raw const row),
                ),
                ("SetUnicastIpAddressEntry", address::set_unicast_ip_address_entry::<Win32>(&raw const row)),
                (
                    "DeleteUnicastIpAddressEntry",
                    address::delete_unicast_ip_address_entry::<Win32>(&raw const row),
                ),
            ]
        }
    });
    for (function, code) in denied {
        walk.expect(function, "ERROR_ACCESS_DENIED", code);
    }
    // SAFETY: the row lives.
    unsafe {
        assert_eq!(address::create_unicast_ip_address_entry::<Win32>(&raw const good), 0);
        let exists = address::create_unicast_ip_address_entry::<Win32>(&raw const good);
        walk.expect("CreateUnicastIpAddressEntry", "ERROR_OBJECT_ALREADY_EXISTS", exists);
        let exists = address::create_unicast_ip_address_entry::<NtStatus>(&raw const good);
        let symbol = "STATUS_OBJECTID_EXISTS";
        walk.expect_as("CreateUnicastIpAddressEntry", "ERROR_OBJECT_ALREADY_EXISTS", symbol, exists);
        for bad in &values {
            refused!(
                walk,
                "SetUnicastIpAddressEntry",
                address::set_unicast_ip_address_entry(&raw const *bad)
            );
        }
        // As it was read.
        let mut row = good;
        assert_eq!(address::unicast_ip_address_entry::<NtStatus>(&raw mut row), 0);
        assert_eq!((row.OnLinkPrefixLength, row.PrefixOrigin), (if is_ipv6 { 128 } else { 32 }, 1));
        assert_ne!((row.InterfaceLuid.Value.0, row.CreationTimeStamp.0), (0, 0));
        assert_eq!(address::set_unicast_ip_address_entry::<NtStatus>(&raw const row), 0);
        assert_eq!(address::delete_unicast_ip_address_entry::<NtStatus>(&raw const row), 0);
    }
}

fn anycast(walk: &mut Walk, index: u32, is_ipv6: bool) {
    let good = MIB_ANYCASTIPADDRESS_ROW {
        Address: address_of(is_ipv6, 6),
        InterfaceIndex: index,
        ..Default::default()
    };
    let mut bad = [
        MIB_ANYCASTIPADDRESS_ROW { Address: SOCKADDR_INET::default(), ..good },
        MIB_ANYCASTIPADDRESS_ROW { Address: group(is_ipv6), ..good },
        MIB_ANYCASTIPADDRESS_ROW { InterfaceIndex: 0, ..good },
    ];
    let pointers: Vec<_> = bad.iter_mut().map(std::ptr::from_mut).chain([null_mut()]).collect();
    for bad in pointers {
        refused!(walk, "CreateAnycastIpAddressEntry", address::create_anycast_ip_address_entry(bad));
        refused!(walk, "DeleteAnycastIpAddressEntry", address::delete_anycast_ip_address_entry(bad));
        refused!(walk, "GetAnycastIpAddressEntry", address::anycast_ip_address_entry(bad));
    }
    let mut nowhere = MIB_ANYCASTIPADDRESS_ROW { InterfaceIndex: NOBODY, ..good };
    let mut row = good;
    let far = &raw mut nowhere;
    both!(
        walk,
        "GetAnycastIpAddressEntry",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::anycast_ip_address_entry(far)
    );
    both!(
        walk,
        "CreateAnycastIpAddressEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::create_anycast_ip_address_entry(far)
    );
    both!(
        walk,
        "DeleteAnycastIpAddressEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::delete_anycast_ip_address_entry(far)
    );
    both!(
        walk,
        "GetAnycastIpAddressEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::anycast_ip_address_entry(&raw mut row)
    );
    let denied = unprivileged(|| {
        let row = good;
        // SAFETY: the row lives.
        unsafe {
            [
                (
                    "CreateAnycastIpAddressEntry",
                    address::create_anycast_ip_address_entry::<Win32>(&raw const row),
                ),
                (
                    "DeleteAnycastIpAddressEntry",
                    address::delete_anycast_ip_address_entry::<Win32>(&raw const row),
                ),
            ]
        }
    });
    for (function, code) in denied {
        walk.expect(function, "ERROR_ACCESS_DENIED", code);
    }
    // SAFETY: the rows live.
    unsafe {
        assert_eq!(address::create_anycast_ip_address_entry::<Win32>(&raw const good), 0);
        let exists = address::create_anycast_ip_address_entry::<Win32>(&raw const good);
        walk.expect("CreateAnycastIpAddressEntry", "ERROR_OBJECT_ALREADY_EXISTS", exists);
        let exists = address::create_anycast_ip_address_entry::<NtStatus>(&raw const good);
        let symbol = "STATUS_OBJECTID_EXISTS";
        walk.expect_as("CreateAnycastIpAddressEntry", "ERROR_OBJECT_ALREADY_EXISTS", symbol, exists);
        assert_eq!(address::anycast_ip_address_entry::<NtStatus>(&raw mut row), 0);
        assert_eq!(address::delete_anycast_ip_address_entry::<NtStatus>(&raw const row), 0);
    }
}

fn multicast(walk: &mut Walk, index: u32, is_ipv6: bool) {
    let good =
        MIB_MULTICASTIPADDRESS_ROW { Address: group(is_ipv6), InterfaceIndex: index, ..Default::default() };
    let mut bad = [
        MIB_MULTICASTIPADDRESS_ROW { Address: SOCKADDR_INET::default(), ..good },
        MIB_MULTICASTIPADDRESS_ROW { Address: address_of(is_ipv6, 5), ..good },
        MIB_MULTICASTIPADDRESS_ROW { InterfaceIndex: 0, ..good },
    ];
    let pointers: Vec<_> = bad.iter_mut().map(std::ptr::from_mut).chain([null_mut()]).collect();
    for bad in pointers {
        refused!(walk, "GetMulticastIpAddressEntry", address::multicast_ip_address_entry(bad));
    }
    let mut nowhere = MIB_MULTICASTIPADDRESS_ROW { InterfaceIndex: NOBODY, ..good };
    both!(
        walk,
        "GetMulticastIpAddressEntry",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::multicast_ip_address_entry(&raw mut nowhere)
    );
    let mut row = good;
    both!(
        walk,
        "GetMulticastIpAddressEntry",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        address::multicast_ip_address_entry(&raw mut row)
    );
    if is_ipv6 {
        row.Address.Ipv6.sin6_addr.u.Byte = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    } else {
        row.Address.Ipv4.sin_addr.S_un.S_addr = number([224, 0, 0, 1]);
    }
    // SAFETY: the row lives.
    unsafe { assert_eq!(address::multicast_ip_address_entry::<NtStatus>(&raw mut row), 0) };
    assert_eq!(row.ScopeId, if is_ipv6 { index } else { 0 });
}

fn first_generation(walk: &mut Walk, index: u32) {
    let (mut context, mut instance) = (0, 0);
    let mask = number([255, 255, 255, 0]);
    let mut add = |walk: &mut Walk, to: [u8; 4], mask, index, code| {
        // SAFETY: live variables.
        let got =
            unsafe { address::add_ip_address(number(to), mask, index, &raw mut context, &raw mut instance) };
        walk.expect("AddIPAddress", code, got);
    };
    let (invalid, failure) = ("ERROR_INVALID_PARAMETER", "ERROR_GEN_FAILURE");
    add(walk, [192, 0, 2, 7], mask, NOBODY, "ERROR_DEV_NOT_EXIST");
    add(walk, [192, 0, 2, 7], number([255, 0, 255, 0]), index, invalid);
    add(walk, [127, 0, 0, 9], mask, index, invalid);
    add(walk, [0; 4], mask, index, invalid);
    add(walk, [192, 0, 2, 255], mask, index, failure);
    add(walk, [192, 0, 2, 255], number([255, 0, 255, 0]), index, invalid);
    add(walk, [255; 4], mask, index, failure);
    add(walk, [224, 0, 0, 9], mask, index, failure);
    // SAFETY: live variables, or NULL.
    unsafe {
        let address = number([192, 0, 2, 7]);
        let got = address::add_ip_address(address, mask, index, null_mut(), &raw mut instance);
        walk.expect("AddIPAddress", invalid, got);
        let got = address::add_ip_address(address, mask, index, &raw mut context, null_mut());
        walk.expect("AddIPAddress", invalid, got);
        assert_eq!(address::add_ip_address(address, mask, index, &raw mut context, &raw mut instance), 0);
        let got = address::add_ip_address(address, mask, index, &raw mut instance, &raw mut instance);
        walk.expect("AddIPAddress", "ERROR_DUP_DOMAINNAME", got);
        assert_ne!(context, 0);

        let mut size = 0;
        let got = address::ip_addr_table(null_mut(), &raw mut size, 1);
        walk.expect("GetIpAddrTable", "ERROR_INSUFFICIENT_BUFFER", got);
        assert_eq!(size, 4 + 2 * 24);
        walk.expect("GetIpAddrTable", invalid, address::ip_addr_table(null_mut(), null_mut(), 0));
        let mut buffer = [0_u32; 13];
        assert_eq!(address::ip_addr_table(buffer.as_mut_ptr().cast(), &raw mut size, 1), 0);
        // 127.0.0.1 of the loopback interface, then what was added.
        assert_eq!(buffer[..4], [2, number([127, 0, 0, 1]), 1, number([255, 0, 0, 0])]);
        assert_eq!(buffer[7..10], [address, index, mask]);
        assert_eq!(buffer[12].to_ne_bytes()[2..], 1_u16.to_ne_bytes(), "its interface's first");
    }
    let denied = unprivileged(|| {
        let (mut context_of_another, mut instance) = (0, 0);
        let (to, instance) = (&raw mut context_of_another, &raw mut instance);
        // SAFETY: live variables.
        let added = unsafe { address::add_ip_address(number([192, 0, 2, 8]), mask, index, to, instance) };
        (added, address::delete_ip_address(context))
    });
    walk.expect("AddIPAddress", "ERROR_INVALID_HANDLE", denied.0);
    walk.expect("DeleteIPAddress", "ERROR_ACCESS_DENIED", denied.1);
    assert_eq!(address::delete_ip_address(context), 0);
    walk.expect("DeleteIPAddress", invalid, address::delete_ip_address(context));
    walk.expect("DeleteIPAddress", invalid, address::delete_ip_address(0));
}

unsafe extern "system" fn never(_context: *mut c_void, _table: *mut MIB_UNICASTIPADDRESS_TABLE) {}

fn stable(walk: &mut Walk, index: u32) {
    let (mut table, mut handle) = (null_mut(), null_mut());
    let (to, by) = (&raw mut table, &raw mut handle);
    let never: address::StableUnicastIpAddressTableCallback = never;
    let name = "NotifyStableUnicastIpAddressTable";
    eventually("nothing is tentative", || !run("ip addr").contains("tentative"));
    // SAFETY: live variables, or NULL; the callback does nothing.
    unsafe {
        let family = 1;
        refused!(
            walk,
            "NotifyStableUnicastIpAddressTable",
            address::notify_stable_unicast_ip_address_table(family, to, Some(never), null_mut(), by)
        );
        refused!(
            walk,
            "NotifyStableUnicastIpAddressTable",
            address::notify_stable_unicast_ip_address_table(0, to, None, null_mut(), by)
        );
        refused!(
            walk,
            "NotifyStableUnicastIpAddressTable",
            address::notify_stable_unicast_ip_address_table(0, null_mut(), Some(never), null_mut(), by)
        );
        refused!(
            walk,
            "NotifyStableUnicastIpAddressTable",
            address::notify_stable_unicast_ip_address_table(0, to, Some(never), null_mut(), null_mut())
        );
        let now =
            address::notify_stable_unicast_ip_address_table::<NtStatus>(0, to, Some(never), null_mut(), by);
        assert_eq!(now, 0);
        assert!(!table.is_null() && handle.is_null());
        iphelper_capi::memory::free_mib_table(table.cast());

        set_sysctl("ipv6/conf/e0/accept_dad", "1");
        set_sysctl("ipv6/conf/e0/dad_transmits", "100");
        let mut row = MIB_UNICASTIPADDRESS_ROW::default();
        address::initialize_unicast_ip_address_entry(&raw mut row);
        (row.Address, row.InterfaceIndex) = (address_of(true, 9), index);
        assert_eq!(address::create_unicast_ip_address_entry::<Win32>(&raw const row), 0);
        let later =
            address::notify_stable_unicast_ip_address_table::<Win32>(0, to, Some(never), null_mut(), by);
        walk.expect(name, "ERROR_IO_PENDING", later);
        assert!(table.is_null() && !handle.is_null());
        assert_eq!(notification::cancel::<Win32>(handle), 0);
        assert_ne!(notification::cancel::<Win32>(handle), 0);
        let later =
            address::notify_stable_unicast_ip_address_table::<NtStatus>(0, to, Some(never), null_mut(), by);
        assert_eq!(later, 0x103, "STATUS_PENDING");
        assert_eq!(notification::cancel::<NtStatus>(handle), 0);
    }
}
