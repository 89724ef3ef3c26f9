//! Echo requests, over IPv4 and IPv6: who answers, how long it takes, and what routers say instead.
//!
//! [`Host::echo`] waits for one answer. [`Host::echo_socket`] is for many requests, many answers, and for programs that wait
//! for several things: the socket has a descriptor and never blocks unless it is told to. [`Host::is_echo_group`] tells whether
//! several hosts may answer.
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::icmp::EchoRequest;
//!
//! # fn main() -> iphelper::Result<()> {
//! let reply = Host::open()?.echo(&EchoRequest::new([192, 0, 2, 1].into()))?;
//! println!("{} after {:?}", reply.status, reply.round_trip_time);
//! # Ok(())
//! # }
//! ```

mod status;

pub use status::EchoStatus;

use crate::backend;
use crate::best_route::BestRouteQuery;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::route::RouteKind;
use crate::types::{Family, InterfaceKey};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

/// How echo requests leave this host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EchoOptions {
    /// The address of this host that they are sent from; `None`: the route's choice.
    ///
    /// - Windows: `SourceAddress` of `IcmpSendEcho2Ex` and `Icmp6SendEcho2`
    /// - Linux: `bind(2)`
    pub source: Option<IpAddr>,
    /// The zone of [`source`](Self::source) where it is link-local: an interface's index; 0: none.
    pub source_scope_id: u32,
    /// The interface that they must leave by and answers must come in by; `None`: any. Linux: `SO_BINDTOIFINDEX`.
    pub interface: Option<InterfaceKey>,
    /// The hops that a request makes at most, from 1 to 255; `None`: the host's default (1 to groups).
    ///
    /// - Windows: `Ttl` of `IP_OPTION_INFORMATION`
    /// - Linux: `IP_TTL`, `IP_MULTICAST_TTL`, `IPV6_UNICAST_HOPS`, `IPV6_MULTICAST_HOPS`
    #[doc(alias = "Ttl")]
    pub ttl: Option<u8>,
    /// Type of service, or IPv6 traffic class, all eight bits; `None`: 0.
    ///
    /// - Windows: `Tos` of `IP_OPTION_INFORMATION`
    /// - Linux: `IP_TOS`, `IPV6_TCLASS`
    #[doc(alias = "Tos")]
    pub tos: Option<u8>,
    /// Whether nobody may cut a request in pieces: one that is too large is [`EchoStatus::PacketTooBig`].
    ///
    /// - Windows: `IP_FLAG_DF`
    /// - Linux: `IP_PMTUDISC_DO`, `IPV6_PMTUDISC_DO` with `IPV6_DONTFRAG`
    #[doc(alias = "IP_FLAG_DF")]
    pub dont_fragment: bool,
    /// IPv4 options (RFC 791, section 3.1), 40 octets at most; the kernel fills up what is no multiple of four. Record
    /// route (7), timestamp (68) and source routes (131, 137) need no privilege, others `CAP_NET_RAW`.
    ///
    /// - Windows: `OptionsData` of `IP_OPTION_INFORMATION`
    /// - Linux: `IP_OPTIONS`
    #[doc(alias = "OptionsData")]
    pub ip_options: Vec<u8>,
}

/// One echo request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EchoRequest {
    /// Who is asked.
    pub destination: IpAddr,
    /// The zone of a link-local destination: an interface's index; 0: none.
    pub scope_id: u32,
    /// What the request carries, and the answer brings back: 65,507 octets at most, 65,527 over IPv6.
    pub data: Vec<u8>,
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// How it leaves this host.
    pub options: EchoOptions,
}

impl EchoRequest {
    /// A request with 32 octets of data, as Windows' `ping` sends them, that waits four seconds.
    #[must_use]
    pub fn new(destination: IpAddr) -> Self {
        Self {
            destination,
            scope_id: 0,
            data: b"abcdefghijklmnopqrstuvwabcdefghi".to_vec(),
            timeout: Duration::from_secs(4),
            options: EchoOptions::default(),
        }
    }
}

/// What came of an echo request.
///
/// - Windows: `ICMP_ECHO_REPLY`, `ICMPV6_ECHO_REPLY`
#[doc(alias = "ICMP_ECHO_REPLY")]
#[doc(alias = "ICMPV6_ECHO_REPLY")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EchoReply {
    /// The number of the request.
    pub sequence: u16,
    /// The answer, or what stands for it.
    pub status: EchoStatus,
    /// Who says so: the destination, a router, or this host itself (when a neighbour does not answer). `None` where nobody
    /// did: a request that could not leave, and one that nobody answered.
    pub address: Option<IpAddr>,
    /// The zone of a link-local [`address`](Self::address); 0: none.
    pub scope_id: u32,
    /// From the request's leaving until the kernel had the answer, or until it was given up.
    pub round_trip_time: Duration,
    /// What the destination sent back; empty in what others say.
    pub data: Vec<u8>,
    /// The hops that the answer had left.
    pub ttl: Option<u8>,
    /// Type of service or traffic class of the answer.
    pub tos: Option<u8>,
    /// IPv4 options of the answer, with the addresses and times that routers wrote.
    pub ip_options: Vec<u8>,
    /// With [`EchoStatus::PacketTooBig`], how large a packet may be, where that was said. In octets, IP header and all.
    pub mtu: Option<u32>,
}

impl EchoReply {
    /// What nobody said.
    pub(crate) fn of_nobody(sequence: u16, status: EchoStatus, round_trip_time: Duration) -> Self {
        Self {
            sequence,
            status,
            address: None,
            scope_id: 0,
            round_trip_time,
            data: Vec::new(),
            ttl: None,
            tos: None,
            ip_options: Vec::new(),
            mtu: None,
        }
    }
}

/// What became of sending a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sent {
    /// The number of the request, by which its answers are known.
    pub sequence: u16,
    /// Why it did not leave this host; `None`: it is on its way. No answer will come where there is one.
    pub refused: Option<EchoReply>,
}

/// A socket for echo requests of one family and their answers.
///
/// Its descriptor ([`AsFd`](std::os::fd::AsFd)) is readable, or has an error pending, when
/// [`try_next`](Self::try_next) should be called; call it after each [`send`](Self::send), too. Answers are told for the last 1,024 requests: any number of them for
/// one request, as groups give them, and late ones, too.
///
/// ```no_run
/// use iphelper::icmp::EchoOptions;
/// use iphelper::{Family, Host};
/// use std::time::{Duration, Instant};
///
/// # fn main() -> iphelper::Result<()> {
/// // Everybody on the link.
/// let mut socket = Host::open()?.echo_socket(Family::V4, &EchoOptions::default())?;
/// let _sent = socket.send([224, 0, 0, 1].into(), 0, b"who is there?")?;
/// let end = Instant::now() + Duration::from_secs(1);
/// while let Some(reply) = socket.next_before(end)? {
///     println!("{:?}: {}", reply.address, reply.status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct EchoSocket(Box<dyn backend::EchoChannel>);

impl EchoSocket {
    /// Sends a request with this data to an address; `scope_id` is the zone of a link-local one. Does not wait.
    ///
    /// - Errors: [`InvalidParameter`](ErrorKind::InvalidParameter) for an address of the other family. What keeps a
    ///   request from leaving (no route, too large, a packet filter) is told in [`Sent`].
    pub fn send(&mut self, destination: IpAddr, scope_id: u32, data: &[u8]) -> Result<Sent> {
        self.0.send(destination, scope_id, data)
    }

    /// The next answer that is here already.
    pub fn try_next(&mut self) -> Result<Option<EchoReply>> {
        self.0.try_next()
    }

    /// The next answer, waited for until `end`; `None` when that has come.
    pub fn next_before(&mut self, end: Instant) -> Result<Option<EchoReply>> {
        loop {
            if let Some(reply) = self.0.try_next()? {
                return Ok(Some(reply));
            }
            if !self.0.wait(end)? {
                // What came at the last moment counts.
                return self.0.try_next();
            }
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for EchoSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.descriptor()
    }
}

impl Host {
    /// Sends an echo request and waits for its answer.
    ///
    /// What came of it is the answer's [`status`](EchoReply::status): also that nobody answered in time, and why the request
    /// could not leave this host. Of several answers this is the first; [`echo_socket`](Self::echo_socket) gives them all.
    ///
    /// - Windows: `IcmpSendEcho`, `IcmpSendEcho2Ex`, `Icmp6SendEcho2`
    /// - Errors: as [`echo_socket`](Self::echo_socket)
    /// - Privilege: as [`echo_socket`](Self::echo_socket)
    #[doc(alias = "IcmpSendEcho")]
    #[doc(alias = "IcmpSendEcho2")]
    #[doc(alias = "IcmpSendEcho2Ex")]
    #[doc(alias = "Icmp6SendEcho2")]
    pub fn echo(&self, request: &EchoRequest) -> Result<EchoReply> {
        let mut socket = self.echo_socket(Family::of(&request.destination), &request.options)?;
        let begun = Instant::now();
        let end = begun.checked_add(request.timeout).ok_or_else(|| {
            Error::new(ErrorKind::InvalidParameter, "sending an echo request")
                .because("the time-out is too long")
        })?;
        let sent = socket.send(request.destination, request.scope_id, &request.data)?;
        if let Some(refused) = sent.refused {
            return Ok(refused);
        }
        let reply = socket.next_before(end)?;
        Ok(reply
            .unwrap_or_else(|| EchoReply::of_nobody(sent.sequence, EchoStatus::TimedOut, begun.elapsed())))
    }

    /// Whether several hosts may answer one echo request to an address: it is a group, `255.255.255.255`, or the
    /// broadcast address of a subnet that this host is in.
    ///
    /// - Linux: the kind of the route that [`best_route`](Self::best_route) finds, from the source and by the interface of
    ///   `options`. An address that no route leads to is none of these.
    pub fn is_echo_group(&self, destination: IpAddr, options: &EchoOptions) -> bool {
        let IpAddr::V4(address) = destination else { return destination.is_multicast() };
        let query = BestRouteQuery {
            source: options.source,
            interface: options.interface,
            ..BestRouteQuery::default()
        };
        address.is_multicast()
            || address.is_broadcast()
            || self.best_route(destination, &query).is_ok_and(|best| best.route.kind == RouteKind::Broadcast)
    }

    /// Opens a socket for echo requests of a family.
    ///
    /// - Windows: `IcmpCreateFile`, `Icmp6CreateFile`
    /// - Errors: [`InvalidParameter`](ErrorKind::InvalidParameter) for options that are out of their range, or IPv4 options
    ///   over IPv6; [`NotFound`](ErrorKind::NotFound) for a source that is no address of this host;
    ///   [`InterfaceNotFound`](ErrorKind::InterfaceNotFound);
    ///   [`AccessDenied`](ErrorKind::AccessDenied) where this user may send none.
    /// - Privilege: on Linux a group of the caller's in `net.ipv4.ping_group_range` (of IPv6, too), else `CAP_NET_RAW`.
    /// - Linux: a ping socket, whose errors are read from its error queue (`IP_RECVERR`, `IPV6_RECVERR`); where the user may
    ///   have none, a raw one. Times are the kernel's (`SO_TIMESTAMPNS`): when the answer came in, not when somebody looked.
    #[doc(alias = "IcmpCreateFile")]
    #[doc(alias = "Icmp6CreateFile")]
    pub fn echo_socket(&self, family: Family, options: &EchoOptions) -> Result<EchoSocket> {
        let refuse = |reason: &'static str| {
            Err(Error::new(ErrorKind::InvalidParameter, "opening a socket for echo requests").because(reason))
        };
        if options.ttl == Some(0) {
            return refuse("a request needs one hop at least");
        }
        if options.source.is_some_and(|source| Family::of(&source) != family) {
            return refuse("the source is an address of the other family");
        }
        let is_for_many = |source: IpAddr| source == IpAddr::V4(Ipv4Addr::BROADCAST) || source.is_multicast();
        if options.source.is_some_and(is_for_many) {
            return refuse("the source is an address of many hosts");
        }
        if options.ip_options.len() > 40 {
            return refuse("a packet has room for 40 octets of IPv4 options");
        }
        if family == Family::V6 && !options.ip_options.is_empty() {
            return refuse("these options are IPv4's: IPv6 has none of them");
        }
        self.backend().open_echo(family, options).map(EchoSocket)
    }
}
