//! Attributes: type, length, value, padded to four bytes (`struct nlattr`).
//!
//! ```text
//!  0         2         4                    length
//!  +---------+---------+---------------------+ - - - - +
//!  | length  |  type   |  payload            | padding |
//!  +---------+---------+---------------------+ - - - - +
//! ```
//!
//! The two upper bits of the type are flags (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`); readers take them off.

use crate::DecodeError;
use crate::message::align;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Marks an attribute that contains attributes (`NLA_F_NESTED`).
pub const NESTED: u16 = 0x8000;
/// The bits of the type that are a type (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = 0x3fff;
const HEADER_LEN: usize = 4;

/// One attribute: its type without flag bits, and its payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attribute<'a> {
    /// The attribute's type, flag bits taken off.
    pub kind: u16,
    /// The payload without padding.
    pub payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The payload as an unsigned byte.
    pub fn u8(&self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    /// The payload as 16 bits in host order.
    pub fn u16(&self) -> Result<u16, DecodeError> {
        Ok(u16::from_ne_bytes(self.array()?))
    }

    /// The payload as 32 bits in host order.
    pub fn u32(&self) -> Result<u32, DecodeError> {
        Ok(u32::from_ne_bytes(self.array()?))
    }

    /// The payload as signed 32 bits in host order.
    pub fn i32(&self) -> Result<i32, DecodeError> {
        Ok(i32::from_ne_bytes(self.array()?))
    }

    /// The payload as 64 bits in host order; the kernel does not align them.
    pub fn u64(&self) -> Result<u64, DecodeError> {
        Ok(u64::from_ne_bytes(self.array()?))
    }

    /// The payload as an IPv4 address (network order).
    pub fn ipv4(&self) -> Result<Ipv4Addr, DecodeError> {
        Ok(Ipv4Addr::from(self.array::<4>()?))
    }

    /// The payload as an IPv6 address (network order).
    pub fn ipv6(&self) -> Result<Ipv6Addr, DecodeError> {
        Ok(Ipv6Addr::from(self.array::<16>()?))
    }

    /// The payload up to its first NUL, as the kernel writes names; whatever is not UTF-8 is left to the caller.
    #[must_use]
    pub fn c_bytes(&self) -> &'a [u8] {
        self.payload.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The attributes inside this one.
    #[must_use]
    pub fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.payload)
    }

    /// The first `N` bytes. Newer kernels append to attributes, so a longer payload is right.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], DecodeError> {
        self.payload.first_chunk().copied().ok_or(DecodeError::new("attribute", N, self.payload.len()))
    }
}

/// Walks the attributes of a message or of a nested attribute.
///
/// A malformed attribute ends the walk with one error. Fewer than four bytes at the end are padding.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Reads `bytes` as a sequence of attributes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.rest.split_first_chunk::<HEADER_LEN>()?;
        let [l0, l1, t0, t1] = *header;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let available = self.rest.len();
        let Some(payload) = self.rest.get(HEADER_LEN..len) else {
            self.rest = &[];
            return Some(Err(DecodeError::new("attribute", len.max(HEADER_LEN), available)));
        };
        self.rest = self.rest.get(align(len)..).unwrap_or_default();
        Some(Ok(Attribute { kind: u16::from_ne_bytes([t0, t1]) & TYPE_MASK, payload }))
    }
}

/// Appends attributes to a message under construction.
pub trait AttributeWriter {
    /// The bytes written so far; attributes go to their end.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Appends one attribute. A payload over 65,531 bytes does not fit the length field and panics: no caller has
    /// input of that size, whoever it comes from.
    fn attribute(&mut self, kind: u16, payload: &[u8]) -> &mut Self {
        let len = u16::try_from(HEADER_LEN + payload.len()).expect("an attribute holds at most 65,531 bytes");
        let buffer = self.buffer();
        buffer.extend_from_slice(&len.to_ne_bytes());
        buffer.extend_from_slice(&kind.to_ne_bytes());
        buffer.extend_from_slice(payload);
        buffer.resize(align(buffer.len()), 0);
        self
    }

    /// Appends one byte.
    fn attribute_u8(&mut self, kind: u16, value: u8) -> &mut Self {
        self.attribute(kind, &[value])
    }

    /// Appends 32 bits in host order.
    fn attribute_u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends 64 bits in host order.
    fn attribute_u64(&mut self, kind: u16, value: u64) -> &mut Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends a name with its terminating NUL.
    fn attribute_name(&mut self, kind: u16, name: &[u8]) -> &mut Self {
        let mut payload = name.to_vec();
        payload.push(0);
        self.attribute(kind, &payload)
    }

    /// Appends an attribute that contains what `fill` appends, marked [`NESTED`].
    fn attribute_nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self
    where
        Self: Sized,
    {
        let start = self.buffer().len();
        let _ = self.attribute(kind | NESTED, &[]);
        fill(self);
        let buffer = self.buffer();
        let len = u16::try_from(buffer.len() - start).expect("an attribute holds at most 65,531 bytes");
        if let Some(field) = buffer.get_mut(start..start + 2) {
            field.copy_from_slice(&len.to_ne_bytes());
        }
        self
    }
}

impl AttributeWriter for Vec<u8> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nested_attributes_read_back() {
        let mut bytes = Vec::new();
        let _ = bytes.attribute_name(3, b"lo").attribute_nested(26, |inner| {
            let _ = inner.attribute_u32(1, 7).attribute_u8(2, 9);
        });
        let top: Vec<_> = Attributes::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(top.len(), 2);
        assert_eq!(top[0].c_bytes(), b"lo");
        assert_eq!(top[1].kind, 26, "flag bits are taken off");
        let inner: Vec<_> = top[1].nested().map(Result::unwrap).collect();
        assert_eq!((inner[0].u32(), inner[1].u8()), (Ok(7), Ok(9)));
        assert!(inner[1].u32().is_err());
    }

    #[test]
    fn a_length_past_the_end_is_one_error_then_the_end() {
        let mut walk = Attributes::new(&[200, 0, 1, 0, 5, 5]);
        assert!(walk.next().unwrap().is_err());
        assert!(walk.next().is_none());
        let mut walk = Attributes::new(&[3, 0, 1, 0]);
        assert!(walk.next().unwrap().is_err(), "a length below the header's own");
        assert!(walk.next().is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_end_the_walk(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let count = Attributes::new(&bytes).count();
            prop_assert!(count <= bytes.len() / 4 + 1);
        }
    }
}
