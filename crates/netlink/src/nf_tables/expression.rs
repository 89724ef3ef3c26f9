//! The steps of a rule: load something, compare it, look it up, decide.

use super::put_u32;
use crate::attribute::AttributeWriter;

/// Where the steps of a rule hold what they loaded (`NFT_REG_*`, 16 octets each).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Register {
    /// The first.
    R1 = 1,
    /// The second.
    R2 = 2,
}

/// What a packet carries beside its bytes (`NFT_META_*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meta {
    /// The index of the interface that it came in on, in host order.
    InputIndex = 4,
    /// The index of the interface that it leaves by, in host order.
    OutputIndex = 5,
    /// IPv4 (2) or IPv6 (10), one octet.
    Protocol = 15,
    /// Whether IPsec delivered it, one octet.
    Decrypted = 25,
}

/// How two values compare (`NFT_CMP_*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// Equal.
    Equal = 0,
    /// Not equal.
    NotEqual = 1,
}

/// Whose address type a routing lookup tells (`NFTA_FIB_F_*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fib {
    /// The source address'.
    Source = 0x1,
    /// The destination address'.
    Destination = 0x2,
    /// The destination address', as the routing rules for the packet's mark know it.
    DestinationByMark = 0x2 | 0x4,
    /// The source address', as the interface that the packet leaves by knows it.
    SourceOnOutput = 0x1 | 0x10,
    /// The destination address', as the interface that the packet came in on knows it.
    DestinationOnInput = 0x2 | 0x8,
}

/// What an address is (`RTN_*`), in host order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressType {
    /// Somebody else's, to which a route leads.
    Unicast = 1,
    /// This host's own.
    Local = 2,
    /// A broadcast address.
    Broadcast = 3,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict<'a> {
    /// It vanishes.
    Drop,
    /// Back to where this chain was called, or to the policy.
    Return,
    /// On with the named chain.
    Jump(&'a str),
}

impl Verdict<'_> {
    /// Appends it as `nft_verdict_attributes` inside an attribute of type `kind`.
    pub(super) fn write(self, writer: &mut Vec<u8>, kind: u16) {
        const VERDICT: u16 = 2;
        const CODE: u16 = 1;
        const CHAIN: u16 = 2;
        let (code, chain) = match self {
            Self::Drop => (0, None),
            Self::Return => (-5_i32, None),
            Self::Jump(chain) => (-3, Some(chain)),
        };
        let _ = writer.attribute_nested(kind, |data| {
            let _ = data.attribute_nested(VERDICT, |verdict| {
                let _ = verdict.attribute(CODE, &code.to_be_bytes());
                if let Some(chain) = chain {
                    let _ = verdict.attribute_name(CHAIN, chain.as_bytes());
                }
            });
        });
    }
}

/// The steps of one rule, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Expressions {
    bytes: Vec<u8>,
}

impl Expressions {
    /// No step yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn step(mut self, name: &str, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        const ELEMENT: u16 = 1;
        const NAME: u16 = 1;
        const DATA: u16 = 2;
        let _ = self.bytes.attribute_nested(ELEMENT, |expression| {
            let _ = expression.attribute_name(NAME, name.as_bytes()).attribute_nested(DATA, fill);
        });
        self
    }

    /// Loads a property of the packet.
    #[must_use]
    pub fn meta(self, what: Meta, to: Register) -> Self {
        self.step("meta", |data| {
            put_u32(data, 2, what as u32);
            put_u32(data, 1, to as u32);
        })
    }

    /// Loads octets of the network header.
    #[must_use]
    pub fn network_header(self, offset: u32, len: u32, to: Register) -> Self {
        const NETWORK_HEADER: u32 = 1;
        self.step("payload", |data| {
            put_u32(data, 1, to as u32);
            put_u32(data, 2, NETWORK_HEADER);
            put_u32(data, 3, offset);
            put_u32(data, 4, len);
        })
    }

    /// Loads the type of an address of the packet, see [`AddressType`].
    #[must_use]
    pub fn address_type(self, of: Fib, to: Register) -> Self {
        const ADDRESS_TYPE: u32 = 3;
        self.step("fib", |data| {
            put_u32(data, 3, of as u32);
            put_u32(data, 2, ADDRESS_TYPE);
            put_u32(data, 1, to as u32);
        })
    }

    /// Loads whether IPsec is going to transform the packet, one octet.
    #[must_use]
    pub fn to_be_encrypted(self, to: Register) -> Self {
        const TRANSFORMED: u32 = 4;
        self.step("rt", |data| {
            put_u32(data, 2, TRANSFORMED);
            put_u32(data, 1, to as u32);
        })
    }

    /// Goes on only if what was loaded compares so with `value`.
    #[must_use]
    pub fn compare(self, from: Register, how: Comparison, value: &[u8]) -> Self {
        const VALUE: u16 = 1;
        self.step("cmp", |data| {
            put_u32(data, 1, from as u32);
            put_u32(data, 2, how as u32);
            let _ = data.attribute_nested(3, |inner| {
                let _ = inner.attribute(VALUE, value);
            });
        })
    }

    /// Goes on only if what was loaded is in the set.
    #[must_use]
    pub fn look_up(self, from: Register, set: &str) -> Self {
        self.step("lookup", |data| {
            put_u32(data, 2, from as u32);
            let _ = data.attribute_name(1, set.as_bytes());
        })
    }

    /// Does what the map says of what was loaded; goes on if it is not in the map.
    #[must_use]
    pub fn verdict_of(self, from: Register, map: &str) -> Self {
        const VERDICT_REGISTER: u32 = 0;
        self.step("lookup", |data| {
            put_u32(data, 2, from as u32);
            put_u32(data, 3, VERDICT_REGISTER);
            let _ = data.attribute_name(1, map.as_bytes());
        })
    }

    /// Decides.
    #[must_use]
    pub fn verdict(self, verdict: Verdict<'_>) -> Self {
        const VERDICT_REGISTER: u32 = 0;
        self.step("immediate", |data| {
            put_u32(data, 1, VERDICT_REGISTER);
            verdict.write(data, 2);
        })
    }

    /// Refuses the packet: its sender is told that there is no route (ICMP or ICMPv6, "network unreachable").
    #[must_use]
    pub fn reject_no_route(self) -> Self {
        const EITHER_ICMP: u32 = 2;
        const NO_ROUTE: u8 = 0;
        self.step("reject", |data| {
            put_u32(data, 1, EITHER_ICMP);
            let _ = data.attribute_u8(2, NO_ROUTE);
        })
    }
}
