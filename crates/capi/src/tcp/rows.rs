//! A connection as each of C's rows has it.

use crate::raw::{
    MIB_TCP6ROW, MIB_TCP6ROW_OWNER_MODULE, MIB_TCP6ROW_OWNER_PID, MIB_TCP6ROW2, MIB_TCPROW, MIB_TCPROW_0,
    MIB_TCPROW_OWNER_MODULE, MIB_TCPROW_OWNER_PID, MIB_TCPROW2, TcpConnectionOffloadStateInHost,
};
use crate::socket_row::{
    FromSocket, filetime, in6, network_port, network_scope, owning_module_info, pid, v4, v6,
};
use iphelper::tcp::{TcpConnection, TcpState};

impl FromSocket<TcpConnection> for MIB_TCPROW {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            Anonymous: MIB_TCPROW_0 { dwState: state(connection) },
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
        }
    }
}

impl FromSocket<TcpConnection> for MIB_TCPROW2 {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            dwState: state(connection),
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwOwningPid: pid(connection.owner.as_ref()),
            // Linux has no sockets that a network card drives: its kernel refuses TCP offload engines.
            dwOffloadState: TcpConnectionOffloadStateInHost,
        }
    }
}

impl FromSocket<TcpConnection> for MIB_TCPROW_OWNER_PID {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            dwState: state(connection),
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwOwningPid: pid(connection.owner.as_ref()),
        }
    }
}

impl FromSocket<TcpConnection> for MIB_TCPROW_OWNER_MODULE {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            dwState: state(connection),
            dwLocalAddr: v4(connection.local),
            dwLocalPort: network_port(connection.local),
            dwRemoteAddr: v4(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwOwningPid: pid(connection.owner.as_ref()),
            liCreateTimestamp: filetime(connection.created),
            OwningModuleInfo: owning_module_info(connection.inode, connection.cookie),
        }
    }
}

impl FromSocket<TcpConnection> for MIB_TCP6ROW {
    fn from_socket(connection: &TcpConnection) -> Self {
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

impl FromSocket<TcpConnection> for MIB_TCP6ROW2 {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            LocalAddr: in6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            RemoteAddr: in6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
            State: state(connection).cast_signed(),
            dwOwningPid: pid(connection.owner.as_ref()),
            dwOffloadState: TcpConnectionOffloadStateInHost,
        }
    }
}

impl FromSocket<TcpConnection> for MIB_TCP6ROW_OWNER_PID {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            ucLocalAddr: v6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            ucRemoteAddr: v6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwState: state(connection),
            dwOwningPid: pid(connection.owner.as_ref()),
        }
    }
}

impl FromSocket<TcpConnection> for MIB_TCP6ROW_OWNER_MODULE {
    fn from_socket(connection: &TcpConnection) -> Self {
        Self {
            ucLocalAddr: v6(connection.local),
            dwLocalScopeId: network_scope(connection.local),
            dwLocalPort: network_port(connection.local),
            ucRemoteAddr: v6(connection.remote),
            dwRemoteScopeId: network_scope(connection.remote),
            dwRemotePort: network_port(connection.remote),
            dwState: state(connection),
            dwOwningPid: pid(connection.owner.as_ref()),
            liCreateTimestamp: filetime(connection.created),
            OwningModuleInfo: owning_module_info(connection.inode, connection.cookie),
        }
    }
}

/// `MIB_TCP_STATE`, whose numbers [`TcpState`] has.
fn state(connection: &TcpConnection) -> u32 {
    const { assert!(TcpState::Listen as u32 == 2 && TcpState::TimeWait as u32 == 11) }
    connection.state as u32
}
