//! Rules of others, with all their selectors as the kernel wrote them.

use super::{
    Action, CREATE, DELETE_RULE, FIXED_LEN, FLOW, GOTO, INVERT, NEW_RULE, PRIORITY, PROTOCOL,
    SUPPRESS_IFGROUP, SUPPRESS_PREFIXLEN, TABLE,
};
use crate::DecodeError;
use crate::attribute::AttributeWriter;
use crate::message::{ACK, Message, Request};

/// Which packets a rule applies to. What this crate has no name for is kept.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Selectors {
    destination_len: u8,
    source_len: u8,
    type_of_service: u8,
    inverted: bool,
    attributes: Vec<(u16, Vec<u8>)>,
}

/// A rule, whoever made it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct WholeRule {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Its place among the rules.
    pub priority: u32,
    /// Who made it.
    pub protocol: u8,
    /// What it does.
    pub action: Action,
    /// To which packets.
    pub selectors: Selectors,
    /// Whether it ignores some of the routes of its table.
    pub suppresses: bool,
}

impl WholeRule {
    /// Adds a rule behind those of the same priority. Writes the action [`Goto`](Action::Goto) and those that need no
    /// more than their number.
    #[must_use]
    pub fn create(&self) -> Request {
        self.request(NEW_RULE, CREATE | ACK)
    }

    /// Takes the first rule like this one away; `ENOENT` if there is none.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(DELETE_RULE, ACK)
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let Selectors { destination_len, source_len, type_of_service, inverted, ref attributes } =
            self.selectors;
        let [f0, f1, f2, f3] = if inverted { INVERT } else { 0 }.to_ne_bytes();
        let action = self.action.number();
        let fixed =
            [self.family, destination_len, source_len, type_of_service, 0, 0, 0, action, f0, f1, f2, f3];
        let mut request = Request::new(kind, flags, &fixed);
        let _ = request.attribute_u32(PRIORITY, self.priority).attribute_u8(PROTOCOL, self.protocol);
        if let Action::Goto(priority) = self.action {
            let _ = request.attribute_u32(GOTO, priority);
        }
        for (kind, value) in attributes {
            let _ = request.attribute(*kind, value);
        }
        request
    }

    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_RULE {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("fib_rule_hdr")?;
        let [family, destination_len, source_len, type_of_service, table, _, _, action, f0, f1, f2, f3] =
            *fixed;
        let (mut table, mut target) = (u32::from(table), 0);
        let mut selectors = Selectors {
            destination_len,
            source_len,
            type_of_service,
            inverted: u32::from_ne_bytes([f0, f1, f2, f3]) & INVERT != 0,
            attributes: Vec::new(),
        };
        let (mut priority, mut protocol, mut suppresses) = (0, 0, false);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                PRIORITY => priority = attribute.u32()?,
                PROTOCOL => protocol = attribute.u8()?,
                TABLE => table = attribute.u32()?,
                GOTO => target = attribute.u32()?,
                // -1 is none.
                SUPPRESS_PREFIXLEN | SUPPRESS_IFGROUP => suppresses |= attribute.i32()? >= 0,
                FLOW => {}
                kind => selectors.attributes.push((kind, attribute.payload.to_vec())),
            }
        }
        let action = Action::new(action, table, target);
        Ok(Some(Self { family, priority, protocol, action, selectors, suppresses }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::message;
    use crate::message::Messages;
    use crate::rtnetlink::rule::Rule;
    use proptest::prelude::*;

    fn read_back(rule: &WholeRule) -> WholeRule {
        let mut request = rule.create();
        let bytes = request.finish(1).to_vec();
        WholeRule::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn selectors_are_carried_to_another_rule() {
        let mut other = Rule {
            family: 2,
            priority: 5210,
            protocol: 3,
            action: Action::Lookup(254),
            source: Some(("10.1.0.0".parse().unwrap(), 16)),
            input: Some("eth0".into()),
            unless_marked: Some(7),
            suppress_prefix_len: None,
        }
        .create();
        let bytes = other.finish(1).to_vec();
        let read = WholeRule::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap();
        assert_eq!((read.action, read.priority, read.suppresses), (Action::Lookup(254), 5210, false));
        let detour = WholeRule { priority: 5209, protocol: 105, action: Action::Goto(32765), ..read.clone() };
        assert_eq!(read_back(&detour), detour);
        assert_eq!(read_back(&detour).selectors, read.selectors);
        assert!(read.selectors.inverted && read.selectors.source_len == 16);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = WholeRule::parse(&message(NEW_RULE, &payload));
        }
    }
}
