//! The forwarding table: routes read whole or one at a time, made, changed and taken away.
//!
//! A route is known by its key, as on Windows: the destination's prefix, the next hop and the interface. Its metric is
//! relative: what counts is the sum of the route's metric and the interface's
//! ([`IpInterface::metric`](crate::ip_interface::IpInterface::metric), while that is set by hand), and the table gives
//! back what was set.
//!
//! - Read: [`Host::routes`], [`Host::route`]; [`Host::routes_iter`] for large tables
//! - Change: [`Host::create_route`], [`Host::create_routes`], [`Host::set_route`], [`Host::delete_route`]
//! - What a change would do: [`Host::plan_create_route`], [`Host::plan_set_route`], [`Host::plan_delete_route`]
//! - Which one a packet takes: [`Host::best_route`](crate::best_route)
//!
//! ```no_run
//! use iphelper::route::{NewRoute, RouteQuery};
//! use iphelper::{Family, Host};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! for route in host.routes(&RouteQuery { family: Some(Family::V4), ..RouteQuery::default() })? {
//!     println!("{} by {} metric {}", route.destination, route.next_hop, route.metric);
//! }
//! let eth0 = host.interface_named("eth0")?.luid;
//! let made = host.create_route(&NewRoute::new("203.0.113.0/24".parse()?, [192, 0, 2, 1].into(), eth0))?;
//! if let Some(key) = made.key() {
//!     host.delete_route(&key)?;
//! }
//! # Ok(())
//! # }
//! ```

mod kinds;

pub use kinds::{RouteKind, RouteOrigin, RouteProtocol};

use crate::Host;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid, Prefix};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Linux' table of routes that packets meet unless a rule says otherwise (`RT_TABLE_MAIN`).
pub const MAIN_TABLE: u32 = 254;
/// Linux' table of this host's own addresses (`RT_TABLE_LOCAL`).
pub const LOCAL_TABLE: u32 = 255;

/// A row of the forwarding table.
///
/// What a host cannot know is `None`, never a made-up zero. What Windows' row has no member for stands below the line
/// in the fields from [`kind`](Self::kind) on; [`beyond_row`](Self::beyond_row) says in words what such a row would lose.
#[doc(alias = "MIB_IPFORWARD_ROW2")]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Route {
    /// The addresses that it is for; length 0: a default route, of which there may be several.
    pub destination: Prefix,
    /// The router, unspecified (`0.0.0.0`, `::`) where there is none. On Linux an IPv4 route may have an IPv6 router.
    pub next_hop: IpAddr,
    /// The interface's LUID; `None` for a route that leads over no interface (an IPv4 blackhole, say).
    pub luid: Option<InterfaceLuid>,
    /// The interface's index; `None` as for [`luid`](Self::luid).
    pub index: Option<InterfaceIndex>,
    /// What is added to the interface's metric; of two routes to one prefix the one with the lower sum is taken.
    pub metric: u32,
    /// Who made it.
    pub protocol: RouteProtocol,
    /// Where it comes from.
    pub origin: RouteOrigin,
    /// How long it stays; `None`: for ever. Linux ends IPv6 routes alone, and has one lifetime for Windows' two.
    pub valid_lifetime: Option<Duration>,
    /// How long ago it was made or changed. Linux does not keep it: `None`.
    pub age: Option<Duration>,
    /// What it does with a packet.
    pub kind: RouteKind,
    /// The routing table, see [`MAIN_TABLE`] and [`LOCAL_TABLE`].
    pub table: u32,
    /// The metric as the kernel has it, the interface's added (`RTA_PRIORITY`).
    pub system_metric: u32,
    /// Who made it, by Linux' number (`RTPROT_*`).
    pub system_protocol: u8,
    /// The source address that packets are given which have none.
    pub preferred_source: Option<IpAddr>,
    /// The prefix that a packet's source must have; IPv6 alone.
    pub source: Option<Prefix>,
    /// The type of service that a packet must have, 0: any; IPv4 alone.
    pub type_of_service: u8,
    /// The route that it is a part of, where that has several next hops. Each of them is a row.
    pub multipath: Option<Multipath>,
    /// The number of the nexthop object that it uses.
    pub next_hop_object: Option<u32>,
    /// Whether packets are put into others (MPLS, segment routing, IP in IP).
    pub encapsulated: bool,
    /// Largest packet that it takes, where the route says so.
    pub mtu: Option<u32>,
}

/// What a row's route with several next hops looks like.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Multipath {
    /// How many next hops it has.
    pub hops: u16,
    /// How often this one is taken, compared with the others; 1 at least.
    pub weight: u16,
}

impl Route {
    /// What names it; `None` for a route that leads over no interface.
    #[must_use]
    pub fn key(&self) -> Option<RouteKey> {
        let interface = InterfaceKey::Luid(self.luid?);
        Some(RouteKey {
            destination: self.destination,
            next_hop: self.next_hop,
            interface,
            table: Some(self.table),
            metric: Some(self.metric),
        })
    }

    /// The family of the addresses that it is for.
    #[must_use]
    pub const fn family(&self) -> Family {
        Family::of(&self.destination.address())
    }

    /// Whether it is one of this library's own tables: a copy that a rule of its own looks up, or a note of what is set,
    /// which no packet meets. `Host::kernel_objects` explains them; other programs' routes are none.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub const fn is_internal(&self) -> bool {
        crate::backend::is_internal_route(self.table, self.system_protocol)
    }

    /// What Windows' row cannot say of this route, each in a few words; none: the row says everything.
    #[must_use]
    pub fn beyond_row(&self) -> Vec<&'static str> {
        let other_family = Family::of(&self.next_hop) != self.family();
        [
            (!matches!(self.kind, RouteKind::Unicast | RouteKind::Local | RouteKind::Broadcast), "its kind"),
            (self.multipath.is_some(), "that it has further next hops"),
            (self.next_hop_object.is_some(), "its nexthop object"),
            (other_family, "a next hop of the other family"),
            (self.source.is_some(), "the source that a packet must have"),
            (self.type_of_service != 0, "the type of service that a packet must have"),
            (self.encapsulated, "its encapsulation"),
            (self.mtu.is_some(), "its MTU"),
            (!matches!(self.table, MAIN_TABLE | LOCAL_TABLE), "its table"),
        ]
        .into_iter()
        .filter_map(|(is_lost, what)| is_lost.then_some(what))
        .collect()
    }
}

/// What names a route: destination, next hop and interface, as on Windows.
///
/// Linux may have several routes of one key, with different metrics or in different tables. Reading gives the one with
/// the lowest metric, of the main table before the local one; a change or deletion that could mean several is refused
/// unless [`table`](Self::table) or [`metric`](Self::metric) says which.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct RouteKey {
    /// The addresses that it is for.
    pub destination: Prefix,
    /// The router; unspecified: none.
    pub next_hop: IpAddr,
    /// The interface.
    pub interface: InterfaceKey,
    /// Only a route of this table; `None`: of the main table, or of the local one if that has none.
    pub table: Option<u32>,
    /// Only a route with this [metric](Route::metric).
    pub metric: Option<u32>,
}

impl RouteKey {
    /// The key of the routes to `destination` by `next_hop` over `interface`.
    #[must_use]
    pub fn new(destination: Prefix, next_hop: IpAddr, interface: impl Into<InterfaceKey>) -> Self {
        Self { destination, next_hop, interface: interface.into(), table: None, metric: None }
    }

    /// The same, of one table only.
    #[must_use]
    pub fn in_table(self, table: u32) -> Self {
        Self { table: Some(table), ..self }
    }

    /// The same, with one metric only.
    #[must_use]
    pub fn with_metric(self, metric: u32) -> Self {
        Self { metric: Some(metric), ..self }
    }

    /// The key in words, with the interface as the reader knows it.
    pub(crate) fn over(&self, interface: impl fmt::Display) -> String {
        let mut text = self.destination.to_string();
        if !self.next_hop.is_unspecified() {
            text += &format!(" by {}", self.next_hop);
        }
        text += &format!(" over {interface}");
        if let Some(table) = self.table.filter(|table| *table != MAIN_TABLE) {
            text += &format!(" in table {table}");
        }
        if let Some(metric) = self.metric {
            text += &format!(" with metric {metric}");
        }
        text
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.over(format_args!("the interface with {}", self.interface)))
    }
}

/// A route to be made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NewRoute {
    /// The addresses that it is for.
    pub destination: Prefix,
    /// The router; unspecified: none, the destination is on the link. On Linux an IPv4 route may have an IPv6 router.
    pub next_hop: IpAddr,
    /// The interface.
    pub interface: InterfaceKey,
    /// What is added to the interface's metric. 0 unless set.
    pub metric: u32,
    /// Who makes it; [`NetMgmt`](RouteProtocol::NetMgmt) unless set.
    pub protocol: RouteProtocol,
    /// How long it stays, whole seconds, rounded up; `None`: for ever. IPv6 alone on Linux, 248 days at most.
    pub valid_lifetime: Option<Duration>,
    /// The routing table; [`MAIN_TABLE`] unless set.
    pub table: u32,
}

impl NewRoute {
    /// A route to `destination` by `next_hop` over `interface`.
    #[must_use]
    pub fn new(destination: Prefix, next_hop: IpAddr, interface: impl Into<InterfaceKey>) -> Self {
        Self {
            destination,
            next_hop,
            interface: interface.into(),
            metric: 0,
            protocol: RouteProtocol::NetMgmt,
            valid_lifetime: None,
            table: MAIN_TABLE,
        }
    }

    /// A route to `destination` over `interface`, by no router: the destination is on the link, or the interface a tunnel.
    #[must_use]
    pub fn on_link(destination: Prefix, interface: impl Into<InterfaceKey>) -> Self {
        let nobody = Prefix::any(Family::of(&destination.address())).address();
        Self::new(destination, nobody, interface)
    }

    /// The same with a metric.
    #[must_use]
    pub fn with_metric(self, metric: u32) -> Self {
        Self { metric, ..self }
    }
}

/// What to change of a route; `None`: leave it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RouteChange {
    /// What is added to the interface's metric.
    pub metric: Option<u32>,
    /// Who makes it.
    pub protocol: Option<RouteProtocol>,
    /// How long it stays from now on, whole seconds, rounded up; `Some(None)`: for ever. IPv6 alone on Linux.
    pub valid_lifetime: Option<Option<Duration>>,
}

impl RouteChange {
    /// A change of the metric.
    #[must_use]
    pub fn metric(metric: u32) -> Self {
        Self { metric: Some(metric), ..Self::default() }
    }
}

/// Which routes to read; the default is all of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RouteQuery {
    /// One family, or both.
    pub family: Option<Family>,
    /// The tables.
    pub tables: RouteTables,
    /// Only what leads over this interface.
    pub interface: Option<InterfaceKey>,
}

/// Routing tables.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RouteTables {
    /// Every table, also those that iphelper keeps for itself.
    #[default]
    All,
    /// The main table and the local one: what Windows' table holds.
    MainAndLocal,
    /// One table, by its number.
    One(u32),
}

impl RouteTables {
    /// Whether a table is among them.
    #[must_use]
    pub const fn contains(self, table: u32) -> bool {
        match self {
            Self::All => true,
            Self::MainAndLocal => matches!(table, MAIN_TABLE | LOCAL_TABLE),
            Self::One(one) => one == table,
        }
    }
}

/// Routes, one at a time: holds one receive buffer and the rows in it, whatever the table's size.
pub struct Routes {
    pub(crate) rows: Box<dyn Iterator<Item = Result<Route>> + Send>,
}

impl Iterator for Routes {
    type Item = Result<Route>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

impl Host {
    /// The forwarding table, IPv4 before IPv6, else in the kernel's order.
    ///
    /// A route with several next hops is a row for each of them. A route that comes or goes while the kernel lists its
    /// table may be there or missing; every other one is there.
    ///
    /// - Windows: `GetIpForwardTable2`, `GetIpForwardTable`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent;
    ///   [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound) for a query about no interface
    /// - Linux: one `RTM_GETROUTE` dump for each family, one `RTM_GETLINK` dump for the LUIDs, and the markers of
    ///   interface metrics
    /// - Privilege: none
    #[doc(alias = "GetIpForwardTable2")]
    #[doc(alias = "GetIpForwardTable")]
    pub fn routes(&self, query: &RouteQuery) -> Result<Vec<Route>> {
        self.backend().routes(query)
    }

    /// The forwarding table one row at a time, in memory of one receive buffer and the rows in it.
    ///
    /// - Errors: as [`routes`](Self::routes), the last row being the error if the dump failed
    pub fn routes_iter(&self, query: &RouteQuery) -> Result<Routes> {
        self.backend().routes_iter(query)
    }

    /// One route; of several with this key the one with the lowest metric.
    ///
    /// - Windows: `GetIpForwardEntry2`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound), also where the interface does not have the family (IPv6 is
    ///   switched off on it); [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where the family's stack is absent;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a next hop of the other family that no route has
    /// - Privilege: none
    #[doc(alias = "GetIpForwardEntry2")]
    pub fn route(&self, key: &RouteKey) -> Result<Route> {
        self.backend().route(key)
    }

    /// Makes a route, beside all others to its destination; the row that it is now.
    ///
    /// A route of another interface or next hop stays, also one of the same metric. In the same call the guards of
    /// [`disable_default_routes`](crate::ip_interface::IpInterface::disable_default_routes) and of strong hosts follow.
    ///
    /// On Linux the route has the protocol number 105 unless another protocol is given. The kernel merges IPv6 routes of
    /// one prefix and metric, so a second one stands right behind the first; its row tells the metric that was set.
    ///
    /// - Windows: `CreateIpForwardEntry2`, `CreateIpForwardEntry`
    /// - Errors: [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where there is a route of this destination, next hop
    ///   and interface, whatever its metric; [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotFound`](crate::ErrorKind::NotFound) where the interface does not have the family;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a next hop that is no neighbour there, a metric
    ///   that with the interface's does not fit 32 bits, a table of iphelper's own;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for an interface that is down, a protocol that Linux has no
    ///   number for, a lifetime of an IPv4 route; [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_NEWROUTE` with `NLM_F_APPEND` (IPv4) or `NLM_F_EXCL` (IPv6). What is there is looked for first: many
    ///   are made faster by [`create_routes`](Self::create_routes)
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "CreateIpForwardEntry2")]
    #[doc(alias = "CreateIpForwardEntry")]
    pub fn create_route(&self, new: &NewRoute) -> Result<Route> {
        self.create_routes(std::slice::from_ref(new))?.pop().unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Other, "creating a route").because("it has no outcome"))
        })
    }

    /// Makes many routes in few system calls; one outcome for each, in order, as [`create_route`](Self::create_route)
    /// would have it.
    ///
    /// The call itself fails only if nothing was done, for lack of privilege for example, or was put back, since the
    /// guards could not follow.
    pub fn create_routes(&self, new: &[NewRoute]) -> Result<Vec<Result<Route>>> {
        self.backend().create_routes(new)
    }

    /// The row that [`create_route`](Self::create_route) would make; every check is done that can be done without the
    /// kernel, nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask. Whether the next hop
    /// is a neighbour and the interface up, only the kernel knows.
    pub fn plan_create_route(&self, new: &NewRoute) -> Result<Route> {
        self.backend().plan_create_route(new)
    }

    /// Changes one route and tells what changed; no other route is touched.
    ///
    /// The new one is there before the old one goes: a caller that dies half-way leaves the old one, the new one or both,
    /// and the same call again does the rest. The guards follow in the same call.
    ///
    /// - Windows: `SetIpForwardEntry2`, `SetIpForwardEntry`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where there is no such route;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) where there are several and the key does not say
    ///   which; [`NotSupported`](crate::ErrorKind::NotSupported) for a route that the kernel made and would make again
    ///   (of the route to an address' prefix the metric can be changed), and for next hops that are members of a nexthop
    ///   object; else as [`create_route`](Self::create_route)
    /// - Linux: `RTM_NEWROUTE`, then `RTM_DELROUTE`; for the route to an address' prefix `IFA_RT_PRIORITY` of the address
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "SetIpForwardEntry2")]
    #[doc(alias = "SetIpForwardEntry")]
    pub fn set_route(&self, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>> {
        self.backend().set_route(key, change)
    }

    /// What [`set_route`](Self::set_route) would change; every check is done, nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_set_route(&self, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>> {
        self.backend().plan_set_route(key, change)
    }

    /// Takes exactly one route away, or one of its next hops where it has several; the row that it was.
    ///
    /// The guards follow in the same call.
    ///
    /// - Windows: `DeleteIpForwardEntry2`, `DeleteIpForwardEntry`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where there is no such route;
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) where there are several and the key does not say
    ///   which; [`NotSupported`](crate::ErrorKind::NotSupported) for next hops that are members of a nexthop object, and
    ///   for an IPv6 route without router beside one by a router with the same interface, metric and protocol, which the
    ///   kernel cannot tell apart; [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_DELROUTE`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "DeleteIpForwardEntry2")]
    #[doc(alias = "DeleteIpForwardEntry")]
    pub fn delete_route(&self, key: &RouteKey) -> Result<Route> {
        self.backend().delete_route(key)
    }

    /// The row that [`delete_route`](Self::delete_route) would take away; every check is done, nothing is written.
    ///
    /// The same errors, [`AccessDenied`](crate::ErrorKind::AccessDenied) left out: everybody may ask.
    pub fn plan_delete_route(&self, key: &RouteKey) -> Result<Route> {
        self.backend().plan_delete_route(key)
    }
}
