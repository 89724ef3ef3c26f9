//! The kernel's decision again, step by step, from what can be read of rules and tables.
//!
//! The answer is asked of the kernel. What is here follows `net/core/fib_rules.c` and the two look-ups behind it as far as
//! rules and routes tell, and is compared with the answer, so that a wrong explanation says that it is one.

use super::{OPERATION, covers};
use crate::backend::BestRoute as _;
use crate::backend::Neighbor as _;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::names::{self, DEFAULTS_TABLE, INTERFACE_TABLES, LOCAL_TABLE, MAIN_TABLE};
use crate::backend::linux::policy::{Property, rule_purpose};
use crate::backend::linux::route::row::Surroundings;
use crate::best_route::{
    BestRoute, BestRouteQuery, Candidate, CandidateOutcome, RouteExplanation, RuleOutcome, RuleStep,
    SourceChoice,
};
use crate::error::{ErrorKind, Result};
use crate::neighbor::Neighbor;
use crate::route::{Route as Row, RouteKind};
use crate::types::{Family, Prefix};
use iphelper_netlink::rtnetlink::link::flag;
use iphelper_netlink::rtnetlink::policy_rule::{PolicyRule, Ports};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, kind};
use iphelper_netlink::rtnetlink::rule::{Action, Rule};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

/// `RTNH_F_DEAD` and `RTNH_F_LINKDOWN`.
const DEAD: u32 = 0x1;
const LINK_DOWN: u32 = 0x10;
/// `FR_ACT_NOP`: a label to go to.
const NOTHING: u8 = 3;
/// `FR_ACT_BLACKHOLE` and `FR_ACT_PROHIBIT`.
const BLACKHOLE: u8 = 6;
const PROHIBIT: u8 = 8;
/// `IPPROTO_UDP`: what `inet_rtm_getroute` takes a packet for.
const UDP: u8 = 17;

/// The packet, as rules and routes judge it.
struct Packet<'a> {
    destination: IpAddr,
    source: Option<IpAddr>,
    output: Option<&'a Link>,
    mark: u32,
    user: u32,
    /// `IPPROTO_*`, as the kernel takes it where nobody tells.
    protocol: u8,
    source_port: u16,
    destination_port: u16,
    /// Whether it may pass a VRF.
    vrf: bool,
}

/// Everything around it.
struct Scene<'a> {
    host: &'a LinuxHost,
    family: Family,
    links: &'a [Link],
    surroundings: Surroundings,
    /// Interfaces whose default routes are disabled.
    guarded: BTreeSet<u32>,
}

impl LinuxHost {
    pub(super) fn explain(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<RouteExplanation> {
        let family = Family::of(&destination);
        self.require_family(family, OPERATION)?;
        super::check(destination, query)?;
        let links = self.links(OPERATION)?;
        let output = query.interface.map(|key| self.ip_link(key, family, OPERATION)).transpose()?;
        let best = self.best_route(destination, query);
        let packet = Packet {
            destination: super::asked_for(destination),
            source: query.source,
            output: output.as_ref(),
            mark: query.mark.unwrap_or_default(),
            user: query.user.unwrap_or_else(|| rustix::process::geteuid().as_raw()),
            protocol: match (query.transport, family) {
                (Some(transport), _) => super::number_of(transport.protocol, destination),
                (None, Family::V4) => UDP,
                (None, Family::V6) => 0,
            },
            source_port: query.transport.and_then(|it| it.source_port).unwrap_or(0),
            destination_port: query.transport.and_then(|it| it.destination_port).unwrap_or(0),
            vrf: output.as_ref().is_some_and(|link| is_of_vrf(link, &links)),
        };
        let settings = self.policy_settings(&links)?;
        let guarded = settings
            .iter()
            .filter(|setting| setting.family == family && setting.property == Property::DisableDefaultRoutes)
            .map(|setting| setting.index.0)
            .collect();
        let surroundings = Surroundings::read(self, &links, &[family], OPERATION)?;
        let mut scene = Scene { host: self, family, links: &links, surroundings, guarded };
        let (steps, taken) = scene.walk(&packet)?;
        let agrees = match (&best, &taken) {
            (Ok(best), Some(taken)) => is_same(best, taken),
            (Err(error), None) => matches!(
                error.kind(),
                ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NotFound
            ),
            // The packet filter has the last word.
            (Err(error), Some(_)) => error.errno().is_none(),
            (Ok(_), None) => false,
        };
        let source = match (&best, query.source) {
            (_, Some(_)) => SourceChoice::Asked,
            (Ok(BestRoute { source: None, .. }) | Err(_), _) => SourceChoice::None,
            (Ok(best), _) if best.route.preferred_source == best.source => SourceChoice::OfRoute,
            (Ok(_), _) => SourceChoice::Chosen,
        };
        let neighbor = best.as_ref().ok().and_then(|best| self.neighbor_of(best, destination));
        Ok(RouteExplanation { best, steps, source, neighbor, agrees })
    }

    /// The neighbour that a packet goes to, as far as one is known.
    fn neighbor_of(&self, best: &BestRoute, destination: IpAddr) -> Option<Neighbor> {
        let next_hop = best.route.next_hop;
        let address = if next_hop.is_unspecified() { destination } else { next_hop };
        (best.route.kind == RouteKind::Unicast)
            .then(|| self.neighbor(best.luid.into(), address).ok())
            .flatten()
    }
}

/// Whether the kernel's answer is what the walk has found. A copy of ours stands for its original.
fn is_same(best: &BestRoute, taken: &Row) -> bool {
    let row = &best.route;
    (row.destination, row.index) == (taken.destination, taken.index)
        && (row.next_hop == taken.next_hop || row.next_hop_object.is_some())
        // One hop of several is the kernel's choice for the flow.
        || row.multipath.is_some() && row.destination == taken.destination
}

impl Scene<'_> {
    /// The rules in their order, and the route that is taken in the end.
    fn walk(&mut self, packet: &Packet<'_>) -> Result<(Vec<RuleStep>, Option<Row>)> {
        let rules = self.rules()?;
        let mut steps = Vec::new();
        let (mut decided, mut taken) = (false, None);
        let mut strong = false;
        let mut looked_up = BTreeSet::new();
        let mut go_to = None;
        for rule in &rules {
            if go_to.is_some_and(|target| rule.priority < target) {
                continue;
            }
            go_to = None;
            if decided {
                break;
            }
            let mut step = RuleStep {
                priority: rule.priority,
                rule: words(rule),
                purpose: rule_purpose(rule, self.family, self.links),
                table: None,
                outcome: RuleOutcome::DoesNotApply,
                candidates: Vec::new(),
            };
            if !applies(rule, packet) {
                steps.push(step);
                continue;
            }
            if rule.has_more || rule.vrf && packet.vrf {
                step.outcome = RuleOutcome::Unknown;
                steps.push(step);
                continue;
            }
            match rule.action {
                Action::Lookup(table) => {
                    step.table = Some(table);
                    let _ = looked_up.insert(table);
                    let (candidates, found) = self.look_up(table, packet, Some(rule))?;
                    step.candidates = candidates;
                    step.outcome = match found {
                        Found::Nothing => RuleOutcome::NoRoute,
                        Found::Forbidden => RuleOutcome::Forbids,
                        Found::Taken(row) => {
                            taken = Some(row);
                            RuleOutcome::Decides
                        }
                    };
                    decided = step.outcome != RuleOutcome::NoRoute;
                }
                Action::Goto(target) => {
                    step.outcome = RuleOutcome::NoRoute;
                    go_to = rules.iter().any(|rule| rule.priority == target).then_some(target);
                }
                Action::Other(NOTHING) => step.outcome = RuleOutcome::NoRoute,
                Action::Unreachable | Action::Other(BLACKHOLE | PROHIBIT) => {
                    step.outcome = RuleOutcome::Forbids;
                    decided = true;
                }
                Action::Other(_) => step.outcome = RuleOutcome::Unknown,
            }
            strong |= decided && rule.protocol == names::PROTOCOL && rule.source.is_some();
            steps.push(step);
        }
        if decided && !looked_up.contains(&MAIN_TABLE) {
            steps.extend(self.not_reached(packet, strong)?);
        }
        Ok((steps, taken))
    }

    /// The main table, where nobody has looked it up.
    fn not_reached(&mut self, packet: &Packet<'_>, strong: bool) -> Result<Option<RuleStep>> {
        let (mut candidates, _) = self.look_up(MAIN_TABLE, packet, None)?;
        if candidates.is_empty() {
            return Ok(None);
        }
        let outcome = if strong { CandidateOutcome::StrongHost } else { CandidateOutcome::NotReached };
        candidates.iter_mut().for_each(|candidate| candidate.outcome = outcome);
        Ok(Some(RuleStep {
            priority: 32766,
            rule: "from all lookup main".to_owned(),
            purpose: None,
            table: Some(MAIN_TABLE),
            outcome: RuleOutcome::NotReached,
            candidates,
        }))
    }

    fn rules(&self) -> Result<Vec<PolicyRule>> {
        let mut request = Rule::dump(address_family(self.family));
        let rules = self.host.route.take()?.snapshot(&mut request, Vec::new, |rules, message| {
            rules.extend(PolicyRule::parse(message)?);
            Ok(())
        });
        match rules {
            // Without policy rules the kernel looks two tables up.
            Err(refusal) if matches!(refusal.errno(), libc::EOPNOTSUPP | libc::EAFNOSUPPORT) => {
                let family = address_family(self.family);
                let tables = [(0, LOCAL_TABLE), (32766, MAIN_TABLE)];
                Ok(tables.map(|(at, table)| PolicyRule::for_all(family, at, Action::Lookup(table))).to_vec())
            }
            rules => rules.map_err(|refusal| refusal.error(OPERATION).because("listing the rules")),
        }
    }

    /// The routes of a table that cover the destination, the best first, and what comes of them where `rule` looks it up.
    fn look_up(
        &mut self,
        table: u32,
        packet: &Packet<'_>,
        rule: Option<&PolicyRule>,
    ) -> Result<(Vec<Candidate>, Found)> {
        let mut routes = self.covering(table, packet.destination)?;
        // IPv4 takes the first of one metric, as does this sort.
        routes.sort_by_key(|route| (Reverse(route.destination_len), Reverse(route.tos), route.priority));
        let mut candidates = Vec::new();
        let mut winner: Option<Row> = None;
        let mut found = None;
        for route in routes {
            let flags = route.flags;
            let mut rows = Vec::new();
            let hops: Vec<u32> = route.next_hops.iter().map(|hop| hop.flags.into()).collect();
            self.surroundings
                .rows(route, |row| rows.push(row))
                .map_err(|refusal| refusal.error(OPERATION).because("listing routes"))?;
            for (place, row) in rows.into_iter().enumerate() {
                let flags = hops.get(place).copied().unwrap_or(flags);
                let outcome = match &winner {
                    Some(winner) => lost_to(winner, &row),
                    None => self.judge(&row, flags, packet, rule),
                };
                let takes = outcome == CandidateOutcome::Taken;
                // What is found and not taken ends the look-up in this table, too.
                let ends = matches!(outcome, CandidateOutcome::Throws | CandidateOutcome::SuppressedGroup);
                if takes || ends {
                    winner = Some(row.clone());
                    found = Some(match row.kind {
                        _ if ends => Found::Nothing,
                        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit => {
                            Found::Forbidden
                        }
                        _ => Found::Taken(row.clone()),
                    });
                }
                candidates.push(Candidate { route: row, outcome });
            }
        }
        Ok((candidates, found.unwrap_or(Found::Nothing)))
    }

    /// The routes of a table that cover an address.
    fn covering(&self, table: u32, address: IpAddr) -> Result<Vec<Route>> {
        let filter = Filter { table: Some(table), ..Filter::default() };
        let mut request = route::dump(address_family(self.family), filter);
        let routes = self.host.route.take()?.snapshot(&mut request, Vec::new, |routes, message| {
            routes.extend(Route::parse(message)?.filter(|route| {
                // Addresses of this host as a source are no destinations.
                route.table == table && covers(route, address) && route.kind != kind::MULTICAST
                    || route.table == table && address.is_multicast() && covers(route, address)
            }));
            Ok(())
        });
        match routes {
            Err(refusal) if refusal.errno() == libc::ENOENT => Ok(Vec::new()),
            routes => routes.map_err(|refusal| refusal.error(OPERATION).because("listing routes")),
        }
    }

    /// What becomes of a route that no better one has beaten.
    fn judge(
        &self,
        row: &Row,
        flags: u32,
        packet: &Packet<'_>,
        rule: Option<&PolicyRule>,
    ) -> CandidateOutcome {
        let link = row.index.and_then(|index| self.links.iter().find(|link| link.index == index));
        if row.type_of_service != 0 {
            return CandidateOutcome::OtherPackets;
        }
        let is_others = |prefix: &Prefix| !packet.source.is_some_and(|source| prefix.contains(source));
        if row.source.as_ref().is_some_and(is_others) {
            return CandidateOutcome::OtherPackets;
        }
        let is_unicast = row.kind == RouteKind::Unicast;
        if is_unicast && (flags & DEAD != 0 || link.is_some_and(|link| !link.has(flag::UP))) {
            return CandidateOutcome::Down;
        }
        if is_unicast && flags & LINK_DOWN != 0 && self.ignores_link_down(link) {
            return CandidateOutcome::Down;
        }
        if let (Some(output), true) = (packet.output, is_unicast)
            && row.index != Some(output.index)
        {
            return CandidateOutcome::OtherInterface;
        }
        let suppressed = rule.and_then(|rule| rule.suppress_prefix_len);
        if suppressed.is_some_and(|len| u32::from(row.destination.len()) <= len) {
            let is_ours = rule.is_some_and(|rule| rule.protocol == names::PROTOCOL);
            let is_guarded = row.index.is_some_and(|index| self.guarded.contains(&index.0));
            return if is_ours && is_guarded {
                CandidateOutcome::DefaultRouteDisabled
            } else {
                CandidateOutcome::Suppressed
            };
        }
        let of_group = rule.and_then(|rule| rule.suppress_group);
        match row.kind {
            RouteKind::Throw => CandidateOutcome::Throws,
            _ if of_group.is_some() && link.map(|link| link.group) == of_group => {
                CandidateOutcome::SuppressedGroup
            }
            _ => CandidateOutcome::Taken,
        }
    }

    /// Whether routes over an interface without a carrier are passed over (`ignore_routes_with_linkdown`).
    fn ignores_link_down(&self, link: Option<&Link>) -> bool {
        let is_set = |name: &str| {
            let path = format!("conf/{name}/ignore_routes_with_linkdown");
            self.host.sysctl.read(self.family, &path).is_ok_and(|value| value != "0")
        };
        is_set("all") && self.family == Family::V4 || link.is_some_and(|link| is_set(&link.name()))
    }
}

/// What a table gives.
enum Found {
    Nothing,
    Forbidden,
    Taken(Row),
}

/// Why a route lost to the one that is taken, which stands before it.
fn lost_to(winner: &Row, row: &Row) -> CandidateOutcome {
    if row.destination.len() < winner.destination.len() {
        CandidateOutcome::ShorterPrefix
    } else if row.system_metric > winner.system_metric {
        CandidateOutcome::HigherMetric
    } else {
        CandidateOutcome::Later
    }
}

/// Whether a rule is for the packet, as far as can be seen here.
fn applies(rule: &PolicyRule, packet: &Packet<'_>) -> bool {
    let is_in = |prefix: &(IpAddr, u8), address: Option<IpAddr>| {
        // A packet without a source is from 0.0.0.0 to IPv4, and from nowhere to IPv6.
        let address = match (address, prefix.0) {
            (None, IpAddr::V4(_)) => IpAddr::from([0, 0, 0, 0]),
            (None, IpAddr::V6(_)) => return false,
            (Some(address), _) => address,
        };
        Prefix::new(prefix.0, prefix.1).is_ok_and(|prefix| prefix.contains(address))
    };
    let matches = rule.destination.as_ref().is_none_or(|prefix| is_in(prefix, Some(packet.destination)))
        && rule.source.as_ref().is_none_or(|prefix| is_in(prefix, packet.source))
        // A packet of this host has come in by nothing, which is called so.
        && rule.input.as_ref().is_none_or(|input| input == "lo")
        && rule.output.as_ref().is_none_or(|output| packet.output.is_some_and(|link| link.name() == *output))
        && rule.mark.is_none_or(|(mark, mask)| (packet.mark ^ mark) & mask == 0)
        && rule.users.is_none_or(|(first, last)| (first..=last).contains(&packet.user))
        && rule.ip_protocol.is_none_or(|protocol| protocol == packet.protocol)
        && rule.source_ports.is_none_or(|ports| ports.contains(packet.source_port))
        && rule.destination_ports.is_none_or(|ports| ports.contains(packet.destination_port))
        // What nobody asks about: the kernel takes each for 0, and what this host sends belongs to no tunnel.
        && rule.tos == 0
        && rule.dscp.is_none_or(|(dscp, mask)| dscp & mask == 0)
        && rule.flow_label.is_none_or(|(label, mask)| label & mask == 0)
        && rule.tunnel.is_none()
        && (!rule.vrf || packet.vrf);
    matches != rule.inverted
}

/// Whether a link is a VRF or a port of one.
fn is_of_vrf(link: &Link, links: &[Link]) -> bool {
    let is_vrf = |link: &Link| link.kind.as_deref() == Some("vrf");
    is_vrf(link) || links.iter().any(|master| Some(master.index) == link.master && is_vrf(master))
}

/// A rule as `ip rule` words it.
fn words(rule: &PolicyRule) -> String {
    let mut words = String::new();
    if rule.inverted {
        words.push_str("not ");
    }
    words.push_str("from ");
    let prefix = |words: &mut String, prefix: &Option<(IpAddr, u8)>| {
        let _ = match prefix {
            Some((address, len)) if *len == Family::of(address).address_bits() => write!(words, "{address}"),
            Some((address, len)) => write!(words, "{address}/{len}"),
            None => write!(words, "all"),
        };
    };
    prefix(&mut words, &rule.source);
    if rule.destination.is_some() {
        words.push_str(" to ");
        prefix(&mut words, &rule.destination);
    }
    if rule.tos != 0 {
        let _ = write!(words, " tos {:#x}", rule.tos);
    }
    if let Some((mark, mask)) = rule.mark {
        let _ = write!(words, " fwmark {mark:#x}");
        if mask != u32::MAX {
            let _ = write!(words, "/{mask:#x}");
        }
    }
    for (word, name) in [("iif", &rule.input), ("oif", &rule.output)] {
        if let Some(name) = name {
            let _ = write!(words, " {word} {name}");
        }
    }
    if let Some((first, last)) = rule.users {
        let _ = write!(words, " uidrange {first}-{last}");
    }
    if let Some(protocol) = rule.ip_protocol {
        let _ = match protocol {
            1 => write!(words, " ipproto icmp"),
            6 => write!(words, " ipproto tcp"),
            UDP => write!(words, " ipproto udp"),
            58 => write!(words, " ipproto ipv6-icmp"),
            other => write!(words, " ipproto {other}"),
        };
    }
    for (word, ports) in [("sport", rule.source_ports), ("dport", rule.destination_ports)] {
        let _ = match ports {
            Some(Ports { first, last, mask: 0 | u16::MAX }) if first == last => {
                write!(words, " {word} {first}")
            }
            Some(Ports { first, last, mask: 0 }) => write!(words, " {word} {first}-{last}"),
            Some(Ports { first, mask, .. }) => write!(words, " {word} {first}/{mask:#x}"),
            None => Ok(()),
        };
    }
    if let Some((dscp, mask)) = rule.dscp {
        let _ = write!(words, " dscp {dscp}");
        if mask & 0x3f != 0x3f {
            let _ = write!(words, "/{mask:#x}");
        }
    }
    if let Some((label, mask)) = rule.flow_label {
        let _ = write!(words, " flowlabel {label:#x}");
        if mask & 0xf_ffff != 0xf_ffff {
            let _ = write!(words, "/{mask:#x}");
        }
    }
    if let Some(tunnel) = rule.tunnel {
        let _ = write!(words, " tun_id {tunnel}");
    }
    if rule.has_more {
        words.push_str(" ...");
    }
    let _ = match rule.action {
        _ if rule.vrf => write!(words, " lookup [l3mdev-table]"),
        Action::Lookup(table) => write!(words, " lookup {}", table_name(table)),
        Action::Goto(target) => write!(words, " goto {target}"),
        Action::Unreachable => write!(words, " unreachable"),
        Action::Other(NOTHING) => write!(words, " nop"),
        Action::Other(BLACKHOLE) => write!(words, " blackhole"),
        Action::Other(PROHIBIT) => write!(words, " prohibit"),
        Action::Other(action) => write!(words, " action {action}"),
    };
    if let Some(len) = rule.suppress_prefix_len {
        let _ = write!(words, " suppress_prefixlength {len}");
    }
    if let Some(group) = rule.suppress_group {
        let _ = write!(words, " suppress_ifgroup {group}");
    }
    words
}

/// What a table is called.
fn table_name(table: u32) -> String {
    match table {
        MAIN_TABLE => "main".to_owned(),
        LOCAL_TABLE => "local".to_owned(),
        253 => "default".to_owned(),
        DEFAULTS_TABLE => format!("{table} (iphelper: default routes that are allowed)"),
        INTERFACE_TABLES.. => {
            format!("{table} (iphelper: routes over interface {})", table & !INTERFACE_TABLES)
        }
        _ => table.to_string(),
    }
}
