//! What the kernel has learnt of single destinations.

use super::LinuxHost;
use super::link::{Link, address_family};
use super::namespace::system;
use crate::backend::{self, Interface as _};
use crate::best_route::BestRouteQuery;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::InterfaceLevel;
use crate::path::{Path, PathKey};
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::route::{Route, metric};
use iphelper_netlink::rtnetlink::route_lookup::{dump_learnt, forget_ipv6};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::net::IpAddr;
use std::time::Duration;

const READING: &str = "reading what was learnt of paths";
const FLUSHING: &str = "forgetting what was learnt of paths";
/// Clock ticks of `RTA_CACHEINFO` in a second, in milliseconds.
const TICK: u64 = 10;

impl backend::Path for LinuxHost {
    fn paths(&self, family: Option<Family>) -> Result<Vec<Path>> {
        let mut paths = Vec::new();
        for family in self.path_families(family, READING)? {
            for learnt in self.learnt(family, READING)? {
                paths.extend(self.path_of(&learnt, None)?);
            }
        }
        Ok(paths)
    }

    fn path(&self, key: &PathKey) -> Result<Path> {
        let family = Family::of(&key.destination);
        let _ = self.path_families(Some(family), READING)?;
        let index = match key.interface {
            Some(interface) => self.ip_link(interface, family, READING)?.index,
            None => {
                let query = BestRouteQuery { source: key.source, ..BestRouteQuery::default() };
                self.find_route(key.destination, &query, None)?.interface
            }
        };
        if let Some(source) = key.source {
            self.require_own_address(source)?;
        }
        let is_it =
            |learnt: &Route| learnt.destination == Some(key.destination) && learnt.interface == Some(index.0);
        let learnt = self.learnt(family, READING)?.into_iter().find(is_it);
        let path = learnt.map(|learnt| self.path_of(&learnt, key.source)).transpose()?.flatten();
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
        for family in families {
            match family {
                Family::V4 => self.flush_ipv4_paths()?,
                Family::V6 => self.flush_ipv6_paths()?,
            }
        }
        Ok(())
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
            all.extend(Route::parse(message)?.filter(|it| it.destination_len == whole));
            Ok(())
        });
        learnt.map_err(|refusal| refusal.error(operation))
    }

    /// `None` where the interface has gone meanwhile, and all that was learnt with it.
    fn path_of(&self, learnt: &Route, source: Option<IpAddr>) -> Result<Option<Path>> {
        let (Some(destination), Some(index)) = (learnt.destination, learnt.interface) else {
            return Ok(None);
        };
        let index = InterfaceIndex(index);
        let gone = |error: &Error| error.kind() == ErrorKind::InterfaceNotFound;
        let link = match self.link(index.into(), READING) {
            Err(error) if gone(&error) => return Ok(None),
            link => link?,
        };
        let interface = match self.interface(index.into(), InterfaceLevel::NormalWithoutStatistics) {
            Err(error) if gone(&error) => return Ok(None),
            interface => interface?,
        };
        let chosen = || {
            let found = self.find_route(destination, &BestRouteQuery::default(), Some(&link));
            found.ok().and_then(|found| found.source)
        };
        Ok(Some(Path {
            destination,
            source: source.or_else(chosen),
            luid: link.luid(),
            index,
            next_hop: learnt.gateway,
            path_mtu: learnt.metrics.get(metric::MTU).unwrap_or_else(|| mtu(&link, Family::of(&destination))),
            expires: learnt
                .expires
                .map(|ticks| Duration::from_millis(TICK * u64::try_from(ticks).unwrap_or_default())),
            link_transmit_speed: interface.transmit_link_speed,
            link_receive_speed: interface.receive_link_speed,
        }))
    }

    fn flush_ipv4_paths(&self) -> Result<()> {
        let failed = |errno: Errno| system(FLUSHING, errno).because("writing net.ipv4.route.flush");
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
