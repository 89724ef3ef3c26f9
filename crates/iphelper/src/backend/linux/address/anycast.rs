//! Anycast addresses that outlive the program.
//!
//! The kernel's own anycast addresses belong to a socket (`IPV6_JOIN_ANYCAST`) or to a router's subnets. So one that is
//! created here is an address of the interface alone: of 32 or 128 bits, never looked for, since others have it too, and
//! never chosen as source. The mark at it tells it from unicast addresses.

use super::change::{OPERATION, require_loopback_link, unsupported};
use super::mark::{Mark, SCOPE_HOST};
use super::member::anycast_row;
use super::read::{no_such_address, require_unicast};
use crate::address::AnycastAddress;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceKey};
use iphelper_netlink::rtnetlink::addr::group::Kind;
use iphelper_netlink::rtnetlink::addr::{Address, flag};
use std::net::IpAddr;

impl LinuxHost {
    pub(super) fn create_anycast(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress> {
        self.require_administrator(OPERATION)?;
        let (link, wanted) = self.plan_anycast(interface, address)?;
        self.add_address(&link, &wanted)?;
        self.follow_address_change(&link, Family::of(&address))?;
        Ok(anycast_row(address, &link))
    }

    pub(super) fn plan_create_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.plan_anycast(interface, address).map(|(link, _)| anycast_row(address, &link))
    }

    fn plan_anycast(&self, interface: InterfaceKey, address: IpAddr) -> Result<(Link, Address)> {
        let (link, held, joined) = self.both_kinds(interface, address)?;
        require_loopback_link(address, &link)?;
        if joined || !held.is_empty() {
            return Err(Error::new(ErrorKind::AlreadyExists, OPERATION)
                .because(format!("{} has {address} already", link.name())));
        }
        let family = Family::of(&address);
        let mut wanted = Address::new(link.index.0, address, family.address_bits());
        match family {
            Family::V4 => wanted.scope = SCOPE_HOST,
            Family::V6 => {
                wanted.flags = flag::NO_DAD;
                wanted.preferred = 0;
            }
        }
        wanted.protocol = Mark::Anycast.number(family);
        Ok((link, wanted))
    }

    pub(super) fn delete_anycast(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress> {
        self.require_administrator(OPERATION)?;
        let (link, found) = self.find_anycast(interface, address)?;
        let requests = self.deletion(&link, &[found], [])?;
        self.send_each_of(&link, requests)?;
        self.follow_address_change(&link, Family::of(&address))?;
        Ok(anycast_row(address, &link))
    }

    pub(super) fn plan_delete_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.find_anycast(interface, address).map(|(link, _)| anycast_row(address, &link))
    }

    fn find_anycast(&self, interface: InterfaceKey, address: IpAddr) -> Result<(Link, Address)> {
        let (link, held, joined) = self.both_kinds(interface, address)?;
        match held.into_iter().find(|it| Mark::of(it) == Some(Mark::Anycast)) {
            Some(found) => Ok((link, found)),
            None if joined => Err(unsupported(format!(
                "{address} is not one that was created: it belongs to a program's socket, or to a subnet that this \
                 router serves, and goes with that"
            ))),
            None => Err(no_such_address(address, &link, OPERATION)),
        }
    }

    /// The link; its addresses of this value, which may be unicast ones; and whether a program has joined it or a router
    /// serves its subnet.
    fn both_kinds(&self, interface: InterfaceKey, address: IpAddr) -> Result<(Link, Vec<Address>, bool)> {
        require_unicast(address, OPERATION)?;
        let family = Family::of(&address);
        let link = self.address_link(family, interface, OPERATION)?;
        let mut held = self.addresses(family, Some(link.index), OPERATION)?;
        held.retain(|it| it.address == address);
        let joined = self.members_of(Kind::Anycast, family, Some(link.index), OPERATION)?;
        let joined = joined.iter().any(|it| it.address == address);
        Ok((link, held, joined))
    }
}
