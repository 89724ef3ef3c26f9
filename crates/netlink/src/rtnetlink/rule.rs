//! Rules that choose a routing table (`struct fib_rule_hdr`, `FRA_*`).
//!
//! ```text
//!  0        1        2        3        4        5        6        7        8                 12
//!  +--------+--------+--------+--------+--------+-----------------+--------+-----------------+ - - - -
//!  | family |dst len |src len |  tos   | table  |    reserved     | action | flags           | FRA_*
//!  +--------+--------+--------+--------+--------+-----------------+--------+-----------------+ - - - -
//! ```

mod whole;

use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter};
use crate::message::{ACK, DUMP, Message, Request};
use std::net::IpAddr;
pub use whole::{Selectors, WholeRule};

/// `RTM_NEWRULE`: a rule that is there, or is to be.
pub const NEW_RULE: u16 = 32;
/// `RTM_DELRULE`: takes a rule away.
pub const DELETE_RULE: u16 = 33;
/// `RTM_GETRULE`: asks for rules.
pub const GET_RULE: u16 = 34;

const FIXED_LEN: usize = 12;
/// `NLM_F_CREATE`. Without `NLM_F_EXCL` a rule may stand twice, as it must while one sequence replaces another.
const CREATE: u16 = 0x400;

const SRC: u16 = 2;
const IIFNAME: u16 = 3;
const GOTO: u16 = 4;
const PRIORITY: u16 = 6;
const FWMARK: u16 = 10;
const FLOW: u16 = 11;
const SUPPRESS_IFGROUP: u16 = 13;
const SUPPRESS_PREFIXLEN: u16 = 14;
const TABLE: u16 = 15;
const FWMASK: u16 = 16;
const PROTOCOL: u16 = 21;

/// `FIB_RULE_INVERT`: the rule applies where its selectors do not match.
const INVERT: u32 = 2;

/// What a rule does with the packets that it applies to (`FR_ACT_*`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Looks the table up; goes on to the next rule if no route is there.
    Lookup(u32),
    /// Goes on with the first rule of this priority, or with the next rule if there is none.
    Goto(u32),
    /// Ends the search: network unreachable.
    Unreachable,
    /// Something else.
    Other(u8),
}

impl Action {
    const LOOKUP: u8 = 1;
    const GOTO: u8 = 2;
    const UNREACHABLE: u8 = 7;

    pub(super) const fn new(number: u8, table: u32, target: u32) -> Self {
        match number {
            Self::LOOKUP => Self::Lookup(table),
            Self::GOTO => Self::Goto(target),
            Self::UNREACHABLE => Self::Unreachable,
            number => Self::Other(number),
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Lookup(_) => Self::LOOKUP,
            Self::Goto(_) => Self::GOTO,
            Self::Unreachable => Self::UNREACHABLE,
            Self::Other(number) => number,
        }
    }
}

/// A rule, as far as iphelper makes such.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rule {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Its place among the rules, lower first. Of two with one priority the one made first comes first.
    pub priority: u32,
    /// Who made it.
    pub protocol: u8,
    /// What it does.
    pub action: Action,
    /// Applies to packets from this prefix alone.
    pub source: Option<(IpAddr, u8)>,
    /// Applies to packets that came in on this interface alone; `lo`: those of this host.
    pub input: Option<String>,
    /// Applies to packets without this mark alone.
    pub unless_marked: Option<u32>,
    /// Ignores routes that the table has for prefixes of at most this length.
    pub suppress_prefix_len: Option<u32>,
}

impl Rule {
    /// Adds the rule behind those of the same priority.
    #[must_use]
    pub fn create(&self) -> Request {
        self.request(NEW_RULE, CREATE | ACK)
    }

    /// Takes the first rule like this one away; `ENOENT` if there is none.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(DELETE_RULE, ACK)
    }

    /// Asks for the rules of a family; `EOPNOTSUPP` where the kernel has no policy rules.
    #[must_use]
    pub fn dump(family: u8) -> Request {
        let mut fixed = [0; FIXED_LEN];
        fixed[0] = family;
        Request::new(GET_RULE, DUMP, &fixed)
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let source_len = self.source.map_or(0, |(_, len)| len);
        let invert = if self.unless_marked.is_some() { INVERT } else { 0 };
        let [f0, f1, f2, f3] = invert.to_ne_bytes();
        let fixed = [self.family, 0, source_len, 0, 0, 0, 0, self.action.number(), f0, f1, f2, f3];
        let mut request = Request::new(kind, flags, &fixed);
        let _ = request.attribute_u32(PRIORITY, self.priority).attribute_u8(PROTOCOL, self.protocol);
        match self.source {
            Some((IpAddr::V4(address), _)) => drop(request.attribute(SRC, &address.octets())),
            Some((IpAddr::V6(address), _)) => drop(request.attribute(SRC, &address.octets())),
            None => {}
        }
        if let Some(name) = &self.input {
            let _ = request.attribute_name(IIFNAME, name.as_bytes());
        }
        if let Some(mark) = self.unless_marked {
            let _ = request.attribute_u32(FWMARK, mark).attribute_u32(FWMASK, u32::MAX);
        }
        match self.action {
            Action::Lookup(table) => drop(request.attribute_u32(TABLE, table)),
            Action::Goto(priority) => drop(request.attribute_u32(GOTO, priority)),
            Action::Unreachable | Action::Other(_) => {}
        }
        if let Some(len) = self.suppress_prefix_len {
            let _ = request.attribute_u32(SUPPRESS_PREFIXLEN, len);
        }
        request
    }

    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_RULE {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("fib_rule_hdr")?;
        let [family, _, source_len, _, table, _, _, action, f0, f1, f2, f3] = *fixed;
        let inverted = u32::from_ne_bytes([f0, f1, f2, f3]) & INVERT != 0;
        let (mut table, mut target) = (u32::from(table), 0);
        let mut rule = Self {
            family,
            priority: 0,
            protocol: 0,
            action: Action::Other(action),
            source: None,
            input: None,
            unless_marked: None,
            suppress_prefix_len: None,
        };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                PRIORITY => rule.priority = attribute.u32()?,
                PROTOCOL => rule.protocol = attribute.u8()?,
                SRC => rule.source = Some((address(family, &attribute)?, source_len)),
                IIFNAME => rule.input = Some(String::from_utf8_lossy(attribute.c_bytes()).into_owned()),
                FWMARK if inverted => rule.unless_marked = Some(attribute.u32()?),
                TABLE => table = attribute.u32()?,
                GOTO => target = attribute.u32()?,
                // -1 is none.
                SUPPRESS_PREFIXLEN => rule.suppress_prefix_len = u32::try_from(attribute.i32()?).ok(),
                _ => {}
            }
        }
        rule.action = Action::new(action, table, target);
        Ok(Some(rule))
    }
}

/// Who made the rule that an announcement is about (`FRA_PROTOCOL`); `None` if it is about something else, or tells
/// nobody.
pub fn announced_protocol(message: &Message<'_>) -> Result<Option<u8>, DecodeError> {
    if !matches!(message.header.kind, NEW_RULE | DELETE_RULE) {
        return Ok(None);
    }
    let (_, attributes) = message.split::<FIXED_LEN>("fib_rule_hdr")?;
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == PROTOCOL {
            return attribute.u8().map(Some);
        }
    }
    Ok(None)
}

fn address(family: u8, attribute: &Attribute<'_>) -> Result<IpAddr, DecodeError> {
    const AF_INET: u8 = 2;
    if family == AF_INET { attribute.ipv4().map(IpAddr::V4) } else { attribute.ipv6().map(IpAddr::V6) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    fn plain() -> Rule {
        Rule {
            family: 2,
            priority: 32765,
            protocol: 105,
            action: Action::Unreachable,
            source: None,
            input: None,
            unless_marked: None,
            suppress_prefix_len: None,
        }
    }

    #[test]
    fn an_announcement_tells_who_made_the_rule() {
        for mut request in [plain().create(), plain().delete()] {
            let bytes = request.finish(1).to_vec();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            assert_eq!(announced_protocol(&message), Ok(Some(105)));
        }
        let bytes = Rule::dump(2).finish(1).to_vec();
        assert_eq!(announced_protocol(&Messages::new(&bytes).next().unwrap().unwrap()), Ok(None));
    }

    fn read_back(rule: &Rule) -> Rule {
        let mut request = rule.create();
        let bytes = request.finish(1).to_vec();
        Rule::parse(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn rules_read_back() {
        let suppress = Rule {
            action: Action::Lookup(254),
            unless_marked: Some(0x6970_6800),
            suppress_prefix_len: Some(0),
            ..plain()
        };
        let source = Rule {
            family: 10,
            action: Action::Lookup(0x8000_0002),
            source: Some(("2001:db8:1::".parse().unwrap(), 64)),
            input: Some("lo".into()),
            ..plain()
        };
        for rule in [plain(), suppress, source] {
            assert_eq!(read_back(&rule), rule);
        }
    }

    /// `ip rule add not fwmark 0x7 lookup main suppress_prefixlength 0 pref 32765 protocol 105` on Linux 6.18.
    #[cfg(target_endian = "little")]
    #[test]
    fn a_rule_of_the_kernel_is_read() {
        let payload = bytes(include_str!("../../captured/rule-inet-suppress.hex"));
        let rule = Rule::parse(&message(NEW_RULE, &payload)).unwrap().unwrap();
        let expected = Rule {
            action: Action::Lookup(254),
            unless_marked: Some(7),
            suppress_prefix_len: Some(0),
            ..plain()
        };
        assert_eq!(rule, expected);
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(Rule::parse(&message(16, &[0; 32])), Ok(None));
        assert!(Rule::parse(&message(NEW_RULE, &[2, 0, 0])).is_err());
        assert!(Rule::dump(2).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Rule::parse(&message(NEW_RULE, &payload));
        }
    }
}
