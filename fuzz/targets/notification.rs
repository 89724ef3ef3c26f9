//! What the kernel announces: links, addresses, settings (netconf), ethtool's changes.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::genetlink::ethtool;
use iphelper_netlink::rtnetlink::netconf::Netconf;
use iphelper_netlink::rtnetlink::notification::Announcement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, payload)) = input.split_first() else { return };
    let message = message(u16::from(*kind), payload);
    let _ = Announcement::parse(&message);
    let _ = Netconf::parse(&message);
    let _ = ethtool::changed_link(&message);
});
