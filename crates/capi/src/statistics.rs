//! Counters of IP, ICMP, TCP and UDP, forwarding and the default time to live.
//!
//! A counter has as many bits as its member: the lower ones of the kernel's.

use crate::error::{Code, Win32};
use crate::memory::gaps::{self, Given};
use crate::raw::{
    MIB_ICMP, MIB_ICMP_EX, MIB_IP_FORWARDING, MIB_IP_NOT_FORWARDING, MIB_IPSTATS, MIB_IPSTATS_0,
    MIB_TCPSTATS, MIB_TCPSTATS_0, MIB_TCPSTATS2, MIB_UDPSTATS, MIB_UDPSTATS2, MIB_USE_CURRENT_FORWARDING,
    MIB_USE_CURRENT_TTL, MIBICMPINFO, MIBICMPSTATS, MIBICMPSTATS_EX, ULONG64,
};
use crate::{guard, host, key};
use iphelper::statistics::{IcmpCounters, IpStatistics, IpStatisticsChange, TcpStatistics, UdpStatistics};
use iphelper::{Family, Host};
use std::time::Duration;

/// The number of Windows' IPv4 family, as the functions without one mean it.
const IPV4: u32 = 2;

/// `GetIpStatistics`: those of IPv4.
#[doc(alias = "GetIpStatistics")]
pub unsafe fn ip_statistics(statistics: *mut MIB_IPSTATS) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { ip_statistics_ex(statistics, IPV4) }
}

/// `GetIpStatisticsEx`.
#[doc(alias = "GetIpStatisticsEx")]
pub unsafe fn ip_statistics_ex(statistics: *mut MIB_IPSTATS, family: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { answer(statistics, family, |host, family| Ok(ip_row(&host.ip_statistics(family)?))) }
}

/// `GetIcmpStatistics`: those of IPv4.
#[doc(alias = "GetIcmpStatistics")]
pub unsafe fn icmp_statistics(statistics: *mut MIB_ICMP) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        answer(statistics, IPV4, |host, family| {
            let icmp = host.icmp_statistics(family)?;
            Ok(MIB_ICMP {
                stats: MIBICMPINFO {
                    icmpInStats: icmp_named(&icmp.received),
                    icmpOutStats: icmp_named(&icmp.sent),
                },
            })
        })
    }
}

/// `GetIcmpStatisticsEx`: counters of each type of message.
#[doc(alias = "GetIcmpStatisticsEx")]
pub unsafe fn icmp_statistics_ex(statistics: *mut MIB_ICMP_EX, family: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        answer(statistics, family, |host, family| {
            let icmp = host.icmp_statistics(family)?;
            Ok(MIB_ICMP_EX {
                icmpInStats: icmp_numbered(&icmp.received),
                icmpOutStats: icmp_numbered(&icmp.sent),
            })
        })
    }
}

/// `GetTcpStatistics`: Linux' one TCP of both families, with all its connections.
#[doc(alias = "GetTcpStatistics")]
pub unsafe fn tcp_statistics(statistics: *mut MIB_TCPSTATS) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { answer(statistics, IPV4, |host, _| Ok(tcp_row(&host.tcp_statistics(None)?))) }
}

/// `GetTcpStatisticsEx`: only the numbers of present connections are told by family, the rest is that of both.
#[doc(alias = "GetTcpStatisticsEx")]
pub unsafe fn tcp_statistics_ex(statistics: *mut MIB_TCPSTATS, family: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { answer(statistics, family, |host, family| Ok(tcp_row(&host.tcp_statistics(Some(family))?))) }
}

/// `GetTcpStatisticsEx2`: as [`tcp_statistics_ex`], segments in 64 bits.
#[doc(alias = "GetTcpStatisticsEx2")]
pub unsafe fn tcp_statistics_ex2(statistics: *mut MIB_TCPSTATS2, family: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        answer(statistics, family, |host, family| {
            let tcp = host.tcp_statistics(Some(family))?;
            let row = tcp_row(&tcp);
            Ok(MIB_TCPSTATS2 {
                RtoAlgorithm: tcp.rto_algorithm.0.cast_signed(),
                dwRtoMin: row.dwRtoMin,
                dwRtoMax: row.dwRtoMax,
                dwMaxConn: row.dwMaxConn,
                dwActiveOpens: row.dwActiveOpens,
                dwPassiveOpens: row.dwPassiveOpens,
                dwAttemptFails: row.dwAttemptFails,
                dwEstabResets: row.dwEstabResets,
                dwCurrEstab: row.dwCurrEstab,
                dw64InSegs: ULONG64(tcp.in_segments),
                dw64OutSegs: ULONG64(tcp.out_segments),
                dwRetransSegs: row.dwRetransSegs,
                dwInErrs: row.dwInErrs,
                dwOutRsts: row.dwOutRsts,
                dwNumConns: row.dwNumConns,
            })
        })
    }
}

/// `GetUdpStatistics`: those of IPv4.
#[doc(alias = "GetUdpStatistics")]
pub unsafe fn udp_statistics(statistics: *mut MIB_UDPSTATS) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { udp_statistics_ex(statistics, IPV4) }
}

/// `GetUdpStatisticsEx`.
#[doc(alias = "GetUdpStatisticsEx")]
pub unsafe fn udp_statistics_ex(statistics: *mut MIB_UDPSTATS, family: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        answer(statistics, family, |host, family| {
            let UdpStatistics { in_datagrams, no_ports, in_errors, out_datagrams, endpoints, .. } =
                host.udp_statistics(family)?;
            Ok(MIB_UDPSTATS {
                dwInDatagrams: low(in_datagrams),
                dwNoPorts: low(no_ports),
                dwInErrors: low(in_errors),
                dwOutDatagrams: low(out_datagrams),
                dwNumAddrs: low(endpoints),
            })
        })
    }
}

/// `GetUdpStatisticsEx2`: datagrams in 64 bits.
#[doc(alias = "GetUdpStatisticsEx2")]
pub unsafe fn udp_statistics_ex2(statistics: *mut MIB_UDPSTATS2, family: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        answer(statistics, family, |host, family| {
            let udp = host.udp_statistics(family)?;
            Ok(MIB_UDPSTATS2 {
                dw64InDatagrams: ULONG64(udp.in_datagrams),
                dwNoPorts: low(udp.no_ports),
                dwInErrors: low(udp.in_errors),
                dw64OutDatagrams: ULONG64(udp.out_datagrams),
                dwNumAddrs: low(udp.endpoints),
            })
        })
    }
}

/// `SetIpStatistics`: forwarding and default time to live of IPv4.
#[doc(alias = "SetIpStatistics")]
pub unsafe fn set_ip_statistics(statistics: *const MIB_IPSTATS) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { set_ip_statistics_ex(statistics, IPV4) }
}

/// `SetIpStatisticsEx`. `dwForwarding` and `dwDefaultTTL` are read, `MIB_USE_CURRENT_FORWARDING` and `MIB_USE_CURRENT_TTL`
/// leave them. `ERROR_NOT_SUPPORTED` for a change of IPv6's forwarding, which is a property of each interface.
#[doc(alias = "SetIpStatisticsEx")]
pub unsafe fn set_ip_statistics_ex(statistics: *const MIB_IPSTATS, family: u32) -> u32 {
    guard::status::<Win32>(|| {
        if statistics.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise; both members are numbers, and the others need not be initialised.
        let (forwarding, ttl) = unsafe {
            (
                (&raw const (*statistics).Anonymous.dwForwarding).read_unaligned(),
                (&raw const (*statistics).dwDefaultTTL).read_unaligned(),
            )
        };
        let family = key::family(family)?;
        let forwarding = match forwarding {
            MIB_USE_CURRENT_FORWARDING => None,
            number if number == MIB_IP_FORWARDING.cast_unsigned() => Some(true),
            number if number == MIB_IP_NOT_FORWARDING.cast_unsigned() => Some(false),
            _ => return Err(Code::INVALID_PARAMETER),
        };
        let default_ttl = if ttl == MIB_USE_CURRENT_TTL { None } else { Some(time_to_live(ttl)?) };
        let _changes =
            host::current()?.set_ip_statistics(family, &IpStatisticsChange { forwarding, default_ttl })?;
        Ok(())
    })
}

/// `SetIpTTL`: the default time to live of IPv4, from 1 to 255.
#[doc(alias = "SetIpTTL")]
pub fn set_ip_ttl(ttl: u32) -> u32 {
    guard::status::<Win32>(|| {
        let change = IpStatisticsChange { default_ttl: Some(time_to_live(ttl)?), forwarding: None };
        let _changes = host::current()?.set_ip_statistics(Family::V4, &change)?;
        Ok(())
    })
}

fn time_to_live(ttl: u32) -> Result<u8, Code> {
    u8::try_from(ttl).map_err(|_| Code::INVALID_PARAMETER)
}

/// Stores what `read` gives.
///
/// # Safety
/// `target` is NULL or may be written.
unsafe fn answer<T: Given>(
    target: *mut T,
    family: u32,
    read: impl FnOnce(&Host, Family) -> iphelper::Result<T>,
) -> u32 {
    guard::status::<Win32>(|| {
        if target.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let family = key::family(family)?;
        let value = read(&*host::current()?, family)?;
        // SAFETY: the caller's promise.
        unsafe { gaps::write(target, value) };
        Ok(())
    })
}

/// The lower half of a counter.
fn low(counter: u64) -> u32 {
    (counter & u64::from(u32::MAX)) as u32
}

fn ip_row(ip: &IpStatistics) -> MIB_IPSTATS {
    let forwarding = if ip.forwarding { MIB_IP_FORWARDING } else { MIB_IP_NOT_FORWARDING };
    MIB_IPSTATS {
        Anonymous: MIB_IPSTATS_0 { Forwarding: forwarding },
        dwDefaultTTL: ip.default_ttl.into(),
        dwInReceives: low(ip.in_receives),
        dwInHdrErrors: low(ip.in_header_errors),
        dwInAddrErrors: low(ip.in_address_errors),
        dwForwDatagrams: low(ip.forwarded_datagrams),
        dwInUnknownProtos: low(ip.in_unknown_protocols),
        dwInDiscards: low(ip.in_discards),
        dwInDelivers: low(ip.in_delivers),
        dwOutRequests: low(ip.out_requests),
        dwRoutingDiscards: low(ip.routing_discards.unwrap_or(0)),
        dwOutDiscards: low(ip.out_discards),
        dwOutNoRoutes: low(ip.out_no_routes),
        dwReasmTimeout: low(ip.reassembly_timeout.as_secs()),
        dwReasmReqds: low(ip.reassembly_required),
        dwReasmOks: low(ip.reassembly_ok),
        dwReasmFails: low(ip.reassembly_failures),
        dwFragOks: low(ip.fragment_ok),
        dwFragFails: low(ip.fragment_failures),
        dwFragCreates: low(ip.fragments_created),
        dwNumIf: low(ip.interfaces),
        dwNumAddr: low(ip.addresses),
        dwNumRoutes: low(ip.routes),
    }
}

fn tcp_row(tcp: &TcpStatistics) -> MIB_TCPSTATS {
    let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    MIB_TCPSTATS {
        Anonymous: MIB_TCPSTATS_0 { dwRtoAlgorithm: tcp.rto_algorithm.0 },
        dwRtoMin: milliseconds(tcp.rto_min),
        dwRtoMax: milliseconds(tcp.rto_max),
        // All bits: no fixed limit.
        dwMaxConn: tcp.max_connections.unwrap_or(u32::MAX),
        dwActiveOpens: low(tcp.active_opens),
        dwPassiveOpens: low(tcp.passive_opens),
        dwAttemptFails: low(tcp.attempt_fails),
        dwEstabResets: low(tcp.established_resets),
        dwCurrEstab: low(tcp.current_established),
        dwInSegs: low(tcp.in_segments),
        dwOutSegs: low(tcp.out_segments),
        dwRetransSegs: low(tcp.retransmitted_segments),
        dwInErrs: low(tcp.in_errors),
        dwOutRsts: low(tcp.out_resets),
        dwNumConns: low(tcp.connections),
    }
}

/// The types of ICMP that have a member of their own.
fn icmp_named(counters: &IcmpCounters) -> MIBICMPSTATS {
    let [
        echo_reply,
        _,
        _,
        unreachable,
        quench,
        redirect,
        _,
        _,
        echo,
        _,
        _,
        exceeded,
        problem,
        timestamp,
        stamped,
        _,
        _,
        mask,
        masked,
        ..,
    ] = counters.types.map(low);
    MIBICMPSTATS {
        dwMsgs: low(counters.messages),
        dwErrors: low(counters.errors),
        dwDestUnreachs: unreachable,
        dwTimeExcds: exceeded,
        dwParmProbs: problem,
        dwSrcQuenchs: quench,
        dwRedirects: redirect,
        dwEchos: echo,
        dwEchoReps: echo_reply,
        dwTimestamps: timestamp,
        dwTimestampReps: stamped,
        dwAddrMasks: mask,
        dwAddrMaskReps: masked,
    }
}

fn icmp_numbered(counters: &IcmpCounters) -> MIBICMPSTATS_EX {
    MIBICMPSTATS_EX {
        dwMsgs: low(counters.messages),
        dwErrors: low(counters.errors),
        rgdwTypeCount: counters.types.map(low),
    }
}
