//! LUID, index, name and GUID of links.

use super::LinuxHost;
use crate::backend;
use crate::convert::InterfaceNames;
use crate::error::Result;
use crate::types::{Guid, InterfaceKey};

impl backend::Convert for LinuxHost {
    fn interface_names(&self, _key: InterfaceKey) -> Result<InterfaceNames> {
        todo!()
    }
    fn interface_named(&self, _name: &str) -> Result<InterfaceNames> {
        todo!()
    }
    fn interface_with_guid(&self, _guid: Guid) -> Result<InterfaceNames> {
        todo!()
    }
}
