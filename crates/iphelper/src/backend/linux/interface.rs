//! Interfaces: links over rtnetlink, speeds over ethtool.

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::interface::{AdminStatus, Interface, InterfaceLevel, InterfaceStackEntry};
use crate::types::InterfaceKey;

impl backend::Interface for LinuxHost {
    fn interfaces(&self, _level: InterfaceLevel) -> Result<Vec<Interface>> {
        todo!()
    }
    fn interface(&self, _key: InterfaceKey, _level: InterfaceLevel) -> Result<Interface> {
        todo!()
    }
    fn interface_stack(&self) -> Result<Vec<InterfaceStackEntry>> {
        todo!()
    }
    fn set_interface_admin_status(&self, _key: InterfaceKey, _status: AdminStatus) -> Result<()> {
        todo!()
    }
}
