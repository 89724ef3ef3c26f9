//! Routes of others, as far as both of their properties that we change need them.

use super::names::LOCAL_TABLE;
use crate::backend::linux::socket::{Refusal, Socket};
use iphelper_netlink::rtnetlink::nexthop::{self, NextHopObject};
use iphelper_netlink::rtnetlink::route::{self, Filter, NextHop, Route, kind};
use rustc_hash::FxHashMap;

/// The routes that pass `filter`, in the kernel's order, each with the links that packets leave by; those of the table
/// of local addresses left out.
pub(super) fn routes(socket: &mut Socket, family: u8, filter: Filter) -> Result<Vec<Route>, Refusal> {
    let mut routes = socket.snapshot(&mut route::dump(family, filter), Vec::new, |routes, message| {
        routes.extend(Route::parse(message)?.filter(|route| route.table != LOCAL_TABLE));
        Ok(())
    })?;
    let is_hidden = |route: &Route| route.next_hop_id.is_some() && route.interfaces().next().is_none();
    // With net.ipv4.nexthop_compat_mode=0 a route tells no more than the number of its next hop object.
    if routes.iter().any(is_hidden) {
        let objects = objects(socket)?;
        for route in routes.iter_mut().filter(|route| is_hidden(route)) {
            let Some(object) = route.next_hop_id.and_then(|id| objects.get(&id)) else { continue };
            route.interface = object.interface;
            let members = object.members.iter().filter_map(|id| objects.get(id)?.interface);
            route.next_hops = members.map(only_link).collect();
        }
    }
    Ok(routes)
}

/// Whether packets that a route takes leave by one link and no other.
pub(super) fn is_unicast_over(route: &Route, link: u32) -> bool {
    let mut interfaces = route.interfaces().peekable();
    route.kind == kind::UNICAST
        && interfaces.peek().is_some()
        && interfaces.all(|interface| interface == link)
}

fn objects(socket: &mut Socket) -> Result<FxHashMap<u32, NextHopObject>, Refusal> {
    socket.snapshot(&mut nexthop::dump(), FxHashMap::default, |objects, message| {
        objects.extend(NextHopObject::parse(message)?.map(|object| (object.id, object)));
        Ok(())
    })
}

/// What is known of a hop that is kept in an object. It is never sent: the object's number goes in its place.
fn only_link(interface: u32) -> NextHop {
    NextHop { interface, gateway: None, hops: 0, flags: 0, other: Vec::new() }
}
