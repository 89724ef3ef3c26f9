//! The connections without which the caller's terminal is gone.
//!
//! Two signs, since neither is always there. `SSH_CONNECTION` names both ends, but `sudo` takes it out of the
//! environment. The processes that this one descends from are always known; the one among them that keeps the terminal
//! alive from afar (`sshd`, a terminal server) holds the connection. It is never in the caller's session, which begins
//! with the terminal: ancestors in it are programs at the terminal, such as one that runs this one to delete connections
//! of its own. More than the one connection may be found: an ancestor's others are spared too.

use crate::backend::linux::privilege::has_more_rights_than_its_caller;
use crate::backend::linux::process::{Processes, Unreadable};
use crate::error::Result;
use crate::tcp::{Owner, TcpConnection, TcpState};
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// What tells the caller's own terminal among connections.
#[derive(Debug)]
pub(super) struct OwnTerminal {
    /// The ends in `SSH_CONNECTION`: the remote one, the local one.
    session: Option<[(IpAddr, u16); 2]>,
    /// The sockets of the processes that this one descends from.
    inherited: FxHashMap<u64, Owner>,
}

impl OwnTerminal {
    pub(super) fn find() -> Result<Self> {
        let processes = Processes::open()?;
        let inherited = processes.sockets(&ancestors(&processes), |_| true, Unreadable::Skip)?;
        Ok(Self { session: ssh_connection(), inherited })
    }

    pub(super) fn is_on(&self, row: &TcpConnection) -> bool {
        let ends = [(row.remote.ip(), row.remote.port()), (row.local.ip(), row.local.port())];
        row.state != TcpState::Listen
            && (self.session == Some(ends)
                || row.inode.is_some_and(|inode| self.inherited.contains_key(&inode)))
    }
}

/// The processes that this one descends from, those of its own session left out, ascending.
fn ancestors(processes: &Processes) -> Vec<u32> {
    // 0 where the session began outside of this process's PID namespace, as in a container: so it is for the ancestors
    // in it, too.
    let own = parent_and_session(processes, std::process::id()).1;
    let (mut met, mut outside) = (Vec::new(), Vec::new());
    let mut next = std::os::unix::process::parent_id();
    // A chain that was longer has turned in a circle: numbers given out again while it was read.
    while next != 0 && met.len() < 1000 && !met.contains(&next) {
        met.push(next);
        let (parent, session) = parent_and_session(processes, next);
        if session != own {
            outside.push(next);
        }
        next = parent;
    }
    outside.sort_unstable();
    outside
}

/// The parent and the session of a process; 0 where they cannot be read.
fn parent_and_session(processes: &Processes, pid: u32) -> (u32, u32) {
    match processes.process(pid) {
        Ok(Some(process)) => process.parent_and_session().unwrap_or_default(),
        _ => (0, 0),
    }
}

/// The ends in `SSH_CONNECTION`: client address and port, server address and port. The variable is left alone in
/// programs that run with more rights than their caller's.
fn ssh_connection() -> Option<[(IpAddr, u16); 2]> {
    if has_more_rights_than_its_caller() {
        return None;
    }
    read_ssh_connection(&std::env::var("SSH_CONNECTION").ok()?)
}

fn read_ssh_connection(text: &str) -> Option<[(IpAddr, u16); 2]> {
    let mut words = text.split_whitespace();
    let mut end = || {
        // A link-local address comes with its interface: `fe80::1%eth0`.
        let address = words.next()?.split('%').next()?.parse::<IpAddr>().ok()?;
        Some((address.to_canonical(), words.next()?.parse().ok()?))
    };
    Some([end()?, end()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_an_ssh_session_is_read_and_nonsense_is_not() {
        let ends = read_ssh_connection("fe80::1%eth0 50000 ::ffff:192.0.2.1 22").unwrap();
        assert_eq!(ends, [("fe80::1".parse().unwrap(), 50000), ("192.0.2.1".parse().unwrap(), 22)]);
        for text in
            ["", "192.0.2.1", "192.0.2.1 1 x 22", "192.0.2.1 1 192.0.2.2", "192.0.2.1 1 192.0.2.2 70000"]
        {
            assert_eq!(read_ssh_connection(text), None, "{text}");
        }
    }
}
