//! A connection as each of C's rows has it.
//!
//! Addresses, ports and scope ids stand in network byte order, as the pages say. Unknown is 0: the process id of a
//! socket whose owner this caller may not see, the time of creation.

use crate::raw::{
    IN6_ADDR, IN6_ADDR_0, MIB_TCP6ROW, MIB_TCP6ROW_OWNER_MODULE, MIB_TCP6ROW_OWNER_PID, MIB_TCP6ROW2,
    MIB_TCPROW, MIB_TCPROW_0, MIB_TCPROW_OWNER_MODULE, MIB_TCPROW_OWNER_PID, MIB_TCPROW2,
    TcpConnectionOffloadStateInHost, ULONG64,
};
use iphelper::tcp::{TcpConnection, TcpState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

/// Seconds from 1601, where FILETIME begins, to 1970.
const FILETIME_TO_UNIX: Duration = Duration::from_secs(11_644_473_600);

/// A row that a connection can be written as.
pub(super) trait FromConnection: Copy {
    fn from_connection(connection: &TcpConnection) -> Self;
}

impl FromConnection for MIB_TCPROW {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            Anonymous: MIB_TCPROW_0 { dwState: state(connection) },
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
        }
    }
}

impl FromConnection for MIB_TCPROW2 {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            dwState: state(connection),
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwOwningPid: pid(connection),
            // Linux has no sockets that a network card drives: its kernel refuses TCP offload engines.
            dwOffloadState: TcpConnectionOffloadStateInHost,
        }
    }
}

impl FromConnection for MIB_TCPROW_OWNER_PID {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            dwState: state(connection),
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwOwningPid: pid(connection),
        }
    }
}

impl FromConnection for MIB_TCPROW_OWNER_MODULE {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            dwState: state(connection),
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwOwningPid: pid(connection),
            liCreateTimestamp: ULONG64(filetime(connection.created)),
            OwningModuleInfo: owning_module_info(connection),
        }
    }
}

impl FromConnection for MIB_TCP6ROW {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            State: state(connection).cast_signed(),
            LocalAddr: in6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            RemoteAddr: in6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
        }
    }
}

impl FromConnection for MIB_TCP6ROW2 {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            LocalAddr: in6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            RemoteAddr: in6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
            State: state(connection).cast_signed(),
            dwOwningPid: pid(connection),
            dwOffloadState: TcpConnectionOffloadStateInHost,
        }
    }
}

impl FromConnection for MIB_TCP6ROW_OWNER_PID {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            ucLocalAddr: v6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            ucRemoteAddr: v6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwState: state(connection),
            dwOwningPid: pid(connection),
        }
    }
}

impl FromConnection for MIB_TCP6ROW_OWNER_MODULE {
    fn from_connection(connection: &TcpConnection) -> Self {
        Self {
            ucLocalAddr: v6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            ucRemoteAddr: v6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwState: state(connection),
            dwOwningPid: pid(connection),
            liCreateTimestamp: ULONG64(filetime(connection.created)),
            OwningModuleInfo: owning_module_info(connection),
        }
    }
}

/// The port in the low 16 bits of a row's member. The upper ones may be anything.
pub(super) fn port(member: u32) -> u16 {
    u16::from_be((member & 0xFFFF) as u16)
}

/// The inode that [`owning_module_info`] put into a row; 0 is none.
pub(super) fn inode_of(info: &[ULONG64; 16]) -> Option<u64> {
    let [ULONG64(inode), ..] = *info;
    (inode != 0).then_some(inode)
}

/// What tells the socket again: its inode, its cookie, and zeros.
fn owning_module_info(connection: &TcpConnection) -> [ULONG64; 16] {
    let mut info = [ULONG64(0); 16];
    let [inode, cookie, ..] = &mut info;
    *inode = ULONG64(connection.inode.unwrap_or(0));
    *cookie = ULONG64(connection.cookie.0);
    info
}

/// `MIB_TCP_STATE`, whose numbers [`TcpState`] has.
fn state(connection: &TcpConnection) -> u32 {
    const { assert!(TcpState::Listen as u32 == 2 && TcpState::TimeWait as u32 == 11) }
    connection.state as u32
}

fn pid(connection: &TcpConnection) -> u32 {
    connection.owner.as_ref().map_or(0, |owner| owner.pid)
}

fn v4(end: SocketAddr) -> u32 {
    // Rows of the IPv4 table have IPv4 addresses; the other kind would be a mistake below, not the caller's.
    match end.ip().to_canonical() {
        IpAddr::V4(address) => u32::from_ne_bytes(address.octets()),
        IpAddr::V6(_) => 0,
    }
}

fn v6(end: SocketAddr) -> [u8; 16] {
    match end.ip() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn in6(end: SocketAddr) -> IN6_ADDR {
    IN6_ADDR { u: IN6_ADDR_0 { Byte: v6(end) } }
}

fn network_port(end: SocketAddr) -> u32 {
    end.port().to_be().into()
}

fn network_scope(end: SocketAddr) -> u32 {
    match end {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(end) => end.scope_id().to_be(),
    }
}

/// 100 ns since 1601; 0 for not known.
fn filetime(time: Option<SystemTime>) -> u64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since_unix| u64::try_from((since_unix + FILETIME_TO_UNIX).as_nanos() / 100).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_their_low_half_in_network_order() {
        let end: SocketAddr = "127.0.0.1:4444".parse().unwrap();
        assert_eq!(network_port(end).to_ne_bytes(), [0x11, 0x5C, 0, 0]);
        assert_eq!(port(network_port(end)), 4444);
        assert_eq!(port(network_port(end) | 0xABCD_0000), 4444);
    }

    #[test]
    fn addresses_stand_as_on_the_wire() {
        let end: SocketAddr = "10.1.2.3:1".parse().unwrap();
        assert_eq!(v4(end).to_ne_bytes(), [10, 1, 2, 3]);
        let end: SocketAddr = "[fe80::1%7]:1".parse().unwrap();
        assert_eq!(network_scope(end).to_ne_bytes(), [0, 0, 0, 7]);
        assert_eq!(v6(end)[..2], [0xFE, 0x80]);
    }

    #[test]
    fn time_counts_from_1601() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(250);
        assert_eq!(filetime(Some(time)), 116_444_736_000_000_002);
        assert_eq!(filetime(None), 0);
        assert_eq!(filetime(SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1))), 0);
    }
}
