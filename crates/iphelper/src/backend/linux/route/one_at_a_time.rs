//! One change of routes at a time in a namespace, from the look at what is there to the last message.
//!
//! The kernel refuses a second route of the same prefix, next hop, interface and metric, but takes one of another metric
//! beside the first, and that is one key here. So callers keep apart by a lock on a file that each namespace has and that
//! only its administrators can open. The lock of the policy is not for this: it is a packet filter table, which takes
//! longer to make and delete than a route does.
//!
//! It holds between callers that see the same `/proc`. Others, in a container with a `/proc` of its own and this network,
//! and programs that do not use this library, are not kept out; nor is anybody where `/proc/sys/net` is hidden.

use crate::backend::linux::LinuxHost;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A file for administrators alone, in containers too. What is in it does not matter.
const FILE: &str = "tcp_fastopen_key";
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(1);

/// The right to change routes, until dropped; `None` inside: without a file.
#[derive(Debug)]
pub(super) struct OneAtATime(#[expect(dead_code, reason = "closing the descriptor unlocks")] Option<OwnedFd>);

impl OneAtATime {
    /// Waits for others; [`ErrorKind::TimedOut`] after ten seconds. To be taken before the lock of the policy, since whoever
    /// has that never waits for this.
    pub(super) fn take(host: &LinuxHost, operation: &'static str) -> Result<Self> {
        let Ok(file) = host.sysctl.file(Family::V4, FILE, OFlags::RDONLY) else { return Ok(Self(None)) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self(Some(file))),
                Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(Errno::AGAIN | Errno::INTR) => {
                    return Err(Error::new(ErrorKind::TimedOut, operation)
                        .because(format!("another program holds the lock on net.ipv4.{FILE}")));
                }
                // A kernel that locks no such files keeps nobody apart.
                Err(_) => return Ok(Self(None)),
            }
        }
    }
}
