//! Next hop objects (`struct nhmsg`, `NHA_*`): how packets leave, shared by routes.
//!
//! ```text
//!  0        1        2         3          4                 8
//!  +--------+--------+---------+----------+-----------------+ - - - -
//!  | family | scope  | protocol| reserved | flags           | NHA_*
//!  +--------+--------+---------+----------+-----------------+ - - - -
//! ```

use crate::DecodeError;
use crate::message::{DUMP, Message, Request};
use std::net::IpAddr;

/// `RTM_NEWNEXTHOP`: an object that is there.
pub const NEW_NEXT_HOP: u16 = 104;
/// `RTM_GETNEXTHOP`: asks for objects.
pub const GET_NEXT_HOP: u16 = 106;

const FIXED_LEN: usize = 8;

const ID: u16 = 1;
const GROUP: u16 = 2;
const OIF: u16 = 5;
const GATEWAY: u16 = 6;

/// A next hop object, as far as it says by which links and routers packets leave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NextHopObject {
    /// The number that routes know it by.
    pub id: u32,
    /// The link; `None`: a group, or packets go nowhere.
    pub interface: Option<u32>,
    /// The router; `None`: on-link, or a group.
    pub gateway: Option<IpAddr>,
    /// The objects that a group consists of.
    pub members: Vec<u32>,
}

/// A request for all objects.
#[must_use]
pub fn dump() -> Request {
    Request::new(GET_NEXT_HOP, DUMP, &[0; FIXED_LEN])
}

impl NextHopObject {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_NEXT_HOP {
            return Ok(None);
        }
        let (_, attributes) = message.split::<FIXED_LEN>("nhmsg")?;
        let mut object = Self { id: 0, interface: None, gateway: None, members: Vec::new() };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                ID => object.id = attribute.u32()?,
                OIF => object.interface = Some(attribute.u32()?),
                GATEWAY if attribute.payload.len() == 4 => object.gateway = Some(attribute.ipv4()?.into()),
                GATEWAY => object.gateway = Some(attribute.ipv6()?.into()),
                // struct nexthop_grp: the number, then weight and reserved bytes.
                GROUP => {
                    let (members, _) = attribute.payload.as_chunks::<8>();
                    object.members =
                        members.iter().map(|[a, b, c, d, ..]| u32::from_ne_bytes([*a, *b, *c, *d])).collect();
                }
                _ => {}
            }
        }
        Ok(Some(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use proptest::prelude::*;

    const SINGLE: &str = include_str!("../../captured/nexthop.hex");
    const GROUP_OF_TWO: &str = include_str!("../../captured/nexthop-group.hex");

    #[cfg(target_endian = "little")]
    #[test]
    fn an_object_has_a_link_and_a_group_has_members() {
        let read = |text| NextHopObject::parse(&message(NEW_NEXT_HOP, &bytes(text))).unwrap().unwrap();
        let gateway = Some("10.0.0.9".parse().unwrap());
        assert_eq!(read(SINGLE), NextHopObject { id: 11, interface: Some(3), gateway, members: vec![] });
        let group = NextHopObject { id: 20, interface: None, gateway: None, members: vec![11, 12] };
        assert_eq!(read(GROUP_OF_TWO), group);
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(NextHopObject::parse(&message(24, &[0; 32])), Ok(None));
        assert!(NextHopObject::parse(&message(NEW_NEXT_HOP, &[2, 0])).is_err());
        assert!(dump().is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            start in proptest::sample::select(vec![vec![], bytes(SINGLE), bytes(GROUP_OF_TWO)]),
            payload in proptest::collection::vec(any::<u8>(), 0..100),
            cut in 0..100_usize,
        ) {
            let mut bytes = start;
            bytes.truncate(cut);
            bytes.extend(payload);
            let _ = NextHopObject::parse(&message(NEW_NEXT_HOP, &bytes));
        }
    }
}
