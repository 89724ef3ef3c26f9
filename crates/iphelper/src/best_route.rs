//! Finding the route that a packet takes, and the address that it is sent from.
//!
//! - [`Host::best_route`] asks the kernel; [`Host::explain_route`] says which rule and route decide, and why no other does
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::best_route::BestRouteQuery;
//!
//! # fn main() -> iphelper::Result<()> {
//! let best = Host::open()?.best_route("203.0.113.5".parse().unwrap(), &BestRouteQuery::default())?;
//! println!("{} by {} from {:?}", best.route.destination, best.route.next_hop, best.source);
//! # Ok(())
//! # }
//! ```

mod explanation;

pub use explanation::{Candidate, CandidateOutcome, RouteExplanation, RuleOutcome, RuleStep, SourceChoice};

use crate::error::Result;
use crate::host::Host;
use crate::route::Route;
use crate::types::{InterfaceIndex, InterfaceKey, InterfaceLuid};
use std::net::IpAddr;

/// What is known of a packet whose route is sought. [`Default`]: its destination alone.
#[derive(Clone, Debug, Default)]
pub struct BestRouteQuery {
    /// The address that it is sent from; `None`: the host chooses.
    ///
    /// By the strong host model only the interface that has the address sends from it: that is so where the interface's
    /// `WeakHostSend` is off. Where it is on, as Linux has it by itself, the address decides as far as policy rules look
    /// at it.
    pub source: Option<IpAddr>,
    /// The interface that it must leave by, as for a socket that is bound to a device; `None`: any.
    pub interface: Option<InterfaceKey>,
    /// The mark of its socket (`SO_MARK`), which policy rules may look at; `None`: 0.
    pub mark: Option<u32>,
    /// The user that sends it, whom policy rules may look at; `None`: the caller.
    pub user: Option<u32>,
    /// What it carries, which policy rules may look at; `None`: not told. Then the kernel takes an IPv4 packet for one of
    /// UDP, and an IPv6 packet for one of no protocol, both without ports.
    pub transport: Option<Transport>,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transport {
    /// Its protocol.
    pub protocol: TransportProtocol,
    /// The port that it comes from; `None`: not chosen yet.
    pub source_port: Option<u16>,
    /// The port that it goes to.
    pub destination_port: Option<u16>,
}

/// A protocol over IP that the kernel answers questions about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TransportProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, or ICMPv6 to an IPv6 address.
    Icmp,
}

/// The route that a packet takes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BestRoute {
    /// The route, as the forwarding table has it. Of several next hops it is the row of the one that is taken.
    ///
    /// Where policy of ours makes packets go by a copy of a route, it is the route itself.
    pub route: Route,
    /// The interface that the route leads over. This host's own addresses are on the interface that has them, though the
    /// packet never leaves the loopback interface.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// The address that the packet is sent from: the one that was asked for, or the one that the host chooses. `None`:
    /// the host has no address to send from there, and a connection fails.
    pub source: Option<IpAddr>,
}

impl Host {
    /// Finds the route that a packet of this host takes to `destination`, and the address that it is sent from.
    ///
    /// The answer is what a packet then meets: the host's policy rules, disabled default routes and the strong host
    /// model are in it. The unspecified address (`0.0.0.0`, `::`) asks for the route of what no other route covers.
    ///
    /// - Windows: `GetBestRoute2`, `GetBestRoute`, `GetBestInterface`, `GetBestInterfaceEx`
    /// - Linux: `RTM_GETROUTE` for the route (`RTM_F_FIB_MATCH`) and for the way, in one call; then, where something of
    ///   ours is set, whether the packet filter lets the packet leave. Who may not read the filter is told what it ought
    ///   to do.
    /// - Errors: [`NetworkUnreachable`](crate::ErrorKind::NetworkUnreachable) where no route leads there, or the packet
    ///   filter stops what a default route of a guarded interface, or an address of a strong one, would send;
    ///   [`HostUnreachable`](crate::ErrorKind::HostUnreachable) where a route or rule says so (unreachable, prohibit,
    ///   blackhole); [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound) for no such interface;
    ///   [`NotFound`](crate::ErrorKind::NotFound) for an interface without the family, and for a source that is not this
    ///   host's; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a source of the other family, and for a
    ///   link-local destination without an interface, and for ports of ICMP; [`NotSupported`](crate::ErrorKind::NotSupported) for a family that
    ///   the host does not have.
    /// - Privilege: none.
    #[doc(alias = "GetBestRoute2")]
    #[doc(alias = "GetBestRoute")]
    #[doc(alias = "GetBestInterface")]
    #[doc(alias = "GetBestInterfaceEx")]
    pub fn best_route(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<BestRoute> {
        self.backend().best_route(destination, query)
    }

    /// Tells why a packet takes the route that [`best_route`](Self::best_route) finds, or none: each policy rule in its
    /// order, the routes that it chose from, and why each of the others lost.
    ///
    /// The answer is the kernel's; the steps are told from its rules and tables, and compared with it. It reads whole
    /// tables, so it is for people rather than for programs that are in a hurry.
    ///
    /// - Linux: `RTM_GETRULE` and `RTM_GETROUTE` dumps, `RTM_GETNEIGH`
    /// - Errors: those of reading. That no route leads there is no error here, see [`RouteExplanation::best`].
    /// - Privilege: none
    pub fn explain_route(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<RouteExplanation> {
        self.backend().explain_route(destination, query)
    }
}
