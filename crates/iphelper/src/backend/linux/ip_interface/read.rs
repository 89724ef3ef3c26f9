//! The rows of IP interfaces, made of few dumps.

use super::super::LinuxHost;
use crate::error::Result;
use crate::ip_interface::IpInterface;
use crate::types::{Family, InterfaceKey};

impl LinuxHost {
    pub(super) fn read_ip_interfaces(&self, _family: Option<Family>) -> Result<Vec<IpInterface>> {
        todo!()
    }

    pub(super) fn read_ip_interface(&self, _family: Family, _key: InterfaceKey) -> Result<IpInterface> {
        todo!()
    }
}
