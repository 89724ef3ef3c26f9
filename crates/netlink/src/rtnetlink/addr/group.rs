//! Multicast groups that links have joined, and anycast addresses that they answer to.

use super::FIXED_LEN;
use crate::DecodeError;
use crate::message::{DUMP, Message, Request};
use std::net::IpAddr;

/// What a table lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `RTM_GETMULTICAST`: groups, IPv4 from Linux 6.14.
    Multicast,
    /// `RTM_GETANYCAST`: IPv6 alone.
    Anycast,
}

impl Kind {
    const fn request(self) -> u16 {
        match self {
            Self::Multicast => 58,
            Self::Anycast => 62,
        }
    }

    /// Dumps answer with the number of the request or, as announcements do, with that of a new row.
    const fn is_row(self, kind: u16) -> bool {
        kind == self.request() || kind == self.request() - 2
    }

    const fn attribute(self) -> u16 {
        match self {
            Self::Multicast => 7,
            Self::Anycast => 5,
        }
    }
}

/// One address that a link listens to beside its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Member {
    /// The link.
    pub index: u32,
    /// The group, or the anycast address.
    pub address: IpAddr,
}

/// A request for the table of `family` on one link, or on all with index 0.
#[must_use]
pub fn dump(kind: Kind, family: u8, index: u32) -> Request {
    let [i0, i1, i2, i3] = index.to_ne_bytes();
    Request::new(kind.request(), DUMP, &[family, 0, 0, 0, i0, i1, i2, i3])
}

impl Member {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(kind: Kind, message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if !kind.is_row(message.header.kind) {
            return Ok(None);
        }
        let (&[.., i0, i1, i2, i3], attributes) = message.split::<FIXED_LEN>("ifaddrmsg")?;
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == kind.attribute() {
                let address = match attribute.payload.len() {
                    4 => IpAddr::V4(attribute.ipv4()?),
                    _ => IpAddr::V6(attribute.ipv6()?),
                };
                return Ok(Some(Self { index, address }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeWriter;
    use crate::captured::message;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn payload(attribute: u16, address: &[u8]) -> Vec<u8> {
        let mut payload = vec![10, 128, 0, 0];
        payload.extend(3_u32.to_ne_bytes());
        let _ = payload.attribute(attribute, address);
        payload
    }

    #[test]
    fn a_row_of_each_table_is_read_and_nothing_else() {
        let group: Ipv6Addr = "ff02::1".parse().unwrap();
        let bytes = payload(7, &group.octets());
        let row = Member { index: 3, address: group.into() };
        for number in [56, 58] {
            assert_eq!(Member::parse(Kind::Multicast, &message(number, &bytes)), Ok(Some(row)));
        }
        assert_eq!(Member::parse(Kind::Anycast, &message(58, &bytes)), Ok(None));
        assert_eq!(Member::parse(Kind::Anycast, &message(62, &bytes)), Ok(None), "no such attribute");
        let bytes = payload(7, &[224, 0, 0, 1]);
        let row = Member::parse(Kind::Multicast, &message(58, &bytes)).unwrap().unwrap();
        assert_eq!(row.address, IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)));
        assert!(dump(Kind::Anycast, 10, 3).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Member::parse(Kind::Multicast, &message(58, &payload));
            let _ = Member::parse(Kind::Anycast, &message(62, &payload));
        }
    }
}
