//! The responder of one interface: sends advertisements, answers solicitations.

use super::Advertising;
use super::onlink::{OnLink, ethernet_address};
use super::packet::{Advertisement, HOP_LIMIT, Prefix, is_valid_solicitation};
use super::schedule::Schedule;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::socket::icmpv6::RouterSocket;
use crate::error::Result;
use crate::types::{InterfaceIndex, InterfaceLuid};
use iphelper_netlink::rtnetlink::link::flag;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The ICMPv6 type of router solicitations.
const SOLICITATION: u8 = 133;
/// IPv6 and ICMPv6 headers are in the MTU; 16 octets of the latter are the advertisement's own.
const IPV6_HEADER: u32 = 40;
/// How often a prefix that is no longer on-link is advertised to have ended.
const FAREWELLS_OF_PREFIXES: u8 = 3;
/// When sending failed for a reason that no announcement ends.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a responder is silent, or that it is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux) enum Phase {
    /// It advertises.
    Advertising,
    /// The interface is down or has no carrier.
    Down,
    /// There is no link-local address, or it is being checked.
    NoLinkLocal,
    /// Packets that come in on the interface are not forwarded.
    NotForwarding,
    /// The socket failed: the errno.
    Failed(i32),
}

/// Advertises on one interface.
#[derive(Debug)]
pub(in crate::backend::linux) struct Responder {
    pub(in crate::backend::linux) index: InterfaceIndex,
    pub(in crate::backend::linux) luid: InterfaceLuid,
    socket: Option<RouterSocket>,
    advertising: Advertising,
    on_link: OnLink,
    ended: Vec<(Prefix, u8)>,
    mtu: u32,
    source: Option<[u8; 6]>,
    schedule: Option<Schedule>,
    phase: Phase,
    /// Whether sending or receiving failed since the last update.
    has_failed: bool,
    pub(in crate::backend::linux) sent: u64,
    pub(in crate::backend::linux) solicited: u64,
}

impl Responder {
    pub(in crate::backend::linux) fn new(link: &Link) -> Self {
        Self {
            index: link.index,
            luid: link.luid(),
            socket: None,
            advertising: Advertising::default(),
            on_link: OnLink::default(),
            ended: Vec::new(),
            mtu: 0,
            source: None,
            schedule: None,
            phase: Phase::Down,
            has_failed: false,
            sent: 0,
            solicited: 0,
        }
    }

    /// Takes in what is set and what the interface is like now.
    pub(in crate::backend::linux) fn update(
        &mut self,
        host: &LinuxHost,
        link: &Link,
        advertising: Advertising,
        forwards: bool,
    ) -> Result<()> {
        let on_link = OnLink::read(host, link.index)?;
        let now = Instant::now();
        let phase = if !link.has(flag::UP) || !link.is_connected() {
            Phase::Down
        } else if !forwards {
            Phase::NotForwarding
        } else if !on_link.has_link_local {
            Phase::NoLinkLocal
        } else {
            self.open(host)?
        };
        if phase != Phase::Advertising && self.phase == Phase::Advertising {
            // Says so while it still can (RFC 4861, section 6.2.5).
            self.farewell();
        }
        let was = self.advertisement();
        self.ended.retain(|(ended, _)| !on_link.prefixes.iter().any(|it| is_same(it, ended)));
        for prefix in &self.on_link.prefixes {
            let known = |it: &Prefix| is_same(it, prefix);
            if self.schedule.is_some() && !on_link.prefixes.iter().any(known) {
                let ended = Prefix { valid: 0, preferred: 0, ..*prefix };
                self.ended.push((ended, FAREWELLS_OF_PREFIXES));
            }
        }
        self.on_link = on_link;
        let interval_changed = self.advertising.interval() != advertising.interval();
        self.advertising = advertising;
        self.mtu = link.ipv6.map_or(0, |ipv6| ipv6.mtu);
        self.source = ethernet_address(link);
        self.phase = phase;
        self.has_failed = matches!(phase, Phase::Failed(_));
        if phase != Phase::Advertising {
            self.schedule = None;
            return Ok(());
        }
        let has_changed = interval_changed || !is_alike(&was, &self.advertisement());
        match &mut self.schedule {
            None => self.schedule = Some(Schedule::new(now, advertising.interval())),
            Some(schedule) if has_changed => schedule.changed(now, advertising.interval()),
            Some(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, host: &LinuxHost) -> Result<Phase> {
        if self.socket.is_none() {
            let index = self.index.0;
            match host.namespace.run(|| RouterSocket::open(index, HOP_LIMIT, SOLICITATION))? {
                Ok(socket) => self.socket = Some(socket),
                Err(errno) => return Ok(Phase::Failed(errno.raw_os_error())),
            }
        }
        Ok(Phase::Advertising)
    }

    pub(in crate::backend::linux) fn phase(&self) -> Phase {
        self.phase
    }

    /// How many prefixes are advertised.
    pub(in crate::backend::linux) fn prefixes(&self) -> usize {
        self.on_link.prefixes.len()
    }

    /// The socket on which solicitations come.
    pub(in crate::backend::linux) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().filter(|_| self.schedule.is_some()).map(AsFd::as_fd)
    }

    /// When there is something to do that no descriptor tells.
    pub(in crate::backend::linux) fn deadline(&self) -> Option<Instant> {
        self.schedule.as_ref().map(Schedule::next)
    }

    /// Takes in what hosts have asked, and sends what is due.
    pub(in crate::backend::linux) fn work(&mut self, now: Instant) {
        self.listen(now);
        if self.deadline().is_some_and(|due| due <= now) {
            match self.send(&self.advertisement()) {
                Ok(()) => {
                    self.sent += 1;
                    self.phase = Phase::Advertising;
                    for (_, left) in &mut self.ended {
                        *left -= 1;
                    }
                    self.ended.retain(|(_, left)| *left > 0);
                    if let Some(schedule) = &mut self.schedule {
                        schedule.sent(now);
                    }
                }
                Err(errno) => self.fail(errno),
            }
        }
    }

    fn listen(&mut self, now: Instant) {
        /// More in one go would keep other work waiting. The rest stays readable.
        const AT_ONCE: usize = 64;
        let (Some(socket), Some(schedule)) = (&self.socket, &mut self.schedule) else { return };
        let mut buffer = [0; 1500];
        for _ in 0..AT_ONCE {
            match socket.receive(&mut buffer) {
                Ok(received) => {
                    let message = buffer.get(..received.len).unwrap_or_default();
                    if is_valid_solicitation(message, received.hop_limit, received.source) {
                        self.solicited += 1;
                        schedule.solicited(now);
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) => return,
                Err(errno) => return self.fail(errno),
            }
        }
    }

    /// The link went away under the socket, or a filter is in the way: another attempt with another socket.
    fn fail(&mut self, errno: Errno) {
        self.socket = None;
        self.schedule = None;
        self.has_failed = true;
        self.phase = match errno {
            Errno::NETUNREACH | Errno::ADDRNOTAVAIL => Phase::NoLinkLocal,
            Errno::NETDOWN | Errno::NODEV | Errno::NXIO => Phase::Down,
            errno => Phase::Failed(errno.raw_os_error()),
        };
    }

    /// When to look again at an interface whose socket failed.
    pub(in crate::backend::linux) fn retry_after(&self) -> Option<Duration> {
        self.has_failed.then_some(RETRY_AFTER)
    }

    /// Tells the hosts not to use this router any more, if it has told them to. Nobody is left to tell of a failure.
    pub(in crate::backend::linux) fn farewell(&mut self) {
        if self.sent > 0 && self.schedule.is_some() {
            let last = Advertisement { router_lifetime: 0, ..self.advertisement() };
            let _ = self.send(&last);
        }
        self.schedule = None;
    }

    fn advertisement(&self) -> Advertisement {
        /// Below it IPv6 does not work (RFC 8200, section 5).
        const LEAST_MTU: u32 = 1280;
        Advertisement {
            managed: self.advertising.managed,
            other_configuration: self.advertising.other_configuration,
            router_lifetime: self.advertising.router_lifetime(),
            mtu: Some(self.mtu).filter(|mtu| *mtu >= LEAST_MTU),
            source: self.source,
            prefixes: self
                .on_link
                .prefixes
                .iter()
                .chain(self.ended.iter().map(|(ended, _)| ended))
                .copied()
                .collect(),
        }
    }

    fn send(&self, advertisement: &Advertisement) -> Result<(), Errno> {
        let socket = self.socket.as_ref().ok_or(Errno::NODEV)?;
        let room = usize::try_from(self.mtu.saturating_sub(IPV6_HEADER)).unwrap_or_default();
        advertisement.encode(room).iter().try_for_each(|message| socket.send_to_all(message))
    }
}

fn is_same(one: &Prefix, other: &Prefix) -> bool {
    (one.address, one.len) == (other.address, other.len)
}

/// Whether two advertisements say the same, lifetimes that run down left out.
fn is_alike(one: &Advertisement, other: &Advertisement) -> bool {
    let timeless = |it: &Advertisement| {
        let prefixes = it.prefixes.iter().map(|it| Prefix { valid: it.valid.min(1), preferred: 0, ..*it });
        Advertisement { prefixes: prefixes.collect(), ..it.clone() }
    };
    timeless(one) == timeless(other)
}
