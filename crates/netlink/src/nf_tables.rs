//! Packet filter rules and sets (`NETLINK_NETFILTER`, `include/uapi/linux/netfilter/nf_tables.h`).
//!
//! Changes are sent as one [`Batch`], which the kernel applies whole or not at all. Everything here belongs to the
//! `inet` family, whose chains see IPv4 and IPv6. Unlike the rest of netlink, numbers are in network order.
//!
//! ```text
//!  0        1        2                 4
//!  +--------+--------+-----------------+ - - - -
//!  | family |version | resource (BE)   | NFTA_*          every message, after the netlink header
//!  +--------+--------+-----------------+ - - - -
//! ```

mod batch;
mod element;
mod expression;
mod set;

pub use batch::Batch;
pub use element::{Element, Elements, Range};
pub use expression::{AddressType, Comparison, Expressions, Fib, Meta, Register, Verdict};
pub use set::{Key, Set};

use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter};
use crate::message::{ACK, DUMP, Message, Request};

/// `NLM_F_CREATE`, beside a message that may find its object there.
const CREATE: u16 = 0x400;
/// `NLM_F_EXCL`: the object must not exist.
const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_APPEND`: a rule goes to the end of its chain.
const APPEND: u16 = 0x800;

/// The upper byte of each message type (`NFNL_SUBSYS_NFTABLES`).
const SUBSYSTEM: u16 = 10 << 8;
/// `NFPROTO_INET`.
const INET: u8 = 1;

/// Message types, without the subsystem (`NFT_MSG_*`).
mod kind {
    pub(super) const NEW_TABLE: u16 = 0;
    pub(super) const GET_TABLE: u16 = 1;
    pub(super) const DELETE_TABLE: u16 = 2;
    pub(super) const NEW_CHAIN: u16 = 3;
    pub(super) const GET_CHAIN: u16 = 4;
    pub(super) const DELETE_CHAIN: u16 = 5;
    pub(super) const NEW_RULE: u16 = 6;
    pub(super) const GET_RULE: u16 = 7;
    pub(super) const DELETE_RULE: u16 = 8;
    pub(super) const NEW_SET: u16 = 9;
    pub(super) const GET_SET: u16 = 10;
    pub(super) const DELETE_SET: u16 = 11;
    pub(super) const NEW_ELEMENT: u16 = 12;
    pub(super) const GET_ELEMENT: u16 = 13;
    pub(super) const DELETE_ELEMENT: u16 = 14;
    pub(super) const NEW_GENERATION: u16 = 15;
    pub(super) const GET_GENERATION: u16 = 16;
}

fn request(kind: u16, flags: u16) -> Request {
    Request::new(SUBSYSTEM | kind, flags, &[INET, 0, 0, 0])
}

fn is(message: &Message<'_>, kind: u16) -> bool {
    message.header.kind == SUBSYSTEM | kind
}

/// Appends 32 bits in network order.
fn put_u32(writer: &mut impl AttributeWriter, kind: u16, value: u32) {
    let _ = writer.attribute(kind, &value.to_be_bytes());
}

fn be_u32(attribute: &Attribute<'_>) -> Result<u32, DecodeError> {
    Ok(u32::from_be_bytes(attribute.array()?))
}

fn text(attribute: &Attribute<'_>) -> String {
    String::from_utf8_lossy(attribute.c_bytes()).into_owned()
}

/// A note in user data, as the program `nft` shows it: type 0, length, text, NUL. Longer notes than 254 bytes are cut.
fn comment(note: &str) -> Vec<u8> {
    let mut end = note.len().min(254);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    let note = note.get(..end).unwrap_or_default().as_bytes();
    let mut data = vec![0, u8::try_from(note.len() + 1).unwrap_or(u8::MAX)];
    data.extend_from_slice(note);
    data.push(0);
    data
}

/// The note in user data, if there is one.
fn read_comment(mut data: &[u8]) -> Option<String> {
    while let [kind, len, rest @ ..] = data {
        let value = rest.get(..usize::from(*len))?;
        if *kind == 0 {
            let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
            return Some(String::from_utf8_lossy(value).into_owned());
        }
        data = rest.get(usize::from(*len)..)?;
    }
    None
}

/// The name of an object of `table`, if the message is about one of this kind.
fn name_in(
    message: &Message<'_>,
    kind: u16,
    table: &str,
    attribute: u16,
) -> Result<Option<String>, DecodeError> {
    // The table is the first attribute of sets and of chains.
    const TABLE: u16 = 1;
    if !is(message, kind) {
        return Ok(None);
    }
    let (_, attributes) = message.split::<4>("nfgenmsg")?;
    let mut name = None;
    for found in attributes {
        let found = found?;
        if found.kind == TABLE && found.c_bytes() != table.as_bytes() {
            return Ok(None);
        }
        if found.kind == attribute {
            name = Some(text(&found));
        }
    }
    Ok(name)
}

/// `NFNLGRP_NFTABLES`: the number of the multicast group that announces changes of the rule set, to administrators.
pub const CHANGES: u32 = 7;

/// Whether an announcement is about `table` or something in it.
pub fn is_about_table(message: &Message<'_>, table: &str) -> Result<bool, DecodeError> {
    is_about(message, |name| name == table.as_bytes())
}

/// Whether an announcement is about a table whose name begins with `prefix`, or something in it.
pub fn is_about_tables(message: &Message<'_>, prefix: &str) -> Result<bool, DecodeError> {
    is_about(message, |name| name.starts_with(prefix.as_bytes()))
}

fn is_about(message: &Message<'_>, is_meant: impl Fn(&[u8]) -> bool) -> Result<bool, DecodeError> {
    // The table is the first attribute of everything but of a generation.
    const TABLE: u16 = 1;
    if message.header.kind & 0xff00 != SUBSYSTEM || is(message, kind::NEW_GENERATION) {
        return Ok(false);
    }
    let (_, attributes) = message.split::<4>("nfgenmsg")?;
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == TABLE {
            return Ok(is_meant(attribute.c_bytes()));
        }
    }
    Ok(false)
}

/// The number of the rule set's state (`NFT_MSG_GETGEN`): another number, another state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Generation(pub u32);

impl Generation {
    /// A request for it.
    #[must_use]
    pub fn get() -> Request {
        Request::new(SUBSYSTEM | kind::GET_GENERATION, ACK, &[0, 0, 0, 0])
    }

    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        const ID: u16 = 1;
        if !is(message, kind::NEW_GENERATION) {
            return Ok(None);
        }
        let (_, attributes) = message.split::<4>("nfgenmsg")?;
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == ID {
                return be_u32(&attribute).map(|id| Some(Self(id)));
            }
        }
        Ok(None)
    }
}

/// The program that changed the rule set, as the announcement of the new generation names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Author {
    /// Its process.
    pub process: u32,
    /// The process' name, at most 15 octets.
    pub name: String,
}

impl Author {
    /// Reads a message; `None` if it is about something else, or names nobody.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        const PROCESS: u16 = 2;
        const NAME: u16 = 3;
        if !is(message, kind::NEW_GENERATION) {
            return Ok(None);
        }
        let (_, attributes) = message.split::<4>("nfgenmsg")?;
        let (mut process, mut name) = (None, String::new());
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                PROCESS => process = Some(be_u32(&attribute)?),
                NAME => name = text(&attribute),
                _ => {}
            }
        }
        Ok(process.map(|process| Self { process, name }))
    }
}

/// A table of the `inet` family.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// A note for people, and for the next reader.
    pub comment: Option<String>,
    /// Only the socket that makes it may change it, and it vanishes with that socket (`NFT_TABLE_F_OWNER`).
    pub owned: bool,
}

impl Table {
    const NAME: u16 = 1;
    const FLAGS: u16 = 2;
    const USERDATA: u16 = 6;
    const OWNER_FLAG: u32 = 2;

    /// Makes the table; `EEXIST` if it is there.
    #[must_use]
    pub fn create(&self) -> Request {
        let mut request = request(kind::NEW_TABLE, CREATE | EXCLUSIVE);
        let _ = request.attribute_name(Self::NAME, self.name.as_bytes());
        put_u32(&mut request, Self::FLAGS, if self.owned { Self::OWNER_FLAG } else { 0 });
        if let Some(note) = &self.comment {
            let _ = request.attribute(Self::USERDATA, &comment(note));
        }
        request
    }

    /// Takes the table away with all that is in it.
    #[must_use]
    pub fn delete(name: &str) -> Request {
        let mut request = request(kind::DELETE_TABLE, 0);
        let _ = request.attribute_name(Self::NAME, name.as_bytes());
        request
    }

    /// Asks for the table; `ENOENT` if there is none.
    #[must_use]
    pub fn get(name: &str) -> Request {
        let mut request = request(kind::GET_TABLE, ACK);
        let _ = request.attribute_name(Self::NAME, name.as_bytes());
        request
    }

    /// Asks for the tables of the `inet` family.
    #[must_use]
    pub fn dump() -> Request {
        request(kind::GET_TABLE, DUMP)
    }

    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if !is(message, kind::NEW_TABLE) {
            return Ok(None);
        }
        let (_, attributes) = message.split::<4>("nfgenmsg")?;
        let mut table = Self { name: String::new(), comment: None, owned: false };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                Self::NAME => table.name = text(&attribute),
                Self::FLAGS => table.owned = be_u32(&attribute)? & Self::OWNER_FLAG != 0,
                Self::USERDATA => table.comment = read_comment(attribute.payload),
                _ => {}
            }
        }
        Ok(Some(table))
    }
}

/// Where packets pass a chain (`NF_INET_*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hook {
    /// Come in, before anything is decided.
    Prerouting = 0,
    /// For this host.
    Input = 1,
    /// For others, through this host.
    Forward = 2,
    /// From this host.
    Output = 3,
}

/// A list of rules.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// The table that it is in.
    pub table: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Chain<'_> {
    const TABLE: u16 = 1;
    const NAME: u16 = 3;
    const HOOK: u16 = 4;
    const POLICY: u16 = 5;
    const TYPE: u16 = 7;
    const ACCEPT: u32 = 1;

    fn request(&self, kind: u16, flags: u16) -> Request {
        let mut request = request(kind, flags);
        let _ = request
            .attribute_name(Self::TABLE, self.table.as_bytes())
            .attribute_name(Self::NAME, self.name.as_bytes());
        request
    }

    /// Makes a chain that packets reach by a jump.
    #[must_use]
    pub fn create(&self) -> Request {
        self.request(kind::NEW_CHAIN, CREATE)
    }

    /// Makes a filter chain that packets pass at `hook`, lower priorities first; what no rule refuses is accepted.
    #[must_use]
    pub fn create_at(&self, hook: Hook, priority: i32) -> Request {
        const NUMBER: u16 = 1;
        const PRIORITY: u16 = 2;
        let mut request = self.request(kind::NEW_CHAIN, CREATE);
        let _ = request.attribute_name(Self::TYPE, b"filter").attribute_nested(Self::HOOK, |inner| {
            put_u32(inner, NUMBER, hook as u32);
            let _ = inner.attribute(PRIORITY, &priority.to_be_bytes());
        });
        put_u32(&mut request, Self::POLICY, Self::ACCEPT);
        request
    }

    /// Takes the chain away; `EBUSY` while something jumps to it.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(kind::DELETE_CHAIN, 0)
    }

    /// Asks for the chains of all tables.
    #[must_use]
    pub fn dump() -> Request {
        request(kind::GET_CHAIN, DUMP)
    }

    /// Reads the name of a chain from a message; `None` if it is about something else, or about another table.
    pub fn parse_name(message: &Message<'_>, table: &str) -> Result<Option<String>, DecodeError> {
        name_in(message, kind::NEW_CHAIN, table, Self::NAME)
    }

    /// Takes all rules of the chain away.
    #[must_use]
    pub fn flush(&self) -> Request {
        const RULE_CHAIN: u16 = 2;
        let mut request = request(kind::DELETE_RULE, 0);
        let _ = request
            .attribute_name(Self::TABLE, self.table.as_bytes())
            .attribute_name(RULE_CHAIN, self.name.as_bytes());
        request
    }
}

/// A rule as a dump names it: whose it is and what it says of itself.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rule {
    /// The chain that it is in.
    pub chain: String,
    /// A note for people.
    pub comment: Option<String>,
}

impl Rule {
    const TABLE: u16 = 1;
    const CHAIN: u16 = 2;
    const EXPRESSIONS: u16 = 4;
    const USERDATA: u16 = 7;

    /// Appends a rule with a `note` for people to a chain.
    #[must_use]
    pub fn append(chain: Chain<'_>, expressions: &Expressions, note: &str) -> Request {
        let mut request = request(kind::NEW_RULE, CREATE | APPEND);
        let _ = request
            .attribute_name(Self::TABLE, chain.table.as_bytes())
            .attribute_name(Self::CHAIN, chain.name.as_bytes())
            .attribute_nested(Self::EXPRESSIONS, |inner| {
                inner.buffer().extend_from_slice(expressions.bytes())
            });
        let _ = request.attribute(Self::USERDATA, &comment(note));
        request
    }

    /// Asks for the rules of a table.
    #[must_use]
    pub fn dump(table: &str) -> Request {
        let mut request = request(kind::GET_RULE, DUMP);
        let _ = request.attribute_name(Self::TABLE, table.as_bytes());
        request
    }

    /// Reads a message; `None` if it is about something else, or about another table.
    pub fn parse(message: &Message<'_>, table: &str) -> Result<Option<Self>, DecodeError> {
        if !is(message, kind::NEW_RULE) {
            return Ok(None);
        }
        let (_, attributes) = message.split::<4>("nfgenmsg")?;
        let mut rule = Self { chain: String::new(), comment: None };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                Self::TABLE if attribute.c_bytes() != table.as_bytes() => return Ok(None),
                Self::CHAIN => rule.chain = text(&attribute),
                Self::USERDATA => rule.comment = read_comment(attribute.payload),
                _ => {}
            }
        }
        Ok(Some(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;
    use proptest::prelude::*;

    fn read<T>(mut request: Request, parse: impl Fn(&Message<'_>) -> T) -> T {
        let bytes = request.finish(1).to_vec();
        parse(&Messages::new(&bytes).next().unwrap().unwrap())
    }

    #[test]
    fn a_table_reads_back() {
        let table = Table { name: "iphelper".into(), comment: Some("layout 1".into()), owned: true };
        assert_eq!(read(table.create(), Table::parse), Ok(Some(table.clone())));
        let plain = Table { comment: None, owned: false, ..table };
        assert_eq!(read(plain.create(), Table::parse), Ok(Some(plain.clone())));
        assert_eq!(read(plain.create(), Generation::parse), Ok(None));
    }

    #[test]
    fn a_rule_tells_its_note_and_only_of_its_table() {
        let chain = Chain { table: "iphelper", name: "output" };
        let rule = || Rule::append(chain, &Expressions::new().verdict(Verdict::Return), "why");
        let expected = Rule { chain: "output".into(), comment: Some("why".into()) };
        assert_eq!(read(rule(), |message| Rule::parse(message, "iphelper")), Ok(Some(expected)));
        assert_eq!(read(rule(), |message| Rule::parse(message, "other")), Ok(None));
    }

    #[test]
    fn announcements_name_their_table() {
        let chain = Chain { table: "iphelper", name: "output" };
        let set = Set { table: "iphelper", name: "ddr4" };
        for request in [Table::delete("iphelper"), chain.flush(), set.delete(), chain.delete()] {
            assert_eq!(read(request.clone(), |message| is_about_table(message, "iphelper")), Ok(true));
            assert_eq!(read(request.clone(), |message| is_about_table(message, "iphelper-lock")), Ok(false));
            assert_eq!(read(request.clone(), |message| is_about_tables(message, "iph")), Ok(true));
            assert_eq!(read(request, |message| is_about_tables(message, "iphelper-")), Ok(false));
        }
        assert_eq!(read(Generation::get(), |message| is_about_table(message, "iphelper")), Ok(false));
    }

    #[test]
    fn a_generation_names_its_author() {
        let mut request = Request::new(SUBSYSTEM | kind::NEW_GENERATION, 0, &[0, 0, 0, 0]);
        put_u32(&mut request, 1, 7);
        assert_eq!(read(request.clone(), Author::parse), Ok(None));
        put_u32(&mut request, 2, 4711);
        let _ = request.attribute_name(3, b"nft");
        let author = Author { process: 4711, name: "nft".to_owned() };
        assert_eq!(read(request, Author::parse), Ok(Some(author)));
        assert_eq!(read(Table::delete("nft"), Author::parse), Ok(None));
    }

    #[test]
    fn a_set_tells_its_name() {
        let set = Set { table: "iphelper", name: "ddr4" };
        let request = || set.create_verdict_map(Key::InterfaceIndex, 16, 1);
        assert_eq!(read(request(), |m| Set::parse_name(m, "iphelper")), Ok(Some("ddr4".to_owned())));
        assert_eq!(read(request(), |m| Set::parse_name(m, "other")), Ok(None));
        let chain = Chain { table: "iphelper", name: "output" };
        let request = || chain.create_at(Hook::Output, 400);
        assert_eq!(read(request(), |m| Chain::parse_name(m, "iphelper")), Ok(Some("output".to_owned())));
        assert_eq!(read(request(), |m| Set::parse_name(m, "iphelper")), Ok(None));
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let note = "é".repeat(200);
        let data = comment(&note);
        assert_eq!(read_comment(&data), Some("é".repeat(127)));
        assert_eq!(read_comment(&[1, 2, 9, 9, 0, 3, b'a', b'b', 0]), Some("ab".to_owned()));
        assert_eq!(read_comment(&[0, 9, 1]), None, "a length past the end");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            kind in 0..20_u16,
            payload in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut request = Request::new(SUBSYSTEM | kind, 0, &payload);
            let bytes = request.finish(1).to_vec();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            let _ = (Generation::parse(&message), Author::parse(&message), Table::parse(&message));
            let _ = (Rule::parse(&message, "t"), Set::parse_name(&message, "t"), Chain::parse_name(&message, "t"));
            let mut count = 0;
            let _ = Elements::parse(&message, |_| count += 1);
        }
    }
}
