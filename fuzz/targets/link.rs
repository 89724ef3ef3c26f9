//! Links, with their parts for IPv4 and IPv6.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::link::{DELETE_LINK, LinkMessage, NEW_LINK};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    for kind in [NEW_LINK, DELETE_LINK] {
        let Ok(Some(link)) = LinkMessage::parse(&message(kind, payload)) else { continue };
        let _ = link.sit();
        assert!(link.alternative_names().count() <= payload.len());
        for member in [0, 1, 59, usize::MAX / 4, usize::MAX] {
            let _ = link.inet.map(|inet| inet.conf(member));
            let _ = link.inet6.map(|inet6| inet6.conf(member));
        }
    }
});
