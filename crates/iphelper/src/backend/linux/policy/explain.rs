//! Our objects in the kernel, each with its purpose.

use super::guard::Guard;
use super::names::{
    ADVERTISING_TABLE, DEFAULTS_TABLE, DETECTIONS, FILTER_TABLE, INTERFACE_TABLES, KEEPER_TABLE,
    LOWERED_ROUTES, MAIN_TABLE, MARKERS, MOVED_IPV4_PREFIXES, MOVED_IPV4_ROUTES, MOVED_IPV6_PREFIXES,
    MOVED_IPV6_ROUTES, ORDER, PROTOCOL, ROUTER, RULE_PRIORITY, SHIFTED_ROUTES, STATE_TABLE, is_ours,
};
use super::settings::{Property, Settings, having};
use super::{KeeperLock, router, rules};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::address::on_link;
use crate::backend::linux::link::{Link, address_family};
use crate::doctor::KernelObject;
use crate::error::{ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::rtnetlink::policy_rule::PolicyRule;
use iphelper_netlink::rtnetlink::route::{self, Filter, Route};
use iphelper_netlink::rtnetlink::rule::{Action, Rule, WholeRule};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const OPERATION: &str = "listing our objects";

impl LinuxHost {
    pub(in crate::backend::linux) fn policy_objects(&self) -> Result<Vec<KernelObject>> {
        let links = self.links(OPERATION)?;
        let mut objects = Vec::new();
        for family in Family::ALL {
            match rules::read(self, family) {
                Ok(rules) => {
                    let detours = rules::Detours::read(self, family, false)?;
                    objects.extend(detours.present().iter().map(|rule| detour_object(family, rule)));
                    objects.extend(rules.iter().map(|rule| rule_object(family, rule, &links)));
                }
                Err(error) if error.kind() == ErrorKind::NotSupported => continue,
                Err(error) => return Err(error),
            }
        }
        for family in Family::ALL {
            let routes = self.our_routes(family)?;
            objects.extend(
                routes.tables.iter().map(|(table, count)| table_object(family, *table, *count, &links)),
            );
            objects.extend(routes.on_link.iter().map(|route| on_link_object(route, &links)));
        }
        if let Some(guard) = Guard::read_if_permitted(self)? {
            objects.extend(guard.objects(&links));
            objects.extend(router::wishes(self)?.into_iter().map(|table| KernelObject {
                name: format!("nft table inet {table}"),
                purpose: "empty; belongs to a program that wants this host to be an IPv4 router, and vanishes with it"
                    .to_owned(),
            }));
        }
        if KeeperLock::is_held(self).is_ok_and(|held| held == Some(true)) {
            objects.push(KernelObject {
                name: format!("nft table inet {KEEPER_TABLE}"),
                purpose: "empty; belongs to the running keeper and vanishes with it, so that there is one"
                    .to_owned(),
            });
        }
        Ok(objects)
    }

    /// Whether the kernel has policy rules for a family.
    pub(in crate::backend::linux) fn has_policy_rules(&self, family: Family) -> Result<bool> {
        rules::read(self, family).map(|_| true)
    }

    /// Whether the kernel has a packet filter; `None` where this caller may not know.
    pub(in crate::backend::linux) fn has_packet_filter(&self) -> Result<Option<bool>> {
        if !self.is_administrator()? {
            return Ok(None);
        }
        Ok(Some(Guard::read_if_permitted(self).map_or(true, |guard| guard.is_some())))
    }

    /// What of what `settings` need is not there, in words; `None` where nothing is missed, or this caller cannot see.
    pub(in crate::backend::linux) fn missing_objects(&self, settings: &Settings) -> Result<Option<String>> {
        let Some(guard) = Guard::read_if_permitted(self)? else { return Ok(None) };
        let missed = settings.iter().any(|setting| !guard.has(setting.family, setting.property));
        let mut missing = Vec::new();
        if missed {
            missing.push(format!("the nftables table \"inet {FILTER_TABLE}\", or a part of it,"));
        }
        for family in Family::ALL {
            let guards = !having(settings, family, Property::DisableDefaultRoutes).is_empty();
            if guards && rules::read(self, family)?.len() < 3 {
                missing.push(format!("policy rules of {family}"));
            }
        }
        if missing.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!(
            "{} went away since they were set: somebody flushed them; a keeper, or the next change with iph, makes \
             them anew",
            missing.join(" and ")
        )))
    }

    fn our_routes(&self, family: Family) -> Result<OurRoutes> {
        let mut request = route::dump(address_family(family), Filter::default());
        let routes = self.route.take()?.snapshot(&mut request, OurRoutes::default, |routes, message| {
            let Some(route) = Route::parse(message)? else { return Ok(()) };
            if is_ours(route.table, route.protocol) {
                *routes.tables.entry(route.table).or_insert(0) += 1;
            } else if on_link::is_ours(&route) {
                routes.on_link.push(route);
            }
            Ok(())
        });
        match routes {
            Err(refusal) if matches!(refusal.errno(), libc::EAFNOSUPPORT | libc::EOPNOTSUPP) => {
                Ok(OurRoutes::default())
            }
            routes => routes.map_err(|refusal| refusal.error(OPERATION).because("listing routes")),
        }
    }
}

/// Routes of ours.
#[derive(Debug, Default)]
struct OurRoutes {
    /// How many each table of ours has.
    tables: BTreeMap<u32, usize>,
    /// To the prefixes of addresses that are skipped as source.
    on_link: Vec<Route>,
}

/// The interface's name, or its number where it is gone.
pub(super) fn name_of(index: u32, links: &[Link]) -> String {
    links.iter().find(|link| link.index.0 == index).map_or_else(|| format!("interface {index}"), Link::name)
}

fn flag(family: Family) -> &'static str {
    match family {
        Family::V4 => "-4",
        Family::V6 => "-6",
    }
}

fn rule_object(family: Family, rule: &Rule, links: &[Link]) -> KernelObject {
    let mut name = format!("ip {} rule {}:", flag(family), rule.priority);
    if let Some((address, len)) = &rule.source {
        let _ = write!(name, " from {address}/{len}");
    }
    if let Some(input) = &rule.input {
        let _ = write!(name, " iif {input}");
    }
    let purpose = match rule.action {
        Action::Lookup(MAIN_TABLE) => {
            name.push_str(" lookup main suppress_prefixlength 0");
            "every route of the main table but its default routes".to_owned()
        }
        Action::Lookup(DEFAULTS_TABLE) => {
            let _ = write!(name, " lookup {DEFAULTS_TABLE}");
            "then the default routes that are allowed".to_owned()
        }
        Action::Lookup(table) => {
            let _ = write!(name, " lookup {table}");
            let link = name_of(table & !INTERFACE_TABLES, links);
            format!("WeakHostSend is FALSE: this host's packets with an address of {link} go by its routes")
        }
        Action::Unreachable if rule.source.is_some() => {
            name.push_str(" unreachable");
            "or, where it has none, nowhere".to_owned()
        }
        Action::Unreachable => {
            name.push_str(" unreachable");
            "and no other default route of the main table: DisableDefaultRoutes is set somewhere".to_owned()
        }
        Action::Goto(_) | Action::Other(_) => "of a later version".to_owned(),
    };
    KernelObject { name, purpose }
}

/// What a rule of ours is for; `None` for one of another program's.
pub(in crate::backend::linux) fn rule_purpose(
    rule: &PolicyRule,
    family: Family,
    links: &[Link],
) -> Option<String> {
    if rule.protocol != PROTOCOL {
        return None;
    }
    if matches!(rule.action, Action::Goto(RULE_PRIORITY)) {
        return Some("only default routes that are allowed, see there".to_owned());
    }
    let shown = Rule {
        family: rule.family,
        priority: rule.priority,
        protocol: rule.protocol,
        action: rule.action,
        source: rule.source,
        input: rule.input.clone(),
        unless_marked: None,
        suppress_prefix_len: rule.suppress_prefix_len,
    };
    Some(rule_object(family, &shown, links).purpose)
}

/// A detour, which has all selectors of the rule behind it.
fn detour_object(family: Family, rule: &WholeRule) -> KernelObject {
    let (priority, behind) = (rule.priority, rule.priority.saturating_add(1));
    KernelObject {
        name: format!("ip {} rule {priority}: goto {RULE_PRIORITY}", flag(family)),
        purpose: format!(
            "what rule {behind} would send by any default route of the main table uses those that are allowed"
        ),
    }
}

fn table_object(family: Family, table: u32, count: usize, links: &[Link]) -> KernelObject {
    let plural = if count == 1 { "" } else { "s" };
    let purpose = match table {
        DEFAULTS_TABLE => "copies of the default routes that are allowed".to_owned(),
        INTERFACE_TABLES.. => {
            format!("copies of the routes over {}", name_of(table & !INTERFACE_TABLES, links))
        }
        table => told(table).map_or_else(
            || "of another version of iphelper; no packet meets it".to_owned(),
            |what| format!("tells everybody {what}; no packet meets it"),
        ),
    };
    KernelObject { name: format!("ip {} route table {table} ({count} route{plural})", flag(family)), purpose }
}

/// What a table of routes without device tells.
const fn told(table: u32) -> Option<&'static str> {
    Some(match table {
        STATE_TABLE => "which properties are set",
        MARKERS => "which metrics, MTUs, probes for duplicates and IPv6 forwarding are set by hand",
        MOVED_IPV4_ROUTES => "which IPv4 routes stand higher by their interface's metric",
        MOVED_IPV6_ROUTES => "which IPv6 routes stand higher by their interface's metric",
        MOVED_IPV4_PREFIXES => "which IPv4 addresses' routes stand higher by their interface's metric",
        MOVED_IPV6_PREFIXES => "which IPv6 addresses' routes stand higher by their interface's metric",
        LOWERED_ROUTES => "which MTU IPv4 routes had before theirs was lowered",
        ROUTER => "what forwarded before a program made this host an IPv4 router",
        ORDER => "which of several IPv4 routes of one metric stood first before one of them was moved",
        SHIFTED_ROUTES => "which IPv6 routes stand behind another of the metric that they were made with",
        DETECTIONS => {
            "which IPv4 addresses are being looked for before they are taken, or another computer has"
        }
        ADVERTISING_TABLE => "and the keeper what is advertised",
        _ => return None,
    })
}

/// Routes to the prefixes of addresses that are skipped as source.
fn on_link_object(route: &Route, links: &[Link]) -> KernelObject {
    let link = name_of(route.interface.unwrap_or_default(), links);
    let prefix = match route.destination {
        Some(address) => format!("{address}/{}", route.destination_len),
        None => "default".to_owned(),
    };
    KernelObject {
        name: format!("ip -4 route {prefix} dev {link} proto {}", on_link::PROTOCOL),
        purpose: "the way to the prefix of an address that is skipped as source".to_owned(),
    }
}

/// An object of our packet filter table, by its name.
pub(super) fn filter_object(kind: &str, name: &str, purpose: impl Into<String>) -> KernelObject {
    KernelObject { name: format!("nft {kind} inet {FILTER_TABLE} {name}"), purpose: purpose.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What is explained here has a name for `ip`, and nothing else has.
    #[test]
    fn each_table_has_a_name_for_iproute2() {
        let file = include_str!("../../../../../../packaging/iproute2/rt_tables.d/iphelper.conf");
        let named: BTreeSet<u32> = file
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('\t').next().unwrap().parse().unwrap())
            .collect();
        let ours = DEFAULTS_TABLE & !0xff..=DEFAULTS_TABLE | 0xff;
        let explained = ours.filter(|table| *table == DEFAULTS_TABLE || told(*table).is_some());
        assert_eq!(named, explained.collect());
    }
}
