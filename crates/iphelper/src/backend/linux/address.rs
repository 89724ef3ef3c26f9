//! Addresses of links: unicast, anycast and multicast.

mod anycast;
mod arp;
mod change;
mod create;
mod form;
mod mark;
mod member;
pub(super) mod on_link;
mod origin;
mod read;
mod stable;
#[cfg(test)]
mod tests;

use super::LinuxHost;
use crate::address::{
    AnycastAddress, MulticastAddress, NewUnicastAddress, UnicastAddress, UnicastAddressChange,
};
use crate::backend;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceKey};
pub(super) use on_link::PROTOCOL as ON_LINK_PROTOCOL;
pub(crate) use read::time_of_uptime;
pub(super) use read::{detected_row, is_unicast, row, scope_id};
use std::net::IpAddr;
use std::sync::Arc;

impl backend::Address for LinuxHost {
    fn unicast_addresses(&self, family: Option<Family>) -> Result<Vec<UnicastAddress>> {
        self.read_unicast_addresses(family)
    }

    fn unicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<UnicastAddress> {
        self.read_unicast_address(interface, address)
    }

    fn plan_create_unicast_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress> {
        self.plan_creation_of(new)
    }

    fn create_unicast_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress> {
        self.create_address(new)
    }

    fn plan_set_unicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>> {
        self.plan_alteration_of(interface, address, change)
    }

    fn set_unicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>> {
        self.alter_address(interface, address, change)
    }

    fn plan_delete_unicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<UnicastAddress> {
        self.plan_deletion_of(interface, address)
    }

    fn delete_unicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<UnicastAddress> {
        self.delete_address(interface, address)
    }

    fn stable_waiter(self: Arc<Self>, family: Option<Family>) -> Result<Box<dyn backend::StableWaiter>> {
        if let Some(family) = family {
            self.require_family(family, "reading addresses")?;
        }
        Ok(Box::new(stable::Waiter::open(self, family)?))
    }

    fn create_anycast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress> {
        self.create_anycast(interface, address)
    }

    fn plan_create_anycast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.plan_create_anycast(interface, address)
    }

    fn delete_anycast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress> {
        self.delete_anycast(interface, address)
    }

    fn plan_delete_anycast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        self.plan_delete_anycast(interface, address)
    }

    fn anycast_addresses(&self, family: Option<Family>) -> Result<Vec<AnycastAddress>> {
        self.read_anycast_addresses(family)
    }

    fn anycast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress> {
        self.read_anycast_address(interface, address)
    }

    fn multicast_addresses(&self, family: Option<Family>) -> Result<Vec<MulticastAddress>> {
        self.read_multicast_addresses(family)
    }

    fn multicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<MulticastAddress> {
        self.read_multicast_address(interface, address)
    }
}
