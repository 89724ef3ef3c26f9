//! The writes of a plan, and how each is done and put back.

use super::OPERATION;
use super::conf::Conf;
use super::plan::Plan;
use super::router_discovery::is_possible;
use super::undo::{Direction, Values, all_or_nothing};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::socket::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::message::Request;
use iphelper_netlink::rtnetlink::addr::{self, Ipv6Address};
use iphelper_netlink::rtnetlink::link::{change, flag};
use iphelper_netlink::rtnetlink::neigh::{self, Neighbor};
use iphelper_netlink::rtnetlink::neigh_table::{self, NeighborTime};
use iphelper_netlink::rtnetlink::route::{self, Ipv6Route, Selection};
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::time::Duration;

/// `addr_gen_mode`: no link-local address is made.
pub(super) const NO_GENERATION: u8 = 1;

/// One kernel object that changes. Each is written the same way forward and back, with the other value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Write {
    /// The device's MTU; then IPv6's, which that overwrites, as it was.
    DeviceMtu { device: Values<u32>, ipv6: Option<u32> },
    /// A file of the interface's sysctl directory.
    Sysctl { file: &'static str, values: Values<i64> },
    /// A time of the interface's neighbours.
    NeighborTime { time: NeighborTime, values: Values<Duration> },
    /// How long a neighbour in doubt is used before it is probed.
    ProbeDelay(Values<Duration>),
    /// `accept_ra`, and what follows from it: routers are solicited, or what they advertised is taken away.
    RouterDiscovery(Values<i32>),
    /// The interface identifier.
    Token(Values<Ipv6Addr>),
    /// `addr_gen_mode`; the link-local address that the kernel made goes with it, or is made with it.
    AddressGeneration(Values<u8>),
    /// Nothing: makes the kernel tell listeners that the link has changed.
    Announce,
}

impl Write {
    /// Whether the kernel tells nobody, so that an announcement must follow.
    pub(super) fn is_silent(&self) -> bool {
        match self {
            Self::DeviceMtu { ipv6, .. } => ipv6.is_some(),
            // These two send RTM_NEWNETCONF.
            Self::Sysctl { file, .. } => !matches!(*file, "forwarding" | "force_forwarding"),
            Self::Token(_) | Self::Announce => false,
            Self::NeighborTime { .. }
            | Self::ProbeDelay(_)
            | Self::RouterDiscovery(_)
            | Self::AddressGeneration(_) => true,
        }
    }

    /// The file that must be open before the first write.
    fn file(&self) -> Option<&'static str> {
        match self {
            Self::DeviceMtu { ipv6, .. } => ipv6.map(|_| "mtu"),
            Self::Sysctl { file, .. } => Some(file),
            Self::RouterDiscovery(_) => Some("accept_ra"),
            Self::AddressGeneration(_) => Some("addr_gen_mode"),
            Self::NeighborTime { .. } | Self::ProbeDelay(_) | Self::Token(_) | Self::Announce => None,
        }
    }

    /// The family whose directory the file is in.
    fn file_family(&self, row: Family) -> Family {
        if matches!(self, Self::DeviceMtu { .. }) { Family::V6 } else { row }
    }
}

/// Does all that is planned, one plan after the other, or nothing.
pub(super) fn carry_out(host: &LinuxHost, plans: &[&Plan]) -> Result<()> {
    let mut writers: Vec<_> = plans.iter().map(|plan| Writer::new(host, plan)).collect();
    let mut steps = Vec::new();
    for (position, (plan, writer)) in plans.iter().zip(&mut writers).enumerate() {
        for write in &plan.writes {
            if let Some(file) = write.file() {
                writer.conf(write.file_family(plan.family)).open(file)?;
            }
            steps.push((position, write));
        }
    }
    let done = all_or_nothing(&steps, |(position, write), direction, changed| {
        writers.get_mut(*position).map_or(Ok(()), |writer| writer.take(write, direction, changed))
    });
    let announced = plans.iter().find(|plan| plan.writes.contains(&Write::Announce));
    if let (Err(_), Some(plan), Some(writer)) = (&done, announced, writers.first()) {
        // A listener may have read what has been put back since.
        let _ = writer.send(change::announce(plan.link.index.0), "announcing");
    }
    done
}

struct Writer<'a> {
    host: &'a LinuxHost,
    family: Family,
    link: &'a Link,
    ipv4: Conf<'a>,
    ipv6: Conf<'a>,
}

impl<'a> Writer<'a> {
    fn new(host: &'a LinuxHost, plan: &'a Plan) -> Self {
        let Plan { family, ref link, .. } = *plan;
        let conf = |family| Conf::new(host, family, link.luid());
        Self { host, family, link, ipv4: conf(Family::V4), ipv6: conf(Family::V6) }
    }

    fn conf(&mut self, family: Family) -> &mut Conf<'a> {
        match family {
            Family::V4 => &mut self.ipv4,
            Family::V6 => &mut self.ipv6,
        }
    }

    fn take(&mut self, write: &Write, direction: Direction, changed: &mut bool) -> Result<()> {
        let index = self.link.index.0;
        match *write {
            Write::DeviceMtu { device, ipv6 } => {
                let mtu = device.toward(direction);
                self.send(change::set_mtu(index, mtu), format!("setting the MTU to {mtu}"))?;
                *changed = true;
                ipv6.map_or(Ok(()), |mtu| self.ipv6.write("mtu", i64::from(mtu)))
            }
            Write::Sysctl { file, values } => {
                self.conf(self.family).write(file, values.toward(direction))?;
                *changed = true;
                Ok(())
            }
            Write::NeighborTime { time, values } => {
                self.set_neighbor_time(time, values.toward(direction))?;
                *changed = true;
                Ok(())
            }
            Write::ProbeDelay(values) => {
                self.set_neighbor_time(NeighborTime::DelayProbe, values.toward(direction))?;
                *changed = true;
                self.doubt_neighbors_anew()
            }
            Write::RouterDiscovery(values) => {
                let accept_ra = values.toward(direction);
                self.ipv6.write("accept_ra", i64::from(accept_ra))?;
                *changed = true;
                if self.link.ipv6.is_some_and(|ipv6| ipv6.obeys_routers(accept_ra)) {
                    self.solicit_routers()
                } else {
                    self.forget_routers()
                }
            }
            Write::Token(values) => {
                self.send(change::set_tokens(index, &[values.toward(direction)]), "setting the token")?;
                *changed = true;
                Ok(())
            }
            Write::AddressGeneration(values) => {
                let mode = values.toward(direction);
                self.ipv6.write("addr_gen_mode", i64::from(mode))?;
                *changed = true;
                if mode == NO_GENERATION { self.forget_link_local() } else { Ok(()) }
            }
            Write::Announce => self.send(change::announce(index), "announcing the change"),
        }
    }

    fn set_neighbor_time(&self, time: NeighborTime, value: Duration) -> Result<()> {
        let milliseconds = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        let request = neigh_table::set(address_family(self.family), self.link.index.0, time, milliseconds);
        self.send(request, "setting a time of its neighbours").map_err(|error| {
            // ENOENT: the table has no parameters of this index.
            let gone = error.kind() == ErrorKind::NotFound;
            if gone { error.with_kind(ErrorKind::InterfaceNotFound) } else { error }
        })
    }

    /// Puts neighbours that wait for a probe back to the state before: their timers run with the old delay, 23 days
    /// where they were not watched. The next packet to them starts a new one.
    fn doubt_neighbors_anew(&self) -> Result<()> {
        let (family, index) = (address_family(self.family), self.link.index.0);
        let waiting = self.host.route.take()?.snapshot(
            &mut neigh::dump(family, index),
            Vec::new,
            |waiting, message| {
                let neighbor = Neighbor::parse(message)?;
                let in_doubt = |state| matches!(state, neigh::state::DELAY | neigh::state::PROBE);
                if let Some(neighbor) = neighbor.filter(|it| it.index == index && in_doubt(it.state)) {
                    waiting.push(neighbor.set_state(neigh::state::STALE));
                }
                Ok(())
            },
        );
        let waiting = waiting.map_err(|refusal| failed(refusal, "listing the neighbours"))?;
        self.send_each(waiting, "putting neighbours back in doubt")
    }

    /// Makes the kernel solicit routers, which it does not do by itself when `accept_ra` is set.
    ///
    /// Setting a token does it, with the kernel's own repetitions. Without one, an arbitrary token is set and cleared in
    /// one message, too quick for an advertisement to make an address with it; and should one, clearing ends it.
    fn solicit_routers(&self) -> Result<()> {
        let Some(ipv6) = self.link.ipv6 else { return Ok(()) };
        // An interface that is down solicits when it comes up; where solicitations are off, they stay off.
        if !self.link.has(flag::UP) || !is_possible(self.link) || ipv6.router_solicitations == 0 {
            return Ok(());
        }
        let (token, borrowed) = ([ipv6.token], [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED]);
        let tokens = if ipv6.token.is_unspecified() { borrowed.as_slice() } else { &token };
        self.send(change::set_tokens(self.link.index.0, tokens), "soliciting routers")
    }

    /// Takes away what routers advertised: default and other routes, on-link prefixes, and the addresses made from
    /// them. The kernel would keep them until they expire.
    fn forget_routers(&self) -> Result<()> {
        let addresses = self.addresses()?;
        let by_router = |it: &&Ipv6Address| is_from(it, &addresses, addr::protocol::ROUTER_ADVERTISEMENT);
        let (gone, stay): (Vec<&Ipv6Address>, Vec<&Ipv6Address>) = addresses.iter().partition(by_router);
        let mut requests: Vec<_> = self
            .routes(Selection::Protocol(route::protocol::ROUTER_ADVERTISEMENT))?
            .iter()
            .filter(|route| route.protocol == route::protocol::ROUTER_ADVERTISEMENT)
            .map(Ipv6Route::delete)
            .collect();
        requests.extend(gone.into_iter().map(Ipv6Address::delete));
        // The prefix of an address that somebody else made is that one's too.
        let needed = |route: &Ipv6Route| {
            stay.iter()
                .filter(|it| it.flags & addr::flag::NO_PREFIX_ROUTE == 0)
                .any(|it| (it.prefix(), it.prefix_len) == (route.destination, route.prefix_len))
        };
        let prefixes = self.routes(Selection::AdvertisedPrefixes)?;
        requests.extend(prefixes.iter().filter(|route| !needed(route)).map(Ipv6Route::delete));
        self.send_each(requests, "taking away what routers advertised")
    }

    /// Takes away the link-local address that the kernel made. One that somebody else made stays.
    fn forget_link_local(&self) -> Result<()> {
        let addresses = self.addresses()?;
        let requests =
            addresses.iter().filter(|address| is_from(address, &addresses, addr::protocol::LINK_LOCAL));
        self.send_each(requests.map(Ipv6Address::delete), "taking the link-local address away")
    }

    fn addresses(&self) -> Result<Vec<Ipv6Address>> {
        let index = self.link.index.0;
        let addresses =
            self.host.route.take()?.snapshot(&mut addr::dump_ipv6(index), Vec::new, |addresses, message| {
                addresses.extend(Ipv6Address::parse(message)?.filter(|address| address.index == index));
                Ok(())
            });
        addresses.map_err(|refusal| failed(refusal, "listing the addresses"))
    }

    fn routes(&self, selection: Selection) -> Result<Vec<Ipv6Route>> {
        let index = self.link.index.0;
        let routes = self.host.route.take()?.snapshot(
            &mut route::dump_ipv6(index, selection),
            Vec::new,
            |routes, message| {
                routes.extend(Ipv6Route::parse(message)?.into_iter().filter(|route| route.oif == index));
                Ok(())
            },
        );
        routes.map_err(|refusal| failed(refusal, "listing the routes"))
    }

    fn send(&self, mut request: Request, doing: impl Into<Cow<'static, str>>) -> Result<()> {
        self.host.route.take()?.acknowledged(&mut request).map_err(|refusal| failed(refusal, doing))
    }

    /// Sends requests that take something away or change its state; what is gone already is no error.
    fn send_each(&self, requests: impl IntoIterator<Item = Request>, doing: &'static str) -> Result<()> {
        let mut socket = self.host.route.take()?;
        for mut request in requests {
            match socket.acknowledged(&mut request) {
                Err(refusal) if !is_gone(&refusal) => return Err(failed(refusal, doing)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The error of a request about the link.
fn failed(refusal: Refusal, doing: impl Into<Cow<'static, str>>) -> Error {
    refusal.error(OPERATION).because(doing)
}

fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.errno(), libc::ESRCH | libc::ENOENT | libc::EADDRNOTAVAIL)
}

/// Whether the kernel made an address, from a router advertisement or as the link-local one.
///
/// Before Linux 5.18 it does not tell who made an address; then its flags do. An address that a program made with
/// lifetimes and the flag for temporary ones looks the same there.
fn is_from(address: &Ipv6Address, all: &[Ipv6Address], protocol: u8) -> bool {
    // Temporary ones are the kernel's on each version, and go with the address that they were made beside.
    if address.flags & addr::flag::TEMPORARY != 0 {
        return protocol == addr::protocol::ROUTER_ADVERTISEMENT;
    }
    if all.iter().any(|address| address.protocol.is_some()) {
        return address.protocol == Some(protocol);
    }
    let permanent = address.flags & addr::flag::PERMANENT != 0;
    if protocol == addr::protocol::LINK_LOCAL {
        return permanent && address.address.is_unicast_link_local() && address.prefix_len == 64;
    }
    !permanent && address.flags & addr::flag::MANAGE_TEMPORARY != 0
}
