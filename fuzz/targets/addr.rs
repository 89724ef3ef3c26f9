//! IPv6 addresses, and the request that takes one away.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::addr::{Ipv6Address, NEW_ADDRESS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok(Some(address)) = Ipv6Address::parse(&message(NEW_ADDRESS, payload)) {
        let _ = address.prefix();
        let _ = address.delete();
    }
});
