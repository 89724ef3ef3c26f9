//! Neighbours, and the requests about one.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::message::Messages;
use iphelper_netlink::rtnetlink::neigh::{Key, NEW_NEIGHBOR, Neighbor, Write, put, state};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok(Some(neighbor)) = Neighbor::parse(&message(NEW_NEIGHBOR, payload)) {
        let mut request = neighbor.set_state(state::STALE);
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        let read = Neighbor::parse(&sent).unwrap().unwrap();
        assert_eq!((read.index, read.destination), (neighbor.index, neighbor.destination));
        if let Some(address) = neighbor.address() {
            let key = Key { index: neighbor.index, address };
            let bytes = neighbor.link_address.unwrap_or_default();
            let mut request = put(key, Write::Change, bytes, neighbor.state, neighbor.flags);
            let sent = request.finish(1).to_vec();
            let sent = Messages::new(&sent).next().unwrap().unwrap();
            let read = Neighbor::parse(&sent).unwrap().unwrap();
            assert_eq!((read.address(), read.link_address), (Some(address), Some(bytes)));
        }
    }
});
