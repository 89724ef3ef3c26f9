//! Counters of IP, ICMP, TCP and UDP.

mod counters;
mod settings;

use super::LinuxHost;
use super::namespace::system;
use super::socket_table;
use super::tcp::Tcp;
use crate::backend::{self, Address as _, IpInterface as _, Route as _, Udp as _};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::route::{RouteQuery, RouteTables};
use crate::statistics::{
    IcmpCounters, IcmpStatistics, IpStatistics, IpStatisticsChange, RtoAlgorithm, TcpStatistics,
    UdpStatistics,
};
use crate::tcp::{TcpQuery, TcpState};
use crate::types::Family;
use crate::udp::UdpQuery;
use counters::Counters;
pub(super) use counters::Files;
#[cfg(fuzzing)]
pub(crate) use counters::fuzz as fuzz_counters;
use std::time::Duration;

const OPERATION: &str = "reading the network counters";

impl backend::Statistics for LinuxHost {
    fn ip_statistics(&self, family: Family) -> Result<IpStatistics> {
        let (counters, prefix) = self.counters(family, "Ip.", "Ip6")?;
        let get = |name| counters.get(prefix, name);
        let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
        let routes =
            RouteQuery { family: Some(family), tables: RouteTables::MainAndLocal, ..RouteQuery::default() };
        Ok(IpStatistics {
            forwarding: forwards(self, family)?,
            default_ttl: default_ttl(self, family)?,
            in_receives: get("InReceives")?,
            in_header_errors: get("InHdrErrors")?,
            in_address_errors: get("InAddrErrors")?,
            forwarded_datagrams: get(match family {
                Family::V4 => "ForwDatagrams",
                Family::V6 => "OutForwDatagrams",
            })?,
            in_unknown_protocols: get("InUnknownProtos")?,
            in_discards: get("InDiscards")?,
            in_delivers: get("InDelivers")?,
            out_requests: get("OutRequests")?,
            routing_discards: None,
            out_discards: get("OutDiscards")?,
            out_no_routes: get("OutNoRoutes")?,
            // The column of this name in the kernel's table counts what has timed out.
            reassembly_timeout: Duration::from_secs(self.setting(
                family,
                match family {
                    Family::V4 => "ipfrag_time",
                    Family::V6 => "ip6frag_time",
                },
            )?),
            reassembly_required: get("ReasmReqds")?,
            reassembly_ok: get("ReasmOKs")?,
            reassembly_failures: get("ReasmFails")?,
            fragment_ok: get("FragOKs")?,
            fragment_failures: get("FragFails")?,
            fragments_created: get("FragCreates")?,
            interfaces: count(self.ip_interfaces(Some(family))?.len()),
            addresses: count(self.unicast_addresses(Some(family))?.len()),
            routes: count(self.routes(&routes)?.len()),
        })
    }

    fn set_ip_statistics(
        &self,
        family: Family,
        change: &IpStatisticsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        settings::set(self, family, change, write)
    }

    fn icmp_statistics(&self, family: Family) -> Result<IcmpStatistics> {
        let (counters, prefix) = self.counters(family, "Icmp.", "Icmp6")?;
        let types = match family {
            Family::V4 => "IcmpMsg.",
            Family::V6 => "Icmp6",
        };
        let direction = |direction: &str| -> Result<IcmpCounters> {
            Ok(IcmpCounters {
                messages: counters.get(prefix, &format!("{direction}Msgs"))?,
                errors: counters.get(prefix, &format!("{direction}Errors"))?,
                types: counters.numbered(&format!("{types}{direction}Type")),
            })
        };
        Ok(IcmpStatistics { received: direction("In")?, sent: direction("Out")? })
    }

    fn tcp_statistics(&self, family: Option<Family>) -> Result<TcpStatistics> {
        let query = TcpQuery { family, ..TcpQuery::default() };
        let (mut current_established, mut connections) = (0, 0);
        for row in socket_table::whole::<Tcp>(self, &query)? {
            connections += u64::from(row.state != TcpState::Listen);
            current_established +=
                u64::from(matches!(row.state, TcpState::Established | TcpState::CloseWait));
        }
        let counters = self.counters.ipv4()?;
        let get = |name| counters.get("Tcp.", name);
        Ok(TcpStatistics {
            rto_algorithm: RtoAlgorithm(u32::try_from(get("RtoAlgorithm")?).unwrap_or(1)),
            rto_min: Duration::from_millis(get("RtoMin")?),
            rto_max: Duration::from_millis(get("RtoMax")?),
            max_connections: u32::try_from(get("MaxConn")?).ok(),
            active_opens: get("ActiveOpens")?,
            passive_opens: get("PassiveOpens")?,
            attempt_fails: get("AttemptFails")?,
            established_resets: get("EstabResets")?,
            current_established,
            in_segments: get("InSegs")?,
            out_segments: get("OutSegs")?,
            retransmitted_segments: get("RetransSegs")?,
            in_errors: get("InErrs")?,
            out_resets: get("OutRsts")?,
            connections,
        })
    }

    fn udp_statistics(&self, family: Family) -> Result<UdpStatistics> {
        let (counters, prefix) = self.counters(family, "Udp.", "Udp6")?;
        let get = |name| counters.get(prefix, name);
        let query = UdpQuery { family: Some(family), specific_port_binds: false, ..UdpQuery::default() };
        let endpoints = self.udp_endpoints(&query)?;
        Ok(UdpStatistics {
            in_datagrams: get("InDatagrams")?,
            no_ports: get("NoPorts")?,
            in_errors: get("InErrors")?,
            out_datagrams: get("OutDatagrams")?,
            endpoints: u64::try_from(endpoints.len()).unwrap_or(u64::MAX),
        })
    }
}

impl LinuxHost {
    /// The counters of a family, and what their names begin with.
    fn counters(
        &self,
        family: Family,
        v4: &'static str,
        v6: &'static str,
    ) -> Result<(Counters, &'static str)> {
        Ok(match family {
            Family::V4 => (self.counters.ipv4()?, v4),
            Family::V6 => (self.counters.ipv6()?, v6),
        })
    }

    /// A sysctl that holds a number.
    fn setting(&self, family: Family, path: &str) -> Result<u64> {
        let text = self
            .sysctl
            .read(family, path)
            .map_err(|errno| system(OPERATION, errno).because(format!("reading {path}")))?;
        text.parse().map_err(|_| {
            Error::new(ErrorKind::Other, OPERATION).because(format!("{path} is no number: {text}"))
        })
    }

    /// The names of the interfaces that have the family.
    fn ip_interfaces_with(&self, family: Family) -> Result<Vec<String>> {
        Ok(self.ip_interfaces(Some(family))?.into_iter().map(|row| row.name).collect())
    }
}

/// Whether the host forwards: IPv4 has a switch for all, IPv6 one for each interface.
fn forwards(host: &LinuxHost, family: Family) -> Result<bool> {
    match family {
        Family::V4 => Ok(host.setting(family, "ip_forward")? != 0),
        Family::V6 => {
            let rows = host.ip_interfaces(Some(family))?;
            Ok(!rows.is_empty() && rows.iter().all(|row| row.forwarding_enabled))
        }
    }
}

/// The time to live of packets that are given none.
fn default_ttl(host: &LinuxHost, family: Family) -> Result<u8> {
    let path = match family {
        Family::V4 => "ip_default_ttl",
        Family::V6 => "conf/default/hop_limit",
    };
    Ok(u8::try_from(host.setting(family, path)?).unwrap_or(u8::MAX))
}
