//! How far away a host is: the time there and back, and the number of routers between.
//!
//! - [`Host::round_trip`]; [`Host::echo`](crate::icmp) where only the answer counts
//!
//! ```no_run
//! use iphelper::Host;
//!
//! # fn main() -> iphelper::Result<()> {
//! let found = Host::open()?.round_trip([192, 0, 2, 1].into(), &Default::default())?;
//! println!("{} hops, {:?}", found.hops, found.time);
//! # Ok(())
//! # }
//! ```

use crate::error::Result;
use crate::host::Host;
use std::net::IpAddr;
use std::time::Duration;

/// How far to look, and how long to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RoundTripOptions {
    /// The most hops that a probe makes: from 1 to 255.
    pub max_hops: u8,
    /// How long each probe waits for its answer.
    pub patience: Duration,
    /// How often a probe that nobody answers is sent.
    pub attempts: u32,
}

impl Default for RoundTripOptions {
    /// 30 hops, as `traceroute` has it; two attempts of a second each.
    fn default() -> Self {
        Self { max_hops: 30, patience: Duration::from_secs(1), attempts: 2 }
    }
}

/// How far away a host is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// The time that a packet took there, and its answer back.
    pub time: Duration,
    /// The hops to it: 1 for a neighbour, and for this host itself.
    pub hops: u8,
}

impl Host {
    /// Sends probes to a host, and tells how long the answer takes and how many hops there are.
    ///
    /// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for no hops at all;
    ///   [`TimedOut`](crate::ErrorKind::TimedOut) where nobody answers;
    ///   [`HostUnreachable`](crate::ErrorKind::HostUnreachable) where a router says that it cannot be reached, or that it is
    ///   farther away than [`max_hops`](RoundTripOptions::max_hops);
    ///   [`NetworkUnreachable`](crate::ErrorKind::NetworkUnreachable) where no route leads there.
    /// - Privilege: none.
    /// - Linux: echo requests, where `net.ipv4.ping_group_range` lets this user send any, else UDP datagrams to ports that
    ///   nobody has; what routers answer is read from the sockets' error queues (`IP_RECVERR`). The hops are found by
    ///   halving, so ten routers are four probes.
    #[doc(alias = "GetRTTAndHopCount")]
    pub fn round_trip(&self, destination: IpAddr, options: &RoundTripOptions) -> Result<RoundTrip> {
        self.backend().round_trip(destination, options)
    }
}
