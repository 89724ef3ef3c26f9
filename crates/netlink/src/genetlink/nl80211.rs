//! Which links are Wi-Fi (`nl80211`): the link itself says Ethernet.

use super::{answer, request};
use crate::DecodeError;
use crate::message::{DUMP, Message, Request};

/// The family's name.
pub const NAME: &[u8] = b"nl80211";

const GET_INTERFACE: u8 = 5;
const NEW_INTERFACE: u8 = 7;

const IFINDEX: u16 = 3;

/// A request for all Wi-Fi links of the namespace.
#[must_use]
pub fn dump(family: u16) -> Request {
    request(family, GET_INTERFACE, 0, DUMP)
}

/// The index of a Wi-Fi link; `None` if the message is about something else, or about a device without a link (P2P).
pub fn index(message: &Message<'_>) -> Result<Option<u32>, DecodeError> {
    for attribute in answer(message, NEW_INTERFACE)?.into_iter().flatten() {
        let attribute = attribute?;
        if attribute.kind == IFINDEX {
            return attribute.u32().map(Some);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeWriter;
    use crate::captured::message;
    use proptest::prelude::*;

    #[test]
    fn the_index_is_read() {
        let mut payload = vec![NEW_INTERFACE, 1, 0, 0];
        assert_eq!(index(&message(30, &payload)), Ok(None));
        let _ = payload.attribute_u32(1, 0).attribute_u32(IFINDEX, 3).attribute_name(4, b"wlan0");
        assert_eq!(index(&message(30, &payload)), Ok(Some(3)));
        payload[0] = 2;
        assert_eq!(index(&message(30, &payload)), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(mut payload in proptest::collection::vec(any::<u8>(), 1..200)) {
            payload[0] = NEW_INTERFACE;
            let _ = index(&message(30, &payload));
        }
    }
}
