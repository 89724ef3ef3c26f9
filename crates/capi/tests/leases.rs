//! Leases renewed and given up through C's functions, by stand-ins for the clients that have them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper_capi::adapter::{interface_info, ip_release_address, ip_renew_address};
use iphelper_capi::raw::*;
use iphelper_testkit::lease::{
    DEVICE_FILE, LOG, NETWORKD_LEASE, REFUSES, device_file, lease, network_manager, networkd, with_client,
};
use iphelper_testkit::{eventually, run};
use std::fs::{read_to_string, write};

iphelper_testkit::private_user_namespace!();

/// What `GetInterfaceInfo` tells of the interface with this index.
fn map(index: u32) -> IP_ADAPTER_INDEX_MAP {
    let mut size = 0;
    // SAFETY: a live variable; without a buffer the size is told.
    assert_eq!(unsafe { interface_info(std::ptr::null_mut(), &raw mut size) }, ERROR_INSUFFICIENT_BUFFER);
    let mut buffer = vec![0_u64; size as usize / 8 + 1];
    let info = buffer.as_mut_ptr().cast::<IP_INTERFACE_INFO>();
    // SAFETY: the buffer has as many bytes as the size says, and then as many rows as its count.
    unsafe {
        assert_eq!(interface_info(info, &raw mut size), 0);
        let rows = (&raw const (*info).Adapter).cast::<IP_ADAPTER_INDEX_MAP>();
        let count = usize::try_from((*info).NumAdapters).unwrap();
        (0..count).map(|row| rows.add(row).read_unaligned()).find(|row| row.Index == index).unwrap()
    }
}

fn renew(map: &IP_ADAPTER_INDEX_MAP) -> u32 {
    // SAFETY: the map lives.
    unsafe { ip_renew_address(map) }
}

fn release(map: &IP_ADAPTER_INDEX_MAP) -> u32 {
    // SAFETY: the map lives.
    unsafe { ip_release_address(map) }
}

#[test]
fn network_manager_gives_a_lease_up_and_gets_one_again() {
    let test = "network_manager_gives_a_lease_up_and_gets_one_again";
    with_client(test, "org.freedesktop.NetworkManager", network_manager, || {
        write(DEVICE_FILE, device_file(3_000_000_000)).unwrap();
        let map = map(2);
        eventually("the client is on the bus", || renew(&map) == 0);
        assert_eq!(read_to_string(DEVICE_FILE).unwrap(), device_file(4_000_000_000), "a new one");
        let has_address = || run("ip addr show").contains("192.0.2.7");
        assert!(has_address());
        assert_eq!(release(&map), 0);
        assert!(!has_address());
        assert_eq!(release(&map), ERROR_NOT_SUPPORTED, "there is none");
        assert_eq!(renew(&map), 0);
        assert!(has_address());
        let nobody = IP_ADAPTER_INDEX_MAP { Index: 0x7FFF_FFFF, ..map };
        assert_eq!((renew(&nobody), release(&nobody)), (ERROR_INVALID_PARAMETER, ERROR_INVALID_PARAMETER));
    });
}

#[test]
fn networkd_renews_and_does_not_give_up() {
    let test = "networkd_renews_and_does_not_give_up";
    with_client(test, "org.freedesktop.network1", networkd, || {
        write(NETWORKD_LEASE, lease(3600)).unwrap();
        let map = map(2);
        eventually("the client is on the bus", || renew(&map) == 0);
        assert_eq!(read_to_string(LOG).unwrap(), "RenewLink 2");
        assert_eq!(read_to_string(NETWORKD_LEASE).unwrap(), lease(7200));
        assert_eq!(release(&map), ERROR_NOT_SUPPORTED);
        assert!(run("ip addr show").contains("192.0.2.7"));
        write(REFUSES, "").unwrap();
        assert_eq!(renew(&map), ERROR_ACCESS_DENIED);
    });
}
