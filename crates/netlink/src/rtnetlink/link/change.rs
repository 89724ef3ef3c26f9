//! Changes of a link (`RTM_SETLINK`).
//!
//! The kernel checks the form of all attributes of one message before it applies the first, but does not take the
//! first back when a later one fails. So each request here changes one thing.

use crate::attribute::AttributeWriter;
use crate::message::{ACK, Request};
use std::net::Ipv6Addr;

/// `RTM_SETLINK`: changes a link.
pub const SET_LINK: u16 = 19;

const MTU: u16 = 4;
const AF_SPEC: u16 = 26;
/// `AF_INET` and `AF_INET6` as attribute types inside [`AF_SPEC`].
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const INET_CONF: u16 = 1;
const INET6_TOKEN: u16 = 7;

/// Sets those [`flag`](super::flag)s of the link that are in `mask`.
#[must_use]
pub fn set_flags(index: u32, flags: u32, mask: u32) -> Request {
    // struct ifinfomsg.
    let words = [0, index, flags, mask].map(u32::to_ne_bytes);
    Request::new(SET_LINK, ACK, words.as_flattened())
}

/// Sets the MTU of the link, in octets. The kernel sets the MTU of its IPv6 part to the same value.
#[must_use]
pub fn set_mtu(index: u32, mtu: u32) -> Request {
    let mut request = change(index);
    let _ = request.attribute_u32(MTU, mtu);
    request
}

/// Sets the interface identifier of addresses made from advertised prefixes, one token after the other; `::` clears it.
///
/// A token other than `::` makes the kernel solicit routers at once if the link has a link-local address; addresses
/// made with an earlier token end.
#[must_use]
pub fn set_tokens(index: u32, tokens: &[Ipv6Addr]) -> Request {
    let mut request = change(index);
    let _ = request.attribute_nested(AF_SPEC, |families| {
        for token in tokens {
            let _ = families.attribute_nested(AF_INET6, |inet6| {
                let _ = inet6.attribute(INET6_TOKEN, &token.octets());
            });
        }
    });
    request
}

/// Changes nothing, and makes the kernel announce the link (`RTM_NEWLINK`) if it is up.
///
/// An empty IPv4 part is enough for that; the link must have one.
#[must_use]
pub fn announce(index: u32) -> Request {
    let mut request = change(index);
    let _ = request.attribute_nested(AF_SPEC, |families| {
        let _ = families.attribute_nested(AF_INET, |_| {});
    });
    request
}

/// Sets a member of the link's IPv4 configuration, see [`devconf4`](super::devconf4), and announces the link.
#[must_use]
pub fn set_ipv4_configuration(index: u32, member: usize, value: u32) -> Request {
    let mut request = change(index);
    let _ = request.attribute_nested(AF_SPEC, |families| {
        let _ = families.attribute_nested(AF_INET, |inet| {
            let _ = inet.attribute_nested(INET_CONF, |members| {
                let _ = members.attribute_u32(u16::try_from(member).unwrap_or(u16::MAX), value);
            });
        });
    });
    request
}

/// A change of the link with this index, empty as yet.
fn change(index: u32) -> Request {
    set_flags(index, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Attribute;
    use crate::message::Messages;

    fn attributes(request: &mut Request) -> (u32, Vec<(u16, Vec<u8>)>) {
        let bytes = request.finish(1).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(message.header.kind, SET_LINK);
        let (fixed, attributes) = message.split::<16>("ifinfomsg").unwrap();
        let index = u32::from_ne_bytes(fixed[4..8].try_into().unwrap());
        (index, attributes.map(Result::unwrap).map(|a| (a.kind, a.payload.to_vec())).collect())
    }

    #[test]
    fn flags_are_set_where_the_mask_says() {
        let bytes = set_flags(7, 1, 0x81).finish(1).to_vec();
        let sent = Messages::new(&bytes).next().unwrap().unwrap();
        let (fixed, _) = sent.split::<16>("ifinfomsg").unwrap();
        let word = |start: usize| u32::from_ne_bytes(fixed[start..start + 4].try_into().unwrap());
        assert_eq!((sent.header.kind, [0, 4, 8, 12].map(word)), (SET_LINK, [0, 7, 1, 0x81]));
    }

    #[test]
    fn an_mtu_is_one_attribute() {
        assert_eq!(attributes(&mut set_mtu(7, 1400)), (7, vec![(MTU, 1400_u32.to_ne_bytes().to_vec())]));
    }

    #[test]
    fn tokens_stand_in_their_order() {
        let tokens = ["::1".parse().unwrap(), Ipv6Addr::UNSPECIFIED];
        let (_, top) = attributes(&mut set_tokens(7, &tokens));
        let families = Attribute { kind: AF_SPEC, payload: &top[0].1 };
        let read: Vec<_> = families
            .nested()
            .map(|family| family.unwrap().nested().next().unwrap().unwrap().ipv6().unwrap())
            .collect();
        assert_eq!(read, tokens);
    }

    #[test]
    fn an_announcement_carries_no_value() {
        let (_, top) = attributes(&mut announce(7));
        let families = Attribute { kind: AF_SPEC, payload: &top[0].1 };
        let inner: Vec<_> = families.nested().map(Result::unwrap).collect();
        assert_eq!(inner, [Attribute { kind: AF_INET, payload: &[] }]);
    }
}
