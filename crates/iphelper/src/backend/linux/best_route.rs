//! Which route a packet takes: the kernel is asked, and what our own policy makes of its answer is told.
//!
//! The kernel's word is taken for everything that it decides: rules, tables, prefixes, metrics, the next hop of several,
//! the source address. What is done here is what a question cannot ask: whether the packet filter stops the packet, and
//! which route of the main table one of our copies stands for.

mod explain;

use super::LinuxHost;
use super::link::{Link, address_family};
use super::policy::{Packet, Stop, names};
use super::route::row::{Surroundings, unspecified};
use super::socket::{Refusal, Socket};
use crate::backend;
use crate::best_route::{BestRoute, BestRouteQuery, RouteExplanation, TransportProtocol};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, kind};
use iphelper_netlink::rtnetlink::route_lookup::{Answer, RouteLookup};
use std::net::{IpAddr, Ipv4Addr};

pub(super) const OPERATION: &str = "finding the best route";

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The route, as its table has it.
    pub(super) entry: Route,
    /// The destination that was asked for.
    destination: IpAddr,
    /// The link of the next hop that was chosen.
    pub(super) interface: InterfaceIndex,
    /// The router that was chosen; `None`: on-link.
    pub(super) next_hop: Option<IpAddr>,
    /// The source address that the packet gets.
    pub(super) source: Option<IpAddr>,
}

impl backend::BestRoute for LinuxHost {
    fn best_route(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<BestRoute> {
        let family = Family::of(&destination);
        self.require_family(family, OPERATION)?;
        check(destination, query)?;
        let asked = query.interface.map(|key| self.ip_link(key, family, OPERATION)).transpose()?;
        let found = self.find_route(destination, query, asked.as_ref())?;
        let link = match asked {
            Some(link) if link.index == found.interface => link,
            _ => self.link(found.interface.into(), OPERATION)?,
        };
        Ok(BestRoute {
            route: self.row_of(&found, &link)?,
            luid: link.luid(),
            index: link.index,
            source: found.source,
        })
    }

    fn explain_route(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<RouteExplanation> {
        self.explain(destination, query)
    }
}

/// What can be told from the question alone.
fn check(destination: IpAddr, query: &BestRouteQuery) -> Result<()> {
    let invalid = |reason: String| Err(Error::new(ErrorKind::InvalidParameter, OPERATION).because(reason));
    if let Some(source) = query.source.filter(|source| source.is_ipv4() != destination.is_ipv4()) {
        return invalid(format!("{destination} is not reached from {source}: they are of two families"));
    }
    if query.transport.is_some_and(|it| {
        it.protocol == TransportProtocol::Icmp && (it.source_port.is_some() || it.destination_port.is_some())
    }) {
        return invalid("ICMP has no ports".to_owned());
    }
    match destination {
        IpAddr::V6(v6) if v6.is_unicast_link_local() && query.interface.is_none() => {
            invalid(format!("{destination} is on every link: name the interface, too"))
        }
        _ => Ok(()),
    }
}

impl LinuxHost {
    /// The row of what was found: of several next hops the one that was chosen.
    fn row_of(&self, found: &Found, link: &Link) -> Result<crate::route::Route> {
        let mut entry = found.entry.clone();
        if entry.family == address_family(Family::V4) && entry.table == names::MAIN_TABLE {
            self.tell_table(&mut entry)?;
        }
        // Only such a prefix may have come from a router, and looking that up costs a walk over all routes.
        let may_be_advertised = entry.protocol == route::protocol::KERNEL
            && entry.kind == kind::UNICAST
            && entry.gateway.is_none();
        let families: &[Family] = if may_be_advertised { &[Family::of(&found.destination)] } else { &[] };
        let mut surroundings = Surroundings::read(self, std::slice::from_ref(link), families, OPERATION)?;
        let mut rows = Vec::new();
        surroundings.rows(entry, |row| rows.push(row)).map_err(|refusal| refusal.error(OPERATION))?;
        let is_taken = |row: &crate::route::Route| {
            let next_hop = found.next_hop.unwrap_or_else(|| unspecified(row.family()));
            row.index == Some(found.interface) && row.next_hop == next_hop
        };
        let taken = rows.iter().position(is_taken).unwrap_or_default();
        // The interface of a route that was just found may be gone.
        if taken < rows.len() {
            Ok(rows.swap_remove(taken))
        } else {
            Err(no_route("the interface has gone".to_owned()))
        }
    }

    /// Corrects what IPv4 says of a route of the main table. As long as there are no policy rules it keeps both tables in
    /// one, and calls all of it the main table; and it tells what becomes of the packet, whatever the route is for: of a
    /// broadcast by the default route, say.
    fn tell_table(&self, entry: &mut Route) -> Result<()> {
        if !matches!(entry.kind, kind::LOCAL | kind::BROADCAST | kind::MULTICAST) {
            return Ok(());
        }
        let filter = Filter { table: Some(names::LOCAL_TABLE), ..Filter::default() };
        let is_it = |local: &Route| {
            (local.destination_len, local.destination) == (entry.destination_len, entry.destination)
                && local.kind == entry.kind
        };
        let mut request = route::dump(entry.family, filter);
        let is_local = self.route.take()?.snapshot(
            &mut request,
            || false,
            |is_local, message| {
                *is_local |= Route::parse(message)?.is_some_and(|local| is_it(&local));
                Ok(())
            },
        );
        match is_local {
            Ok(true) => entry.table = names::LOCAL_TABLE,
            Err(refusal) if refusal.errno() != libc::ENOENT => {
                return Err(refusal.error(OPERATION).because("listing this host's addresses"));
            }
            _ if entry.kind != kind::LOCAL => entry.kind = kind::UNICAST,
            _ => {}
        }
        Ok(())
    }

    /// The way of a packet of this host. `link` is the interface that the query names.
    pub(super) fn find_route(
        &self,
        destination: IpAddr,
        query: &BestRouteQuery,
        link: Option<&Link>,
    ) -> Result<Found> {
        let lookup = RouteLookup {
            source: query.source,
            output: link.map(|link| link.index.0),
            mark: query.mark,
            user: query.user,
            protocol: query.transport.map(|it| number_of(it.protocol, destination)),
            source_port: query.transport.and_then(|it| it.source_port),
            destination_port: query.transport.and_then(|it| it.destination_port),
            ..RouteLookup::to(asked_for(destination))
        };
        let mut socket = self.route.take()?;
        let answers = match query.source {
            Some(source) => {
                let [entry, way, own] = ask(
                    &mut socket,
                    [
                        lookup.request(Answer::Entry),
                        lookup.request(Answer::Way),
                        RouteLookup::to(source).request(Answer::Entry),
                    ],
                )?;
                self.require_own(&mut socket, source, own)?;
                [entry, way]
            }
            None => ask(&mut socket, [lookup.request(Answer::Entry), lookup.request(Answer::Way)])?,
        };
        let answers = answers.map(|answer| match answer {
            // With an interface IPv4 looks for what has no route on its link, and says that no route was found so.
            Err(refusal) if lookup.output.is_some() && refusal.errno() == libc::EHOSTUNREACH => {
                Err(Refusal::of(libc::ENETUNREACH))
            }
            answer => answer,
        });
        let mut found = found(answers, query.source, destination)?;
        if let Some(asked) = lookup.output.filter(|asked| found.interface.0 != *asked && !found.is_local()) {
            // With a source IPv6 takes the interface for a wish. A socket that is bound to both has it as a condition.
            let strictly = RouteLookup { source: None, ..lookup };
            let answers = ask(&mut socket, [Answer::Entry, Answer::Way].map(|it| strictly.request(it)))?;
            found = self::found(answers, query.source, destination)?;
            if found.interface.0 != asked && !found.is_local() {
                return Err(no_route(format!("no route leads to {destination} over this interface")));
            }
        }
        drop(socket);
        if let Some(links) = self.policy_in_force()? {
            self.refuse_stopped(&found, destination, &links)?;
            if names::is_copy(&found.entry) {
                found.entry = self.original(&found, &lookup)?;
            }
        }
        Ok(found)
    }

    /// The link of an interface that has a family.
    pub(super) fn ip_link(&self, key: InterfaceKey, family: Family, operation: &'static str) -> Result<Link> {
        let link = self.link(key, operation)?;
        if !link.has_family(family) {
            return Err(Error::new(ErrorKind::NotFound, operation)
                .because(format!("{} has no {family}", link.name())));
        }
        Ok(link)
    }

    /// A source must be an address of this host.
    pub(super) fn require_own_address(&self, source: IpAddr) -> Result<()> {
        let mut socket = self.route.take()?;
        let [own] = ask(&mut socket, [RouteLookup::to(source).request(Answer::Entry)])?;
        self.require_own(&mut socket, source, own)
    }

    /// As [`require_own_address`](Self::require_own_address), with the answer about it.
    fn require_own(&self, socket: &mut Socket, source: IpAddr, own: Result<Route, Refusal>) -> Result<()> {
        if own.is_ok_and(|route| route.kind == kind::LOCAL) {
            return Ok(());
        }
        // Some rule may come before the one for local addresses.
        let local = Filter { table: Some(names::LOCAL_TABLE), ..Filter::default() };
        let family = address_family(Family::of(&source));
        let is_own = socket.snapshot(
            &mut route::dump(family, local),
            || false,
            |is_own, message| {
                *is_own |=
                    Route::parse(message)?.is_some_and(|it| it.kind == kind::LOCAL && covers(&it, source));
                Ok(())
            },
        );
        match is_own {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::new(ErrorKind::NotFound, OPERATION)
                .because(format!("{source} is no address of this host, so nothing is sent from it"))),
            Err(refusal) => Err(refusal.error(OPERATION).because("listing this host's addresses")),
        }
    }

    /// An error where our packet filter stops the packet.
    fn refuse_stopped(&self, found: &Found, destination: IpAddr, links: &[Link]) -> Result<()> {
        if matches!(found.entry.kind, kind::LOCAL | kind::BROADCAST | kind::MULTICAST) {
            return Ok(());
        }
        let packet = Packet { destination, source: found.source, output: found.interface };
        let name =
            links.iter().find(|link| link.index == found.interface).map_or_else(String::new, Link::name);
        match self.stop(&packet, links)? {
            None => Ok(()),
            Some(Stop::DefaultRoute) => Err(no_route(format!(
                "a default route over {name} leads to {destination}, and default routes of {name} are disabled"
            ))),
            Some(Stop::StrongHost) => {
                let source = found.source.map_or_else(String::new, |source| source.to_string());
                Err(no_route(format!(
                    "the way to {destination} is over {name}, which does not have the address {source}; with \
                     WeakHostSend off packets leave by the interface of their address alone"
                )))
            }
        }
    }

    /// The route that one of our copies stands for. A copy has the same destination and next hop; protocol, and at times
    /// metric, are its own.
    fn original(&self, found: &Found, lookup: &RouteLookup) -> Result<Route> {
        let copy = &found.entry;
        let mut socket = self.route.take()?;
        // Mostly the best route over that interface is the one.
        let same = RouteLookup { source: None, output: Some(found.interface.0), ..*lookup };
        let [best] = ask(&mut socket, [same.request(Answer::Entry)])?;
        if let Ok(best) = best
            && is_original(&best, copy)
        {
            return Ok(best);
        }
        let filter = Filter {
            table: Some(names::MAIN_TABLE),
            interface: Some(found.interface.0),
            ..Filter::default()
        };
        let routes: Vec<Route> = socket
            .snapshot(&mut route::dump(copy.family, filter), Vec::new, |routes, message| {
                routes.extend(Route::parse(message)?.filter(|route| is_original(route, copy)));
                Ok(())
            })
            .map_err(|refusal| refusal.error(OPERATION).because("listing routes"))?;
        // Several of one prefix and next hop differ in metric; a copy's is the original's or a little more.
        let nearest =
            routes.into_iter().filter(|it| it.priority <= copy.priority).max_by_key(|it| it.priority);
        Ok(nearest.unwrap_or_else(|| copy.clone()))
    }
}

impl Found {
    /// Whether the packet stays on this host.
    fn is_local(&self) -> bool {
        self.entry.kind == kind::LOCAL
    }
}

/// The address that the kernel is asked about. To IPv4 "any" is this host, while Windows programs mean the default route
/// by it: the address behind it is nobody's.
fn asked_for(destination: IpAddr) -> IpAddr {
    match destination {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::new(0, 0, 0, 1).into(),
        other => other,
    }
}

/// `IPPROTO_*`.
const fn number_of(protocol: TransportProtocol, destination: IpAddr) -> u8 {
    match (protocol, destination) {
        (TransportProtocol::Tcp, _) => 6,
        (TransportProtocol::Udp, _) => 17,
        (TransportProtocol::Icmp, IpAddr::V4(_)) => 1,
        (TransportProtocol::Icmp, IpAddr::V6(_)) => 58,
    }
}

/// Asks about routes; each answer is a route, or why there is none.
fn ask<const N: usize>(
    socket: &mut Socket,
    questions: [iphelper_netlink::message::Request; N],
) -> Result<[Result<Route, Refusal>; N]> {
    let mut answers = [(); N].map(|()| Err(Refusal::of(libc::ENODATA)));
    let asked = socket.answers(questions, |place, answer| {
        let Some(slot) = answers.get_mut(place) else { return Ok(()) };
        *slot = match answer {
            Ok(message) => Route::parse(message)?.ok_or(Refusal::of(libc::ENODATA)),
            Err(refusal) => Err(refusal),
        };
        Ok(())
    });
    asked.map_err(|refusal| refusal.error(OPERATION))?;
    Ok(answers)
}

/// Puts the two answers about one packet together.
fn found(
    [entry, way]: [Result<Route, Refusal>; 2],
    source: Option<IpAddr>,
    destination: IpAddr,
) -> Result<Found> {
    let entry = entry.map_err(|refusal| unreachable(refusal, destination))?;
    let way = way.map_err(|refusal| unreachable(refusal, destination))?;
    // What stays on this host goes by loopback; the route is of the interface that has the address.
    let hop = if entry.kind == kind::LOCAL { &entry } else { &way };
    let interface = InterfaceIndex(hop.interface.or(way.interface).unwrap_or_default());
    Ok(Found {
        interface,
        next_hop: hop.gateway,
        source: source.or(way.preferred_source),
        destination,
        entry,
    })
}

/// Why there is no way, in the kernel's errno.
fn unreachable(refusal: Refusal, destination: IpAddr) -> Error {
    let (kind, reason) = match refusal.errno() {
        libc::ENETUNREACH => (ErrorKind::NetworkUnreachable, "no route leads there"),
        libc::EHOSTUNREACH => {
            (ErrorKind::HostUnreachable, "no route leads there, or one that says it is unreachable")
        }
        libc::EACCES => (ErrorKind::HostUnreachable, "a route or rule prohibits it"),
        // With words it is the question that is wrong.
        libc::EINVAL if !refusal.has_words() => {
            (ErrorKind::HostUnreachable, "a route or rule swallows what goes there (blackhole)")
        }
        libc::ENETDOWN => (ErrorKind::NetworkUnreachable, "the interface is down"),
        libc::ENODEV => (ErrorKind::InterfaceNotFound, "no such interface"),
        _ => return refusal.error(OPERATION).because(format!("asking for the way to {destination}")),
    };
    refusal.into_error(kind, OPERATION).because(format!("{destination}: {reason}"))
}

fn no_route(reason: String) -> Error {
    Error::new(ErrorKind::NetworkUnreachable, OPERATION).because(reason)
}

/// Whether `route` is what `copy` was made of.
fn is_original(route: &Route, copy: &Route) -> bool {
    let hop = |route: &Route| match (route.next_hops.as_slice(), route.interface) {
        ([], interface) => vec![(interface.unwrap_or_default(), route.gateway)],
        (hops, _) => hops.iter().map(|hop| (hop.interface, hop.gateway)).collect(),
    };
    let hops = hop(route);
    route.table == names::MAIN_TABLE
        && !names::is_copy(route)
        && (route.destination_len, route.destination) == (copy.destination_len, copy.destination)
        && route.tos == copy.tos
        && hop(copy).iter().all(|of_copy| hops.contains(of_copy))
}

/// Whether an address is in a route's prefix.
pub(super) fn covers(route: &Route, address: IpAddr) -> bool {
    match route.destination {
        None => route.destination_len == 0,
        Some(destination) => crate::types::Prefix::new(destination, route.destination_len)
            .is_ok_and(|prefix| prefix.contains(address)),
    }
}
