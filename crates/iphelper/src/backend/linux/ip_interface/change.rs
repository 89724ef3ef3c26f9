//! Which property is an attribute and which a sysctl, and in what order they are written.

use super::super::LinuxHost;
use crate::error::Result;
use crate::ip_interface::{IpInterfaceChange, PropertyChange};
use crate::types::{Family, InterfaceKey};
use std::time::Duration;

impl LinuxHost {
    pub(super) fn change_ip_interface(
        &self,
        _family: Family,
        _key: InterfaceKey,
        _change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        todo!()
    }

    pub(super) fn plan_change(
        &self,
        _family: Family,
        _key: InterfaceKey,
        _change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        todo!()
    }

    pub(super) fn change_path_mtu_discovery_timeout(
        &self,
        _family: Family,
        _timeout: Duration,
    ) -> Result<()> {
        todo!()
    }
}
