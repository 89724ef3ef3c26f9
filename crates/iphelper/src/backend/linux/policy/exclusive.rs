//! One change of policy at a time in a namespace.
//!
//! The lock is a packet filter table with an owner: only an administrator can make it, a second one is refused, and it
//! vanishes with the owner's socket, however the owner ends. It is seen from everywhere that the namespace is, unlike a
//! file. The table is empty.

use super::OPERATION;
use super::names::LOCK_TABLE;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::Pooled;
use crate::error::{Error, ErrorKind, Result};
use iphelper_netlink::nf_tables::{Batch, Table};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

/// The right to change policy, until dropped.
#[derive(Debug)]
pub(super) struct PolicyLock {
    socket: Pooled,
}

impl PolicyLock {
    /// Takes the lock, waiting for others; [`ErrorKind::TimedOut`] after ten seconds.
    pub(super) fn take(host: &LinuxHost) -> Result<Self> {
        let mut socket = super::converge::filter_socket(host)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let table = Table { name: LOCK_TABLE.to_owned(), comment: None, owned: true };
            let mut batch = Batch::new(None);
            batch.push(table.create());
            match socket.transaction(batch) {
                Ok(()) => return Ok(Self { socket }),
                // Another's table is EPERM; EEXIST is for our own, or for one without owner.
                Err(refusal) if matches!(refusal.errno(), libc::EPERM | libc::EEXIST | libc::EBUSY) => {
                    if Instant::now() >= deadline {
                        return Err(Error::new(ErrorKind::TimedOut, OPERATION).because(format!(
                            "another program holds the nftables table \"inet {LOCK_TABLE}\""
                        )));
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(refusal) => return Err(super::converge::filter_error(refusal, "locking")),
            }
        }
    }
}

impl Drop for PolicyLock {
    fn drop(&mut self) {
        let mut batch = Batch::new(None);
        batch.push(Table::delete(LOCK_TABLE));
        if self.socket.transaction(batch).is_err() {
            // Closing the socket unlocks too, so it must not go back to the pool.
            self.socket.set_busy();
        }
    }
}
