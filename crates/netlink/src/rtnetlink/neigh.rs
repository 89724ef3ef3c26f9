//! Neighbours: the addresses of a link whose hardware address is known or sought (`struct ndmsg`, `NDA_*`).
//!
//! ```text
//!  0        1                 4                 8                 10       11       12
//!  +--------+--------+--------+-----------------+-----------------+--------+--------+ - - - -
//!  | family |  pad            |  index          | state           | flags  |  type  | NDA_*
//!  +--------+--------+--------+-----------------+-----------------+--------+--------+ - - - -
//! ```

use crate::DecodeError;
use crate::attribute::AttributeWriter;
use crate::message::{ACK, DUMP, Message, Request};

/// `RTM_NEWNEIGH`: a neighbour that is there; as a request, one that is made or changed.
pub const NEW_NEIGHBOR: u16 = 28;
/// `RTM_GETNEIGH`: asks for neighbours.
pub const GET_NEIGHBOR: u16 = 30;

const FIXED_LEN: usize = 12;
/// `NLM_F_REPLACE` without `NLM_F_CREATE`: what is gone is not made anew.
const REPLACE: u16 = 0x100;

const DST: u16 = 1;
const IFINDEX: u16 = 8;

/// Reachability of a neighbour ([`Neighbor::state`], `NUD_*`).
pub mod state {
    /// Known, and in doubt since some time has passed without use.
    pub const STALE: u16 = 0x04;
    /// In doubt and in use: a probe will follow when the delay is over.
    pub const DELAY: u16 = 0x08;
    /// Being probed.
    pub const PROBE: u16 = 0x10;
}

/// A neighbour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbor<'a> {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// The link.
    pub index: u32,
    /// `NUD_*`, see [`state`].
    pub state: u16,
    /// Its network address.
    pub destination: &'a [u8],
}

/// A request for the neighbours of one family on one link.
#[must_use]
pub fn dump(family: u8, index: u32) -> Request {
    let mut request = Request::new(GET_NEIGHBOR, DUMP, &[family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let _ = request.attribute_u32(IFINDEX, index);
    request
}

impl<'a> Neighbor<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_NEIGHBOR {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("ndmsg")?;
        let [family, _, _, _, i0, i1, i2, i3, s0, s1, ..] = *fixed;
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == DST {
                let index = u32::from_ne_bytes([i0, i1, i2, i3]);
                let state = u16::from_ne_bytes([s0, s1]);
                return Ok(Some(Self { family, index, state, destination: attribute.payload }));
            }
        }
        Ok(None)
    }

    /// A request that puts the neighbour into another state; `ENOENT` if it is gone.
    #[must_use]
    pub fn set_state(&self, state: u16) -> Request {
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        let [s0, s1] = state.to_ne_bytes();
        let fixed = [self.family, 0, 0, 0, i0, i1, i2, i3, s0, s1, 0, 0];
        let mut request = Request::new(NEW_NEIGHBOR, ACK | REPLACE, &fixed);
        let _ = request.attribute(DST, self.destination);
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const PROBED: &str = include_str!("../../captured/neigh-inet6.hex");

    #[cfg(target_endian = "little")]
    #[test]
    fn a_neighbor_is_read_and_put_into_another_state() {
        let payload = bytes(PROBED);
        let neighbor = Neighbor::parse(&message(NEW_NEIGHBOR, &payload)).unwrap().unwrap();
        let destination = "2001:db8:1::7".parse::<std::net::Ipv6Addr>().unwrap().octets();
        let expected = Neighbor { family: 10, index: 2, state: state::PROBE, destination: &destination };
        assert_eq!(neighbor, expected);

        let mut request = neighbor.set_state(state::STALE);
        let sent = request.finish(1).to_vec();
        let sent = Messages::new(&sent).next().unwrap().unwrap();
        let read = Neighbor::parse(&sent).unwrap().unwrap();
        assert_eq!(read, Neighbor { state: state::STALE, ..expected });
        assert_eq!(sent.header.flags & 0x400, 0, "NLM_F_CREATE would bring back a neighbour that is gone");
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(Neighbor::parse(&message(16, &[0; 32])), Ok(None));
        assert_eq!(Neighbor::parse(&message(NEW_NEIGHBOR, &[10; 12])), Ok(None));
        assert!(Neighbor::parse(&message(NEW_NEIGHBOR, &[10, 0, 0])).is_err());
        assert!(dump(10, 2).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Neighbor::parse(&message(NEW_NEIGHBOR, &payload)).map(|read| read.map(|n| n.set_state(4)));
        }
    }
}
