//! Families of generic netlink and their groups.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::genetlink::control::{Family, multicast_group};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let message = message(16, payload);
    let _ = Family::parse(&message);
    let _ = multicast_group(&message, b"ethtool", b"monitor");
});
