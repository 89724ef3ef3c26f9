//! Which of several IPv4 routes of one prefix and metric stands first.
//!
//! The kernel takes the first one, and knows no other order of such routes than that in which they were put there: before
//! all others or behind them. So before a route goes away from routes of other interfaces, it is written down which of
//! each two stood first:
//!
//! ```text
//! throw 0.0.0.5 table 1768974361 proto 105 metric 100 window FIRST ssthresh SECOND cwnd 6
//! ```
//!
//! Of two routes of metric 100, one over interface 5, which leaves, and one over interface 6, the one with the hash FIRST
//! stood before that with the hash SECOND. When it comes back, it is put before all others if it was the first. If it
//! stood between others, those behind it are put behind it again, one after the other: a twin of another protocol takes
//! the place of each meanwhile, and the kernel gets it all in one datagram, so that there is no moment, and no death,
//! without the route.

use super::super::batch::{send_all, send_together};
use super::super::foreign::is_unicast_over;
use super::super::marker::{index_of, route_of, routes_of};
use super::super::names::{LOCAL_TABLE, ORDER, PROTOCOL, is_ours};
use super::survey::Key;
use crate::backend::linux::link::address_family;
use crate::backend::linux::socket::{Refusal, Socket};
use crate::types::Family;
use iphelper_netlink::message::{APPEND, CREATE};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, kind, metric, protocol};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::net::IpAddr;

const AF_INET: u8 = address_family(Family::V4);

/// Of two routes that stood at one place, which was the first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Pair {
    /// Over which the one led that left.
    index: u32,
    metric: u32,
    first: u32,
    second: u32,
    /// Over which the other one leads.
    other: u32,
}

/// Destination and metric, by which most routes are left out of account.
pub(super) type Spot = (Option<IpAddr>, u8, u32);

/// That of a route.
pub(super) fn spot_of(route: &Route) -> Spot {
    (route.destination, route.destination_len, route.priority)
}

/// What is about to go away from where its owner put it.
#[derive(Debug)]
pub(super) struct Leaving {
    /// The interface that it leads over.
    pub(super) index: u32,
    /// Routes that somebody added.
    pub(super) routes: Vec<Route>,
    /// Prefixes of addresses, to which the kernel added the routes.
    pub(super) prefixes: FxHashSet<Spot>,
}

/// All that is written down.
#[derive(Debug, Default)]
pub(super) struct Order {
    pairs: BTreeSet<Pair>,
    /// First and second of each pair.
    ranks: FxHashSet<(u32, u32)>,
    /// All that are in one.
    named: FxHashSet<u32>,
}

impl Order {
    pub(super) fn read(socket: &mut Socket) -> Result<Self, Refusal> {
        Ok(Self::of(routes_of(socket, ORDER)?.iter().filter_map(Pair::read).collect()))
    }

    fn of(pairs: BTreeSet<Pair>) -> Self {
        let ranks = pairs.iter().map(|pair| (pair.first, pair.second)).collect();
        let named = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
        Self { pairs, ranks, named }
    }

    /// Writes down how what is about to leave stands to routes over other interfaces.
    pub(super) fn note(&mut self, socket: &mut Socket, leaving: &Leaving) -> Result<(), Refusal> {
        let (index, prefixes) = (leaving.index, &leaving.prefixes);
        let mut spots: FxHashSet<Spot> = leaving.routes.iter().map(spot_of).collect();
        spots.extend(prefixes);
        if spots.is_empty() {
            return Ok(());
        }
        let routes: FxHashSet<u32> = leaving.routes.iter().map(hash).collect();
        let leaves = |route: &Route| {
            routes.contains(&hash(route)) || is_to_prefix(route, index) && prefixes.contains(&spot_of(route))
        };
        let stay = standing(socket, |route| spots.contains(&spot_of(route)) && !leaves(route))?;
        if stay.is_empty() {
            return Ok(());
        }
        let mut new = BTreeSet::new();
        for group in standing(socket, |route| stay.contains_key(&place(route)))?.values() {
            for (number, one) in group.iter().enumerate() {
                for other in group.iter().skip(number + 1).filter(|other| leaves(one) != leaves(other)) {
                    let stays = if leaves(one) { other } else { one };
                    let _ = new.insert(Pair {
                        index,
                        metric: one.priority,
                        first: hash(one),
                        second: hash(other),
                        other: stays.interfaces().next().unwrap_or_default(),
                    });
                }
            }
        }
        let reversed: FxHashSet<(u32, u32)> = new.iter().map(|new| (new.second, new.first)).collect();
        self.take_away(socket, |pair| reversed.contains(&(pair.first, pair.second)))?;
        let new: Vec<Pair> = new.into_iter().filter(|pair| !self.pairs.contains(pair)).collect();
        for (_, refusal) in send_all(socket, new.iter().map(|pair| pair.entry().add(CREATE | APPEND)))? {
            if refusal.errno() != libc::EEXIST {
                return Err(refusal);
            }
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.extend(new);
        *self = Self::of(pairs);
        Ok(())
    }

    /// Which of the routes that are about to arrive, by place, are to stand before all that are there.
    pub(super) fn to_front(
        &self,
        socket: &mut Socket,
        arriving: &[Route],
    ) -> Result<FxHashSet<usize>, Refusal> {
        let mut front = FxHashSet::default();
        if self.pairs.is_empty() {
            return Ok(front);
        }
        let is_noted = |route: &&Route| self.named.contains(&hash(route));
        let places: FxHashSet<_> = arriving.iter().filter(is_noted).map(place).collect();
        if places.is_empty() {
            return Ok(front);
        }
        let mut there = standing(socket, |route| places.contains(&place(route)))?;
        for (number, route) in arriving.iter().enumerate() {
            // Of several, the others are put in their places afterwards.
            let Some(group) = there.remove(&place(route)) else { continue };
            if group.iter().all(|other| self.is_first(route, other)) {
                let _ = front.insert(number);
            }
        }
        Ok(front)
    }

    /// Puts the routes over an interface, and what stands behind them, where they were.
    pub(super) fn restore(&self, socket: &mut Socket, index: u32) -> Result<(), Refusal> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        let mut found = standing(socket, |route| self.named.contains(&hash(route)))?;
        found.retain(|_, group| group.len() > 1 && group.iter().any(|route| is_unicast_over(route, index)));
        if found.is_empty() {
            return Ok(());
        }
        for group in standing(socket, |route| found.contains_key(&place(route)))?.values() {
            let (wanted, right) = self.wanted(group, index);
            let misplaced: Vec<&Route> = wanted.into_iter().skip(right).collect();
            put_last(socket, &misplaced)?;
        }
        Ok(())
    }

    /// Routes of one place as they are to stand, and how many of them may stay where they are, the rest being put behind
    /// them.
    fn wanted<'a>(&self, group: &'a [Route], index: u32) -> (Vec<&'a Route>, usize) {
        let is_placed = |route: &&Route| {
            is_unicast_over(route, index)
                && group.iter().any(|other| self.is_first(route, other) || self.is_first(other, route))
        };
        let (placed, mut wanted): (Vec<&Route>, Vec<&Route>) = group.iter().partition(is_placed);
        for route in placed {
            let before = wanted.iter().position(|other| self.is_first(route, other));
            let behind = wanted.iter().rposition(|other| self.is_first(other, route)).map(|it| it + 1);
            wanted.insert(before.or(behind).unwrap_or(wanted.len()), route);
        }
        let mut present = group.iter();
        let right = wanted.iter().take_while(|wanted| present.any(|it| it == **wanted)).count();
        (wanted, right)
    }

    fn is_first(&self, one: &Route, other: &Route) -> bool {
        self.ranks.contains(&(hash(one), hash(other)))
    }

    /// Forgets all but what is about one of `interfaces`.
    pub(super) fn keep_only(
        &mut self,
        socket: &mut Socket,
        interfaces: &BTreeSet<u32>,
    ) -> Result<(), Refusal> {
        let is_stale = |pair: &Pair| !interfaces.contains(&pair.index) && !interfaces.contains(&pair.other);
        self.take_away(socket, is_stale)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn take_away(&mut self, socket: &mut Socket, is_stale: impl Fn(&Pair) -> bool) -> Result<(), Refusal> {
        let stale = self.pairs.iter().filter(|pair| is_stale(pair));
        for (_, refusal) in send_all(socket, stale.map(|pair| pair.entry().delete()))? {
            if refusal.errno() != libc::ESRCH {
                return Err(refusal);
            }
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.retain(|pair| !is_stale(pair));
        *self = Self::of(pairs);
        Ok(())
    }
}

impl Pair {
    fn entry(&self) -> Route {
        let mut route = route_of(ORDER, self.index, self.metric);
        route.metrics.set(metric::WINDOW, Some(self.first));
        route.metrics.set(metric::SSTHRESH, Some(self.second));
        route.metrics.set(metric::CWND, (self.other != 0).then_some(self.other));
        route
    }

    fn read(entry: &Route) -> Option<Self> {
        Some(Self {
            index: index_of(entry)?,
            metric: entry.priority,
            first: entry.metrics.get(metric::WINDOW)?,
            second: entry.metrics.get(metric::SSTHRESH)?,
            other: entry.metrics.get(metric::CWND).unwrap_or_default(),
        })
    }
}

/// Where the order of routes counts.
type Standing = (Key, u32);

fn place(route: &Route) -> Standing {
    (Key::of(route), route.priority)
}

/// The routes that are `wanted`, by place, in the kernel's order.
fn standing(
    socket: &mut Socket,
    wanted: impl Fn(&Route) -> bool,
) -> Result<FxHashMap<Standing, Vec<Route>>, Refusal> {
    let is_asked =
        |route: &Route| route.table != LOCAL_TABLE && !is_ours(route.table, route.protocol) && wanted(route);
    let mut all = route::dump(AF_INET, Filter::default());
    socket.snapshot(&mut all, FxHashMap::default, |found, message| {
        if let Some(route) = Route::parse(message)?.filter(is_asked) {
            found.entry(place(&route)).or_insert_with(Vec::new).push(route.settled());
        }
        Ok(())
    })
}

/// The routes to the prefixes of an interface's addresses, which the kernel added.
pub(super) fn to_prefixes(socket: &mut Socket, index: u32) -> Result<Vec<Route>, Refusal> {
    let filter = Filter { interface: Some(index), protocol: Some(protocol::KERNEL), ..Filter::default() };
    socket.snapshot(&mut route::dump(AF_INET, filter), Vec::new, |found, message| {
        let route = Route::parse(message)?.filter(|route| is_to_prefix(route, index));
        found.extend(route.map(Route::settled));
        Ok(())
    })
}

fn is_to_prefix(route: &Route, index: u32) -> bool {
    route.protocol == protocol::KERNEL
        && route.kind == kind::UNICAST
        && route.table != LOCAL_TABLE
        && route.interface == Some(index)
}

/// Puts routes of one place behind all others of it, in this order. One that the kernel would not take anew, since the way
/// to its router is gone, stays where it is.
fn put_last(socket: &mut Socket, routes: &[&Route]) -> Result<(), Refusal> {
    let (mut steps, mut taken) = (Vec::new(), Vec::new());
    for route in routes {
        let protocol = if route.protocol == PROTOCOL { PROTOCOL + 1 } else { PROTOCOL };
        let twin = Route { protocol, ..Route::clone(route) };
        if send_together(socket, [twin.add(CREATE | APPEND), twin.delete()])?.is_empty() {
            steps.extend([twin.add(CREATE | APPEND), route.delete()]);
            steps.extend([route.add(CREATE | APPEND), twin.delete()]);
            taken.push(route);
        }
    }
    for (step, refusal) in send_together(socket, steps)? {
        match taken.get(step / 4).filter(|_| step % 4 == 1 && refusal.errno() == libc::ESRCH) {
            // Its owner took it away meanwhile.
            Some(route) => drop(send_together(socket, [route.delete()])?),
            None => return Err(refusal),
        }
    }
    Ok(())
}

/// What tells a route from others of its place, and stays when its owner replaces it; never 0, which the kernel does not
/// tell.
fn hash(route: &Route) -> u32 {
    let mut bytes = Vec::with_capacity(64);
    let mut put_address = |address: Option<IpAddr>| match address {
        Some(IpAddr::V4(address)) => bytes.extend(address.octets()),
        Some(IpAddr::V6(address)) => bytes.extend(address.octets()),
        None => bytes.push(0),
    };
    put_address(route.destination);
    // With a next hop object its number is all that each kind of kernel tells.
    let hops: &[_] = if route.next_hop_id.is_none() { &route.next_hops } else { &[] };
    if route.next_hop_id.is_none() {
        put_address(route.gateway);
    }
    for hop in hops {
        put_address(hop.gateway);
    }
    let interfaces = hops.iter().map(|hop| hop.interface);
    let interface = route.interface.filter(|_| route.next_hop_id.is_none());
    let numbers = [route.table, route.priority, route.next_hop_id.unwrap_or(0), interface.unwrap_or(0)];
    bytes.extend([route.destination_len, route.tos]);
    bytes.extend(numbers.into_iter().chain(interfaces).flat_map(u32::to_be_bytes));
    // FNV-1a: short, and the same in every version of this library.
    let hash = bytes
        .into_iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.max(1)
}
