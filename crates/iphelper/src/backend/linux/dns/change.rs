//! What holds of a change on every kind of resolver, and how it reads.

use super::SETTING;
use crate::dns::{
    Dns, DnsChange, DnsDomain, DnsServer, InterfaceDnsChange, InterfaceDnsSettings, check_domain_name,
};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::Family;
use std::net::IpAddr;

/// A list may be this long. `systemd-resolved` takes no more either.
const MOST: usize = 256;

/// The change with its names in their one form.
pub(super) fn checked(change: &InterfaceDnsChange) -> Result<InterfaceDnsChange> {
    if let Some(servers) = &change.servers {
        check_servers(servers)?;
        let other = |server: &&DnsServer| change.servers_of.is_some_and(|family| !is_of(server, family));
        if let Some(server) = servers.iter().find(other) {
            return Err(invalid(format!("{server} is not of the family whose servers are set")));
        }
    }
    Ok(InterfaceDnsChange {
        domain: change.domain.as_deref().map(check_optional_name).transpose()?,
        search: change.search.as_deref().map(check_names).transpose()?,
        routing: change.routing.as_deref().map(check_routing_names).transpose()?,
        ..change.clone()
    })
}

/// The same for the host.
pub(super) fn checked_of_host(change: &DnsChange) -> Result<DnsChange> {
    if let Some(servers) = &change.servers {
        check_servers(servers)?;
    }
    Ok(DnsChange {
        host_name: change.host_name.as_deref().map(super::host_name::check).transpose()?.map(str::to_owned),
        domain: change.domain.as_deref().map(check_optional_name).transpose()?,
        search: change.search.as_deref().map(check_names).transpose()?,
        ..change.clone()
    })
}

/// The change without those lists that are as they should be, which are no change whatever they hold: a file may have what
/// would not be written (a server twice, `search .`). `None`: there are none such.
pub(super) fn without_present(
    change: &InterfaceDnsChange,
    before: &InterfaceDnsSettings,
) -> Option<InterfaceDnsChange> {
    let mut left = change.clone();
    if servers_after(&before.servers, change).as_ref() == Some(&before.servers) {
        left.servers = None;
    }
    if domains_after(&before.domains, change).as_ref() == Some(&before.domains) {
        (left.domain, left.search, left.routing) = (None, None, None);
    }
    (left != *change).then_some(left)
}

/// The same for the host. Its domain, and the search list, may follow from its name; who sets what they are writes nothing.
pub(super) fn of_host_without_present(change: &DnsChange, before: &Dns) -> DnsChange {
    let mut left = change.clone();
    if change.servers.as_ref() == Some(&before.servers) {
        left.servers = None;
    }
    // A new name without a dot stays in its domain.
    if change.host_name.as_ref().is_none_or(|name| !name.contains('.')) {
        if change.domain.as_deref() == Some(before.domain_name.as_deref().unwrap_or_default()) {
            left.domain = None;
        }
        let searched = before.domains.iter().filter(|domain| !domain.routing_only);
        if left.domain.is_none()
            && change.search.as_ref().is_some_and(|names| names.iter().eq(searched.map(|it| &it.name)))
        {
            left.search = None;
        }
    }
    left
}

fn check_servers(servers: &[DnsServer]) -> Result<()> {
    if servers.len() > MOST {
        return Err(invalid(format!("{} servers are too many", servers.len())));
    }
    for (position, server) in servers.iter().enumerate() {
        if server.address.is_unspecified() || server.address.is_multicast() {
            return Err(invalid(format!("{server} is no host's address")));
        }
        if server.zone.is_some() && !server.is_link_local() {
            return Err(invalid(format!("{server} has a zone and is not link-local")));
        }
        if servers.iter().take(position).any(|other| other == server) {
            return Err(invalid(format!("{server} is named twice")));
        }
    }
    Ok(())
}

fn check_names(names: &[String]) -> Result<Vec<String>> {
    if names.len() > MOST {
        return Err(invalid(format!("{} domains are too many", names.len())));
    }
    let mut checked: Vec<String> = Vec::new();
    for name in names {
        let name = check_domain_name(name)?;
        // A name that comes twice is tried once.
        if !checked.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            checked.push(name.to_owned());
        }
    }
    Ok(checked)
}

/// As the others, and the root, which all names are in.
fn check_routing_names(names: &[String]) -> Result<Vec<String>> {
    let has_root = names.iter().any(|name| name == ".");
    let others: Vec<String> = names.iter().filter(|name| *name != ".").cloned().collect();
    let mut checked = check_names(&others)?;
    if has_root {
        checked.insert(0, ".".to_owned());
    }
    Ok(checked)
}

fn check_optional_name(name: &str) -> Result<String> {
    if name.is_empty() { Ok(String::new()) } else { check_domain_name(name).map(str::to_owned) }
}

fn invalid(reason: String) -> Error {
    Error::new(ErrorKind::InvalidParameter, SETTING).because(reason)
}

fn is_of(server: &DnsServer, family: Family) -> bool {
    matches!((server.address, family), (IpAddr::V4(_), Family::V4) | (IpAddr::V6(_), Family::V6))
}

/// The servers after a change; `None`: as before.
pub(super) fn servers_after(before: &[DnsServer], change: &InterfaceDnsChange) -> Option<Vec<DnsServer>> {
    let new = change.servers.clone()?;
    let Some(family) = change.servers_of else { return Some(new) };
    let others = before.iter().filter(|server| !is_of(server, family)).cloned();
    Some(match family {
        Family::V4 => new.into_iter().chain(others).collect(),
        Family::V6 => others.chain(new).collect(),
    })
}

/// The domains after a change; `None`: as before.
pub(super) fn domains_after(before: &[DnsDomain], change: &InterfaceDnsChange) -> Option<Vec<DnsDomain>> {
    if change.domain.is_none() && change.search.is_none() && change.routing.is_none() {
        return None;
    }
    let names = |routing_only: bool| {
        let of_kind = before.iter().filter(move |domain| domain.routing_only == routing_only);
        of_kind.map(|domain| domain.name.clone()).collect::<Vec<_>>()
    };
    let mut search = change.search.clone().unwrap_or_else(|| names(false));
    match change.domain.as_deref() {
        Some("") if change.search.is_none() && !search.is_empty() => drop(search.remove(0)),
        Some("") | None => {}
        Some(first) => {
            search.retain(|name| !name.eq_ignore_ascii_case(first));
            search.insert(0, first.to_owned());
        }
    }
    let routing = change.routing.clone().unwrap_or_else(|| names(true));
    let routing = routing.into_iter().map(|name| DnsDomain { name, routing_only: true });
    Some(search.into_iter().map(DnsDomain::search).chain(routing).collect())
}

/// A change of a list, unless it is none.
pub(super) fn list_change<T: ToString + PartialEq>(
    property: &'static str,
    from: &[T],
    to: &[T],
    mechanism: &str,
) -> Option<PropertyChange> {
    (from != to).then(|| change(property, &join(from), &join(to), mechanism))
}

/// A change of a property, unless it is none.
pub(super) fn one_change<T: ToString + PartialEq>(
    property: &'static str,
    from: &T,
    to: &T,
    mechanism: &str,
) -> Option<PropertyChange> {
    (from != to).then(|| change(property, &from.to_string(), &to.to_string(), mechanism))
}

fn change(property: &'static str, from: &str, to: &str, mechanism: &str) -> PropertyChange {
    PropertyChange { property, from: from.to_owned(), to: to.to_owned(), mechanism: mechanism.to_owned() }
}

fn join<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
