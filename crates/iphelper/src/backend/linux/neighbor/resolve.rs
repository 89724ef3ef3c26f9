//! Resolving a neighbour: a real ARP request or neighbour solicitation, and what the kernel announces of it.
//!
//! The kernel asks, as often and as long as the interface's parameters say; this waits for its word. Who may change the
//! table has it forget what it knows and ask at once. Who may not sends an empty datagram to the neighbour: the kernel
//! asks for an address that it does not know, and for one in doubt when the delay of unreachability detection is over;
//! one that was confirmed within the reachable time is taken as it is.

use super::read::{Entry, Named, require_neighbor_address, shares_one_entry};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::socket::datagram::send_nothing;
use crate::backend::linux::socket::{Protocol, Refusal, Socket};
use crate::best_route::BestRouteQuery;
use crate::error::{Error, ErrorKind, Result};
use crate::neighbor::{Neighbor, PhysicalAddress};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use iphelper_netlink::rtnetlink::link::flag as link_flag;
use iphelper_netlink::rtnetlink::neigh::{self, DELETE_NEIGHBOR, Key, state};
use iphelper_netlink::rtnetlink::neigh_table::{self, NeighborParameters};
use iphelper_netlink::rtnetlink::notification::NEIGHBOR;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const OPERATION: &str = "resolving a neighbour";

/// From here on a neighbour in doubt is never asked, see the IP interface's unreachability detection.
const NEVER: Duration = Duration::from_millis(1_000_000_000);

/// What is added to the time that the kernel needs, for a host with more to do than it can.
const PATIENCE: Duration = Duration::from_secs(20);

impl LinuxHost {
    pub(super) fn resolve(
        &self,
        address: IpAddr,
        interface: Option<InterfaceKey>,
        source: Option<IpAddr>,
    ) -> Result<Neighbor> {
        require_neighbor_address(address, OPERATION)?;
        let link = self.link_to_ask_on(address, interface, source)?;
        let named = Named::from(&link);
        let known = self.neighbor_entry(&link, address, OPERATION)?;
        if let Some(entry) = known.filter(|entry| entry.state & (state::PERMANENT | state::NOARP) != 0) {
            return Ok(entry.row(&named));
        }
        if !link.has(link_flag::UP) {
            return Err(unreachable(format!("{} is switched off", link.name())));
        }
        if shares_one_entry(&link, address) {
            // Nobody is asked there, and the kernel has no entry of this address that one could wait for.
            let entry = Entry::new(link.index, address, PhysicalAddress::default(), state::NOARP);
            return Ok(entry.row(&named));
        }
        let question = Question {
            host: self,
            link: &link,
            address,
            source,
            times: self.times(&link, Family::of(&address))?,
            administrator: self.is_administrator()?,
            marks: known.filter(|entry| !entry.is_learned()).map_or(0, Entry::lasting_marks),
        };
        question.answer(known).map(|entry| entry.row(&named))
    }

    /// The link on which to ask: that of the source address, or the one that is named, or the one that packets to the
    /// address leave by.
    fn link_to_ask_on(
        &self,
        address: IpAddr,
        interface: Option<InterfaceKey>,
        source: Option<IpAddr>,
    ) -> Result<Link> {
        let family = Family::of(&address);
        let named = interface.map(|key| self.address_link(family, key, OPERATION)).transpose()?;
        self.require_family(family, OPERATION)?;
        let own = self.addresses(family, None, OPERATION)?;
        if own.iter().any(|row| row.address == address) {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                .because(format!("{address} is this computer's own address")));
        }
        let link = match (named, source) {
            (named, Some(source)) => {
                if Family::of(&source) != family {
                    return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                        .because(format!("{source} and {address} are of two families")));
                }
                let holders = || own.iter().filter(|row| row.address == source);
                let index = named.as_ref().map(|link| link.index.0);
                let holder = holders().find(|row| Some(row.index) == index).or_else(|| holders().next());
                let holder = holder.ok_or_else(|| {
                    Error::new(ErrorKind::NotFound, OPERATION)
                        .because(format!("the source {source} is no address of this computer"))
                })?;
                self.address_link(family, InterfaceIndex(holder.index).into(), OPERATION)?
            }
            (Some(link), None) => link,
            (None, None) => {
                if matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()) {
                    return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                        .because(format!("{address} can be on every link: name the interface, too")));
                }
                let way = self.way_to(address, None)?;
                let way = way.ok_or_else(|| unreachable(format!("no route leads to {address}")))?;
                self.address_link(family, way.link.into(), OPERATION)?
            }
        };
        if link.has(link_flag::LOOPBACK) {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                .because(format!("{} has no neighbours", link.name())));
        }
        Ok(link)
    }

    /// The link by which packets to an address leave, over one or over any, and the router that they go to; `None` if
    /// there is no way.
    fn way_to(&self, address: IpAddr, link: Option<&Link>) -> Result<Option<Way>> {
        match self.find_route(address, &BestRouteQuery::default(), link) {
            Ok(found) => Ok(Some(Way { link: found.interface, router: found.next_hop })),
            Err(error)
                if matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn times(&self, link: &Link, family: Family) -> Result<Times> {
        let mut found = NeighborParameters::default();
        let _ = self
            .route
            .take()?
            .dump(&mut neigh_table::dump(address_family(family)), |message| {
                if let Some(parameters) = NeighborParameters::parse(message)?
                    && parameters.index == Some(link.index.0)
                {
                    found = parameters;
                }
                Ok(())
            })
            .map_err(|refusal| refusal.error(OPERATION))?;
        let sum = |counts: &[Option<u32>]| {
            counts.iter().fold(0_u32, |sum, count| sum.saturating_add(count.unwrap_or_default()))
        };
        let NeighborParameters { app_probes, unicast_probes, multicast_probes, multicast_reprobes, .. } =
            found;
        // The kernel counts the probes of one that it seeks from the number of unicast probes on; where it is to send none,
        // it gives up before it counts.
        let seeks = sum(&[app_probes, multicast_probes]) > 0;
        Ok(Times {
            delay: found.delay_probe_time.unwrap_or_default(),
            retransmit: found.retransmit_time.unwrap_or_default(),
            to_seek: if seeks { sum(&[app_probes, unicast_probes, multicast_probes]) } else { 0 },
            to_confirm: sum(&[app_probes, unicast_probes, multicast_reprobes]),
        })
    }
}

/// A way that packets take.
#[derive(Clone, Copy, Debug)]
struct Way {
    link: InterfaceIndex,
    /// `None`: on-link.
    router: Option<IpAddr>,
}

/// How the kernel asks on a link.
#[derive(Clone, Copy, Debug)]
struct Times {
    delay: Duration,
    retransmit: Duration,
    /// As many probes are counted when one that was sought is given up.
    to_seek: u32,
    /// As many when one in doubt is.
    to_confirm: u32,
}

/// A neighbour to be asked for.
#[derive(Debug)]
struct Question<'a> {
    host: &'a LinuxHost,
    link: &'a Link,
    address: IpAddr,
    source: Option<IpAddr>,
    times: Times,
    administrator: bool,
    /// What others have marked it with, to be kept (`NTF_*`).
    marks: u32,
}

/// What an entry says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Known,
    Unreachable,
    /// The kernel is still at it.
    Open,
}

impl Question<'_> {
    fn answer(&self, known: Option<Entry>) -> Result<Entry> {
        let mut flushed = known.is_none();
        if let Some(entry) = known.filter(|entry| self.administrator && entry.is_learned()) {
            let _was_there = self.host.forget_entry(&entry, OPERATION)?;
            flushed = true;
        }
        if !self.administrator {
            if let Some(entry) = known.filter(|entry| entry.state == state::REACHABLE) {
                return Ok(entry);
            }
            self.require_a_way(known)?;
        }
        let mut in_doubt = known.filter(|_| !flushed).is_some_and(Entry::is_in_doubt);
        // Only now, so that what the flush is announced by is not taken for an answer.
        let mut announcements = self.host.namespace.run(|| Socket::open(Protocol::Route, NEIGHBOR))??;
        let end = self.deadline();
        self.ask()?;
        let mut events = vec![Event::Look];
        loop {
            for event in events {
                let (entry, is_news) = match event {
                    Event::Now(entry) => (Some(entry), true),
                    Event::Look => (self.look()?, flushed),
                };
                let probes = if in_doubt { self.times.to_confirm } else { self.times.to_seek };
                match entry.map(|entry| (entry, verdict(&entry, is_news, probes))) {
                    Some((entry, Verdict::Known)) => return Ok(entry),
                    // It is not where it was. Now that the kernel has forgotten it, all can be asked.
                    Some((_, Verdict::Unreachable)) if in_doubt => {
                        in_doubt = false;
                        self.ask()?;
                    }
                    Some((_, Verdict::Unreachable)) => {
                        let reason = format!("{} does not answer on {}", self.address, self.link.name());
                        return Err(unreachable(reason));
                    }
                    Some((_, Verdict::Open)) => {}
                    // Forgotten by somebody else.
                    None => self.ask()?,
                }
            }
            self.wait(&announcements, end)?;
            events = self.events(&mut announcements)?;
        }
    }

    fn look(&self) -> Result<Option<Entry>> {
        self.host.neighbor_entry(self.link, self.address, OPERATION)
    }

    /// Makes the kernel ask.
    fn ask(&self) -> Result<()> {
        let index = self.link.index.0;
        if self.administrator {
            let mut request = neigh::solicit(Key { index, address: self.address }, self.marks);
            return self
                .host
                .route
                .take()?
                .acknowledged(&mut request)
                .map_err(|refusal| refusal.error(OPERATION));
        }
        let source = self.source;
        self.host.namespace.run(|| send_nothing(index, source, self.address))?.map_err(|errno| {
            let error = Refusal::from(errno).error(OPERATION);
            match errno {
                Errno::NETUNREACH | Errno::HOSTUNREACH | Errno::NETDOWN | Errno::PERM => {
                    error.with_kind(ErrorKind::NeighborUnreachable).because("sending it a datagram")
                }
                // A socket is told so of an address that is all hosts'.
                Errno::ACCESS => error
                    .with_kind(ErrorKind::InvalidParameter)
                    .because("it is the address of all hosts of a link"),
                _ => error.because("sending it a datagram"),
            }
        })
    }

    /// What a caller without privilege cannot have asked is refused, with the reason.
    fn require_a_way(&self, known: Option<Entry>) -> Result<()> {
        let denied = |reason: String| Err(Error::new(ErrorKind::AccessDenied, OPERATION).because(reason));
        if known.is_some_and(Entry::is_in_doubt) && self.times.delay >= NEVER {
            return denied(format!(
                "{} is known and in doubt, and {} never asks whether such neighbours are there \
                 (UseNeighborUnreachabilityDetection is off): only with CAP_NET_ADMIN can it be forgotten and sought anew",
                self.address,
                self.link.name()
            ));
        }
        // IPv4 is sent on the link whatever the routes say; IPv6 goes where they lead.
        if self.address.is_ipv6() {
            let way = self.host.way_to(self.address, Some(self.link))?;
            let on_link = way.is_some_and(|way| way.router.is_none() && way.link == self.link.index);
            if !on_link {
                return denied(format!(
                    "no route says that {} is on the link of {}: only with CAP_NET_ADMIN can it be asked for there",
                    self.address,
                    self.link.name()
                ));
            }
        }
        Ok(())
    }

    /// When the kernel must have come to an end.
    fn deadline(&self) -> Instant {
        let probes = self.times.to_seek.max(self.times.to_confirm).saturating_add(1);
        let asking = self.times.retransmit.saturating_mul(probes);
        // It is asked to be patient for a day at most, so that the sum is a time.
        let longest = Duration::from_secs(24 * 60 * 60);
        Instant::now() + self.times.delay.saturating_add(asking).saturating_mul(2).min(longest) + PATIENCE
    }

    fn wait(&self, announcements: &Socket, end: Instant) -> Result<()> {
        let mut descriptors = [PollFd::new(announcements, PollFlags::IN)];
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::TimedOut, OPERATION).because(format!(
                "the kernel came to no end about {} on {}",
                self.address,
                self.link.name()
            )));
        }
        match poll(&mut descriptors, Timespec::try_from(left).ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(Refusal::from(errno).error(OPERATION)),
        }
    }

    /// What was announced of the neighbour.
    fn events(&self, announcements: &mut Socket) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        loop {
            let messages = match announcements.receive_with(RecvFlags::DONTWAIT) {
                Ok(messages) => messages,
                Err(refusal) if refusal.errno() == libc::EAGAIN => return Ok(events),
                // Some were lost.
                Err(refusal) if matches!(refusal.errno(), libc::ENOBUFS | libc::EMSGSIZE) => {
                    events.push(Event::Look);
                    continue;
                }
                Err(refusal) => return Err(refusal.error(OPERATION)),
            };
            for message in messages {
                let read = message.and_then(|message| Ok((message.header.kind, Entry::read(&message)?)));
                let (kind, entry) = read.map_err(|error| Refusal::from(error).error(OPERATION))?;
                let ours = |entry: &Entry| entry.index == self.link.index && entry.address == self.address;
                if let Some(entry) = entry.filter(ours) {
                    events.push(if kind == DELETE_NEIGHBOR { Event::Look } else { Event::Now(entry) });
                }
            }
        }
    }
}

/// What was announced.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The entry is this now.
    Now(Entry),
    /// It is to be read.
    Look,
}

impl Entry {
    /// Whether its physical address is known, and nobody has confirmed it lately.
    const fn is_in_doubt(self) -> bool {
        self.state & (state::STALE | state::DELAY | state::PROBE) != 0
    }
}

/// What an entry says, where `probes` are counted before the kernel gives up.
///
/// One in doubt is an answer if its address was learned since the question: the neighbour has spoken by itself meanwhile.
/// One that somebody deletes is announced as failed first, mostly after fewer probes.
fn verdict(entry: &Entry, is_news: bool, probes: u32) -> Verdict {
    match entry.state {
        state::REACHABLE | state::NOARP | state::PERMANENT => Verdict::Known,
        state::STALE if is_news => Verdict::Known,
        state::FAILED if entry.probes.unwrap_or(u32::MAX) >= probes => Verdict::Unreachable,
        _ => Verdict::Open,
    }
}

fn unreachable(reason: String) -> Error {
    Error::new(ErrorKind::NeighborUnreachable, OPERATION).because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_how_far_the_kernel_is() {
        let address = "192.0.2.7".parse().unwrap();
        let says = |state, probes, is_news| {
            let mut entry = Entry::new(InterfaceIndex(2), address, PhysicalAddress::default(), state);
            entry.probes = probes;
            verdict(&entry, is_news, 6)
        };
        for state in [state::REACHABLE, state::NOARP, state::PERMANENT] {
            assert_eq!(says(state, Some(0), false), Verdict::Known);
        }
        for state in [state::NONE, state::INCOMPLETE, state::DELAY, state::PROBE, 0xffff] {
            assert_eq!(says(state, Some(0), true), Verdict::Open);
        }
        assert_eq!(says(state::STALE, None, false), Verdict::Open);
        assert_eq!(says(state::STALE, None, true), Verdict::Known, "it has spoken by itself");
        assert_eq!(says(state::FAILED, Some(6), true), Verdict::Unreachable);
        assert_eq!(says(state::FAILED, None, true), Verdict::Unreachable);
        assert_eq!(says(state::FAILED, Some(4), true), Verdict::Open, "deleted while it was sought");
    }
}
