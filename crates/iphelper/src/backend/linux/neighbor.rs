//! Neighbours: the ARP and neighbour discovery tables, over rtnetlink.

mod change;
mod proxy;
mod read;
mod resolve;

pub(super) use read::row;

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::neighbor::{Neighbor, NeighborChange, NeighborFlush, NewNeighbor, ProxyNeighbor};
use crate::types::{Family, InterfaceKey, Prefix};
use std::net::IpAddr;

impl backend::Neighbor for LinuxHost {
    fn neighbors(&self, family: Option<Family>) -> Result<Vec<Neighbor>> {
        self.read_neighbors(family)
    }

    fn neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<Neighbor> {
        self.read_neighbor(interface, address)
    }

    fn proxy_neighbors(&self, family: Option<Family>) -> Result<Vec<ProxyNeighbor>> {
        self.read_proxy_neighbors(family)
    }

    fn create_neighbor(&self, new: &NewNeighbor) -> Result<Neighbor> {
        self.make_neighbor(new, true)
    }

    fn plan_create_neighbor(&self, new: &NewNeighbor) -> Result<Neighbor> {
        self.make_neighbor(new, false)
    }

    fn set_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &NeighborChange,
    ) -> Result<Vec<PropertyChange>> {
        self.change_neighbor(interface, address, change, true)
    }

    fn plan_set_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &NeighborChange,
    ) -> Result<Vec<PropertyChange>> {
        self.change_neighbor(interface, address, change, false)
    }

    fn delete_neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<Neighbor> {
        self.forget_neighbor(interface, address, true)
    }

    fn plan_delete_neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<Neighbor> {
        self.forget_neighbor(interface, address, false)
    }

    fn flush_neighbors(&self, which: &NeighborFlush) -> Result<Vec<Neighbor>> {
        self.forget_neighbors(which, true)
    }

    fn plan_flush_neighbors(&self, which: &NeighborFlush) -> Result<Vec<Neighbor>> {
        self.forget_neighbors(which, false)
    }

    fn create_proxy_neighbors(&self, interface: InterfaceKey, prefix: Prefix) -> Result<Vec<ProxyNeighbor>> {
        self.make_proxies(interface, prefix, true)
    }

    fn plan_create_proxy_neighbors(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>> {
        self.make_proxies(interface, prefix, false)
    }

    fn delete_proxy_neighbors(&self, interface: InterfaceKey, prefix: Prefix) -> Result<Vec<ProxyNeighbor>> {
        self.forget_proxies(interface, prefix, true)
    }

    fn plan_delete_proxy_neighbors(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>> {
        self.forget_proxies(interface, prefix, false)
    }

    fn resolve_neighbor(
        &self,
        address: IpAddr,
        interface: Option<InterfaceKey>,
        source: Option<IpAddr>,
    ) -> Result<Neighbor> {
        self.resolve(address, interface, source)
    }
}
