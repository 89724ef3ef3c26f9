//! Addresses and text: there and back, beside the standard library's own reader, and a corpus of what is no address.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper::ErrorKind;
use iphelper::convert::{
    Ipv4Notation, Ipv6Endpoint, NetworkAddress, NetworkString, NetworkStringTypes, ethernet_text, ipv4_mask,
    ipv4_mask_length, ipv4_text, ipv6_text, parse_ethernet, parse_ipv4, parse_ipv4_endpoint, parse_ipv6,
    parse_ipv6_endpoint, parse_network_string,
};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

const STRICT: Ipv4Notation = Ipv4Notation::Strict;
const LOOSE: Ipv4Notation = Ipv4Notation::Loose;

fn v4(text: &str, notation: Ipv4Notation) -> Option<(String, &str)> {
    parse_ipv4(text, notation).ok().map(|(address, rest)| (address.to_string(), rest))
}

#[test]
fn loose_notation_has_one_to_four_parts_in_three_bases() {
    for (text, address) in [
        ("1.2.3.4", "1.2.3.4"),
        ("128.1.258", "128.1.1.2"),
        ("10.66051", "10.1.2.3"),
        ("16909060", "1.2.3.4"),
        ("0x01020304", "1.2.3.4"),
        ("0X7f.1", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("037777777777", "255.255.255.255"),
        ("4294967295", "255.255.255.255"),
        ("255.16777215", "255.255.255.255"),
        ("255.255.65535", "255.255.255.255"),
    ] {
        assert_eq!(v4(text, LOOSE), Some((address.to_owned(), "")), "{text}");
        assert_eq!(v4(text, STRICT).is_some(), text == "1.2.3.4", "{text}");
    }
}

#[test]
fn what_follows_an_ipv4_address_is_given_back() {
    for (text, rest) in [
        ("1.2.3.4/8", "/8"),
        ("1.2.3.4.5", ".5"),
        ("1.2.3.4.", "."),
        ("1.2.3.4:80", ":80"),
        ("1.2.3.4 ", " "),
        ("1.2.3.4x", "x"),
        ("1.2.3.4ö", "ö"),
    ] {
        for notation in [STRICT, LOOSE] {
            assert_eq!(v4(text, notation), Some(("1.2.3.4".to_owned(), rest)), "{text}");
        }
    }
    assert_eq!(v4("0x10 ", LOOSE), Some(("0.0.0.16".to_owned(), " ")));
}

#[test]
fn what_is_no_ipv4_address_is_refused() {
    for text in [
        "",
        " 1.2.3.4",
        ".1.2.3",
        "1..2.3",
        "256.0.0.1",
        "1.2.3.256",
        "-1.2.3.4",
        "+1.2.3.4",
        "a.b.c.d",
        "1.2.3.",
        "99999999999999999999",
        "٣.٣.٣.٣",
        "\u{0}1.2.3.4",
    ] {
        assert_eq!(v4(text, STRICT), None, "{text:?}");
        assert_eq!(v4(text, LOOSE), None, "{text:?}");
    }
    for text in ["1", "1.2", "1.2.3", "01.2.3.4", "1.2.3.04", "00.0.0.0", "0x1.2.3.4", "1.2.3.0x4"] {
        assert_ne!(v4(text, STRICT).map(|(_, rest)| rest), Some(""), "{text:?}");
    }
    for text in ["08", "0x", "1.0x", "1.08.1.1", "4294967296", "1.16777216", "1.1.65536", "0x100000000", "1."]
    {
        assert_eq!(v4(text, LOOSE), None, "{text:?}");
    }
    let error = parse_ipv4("1.2.3", STRICT).unwrap_err();
    assert_eq!((error.kind(), error.win32()), (ErrorKind::InvalidParameter, 87));
    assert!(error.to_string().contains("\"1.2.3\" is no IPv4 address"), "{error}");
}

#[test]
fn ports_are_plain_decimal_numbers() {
    let end = |text| parse_ipv4_endpoint(text, STRICT).ok();
    let address = Ipv4Addr::new(1, 2, 3, 4);
    assert_eq!(end("1.2.3.4"), Some((address, None)));
    assert_eq!(end("1.2.3.4:0"), Some((address, Some(0))));
    assert_eq!(end("1.2.3.4:65535"), Some((address, Some(65535))));
    for text in [
        "1.2.3.4:",
        "1.2.3.4:65536",
        "1.2.3.4:080",
        "1.2.3.4:0x50",
        "1.2.3.4:80 ",
        "1.2.3.4:80:80",
        "1.2.3.4/8",
        "1.2.3:80",
        ":80",
    ] {
        assert_eq!(end(text), None, "{text}");
    }
    assert_eq!(parse_ipv4_endpoint("127.1:80", LOOSE).unwrap(), (Ipv4Addr::LOCALHOST, Some(80)));
}

#[test]
fn ipv6_text_is_the_recommended_one() {
    // RFC 5952, sections 4 and 5, and the three kinds of addresses that end in an IPv4 address.
    for (address, text) in [
        ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("::ffff", "::ffff"),
        ("::1:0", "::0.1.0.0"),
        ("::10.0.0.1", "::10.0.0.1"),
        ("::ffff:a00:1", "::ffff:10.0.0.1"),
        ("::ffff:0:0", "::ffff:0.0.0.0"),
        ("fe80::5efe:a00:1", "fe80::5efe:10.0.0.1"),
        ("fe80::200:5efe:a00:1", "fe80::200:5efe:10.0.0.1"),
        ("::5efe:a00:1", "::5efe:10.0.0.1"),
        ("2001:db8:1:2:0:5efe:a00:1", "2001:db8:1:2:0:5efe:10.0.0.1"),
        ("fe80::300:5efe:a00:1", "fe80::300:5efe:a00:1"),
        ("::ffff:0:a00:1", "::ffff:0:a00:1"),
        ("0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"),
        ("1:0:0:2:0:0:3:4", "1::2:0:0:3:4"),
        ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
    ] {
        assert_eq!(ipv6_text(address.parse().unwrap(), 0, None), text);
    }
    let address = "fe80::1".parse().unwrap();
    assert_eq!(ipv6_text(address, 7, None), "fe80::1%7");
    assert_eq!(ipv6_text(address, 0, Some(80)), "[fe80::1]:80");
    assert_eq!(ipv6_text(Ipv6Addr::from([0xFF; 16]), u32::MAX, Some(65535)).len(), 39 + 11 + 2 + 6);
}

#[test]
fn what_follows_an_ipv6_address_is_given_back() {
    for (text, address, rest) in [
        ("::::", "::", "::"),
        (":::", "::", ":"),
        ("::1/64", "::1", "/64"),
        ("fe80::1%eth0", "fe80::1", "%eth0"),
        ("1::2::3", "1::2", "::3"),
        ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", ":9"),
        ("1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8", "::"),
        ("1:2:3:4:5:6:7:8.9", "1:2:3:4:5:6:7:8", ".9"),
        ("1:2:3:4:5:6:7::8", "1:2:3:4:5:6:7:0", "8"),
        ("::1:", "::1", ":"),
        ("::1.2.3.4.5", "::1.2.3.4", ".5"),
        ("::1.2.3", "::1", ".2.3"),
        ("::ffff:1.2.3.4]", "::ffff:1.2.3.4", "]"),
        ("1:2:3:4:5:6:1.2.3.4x", "1:2:3:4:5:6:1.2.3.4", "x"),
        ("::g", "::", "g"),
    ] {
        let (read, left) = parse_ipv6(text).unwrap();
        assert_eq!((read, left), (address.parse().unwrap(), rest), "{text}");
    }
}

#[test]
fn what_is_no_ipv6_address_is_refused() {
    for text in [
        "",
        ":",
        ":1",
        ":1::",
        "1",
        "1:2",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "12345::",
        "::12345",
        "1:2:3:4:5:6:7:88888",
        "g::",
        " ::1",
        "[::1]",
        "1.2.3.4",
        "1:2:3:4:5:1.2.3.4",
        "-1::",
        "0x1::",
    ] {
        assert!(parse_ipv6(text).is_err(), "{text:?}");
    }
    for text in [
        "[::1",
        "::1]",
        "[::1]80",
        "[::1]:",
        "[::1]:65536",
        "[::1]:080",
        "[::1]:80]",
        "::1%",
        "::1%eth0",
        "::1%4294967296",
        "::1%01",
        "::1%1%2",
        "::1%1:80",
        "[::1]%1",
        "::1 ",
        "::1/64",
        "[[::1]]",
        "[]:80",
    ] {
        assert!(parse_ipv6_endpoint(text).is_err(), "{text:?}");
    }
    assert_eq!(
        parse_ipv6_endpoint("[fe80::1%4294967295]:0").unwrap(),
        Ipv6Endpoint { address: "fe80::1".parse().unwrap(), scope_id: u32::MAX, port: Some(0) }
    );
}

#[test]
fn each_kind_of_network_string_takes_its_own_form() {
    use NetworkStringTypes as T;
    let kinds = [
        (T::IPV4_ADDRESS, vec!["192.168.100.10"]),
        (T::IPV4_SERVICE, vec!["192.168.100.10:80"]),
        (T::IPV4_NETWORK, vec!["192.168.100/24", "10/8", "0.0.0.0/0", "1.2.3.4/32"]),
        (T::IPV6_ADDRESS, vec!["21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A%2", "::1"]),
        (T::IPV6_ADDRESS_NO_SCOPE, vec!["21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A", "::1"]),
        (T::IPV6_SERVICE, vec!["[21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A%2]:8080", "[::1]:80"]),
        (T::IPV6_SERVICE_NO_SCOPE, vec!["[21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A]:8080", "[::1]:80"]),
        (T::IPV6_NETWORK, vec!["21DA:D3::/48", "::/0", "::1/128"]),
        (
            T::NAMED_ADDRESS,
            vec!["www.microsoft.com", "localhost", "a_b.example.", "größe.example", "1.2.3.4a"],
        ),
        (T::NAMED_SERVICE, vec!["www.microsoft.com:80"]),
    ];
    for (kind, texts) in &kinds {
        for text in texts {
            assert!(parse_network_string(text, *kind).is_ok(), "{kind:?} {text}");
            for (other, others) in &kinds {
                let fits = others.contains(text)
                    // Without a scope id an IPv6 address is of both kinds.
                    || (*other == T::IPV6_ADDRESS && *kind == T::IPV6_ADDRESS_NO_SCOPE)
                    || (*other == T::IPV6_SERVICE && *kind == T::IPV6_SERVICE_NO_SCOPE);
                assert_eq!(parse_network_string(text, *other).is_ok(), fits, "{other:?} {text}");
            }
        }
    }
    let parsed = parse_network_string("[fe80::1%2]:80", T::ANY_SERVICE).unwrap();
    let address = NetworkAddress::Ipv6 { address: "fe80::1".parse().unwrap(), scope_id: 2 };
    assert_eq!(parsed, NetworkString { address, port: Some(80), prefix_length: None });
    let parsed = parse_network_string("a.example:443", T::ANY_SERVICE).unwrap();
    let address = NetworkAddress::Name("a.example".to_owned());
    assert_eq!(parsed, NetworkString { address, port: Some(443), prefix_length: None });
    for bits in [0, 0x400, u32::MAX] {
        assert_eq!(T::from_bits(bits).unwrap_err().kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn what_is_no_network_string_is_refused_by_every_kind() {
    let all = NetworkStringTypes::from_bits(0x3FF).unwrap();
    let long = "x".repeat(64);
    for text in [
        "",
        " ",
        ".",
        "a..b",
        ".a",
        "-a",
        "a-",
        "a b",
        "a/b",
        "a:b",
        "a:",
        ":80",
        "a:65536",
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/08",
        "1.2.3./24",
        "1.2.3.4.5/24",
        "/24",
        "1.2.3.4:80/24",
        "::/129",
        "fe80::1%2/64",
        "[::1]",
        "[::1]/64",
        "[1.2.3.4]:80",
        "http://a",
        long.as_str(),
    ] {
        assert!(parse_network_string(text, all).is_err(), "{text:?}");
    }
}

#[test]
fn masks_are_ones_before_zeros() {
    for length in 0..=32 {
        let mask = ipv4_mask(length).unwrap();
        assert_eq!(u32::from(ipv4_mask_length(mask).unwrap()), length);
    }
    assert_eq!(ipv4_mask(24).unwrap(), Ipv4Addr::new(255, 255, 255, 0));
    for mask in [[0, 0, 0, 1], [255, 0, 255, 0], [254, 255, 0, 0], [127, 255, 255, 255]] {
        assert_eq!(ipv4_mask_length(mask.into()).unwrap_err().kind(), ErrorKind::InvalidParameter);
    }
    for length in [33, 64, u32::MAX] {
        assert_eq!(ipv4_mask(length).unwrap_err().kind(), ErrorKind::InvalidParameter);
    }
}

proptest! {
    #[test]
    fn ethernet_there_and_back(address: [u8; 6], rest in "([^0-9a-fA-F].*)?") {
        let text = ethernet_text(address);
        prop_assert_eq!(text.len(), 17);
        for text in [format!("{text}{rest}"), format!("{}{rest}", text.to_lowercase())] {
            prop_assert_eq!(parse_ethernet(&text).unwrap(), (address, rest.as_str()));
        }
    }

    #[test]
    fn any_text_is_an_ethernet_address_or_refused(text in "[0-9a-f:-]{0,20}|.*") {
        if let Ok((address, rest)) = parse_ethernet(&text) {
            prop_assert_eq!(ethernet_text(address), text[..text.len() - rest.len()].to_uppercase());
            prop_assert!(!rest.starts_with(|c: char| c.is_ascii_hexdigit()));
        }
    }

    #[test]
    fn ipv4_there_and_back(address: Ipv4Addr, port: Option<u16>) {
        let text = ipv4_text(address, port);
        for notation in [STRICT, LOOSE] {
            prop_assert_eq!(parse_ipv4_endpoint(&text, notation).unwrap(), (address, port));
        }
    }

    #[test]
    fn ipv6_there_and_back(groups in proptest::array::uniform8(prop_oneof![Just(0), Just(0x5EFE), Just(0xFFFF), any::<u16>()]),
                           scope_id: u32, port: Option<u16>) {
        let address = Ipv6Addr::from(groups);
        let text = ipv6_text(address, scope_id, port);
        prop_assert_eq!(parse_ipv6_endpoint(&text).unwrap(), Ipv6Endpoint { address, scope_id, port });
        prop_assert_eq!(ipv6_text(address, 0, None).parse(), Ok(address));
    }

    #[test]
    fn loose_parts_are_bytes_and_the_rest(address: u32, parts in 1_usize..=4, bases in proptest::array::uniform4(0..3)) {
        let [a, b, c, d] = address.to_be_bytes().map(u32::from);
        let numbers = match parts {
            1 => vec![address],
            2 => vec![a, address & 0xFF_FFFF],
            3 => vec![a, b, address & 0xFFFF],
            _ => vec![a, b, c, d],
        };
        let texts: Vec<String> = numbers.iter().zip(bases).map(|(number, base)| match base {
            0 => number.to_string(),
            1 => format!("0{number:o}"),
            _ => format!("0x{number:x}"),
        }).collect();
        let text = texts.join(".");
        prop_assert_eq!(parse_ipv4(&text, LOOSE).unwrap(), (address.into(), ""));
    }

    #[test]
    fn whole_texts_are_what_the_standard_library_reads(text in "[0-9a-fA-F:.]{0,24}|(:?[0-9a-f]{1,4}){5,9}|(::?[0-9a-f]{0,2}){0,9}(([0-9]{1,3}\\.){3}[0-9]{1,3})?") {
        let whole = |(address, rest): (Ipv6Addr, &str)| rest.is_empty().then_some(address);
        prop_assert_eq!(parse_ipv6(&text).ok().and_then(whole), text.parse().ok());
        let whole = |(address, rest): (Ipv4Addr, &str)| rest.is_empty().then_some(address);
        prop_assert_eq!(parse_ipv4(&text, STRICT).ok().and_then(whole), text.parse().ok());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*", more in "[0-9a-fx:.%/\\[\\]-]{0,40}") {
        for text in [&text, &more] {
            for notation in [STRICT, LOOSE] {
                if let Ok((_, rest)) = parse_ipv4(text, notation) {
                    prop_assert!(text.ends_with(rest) && rest.len() < text.len());
                }
                let _ = parse_ipv4_endpoint(text, notation);
            }
            if let Ok((_, rest)) = parse_ipv6(text) {
                prop_assert!(text.ends_with(rest) && rest.len() + 2 <= text.len());
            }
            let _ = parse_ipv6_endpoint(text);
            let _ = parse_network_string(text, NetworkStringTypes::from_bits(0x3FF).unwrap());
        }
    }
}
