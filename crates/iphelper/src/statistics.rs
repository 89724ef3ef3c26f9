//! Counters of IP, ICMP, TCP and UDP, and the two settings that Windows keeps beside them.
//!
//! All are those of the host's network namespace, counted since it was made. Counters have 64 bits where the kernel's have.
//!
//! - Read: [`Host::ip_statistics`], [`Host::icmp_statistics`], [`Host::tcp_statistics`], [`Host::udp_statistics`]
//! - Forwarding and the default hop limit: [`Host::set_ip_statistics`], [`Host::plan_set_ip_statistics`]
//!
//! ```no_run
//! use iphelper::{Family, Host};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! println!("{} packets came in", host.ip_statistics(Family::V4)?.in_receives);
//! println!("{} UDP datagrams found no port", host.udp_statistics(Family::V6)?.no_ports);
//! # Ok(())
//! # }
//! ```

use crate::Host;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::types::Family;
use std::time::Duration;

/// Counters and settings of IP, of one family.
#[doc(alias = "MIB_IPSTATS")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IpStatistics {
    /// Whether the host forwards packets. IPv4: by all its interfaces; IPv6: whether each interface does.
    pub forwarding: bool,
    /// The time to live, or hop limit, of packets that are given none.
    pub default_ttl: u8,
    /// Packets that came in, those in error among them. What a network card has joined is one.
    pub in_receives: u64,
    /// Packets thrown away for their header: checksum, version, time to live at its end.
    pub in_header_errors: u64,
    /// Packets thrown away for their destination: not this host's, and not to be forwarded.
    pub in_address_errors: u64,
    /// Packets forwarded.
    pub forwarded_datagrams: u64,
    /// Packets of a protocol that nobody here speaks.
    pub in_unknown_protocols: u64,
    /// Packets thrown away on their way in though nothing was wrong with them.
    pub in_discards: u64,
    /// Packets given to TCP, UDP, ICMP and the like.
    pub in_delivers: u64,
    /// Packets that programs and protocols of this host sent; forwarded ones do not count.
    pub out_requests: u64,
    /// Routes thrown away though they were good. Linux keeps no such cache: always `None` there.
    pub routing_discards: Option<u64>,
    /// Packets thrown away on their way out though nothing was wrong with them.
    pub out_discards: u64,
    /// Packets thrown away since no route led to their destination.
    pub out_no_routes: u64,
    /// How long fragments wait for the rest of their packet.
    pub reassembly_timeout: Duration,
    /// Fragments that came in to be put together.
    pub reassembly_required: u64,
    /// Packets put together.
    pub reassembly_ok: u64,
    /// Failures to put a packet together.
    pub reassembly_failures: u64,
    /// Packets taken apart.
    pub fragment_ok: u64,
    /// Packets thrown away since they would have had to be taken apart and must not.
    pub fragment_failures: u64,
    /// Fragments made.
    pub fragments_created: u64,
    /// Interfaces that have the family.
    pub interfaces: u64,
    /// Addresses of this host.
    pub addresses: u64,
    /// Routes of the main table and the local one.
    pub routes: u64,
}

/// What is to change of [`IpStatistics`]; `None` leaves it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IpStatisticsChange {
    /// Forwarding. Of IPv6 it is a property of each interface on Linux, see
    /// [`Host::set_ip_interface`](crate::Host::set_ip_interface), and cannot be changed here.
    pub forwarding: Option<bool>,
    /// The default time to live, from 1 to 255.
    pub default_ttl: Option<u8>,
}

/// Messages of ICMP, of one family and one direction.
#[doc(alias = "MIBICMPSTATS_EX")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IcmpCounters {
    /// Messages.
    pub messages: u64,
    /// Of these, or in their place, those in error: checksum, length, no memory to send.
    pub errors: u64,
    /// Messages of each type, by its number.
    pub types: Box<[u64; 256]>,
}

/// Counters of ICMP or ICMPv6.
#[doc(alias = "MIB_ICMP")]
#[doc(alias = "MIB_ICMP_EX")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IcmpStatistics {
    /// What came in.
    pub received: IcmpCounters,
    /// What was sent.
    pub sent: IcmpCounters,
}

/// How TCP computes its time-outs, numbered as by Windows and RFC 4022.
#[doc(alias = "TCP_RTO_ALGORITHM")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RtoAlgorithm(pub u32);

impl RtoAlgorithm {
    /// None of the others: what Linux says of itself.
    pub const OTHER: Self = Self(1);
    /// Constant.
    pub const CONSTANT: Self = Self(2);
    /// MIL-STD-1778.
    pub const RSRE: Self = Self(3);
    /// Van Jacobson's.
    pub const VAN_JACOBSON: Self = Self(4);
}

/// Counters of TCP.
///
/// Linux has one TCP for both families and counts for both together: only the two numbers of present connections are told
/// by family.
#[doc(alias = "MIB_TCPSTATS")]
#[doc(alias = "MIB_TCPSTATS2")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TcpStatistics {
    /// How time-outs are computed.
    pub rto_algorithm: RtoAlgorithm,
    /// The shortest time-out of a segment.
    pub rto_min: Duration,
    /// The longest.
    pub rto_max: Duration,
    /// The most connections there can be; `None`: no fixed limit.
    pub max_connections: Option<u32>,
    /// Connections that this host began.
    pub active_opens: u64,
    /// Connections that others began.
    pub passive_opens: u64,
    /// Connections that never came about.
    pub attempt_fails: u64,
    /// Connections that were established and reset.
    pub established_resets: u64,
    /// Connections that are `ESTABLISHED` or `CLOSE_WAIT` now, of the family that was asked for.
    pub current_established: u64,
    /// Segments that came in, those in error among them.
    pub in_segments: u64,
    /// Segments sent, without those that were sent again.
    pub out_segments: u64,
    /// Segments sent again.
    pub retransmitted_segments: u64,
    /// Segments in error.
    pub in_errors: u64,
    /// Segments sent with the flag RST.
    pub out_resets: u64,
    /// Connections in any state but `LISTEN` now, of the family that was asked for.
    pub connections: u64,
}

/// Counters of UDP, of one family.
#[doc(alias = "MIB_UDPSTATS")]
#[doc(alias = "MIB_UDPSTATS2")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UdpStatistics {
    /// Datagrams given to programs. Linux counts one when its program reads it.
    pub in_datagrams: u64,
    /// Datagrams to a port that nobody has.
    pub no_ports: u64,
    /// Datagrams thrown away for other reasons: checksum, no room in the program's buffer.
    pub in_errors: u64,
    /// Datagrams sent.
    pub out_datagrams: u64,
    /// Endpoints now: rows of the UDP table.
    pub endpoints: u64,
}

impl Host {
    /// Counters of IPv4 or IPv6.
    ///
    /// - Windows: `GetIpStatistics`, `GetIpStatisticsEx`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) for IPv6 on a kernel without it
    /// - Linux: `/proc/net/snmp`, `/proc/net/snmp6` of the namespace; forwarding, default TTL and reassembly timeout are
    ///   sysctls; interfaces, addresses and routes are counted in their tables
    /// - Privilege: none
    #[doc(alias = "GetIpStatistics")]
    #[doc(alias = "GetIpStatisticsEx")]
    pub fn ip_statistics(&self, family: Family) -> Result<IpStatistics> {
        self.backend().ip_statistics(family)
    }

    /// Turns forwarding of the whole host on or off and sets its default time to live, all or nothing; what was changed.
    ///
    /// A value that is the present one is no change. IPv6's default hop limit is that of new interfaces and of all that had
    /// the same one; an interface whose limit a router or an administrator has set otherwise keeps it.
    ///
    /// - Windows: `SetIpStatistics`, `SetIpStatisticsEx`, `SetIpTTL`
    /// - Errors: [`AccessDenied`](crate::ErrorKind::AccessDenied); [`InvalidParameter`](crate::ErrorKind::InvalidParameter)
    ///   for a TTL of 0; [`NotSupported`](crate::ErrorKind::NotSupported) for a change of IPv6's forwarding, which is a
    ///   property of each interface, and for IPv6 on a kernel without it
    /// - Linux: `net.ipv4.ip_forward`, which writes that of every interface, `net.ipv4.ip_default_ttl`;
    ///   `net.ipv6.conf.*.hop_limit`
    /// - Privilege: `CAP_NET_ADMIN` over the network namespace
    #[doc(alias = "SetIpStatistics")]
    #[doc(alias = "SetIpStatisticsEx")]
    #[doc(alias = "SetIpTTL")]
    pub fn set_ip_statistics(
        &self,
        family: Family,
        change: &IpStatisticsChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_ip_statistics(family, change, true)
    }

    /// What [`set_ip_statistics`](Self::set_ip_statistics) would change; checks everything and writes nothing.
    pub fn plan_set_ip_statistics(
        &self,
        family: Family,
        change: &IpStatisticsChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_ip_statistics(family, change, false)
    }

    /// Counters of ICMP or ICMPv6.
    ///
    /// - Windows: `GetIcmpStatistics`, `GetIcmpStatisticsEx`
    /// - Errors: [`NotSupported`](crate::ErrorKind::NotSupported) for IPv6 on a kernel without it
    /// - Linux: `/proc/net/snmp` (`Icmp`, `IcmpMsg`), `/proc/net/snmp6` (`Icmp6...`)
    /// - Privilege: none
    #[doc(alias = "GetIcmpStatistics")]
    #[doc(alias = "GetIcmpStatisticsEx")]
    pub fn icmp_statistics(&self, family: Family) -> Result<IcmpStatistics> {
        self.backend().icmp_statistics(family)
    }

    /// Counters of TCP, and how many connections of one family or of both there are.
    ///
    /// - Windows: `GetTcpStatistics`, `GetTcpStatisticsEx`, `GetTcpStatisticsEx2`
    /// - Errors: those of [`tcp_connections`](Self::tcp_connections)
    /// - Linux: `/proc/net/snmp` (`Tcp`); the numbers of connections by `sock_diag`
    /// - Privilege: none
    #[doc(alias = "GetTcpStatistics")]
    #[doc(alias = "GetTcpStatisticsEx")]
    #[doc(alias = "GetTcpStatisticsEx2")]
    pub fn tcp_statistics(&self, family: Option<Family>) -> Result<TcpStatistics> {
        self.backend().tcp_statistics(family)
    }

    /// Counters of UDP.
    ///
    /// - Windows: `GetUdpStatistics`, `GetUdpStatisticsEx`, `GetUdpStatisticsEx2`
    /// - Errors: those of [`udp_endpoints`](Self::udp_endpoints)
    /// - Linux: `/proc/net/snmp` (`Udp`), `/proc/net/snmp6` (`Udp6...`); the number of endpoints by `sock_diag`
    /// - Privilege: none
    #[doc(alias = "GetUdpStatistics")]
    #[doc(alias = "GetUdpStatisticsEx")]
    #[doc(alias = "GetUdpStatisticsEx2")]
    pub fn udp_statistics(&self, family: Family) -> Result<UdpStatistics> {
        self.backend().udp_statistics(family)
    }
}
