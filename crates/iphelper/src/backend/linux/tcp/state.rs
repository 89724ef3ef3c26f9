//! The states of TCP connections, as the kernel numbers them and as rows have them.

use crate::socket::SocketFilter;
use crate::tcp::{TcpCondition, TcpState};
use iphelper_netlink::sock_diag::inet::{State, States};

/// The state of a row. `None` for a number that no kernel up to now has, and that no dump here asks for.
pub(super) fn state(state: State) -> Option<TcpState> {
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

/// The kernel's states that pass every condition on states.
pub(super) fn states(filter: &SocketFilter) -> States {
    let mut wanted: Option<Vec<TcpState>> = None;
    for condition in &filter.conditions {
        if let TcpCondition::State(states) = condition {
            wanted = Some(match wanted {
                None => states.clone(),
                Some(wanted) => wanted.into_iter().filter(|state| states.contains(state)).collect(),
            });
        }
    }
    match wanted {
        None => CONNECTIONS,
        Some(wanted) => wanted.into_iter().fold(States::none(), kernel_states),
    }
}
