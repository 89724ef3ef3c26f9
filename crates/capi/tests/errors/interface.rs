//! Interfaces, both generations.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::interface;
use iphelper_capi::raw::*;
use iphelper_testkit::unprivileged;
use std::ptr::{null, null_mut};

pub(super) fn first_generation(walk: &mut Walk) {
    let mut size = 0;
    let mut row = MIB_IFROW { dwIndex: NOBODY, dwAdminStatus: 1, ..Default::default() };
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        walk.expect(
            "GetIfTable",
            "ERROR_INSUFFICIENT_BUFFER",
            interface::if_table(null_mut(), &raw mut size, 0),
        );
        walk.expect("GetIfTable", "ERROR_INVALID_PARAMETER", interface::if_table(null_mut(), null_mut(), 0));
        walk.expect("GetIfEntry", "ERROR_INVALID_PARAMETER", interface::if_entry(null_mut()));
        walk.expect("GetIfEntry", "ERROR_INVALID_DATA", interface::if_entry(&raw mut row));
        walk.expect(
            "GetNumberOfInterfaces",
            "ERROR_INVALID_PARAMETER",
            interface::number_of_interfaces(null_mut()),
        );

        walk.expect("SetIfEntry", "ERROR_INVALID_PARAMETER", interface::set_if_entry(null()));
        walk.expect("SetIfEntry", "ERROR_FILE_NOT_FOUND", interface::set_if_entry(&raw const row));
        row.dwIndex = 1;
        let denied = unprivileged({
            let row = row;
            move || interface::set_if_entry(&raw const row)
        });
        walk.expect("SetIfEntry", "ERROR_ACCESS_DENIED", denied);
        row.dwAdminStatus = 3;
        walk.expect("SetIfEntry", "ERROR_NOT_SUPPORTED", interface::set_if_entry(&raw const row));
        for status in [0, 4, u32::MAX] {
            row.dwAdminStatus = status;
            walk.expect("SetIfEntry", "ERROR_INVALID_PARAMETER", interface::set_if_entry(&raw const row));
        }
    }
}

pub(super) fn interfaces(walk: &mut Walk) {
    // SAFETY: zero is a value of every member.
    let mut row: MIB_IF_ROW2 = unsafe { std::mem::zeroed() };
    let row = &raw mut row;
    refused!(walk, "GetIfEntry2", interface::if_entry2(null_mut()));
    refused!(walk, "GetIfEntry2", interface::if_entry2(row));
    refused!(walk, "GetIfEntry2Ex", interface::if_entry2_ex(0, null_mut()));
    refused!(walk, "GetIfEntry2Ex", interface::if_entry2_ex(2, row));
    // SAFETY: the row lives.
    unsafe { (*row).InterfaceIndex = NOBODY };
    both!(walk, "GetIfEntry2", "ERROR_FILE_NOT_FOUND", "STATUS_NOT_FOUND", interface::if_entry2(row));
    both!(walk, "GetIfEntry2Ex", "ERROR_FILE_NOT_FOUND", "STATUS_NOT_FOUND", interface::if_entry2_ex(2, row));
    // SAFETY: as above. The LUID alone decides, though the index is loopback's.
    unsafe {
        (*row).InterfaceIndex = 1;
        (*row).InterfaceLuid.Value = ULONG64(1);
    }
    both!(walk, "GetIfEntry2", "ERROR_FILE_NOT_FOUND", "STATUS_NOT_FOUND", interface::if_entry2(row));
    for level in [-1, 1, 3] {
        refused!(walk, "GetIfEntry2Ex", interface::if_entry2_ex(level, row));
    }
    let mut table = null_mut();
    refused!(walk, "GetIfTable2Ex", interface::if_table2_ex(3, &raw mut table));
    refused!(walk, "GetIfTable2Ex", interface::if_table2_ex(0, null_mut()));
    refused!(walk, "GetIfTable2", interface::if_table2(null_mut()));
    // A namespace with loopback alone has no stacks.
    let mut table = null_mut();
    both!(
        walk,
        "GetIfStackTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        interface::if_stack_table(&raw mut table)
    );
    refused!(walk, "GetIfStackTable", interface::if_stack_table(null_mut()));
    let mut table = null_mut();
    both!(
        walk,
        "GetInvertedIfStackTable",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        interface::inverted_if_stack_table(&raw mut table)
    );
    refused!(walk, "GetInvertedIfStackTable", interface::inverted_if_stack_table(null_mut()));
}
