//! What the kernel has learnt of single destinations.

mod bandwidth;

use super::LinuxHost;
use super::best_route::Found;
use super::conf::refused;
use super::link::{Link, address_family};
use crate::backend::{self, Interface as _};
use crate::best_route::BestRouteQuery;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::InterfaceLevel;
use crate::path::{BandwidthEstimates, Path, PathKey};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use iphelper_netlink::genetlink::tcp_metrics::{self, TcpMetrics};
use iphelper_netlink::rtnetlink::route::{Route, metric};
use iphelper_netlink::rtnetlink::route_lookup::{dump_learnt, forget_ipv6};
use rustc_hash::FxHashMap;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::Duration;

const READING: &str = "reading what was learnt of paths";
const FLUSHING: &str = "forgetting what was learnt of paths";
/// Clock ticks of `RTA_CACHEINFO` in a second, in milliseconds.
const TICK: u64 = 10;

impl backend::Path for LinuxHost {
    fn bandwidth_estimates(&self, family: Family, interface: InterfaceKey) -> Result<BandwidthEstimates> {
        bandwidth::estimates(self, family, interface)
    }

    fn paths(&self, family: Option<Family>) -> Result<Vec<Path>> {
        let mut paths = Vec::new();
        let mut links = Links::default();
        let measured = self.measured(READING)?;
        for family in self.path_families(family, READING)? {
            let learnt = self.learnt(family, READING)?;
            let first = paths.len();
            for exception in &learnt {
                let Some(mut way) = Way::of(exception) else { continue };
                let Some((link, _)) = links.get(self, way.index)? else { continue };
                let chosen = self.find_route(way.destination, &BestRouteQuery::default(), Some(link));
                way.source = chosen.ok().and_then(|found| found.source);
                let times = measured.iter().find(|it| way.is_of(it));
                paths.extend(self.row(&mut links, &way, Some(exception), times)?);
            }
            let told: BTreeSet<_> =
                paths.iter().skip(first).map(|path| (path.destination, path.source)).collect();
            let is_new = |it: &&TcpMetrics| {
                Family::of(&it.destination) == family && !told.contains(&(it.destination, it.source))
            };
            for times in measured.iter().filter(is_new) {
                let Some(way) = self.way_of(times)? else { continue };
                let exception = learnt.iter().find(|it| way.is_by(it));
                paths.extend(self.row(&mut links, &way, exception, Some(times))?);
            }
        }
        Ok(paths)
    }

    fn path(&self, key: &PathKey) -> Result<Path> {
        let family = Family::of(&key.destination);
        let _ = self.path_families(Some(family), READING)?;
        let asked = key.interface.map(|interface| self.ip_link(interface, family, READING)).transpose()?;
        if let Some(source) = key.source {
            self.require_own_address(source)?;
        }
        let query = BestRouteQuery { source: key.source, ..BestRouteQuery::default() };
        let found = self.find_route(key.destination, &query, asked.as_ref());
        let mut way = match (found, asked) {
            (Ok(found), _) => Way::found(&found, key.destination),
            // What was learnt may outlive the route.
            (Err(_), Some(link)) => Way { index: link.index, ..Way::to(key.destination) },
            (Err(error), None) => return Err(error),
        };
        way.source = key.source.or(way.source);
        let learnt = self.learnt(family, READING)?.into_iter().find(|it| way.is_by(it));
        let measured = self.measured(READING)?.into_iter().find(|it| way.is_of(it));
        let path = match (&learnt, &measured) {
            (None, None) => None,
            (learnt, times) => self.row(&mut Links::default(), &way, learnt.as_ref(), times.as_ref())?,
        };
        path.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, READING).because(format!(
                "nothing was learnt of the path to {}: it is as routes and interface say",
                key.destination
            ))
        })
    }

    fn flush_paths(&self, family: Option<Family>) -> Result<()> {
        let families = self.path_families(family, FLUSHING)?;
        self.require_administrator(FLUSHING)?;
        for family in &families {
            match family {
                Family::V4 => self.flush_ipv4_paths()?,
                Family::V6 => self.flush_ipv6_paths()?,
            }
        }
        families.into_iter().try_for_each(|family| self.flush_times(family))
    }
}

/// The way that packets take to one destination.
#[derive(Clone, Debug)]
struct Way {
    destination: IpAddr,
    source: Option<IpAddr>,
    index: InterfaceIndex,
    next_hop: Option<IpAddr>,
    /// As its route has it.
    mtu: Option<u32>,
}

impl Way {
    const fn to(destination: IpAddr) -> Self {
        Self { destination, source: None, index: InterfaceIndex(0), next_hop: None, mtu: None }
    }

    fn found(found: &Found, destination: IpAddr) -> Self {
        let (source, next_hop) = (found.source, found.next_hop);
        Self {
            destination,
            source,
            index: found.interface,
            next_hop,
            mtu: found.entry.metrics.get(metric::MTU),
        }
    }

    /// That of what was learnt, without a source.
    fn of(learnt: &Route) -> Option<Self> {
        let (destination, index) = (learnt.destination?, InterfaceIndex(learnt.interface?));
        Some(Self { index, next_hop: learnt.gateway, ..Self::to(destination) })
    }

    /// Whether this was learnt of it.
    fn is_by(&self, learnt: &Route) -> bool {
        learnt.destination == Some(self.destination) && learnt.interface == Some(self.index.0)
    }

    /// Whether these times are of its connections.
    fn is_of(&self, times: &TcpMetrics) -> bool {
        times.destination == self.destination && (times.source.is_none() || times.source == self.source)
    }
}

/// A link, and how many bits a second it sends and receives.
type WithSpeeds = (Link, [Option<u64>; 2]);

/// Links that were looked up; `None`: gone.
#[derive(Debug, Default)]
struct Links(FxHashMap<u32, Option<WithSpeeds>>);

impl Links {
    fn get(&mut self, host: &LinuxHost, index: InterfaceIndex) -> Result<Option<&WithSpeeds>> {
        let known = match self.0.entry(index.0) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let link = host.link(index.into(), READING);
                let both = link.and_then(|link| {
                    let row = host.interface(index.into(), InterfaceLevel::NormalWithoutStatistics)?;
                    Ok((link, [row.transmit_link_speed, row.receive_link_speed]))
                });
                unknown.insert(match both {
                    Err(error) if error.kind() == ErrorKind::InterfaceNotFound => None,
                    both => Some(both?),
                })
            }
        };
        Ok(known.as_ref())
    }
}

impl LinuxHost {
    fn path_families(&self, family: Option<Family>, operation: &'static str) -> Result<Vec<Family>> {
        match family {
            Some(family) => self.require_family(family, operation).map(|()| vec![family]),
            None => Ok(Family::ALL.into_iter().filter(|family| self.sysctl.has(*family)).collect()),
        }
    }

    fn learnt(&self, family: Family, operation: &'static str) -> Result<Vec<Route>> {
        let mut request = dump_learnt(address_family(family));
        let learnt = self.route.take()?.snapshot(&mut request, Vec::new, |all, message| {
            let whole = family.address_bits();
            // IPv4 keeps what was flushed or has ended without its contents, until it needs the place.
            let says = |it: &Route| family == Family::V6 || it.expires.is_some_and(|ticks| ticks > 0);
            all.extend(Route::parse(message)?.filter(|it| it.destination_len == whole && says(it)));
            Ok(())
        });
        learnt.map_err(|refusal| refusal.error(operation))
    }

    /// What TCP has measured; nothing where the kernel keeps none.
    fn measured(&self, operation: &'static str) -> Result<Vec<TcpMetrics>> {
        let mut all = self.tcp_metrics(operation)?;
        all.retain(|it| it.round_trip.is_some());
        Ok(all)
    }

    fn tcp_metrics(&self, operation: &'static str) -> Result<Vec<TcpMetrics>> {
        let Some(family) = self.generic_family(tcp_metrics::NAME)? else { return Ok(Vec::new()) };
        let all = self.generic.take()?.snapshot(&mut tcp_metrics::dump(family), Vec::new, |all, message| {
            all.extend(TcpMetrics::parse(message)?);
            Ok(())
        });
        all.map_err(|refusal| refusal.error(operation).because("reading what TCP has measured"))
    }

    /// The way that packets take to where TCP had a connection; `None` where there is none now. The link of a link-local
    /// address is not kept.
    fn way_of(&self, times: &TcpMetrics) -> Result<Option<Way>> {
        let destination = times.destination;
        if matches!(destination, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
            return Ok(None);
        }
        let query = BestRouteQuery { source: times.source, ..BestRouteQuery::default() };
        match self.find_route(destination, &query, None) {
            Ok(found) => Ok(Some(Way::found(&found, destination))),
            // The address of that connection may be gone, too.
            Err(error) => match error.kind() {
                ErrorKind::NetworkUnreachable
                | ErrorKind::HostUnreachable
                | ErrorKind::NotFound
                | ErrorKind::InterfaceNotFound => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// `None` where the interface has gone meanwhile, and all that was learnt with it.
    fn row(
        &self,
        links: &mut Links,
        way: &Way,
        learnt: Option<&Route>,
        times: Option<&TcpMetrics>,
    ) -> Result<Option<Path>> {
        let Some((link, [transmit, receive])) = links.get(self, way.index)? else { return Ok(None) };
        let mtu = || mtu(link, Family::of(&way.destination));
        let ticks = |ticks: i32| Duration::from_millis(TICK * u64::try_from(ticks).unwrap_or_default());
        Ok(Some(Path {
            destination: way.destination,
            source: way.source,
            luid: link.luid(),
            index: way.index,
            next_hop: learnt.map_or(way.next_hop, |learnt| learnt.gateway),
            path_mtu: learnt.and_then(|it| it.metrics.get(metric::MTU)).or(way.mtu).unwrap_or_else(mtu),
            expires: learnt.and_then(|learnt| learnt.expires).map(ticks),
            round_trip: times.and_then(|times| times.round_trip),
            round_trip_deviation: times.and_then(|times| times.deviation),
            last_reachable: times.and_then(|times| times.age),
            link_transmit_speed: *transmit,
            link_receive_speed: *receive,
        }))
    }

    fn flush_times(&self, family: Family) -> Result<()> {
        let Some(number) = self.generic_family(tcp_metrics::NAME)? else { return Ok(()) };
        let destinations: BTreeSet<IpAddr> = self
            .tcp_metrics(FLUSHING)?
            .into_iter()
            .map(|it| it.destination)
            .filter(|it| Family::of(it) == family)
            .collect();
        let mut socket = self.generic.take()?;
        for destination in destinations {
            match socket.acknowledged(&mut tcp_metrics::forget(number, destination)) {
                // Pushed out meanwhile.
                Err(refusal) if refusal.errno() == libc::ESRCH => {}
                // Administrators of a user namespace are none to it (GENL_ADMIN_PERM).
                Err(refusal) if refusal.errno() == libc::EPERM => {
                    return Err(refusal.into_error(ErrorKind::NotSupported, FLUSHING).because(
                        "what routers told is forgotten, what TCP has measured is not: the kernel lets the host's \
                         administrator do that, and none of a container",
                    ));
                }
                done => done.map_err(|refusal| refusal.error(FLUSHING))?,
            }
        }
        Ok(())
    }

    fn flush_ipv4_paths(&self) -> Result<()> {
        let failed = |errno: Errno| refused(FLUSHING, errno, "writing net.ipv4.route.flush");
        let file =
            self.sysctl.file(Family::V4, "route/flush", OFlags::WRONLY).map_err(|errno| match errno {
                Errno::NOENT => failed(errno)
                    .with_kind(ErrorKind::NotSupported)
                    .because("this kernel hides net.ipv4.route.flush in a user namespace"),
                _ => failed(errno),
            })?;
        super::sysctl::write_value(&file, "1").map_err(failed)
    }

    fn flush_ipv6_paths(&self) -> Result<()> {
        for learnt in self.learnt(Family::V6, FLUSHING)? {
            match self.route.take()?.acknowledged(&mut forget_ipv6(&learnt)) {
                // Gone meanwhile, with its route or its interface.
                Err(refusal) if matches!(refusal.errno(), libc::ESRCH | libc::ENODEV | libc::ENOENT) => {}
                done => done.map_err(|refusal| refusal.error(FLUSHING))?,
            }
        }
        Ok(())
    }
}

fn mtu(link: &Link, family: Family) -> u32 {
    match family {
        Family::V4 => link.mtu,
        Family::V6 => link.ipv6.map_or(link.mtu, |ipv6| ipv6.mtu),
    }
}
