//! Speeds, features and wake-on-LAN.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::genetlink::ethtool::{Features, Speed, WakeOnLan, changed_link, feature_name_list};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let message = message(30, payload);
    let _ = Speed::parse(&message);
    let _ = changed_link(&message);
    for set in [
        Features::parse(&message).ok().flatten().map(|features| features.active),
        WakeOnLan::parse(&message).ok().flatten().map(|wakers| wakers.supported),
    ] {
        let _ = set.map(|set| (set.is_empty(), [0, 31, 32, u32::MAX].map(|bit| set.contains(bit))));
    }
    let names = feature_name_list(&message).unwrap_or_default();
    assert!(names.len() <= payload.len());
});
