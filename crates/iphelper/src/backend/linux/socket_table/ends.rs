//! From the kernel's row of a socket to its place in the tables.

use crate::backend::linux::address::scope_id;
use crate::socket::SocketCookie;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::DecodeError;
use iphelper_netlink::sock_diag::AF_INET;
use iphelper_netlink::sock_diag::inet::SocketRow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What a row has, whatever its protocol. The members are those of [`TcpConnection`](crate::tcp::TcpConnection).
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::linux) struct Ends {
    pub(in crate::backend::linux) family: Family,
    pub(in crate::backend::linux) local: SocketAddr,
    pub(in crate::backend::linux) remote: SocketAddr,
    pub(in crate::backend::linux) interface_index: Option<InterfaceIndex>,
    pub(in crate::backend::linux) cookie: SocketCookie,
    pub(in crate::backend::linux) socket_family: Family,
    pub(in crate::backend::linux) user_id: Option<u32>,
    pub(in crate::backend::linux) inode: Option<u64>,
}

/// Gives the rows of one socket to `add`: one, or two for a socket that listens in both families.
#[inline]
pub(super) fn each(row: &SocketRow<'_>, mut add: impl FnMut(Ends)) -> Result<(), DecodeError> {
    let (local, remote) = (row.local_address(), row.remote_address());
    let (local_port, remote_port) = (row.local_port(), row.remote_port());
    let ipv4 = |local, remote| {
        let (local, remote) = (SocketAddrV4::new(local, local_port), SocketAddrV4::new(remote, remote_port));
        ends(row, Family::V4, local.into(), remote.into())
    };
    match (local, remote) {
        (IpAddr::V4(local), IpAddr::V4(remote)) => add(ipv4(local, remote)),
        (IpAddr::V6(local), IpAddr::V6(remote)) => {
            if let Some((local, remote)) = mapped(local, remote) {
                add(ipv4(local, remote));
                return Ok(());
            }
            let scoped = |address: Ipv6Addr, port| -> SocketAddr {
                let scope = scope_id(address.into(), InterfaceIndex(row.interface()));
                SocketAddrV6::new(address, port, 0, scope).into()
            };
            let dual = local.is_unspecified() && row.v6_only()? == Some(false);
            if dual {
                add(ipv4(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
            }
            let (local, remote) = (scoped(local, local_port), scoped(remote, remote_port));
            add(ends(row, Family::V6, local, remote));
        }
        // The two addresses of a row have the row's family.
        _ => {}
    }
    Ok(())
}

/// The IPv4 ends of an IPv6 socket that talks IPv4. A socket that is bound to an IPv4-mapped address and not
/// connected has no remote end yet.
fn mapped(local: Ipv6Addr, remote: Ipv6Addr) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let or_any = |address: Ipv6Addr| {
        address.to_ipv4_mapped().or_else(|| address.is_unspecified().then_some(Ipv4Addr::UNSPECIFIED))
    };
    if local.to_ipv4_mapped().is_none() && remote.to_ipv4_mapped().is_none() {
        return None;
    }
    Some((or_any(local)?, or_any(remote)?))
}

#[inline]
fn ends(row: &SocketRow<'_>, family: Family, local: SocketAddr, remote: SocketAddr) -> Ends {
    let inode = (row.inode() != 0).then(|| u64::from(row.inode()));
    let interface = row.interface();
    Ends {
        family,
        local,
        remote,
        interface_index: (interface != 0).then_some(InterfaceIndex(interface)),
        cookie: SocketCookie(row.cookie()),
        socket_family: if row.family() == AF_INET { Family::V4 } else { Family::V6 },
        // Rows without a file say 0 where they do not know the user; root's own orphans are told apart from these by
        // nothing.
        user_id: (inode.is_some() || row.user_id() != 0).then(|| row.user_id()),
        inode,
    }
}
