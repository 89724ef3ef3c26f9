//! The writes of a plan, and how each is done and put back.

mod automatic;
mod routers;

use super::OPERATION;
use super::advertising::ROUTER_FILE;
use super::plan::{Plan, Turn};
use super::undo::{Direction, Values, all_or_nothing};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::conf::Conf;
use crate::backend::linux::link::{Link, LinkIpv6, address_family};
use crate::backend::linux::policy::Setting;
use crate::backend::linux::policy::advertise::Advertising;
use crate::backend::linux::policy::kept_routers::while_kept;
use crate::backend::linux::socket::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::message::Request;
use iphelper_netlink::rtnetlink::link::change;
use iphelper_netlink::rtnetlink::neigh::{self, Neighbor};
use iphelper_netlink::rtnetlink::neigh_table::{self, NeighborTime};
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::time::Duration;

/// `addr_gen_mode`: no link-local address is made.
pub(super) const NO_GENERATION: u8 = 1;

/// One kernel object that changes. Each is written the same way forward and back, with the other value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Write {
    /// The MTU of IPv4 routes; `None` is the device's.
    RouteMtu(Values<Option<u32>>),
    /// The device's MTU; then IPv6's where that is smaller, since the device's overwrites it.
    DeviceMtu { device: Values<u32>, ipv6: Values<Option<u32>> },
    /// A file of the interface's sysctl directory.
    Sysctl { file: &'static str, values: Values<i64> },
    /// With how many probes IPv4 addresses are looked for.
    Ipv4Dad(Values<u32>),
    /// A time of the interface's neighbours.
    NeighborTime { time: NeighborTime, values: Values<Duration> },
    /// How long a neighbour in doubt is used before it is probed.
    ProbeDelay(Values<Duration>),
    /// A property that rules and filters hold.
    Policy { setting: Setting, values: Values<bool> },
    /// What is advertised, and with it whether the interface is a router.
    Advertising { values: Values<Advertising>, changes_role: bool },
    /// `accept_ra`, and what follows from it: routers are solicited, or what they advertised is taken away.
    RouterDiscovery(Values<i32>),
    /// The interface metric; `None` is automatic.
    Metric(Values<Option<u32>>),
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
            Self::DeviceMtu { ipv6, .. } => ipv6.to.is_some(),
            // These two send RTM_NEWNETCONF.
            Self::Sysctl { file, .. } => !matches!(*file, "forwarding" | "force_forwarding"),
            Self::Token(_) | Self::Announce => false,
            Self::NeighborTime { .. }
            | Self::ProbeDelay(_)
            | Self::Policy { .. }
            | Self::Advertising { .. }
            | Self::RouterDiscovery(_)
            | Self::Metric(_)
            | Self::RouteMtu(_)
            | Self::Ipv4Dad(_)
            | Self::AddressGeneration(_) => true,
        }
    }

    /// The file that must be open before the first write.
    fn file(&self) -> Option<&'static str> {
        match self {
            Self::DeviceMtu { ipv6, .. } => ipv6.from.or(ipv6.to).map(|_| "mtu"),
            Self::Sysctl { file, .. } => Some(file),
            Self::Advertising { changes_role, .. } => changes_role.then_some(ROUTER_FILE),
            Self::RouterDiscovery(_) => Some("accept_ra"),
            Self::AddressGeneration(_) => Some("addr_gen_mode"),
            Self::NeighborTime { .. }
            | Self::ProbeDelay(_)
            | Self::Policy { .. }
            | Self::Metric(_)
            | Self::RouteMtu(_)
            | Self::Ipv4Dad(_)
            | Self::Token(_)
            | Self::Announce => None,
        }
    }

    /// The family whose directory the file is in.
    fn file_family(&self, row: Family) -> Family {
        if matches!(self, Self::DeviceMtu { .. }) { Family::V6 } else { row }
    }
}

/// Does all that is planned for one link, or nothing. What has the same turn in two plans is done in their order.
pub(super) fn carry_out(host: &LinuxHost, plans: &[&Plan]) -> Result<()> {
    let mut writers: Vec<_> = plans.iter().map(|plan| Writer::new(host, plan)).collect();
    let mut steps = Vec::new();
    for (writer, plan) in plans.iter().enumerate() {
        steps.extend(plan.writes.iter().map(|(turn, write)| Step { turn: *turn, writer, write }));
    }
    steps.sort_by_key(|step| step.turn);
    // One announcement tells of both families.
    steps.dedup_by(|later, step| [later.write, step.write] == [&Write::Announce; 2]);
    for step in &steps {
        if let (Some(file), Some(writer)) = (step.write.file(), writers.get_mut(step.writer)) {
            writer.conf(step.write.file_family(writer.family)).open(file)?;
        }
    }
    let done = all_or_nothing(&steps, |step, direction, changed| {
        writers.get_mut(step.writer).map_or(Ok(()), |writer| writer.take(step.write, direction, changed))
    });
    let announced = steps.iter().find(|step| *step.write == Write::Announce);
    if let (Err(_), Some(writer)) = (&done, announced.and_then(|step| writers.get(step.writer))) {
        // A listener may have read what has been put back since.
        let _ = writer.announce();
    }
    done
}

/// A write, and which plan's writer does it.
struct Step<'a> {
    turn: Turn,
    writer: usize,
    write: &'a Write,
}

/// Writes the plan of one family of one link.
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
            Write::RouteMtu(values) => {
                self.host.set_ipv4_mtu(self.link, values.toward(direction))?;
                *changed = true;
                Ok(())
            }
            Write::DeviceMtu { device, ipv6 } => {
                let mtu = device.toward(direction);
                self.send(change::set_mtu(index, mtu), format!("setting the MTU to {mtu}"))?;
                *changed = true;
                ipv6.toward(direction).map_or(Ok(()), |mtu| self.ipv6.write("mtu", i64::from(mtu)))
            }
            Write::Sysctl { file, values } => {
                self.conf(self.family).write(file, values.toward(direction))?;
                *changed = true;
                Ok(())
            }
            Write::Ipv4Dad(values) => {
                self.host.set_ipv4_dad_transmits(self.link, values.toward(direction))?;
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
            Write::Policy { setting, values } => {
                // It may fail half-way, and then has to be put back.
                *changed = true;
                self.host.set_policy(setting, values.toward(direction))
            }
            Write::Advertising { values, changes_role } => {
                self.set_advertising(values.toward(direction), changes_role, changed)
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
            Write::Metric(values) => {
                let metric = values.toward(direction);
                let solicit = self.host.set_interface_metric(self.family, self.link, metric)?;
                *changed = true;
                let obeys = |ipv6: &LinkIpv6| ipv6.obeys_routers(ipv6.accept_ra);
                if solicit && self.link.ipv6.as_ref().is_some_and(obeys) {
                    self.solicit_routers()?;
                }
                Ok(())
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
            Write::Announce => self.announce(),
        }
    }

    fn announce(&self) -> Result<()> {
        self.send(change::announce(self.link.index.0), "announcing the change")
    }

    /// The note of it goes first when the interface becomes a router, and last when it ceases to be one, so that a caller
    /// that is killed in between leaves no router that nobody knows to be ours.
    fn set_advertising(&mut self, to: Advertising, changes_role: bool, changed: &mut bool) -> Result<()> {
        let Link { index, .. } = *self.link;
        let note = |changed: &mut bool| {
            self.host.set_advertising(index, self.link.luid(), to)?;
            *changed = true;
            Ok(())
        };
        if !changes_role {
            return note(changed);
        }
        if to.made_router {
            note(changed)?;
        }
        while_kept(self.host, Some(index), || self.ipv6.write(ROUTER_FILE, i64::from(to.made_router)))?;
        *changed = true;
        if to.made_router { Ok(()) } else { self.host.set_advertising(index, self.link.luid(), to) }
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
