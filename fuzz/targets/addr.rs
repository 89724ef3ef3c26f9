//! Addresses of both families, groups, and the requests that change them or take them away.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::addr::group::{Kind, Member};
use iphelper_netlink::rtnetlink::addr::{Address, Ipv6Address, NEW_ADDRESS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok(Some(address)) = Ipv6Address::parse(&message(NEW_ADDRESS, payload)) {
        let _ = address.prefix();
        let _ = address.delete();
    }
    if let Ok(Some(address)) = Address::parse(&message(NEW_ADDRESS, payload)) {
        let _ = (address.broadcast(), address.add(0), address.delete());
    }
    let _ = Member::parse(Kind::Multicast, &message(58, payload));
    let _ = Member::parse(Kind::Anycast, &message(62, payload));
});
