//! LUID, index, name and GUID of links.

use super::LinuxHost;
use super::link::Link;
use crate::backend;
use crate::convert::InterfaceNames;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Guid, InterfaceKey};

impl backend::Convert for LinuxHost {
    fn interface_names(&self, key: InterfaceKey) -> Result<InterfaceNames> {
        Ok(self.names(&self.link(key, "looking an interface up")?))
    }

    fn interface_named(&self, name: &str) -> Result<InterfaceNames> {
        Ok(self.names(&self.link_named(name, "looking an interface up by name")?))
    }

    fn interface_with_guid(&self, guid: Guid) -> Result<InterfaceNames> {
        const OPERATION: &str = "looking an interface up by GUID";
        let links = self.links(OPERATION)?;
        let found = links.iter().find(|link| link.guid(self.namespace.inode()) == guid);
        found.map(|link| self.names(link)).ok_or_else(|| {
            Error::new(ErrorKind::InterfaceNotFound, OPERATION).because(format!("no interface has {guid}"))
        })
    }
}

impl LinuxHost {
    fn names(&self, link: &Link) -> InterfaceNames {
        InterfaceNames {
            luid: link.luid(),
            index: link.index,
            name: link.name(),
            guid: link.guid(self.namespace.inode()),
        }
    }
}
