//! Generic netlink families by name.

use super::LinuxHost;
use crate::error::Result;
use iphelper_netlink::genetlink::control::{self, Family};

impl LinuxHost {
    /// The number of a family; `None` where the kernel does not have it.
    pub(super) fn generic_family(&self, name: &[u8]) -> Result<Option<u16>> {
        let families = self.generic.take()?.snapshot(
            &mut control::dump(),
            || None,
            |found, message| {
                if let Some(family) = Family::parse(message)?.filter(|family| family.name == name) {
                    *found = Some(family.id);
                }
                Ok(())
            },
        );
        families.map_err(|refusal| refusal.error("asking for the families of generic netlink"))
    }
}
