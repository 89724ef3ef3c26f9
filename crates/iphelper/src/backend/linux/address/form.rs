//! From what a row says to what the kernel keeps of an address, and back.

use super::change::{invalid, unsupported};
use super::mark::{self, Mark, SCOPE_HOST};
use super::origin::{LINK_LOCAL, MANUAL, Origins, origins, visible_origins};
use crate::backend::linux::link::Link;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::addr::{Address, flag, protocol};
use std::net::{IpAddr, Ipv4Addr};

/// `RT_SCOPE_UNIVERSE` and `RT_SCOPE_LINK`.
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;

/// The members of a row that can be set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Form {
    pub(super) prefix_len: u8,
    pub(super) origins: Origins,
    pub(super) valid: u32,
    pub(super) preferred: u32,
    pub(super) skip: bool,
}

impl Form {
    /// What the kernel's address is like.
    pub(super) fn of(address: &Address, link: &Link) -> Self {
        let (prefix_len, skip) = match Mark::of(address) {
            Some(Mark::Skipped { prefix_len, .. }) => (prefix_len, true),
            _ => (address.prefix_len, false),
        };
        // The kernel's own is 0, which is how the address is skipped.
        let preferred = if skip && address.address.is_ipv6() { address.valid } else { address.preferred };
        Self { prefix_len, origins: origins(address, link), valid: address.valid, preferred, skip }
    }

    /// What holds for every address.
    pub(super) fn check(&self, address: IpAddr) -> Result<()> {
        let bits = Family::of(&address).address_bits();
        if self.prefix_len > bits {
            let len = self.prefix_len;
            return Err(invalid(format!(
                "on_link_prefix_length: {len} bits are more than an address of {bits} has"
            )));
        }
        if self.preferred > self.valid {
            return Err(invalid(
                "preferred_lifetime: an address cannot be preferred longer than it is valid",
            ));
        }
        if self.valid == 0 {
            return Err(invalid("valid_lifetime: 0 would end the address at once; delete it instead"));
        }
        if address.is_ipv4() && self.valid == u32::MAX && !matches!(self.preferred, 0 | u32::MAX) {
            return Err(unsupported(
                "preferred_lifetime: Linux counts it only for IPv4 addresses that end; give a valid_lifetime too",
            ));
        }
        Ok(())
    }

    /// The kernel's address that is like this; what is not said is kept as `base` has it.
    pub(super) fn apply(&self, base: &Address, link: &Link) -> Result<Address> {
        let mut address = base.clone();
        let family = Family::of(&base.address);
        let was = Self::of(base, link);
        address.valid = self.valid;
        address.preferred = self.preferred;
        let forever = |seconds: u32| if seconds == u32::MAX { flag::PERMANENT } else { 0 };
        address.flags = base.flags & !flag::PERMANENT | forever(self.valid);
        if self.skip {
            self.apply_skip(&mut address)?;
            return Ok(address);
        }
        if family == Family::V4 {
            if was.skip {
                address.scope = SCOPE_UNIVERSE;
            }
            if address.prefix_len != self.prefix_len || was.skip {
                address.prefix_len = self.prefix_len;
                let had = address.broadcast().is_some();
                address.set_broadcast(broadcast(address.address, self.prefix_len).filter(|_| had));
            }
        } else {
            address.prefix_len = self.prefix_len;
            if was.skip {
                // It was hidden by that; whether it is deprecated, its lifetime says.
                address.flags &= !flag::DEPRECATED;
            }
        }
        let foreign = base.protocol.filter(|number| !Mark::is_ours(*number));
        let shows =
            |protocol| visible_origins(&Address { protocol, ..address.clone() }, link) == self.origins;
        address.protocol = match foreign {
            foreign if shows(foreign) => foreign,
            _ if shows(None) => None,
            _ => Mark::Origins(self.origins).number(family),
        };
        Ok(address)
    }

    fn apply_skip(&self, address: &mut Address) -> Result<()> {
        let family = Family::of(&address.address);
        if address.peer != address.address {
            return Err(unsupported("skip_as_source: the address is that of a link to one other end"));
        }
        match family {
            Family::V4 => {
                address.prefix_len = 32;
                address.scope = SCOPE_HOST;
                address.set_broadcast(None);
            }
            Family::V6 => {
                if self.preferred != self.valid {
                    return Err(unsupported(
                        "skip_as_source: the kernel hides an IPv6 address from the choice of sources by its preferred \
                         lifetime, so that must be the valid lifetime",
                    ));
                }
                let routers = flag::TEMPORARY | flag::MANAGE_TEMPORARY;
                if address.protocol == Some(protocol::ROUTER_ADVERTISEMENT) || address.flags & routers != 0 {
                    return Err(unsupported(
                        "skip_as_source: the next router advertisement would make the address preferred again",
                    ));
                }
                address.prefix_len = self.prefix_len;
                address.preferred = 0;
            }
        }
        let mark = Mark::Skipped { origins: self.origins, prefix_len: self.prefix_len };
        let Some(number) = mark.number(family) else {
            return Err(unsupported(format!(
                "skip_as_source: an IPv4 address that is skipped can be manual, of DHCP or other, not {} and {}",
                self.origins.0, self.origins.1
            )));
        };
        address.protocol = Some(number);
        Ok(())
    }
}

/// What is to be remembered of an address that is not taken yet.
pub(super) fn pack(form: &Form) -> u32 {
    u32::from(form.prefix_len) | u32::from(form.skip) << 8 | u32::from(mark::packed(form.origins)) << 9
}

/// The reverse of [`pack`]: the length of the prefix, whether it is to be skipped as source, and the origins.
pub(super) fn unpack(bits: u32) -> (u8, bool, Origins) {
    let [prefix_len, ..] = bits.to_le_bytes();
    let origins = u8::try_from(bits >> 9 & 0x1f).ok().and_then(mark::unpacked);
    (prefix_len.min(32), bits >> 8 & 1 == 1, origins.unwrap_or(MANUAL))
}

/// An address that the kernel does not have yet.
pub(super) fn fresh(link: &Link, address: IpAddr, form: &Form) -> Result<Address> {
    let mut base = Address::new(link.index.0, address, form.prefix_len);
    if let IpAddr::V4(address) = address {
        base.scope = match address {
            address if address.is_loopback() => SCOPE_HOST,
            address if address.is_link_local() && form.origins == LINK_LOCAL => SCOPE_LINK,
            _ => SCOPE_UNIVERSE,
        };
    }
    form.apply(&base, link)
}

/// The address that reaches all of an IPv4 prefix.
fn broadcast(address: IpAddr, prefix_len: u8) -> Option<Ipv4Addr> {
    let IpAddr::V4(address) = address else { return None };
    let host = u32::MAX.checked_shr(prefix_len.into()).filter(|_| prefix_len < 31)?;
    Some(Ipv4Addr::from_bits(address.to_bits() | host))
}
