//! Masks, addresses and text.

use crate::walk::Walk;
use iphelper_capi::convert;
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::*;
use std::ptr::{null, null_mut};

pub(super) fn masks(walk: &mut Walk) {
    let (mut length, mut mask) = (9, 9);
    refused!(
        walk,
        "ConvertIpv4MaskToLength",
        convert::mask_to_length(u32::from_ne_bytes([255, 0, 255, 0]), &raw mut length)
    );
    refused!(walk, "ConvertIpv4MaskToLength", convert::mask_to_length(u32::MAX, null_mut()));
    refused!(walk, "ConvertLengthToIpv4Mask", convert::length_to_mask(33, &raw mut mask));
    refused!(walk, "ConvertLengthToIpv4Mask", convert::length_to_mask(24, null_mut()));
    assert_eq!((length, mask), (0, 0), "a failure clears the output");
    // SAFETY: live variables.
    unsafe {
        assert_eq!(
            convert::mask_to_length::<Win32>(u32::from_ne_bytes([255, 255, 240, 0]), &raw mut length),
            0
        );
        assert_eq!(convert::length_to_mask::<NtStatus>(20, &raw mut mask), 0);
    }
    assert_eq!((length, mask.to_ne_bytes()), (20, [255, 255, 240, 0]), "network byte order");
}

pub(super) fn network_strings(walk: &mut Walk) {
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let mut info = NET_ADDRESS_INFO::default();
    let mut parse = |text: *const u16, types| {
        // SAFETY: a C string or NULL, a live variable, and NULL for what is not wanted.
        unsafe { convert::parse_string(text, types, &raw mut info, null_mut(), null_mut()) }
    };
    let (address, name) = (wide("10.0.0.1"), wide(&["x"; 129].join(".")));
    let half = [0xD800, 0];
    let long = wide(&"x.".repeat(600));
    for (text, types) in [
        (null(), 1),
        (address.as_ptr(), 0),
        (address.as_ptr(), 0x400),
        (address.as_ptr(), 2),
        (half.as_ptr(), 0x100),
        (long.as_ptr(), 0x100),
    ] {
        walk.expect("ParseNetworkString", "ERROR_INVALID_PARAMETER", parse(text, types));
    }
    walk.expect("ParseNetworkString", "ERROR_INSUFFICIENT_BUFFER", parse(name.as_ptr(), 0x100));
}

/// Buffers that are too small or missing.
fn buffers<U: convert::Unit>(walk: &mut Walk, [ipv4, ipv6]: [&'static str; 2]) {
    let (four, six) = (IN_ADDR::default(), IN6_ADDR::default());
    let mut text = [U::default(); 2];
    let target = text.as_mut_ptr();
    let mut length = 2;
    let size = &raw mut length;
    // SAFETY: each argument is NULL or points to a live variable of its type; both texts are longer than the buffer.
    unsafe {
        for (four, six, target, size) in [
            (&raw const four, &raw const six, target, size),
            (&raw const four, &raw const six, null_mut(), size),
            (null(), null(), target, size),
            (&raw const four, &raw const six, target, null_mut()),
        ] {
            let expected = "STATUS_INVALID_PARAMETER";
            let status = convert::ipv4_to_string_ex(four, 0, target, size);
            walk.expect(ipv4, expected, status.cast_unsigned());
            (&raw mut length).write(2);
            let status = convert::ipv6_to_string_ex(six, 1, 1, target, size);
            walk.expect(ipv6, expected, status.cast_unsigned());
            (&raw mut length).write(2);
        }
    }
}

pub(super) fn addresses_and_text(walk: &mut Walk) {
    let (mut four, mut six) = (IN_ADDR::default(), IN6_ADDR::default());
    let (four, six) = (&raw mut four, &raw mut six);
    buffers::<u8>(walk, ["RtlIpv4AddressToStringExA", "RtlIpv6AddressToStringExA"]);
    buffers::<u16>(walk, ["RtlIpv4AddressToStringExW", "RtlIpv6AddressToStringExW"]);
    let (bad, good) = ((c"1.2.3.".as_ptr().cast::<u8>(), [0x3A_u16, 0]), c"1.2.3.4".as_ptr().cast::<u8>());
    let (mut rest, mut wide_rest) = (null(), null());
    let (rest, wide_rest) = (&raw mut rest, &raw mut wide_rest);
    let (mut port, mut scope) = (0, 0);
    let (port, scope) = (&raw mut port, &raw mut scope);
    // SAFETY: C strings and live variables, or NULL.
    unsafe {
        for (strict, source, wide, target) in [
            (1, bad.0, bad.1.as_ptr(), four),
            (0, bad.0, bad.1.as_ptr(), four),
            (1, null(), null(), four),
            (1, good, null(), null_mut()),
        ] {
            let expected = "STATUS_INVALID_PARAMETER";
            let status = convert::string_to_ipv4(source, strict, rest, target);
            walk.expect("RtlIpv4StringToAddressA", expected, status.cast_unsigned());
            let status = convert::string_to_ipv4(wide, strict, wide_rest, target);
            walk.expect("RtlIpv4StringToAddressW", expected, status.cast_unsigned());
            let status = convert::string_to_ipv4_ex(source, strict, target, port);
            walk.expect("RtlIpv4StringToAddressExA", expected, status.cast_unsigned());
            let status = convert::string_to_ipv4_ex(wide, strict, target, port);
            walk.expect("RtlIpv4StringToAddressExW", expected, status.cast_unsigned());
            let target = if target.is_null() { null_mut() } else { six };
            let status = convert::string_to_ipv6(source, rest, target);
            walk.expect("RtlIpv6StringToAddressA", expected, status.cast_unsigned());
            let status = convert::string_to_ipv6(wide, wide_rest, target);
            walk.expect("RtlIpv6StringToAddressW", expected, status.cast_unsigned());
            let status = convert::string_to_ipv6_ex(source, target, scope, port);
            walk.expect("RtlIpv6StringToAddressExA", expected, status.cast_unsigned());
            let status = convert::string_to_ipv6_ex(wide, target, scope, port);
            walk.expect("RtlIpv6StringToAddressExW", expected, status.cast_unsigned());
        }
    }
}

pub(super) fn ethernet(walk: &mut Walk) {
    let good = c"02-00-5E-00-53-0A".as_ptr().cast::<u8>();
    let wide: Vec<u16> = "02-00-5E-00-53-0A".encode_utf16().chain([0]).collect();
    let (mut rest, mut wide_rest) = (null(), null());
    let (rest, wide_rest) = (&raw mut rest, &raw mut wide_rest);
    let mut address = DL_EUI48 { Byte: [9; 6] };
    let target = &raw mut address;
    let expected = "STATUS_INVALID_PARAMETER";
    // SAFETY: C strings and live variables, or NULL.
    unsafe {
        for bad in [
            c"",
            c"-",
            c"02",
            c"02-00-5E-00-53",
            c"02-00-5E-00-53-",
            c"02-00-5E-00-53-0",
            c"02-00-5E-00-53-0AA",
            c"2-00-5E-00-53-0A",
            c"02:00:5E:00:53:0A",
            c"02005E00530A",
            c"0x02-00-5E-00-53-0A",
            c"02--00-5E-00-53-0A",
            c" 02-00-5E-00-53-0A",
            c"0G-00-5E-00-53-0A",
            c"+2-00-5E-00-53-0A",
        ] {
            let status = convert::string_to_ethernet(bad.as_ptr().cast::<u8>(), rest, target);
            walk.expect("RtlEthernetStringToAddressA", expected, status.cast_unsigned());
            let bad: Vec<u16> = bad.to_bytes_with_nul().iter().map(|byte| u16::from(*byte)).collect();
            let status = convert::string_to_ethernet(bad.as_ptr(), wide_rest, target);
            walk.expect("RtlEthernetStringToAddressW", expected, status.cast_unsigned());
        }
        assert_eq!((target.read().Byte, rest.read()), ([9; 6], null()), "a failure writes nothing");
        for (source, terminator, address) in
            [(null(), rest, target), (good, null_mut(), target), (good, rest, null_mut())]
        {
            let status = convert::string_to_ethernet(source, terminator, address);
            walk.expect("RtlEthernetStringToAddressA", expected, status.cast_unsigned());
        }
        assert_eq!(convert::string_to_ethernet(good, rest, target), 0);
        assert_eq!((target.read().Byte, rest.read()), ([2, 0, 0x5e, 0, 0x53, 0xa], good.add(17)));
        assert_eq!(convert::string_to_ethernet(wide.as_ptr(), wide_rest, target), 0);
        assert_eq!(wide_rest.read(), wide.as_ptr().add(17));
        let mut text = [0xA5_u8; 20];
        assert_eq!(convert::ethernet_to_string(target, text.as_mut_ptr()), text.as_mut_ptr().add(17));
        assert_eq!(&text, b"02-00-5E-00-53-0A\0\xA5\xA5");
        assert!(convert::ethernet_to_string::<u8>(null(), text.as_mut_ptr()).is_null());
        assert!(convert::ethernet_to_string::<u16>(target, null_mut()).is_null());
    }
}
