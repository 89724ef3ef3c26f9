//! What IPv4 and IPv6 know of a link (`IFLA_AF_SPEC`).

use crate::DecodeError;
use crate::attribute::Attributes;
use std::net::Ipv6Addr;

const INET_CONF: u16 = 1;

const INET6_FLAGS: u16 = 1;
const INET6_CONF: u16 = 2;
const INET6_CACHEINFO: u16 = 5;
const INET6_TOKEN: u16 = 7;
const INET6_ADDR_GEN_MODE: u16 = 8;
const INET6_RA_MTU: u16 = 9;

/// Members of [`Inet::conf`] (`IPV4_DEVCONF_*`, counted from 1).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod devconf4 {
    pub const FORWARDING: usize = 1;
    pub const ARP_IGNORE: usize = 19;
    pub const PROMOTE_SECONDARIES: usize = 20;
}

/// Members of [`Inet6::conf`] (`DEVCONF_*`).
#[allow(missing_docs, reason = "the names are the kernel's")]
pub mod devconf6 {
    pub const FORWARDING: usize = 0;
    pub const MTU: usize = 2;
    pub const ACCEPT_RA: usize = 3;
    pub const DAD_TRANSMITS: usize = 6;
    pub const RTR_SOLICITS: usize = 7;
    pub const DISABLE_IPV6: usize = 26;
    pub const ACCEPT_DAD: usize = 27;
    /// Linux 6.17.
    pub const FORCE_FORWARDING: usize = 59;
}

/// The IPv4 part of a link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Inet<'a> {
    conf: &'a [u8],
}

impl<'a> Inet<'a> {
    pub(super) fn parse(attributes: Attributes<'a>) -> Result<Self, DecodeError> {
        let mut inet = Self::default();
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == INET_CONF {
                inet.conf = attribute.payload;
            }
        }
        Ok(inet)
    }

    /// A property of `/proc/sys/net/ipv4/conf/NAME`, see [`devconf4`]; `None` if this kernel does not have it.
    #[must_use]
    pub fn conf(&self, member: usize) -> Option<i32> {
        word(self.conf, member.checked_sub(1)?)
    }
}

/// The IPv6 part of a link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Inet6<'a> {
    conf: &'a [u8],
    /// `IFLA_INET6_FLAGS` (`IF_RA_*`).
    pub flags: u32,
    /// Largest datagram that is put together from fragments, in octets (`struct ifla_cacheinfo`).
    pub max_reassembly: Option<u32>,
    /// `IFLA_INET6_TOKEN`: interface identifier for addresses made from advertised prefixes; `::` is none.
    pub token: Option<Ipv6Addr>,
    /// `IFLA_INET6_ADDR_GEN_MODE`: 0 EUI-64, 1 none, 2 stable privacy, 3 random.
    pub address_generation: Option<u8>,
    /// `IFLA_INET6_RA_MTU`: the MTU that the last router advertisement told.
    pub advertised_mtu: Option<u32>,
}

impl<'a> Inet6<'a> {
    /// `IF_RA_OTHERCONF` of [`flags`](Self::flags).
    pub const OTHER_CONFIGURATION: u32 = 0x80;
    /// `IF_RA_MANAGED` of [`flags`](Self::flags).
    pub const MANAGED: u32 = 0x40;

    pub(super) fn parse(attributes: Attributes<'a>) -> Result<Self, DecodeError> {
        let mut inet6 = Self::default();
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                INET6_FLAGS => inet6.flags = attribute.u32()?,
                INET6_CONF => inet6.conf = attribute.payload,
                INET6_CACHEINFO => inet6.max_reassembly = Some(attribute.u32()?),
                INET6_TOKEN => inet6.token = Some(attribute.ipv6()?),
                INET6_ADDR_GEN_MODE => inet6.address_generation = Some(attribute.u8()?),
                INET6_RA_MTU => inet6.advertised_mtu = Some(attribute.u32()?),
                _ => {}
            }
        }
        Ok(inet6)
    }

    /// A property of `/proc/sys/net/ipv6/conf/NAME`, see [`devconf6`]; `None` if this kernel does not have it.
    #[must_use]
    pub fn conf(&self, member: usize) -> Option<i32> {
        word(self.conf, member)
    }
}

/// Member `position` of an array of 32-bit values.
fn word(bytes: &[u8], position: usize) -> Option<i32> {
    let start = position.checked_mul(4)?;
    bytes.get(start..)?.first_chunk().map(|word| i32::from_ne_bytes(*word))
}
