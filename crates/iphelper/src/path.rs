//! What the host has learnt of the paths to single destinations: path MTUs (RFC 1191, RFC 8201), better next hops, and
//! round-trip times of TCP.
//!
//! - [`Host::paths`], [`Host::path`], [`Host::flush_paths`]
//! - What TCP has measured over an interface: [`Host::bandwidth_estimates`]
//!
//! ```no_run
//! use iphelper::{Family, Host};
//!
//! # fn main() -> iphelper::Result<()> {
//! for path in Host::open()?.paths(Some(Family::V4))? {
//!     println!("{}: {} octets, {:?} there and back", path.destination, path.path_mtu, path.round_trip);
//! }
//! # Ok(())
//! # }
//! ```

use crate::error::Result;
use crate::host::Host;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use std::net::IpAddr;
use std::time::Duration;

/// The path to one destination, as far as it differs from what routes and interfaces say.
///
/// - Windows: `MIB_IPPATH_ROW`. Windows keeps one for each destination that it sends to, Linux for those of which it has
///   learnt something: that packets must be smaller, that another router is nearer, or how long a TCP connection's
///   packets took.
/// - Linux: the exceptions of a route's next hop, and the metrics of TCP, see `docs/linux-mechanisms.md`
#[doc(alias = "MIB_IPPATH_ROW")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Path {
    /// The destination.
    pub destination: IpAddr,
    /// The address that this host sends from on this path, as it chooses by itself or as the caller asked for it. MTU and
    /// next hop hold for every source, times for this one. `None`: the host has none.
    pub source: Option<IpAddr>,
    /// The interface that packets leave by.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// The router that packets go to; `None`: the destination is on the link.
    pub next_hop: Option<IpAddr>,
    /// The largest packet that reaches the destination whole, in octets; the interface's MTU where the path has no smaller
    /// one.
    pub path_mtu: u32,
    /// How long the host goes on believing it; `None`: it does not forget by itself.
    pub expires: Option<Duration>,
    /// The mean time that a packet and its answer took; `None`: no TCP connection has measured it.
    #[doc(alias = "RttMean")]
    pub round_trip: Option<Duration>,
    /// How far single times were from that, on average; `None`: not measured.
    #[doc(alias = "RttDeviation")]
    pub round_trip_deviation: Option<Duration>,
    /// How long ago a TCP connection last told that the destination answers, at its end; `None`: none did. That a
    /// destination cannot be reached is nowhere kept.
    #[doc(alias = "LastReachable")]
    pub last_reachable: Option<Duration>,
    /// Bits per second that the interface sends; `None`: unknown.
    pub link_transmit_speed: Option<u64>,
    /// Bits per second that the interface receives; `None`: unknown.
    pub link_receive_speed: Option<u64>,
}

/// Which path is meant.
#[derive(Clone, Debug)]
pub struct PathKey {
    /// The destination.
    pub destination: IpAddr,
    /// The interface; `None`: the one that the host chooses.
    pub interface: Option<InterfaceKey>,
    /// The address that is sent from; `None`: the one that the host chooses. It must be one of this host.
    pub source: Option<IpAddr>,
}

/// What TCP connections over an interface have measured.
///
/// - Windows: `MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES`. Windows keeps a history; Linux measures by connection, so that
///   this is of those which are there. How much the estimates move, and whether they have peaked, Linux does not tell.
#[doc(alias = "MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct BandwidthEstimates {
    /// Bits per second that a connection sent at, when its program sent as fast as it could: the most of any. `None`: none
    /// has. Linux: [`outbound`](crate::tcp::estats::BandwidthEstats::outbound) of each.
    #[doc(alias = "OutboundBandwidthInformation")]
    pub outbound: Option<u64>,
    /// Bits per second that come in. `None`: unknown. Linux measures at the sending end alone.
    #[doc(alias = "InboundBandwidthInformation")]
    pub inbound: Option<u64>,
}

impl Host {
    /// What TCP connections over an interface have measured of the networks behind it.
    ///
    /// A connection is over the interface that it is bound to, else over the one that has its local address; one between
    /// addresses of this host is over loopback.
    ///
    /// - Windows: `GetIpNetworkConnectionBandwidthEstimates`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound); [`NotFound`](crate::ErrorKind::NotFound) where
    ///   the interface does not have the family
    /// - Linux: `sock_diag`, one request for each connection
    /// - Privilege: none
    #[doc(alias = "GetIpNetworkConnectionBandwidthEstimates")]
    pub fn bandwidth_estimates(
        &self,
        family: Family,
        interface: impl Into<InterfaceKey>,
    ) -> Result<BandwidthEstimates> {
        self.backend().bandwidth_estimates(family, interface.into())
    }

    /// What the host has learnt of the paths to single destinations; `None`: of both families.
    ///
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) for a family that the host does not have.
    /// - Linux: a dump of `RTM_GETROUTE` with `RTM_F_CLONED`, and one of `TCP_METRICS_CMD_GET`. IPv4 tells of a smaller MTU
    ///   only after a packet has used it. TCP tells at the end of a connection, to no link-local address (it does not keep
    ///   the link), and forgets the oldest of some thousand.
    #[doc(alias = "GetIpPathTable")]
    pub fn paths(&self, family: Option<Family>) -> Result<Vec<Path>> {
        self.backend().paths(family)
    }

    /// What the host has learnt of the path to one destination.
    ///
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where it has learnt nothing,
    ///   [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound) for no such interface.
    #[doc(alias = "GetIpPathEntry")]
    pub fn path(&self, key: &PathKey) -> Result<Path> {
        self.backend().path(key)
    }

    /// Forgets what was learnt of all paths of a family; `None`: of both. Packets then have the size of the interface
    /// again until a router complains, and the next TCP connection begins with no time, threshold or Fast Open cookie of
    /// an earlier one.
    ///
    /// - Errors: [`AccessDenied`](crate::ErrorKind::AccessDenied) without `CAP_NET_ADMIN`;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for a family that the host does not have, and in a container with
    ///   users of its own where TCP has measured something, which the kernel does not let its administrator forget; the
    ///   rest is done then.
    /// - Linux: IPv4 by `net.ipv4.route.flush`, IPv6 by `RTM_DELROUTE` of each with `RTM_F_CLONED`; what TCP remembers by
    ///   `TCP_METRICS_CMD_DEL` of each
    #[doc(alias = "FlushIpPathTable")]
    pub fn flush_paths(&self, family: Option<Family>) -> Result<()> {
        self.backend().flush_paths(family)
    }
}
