//! Router advertisements: what is set lives in the kernel, and a keeper advertises it.

use super::plan::{Planner, Turn, invalid, unsupported};
use super::policy;
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::policy::KeeperLock;
use crate::backend::linux::policy::advertise::{Advertising, mechanism};
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::link::flag;
use std::fmt::Display;
use std::time::Duration;

/// The sysctl that makes an interface a router: its neighbour advertisements say so then, and hosts that were told to
/// use this one as their router would leave it without (RFC 4861, section 7.2.5). It forwards no packet by itself.
pub(super) const ROUTER_FILE: &str = "forwarding";

/// What is set, and what is asked.
fn values(planner: &Planner<'_>) -> Result<Values<Advertising>> {
    let (row, change) = (planner.row, planner.change);
    let all = planner.host.advertising(std::slice::from_ref(planner.link))?;
    let from = all.get(&planner.link.index).copied().unwrap_or_default();
    let mut to = from;
    to.enabled = change.advertising_enabled.unwrap_or(from.enabled);
    to.default_route = change.advertise_default_route.unwrap_or(from.default_route);
    if to.enabled {
        to.managed = change.managed_address_configuration_supported.unwrap_or(from.managed);
        to.other_configuration =
            change.other_stateful_configuration_supported.unwrap_or(from.other_configuration);
        to.made_router = from.made_router || (is_asked(planner) && !is_router(planner));
    } else {
        (to.managed, to.other_configuration, to.made_router) = (false, false, false);
    }
    // Equal to what is shown is no change, so that what follows from the other value goes on following it.
    let set = |asked: Option<Duration>, shown: Option<Duration>, was| match asked {
        Some(asked) if Some(asked) != shown => Some(u32::try_from(asked.as_secs()).unwrap_or(u32::MAX)),
        _ => was,
    };
    to.shortest =
        set(change.min_router_advertisement_interval, row.min_router_advertisement_interval, from.shortest);
    to.longest =
        set(change.max_router_advertisement_interval, row.max_router_advertisement_interval, from.longest);
    Ok(Values { from, to })
}

/// Whether the interface shall advertise, said by this very call.
fn is_asked(planner: &Planner<'_>) -> bool {
    planner.change.advertising_enabled == Some(true)
}

fn is_router(planner: &Planner<'_>) -> bool {
    planner.link.ipv6.is_some_and(|ipv6| ipv6.forwarding)
}

pub(super) fn advertising_enabled(planner: &mut Planner<'_>) -> Result<()> {
    if planner.row.family == Family::V4 {
        let reason = "advertising_enabled: Linux does not advertise routers over IPv4 (RFC 1256)";
        return policy::fixed(&false, planner.change.advertising_enabled, reason);
    }
    let values = values(planner)?;
    let Values { from, to } = values;
    // A caller that was killed in between, or somebody else, left it no router.
    let lacks_role = to.made_router && is_asked(planner) && !is_router(planner);
    if from == to && !lacks_role {
        return Ok(());
    }
    if to.enabled {
        check(planner, from.enabled)?;
    }
    tell(planner, "advertising_enabled", from.enabled, to.enabled);
    let changes_role = lacks_role || from.made_router != to.made_router;
    planner.write(Turn::Advertising, Write::Advertising { values, changes_role });
    Ok(())
}

/// Whether the interface can advertise, and somebody is there to do it.
fn check(planner: &Planner<'_>, is_advertising: bool) -> Result<()> {
    // Somebody who may only ask what would change may not know either.
    if KeeperLock::is_held(planner.host)? == Some(false) {
        return Err(unsupported(
            "advertising_enabled: needs a process that sends router advertisements, and none runs in this network \
             namespace: start iph keeper",
        ));
    }
    if !is_advertising {
        if !planner.link.has(flag::MULTICAST) || planner.link.has(flag::LOOPBACK) {
            return Err(unsupported("advertising_enabled: the interface has no multicast to hosts"));
        }
        let forwards = planner.change.forwarding_enabled.unwrap_or(planner.row.forwarding_enabled);
        if !forwards {
            return Err(invalid(
                "advertising_enabled: a router forwards; set forwarding_enabled before, or in the same call",
            ));
        }
    }
    Ok(())
}

pub(super) fn advertise_default_route(planner: &mut Planner<'_>) -> Result<()> {
    if planner.row.family == Family::V4 {
        let reason = "advertise_default_route: Linux does not advertise routers over IPv4 (RFC 1256)";
        return policy::fixed(&false, planner.change.advertise_default_route, reason);
    }
    let Values { from, to } = values(planner)?;
    tell(planner, "advertise_default_route", from.default_route, to.default_route);
    Ok(())
}

pub(super) fn managed_address_configuration_supported(planner: &mut Planner<'_>) -> Result<()> {
    advertised_flag(
        planner,
        "managed_address_configuration_supported",
        planner.row.managed_address_configuration_supported,
        planner.change.managed_address_configuration_supported,
        |it| it.managed,
    )
}

pub(super) fn other_stateful_configuration_supported(planner: &mut Planner<'_>) -> Result<()> {
    advertised_flag(
        planner,
        "other_stateful_configuration_supported",
        planner.row.other_stateful_configuration_supported,
        planner.change.other_stateful_configuration_supported,
        |it| it.other_configuration,
    )
}

/// A flag of router advertisements: ours while the interface advertises, else the router's. Where no router is heard,
/// FALSE holds already.
fn advertised_flag(
    planner: &mut Planner<'_>,
    property: &'static str,
    shown: Option<bool>,
    asked: Option<bool>,
    of: fn(&Advertising) -> bool,
) -> Result<()> {
    let shown = shown.unwrap_or(false);
    let advertises = planner.change.advertising_enabled.unwrap_or(planner.row.advertising_enabled)
        && planner.row.family == Family::V6;
    if !advertises {
        // Ours go with the advertisements.
        return match asked.filter(|asked| *asked != shown && (*asked || !planner.row.advertising_enabled)) {
            Some(_) => Err(unsupported(format!(
                "{property}: the router on the link tells it; it can be set where advertising_enabled is TRUE"
            ))),
            None => Ok(()),
        };
    }
    let Values { to, .. } = values(planner)?;
    tell(planner, property, shown, of(&to));
    Ok(())
}

pub(super) fn min_router_advertisement_interval(planner: &mut Planner<'_>) -> Result<()> {
    let asked = planner.change.min_router_advertisement_interval;
    interval(planner, "min_router_advertisement_interval", asked, Advertising::shortest)
}

pub(super) fn max_router_advertisement_interval(planner: &mut Planner<'_>) -> Result<()> {
    let asked = planner.change.max_router_advertisement_interval;
    interval(planner, "max_router_advertisement_interval", asked, Advertising::longest)
}

fn interval(
    planner: &mut Planner<'_>,
    property: &'static str,
    asked: Option<Duration>,
    of: fn(&Advertising) -> u32,
) -> Result<()> {
    if planner.row.family == Family::V4 {
        return match asked {
            Some(_) => {
                Err(unsupported(format!("{property}: Linux does not advertise routers over IPv4 (RFC 1256)")))
            }
            None => Ok(()),
        };
    }
    if asked.is_some_and(|asked| asked.subsec_nanos() != 0) {
        return Err(invalid(format!("{property}: whole seconds")));
    }
    let Values { from, to } = values(planner)?;
    if asked.is_some() {
        // RFC 4861, section 6.2.1.
        let (shortest, longest) = (to.shortest(), to.longest());
        let limit = u64::from(longest) * 3 / 4;
        if !(4..=1800).contains(&longest) {
            return Err(invalid("max_router_advertisement_interval: 4 to 1800 s"));
        }
        if !(3..=limit).contains(&u64::from(shortest)) {
            return Err(invalid(format!(
                "min_router_advertisement_interval: 3 s to three quarters of the longest interval, here {limit} s"
            )));
        }
    }
    tell(planner, property, format!("{} s", of(&from)), format!("{} s", of(&to)));
    Ok(())
}

/// Tells a change, if it is one.
fn tell<T: Display + PartialEq>(planner: &mut Planner<'_>, property: &'static str, from: T, to: T) {
    if from != to {
        let mechanism = mechanism(planner.link.index);
        planner.tell(property, from, to, mechanism);
    }
}
