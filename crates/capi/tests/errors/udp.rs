//! The UDP tables and owners.

use crate::walk::Walk;
use iphelper_capi::owner_module::owner_module;
use iphelper_capi::raw::*;
use iphelper_capi::udp;
use std::net::UdpSocket;
use std::ptr::{null, null_mut};

pub(super) fn udp_tables(walk: &mut Walk) {
    let mut size = 0;
    let size = &raw mut size;
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        for (size, code) in [(size, "ERROR_INSUFFICIENT_BUFFER"), (null_mut(), "ERROR_INVALID_PARAMETER")] {
            walk.expect("GetUdpTable", code, udp::udp_table(null_mut(), size, 1));
            walk.expect("GetUdp6Table", code, udp::udp6_table(null_mut(), size, 1));
            for (family, class) in [(2, 0), (2, 1), (2, 2), (23, 0), (23, 1), (10, 2)] {
                let answer = udp::extended_udp_table(null_mut(), size, 0, family, class, 0);
                walk.expect("GetExtendedUdpTable", code, answer);
            }
        }
        for (family, class, reserved) in [(2, 3, 0), (2, -1, 0), (0, 1, 0), (1, 1, 0), (2, 1, 1), (23, 3, 0)]
        {
            let answer = udp::extended_udp_table(null_mut(), size, 0, family, class, reserved);
            walk.expect("GetExtendedUdpTable", "ERROR_INVALID_PARAMETER", answer);
        }
    }
}

pub(super) fn udp_owners(walk: &mut Walk) {
    let _socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut table: Vec<u8> = vec![0; 64 * 1024];
    let mut size = 64 * 1024;
    // SAFETY: the table has `size` bytes; its first row stands at offset 8.
    let row = unsafe {
        let module = UDP_TABLE_OWNER_MODULE;
        assert_eq!(udp::extended_udp_table(table.as_mut_ptr().cast(), &raw mut size, 0, 2, module, 0), 0);
        assert_eq!(u32::from_ne_bytes(table[..4].try_into().unwrap()), 1, "the socket");
        table.as_ptr().add(8).cast::<MIB_UDPROW_OWNER_MODULE>().read_unaligned()
    };
    assert_eq!(row.dwOwningPid, std::process::id());
    let row6 = MIB_UDP6ROW_OWNER_MODULE {
        dwOwningPid: row.dwOwningPid,
        OwningModuleInfo: row.OwningModuleInfo,
        ..Default::default()
    };
    provoke(walk, "GetOwnerModuleFromUdpEntry", &row);
    provoke(walk, "GetOwnerModuleFromUdp6Entry", &row6);
    let nobody = MIB_UDPROW_OWNER_MODULE { OwningModuleInfo: [ULONG64(0); 16], ..row };
    // SAFETY: live variables and NULL.
    let code = unsafe { owner_module(&raw const nobody, 0, null_mut(), &raw mut size) };
    walk.expect("GetOwnerModuleFromUdpEntry", "ERROR_NOT_FOUND", code);
}

fn provoke<R: iphelper_capi::owner_module::OwnedRow>(walk: &mut Walk, name: &'static str, row: &R) {
    let mut size = 0;
    let size = &raw mut size;
    // SAFETY: row and size are live variables or NULL; the buffer is NULL.
    unsafe {
        walk.expect(name, "ERROR_INSUFFICIENT_BUFFER", owner_module(row, 0, null_mut(), size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", owner_module::<R>(null(), 0, null_mut(), size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", owner_module(row, 1, null_mut(), size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", owner_module(row, 0, null_mut(), null_mut()));
    }
}
