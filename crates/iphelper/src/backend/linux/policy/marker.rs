//! What everybody may know of the policy in force, kept in the kernel as routes without device that no packet meets.
//!
//! ```text
//! throw 0.0.0.5 table 1768974352 proto 105 metric 401 window TAG ssthresh A cwnd B reordering C initcwnd D
//! ```
//!
//! The destination is the interface's index, the metric says which property, and the route's metrics, which mean
//! nothing on such a route, hold the upper half of the interface's LUID (so that a later interface on the same index
//! inherits nothing) and the property's values. All are IPv4 routes, also those about IPv6: IPv6 hangs routes without
//! device on the loopback interface and takes them away when that goes down. One message replaces a marker whole.

use super::names::{MARKERS, PROTOCOL};
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::socket::{Refusal, Socket};
use crate::types::Family;
use iphelper_netlink::message::{ACK, CREATE, REPLACE, Request};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, kind, metric};
use std::net::{IpAddr, Ipv4Addr};

const AF_INET: u8 = address_family(Family::V4);

/// The route metrics that hold a marker's values: 32 bits each, which the kernel neither bounds nor uses.
const VALUES: [u16; 4] = [metric::SSTHRESH, metric::CWND, metric::REORDERING, metric::INITCWND];

/// An interface as markers name it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Subject {
    pub(super) index: u32,
    /// The LUID without the index, as far as it fits.
    pub(super) tag: u32,
}

impl Subject {
    pub(super) fn of(link: &Link) -> Self {
        // 17 bits of tag and 15 of the type.
        let tag = u32::try_from((link.luid().0 >> 31) & u64::from(u32::MAX)).unwrap_or_default();
        Self { index: link.index.0, tag }
    }
}

/// One property of one interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Marker {
    /// The number of the property, see [`names`](super::names).
    pub(super) property: u32,
    pub(super) subject: Subject,
    pub(super) values: [u32; 4],
}

impl Marker {
    /// A request that sets the marker, whatever it was.
    pub(super) fn put(&self) -> Request {
        let mut route = route_of(MARKERS, self.subject.index, self.property);
        route.metrics.set(metric::WINDOW, Some(self.subject.tag));
        for (number, value) in VALUES.into_iter().zip(self.values) {
            // The kernel does not tell a metric of zero, so none is sent.
            route.metrics.set(number, (value != 0).then_some(value));
        }
        route.add(CREATE | REPLACE | ACK)
    }

    /// A request that takes the marker away, whatever its values.
    pub(super) fn remove(&self) -> Request {
        route_of(MARKERS, self.subject.index, self.property).delete()
    }

    fn read(route: &Route) -> Option<Self> {
        let index = index_of(route)?;
        let number = |number| route.metrics.get(number).unwrap_or_default();
        Some(Self {
            property: route.priority,
            subject: Subject { index, tag: number(metric::WINDOW) },
            values: VALUES.map(number),
        })
    }
}

/// All markers.
pub(super) fn markers(socket: &mut Socket) -> Result<Vec<Marker>, Refusal> {
    Ok(routes_of(socket, MARKERS)?.iter().filter_map(Marker::read).collect())
}

/// A route of ours without device.
pub(super) fn route_of(table: u32, index: u32, priority: u32) -> Route {
    Route {
        destination: Some(IpAddr::V4(Ipv4Addr::from_bits(index))),
        destination_len: 32,
        kind: kind::THROW,
        protocol: PROTOCOL,
        priority,
        ..Route::new(AF_INET, table)
    }
}

/// The index that such a route is about.
pub(super) fn index_of(route: &Route) -> Option<u32> {
    match route.destination {
        Some(IpAddr::V4(index)) if route.destination_len == 32 => Some(index.to_bits()),
        _ => None,
    }
}

/// The routes of one of our tables; none where there is no such table yet.
pub(super) fn routes_of(socket: &mut Socket, table: u32) -> Result<Vec<Route>, Refusal> {
    let mut request = route::dump(AF_INET, Filter { table: Some(table), ..Filter::default() });
    let routes = socket.snapshot(&mut request, Vec::new, |routes, message| {
        routes.extend(Route::parse(message)?.filter(|it| it.table == table && it.protocol == PROTOCOL));
        Ok(())
    });
    match routes {
        Err(refusal) if refusal.errno() == libc::ENOENT => Ok(Vec::new()),
        routes => routes,
    }
}
