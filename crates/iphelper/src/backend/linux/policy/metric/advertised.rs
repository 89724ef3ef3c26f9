//! Default routes that the kernel makes from router advertisements.
//!
//! Their metric is a sysctl, `ra_defrtr_metric`, which the kernel obeys at the next advertisement: a route of another
//! metric is replaced then. Until it comes a stand-in serves, at the metric one higher, which the kernel takes for a route
//! of its own and replaces too. A plain copy would not do: the kernel would meet it as somebody's route in the place of
//! its own, drop the rest of the advertisement, and leave it behind when the router goes.

use super::super::marker::{Subject, markers};
use super::OPERATION;
use super::state::State;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::conf::refused;
use crate::backend::linux::link::Link;
use crate::backend::linux::namespace::system;
use crate::backend::linux::socket::AdvertisedRoute;
use crate::backend::linux::sysctl::{read_value, write_value};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceKey};
use iphelper_netlink::rtnetlink::route::{Route, protocol};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;

/// The kernel's main routing table (`RT_TABLE_MAIN`).
const MAIN_TABLE: u32 = 254;
const FILE: &str = "ra_defrtr_metric";

impl LinuxHost {
    /// Which of `routes` stand in for advertised default routes of an interface, see [`Advertised`].
    pub(in crate::backend::linux) fn stand_ins_among(
        &self,
        link: &Link,
        mut routes: Vec<Route>,
    ) -> Result<Vec<Route>> {
        let all = markers(&mut *self.route.take()?)
            .map_err(|refusal| refusal.error(OPERATION).because("reading the markers"))?;
        let state = State::of(&all, Family::V6, Subject::of(link));
        let Some(advertised) = Advertised::open(self, Family::V6, link, &state)? else {
            return Ok(Vec::new());
        };
        routes.retain(|route| advertised.is_stand_in(route));
        Ok(routes)
    }
}

/// The sysctl of one interface; the kernel moves the routes at the next advertisement.
#[derive(Debug)]
pub(super) struct Advertised {
    file: OwnedFd,
    owners: u32,
    current: u32,
    /// Metrics of stand-ins, the old offset's and the new one's.
    stand_ins: [Option<u32>; 2],
}

impl Advertised {
    /// Opens the file; `None` for IPv4, and where the interface has none.
    pub(super) fn open(host: &LinuxHost, family: Family, link: &Link, state: &State) -> Result<Option<Self>> {
        if family == Family::V4 {
            return Ok(None);
        }
        let path = [b"conf/", link.name.as_slice(), b"/", FILE.as_bytes()].concat();
        let file = match host.sysctl.file(family, path.as_slice(), OFlags::RDWR) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(|errno| refused(OPERATION, errno, "opening ra_defrtr_metric"))?,
        };
        // The name may have changed hands before the file was opened; after that it cannot.
        let now = host.link(InterfaceKey::Luid(link.luid()), OPERATION)?;
        if now.name != link.name {
            return Err(Error::new(ErrorKind::Interrupted, OPERATION).because("the interface was renamed"));
        }
        let text = read_value(&file)
            .map_err(|errno| system(OPERATION, errno).because("reading ra_defrtr_metric"))?;
        let current: u32 = text.parse().map_err(|_| {
            Error::new(ErrorKind::Other, OPERATION)
                .because(format!("ra_defrtr_metric is {text:?}, no number"))
        })?;
        let offsets = [state.from, state.to].map(|metric| metric.unwrap_or(0));
        let moved = offsets.into_iter().any(|offset| state.advertised.checked_add(offset) == Some(current));
        // Whoever wrote another value since then meant that one.
        let owners = if state.advertised != 0 && moved { state.advertised } else { current };
        let stand_ins = offsets.map(|offset| owners.checked_add(offset)?.checked_add(1));
        Ok(Some(Self { file, owners, current, stand_ins }))
    }

    /// The value that its owner gave it.
    pub(super) fn owners(&self) -> u32 {
        self.owners
    }

    /// Writes the owner's value and the offset.
    pub(super) fn write(&mut self, offset: u32) -> Result<()> {
        let value = self.owners.checked_add(offset).ok_or_else(|| {
            Error::new(ErrorKind::InvalidParameter, OPERATION).because(format!(
                "metric: ra_defrtr_metric of {} and {offset} do not fit 32 bits",
                self.owners
            ))
        })?;
        if value != self.current {
            write_value(&self.file, &value.to_string())
                .map_err(|errno| system(OPERATION, errno).because(format!("writing {value} to {FILE}")))?;
            self.current = value;
        }
        Ok(())
    }

    /// Whether a route, taken for somebody's, is a stand-in that no advertisement has replaced yet.
    pub(super) fn is_stand_in(&self, route: &Route) -> bool {
        let by_neighbor = matches!(route.gateway, Some(IpAddr::V6(router)) if router.is_unicast_link_local());
        route.protocol == protocol::BOOT
            && route.table == MAIN_TABLE
            && route.destination_len == 0
            && route.expires.is_some()
            && by_neighbor
            && self.stand_ins.contains(&Some(route.priority))
    }

    /// Routes and stand-ins among `all` that are to go, and the stand-ins for them.
    pub(super) fn stand_ins(&self, all: &[Route], offset: u32) -> (Vec<Route>, Vec<AdvertisedRoute>) {
        let Some(metric) = self.owners.checked_add(offset) else { return (Vec::new(), Vec::new()) };
        let there = [metric, metric.saturating_add(1)];
        let old: Vec<Route> = all.iter().filter(|route| !there.contains(&route.priority)).cloned().collect();
        let mut new: Vec<AdvertisedRoute> = Vec::new();
        for route in &old {
            let (Some(IpAddr::V6(router)), Some(interface)) = (route.gateway, route.interface) else {
                continue;
            };
            let served = |other: &Route| other.gateway == route.gateway && there.contains(&other.priority);
            if all.iter().any(served) || new.iter().any(|other| other.router == Some(router)) {
                continue;
            }
            new.push(AdvertisedRoute {
                interface,
                destination: (Ipv6Addr::UNSPECIFIED, 0),
                router: Some(router),
                metric: metric.saturating_add(1),
                preference: route.preference.unwrap_or(0),
                expires: Some(route.expires.and_then(|ticks| u32::try_from(ticks).ok()).unwrap_or(1)),
            });
        }
        (old, new)
    }
}
