//! What becomes of a packet that has its way: whether our packet filter lets it leave.

use super::OPERATION;
use super::guard::Guard;
use super::names::STATE_TABLE;
use super::routes::Routes;
use super::settings::{Marker, Property, Settings, having};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::nf_tables::Range;
use iphelper_netlink::rtnetlink::addr;
use iphelper_netlink::rtnetlink::link::flag;
use iphelper_netlink::rtnetlink::route::{self, Filter, Route};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A packet about to leave.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::linux) struct Packet {
    pub(in crate::backend::linux) destination: IpAddr,
    /// `None`: it has no source, since this host has no address that it could have.
    pub(in crate::backend::linux) source: Option<IpAddr>,
    /// The interface that it leaves by.
    pub(in crate::backend::linux) output: InterfaceIndex,
}

/// Why a packet does not leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux) enum Stop {
    /// `DisableDefaultRoutes`: only a default route leads there over this interface.
    DefaultRoute,
    /// `WeakHostSend` is FALSE for the interface that has the source address, or for the one that it would leave by: the
    /// interface does not have that address.
    StrongHost,
}

impl LinuxHost {
    /// The links, where something is set that may stop packets; two messages tell that nothing is. Markers tell
    /// everybody, and an administrator the filter, too, should somebody have taken the markers away.
    pub(in crate::backend::linux) fn policy_in_force(&self) -> Result<Option<Vec<Link>>> {
        let markers = self.routes_of_table(Family::V4, STATE_TABLE, |route| Marker::read(&route))?;
        if markers.is_empty() && !Guard::is_there(self) {
            return Ok(None);
        }
        self.links(OPERATION).map(Some)
    }

    /// Whether the packet filter stops a packet. `links` are those of [`policy_in_force`](Self::policy_in_force).
    ///
    /// Who may read the filter is told by what it holds; anybody else by what it ought to hold.
    pub(in crate::backend::linux) fn stop(&self, packet: &Packet, links: &[Link]) -> Result<Option<Stop>> {
        let family = Family::of(&packet.destination);
        let link = links.iter().find(|link| link.index == packet.output);
        // What stays on this host leaves nowhere.
        if link.is_some_and(|link| link.has(flag::LOOPBACK)) {
            return Ok(None);
        }
        let settings = self.policy_settings(links)?;
        let guard = Guard::read_if_permitted(self)?;
        if self.is_unguarded_way(packet, family, &settings, guard.as_ref())? {
            return Ok(Some(Stop::DefaultRoute));
        }
        let strong = having(&settings, family, Property::StrongSend);
        match packet.source {
            Some(source) if !strong.is_empty() => self
                .is_others_source(packet, source, &strong, guard.as_ref())
                .map(|is_other| is_other.then_some(Stop::StrongHost)),
            _ => Ok(None),
        }
    }

    /// Whether the packet leaves by a guarded interface for where only a default route leads.
    fn is_unguarded_way(
        &self,
        packet: &Packet,
        family: Family,
        settings: &Settings,
        guard: Option<&Guard>,
    ) -> Result<bool> {
        let guarded = having(settings, family, Property::DisableDefaultRoutes);
        let allowed = match guard {
            Some(guard) => guard.allowed_over(self, family, packet.output)?,
            None if guarded.contains(&packet.output.0) => {
                Some(self.allowed_by_routes(family, packet.output)?)
            }
            None => None,
        };
        Ok(allowed.is_some_and(|allowed| !is_in(&allowed, packet.destination)))
    }

    fn allowed_by_routes(&self, family: Family, index: InterfaceIndex) -> Result<Vec<Range>> {
        let start = || Routes::new(family, BTreeSet::from([index.0]), BTreeSet::new());
        let mut request = route::dump(address_family(family), Filter::default());
        let routes = self.route.take()?.snapshot(&mut request, start, |routes, message| {
            if let Some(route) = Route::parse(message)? {
                routes.add(route);
            }
            Ok(())
        });
        routes
            .map(|routes| routes.allowed(index.0, false))
            .map_err(|refusal| refusal.error(OPERATION).because("listing routes"))
    }

    /// Whether the packet has the address of a strong interface by another one, or another's by a strong one.
    fn is_others_source(
        &self,
        packet: &Packet,
        source: IpAddr,
        strong: &BTreeSet<u32>,
        guard: Option<&Guard>,
    ) -> Result<bool> {
        let family = Family::of(&source);
        if self.has_address(packet.output.0, source)? {
            return Ok(false);
        }
        if strong.contains(&packet.output.0) {
            return Ok(true);
        }
        if let Some(sources) = guard.map(|guard| guard.strong_sources(self, family)).transpose()?.flatten() {
            return Ok(is_in(&sources, source));
        }
        for index in strong {
            if self.has_address(*index, source)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an address is one of an interface.
    fn has_address(&self, index: u32, address: IpAddr) -> Result<bool> {
        let mut request = addr::dump(address_family(Family::of(&address)), index);
        let found = self.route.take()?.snapshot(
            &mut request,
            || false,
            |found, message| {
                let is_it = |it: &addr::Address| it.index == index && it.address == address;
                *found |= addr::Address::parse(message)?.is_some_and(|it| is_it(&it));
                Ok(())
            },
        );
        found.map_err(|refusal| refusal.error(OPERATION).because("listing addresses"))
    }
}

fn is_in(ranges: &[Range], address: IpAddr) -> bool {
    let key = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    ranges.iter().any(|range| (range.first..=range.last).contains(&key))
}
