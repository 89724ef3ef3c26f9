//! Neighbours: the ARP and neighbour discovery tables, over rtnetlink.

mod read;

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::neighbor::{Neighbor, ProxyNeighbor};
use crate::types::{Family, InterfaceKey};
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
}
