//! An endpoint as each of C's rows has it.

use crate::raw::{
    MIB_UDP6ROW, MIB_UDP6ROW_OWNER_MODULE, MIB_UDP6ROW_OWNER_PID, MIB_UDPROW, MIB_UDPROW_OWNER_MODULE,
    MIB_UDPROW_OWNER_PID,
};
use crate::socket_row::{
    FromSocket, filetime, in6, network_port, network_scope, owning_module_info, pid, v4, v6,
};
use iphelper::udp::UdpEndpoint;

impl FromSocket<UdpEndpoint> for MIB_UDPROW {
    fn from_socket(endpoint: &UdpEndpoint) -> Self {
        Self { dwLocalAddr: v4(endpoint.local), dwLocalPort: network_port(endpoint.local) }
    }
}

impl FromSocket<UdpEndpoint> for MIB_UDPROW_OWNER_PID {
    fn from_socket(endpoint: &UdpEndpoint) -> Self {
        Self {
            dwLocalAddr: v4(endpoint.local),
            dwLocalPort: network_port(endpoint.local),
            dwOwningPid: pid(endpoint.owner.as_ref()),
        }
    }
}

impl FromSocket<UdpEndpoint> for MIB_UDPROW_OWNER_MODULE {
    fn from_socket(endpoint: &UdpEndpoint) -> Self {
        Self {
            dwLocalAddr: v4(endpoint.local),
            dwLocalPort: network_port(endpoint.local),
            dwOwningPid: pid(endpoint.owner.as_ref()),
            liCreateTimestamp: filetime(endpoint.created),
            dwFlags: endpoint.specific_port_bind.unwrap_or_default().into(),
            OwningModuleInfo: owning_module_info(endpoint.inode, endpoint.cookie),
        }
    }
}

impl FromSocket<UdpEndpoint> for MIB_UDP6ROW {
    fn from_socket(endpoint: &UdpEndpoint) -> Self {
        Self {
            dwLocalAddr: in6(endpoint.local),
            dwLocalScopeId: network_scope(endpoint.local),
            dwLocalPort: network_port(endpoint.local),
        }
    }
}

impl FromSocket<UdpEndpoint> for MIB_UDP6ROW_OWNER_PID {
    fn from_socket(endpoint: &UdpEndpoint) -> Self {
        Self {
            ucLocalAddr: v6(endpoint.local),
            dwLocalScopeId: network_scope(endpoint.local),
            dwLocalPort: network_port(endpoint.local),
            dwOwningPid: pid(endpoint.owner.as_ref()),
        }
    }
}

impl FromSocket<UdpEndpoint> for MIB_UDP6ROW_OWNER_MODULE {
    fn from_socket(endpoint: &UdpEndpoint) -> Self {
        Self {
            ucLocalAddr: v6(endpoint.local),
            dwLocalScopeId: network_scope(endpoint.local),
            dwLocalPort: network_port(endpoint.local),
            dwOwningPid: pid(endpoint.owner.as_ref()),
            liCreateTimestamp: filetime(endpoint.created),
            dwFlags: endpoint.specific_port_bind.unwrap_or_default().into(),
            OwningModuleInfo: owning_module_info(endpoint.inode, endpoint.cookie),
        }
    }
}
