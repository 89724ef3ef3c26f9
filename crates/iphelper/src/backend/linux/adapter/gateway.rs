//! Routers of default routes.

use super::{Known, OPERATION, Places};
use crate::adapter::Gateway;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::address_family;
use crate::error::Result;
use crate::route::MAIN_TABLE;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::nexthop::{self, NextHopObject};
use iphelper_netlink::rtnetlink::route::{self as wire, Filter, kind};
use rustc_hash::FxHashMap;
use std::net::IpAddr;

impl LinuxHost {
    pub(super) fn add_gateways(
        &self,
        known: &mut [Known<'_>],
        places: &Places,
        family: Family,
        only: Option<InterfaceIndex>,
    ) -> Result<()> {
        let interface = only.map(|index| index.0);
        let filter = Filter { table: Some(MAIN_TABLE), interface, ..Filter::default() };
        let mut request = wire::dump(address_family(family), filter);
        let mut socket = self.route.take()?;
        let routes = socket.snapshot(&mut request, Vec::new, |routes, message| {
            // The kernel filters by table and link alone: of a full table, only what counts is taken apart.
            if wire::Route::leads_everywhere(message) {
                routes.extend(wire::Route::parse(message)?.filter(is_default));
            }
            Ok(())
        });
        let mut routes: Vec<wire::Route> = match routes {
            // No such table.
            Err(refusal) if refusal.errno() == libc::ENOENT => Vec::new(),
            routes => routes.map_err(|refusal| refusal.error(OPERATION).because("listing default routes"))?,
        };
        routes.sort_by_key(|route| route.priority);
        // With net.ipv4.nexthop_compat_mode=0 a route tells no more than the number of its object.
        let is_hidden =
            |route: &wire::Route| route.next_hop_id.is_some() && route.interfaces().next().is_none();
        let objects = if routes.iter().any(is_hidden) {
            socket
                .snapshot(&mut nexthop::dump(), FxHashMap::default, |objects, message| {
                    objects.extend(NextHopObject::parse(message)?.map(|object| (object.id, object)));
                    Ok(())
                })
                .map_err(|refusal| refusal.error(OPERATION).because("listing next hops"))?
        } else {
            FxHashMap::default()
        };
        for route in &routes {
            let hidden = if is_hidden(route) { hops_of(route.next_hop_id, &objects) } else { Vec::new() };
            let own = route.interface.map(|interface| (interface, route.gateway));
            let several = route.next_hops.iter().map(|hop| (hop.interface, hop.gateway));
            for (interface, gateway) in own.into_iter().chain(several).chain(hidden) {
                let Some(address) = gateway else { continue };
                let Some(it) = places.get(&interface).and_then(|place| known.get_mut(*place)) else {
                    continue;
                };
                let gateways = &mut it.adapter.gateways;
                if !gateways.iter().any(|it| it.address == address && it.family == family) {
                    gateways.push(Gateway { address, family, system_metric: route.priority });
                }
            }
        }
        Ok(())
    }
}

/// Whether a route is for every packet, and leads to a router.
fn is_default(route: &wire::Route) -> bool {
    let is_whole = route.destination_len == 0 && route.source_len == 0 && route.tos == 0;
    is_whole && route.kind == kind::UNICAST && route.table == MAIN_TABLE
}

/// The links and routers of an object, or of the members of a group.
fn hops_of(id: Option<u32>, objects: &FxHashMap<u32, NextHopObject>) -> Vec<(u32, Option<IpAddr>)> {
    let Some(object) = id.and_then(|id| objects.get(&id)) else { return Vec::new() };
    let members = object.members.iter().filter_map(|id| objects.get(id));
    std::iter::once(object).chain(members).filter_map(|it| Some((it.interface?, it.gateway))).collect()
}
