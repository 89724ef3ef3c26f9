//! IPv6 routes with their next hops, and the request that takes one away.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::route::{Ipv6Route, NEW_ROUTE};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    for route in Ipv6Route::parse(&message(NEW_ROUTE, payload)).into_iter().flatten() {
        let _ = route.delete();
    }
});
