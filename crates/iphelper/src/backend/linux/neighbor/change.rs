//! Making, setting and forgetting neighbours.
//!
//! Each call does all its checks first, with `write` or without: what it tells without is what it does with it.

use super::read::{Entry, Named, no_such_neighbor, require_neighbor_address, shares_one_entry};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::neighbor::{Neighbor, NeighborChange, NeighborFlush, NewNeighbor, PhysicalAddress};
use crate::types::{Family, InterfaceKey};
use iphelper_netlink::rtnetlink::neigh::{self, Key, Write, flag, state};
use std::net::IpAddr;

impl LinuxHost {
    pub(super) fn make_neighbor(&self, new: &NewNeighbor, write: bool) -> Result<Neighbor> {
        const OPERATION: &str = "creating a neighbour";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let NewNeighbor { interface, address, physical_address, permanent } = *new;
        let link = self.link_for_neighbor(interface, address, OPERATION)?;
        require_physical_address(&link, physical_address, OPERATION)?;
        if shares_one_entry(&link, address) {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION).because(format!(
                "{} has no IPv4 neighbours: one entry is for all that leaves by it",
                link.name()
            )));
        }
        let exists = |entry: Option<Entry>| {
            let state = entry.map(|entry| entry.row(&Named::from(&link)).state.to_string());
            Error::new(ErrorKind::AlreadyExists, OPERATION).because(format!(
                "{} has an entry for {address} ({}): set that, or delete it first",
                link.name(),
                state.as_deref().unwrap_or("which came meanwhile")
            ))
        };
        if let Some(entry) = self.neighbor_entry(&link, address, OPERATION)? {
            return Err(exists(Some(entry)));
        }
        let planned = Entry::new(link.index, address, physical_address, state_of(permanent));
        if !write {
            return Ok(planned.row(&Named::from(&link)));
        }
        let key = Key { index: link.index.0, address };
        let mut request = neigh::put(key, Write::Create, physical_address.as_bytes(), state_of(permanent), 0);
        match self.route.take()?.acknowledged(&mut request) {
            Ok(()) => {}
            Err(refusal) if refusal.errno() == libc::EEXIST => return Err(exists(None)),
            Err(refusal) => return Err(refusal.error(OPERATION)),
        }
        // Somebody may have deleted it since; it was made all the same.
        let made = self.neighbor_entry(&link, address, OPERATION)?.unwrap_or(planned);
        Ok(made.row(&Named::from(&link)))
    }

    pub(super) fn change_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &NeighborChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        const OPERATION: &str = "changing a neighbour";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let link = self.link_for_neighbor(interface, address, OPERATION)?;
        require_physical_address(&link, change.physical_address, OPERATION)?;
        let entry = self
            .neighbor_entry(&link, address, OPERATION)?
            .ok_or_else(|| no_such_neighbor(address, &link, OPERATION))?;
        let changes = differences(&entry, &link, change);
        if !write || changes.is_empty() {
            return Ok(changes);
        }
        // The kernel takes away each mark that is not given again. One that it keeps resolved cannot be permanent.
        let kept =
            if change.permanent { entry.lasting_marks() & !flag::MANAGED } else { entry.lasting_marks() };
        let mut request = neigh::put(
            Key { index: link.index.0, address },
            Write::Change,
            change.physical_address.as_bytes(),
            state_of(change.permanent),
            kept,
        );
        match self.route.take()?.acknowledged(&mut request) {
            Ok(()) => Ok(changes),
            Err(refusal) if refusal.errno() == libc::ENOENT => {
                Err(no_such_neighbor(address, &link, OPERATION))
            }
            Err(refusal) => Err(refusal.error(OPERATION)),
        }
    }

    pub(super) fn forget_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        write: bool,
    ) -> Result<Neighbor> {
        const OPERATION: &str = "deleting a neighbour";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let link = self.link_for_neighbor(interface, address, OPERATION)?;
        let gone = || no_such_neighbor(address, &link, OPERATION);
        let entry = self.neighbor_entry(&link, address, OPERATION)?.ok_or_else(gone)?;
        if write && !self.forget_entry(&entry, OPERATION)? {
            return Err(gone());
        }
        Ok(entry.row(&Named::from(&link)))
    }

    pub(super) fn forget_neighbors(&self, which: &NeighborFlush, write: bool) -> Result<Vec<Neighbor>> {
        const OPERATION: &str = "flushing neighbours";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let index = which.interface.map(|key| Ok(self.link(key, OPERATION)?.index)).transpose()?;
        let entries = self.neighbor_entries(which.family, index, OPERATION)?;
        let links = self.named_links(OPERATION)?;
        let mut forgotten = Vec::new();
        for entry in entries {
            let asked = entry.state != state::NOARP && (which.permanent || entry.is_learned());
            let Some(link) = links.get(&entry.index).filter(|_| asked) else { continue };
            if !write || self.forget_entry(&entry, OPERATION)? {
                forgotten.push(entry.row(link));
            }
        }
        Ok(forgotten)
    }

    /// Deletes an entry; false if it is gone.
    pub(super) fn forget_entry(&self, entry: &Entry, operation: &'static str) -> Result<bool> {
        let mut request = neigh::delete(Key { index: entry.index.0, address: entry.address });
        match self.route.take()?.acknowledged(&mut request) {
            Ok(()) => Ok(true),
            // ENODEV: its link went meanwhile, and took it along.
            Err(refusal) if matches!(refusal.errno(), libc::ENOENT | libc::ENODEV) => Ok(false),
            Err(refusal) => Err(refusal.error(operation)),
        }
    }

    /// The link of a neighbour that can be.
    pub(super) fn link_for_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        operation: &'static str,
    ) -> Result<Link> {
        require_neighbor_address(address, operation)?;
        self.address_link(Family::of(&address), interface, operation)
    }
}

impl Entry {
    /// Its marks, which the kernel takes away where they are not given again.
    pub(super) const fn lasting_marks(self) -> u32 {
        self.flags & (flag::ROUTER | flag::EXTERNALLY_LEARNED | flag::MANAGED)
    }

    /// Whether the kernel found it by itself, and may forget it by itself.
    pub(super) fn is_learned(&self) -> bool {
        self.state & (state::PERMANENT | state::NOARP) == 0
            && self.flags & (flag::EXTERNALLY_LEARNED | flag::MANAGED) == 0
    }
}

const fn state_of(permanent: bool) -> u16 {
    if permanent { state::PERMANENT } else { state::STALE }
}

/// What `change` makes of an entry.
fn differences(entry: &Entry, link: &Link, change: &NeighborChange) -> Vec<PropertyChange> {
    let row = entry.row(&Named::from(link));
    let mechanism = || format!("neighbour {} on {}", entry.address, link.name());
    let shown = |address: PhysicalAddress| {
        if address.is_empty() { "none".to_owned() } else { address.to_string() }
    };
    let mut changes = Vec::new();
    if row.physical_address != change.physical_address {
        changes.push(PropertyChange {
            property: "physical_address",
            from: shown(row.physical_address),
            to: shown(change.physical_address),
            mechanism: mechanism(),
        });
    }
    let is_permanent = entry.state & state::PERMANENT != 0;
    // One that is not permanent goes through its states by itself; a new physical address puts it in doubt.
    if is_permanent != change.permanent || (!change.permanent && !changes.is_empty()) {
        let mut to = *entry;
        to.state = state_of(change.permanent);
        let to = to.row(&Named::from(link)).state;
        if to != row.state {
            changes.push(PropertyChange {
                property: "state",
                from: row.state.to_string(),
                to: to.to_string(),
                mechanism: mechanism(),
            });
        }
    }
    changes
}

/// [`ErrorKind::InvalidParameter`] for an address of another length than the link's: the kernel refuses a shorter one,
/// and cuts a longer one short without a word.
fn require_physical_address(link: &Link, address: PhysicalAddress, operation: &'static str) -> Result<()> {
    let (given, needed) = (address.as_bytes().len(), link.address.len());
    let reason = match (given, needed) {
        (_, 0) => format!("{} is a link without physical addresses", link.name()),
        (0, _) => "a physical address is needed".to_owned(),
        _ if given == needed => return Ok(()),
        _ => format!("physical addresses of {} have {needed} bytes, and {address} has {given}", link.name()),
    };
    Err(Error::new(ErrorKind::InvalidParameter, operation).because(reason))
}
