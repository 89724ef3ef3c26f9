//! Properties that need policy (rules, filters, a resident process), and those that Linux has no place for.
//!
//! The value that holds is accepted, any other is refused with what is missing, before anything is written.

use super::plan::{Planner, Turn, invalid, unsupported};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::policy::{Property, Setting, mechanism};
use crate::error::Result;
use crate::ip_interface::IpInterfaceChange;
use crate::types::Family;
use std::time::Duration;

/// Whether a change names a property that rules and filters hold.
pub(super) fn is_asked(change: &IpInterfaceChange) -> bool {
    change.disable_default_routes.is_some()
        || change.weak_host_send.is_some()
        || change.weak_host_receive.is_some()
}

/// Accepts what holds, and refuses the rest.
pub(super) fn fixed<T: PartialEq>(from: &T, to: Option<T>, reason: &'static str) -> Result<()> {
    match to {
        Some(to) if to != *from => Err(unsupported(reason)),
        _ => Ok(()),
    }
}

pub(super) fn weak_host_send(planner: &mut Planner<'_>) -> Result<()> {
    let (from, to) = (planner.row.weak_host_send, planner.change.weak_host_send);
    held(planner, "weak_host_send", Property::StrongSend, from, to)
}

pub(super) fn weak_host_receive(planner: &mut Planner<'_>) -> Result<()> {
    let (from, to) = (planner.row.weak_host_receive, planner.change.weak_host_receive);
    held(planner, "weak_host_receive", Property::StrongReceive, from, to)
}

pub(super) fn disable_default_routes(planner: &mut Planner<'_>) -> Result<()> {
    let (from, to) = (planner.row.disable_default_routes, planner.change.disable_default_routes);
    held(planner, "disable_default_routes", Property::DisableDefaultRoutes, from, to)
}

/// A property that rules and filters hold.
fn held(
    planner: &mut Planner<'_>,
    name: &'static str,
    property: Property,
    from: bool,
    to: Option<bool>,
) -> Result<()> {
    let Some(to) = to.filter(|to| *to != from) else { return Ok(()) };
    let (family, index, luid) = (planner.row.family, planner.row.index, planner.row.luid);
    let setting = Setting { family, property, index, luid };
    planner.tell(name, from, to, mechanism(&setting));
    // What is kept is the strong host; Linux is weak by itself.
    let is_weak = matches!(property, Property::StrongSend | Property::StrongReceive);
    let values = Values { from: from != is_weak, to: to != is_weak };
    planner.write(Turn::Policy, Write::Policy { setting, values });
    Ok(())
}

pub(super) fn path_mtu_discovery_timeout(planner: &mut Planner<'_>) -> Result<()> {
    // In the unit of the kernel, so that what cannot differ there is no change; and C's row shows the longest time that
    // it has room for instead of a longer one.
    let seconds = |time: Duration| {
        let time = time.min(Duration::from_millis(u32::MAX.into()));
        time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
    };
    let reason = "path_mtu_discovery_timeout: Linux has one value for all interfaces of a namespace; set that \
                  (Host::set_path_mtu_discovery_timeout)";
    let (from, to) = (planner.row.path_mtu_discovery_timeout, planner.change.path_mtu_discovery_timeout);
    fixed(&from.map(seconds), to.map(|time| Some(seconds(time))), reason)
}

pub(super) fn link_local_address_timeout(planner: &mut Planner<'_>) -> Result<()> {
    let reason = "link_local_address_timeout: Linux does not wait before it takes a link-local address";
    fixed(&planner.row.link_local_address_timeout, planner.change.link_local_address_timeout, reason)
}

pub(super) fn zone_indices(planner: &mut Planner<'_>) -> Result<()> {
    let reason = "zone_indices: Linux numbers the zones itself, by interface index";
    let zones = planner.row.zone_indices.iter().zip(&planner.change.zone_indices);
    for (from, to) in zones {
        fixed(from, *to, reason)?;
    }
    Ok(())
}

pub(super) fn site_prefix_length(planner: &mut Planner<'_>) -> Result<()> {
    let (from, to) = (planner.row.site_prefix_length, planner.change.site_prefix_length);
    match (planner.row.family, to) {
        (Family::V4, Some(to)) if to != 0 => Err(invalid("site_prefix_length: must be 0 for IPv4")),
        (Family::V6, Some(to)) if to > 128 => Err(invalid(format!("site_prefix_length: {to} is over 128"))),
        _ => fixed(&from, to, "site_prefix_length: Linux has no sites"),
    }
}
