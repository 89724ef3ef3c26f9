//! Next hops: the links and routers that packets leave by.

use super::{AF_INET, AF_INET6, GATEWAY, SETTING_FLAGS, VIA};
use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter, Attributes};
use crate::message::align;
use std::net::IpAddr;

/// One next hop of a multipath route (`struct rtnexthop`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NextHop {
    /// The link.
    pub interface: u32,
    /// The router.
    pub gateway: Option<IpAddr>,
    /// The weight less one.
    pub hops: u8,
    /// `RTNH_F_*`.
    pub flags: u8,
    /// Other attributes: encapsulation, realm.
    pub other: Vec<(u16, Vec<u8>)>,
}

impl NextHop {
    const LEN: usize = 8;

    /// It without what tells a state rather than the hop.
    pub(super) fn settled(mut self) -> Self {
        self.flags = u8::try_from(u32::from(self.flags) & SETTING_FLAGS).unwrap_or_default();
        self
    }

    pub(super) fn parse_all(attribute: &Attribute<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut rest = attribute.payload;
        let mut hops = Vec::new();
        while !rest.is_empty() {
            let short = DecodeError::new("rtnexthop", Self::LEN, rest.len());
            let [l0, l1, flags, count, i0, i1, i2, i3] = *rest.first_chunk::<{ Self::LEN }>().ok_or(short)?;
            let len = usize::from(u16::from_ne_bytes([l0, l1]));
            let attributes = Attributes::new(rest.get(Self::LEN..len).ok_or(short)?);
            let interface = u32::from_ne_bytes([i0, i1, i2, i3]);
            let mut hop = Self { interface, gateway: None, hops: count, flags, other: Vec::new() };
            for attribute in attributes {
                let attribute = attribute?;
                match attribute.kind {
                    GATEWAY => hop.gateway = Some(address(&attribute)?),
                    VIA => hop.gateway = Some(via(&attribute)?),
                    kind => hop.other.push((kind, attribute.payload.to_vec())),
                }
            }
            hops.push(hop);
            rest = rest.get(align(len)..).unwrap_or_default();
        }
        Ok(hops)
    }

    pub(super) fn write(&self, family: u8, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let flags = u8::try_from(u32::from(self.flags) & SETTING_FLAGS).unwrap_or_default();
        bytes.extend_from_slice(&[0, 0, flags, self.hops]);
        bytes.extend_from_slice(&self.interface.to_ne_bytes());
        put_hop(bytes, family, self.gateway, &self.other);
        let len = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
        if let Some(field) = bytes.get_mut(start..start + 2) {
            field.copy_from_slice(&len.to_ne_bytes());
        }
    }
}

/// Writes a router, which may be of the other family, and further attributes of its hop.
pub(super) fn put_hop(
    writer: &mut impl AttributeWriter,
    family: u8,
    gateway: Option<IpAddr>,
    other: &[(u16, Vec<u8>)],
) {
    match gateway {
        Some(gateway) if family_of(gateway) == family => {
            put_address(writer, GATEWAY, gateway);
        }
        Some(gateway) => {
            let mut payload = u16::from(family_of(gateway)).to_ne_bytes().to_vec();
            match gateway {
                IpAddr::V4(gateway) => payload.extend_from_slice(&gateway.octets()),
                IpAddr::V6(gateway) => payload.extend_from_slice(&gateway.octets()),
            }
            let _ = writer.attribute(VIA, &payload);
        }
        None => {}
    }
    for (kind, payload) in other {
        let _ = writer.attribute(*kind, payload);
    }
}

pub(super) fn put_address(writer: &mut impl AttributeWriter, kind: u16, address: IpAddr) {
    let _ = match address {
        IpAddr::V4(address) => writer.attribute(kind, &address.octets()),
        IpAddr::V6(address) => writer.attribute(kind, &address.octets()),
    };
}

const fn family_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    }
}

/// An address, whose family its length tells.
pub(super) fn address(attribute: &Attribute<'_>) -> Result<IpAddr, DecodeError> {
    if attribute.payload.len() == 4 {
        attribute.ipv4().map(IpAddr::V4)
    } else {
        attribute.ipv6().map(IpAddr::V6)
    }
}

/// `struct rtvia`: a family and an address of it.
pub(super) fn via(attribute: &Attribute<'_>) -> Result<IpAddr, DecodeError> {
    let (_, rest) = attribute.payload.split_first_chunk::<2>().ok_or(DecodeError::new(
        "rtvia",
        6,
        attribute.payload.len(),
    ))?;
    address(&Attribute { kind: attribute.kind, payload: rest })
}
