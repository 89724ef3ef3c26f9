//! From the kernel's row of a socket to rows of the TCP table.

use crate::tcp::{SocketCookie, TcpConnection, TcpState};
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::DecodeError;
use iphelper_netlink::sock_diag::AF_INET;
use iphelper_netlink::sock_diag::inet::{SocketRow, State, States};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The state of a row. `None` for a number that no kernel up to now has, and that no dump here asks for.
fn state(state: State) -> Option<TcpState> {
    Some(match state {
        State::ESTABLISHED => TcpState::Established,
        State::SYN_SENT => TcpState::SynSent,
        State::SYN_RECV | State::NEW_SYN_RECV => TcpState::SynReceived,
        State::FIN_WAIT1 => TcpState::FinWait1,
        State::FIN_WAIT2 => TcpState::FinWait2,
        State::TIME_WAIT => TcpState::TimeWait,
        State::CLOSE | State::BOUND_INACTIVE => TcpState::Closed,
        State::CLOSE_WAIT => TcpState::CloseWait,
        State::LAST_ACK => TcpState::LastAck,
        State::LISTEN => TcpState::Listen,
        State::CLOSING => TcpState::Closing,
        _ => return None,
    })
}

/// Every state of a connection or listener. Sockets that are bound and do nothing are no part of the table unless
/// closed ones are asked for.
pub(super) const CONNECTIONS: States = States::none()
    .with(State::ESTABLISHED)
    .with(State::SYN_SENT)
    .with(State::SYN_RECV)
    .with(State::NEW_SYN_RECV)
    .with(State::FIN_WAIT1)
    .with(State::FIN_WAIT2)
    .with(State::TIME_WAIT)
    .with(State::CLOSE_WAIT)
    .with(State::LAST_ACK)
    .with(State::LISTEN)
    .with(State::CLOSING);

/// The kernel's states that are this one.
pub(super) const fn kernel_states(states: States, state: TcpState) -> States {
    match state {
        TcpState::Closed => states.with(State::CLOSE).with(State::BOUND_INACTIVE),
        TcpState::Listen => states.with(State::LISTEN),
        TcpState::SynSent => states.with(State::SYN_SENT),
        TcpState::SynReceived => states.with(State::SYN_RECV).with(State::NEW_SYN_RECV),
        TcpState::Established => states.with(State::ESTABLISHED),
        TcpState::FinWait1 => states.with(State::FIN_WAIT1),
        TcpState::FinWait2 => states.with(State::FIN_WAIT2),
        TcpState::CloseWait => states.with(State::CLOSE_WAIT),
        TcpState::Closing => states.with(State::CLOSING),
        TcpState::LastAck => states.with(State::LAST_ACK),
        TcpState::TimeWait => states.with(State::TIME_WAIT),
    }
}

/// Gives the rows of one socket to `add`: one, or two for a listener of both families.
#[inline]
pub(in crate::backend::linux) fn rows(
    row: &SocketRow<'_>,
    mut add: impl FnMut(TcpConnection),
) -> Result<(), DecodeError> {
    let Some(state) = state(row.state()) else { return Ok(()) };
    let (local, remote) = (row.local_address(), row.remote_address());
    let (local_port, remote_port) = (row.local_port(), row.remote_port());
    let ipv4 = |local, remote| {
        connection(
            row,
            Family::V4,
            SocketAddrV4::new(local, local_port).into(),
            SocketAddrV4::new(remote, remote_port).into(),
            state,
        )
    };
    match (local, remote) {
        (IpAddr::V4(local), IpAddr::V4(remote)) => add(ipv4(local, remote)),
        (IpAddr::V6(local), IpAddr::V6(remote)) => {
            if let Some((local, remote)) = mapped(local, remote) {
                add(ipv4(local, remote));
                return Ok(());
            }
            let scoped = |address: Ipv6Addr, port| -> SocketAddr {
                let scope = if address.is_unicast_link_local() { row.interface() } else { 0 };
                SocketAddrV6::new(address, port, 0, scope).into()
            };
            let dual = local.is_unspecified() && row.v6_only()? == Some(false);
            if dual {
                add(ipv4(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
            }
            let (local, remote) = (scoped(local, local_port), scoped(remote, remote_port));
            add(connection(row, Family::V6, local, remote, state));
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
fn connection(
    row: &SocketRow<'_>,
    family: Family,
    local: SocketAddr,
    remote: SocketAddr,
    state: TcpState,
) -> TcpConnection {
    let inode = (row.inode() != 0).then(|| u64::from(row.inode()));
    let interface = row.interface();
    TcpConnection {
        family,
        local,
        remote,
        state,
        interface_index: (interface != 0).then_some(InterfaceIndex(interface)),
        cookie: SocketCookie(row.cookie()),
        socket_family: if row.family() == AF_INET { Family::V4 } else { Family::V6 },
        // Rows without a file say 0 where they do not know the user; root's own orphans are told apart from these by
        // nothing.
        user_id: (inode.is_some() || row.user_id() != 0).then(|| row.user_id()),
        inode,
        owner: None,
        created: None,
    }
}
