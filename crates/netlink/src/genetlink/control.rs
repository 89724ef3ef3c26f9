//! The families of generic netlink, by name (`nlctrl`).

use super::{answer, request};
use crate::DecodeError;
use crate::message::{DUMP, Message, Request};

/// The family `nlctrl`, the only one whose number is fixed (`GENL_ID_CTRL`).
const FAMILY: u16 = 16;
const VERSION: u8 = 2;

const NEW_FAMILY: u8 = 1;
const GET_FAMILY: u8 = 3;

const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
const MULTICAST_GROUPS: u16 = 7;

const GROUP_NAME: u16 = 1;
const GROUP_ID: u16 = 2;

/// A request for all families that are there.
///
/// A request for one family by name would make the kernel load a module for a name that it does not know
/// (`net/netlink/genetlink.c`, `ctrl_getfamily`); this one changes nothing.
#[must_use]
pub fn dump() -> Request {
    request(FAMILY, GET_FAMILY, VERSION, DUMP)
}

/// A family: its name and the number that its messages have as their type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Family<'a> {
    /// `ethtool`, `nl80211` ...
    pub name: &'a [u8],
    /// The number.
    pub id: u16,
}

impl<'a> Family<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, NEW_FAMILY)? else {
            return Ok(None);
        };
        let (mut name, mut id) = (None, None);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                FAMILY_ID => id = Some(attribute.u16()?),
                FAMILY_NAME => name = Some(attribute.c_bytes()),
                _ => {}
            }
        }
        Ok(name.zip(id).map(|(name, id)| Self { name, id }))
    }
}

/// The number of the multicast group `name` of `family`, if the message is about that family and it has such a group.
pub fn multicast_group(
    message: &Message<'_>,
    family: &[u8],
    name: &[u8],
) -> Result<Option<u32>, DecodeError> {
    let (mut is_asked, mut number) = (false, None);
    for attribute in answer(message, NEW_FAMILY)?.into_iter().flatten() {
        let attribute = attribute?;
        match attribute.kind {
            FAMILY_NAME => is_asked = attribute.c_bytes() == family,
            MULTICAST_GROUPS => {
                for group in attribute.nested() {
                    let (mut group_name, mut id) = (&[][..], None);
                    for attribute in group?.nested() {
                        let attribute = attribute?;
                        match attribute.kind {
                            GROUP_NAME => group_name = attribute.c_bytes(),
                            GROUP_ID => id = Some(attribute.u32()?),
                            _ => {}
                        }
                    }
                    number = id.filter(|_| group_name == name).or(number);
                }
            }
            _ => {}
        }
    }
    Ok(number.filter(|_| is_asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use proptest::prelude::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn a_family_is_read() {
        let payload = bytes(include_str!("../../captured/genl-ethtool.hex"));
        let family = Family::parse(&message(FAMILY, &payload));
        assert_eq!(family, Ok(Some(Family { name: b"ethtool", id: 21 })));
        let group = |family, name| multicast_group(&message(FAMILY, &payload), family, name);
        assert_eq!(group(b"ethtool", b"monitor"), Ok(Some(6)));
        assert_eq!(group(b"ethtool", b"events"), Ok(None));
        assert_eq!(group(b"nl80211", b"monitor"), Ok(None));
    }

    #[test]
    fn half_a_family_is_nothing_and_a_short_message_an_error() {
        assert_eq!(Family::parse(&message(FAMILY, &[NEW_FAMILY, 2, 0, 0])), Ok(None));
        assert_eq!(Family::parse(&message(FAMILY, &[2, 2, 0, 0])), Ok(None));
        assert!(Family::parse(&message(FAMILY, &[NEW_FAMILY])).is_err());
        assert!(dump().is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(mut payload in proptest::collection::vec(any::<u8>(), 1..200)) {
            payload[0] = NEW_FAMILY;
            let _ = Family::parse(&message(FAMILY, &payload));
            let _ = multicast_group(&message(FAMILY, &payload), b"ethtool", b"monitor");
        }
    }
}
