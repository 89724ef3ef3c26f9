//! `GetIpPathEntry`, `GetIpPathTable`, `FlushIpPathTable`, `GetIpNetworkConnectionBandwidthEstimates`.

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{
    MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES, MIB_IPPATH_ROW, MIB_IPPATH_TABLE,
    NL_BANDWIDTH_INFORMATION, ULONG64,
};
use crate::{guard, host, key, sockaddr};
use iphelper::path::{Path, PathKey};
use iphelper::{Family, InterfaceIndex};

/// `GetIpPathEntry`: what was learnt of the path to `Destination`.
///
/// `ERROR_FILE_NOT_FOUND` for no such interface, `ERROR_NOT_FOUND` where nothing was learnt, and for a `Source` that is
/// not this host's.
#[doc(alias = "GetIpPathEntry")]
pub unsafe fn ip_path_entry<F: Flavour>(row: *mut MIB_IPPATH_ROW) -> F::Status {
    guard::status::<F>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `row`; only the key is read.
        let (source, destination, luid, index) = unsafe {
            (
                (&raw const (*row).Source).read_unaligned(),
                (&raw const (*row).Destination).read_unaligned(),
                (&raw const (*row).InterfaceLuid).read_unaligned(),
                (&raw const (*row).InterfaceIndex).read_unaligned(),
            )
        };
        let destination = sockaddr::read(&destination)?;
        // The unspecified address is no source, nor is a row of zeros.
        // SAFETY: a number in each member.
        let has_source = unsafe { source.si_family } != 0;
        let source = has_source.then(|| sockaddr::read(&source)).transpose()?.map(|source| source.ip);
        let source = source.filter(|source| !source.is_unspecified());
        if source.is_some_and(|source| source.is_ipv4() != destination.ip.is_ipv4()) {
            return Err(Code::INVALID_PARAMETER);
        }
        let interface = Some(key::interface(luid, index)?);
        let path = host::current()?.path(&PathKey { destination: destination.ip, interface, source })?;
        // SAFETY: as above.
        unsafe { gaps::write(row, row_of(&path)) };
        Ok(())
    })
}

/// `GetIpPathTable`, IPv4 first. `ERROR_NOT_FOUND` where nothing was learnt of any path.
#[doc(alias = "GetIpPathTable")]
pub unsafe fn ip_path_table<F: Flavour>(family: u16, table: *mut *mut MIB_IPPATH_TABLE) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            Ok(host::current()?.paths(family)?.iter().map(row_of).collect())
        })
    })
}

/// `FlushIpPathTable`: forgets what was learnt of all paths of a family, or of both.
#[doc(alias = "FlushIpPathTable")]
pub fn flush_ip_path_table<F: Flavour>(family: u16) -> F::Status {
    guard::status::<F>(|| Ok(host::current()?.flush_paths(key::families(family)?)?))
}

/// `GetIpNetworkConnectionBandwidthEstimates`: what TCP connections over an interface have measured, outbound alone.
///
/// `ERROR_FILE_NOT_FOUND` for no such interface; `ERROR_NOT_FOUND` where it does not have the family, and where no connection
/// has measured anything.
#[doc(alias = "GetIpNetworkConnectionBandwidthEstimates")]
pub unsafe fn bandwidth_estimates<F: Flavour>(
    index: u32,
    family: u16,
    estimates: *mut MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES,
) -> F::Status {
    guard::status::<F>(|| {
        if estimates.is_null() || index == 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        let family = key::family(family.into())?;
        let found = host::current()?.bandwidth_estimates(family, InterfaceIndex(index))?;
        if (found.inbound, found.outbound) == (None, None) {
            return Err(Code::NOT_FOUND);
        }
        let of = |bandwidth: Option<u64>| NL_BANDWIDTH_INFORMATION {
            Bandwidth: ULONG64(bandwidth.unwrap_or_default()),
            ..NL_BANDWIDTH_INFORMATION::default()
        };
        let row = MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES {
            InboundBandwidthInformation: of(found.inbound),
            OutboundBandwidthInformation: of(found.outbound),
        };
        // SAFETY: the caller's promise on `estimates`.
        unsafe { gaps::write(estimates, row) };
        Ok(())
    })
}

/// What this host does not know, times and reachability, is 0; a speed that is unknown is `ULONG64_MAX`. A round trip that
/// was measured is at least 1 ms, so that it is told from one that was not.
fn row_of(path: &Path) -> MIB_IPPATH_ROW {
    let family = Family::of(&path.destination);
    let written = |ip: std::net::IpAddr| {
        let is_of_a_link = matches!(ip, std::net::IpAddr::V6(ip) if ip.is_unicast_link_local());
        sockaddr::write(ip, if is_of_a_link { path.index.0 } else { 0 })
    };
    let or_none = |ip: Option<_>| ip.map_or_else(|| sockaddr::unspecified(family), written);
    MIB_IPPATH_ROW {
        Source: or_none(path.source),
        Destination: written(path.destination),
        InterfaceLuid: key::luid(path.luid),
        InterfaceIndex: path.index.0,
        CurrentNextHop: or_none(path.next_hop),
        PathMtu: path.path_mtu,
        RttMean: path.round_trip.map_or(0, |time| milliseconds(time).max(1)),
        RttDeviation: path.round_trip_deviation.map_or(0, milliseconds),
        LastReachable: path.last_reachable.map_or(0, milliseconds),
        IsReachable: path.last_reachable.is_some().into(),
        LinkTransmitSpeed: ULONG64(path.link_transmit_speed.unwrap_or(u64::MAX)),
        LinkReceiveSpeed: ULONG64(path.link_receive_speed.unwrap_or(u64::MAX)),
    }
}

fn milliseconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
