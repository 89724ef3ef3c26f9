//! `Rtl...AddressToString...`, `Rtl...StringToAddress...` and `ParseNetworkString` as C calls them: both widths, buffers of
//! every size, byte orders, terminators.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type, and each buffer has the \
              size that is said"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper_capi::convert::*;
use iphelper_capi::raw::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ptr::{null, null_mut};

const REFUSED: i32 = 0xC000_000D_u32.cast_signed();

fn in4(address: &str) -> IN_ADDR {
    let mut value = IN_ADDR::default();
    value.S_un.S_addr = u32::from_ne_bytes(address.parse::<Ipv4Addr>().unwrap().octets());
    value
}

fn in6(address: &str) -> IN6_ADDR {
    let mut value = IN6_ADDR::default();
    value.u.Byte = address.parse::<Ipv6Addr>().unwrap().octets();
    value
}

fn v4(address: IN_ADDR) -> Ipv4Addr {
    Ipv4Addr::from(unsafe { address.S_un.S_addr }.to_ne_bytes())
}

fn v6(address: IN6_ADDR) -> Ipv6Addr {
    Ipv6Addr::from(unsafe { address.u.Byte })
}

/// A C string.
fn c<U: Unit>(text: &str) -> Vec<U> {
    text.bytes().chain([0]).map(U::from).collect()
}

fn to_string_and_back<U: Unit + std::fmt::Debug>() {
    let (four, six) = (in4("192.168.10.255"), in6("fe80::5efe:10.0.0.1"));
    let mut buffer = vec![U::from(9); 64];
    let start = buffer.as_mut_ptr();
    unsafe {
        let end = ipv4_to_string(&raw const four, start);
        assert_eq!(
            (end.offset_from(start), buffer[..16].to_vec()),
            (14, [c("192.168.10.255"), vec![9.into()]].concat())
        );
        let end = ipv6_to_string(&raw const six, start);
        assert_eq!((end.offset_from(start), buffer[..20].to_vec()), (19, c("fe80::5efe:10.0.0.1")));
        assert!(
            ipv4_to_string::<U>(null(), start).is_null()
                && ipv6_to_string(&raw const six, null_mut::<U>()).is_null()
        );

        // Every size from none to plenty.
        let (port, scope) = (80_u16.to_be(), 7_u32.to_be());
        for (text, four_text) in [("[fe80::5efe:10.0.0.1%7]:80", false), ("192.168.10.255:80", true)] {
            let needed = text.len() as u32 + 1;
            for size in 0..needed + 3 {
                let mut buffer = vec![U::from(9); 64];
                let mut length = size;
                let status = if four_text {
                    ipv4_to_string_ex(&raw const four, port, buffer.as_mut_ptr(), &raw mut length)
                } else {
                    ipv6_to_string_ex(&raw const six, scope, port, buffer.as_mut_ptr(), &raw mut length)
                };
                assert_eq!(
                    (status, length),
                    (if size < needed { REFUSED } else { 0 }, needed),
                    "{text} {size}"
                );
                let written = if size < needed { 0 } else { needed as usize };
                assert_eq!(buffer[..written], c(text)[..written]);
                assert!(buffer[written..].iter().all(|unit| *unit == 9.into()), "{text} {size}");
            }
        }
        // Without a port or a scope.
        let mut length = 64;
        assert_eq!(ipv6_to_string_ex(&raw const six, 0, 0, start, &raw mut length), 0);
        assert_eq!((length, buffer[..20].to_vec()), (20, c("fe80::5efe:10.0.0.1")));
    }
}

#[test]
fn addresses_become_text_in_both_widths() {
    to_string_and_back::<u8>();
    to_string_and_back::<u16>();
}

fn from_string<U: Unit + std::fmt::Debug>() {
    let (mut four, mut six) = (IN_ADDR::default(), IN6_ADDR::default());
    let (mut port, mut scope) = (9, 9);
    let mut rest: *const U = null();
    unsafe {
        let text = c::<U>("10.1.2.3, and more");
        assert_eq!(string_to_ipv4(text.as_ptr(), 1, &raw mut rest, &raw mut four), 0);
        assert_eq!((v4(four).to_string().as_str(), rest.offset_from(text.as_ptr())), ("10.1.2.3", 8));
        let text = c::<U>("0x7f.1");
        assert_eq!(string_to_ipv4(text.as_ptr(), 0, &raw mut rest, &raw mut four), 0);
        assert_eq!((v4(four), rest.offset_from(text.as_ptr())), (Ipv4Addr::LOCALHOST, 6));
        assert_eq!(*rest, U::default(), "the end");
        assert_eq!(string_to_ipv4(text.as_ptr(), 1, &raw mut rest, &raw mut four), REFUSED);
        assert_eq!(v4(four), Ipv4Addr::LOCALHOST, "a failure writes nothing");
        let text = c::<U>("::::");
        assert_eq!(string_to_ipv6(text.as_ptr(), &raw mut rest, &raw mut six), 0);
        assert_eq!((v6(six), rest.offset_from(text.as_ptr())), (Ipv6Addr::UNSPECIFIED, 2));

        let text = c::<U>("10.1.2.3:4096");
        assert_eq!(string_to_ipv4_ex(text.as_ptr(), 1, &raw mut four, &raw mut port), 0);
        assert_eq!((v4(four), port.to_ne_bytes()), (Ipv4Addr::new(10, 1, 2, 3), [0x10, 0]));
        let text = c::<U>("[fe80::1%258]:4096");
        assert_eq!(string_to_ipv6_ex(text.as_ptr(), &raw mut six, &raw mut scope, &raw mut port), 0);
        assert_eq!(v6(six).to_string(), "fe80::1");
        assert_eq!(
            (scope.to_ne_bytes(), port.to_ne_bytes()),
            ([0, 0, 1, 2], [0x10, 0]),
            "network byte order"
        );
        let text = c::<U>("::1");
        assert_eq!(string_to_ipv6_ex(text.as_ptr(), &raw mut six, &raw mut scope, &raw mut port), 0);
        assert_eq!((v6(six), scope, port), (Ipv6Addr::LOCALHOST, 0, 0));
        for text in ["::1 ", "::1é", "[::1]:80x", "", "1.2.3.4"] {
            let text = c::<U>(text);
            assert_eq!(
                string_to_ipv6_ex(text.as_ptr(), &raw mut six, &raw mut scope, &raw mut port),
                REFUSED
            );
            assert_eq!(v6(six), Ipv6Addr::LOCALHOST, "a failure writes nothing");
        }
    }
}

#[test]
fn text_becomes_addresses_in_both_widths() {
    from_string::<u8>();
    from_string::<u16>();
}

#[test]
fn a_wide_character_is_no_digit() {
    // The low byte of each is a digit.
    let text = [0x0131_u16, 0x2E, 0x0132, 0];
    let (mut four, mut rest) = (IN_ADDR::default(), null());
    assert_eq!(unsafe { string_to_ipv4(text.as_ptr(), 0, &raw mut rest, &raw mut four) }, REFUSED);
}

#[test]
fn network_strings_fill_each_output_that_is_wanted() {
    let mut info = NET_ADDRESS_INFO::default();
    let (mut port, mut length) = (9, 9);
    let mut parse = |text: &str, types| {
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let code =
            unsafe { parse_string(text.as_ptr(), types, &raw mut info, &raw mut port, &raw mut length) };
        assert_eq!(unsafe { parse_string(text.as_ptr(), types, null_mut(), null_mut(), null_mut()) }, code);
        (code, info, port, length)
    };
    let (code, info, port, length) = parse("[fe80::1%2]:80", 0x222);
    let end = unsafe { info.Anonymous.Ipv6Address };
    assert_eq!((code, info.Format, port, length), (0, NET_ADDRESS_IPV6, 80, 255));
    assert_eq!(
        (end.sin6_family, end.sin6_port, v6(end.sin6_addr)),
        (23, 80_u16.to_be(), "fe80::1".parse().unwrap())
    );
    assert_eq!(unsafe { end.Anonymous.sin6_scope_id }, 2, "in host byte order, as in every socket address");
    let (code, info, port, length) = parse("192.168.100/24", 0x84);
    let end = unsafe { info.Anonymous.Ipv4Address };
    assert_eq!((code, info.Format, port, length), (0, NET_ADDRESS_IPV4, 0, 24));
    assert_eq!((end.sin_family, end.sin_port, v4(end.sin_addr)), (2, 0, Ipv4Addr::new(192, 168, 100, 0)));
    let (code, info, port, length) = parse("größe.example:443", 0x222);
    let named = unsafe { info.Anonymous.NamedAddress };
    assert_eq!((code, info.Format, port, length), (0, NET_ADDRESS_DNS_NAME, 443, 255));
    assert_eq!(String::from_utf16_lossy(&named.Address[..14]), "größe.example\0");
    assert_eq!(String::from_utf16_lossy(&named.Port), "443\0\0\0");
    // A refusal leaves all as it was.
    let (code, info, port, length) = parse("192.168.100.10:80", 1);
    assert_eq!((code, info.Format, port, length), (87, NET_ADDRESS_DNS_NAME, 443, 255));
    let (code, info, ..) = parse(&["x"; 128].join("."), 0x100);
    assert_eq!((code, info.Format), (0, NET_ADDRESS_DNS_NAME), "255 characters fit");
    assert_eq!(parse(&["x"; 129].join("."), 0x100).0, ERROR_INSUFFICIENT_BUFFER);
    assert_eq!(parse(&"x.".repeat(600), 0x100).0, ERROR_INVALID_PARAMETER);
}

proptest! {
    #[test]
    fn any_units_are_read_or_refused(narrow in proptest::collection::vec(1_u8.., 0..60), wide in proptest::collection::vec(prop_oneof![0x2D_u16..0x3B, 1_u16..], 0..60), types: u32) {
        let (narrow, wide) = ([narrow, vec![0]].concat(), [wide, vec![0]].concat());
        let (mut four, mut six, mut scope, mut port) = (IN_ADDR::default(), IN6_ADDR::default(), 0, 0);
        let (mut narrow_rest, mut wide_rest) = (null(), null());
        unsafe {
            if string_to_ipv4(narrow.as_ptr(), 0, &raw mut narrow_rest, &raw mut four) == 0 {
                prop_assert!(narrow.as_ptr_range().contains(&narrow_rest));
            }
            if string_to_ipv6(wide.as_ptr(), &raw mut wide_rest, &raw mut six) == 0 {
                prop_assert!(wide.as_ptr_range().contains(&wide_rest));
            }
            let _ = string_to_ipv4_ex(wide.as_ptr(), 0, &raw mut four, &raw mut port);
            let _ = string_to_ipv6_ex(narrow.as_ptr(), &raw mut six, &raw mut scope, &raw mut port);
            let _ = parse_string(wide.as_ptr(), types & 0x3FF, null_mut(), null_mut(), null_mut());
        }
    }
}
