//! A neighbour as `MIB_IPNET_ROW2`.

use crate::raw::MIB_IPNET_ROW2;
use crate::{key, sockaddr};
use iphelper::neighbor::{Neighbor, NeighborState};
use std::time::Duration;

/// Bits of `Flags`.
const IS_ROUTER: u8 = 1 << 0;
const IS_UNREACHABLE: u8 = 1 << 1;

pub(super) fn of(neighbor: &Neighbor) -> MIB_IPNET_ROW2 {
    let flag = |bit: u8, set: bool| if set { bit } else { 0 };
    let bytes = neighbor.physical_address.as_bytes();
    let mut row = MIB_IPNET_ROW2 {
        Address: sockaddr::write(neighbor.address, neighbor.scope_id),
        InterfaceIndex: neighbor.index.0,
        InterfaceLuid: key::luid(neighbor.luid),
        PhysicalAddress: [0; 32],
        PhysicalAddressLength: u32::try_from(bytes.len()).unwrap_or_default(),
        State: state(neighbor.state),
        // Nobody knows of an IPv4 neighbour: FALSE.
        Flags: flag(IS_ROUTER, neighbor.is_router == Some(true))
            | flag(IS_UNREACHABLE, neighbor.is_unreachable),
        LastReachable: milliseconds(neighbor.last_unreachable.or(neighbor.last_reachable)),
    };
    row.PhysicalAddress.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    row
}

/// `NL_NEIGHBOR_STATE`.
fn state(state: NeighborState) -> i32 {
    match state {
        NeighborState::Unreachable => 0,
        NeighborState::Incomplete => 1,
        NeighborState::Probe => 2,
        NeighborState::Delay => 3,
        NeighborState::Stale => 4,
        NeighborState::Reachable => 5,
        NeighborState::Permanent => 6,
    }
}

/// 0 where nothing is known; no longer than the member can tell.
fn milliseconds(age: Option<Duration>) -> u32 {
    age.map_or(0, |age| u32::try_from(age.as_millis()).unwrap_or(u32::MAX))
}
