//! IP interfaces: which property is an attribute and which a sysctl, and in what order they are written.

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::ip_interface::{IpInterface, IpInterfaceChange, PropertyChange};
use crate::types::{Family, InterfaceKey};
use std::time::Duration;

impl backend::IpInterface for LinuxHost {
    fn ip_interfaces(&self, _family: Option<Family>) -> Result<Vec<IpInterface>> {
        todo!()
    }
    fn ip_interface(&self, _family: Family, _key: InterfaceKey) -> Result<IpInterface> {
        todo!()
    }
    fn set_ip_interface(
        &self,
        _family: Family,
        _key: InterfaceKey,
        _change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        todo!()
    }
    fn plan_ip_interface(
        &self,
        _family: Family,
        _key: InterfaceKey,
        _change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        todo!()
    }
    fn set_path_mtu_discovery_timeout(&self, _family: Family, _timeout: Duration) -> Result<()> {
        todo!()
    }
}
