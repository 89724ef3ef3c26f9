//! `NlMtu`: the largest IP packet, of each family.
//!
//! The device has one MTU, which is IPv4's; IPv6 may have a smaller one of its own. A change of the device's MTU
//! overwrites IPv6's, so that is written again behind it.

use super::plan::{Planner, Turn, invalid, unsupported};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::link::{Link, LinkIpv6};
use crate::error::Result;
use crate::ip_interface::IpInterfaceChange;
use crate::types::Family;

/// Below this the kernel takes IPv4 off the interface (RFC 791).
const LEAST_IPV4: u32 = 68;
/// Below this the kernel takes IPv6 off the interface, with its addresses and settings (RFC 8200).
const LEAST_IPV6: u32 = 1280;

pub(super) fn nl_mtu(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.nl_mtu;
    let Some(to) = planner.change.nl_mtu.filter(|to| *to != from) else { return Ok(()) };
    if let Some(most) = planner.link.max_mtu.filter(|most| to > *most) {
        return Err(invalid(format!("nl_mtu: {to} is over the device's limit of {most}")));
    }
    match planner.row.family {
        Family::V4 => ipv4(planner, from, to),
        Family::V6 => ipv6(planner, from, to),
    }
}

/// The link as a change of one family leaves its MTUs.
pub(super) fn as_left_by(link: &Link, family: Family, change: &IpInterfaceChange) -> Link {
    let mut link = link.clone();
    match (change.nl_mtu, family) {
        (Some(to), Family::V4) => link.mtu = to,
        (Some(to), Family::V6) => link.ipv6 = link.ipv6.map(|ipv6| LinkIpv6 { mtu: to, ..ipv6 }),
        (None, _) => {}
    }
    link
}

fn ipv4(planner: &mut Planner<'_>, from: u32, to: u32) -> Result<()> {
    let link = planner.link;
    let least = link.min_mtu.unwrap_or(0).max(LEAST_IPV4);
    if to < least {
        return Err(invalid(format!("nl_mtu: {to} is below {least}, the least for IPv4 on this interface")));
    }
    let mut kept = None;
    if let Some(ipv6) = link.ipv6 {
        if !ipv6.disabled && to < LEAST_IPV6 {
            return Err(invalid(format!(
                "nl_mtu: below {LEAST_IPV6} the interface would lose IPv6 and its addresses; disable IPv6 first"
            )));
        }
        if !ipv6.disabled && to < ipv6.mtu {
            return Err(unsupported(format!(
                "nl_mtu: an IPv4 MTU below the IPv6 MTU of {} needs an MTU on every route; set both families, IPv6 \
                 first",
                ipv6.mtu
            )));
        }
        // With IPv6 disabled, only a value that was lowered on purpose and still fits.
        kept = Some(ipv6.mtu).filter(|mtu| *mtu <= to && (!ipv6.disabled || *mtu < link.mtu));
    }
    planner.tell("nl_mtu", from, to, "RTM_SETLINK IFLA_MTU");
    let ends_ipv6 = link.ipv6.is_some() && to < LEAST_IPV6;
    let turn = if ends_ipv6 { Turn::MtuThatEndsIpv6 } else { Turn::Mtu };
    planner.write(turn, Write::DeviceMtu { device: Values { from: link.mtu, to }, ipv6: kept });
    Ok(())
}

fn ipv6(planner: &mut Planner<'_>, from: u32, to: u32) -> Result<()> {
    if to < LEAST_IPV6 {
        return Err(invalid(format!("nl_mtu: {to} is below {LEAST_IPV6}, the least for IPv6")));
    }
    let device = planner.link.mtu;
    if to > device {
        return Err(unsupported(format!(
            "nl_mtu: an IPv6 MTU over the device's {device} needs a larger device MTU, which would leave the IPv4 MTU \
             below it; set both families, IPv4 first"
        )));
    }
    let mechanism = planner.sysctl_name("mtu");
    planner.tell("nl_mtu", from, to, mechanism);
    let values = Values { from: i64::from(from), to: i64::from(to) };
    planner.write(Turn::Mtu, Write::Sysctl { file: "mtu", values });
    Ok(())
}
