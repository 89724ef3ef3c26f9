//! IP interfaces: reading and changing what IPv4 and IPv6 know of a link.

mod change;
mod read;

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::ip_interface::{IpInterface, IpInterfaceChange, PropertyChange};
use crate::types::{Family, InterfaceKey};
pub(super) use read::automatic_metric;
use std::time::Duration;

impl backend::IpInterface for LinuxHost {
    fn ip_interfaces(&self, family: Option<Family>) -> Result<Vec<IpInterface>> {
        self.read_ip_interfaces(family)
    }

    fn ip_interface(&self, family: Family, key: InterfaceKey) -> Result<IpInterface> {
        self.read_ip_interface(family, key)
    }

    fn set_ip_interface(
        &self,
        family: Family,
        key: InterfaceKey,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        let changes = self.change_ip_interface(family, key, change)?;
        if !changes.is_empty() {
            self.tell_listeners();
        }
        Ok(changes)
    }

    fn plan_set_ip_interface(
        &self,
        family: Family,
        key: InterfaceKey,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        self.plan_change(family, key, change)
    }

    fn set_ip_interface_families(
        &self,
        key: InterfaceKey,
        changes: [&IpInterfaceChange; 2],
    ) -> Result<[Vec<PropertyChange>; 2]> {
        let changes = self.change_ip_interface_families(key, changes)?;
        if changes.iter().any(|changes| !changes.is_empty()) {
            self.tell_listeners();
        }
        Ok(changes)
    }

    fn plan_set_ip_interface_families(
        &self,
        key: InterfaceKey,
        changes: [&IpInterfaceChange; 2],
    ) -> Result<[Vec<PropertyChange>; 2]> {
        self.plan_changes(key, changes)
    }

    fn set_path_mtu_discovery_timeout(&self, family: Family, timeout: Duration) -> Result<()> {
        self.change_path_mtu_discovery_timeout(family, timeout)?;
        self.tell_listeners();
        Ok(())
    }
}
