//! Parameters of neighbour tables.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::neigh_table::{NEW_NEIGHBOR_TABLE, NeighborParameters};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let _ = NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, payload));
});
