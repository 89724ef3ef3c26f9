//! Tunnels of IPv6 in IPv4 (`IFLA_INFO_DATA` of the kind `sit`).

use crate::DecodeError;
use crate::attribute::Attributes;
use std::net::{Ipv4Addr, Ipv6Addr};

const REMOTE: u16 = 3;
const FLAGS: u16 = 8;
const SIX_RD_PREFIX: u16 = 11;
const SIX_RD_PREFIX_LEN: u16 = 13;

/// `SIT_ISATAP` of `IFLA_IPTUN_FLAGS`.
const ISATAP: u16 = 1;

/// How a `sit` tunnel finds its other end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SitTunnel {
    /// The other end; `0.0.0.0`: from the IPv6 address of each packet.
    pub remote: Ipv4Addr,
    /// Addresses are made and found by ISATAP (RFC 5214).
    pub isatap: bool,
    /// The prefix whose addresses contain the other end's; `2002::/16` is 6to4 (RFC 3056).
    pub prefix: Option<(Ipv6Addr, u16)>,
}

impl SitTunnel {
    pub(super) fn parse(attributes: Attributes<'_>) -> Result<Self, DecodeError> {
        let (mut remote, mut flags, mut prefix, mut prefix_len) = (Ipv4Addr::UNSPECIFIED, 0, None, None);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                REMOTE => remote = attribute.ipv4()?,
                FLAGS => flags = attribute.u16()?,
                SIX_RD_PREFIX => prefix = Some(attribute.ipv6()?),
                SIX_RD_PREFIX_LEN => prefix_len = Some(attribute.u16()?),
                _ => {}
            }
        }
        Ok(Self { remote, isatap: flags & ISATAP != 0, prefix: prefix.zip(prefix_len) })
    }
}
