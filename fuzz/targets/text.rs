//! Addresses and names in text: any text is one or none, what follows an address is the end of the text, and what is read
//! is written as it is read again.
#![no_main]

use iphelper::convert::{
    Ipv4Notation, NetworkStringTypes, ethernet_text, ipv4_text, ipv6_text, parse_ethernet, parse_ipv4,
    parse_ipv4_endpoint, parse_ipv6, parse_ipv6_endpoint, parse_network_string,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for notation in [Ipv4Notation::Strict, Ipv4Notation::Loose] {
        if let Ok((address, rest)) = parse_ipv4(text, notation) {
            assert!(text.ends_with(rest));
            assert_eq!(parse_ipv4(&ipv4_text(address, None), notation).ok(), Some((address, "")));
        }
        if let Ok((address, port)) = parse_ipv4_endpoint(text, notation) {
            assert_eq!(parse_ipv4_endpoint(&ipv4_text(address, port), notation).ok(), Some((address, port)));
        }
    }
    if let Ok((address, rest)) = parse_ipv6(text) {
        assert!(text.ends_with(rest));
        assert_eq!(parse_ipv6(&ipv6_text(address, 0, None)).ok(), Some((address, "")));
    }
    if let Ok(end) = parse_ipv6_endpoint(text) {
        let written = ipv6_text(end.address, end.scope_id, end.port);
        assert_eq!(parse_ipv6_endpoint(&written).ok(), Some(end), "{written}");
    }
    if let Ok((address, rest)) = parse_ethernet(text) {
        assert!(text.ends_with(rest));
        assert_eq!(parse_ethernet(&ethernet_text(address)).ok(), Some((address, "")));
    }
    for bits in 0..32 {
        let Ok(types) = NetworkStringTypes::from_bits(1 << bits) else { continue };
        let _ = parse_network_string(text, types);
    }
});
