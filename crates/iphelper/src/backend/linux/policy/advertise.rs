//! Router advertisements: what is to be advertised on which interface, kept in the kernel, and the responder that does it.
//!
//! The kernel forwards packets and sends no advertisements, so a resident process does (see [`keeper`](super::super::keeper)).
//! What is set is a route without device for each interface, which everybody may read:
//!
//! ```text
//! throw 0.0.0.5 table 1768974368 proto 105 window TAG ssthresh FLAGS cwnd MIN reordering MAX
//! ```
//!
//! The destination is the interface's index; the route's metrics, which mean nothing on such a route, hold the upper part
//! of the interface's LUID, flags, and the interval in seconds. It is an IPv4 route: IPv6 hangs routes without device on the
//! loopback interface, and takes them away when that goes down. One message replaces it whole.

mod onlink;
mod packet;
mod responder;
mod schedule;

use super::converge::{gone_is_fine, send};
use super::exclusive::PolicyLock;
use super::marker::{index_of, route_of};
use super::names::{ADVERTISING_TABLE, MAIN_TABLE, PROTOCOL};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::Result;
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper_netlink::rtnetlink::route::{Route, kind, metric};
pub(in crate::backend::linux) use responder::{Phase, Responder};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is set of an interface's advertisements.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(in crate::backend::linux) struct Advertising {
    pub(in crate::backend::linux) enabled: bool,
    /// Whether this host offers itself as a default router.
    pub(in crate::backend::linux) default_route: bool,
    /// The M flag.
    pub(in crate::backend::linux) managed: bool,
    /// The O flag.
    pub(in crate::backend::linux) other_configuration: bool,
    /// Whether the interface became a router (`forwarding`) for it, and is no router without it.
    pub(in crate::backend::linux) made_router: bool,
    /// Seconds, where set by hand.
    pub(in crate::backend::linux) shortest: Option<u32>,
    pub(in crate::backend::linux) longest: Option<u32>,
}

/// RFC 4861, section 6.2.1: `MaxRtrAdvInterval`, which is also what Windows begins with.
const LONGEST_INTERVAL: u32 = 600;
/// Windows' beginning, a third of that.
const SHORTEST_INTERVAL: u32 = 200;

impl Advertising {
    /// The shortest time between two advertisements that nobody asked for, in seconds.
    pub(in crate::backend::linux) fn shortest(&self) -> u32 {
        match (self.shortest, self.longest) {
            (Some(shortest), _) => shortest,
            (None, None) => SHORTEST_INTERVAL,
            // The defaults of RFC 4861 for the longest time that was set.
            (None, Some(longest @ 9..)) => longest / 3,
            (None, Some(longest)) => longest * 3 / 4,
        }
    }

    /// The longest time.
    pub(in crate::backend::linux) fn longest(&self) -> u32 {
        self.longest.unwrap_or(LONGEST_INTERVAL)
    }

    fn interval(&self) -> (Duration, Duration) {
        (Duration::from_secs(self.shortest().into()), Duration::from_secs(self.longest().into()))
    }

    /// How long hosts may use the router that advertised, in seconds (`AdvDefaultLifetime`).
    fn router_lifetime(&self) -> u16 {
        /// The most that RFC 4861 allows.
        const LONGEST: u32 = 9000;
        if !self.default_route {
            return 0;
        }
        u16::try_from(self.longest().saturating_mul(3).min(LONGEST)).unwrap_or_default()
    }
}

/// The one metric (`RTA_PRIORITY`) of these routes.
const PRIORITY: u32 = 1;

const ENABLED: u32 = 1;
const DEFAULT_ROUTE: u32 = 1 << 1;
const MANAGED: u32 = 1 << 2;
const OTHER_CONFIGURATION: u32 = 1 << 3;
const MADE_ROUTER: u32 = 1 << 4;

/// The LUID without its index: 17 bits of tag and 15 of the type.
fn tag(luid: InterfaceLuid) -> u32 {
    u32::try_from(luid.0 >> 31 & u64::from(u32::MAX)).unwrap_or_default()
}

/// What is set of one interface, as a route tells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Marker {
    index: u32,
    tag: u32,
    advertising: Advertising,
}

impl Marker {
    fn route(&self) -> Route {
        let Advertising {
            enabled,
            default_route,
            managed,
            other_configuration,
            made_router,
            shortest,
            longest,
        } = self.advertising;
        let flags = [
            (enabled, ENABLED),
            (default_route, DEFAULT_ROUTE),
            (managed, MANAGED),
            (other_configuration, OTHER_CONFIGURATION),
            (made_router, MADE_ROUTER),
        ];
        let flags: u32 = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum();
        let mut route = route_of(ADVERTISING_TABLE, self.index, PRIORITY);
        for (number, value) in [
            (metric::WINDOW, self.tag),
            (metric::SSTHRESH, flags),
            (metric::CWND, shortest.unwrap_or_default()),
            (metric::REORDERING, longest.unwrap_or_default()),
        ] {
            // The kernel does not tell a metric of zero.
            route.metrics.set(number, (value != 0).then_some(value));
        }
        route
    }

    fn read(route: Route) -> Option<Self> {
        if route.kind != kind::THROW || route.protocol != PROTOCOL || route.priority != PRIORITY {
            return None;
        }
        let flags = route.metrics.get(metric::SSTHRESH).unwrap_or_default();
        Some(Self {
            index: index_of(&route)?,
            tag: route.metrics.get(metric::WINDOW).unwrap_or_default(),
            advertising: Advertising {
                enabled: flags & ENABLED != 0,
                default_route: flags & DEFAULT_ROUTE != 0,
                managed: flags & MANAGED != 0,
                other_configuration: flags & OTHER_CONFIGURATION != 0,
                made_router: flags & MADE_ROUTER != 0,
                shortest: route.metrics.get(metric::CWND),
                longest: route.metrics.get(metric::REORDERING),
            },
        })
    }
}

impl LinuxHost {
    fn advertising_markers(&self) -> Result<Vec<Marker>> {
        self.routes_of_table(Family::V4, ADVERTISING_TABLE, Marker::read)
    }

    /// What is set of the advertisements of `links`, where anything is.
    pub(in crate::backend::linux) fn advertising(
        &self,
        links: &[Link],
    ) -> Result<BTreeMap<InterfaceIndex, Advertising>> {
        let markers = self.advertising_markers()?;
        let of_link = |link: &Link| {
            let found = markers.iter().find(|it| it.index == link.index.0 && it.tag == tag(link.luid()));
            found.map(|marker| (link.index, marker.advertising))
        };
        Ok(links.iter().filter_map(of_link).collect())
    }

    /// Sets it for one interface, in one message. What a later interface finds on its index is not of it.
    pub(in crate::backend::linux) fn set_advertising(
        &self,
        index: InterfaceIndex,
        luid: InterfaceLuid,
        advertising: Advertising,
    ) -> Result<()> {
        let marker = Marker { index: index.0, tag: tag(luid), advertising };
        // A keeper takes what goes without the lock for something that somebody took away.
        let _lock = PolicyLock::take(self)?;
        if advertising == Advertising::default() {
            return gone_is_fine(send(self, marker.route().delete(), "deleting a marker"));
        }
        send(self, marker.route().create_or_replace(), "writing what is advertised")
    }

    /// Forgets what is set of interfaces that are gone.
    pub(in crate::backend::linux) fn forget_advertising(&self, links: &[Link]) -> Result<()> {
        for marker in self.advertising_markers()? {
            if !links.iter().any(|link| link.index.0 == marker.index && tag(link.luid()) == marker.tag) {
                gone_is_fine(send(self, marker.route().delete(), "deleting a marker"))?;
            }
        }
        Ok(())
    }
}

/// Whether an announced route may change what is advertised; where nothing is advertised, that is what is set alone.
pub(in crate::backend::linux) fn may_be_advertised(route: &Route, advertises: bool) -> bool {
    if route.protocol == PROTOCOL && route.table != MAIN_TABLE {
        return route.table == ADVERTISING_TABLE || advertises;
    }
    let is_main = route.family == address_family(Family::V6) && route.table == MAIN_TABLE;
    advertises && is_main && route.is_direct()
}

/// What carries it, as people read it.
pub(in crate::backend::linux) fn mechanism(index: InterfaceIndex) -> String {
    format!("ip route table {ADVERTISING_TABLE} (throw for interface {index}), obeyed by iph keeper")
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_netlink::message::Messages;

    #[test]
    fn what_is_set_reads_back_from_its_route() {
        let all = Advertising {
            enabled: true,
            default_route: true,
            managed: true,
            other_configuration: true,
            made_router: true,
            shortest: Some(3),
            longest: Some(1800),
        };
        let some = Advertising { enabled: true, managed: true, ..Advertising::default() };
        let rest = Advertising { default_route: true, longest: Some(4), ..Advertising::default() };
        for advertising in [all, some, rest] {
            let marker = Marker { index: 0x7fff_fffe, tag: 0x8001_2345, advertising };
            let mut request = marker.route().create_or_replace();
            let bytes = request.finish(1).to_vec();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            let route = Route::parse(&message).unwrap().unwrap();
            assert_eq!(Marker::read(route), Some(marker));
        }
    }

    #[test]
    fn times_follow_the_rfc() {
        let times = |shortest, longest| {
            let advertising =
                Advertising { default_route: true, shortest, longest, ..Advertising::default() };
            (advertising.shortest(), advertising.longest(), advertising.router_lifetime())
        };
        assert_eq!(times(None, None), (200, 600, 1800));
        assert_eq!(times(None, Some(1800)), (600, 1800, 5400));
        assert_eq!(times(None, Some(4)), (3, 4, 12));
        assert_eq!(times(Some(10), Some(30)), (10, 30, 90));
        assert_eq!(Advertising::default().router_lifetime(), 0);
    }
}
