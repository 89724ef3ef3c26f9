//! Interfaces: links over rtnetlink, speeds over ethtool.

mod row;

use super::LinuxHost;
use super::link::Link;
use crate::backend;
use crate::error::Result;
use crate::interface::{AdminStatus, Interface, InterfaceLevel, InterfaceStackEntry};
use crate::types::InterfaceKey;
use iphelper_netlink::rtnetlink::link::{self, flag};
use row::row;
use rustc_hash::FxHashMap;

impl backend::Interface for LinuxHost {
    fn interfaces(&self, level: InterfaceLevel) -> Result<Vec<Interface>> {
        let links = self.links("reading the interface table")?;
        let speeds = self.link_speeds(&links)?;
        let namespace = self.namespace.inode();
        Ok(links.iter().map(|link| row(link, namespace, speeds.get(&link.index.0).copied(), level)).collect())
    }

    fn interface(&self, key: InterfaceKey, level: InterfaceLevel) -> Result<Interface> {
        let link = self.link(key, "reading an interface")?;
        let speeds = self.link_speeds(std::slice::from_ref(&link))?;
        Ok(row(&link, self.namespace.inode(), speeds.get(&link.index.0).copied(), level))
    }

    fn interface_stack(&self) -> Result<Vec<InterfaceStackEntry>> {
        let links = self.links("reading the interface stack")?;
        let under: FxHashMap<_, _> = links.iter().map(|link| (link.index, link.link)).collect();
        let mut stack = Vec::new();
        for link in &links {
            if let Some(higher) = link.master {
                stack.push(InterfaceStackEntry { higher, lower: link.index });
            }
            // IFLA_LINK of a pair (veth) is the other end, whose own is this one: no end stands on the other.
            if let Some(lower) = link.link.filter(|lower| *lower != link.index)
                && under.get(&lower).is_some_and(|under_lower| *under_lower != Some(link.index))
            {
                stack.push(InterfaceStackEntry { higher: link.index, lower });
            }
        }
        stack.sort_unstable();
        stack.dedup();
        Ok(stack)
    }

    fn set_interface_admin_status(&self, key: InterfaceKey, status: AdminStatus) -> Result<()> {
        let operation = match status {
            AdminStatus::Up => "switching an interface on",
            AdminStatus::Down => "switching an interface off",
        };
        self.require_administrator(operation)?;
        let link = self.link(key, operation)?;
        let flags = if status == AdminStatus::Up { flag::UP } else { 0 };
        let mut request = link::change::set_flags(link.index.0, flags, flag::UP);
        self.route.take()?.acknowledged(&mut request).map_err(|refusal| refusal.error(operation))
    }
}

impl LinuxHost {
    /// The row of a link whose speed is `speed` bits per second, without counters.
    pub(super) fn interface_row(&self, link: &Link, speed: Option<u64>) -> Interface {
        row(link, self.namespace.inode(), speed, InterfaceLevel::NormalWithoutStatistics)
    }
}
