//! Sets, and maps from keys to verdicts.

use super::{CREATE, EXCLUSIVE, kind, name_in, put_u32, request};
use crate::DecodeError;
use crate::attribute::AttributeWriter;
use crate::message::{DUMP, Message, Request};

/// What the keys of a set are: the number by which the program `nft` knows the type, and their length in octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// Interface indexes, in host order.
    InterfaceIndex,
    /// IPv4 addresses.
    Ipv4Address,
    /// IPv6 addresses.
    Ipv6Address,
}

impl Key {
    const fn number(self) -> u32 {
        match self {
            Self::InterfaceIndex => 20,
            Self::Ipv4Address => 7,
            Self::Ipv6Address => 8,
        }
    }

    const fn len(self) -> u32 {
        match self {
            Self::InterfaceIndex | Self::Ipv4Address => 4,
            Self::Ipv6Address => 16,
        }
    }
}

/// A set, or a map from keys to verdicts.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
    /// The table that it is in.
    pub table: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Set<'_> {
    const TABLE: u16 = 1;
    const NAME: u16 = 2;
    const FLAGS: u16 = 3;
    const KEY_TYPE: u16 = 4;
    const KEY_LEN: u16 = 5;
    const DATA_TYPE: u16 = 6;
    const DATA_LEN: u16 = 7;
    const DESCRIPTION: u16 = 9;
    const ID: u16 = 10;
    const USERDATA: u16 = 13;
    const INTERVAL_FLAG: u32 = 4;
    const MAP_FLAG: u32 = 8;
    /// `NFT_DATA_VERDICT`.
    const VERDICT: u32 = 0xffff_ff00;

    fn request(&self, kind: u16, flags: u16) -> Request {
        let mut request = request(kind, flags);
        let _ = request
            .attribute_name(Self::TABLE, self.table.as_bytes())
            .attribute_name(Self::NAME, self.name.as_bytes());
        request
    }

    fn create(&self, key: Key, flags: u32, id: u32) -> Request {
        let mut request = self.request(kind::NEW_SET, CREATE | EXCLUSIVE);
        put_u32(&mut request, Self::FLAGS, flags);
        put_u32(&mut request, Self::KEY_TYPE, key.number());
        put_u32(&mut request, Self::KEY_LEN, key.len());
        // Rules of the same batch find a set by its number or its name; each set of a batch needs its own number.
        put_u32(&mut request, Self::ID, id);
        // How `nft` prints keys: the order of their bytes, 1 is the host's, 2 the network's.
        let order = if key == Key::InterfaceIndex { 1_u32 } else { 2 };
        let [o0, o1, o2, o3] = order.to_ne_bytes();
        let _ = request.attribute(Self::USERDATA, &[0, 4, o0, o1, o2, o3]);
        request
    }

    /// Makes a set of single keys, at most `most`. `id` is any number that no other set of the batch has.
    #[must_use]
    pub fn create_plain(&self, key: Key, most: u32, id: u32) -> Request {
        let mut request = self.create(key, 0, id);
        Self::bound(&mut request, most);
        request
    }

    /// With a bound the kernel takes a hash table of fixed size, which is faster than one that grows.
    fn bound(request: &mut Request, most: u32) {
        const SIZE: u16 = 1;
        let _ = request.attribute_nested(Self::DESCRIPTION, |inner| put_u32(inner, SIZE, most));
    }

    /// Makes a set of ranges of keys, which must not overlap.
    #[must_use]
    pub fn create_interval(&self, key: Key, id: u32) -> Request {
        self.create(key, Self::INTERVAL_FLAG, id)
    }

    /// Makes a map from keys to verdicts, at most `most`.
    #[must_use]
    pub fn create_verdict_map(&self, key: Key, most: u32, id: u32) -> Request {
        let mut request = self.create(key, Self::MAP_FLAG, id);
        put_u32(&mut request, Self::DATA_TYPE, Self::VERDICT);
        put_u32(&mut request, Self::DATA_LEN, 0);
        Self::bound(&mut request, most);
        request
    }

    /// Takes the set away; `EBUSY` while a rule uses it.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(kind::DELETE_SET, 0)
    }

    /// Asks for the sets of a table.
    #[must_use]
    pub fn dump(table: &str) -> Request {
        let mut request = request(kind::GET_SET, DUMP);
        let _ = request.attribute_name(Self::TABLE, table.as_bytes());
        request
    }

    /// Reads the name of a set from a message; `None` if it is about something else, or about another table.
    pub fn parse_name(message: &Message<'_>, table: &str) -> Result<Option<String>, DecodeError> {
        name_in(message, kind::NEW_SET, table, Self::NAME)
    }
}
