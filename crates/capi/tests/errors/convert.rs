//! Conversion between the names of an interface.

use crate::walk::{NOBODY, Walk};
use iphelper_capi::convert;
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::*;
use std::ptr::{null, null_mut};

pub(super) fn conversion(walk: &mut Walk) {
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let garbage = NET_LUID { Value: ULONG64(u64::MAX) };
    let mut luid = garbage;
    let out = &raw mut luid;
    let cleared = |out: *mut NET_LUID| {
        // SAFETY: `out` points to `luid`, which lives.
        let value = unsafe { std::ptr::replace(out, garbage) };
        assert_eq!(value, NET_LUID::default(), "a failure clears the LUID");
    };

    both!(
        walk,
        "ConvertInterfaceIndexToLuid",
        "ERROR_FILE_NOT_FOUND",
        "STATUS_INVALID_PARAMETER",
        convert::index_to_luid(NOBODY, out)
    );
    cleared(out);
    refused!(walk, "ConvertInterfaceIndexToLuid", convert::index_to_luid(0, out));
    cleared(out);
    refused!(walk, "ConvertInterfaceIndexToLuid", convert::index_to_luid(1, null_mut()));

    for alias in ["no such alias", "", &"x".repeat(300)] {
        let alias = wide(alias);
        refused!(walk, "ConvertInterfaceAliasToLuid", convert::alias_to_luid(alias.as_ptr(), out));
        cleared(out);
    }
    // Half of a pair is no character.
    let half = [0xD800, 0];
    refused!(walk, "ConvertInterfaceAliasToLuid", convert::alias_to_luid(half.as_ptr(), out));
    refused!(walk, "ConvertInterfaceAliasToLuid", convert::alias_to_luid(null(), out));
    cleared(out);
    refused!(walk, "ConvertInterfaceAliasToLuid", convert::alias_to_luid(half.as_ptr(), null_mut()));

    let nobody = GUID::from_u128(7);
    refused!(walk, "ConvertInterfaceGuidToLuid", convert::guid_to_luid(&raw const nobody, out));
    cleared(out);
    refused!(walk, "ConvertInterfaceGuidToLuid", convert::guid_to_luid(null(), out));
    cleared(out);
    refused!(walk, "ConvertInterfaceGuidToLuid", convert::guid_to_luid(&raw const nobody, null_mut()));

    let unknown = &raw const garbage;
    let mut guid = GUID::from_u128(u128::MAX);
    refused!(walk, "ConvertInterfaceLuidToGuid", convert::luid_to_guid(unknown, &raw mut guid));
    assert_eq!(
        (guid.data1, guid.data2, guid.data3, guid.data4),
        (0, 0, 0, [0; 8]),
        "a failure clears the GUID"
    );
    refused!(walk, "ConvertInterfaceLuidToGuid", convert::luid_to_guid(null(), &raw mut guid));
    refused!(walk, "ConvertInterfaceLuidToGuid", convert::luid_to_guid(unknown, null_mut()));
    let mut index = 7;
    refused!(walk, "ConvertInterfaceLuidToIndex", convert::luid_to_index(unknown, &raw mut index));
    assert_eq!(index, 0, "a failure clears the index");
    refused!(walk, "ConvertInterfaceLuidToIndex", convert::luid_to_index(null(), &raw mut index));
    refused!(walk, "ConvertInterfaceLuidToIndex", convert::luid_to_index(unknown, null_mut()));

    let mut loopback = NET_LUID::default();
    // SAFETY: the variable lives.
    assert_eq!(unsafe { convert::index_to_luid::<Win32>(1, &raw mut loopback) }, 0);
    let loopback = &raw const loopback;
    let mut text = [0_u16; 257];
    let text = text.as_mut_ptr();
    for length in [0, 1, 2] {
        both!(
            walk,
            "ConvertInterfaceLuidToAlias",
            "ERROR_NOT_ENOUGH_MEMORY",
            "STATUS_NOT_ENOUGH_MEMORY",
            convert::luid_to_alias(loopback, text, length)
        );
        both!(
            walk,
            "ConvertInterfaceLuidToNameW",
            "ERROR_NOT_ENOUGH_MEMORY",
            "STATUS_NOT_ENOUGH_MEMORY",
            convert::luid_to_name_w(loopback, text, length)
        );
        both!(
            walk,
            "ConvertInterfaceLuidToNameA",
            "ERROR_NOT_ENOUGH_MEMORY",
            "STATUS_NOT_ENOUGH_MEMORY",
            convert::luid_to_name_a(loopback, text.cast(), length)
        );
    }
    for (luid, target) in [(unknown, text), (null(), text), (loopback, null_mut())] {
        refused!(walk, "ConvertInterfaceLuidToAlias", convert::luid_to_alias(luid, target, 257));
        refused!(walk, "ConvertInterfaceLuidToNameW", convert::luid_to_name_w(luid, target, 257));
        refused!(walk, "ConvertInterfaceLuidToNameA", convert::luid_to_name_a(luid, target.cast(), 257));
    }

    for name in ["nobody0", "", "a/b"] {
        let (narrow, wide) = (std::ffi::CString::new(name).unwrap(), wide(name));
        both!(
            walk,
            "ConvertInterfaceNameToLuidA",
            "ERROR_INVALID_NAME",
            "STATUS_INVALID_NAME",
            convert::name_to_luid_a(narrow.as_ptr().cast(), out)
        );
        cleared(out);
        both!(
            walk,
            "ConvertInterfaceNameToLuidW",
            "ERROR_INVALID_NAME",
            "STATUS_INVALID_NAME",
            convert::name_to_luid_w(wide.as_ptr(), out)
        );
        cleared(out);
    }
    let long = std::ffi::CString::new("x".repeat(257)).unwrap();
    // SAFETY: a C string and a live variable.
    unsafe {
        let name = "ConvertInterfaceNameToLuidA";
        walk.expect(
            name,
            "ERROR_BUFFER_OVERFLOW",
            convert::name_to_luid_a::<Win32>(long.as_ptr().cast(), out),
        );
        let status = convert::name_to_luid_a::<NtStatus>(long.as_ptr().cast(), out);
        walk.expect_as(name, "ERROR_BUFFER_OVERFLOW", "STATUS_BUFFER_OVERFLOW", status);
    }
    cleared(out);
    let long = wide(&"x".repeat(257));
    both!(
        walk,
        "ConvertInterfaceNameToLuidW",
        "ERROR_INVALID_NAME",
        "STATUS_INVALID_NAME",
        convert::name_to_luid_w(long.as_ptr(), out)
    );
    both!(
        walk,
        "ConvertInterfaceNameToLuidA",
        "ERROR_INVALID_NAME",
        "STATUS_INVALID_NAME",
        convert::name_to_luid_a(null(), out)
    );
    both!(
        walk,
        "ConvertInterfaceNameToLuidW",
        "ERROR_INVALID_NAME",
        "STATUS_INVALID_NAME",
        convert::name_to_luid_w(null(), out)
    );
    refused!(walk, "ConvertInterfaceNameToLuidA", convert::name_to_luid_a(c"lo".as_ptr().cast(), null_mut()));
    refused!(walk, "ConvertInterfaceNameToLuidW", convert::name_to_luid_w(long.as_ptr(), null_mut()));

    let mut name = [0x55_u8; 256];
    // SAFETY: strings end, and the buffer has 256 bytes.
    unsafe {
        assert_eq!(convert::name_to_index(null()), 0);
        assert_eq!(convert::name_to_index(c"nobody0".as_ptr().cast()), 0);
        assert_eq!(convert::name_to_index(c"lo".as_ptr().cast()), 1);
        assert!(convert::index_to_name(1, null_mut()).is_null());
        assert!(convert::index_to_name(NOBODY, name.as_mut_ptr()).is_null());
        assert!(convert::index_to_name(0, name.as_mut_ptr()).is_null());
        assert_eq!(name, [0x55; 256], "a failure writes nothing");
        assert_eq!(convert::index_to_name(1, name.as_mut_ptr()), name.as_mut_ptr());
    }
    assert_eq!(name[..3], *b"lo\0");
}
