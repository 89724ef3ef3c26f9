//! Labels of IPv6 addresses, from RFC 6724's policy table (`struct ifaddrlblmsg`, `IFAL_*`).
//!
//! ```text
//!  0        1        2        3        4                 8                 12
//!  +--------+--------+--------+--------+-----------------+-----------------+ - - - -
//!  | family |reserved| length | flags  | link            | sequence        | IFAL_*
//!  +--------+--------+--------+--------+-----------------+-----------------+ - - - -
//! ```

use crate::DecodeError;
use crate::message::{DUMP, Message, Request};
use std::net::Ipv6Addr;

/// `RTM_NEWADDRLABEL`: a label that is there.
pub const NEW_ADDRESS_LABEL: u16 = 72;
/// `RTM_GETADDRLABEL`: asks for the labels.
pub const GET_ADDRESS_LABEL: u16 = 74;

const FIXED_LEN: usize = 12;
const AF_INET6: u8 = 10;
const ADDRESS: u16 = 1;
const LABEL: u16 = 2;

/// A prefix and its label.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AddressLabel {
    /// The prefix.
    pub prefix: Ipv6Addr,
    /// Its length.
    pub prefix_len: u8,
    /// The link that it is of; 0: all.
    pub interface: u32,
    /// The label.
    pub label: u32,
}

impl AddressLabel {
    /// Asks for all labels.
    #[must_use]
    pub fn dump() -> Request {
        let mut fixed = [0; FIXED_LEN];
        fixed[0] = AF_INET6;
        Request::new(GET_ADDRESS_LABEL, DUMP, &fixed)
    }

    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_ADDRESS_LABEL {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("ifaddrlblmsg")?;
        let [family, _, prefix_len, _, i0, i1, i2, i3, ..] = *fixed;
        let (mut prefix, mut label) = (Ipv6Addr::UNSPECIFIED, None);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                ADDRESS => prefix = attribute.ipv6()?,
                LABEL => label = Some(attribute.u32()?),
                _ => {}
            }
        }
        let interface = u32::from_ne_bytes([i0, i1, i2, i3]);
        let is_ipv6 = family == AF_INET6;
        Ok(label.filter(|_| is_ipv6).map(|label| Self { prefix, prefix_len, interface, label }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeWriter;
    use crate::captured::message;
    use proptest::prelude::*;

    #[test]
    fn a_label_is_read() {
        let mut payload = vec![10, 0, 96, 0];
        payload.extend(5_u32.to_ne_bytes());
        payload.extend([0; 4]);
        let prefix: Ipv6Addr = "::ffff:0:0".parse().unwrap();
        let _ = payload.attribute(ADDRESS, &prefix.octets()).attribute_u32(LABEL, 4);
        let read = AddressLabel::parse(&message(NEW_ADDRESS_LABEL, &payload)).unwrap();
        assert_eq!(read, Some(AddressLabel { prefix, prefix_len: 96, interface: 5, label: 4 }));
        assert_eq!(AddressLabel::parse(&message(16, &payload)), Ok(None));
        assert!(AddressLabel::dump().is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = AddressLabel::parse(&message(NEW_ADDRESS_LABEL, &payload));
        }
    }
}
