//! Anycast addresses that outlive the program.
//!
//! The kernel's own anycast addresses belong to a socket (`IPV6_JOIN_ANYCAST`) or to a router's subnets. So one that is
//! created here is an address of the interface alone: of 32 or 128 bits, never looked for, since others have it too, and
//! never chosen as source. The mark at it tells it from unicast addresses.

use super::change::{OPERATION, require_loopback_link, tell, unsupported};
use super::mark::{Mark, SCOPE_HOST};
use super::read::{no_such_address, require_unicast};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceKey};
use iphelper_netlink::rtnetlink::addr::group::Kind;
use iphelper_netlink::rtnetlink::addr::{Address, flag};
use std::net::IpAddr;

impl LinuxHost {
    pub(super) fn create_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<Vec<PropertyChange>> {
        self.require_administrator(OPERATION)?;
        let (link, address, changes) = self.plan_anycast(interface, address)?;
        self.add_address(&link, &address)?;
        self.follow_address_change(&link, Family::of(&address.address))?;
        Ok(changes)
    }

    pub(super) fn plan_create_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<Vec<PropertyChange>> {
        Ok(self.plan_anycast(interface, address)?.2)
    }

    fn plan_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<(Link, Address, Vec<PropertyChange>)> {
        require_unicast(address, OPERATION)?;
        let family = Family::of(&address);
        let link = self.address_link(family, interface, OPERATION)?;
        require_loopback_link(address, &link)?;
        let held = self.addresses(family, Some(link.index), OPERATION)?;
        let joined = self.members_of(Kind::Anycast, family, Some(link.index), OPERATION)?;
        let has = held
            .iter()
            .map(|it| it.address)
            .chain(joined.iter().map(|it| it.address))
            .any(|it| it == address);
        if has {
            return Err(Error::new(ErrorKind::AlreadyExists, OPERATION)
                .because(format!("{} has {address} already", link.name())));
        }
        let mut wanted = Address::new(link.index.0, address, family.address_bits());
        match family {
            Family::V4 => wanted.scope = SCOPE_HOST,
            Family::V6 => {
                wanted.flags = flag::NO_DAD;
                wanted.preferred = 0;
            }
        }
        wanted.protocol = Mark::Anycast.number(family);
        let mut changes = Vec::new();
        tell(&mut changes, "anycast_address", "none", address, "RTM_NEWADDR IFA_PROTO");
        Ok((link, wanted, changes))
    }

    pub(super) fn delete_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<Vec<PropertyChange>> {
        self.require_administrator(OPERATION)?;
        let family = Family::of(&address);
        let (link, address, changes) = self.find_anycast(interface, address)?;
        let requests = self.deletion(&link, &[address], [])?;
        self.send_each_of(&link, requests)?;
        self.follow_address_change(&link, family)?;
        Ok(changes)
    }

    pub(super) fn plan_delete_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<Vec<PropertyChange>> {
        Ok(self.find_anycast(interface, address)?.2)
    }

    fn find_anycast(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<(Link, Address, Vec<PropertyChange>)> {
        require_unicast(address, OPERATION)?;
        let family = Family::of(&address);
        let link = self.address_link(family, interface, OPERATION)?;
        let held = self.addresses(family, Some(link.index), OPERATION)?;
        let found = held.into_iter().find(|it| it.address == address && Mark::of(it) == Some(Mark::Anycast));
        if let Some(found) = found {
            let mut changes = Vec::new();
            tell(&mut changes, "anycast_address", address, "none", "RTM_DELADDR");
            return Ok((link, found, changes));
        }
        let joined = self.members_of(Kind::Anycast, family, Some(link.index), OPERATION)?;
        if joined.iter().any(|it| it.address == address) {
            return Err(unsupported(format!(
                "{address} is not one that was created: it belongs to a program's socket, or to a subnet that this \
                 router serves, and goes with that"
            )));
        }
        Err(no_such_address(address, &link, OPERATION))
    }
}
