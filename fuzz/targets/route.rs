//! Routes with their next hops, and the requests that make them and take them away.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::route::{NEW_ROUTE, Route};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok(Some(route)) = Route::parse(&message(NEW_ROUTE, payload)) {
        let _ = route.create_or_replace();
        let _ = route.clone().settled().with_links(|link| link % 2 == 0);
        for hop in route.each_hop() {
            let _ = hop.delete();
        }
    }
});
