//! The route to a prefix that comes first, by one question instead of by the whole table.
//!
//! The kernel lists tables alone, never the routes to one prefix, so that the next of a hundred thousand changes would read
//! as many routes. But it answers with the longest prefix of a table that holds an address, and with the first of the routes
//! to it. Asked for a prefix' first address, that is the prefix itself where it has a route, or tells that there is none;
//! but for routes that the kernel passes over: by links that are down, for other types of service, from other sources.

use super::find::{Candidate, Found, is_named, link_of};
use super::row::Surroundings;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::Result;
use crate::route::{MAIN_TABLE, RouteKey};
use crate::types::{Family, Prefix};
use iphelper_netlink::rtnetlink::link::flag;
use iphelper_netlink::rtnetlink::policy_rule::PolicyRule;
use iphelper_netlink::rtnetlink::route::{self as wire, protocol};
use iphelper_netlink::rtnetlink::route_lookup::{Answer, RouteLookup};
use iphelper_netlink::rtnetlink::rule::{Action, Rule};

/// Whether the kernel says that there is no route to the very prefix, over this interface at least.
pub(super) fn has_none(host: &LinuxHost, table: u32, destination: Prefix, link: &Link) -> bool {
    match longest(host, destination, link) {
        Some(Longest::Route(route)) => route.table == table && route.destination_len < destination.len(),
        Some(Longest::Nothing) => every_packet_meets(host, Family::of(&destination.address()), table),
        None => false,
    }
}

/// The route of a key, where it is the first to its prefix and a plain one of an interface that is up. Others of the key may
/// stand behind it. `None` tells nothing.
pub(super) fn find(host: &LinuxHost, key: &RouteKey, operation: &'static str) -> Result<Option<Found>> {
    let link = link_of(host, key, operation)?;
    let Some(Longest::Route(route)) = longest(host, key.destination, &link) else { return Ok(None) };
    // Routes with several next hops are looked at as a whole, and the kernel's own by who advertised them.
    if route.table != key.table.unwrap_or(MAIN_TABLE)
        || route.destination_len != key.destination.len()
        || route.next_hop_id.is_some()
        || !route.next_hops.is_empty()
        || route.protocol == protocol::KERNEL
    {
        return Ok(None);
    }
    let mut surroundings = Surroundings::read(host, std::slice::from_ref(&link), &[], operation)?;
    let mut candidates = Vec::new();
    surroundings
        .rows(route.clone(), |row| candidates.push(Candidate { row, wire: route.clone() }))
        .map_err(|refusal| refusal.error(operation))?;
    candidates.retain(|it| {
        it.is_plain()
            && it.row.index == Some(link.index)
            && is_named(&it.row, key)
            && key.metric.is_none_or(|metric| metric == it.row.metric)
    });
    Ok((!candidates.is_empty()).then(|| Found { link, surroundings, candidates, all: vec![route] }))
}

/// What the kernel has for an address.
#[derive(Debug)]
enum Longest {
    Route(wire::Route),
    Nothing,
}

/// The longest prefix that holds the first address of this one.
fn longest(host: &LinuxHost, destination: Prefix, link: &Link) -> Option<Longest> {
    if !link.has(flag::UP | flag::LOWER_UP) || destination.address().is_unspecified() {
        return None;
    }
    let question = RouteLookup::to(destination.address()).request(Answer::Entry);
    let (mut found, mut errno) = (None, 0);
    let asked = host.route.take().ok()?.answers([question], |_, answer| {
        match answer {
            Ok(message) => found = wire::Route::parse(message)?,
            Err(refusal) => errno = refusal.errno(),
        }
        Ok(())
    });
    asked.ok()?;
    found.map(Longest::Route).or_else(|| (errno == libc::ENETUNREACH).then_some(Longest::Nothing))
}

/// Whether each packet meets a table whole, unless an earlier one has a route: no rule ends the search before, or leaves
/// routes out.
fn every_packet_meets(host: &LinuxHost, family: Family, table: u32) -> bool {
    let Ok(mut socket) = host.route.take() else { return false };
    let rules = socket.snapshot(&mut Rule::dump(address_family(family)), Vec::new, |rules, message| {
        rules.extend(PolicyRule::parse(message)?);
        Ok(())
    });
    rules.is_ok_and(|rules| {
        rules.iter().all(|rule| matches!(rule.action, Action::Lookup(_)))
            && rules.iter().any(|rule| rule.is_plain() && rule.action == Action::Lookup(table))
    })
}
