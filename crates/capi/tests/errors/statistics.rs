//! Counters, and the settings beside them.

use crate::walk::Walk;
use iphelper_capi::raw::*;
use iphelper_capi::statistics;
use iphelper_testkit::unprivileged;
use std::ptr::{null, null_mut};

const REFUSED: &str = "ERROR_INVALID_PARAMETER";

pub(super) fn counters(walk: &mut Walk) {
    let (mut ip, mut icmp) = (MIB_IPSTATS::default(), MIB_ICMP_EX::default());
    let (mut tcp, mut tcp2) = (MIB_TCPSTATS::default(), MIB_TCPSTATS2::default());
    let (mut udp, mut udp2) = (MIB_UDPSTATS::default(), MIB_UDPSTATS2::default());
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        walk.expect("GetIpStatistics", REFUSED, statistics::ip_statistics(null_mut()));
        walk.expect("GetIcmpStatistics", REFUSED, statistics::icmp_statistics(null_mut()));
        walk.expect("GetTcpStatistics", REFUSED, statistics::tcp_statistics(null_mut()));
        walk.expect("GetUdpStatistics", REFUSED, statistics::udp_statistics(null_mut()));
        for family in [0, 1, 24, u32::MAX] {
            walk.expect("GetIpStatisticsEx", REFUSED, statistics::ip_statistics_ex(&raw mut ip, family));
            walk.expect(
                "GetIcmpStatisticsEx",
                REFUSED,
                statistics::icmp_statistics_ex(&raw mut icmp, family),
            );
            walk.expect("GetTcpStatisticsEx", REFUSED, statistics::tcp_statistics_ex(&raw mut tcp, family));
            walk.expect(
                "GetTcpStatisticsEx2",
                REFUSED,
                statistics::tcp_statistics_ex2(&raw mut tcp2, family),
            );
            walk.expect("GetUdpStatisticsEx", REFUSED, statistics::udp_statistics_ex(&raw mut udp, family));
            walk.expect(
                "GetUdpStatisticsEx2",
                REFUSED,
                statistics::udp_statistics_ex2(&raw mut udp2, family),
            );
        }
        for family in [2, 23, 10] {
            walk.expect("GetIpStatisticsEx", REFUSED, statistics::ip_statistics_ex(null_mut(), family));
            walk.expect("GetIcmpStatisticsEx", REFUSED, statistics::icmp_statistics_ex(null_mut(), family));
            walk.expect("GetTcpStatisticsEx", REFUSED, statistics::tcp_statistics_ex(null_mut(), family));
            walk.expect("GetTcpStatisticsEx2", REFUSED, statistics::tcp_statistics_ex2(null_mut(), family));
            walk.expect("GetUdpStatisticsEx", REFUSED, statistics::udp_statistics_ex(null_mut(), family));
            walk.expect("GetUdpStatisticsEx2", REFUSED, statistics::udp_statistics_ex2(null_mut(), family));
            assert_eq!(statistics::ip_statistics_ex(&raw mut ip, family), 0);
            assert_eq!(statistics::icmp_statistics_ex(&raw mut icmp, family), 0);
            assert_eq!(statistics::tcp_statistics_ex2(&raw mut tcp2, family), 0);
            assert_eq!(statistics::udp_statistics_ex2(&raw mut udp2, family), 0);
        }
    }
}

pub(super) fn settings(walk: &mut Walk) {
    let row = |forwarding: u32, ttl| MIB_IPSTATS {
        Anonymous: MIB_IPSTATS_0 { dwForwarding: forwarding },
        dwDefaultTTL: ttl,
        ..Default::default()
    };
    let current = MIB_USE_CURRENT_TTL;
    // SAFETY: the row is a live variable, or NULL.
    let set = |row: &MIB_IPSTATS, family| unsafe { statistics::set_ip_statistics_ex(row, family) };
    // SAFETY: as above.
    unsafe {
        walk.expect("SetIpStatistics", REFUSED, statistics::set_ip_statistics(null()));
        walk.expect("SetIpStatisticsEx", REFUSED, statistics::set_ip_statistics_ex(null(), 2));
    }
    for (row, family) in [
        (row(0, current), 2),
        (row(3, current), 2),
        (row(current, 0), 2),
        (row(current, 256), 23),
        (row(current, current), 0),
    ] {
        walk.expect("SetIpStatisticsEx", REFUSED, set(&row, family));
    }
    // SAFETY: as above.
    let old = |row: &MIB_IPSTATS| unsafe { statistics::set_ip_statistics(row) };
    walk.expect("SetIpStatistics", REFUSED, old(&row(0, 64)));
    for ttl in [0, 256, u32::MAX] {
        walk.expect("SetIpTTL", REFUSED, statistics::set_ip_ttl(ttl));
    }
    unprivileged(|| {
        walk.expect("SetIpStatistics", "ERROR_ACCESS_DENIED", old(&row(current, 77)));
        walk.expect("SetIpStatisticsEx", "ERROR_ACCESS_DENIED", set(&row(1, 77), 2));
        walk.expect("SetIpStatisticsEx", "ERROR_ACCESS_DENIED", set(&row(current, 77), 23));
        walk.expect("SetIpTTL", "ERROR_ACCESS_DENIED", statistics::set_ip_ttl(77));
    });
    walk.expect("SetIpStatisticsEx", "ERROR_NOT_SUPPORTED", set(&row(1, current), 23));
}
