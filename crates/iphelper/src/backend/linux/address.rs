//! Addresses of links: unicast, anycast and multicast.

mod member;
mod origin;
mod read;

use super::LinuxHost;
use crate::address::{AnycastAddress, MulticastAddress, UnicastAddress};
use crate::backend;
use crate::error::Result;
use crate::types::{Family, InterfaceKey};
pub(crate) use read::time_of_uptime;
pub(super) use read::{row, scope_id};
use std::net::IpAddr;

impl backend::Address for LinuxHost {
    fn unicast_addresses(&self, family: Option<Family>) -> Result<Vec<UnicastAddress>> {
        self.read_unicast_addresses(family)
    }

    fn unicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<UnicastAddress> {
        self.read_unicast_address(interface, address)
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
