//! One change of policy at a time in a namespace.
//!
//! The lock is a packet filter table with an owner: only an administrator can make it, a second one is refused, and it
//! vanishes with the owner's socket, however the owner ends. It is seen from everywhere that the namespace is, unlike a
//! file, and works where `/proc/sys` is read-only. The table is empty.
//!
//! A kernel that has no such tables (no nf_tables, or one before Linux 5.12) has them for nobody. There a file that each
//! namespace has is locked, which keeps everybody apart who sees the same `/proc`.

use super::OPERATION;
use super::names::LOCK_TABLE;
use super::state_file::StateCopy;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::namespace::system;
use crate::backend::linux::socket::Pooled;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::nf_tables::{Batch, Table};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

/// The right to change policy, until dropped.
#[derive(Debug)]
pub(in crate::backend::linux) struct PolicyLock {
    /// Written when the lock is given up.
    copy: Option<StateCopy>,
    #[expect(dead_code, reason = "dropping it unlocks")]
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Table(#[expect(dead_code, reason = "dropping it unlocks")] TableLock),
    File(#[expect(dead_code, reason = "closing the descriptor unlocks")] OwnedFd),
}

impl PolicyLock {
    /// Takes the lock, waiting for others; [`ErrorKind::TimedOut`] after ten seconds.
    pub(in crate::backend::linux) fn take(host: &LinuxHost) -> Result<Self> {
        let mut lock = Self::take_for_routes(host)?;
        if let Some((copy, restored)) = StateCopy::begin(host) {
            lock.copy = Some(copy);
            if restored {
                // What fails now fails again in the call itself, which tells of it.
                let _ = host.reconcile_locked_policy();
            }
        }
        // What a program that was killed left to be put back is no failure of this call.
        let _ = host.settle_router();
        Ok(lock)
    }

    /// Takes it to bring up to date what follows from routes, while what is set stays as it is.
    pub(super) fn take_for_routes(host: &LinuxHost) -> Result<Self> {
        let kind = match TableLock::take(host) {
            Err(error) if error.kind() == ErrorKind::NotSupported => lock_file(host).map(Kind::File),
            taken => taken.map(Kind::Table),
        }?;
        Ok(Self { copy: None, kind })
    }
}

impl Drop for PolicyLock {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            copy.save();
        }
    }
}

/// A table with an owner.
#[derive(Debug)]
pub(in crate::backend::linux) struct TableLock {
    socket: Pooled,
}

impl TableLock {
    fn take(host: &LinuxHost) -> Result<Self> {
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
                        return Err(timed_out(format!(
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

impl Drop for TableLock {
    fn drop(&mut self) {
        let mut batch = Batch::new(None);
        batch.push(Table::delete(LOCK_TABLE));
        if self.socket.transaction(batch).is_err() {
            // Closing the socket unlocks too, so it must not go back to the pool.
            self.socket.set_busy();
        }
    }
}

/// Locks a file that only an administrator of the namespace can open. The kernel hides it in the namespaces of user
/// namespaces; there another file serves, which every user of that container could hold.
fn lock_file(host: &LinuxHost) -> Result<OwnedFd> {
    let file = match host.sysctl.file(Family::V4, "route/flush", OFlags::WRONLY) {
        Err(Errno::NOENT) => host.sysctl.file(Family::V4, "conf/all/forwarding", OFlags::WRONLY),
        opened => opened,
    };
    let file = file.map_err(|errno| system(OPERATION, errno).because("opening the file that is locked"))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Err(Errno::AGAIN | Errno::INTR) => {
                return Err(timed_out("another program holds the lock on net.ipv4.route.flush".to_owned()));
            }
            Err(errno) => return Err(system(OPERATION, errno).because("locking a file")),
        }
    }
}

fn timed_out(reason: String) -> Error {
    Error::new(ErrorKind::TimedOut, OPERATION).because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_testkit::{as_nobody, isolated};
    use std::sync::atomic::{AtomicBool, Ordering};

    iphelper_testkit::private_user_namespace!();

    /// As on a kernel without tables that have an owner: each namespace has its file, and one caller at a time.
    #[test]
    fn where_there_are_no_tables_a_file_keeps_callers_apart() {
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let lock = lock_file(&host).unwrap();
            let given_up = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let second = scope.spawn(|| {
                    let host = LinuxHost::open().unwrap();
                    let lock = lock_file(&host).unwrap();
                    assert!(given_up.load(Ordering::SeqCst), "two at a time");
                    drop(lock);
                });
                // Another namespace has its own.
                isolated(|| drop(lock_file(&LinuxHost::open().unwrap()).unwrap()));
                std::thread::sleep(10 * PAUSE);
                given_up.store(true, Ordering::SeqCst);
                drop(lock);
                second.join().unwrap();
            });
            drop(lock_file(&host).unwrap());
            let _ = as_nobody(&[], || {
                let refused = lock_file(&LinuxHost::open().unwrap()).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::AccessDenied, "not for everybody to hold");
            });
        });
    }
}
