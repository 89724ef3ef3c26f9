//! Wi-Fi links.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::genetlink::nl80211;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let _ = nl80211::index(&message(30, payload));
});
