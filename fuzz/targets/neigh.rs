//! Neighbours, and the request that puts one into another state.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::message::Messages;
use iphelper_netlink::rtnetlink::neigh::{NEW_NEIGHBOR, Neighbor, state};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    if let Ok(Some(neighbor)) = Neighbor::parse(&message(NEW_NEIGHBOR, payload)) {
        let mut request = neighbor.set_state(state::STALE);
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        let read = Neighbor::parse(&sent).unwrap().unwrap();
        assert_eq!((read.index, read.destination), (neighbor.index, neighbor.destination));
    }
});
