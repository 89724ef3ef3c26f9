//! Waiting until it is known of every address whether it can be used.

use super::change::failed;
use crate::address::{DadState, UnicastAddress};
use crate::backend::StableWaiter;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::namespace::system;
use crate::backend::linux::policy::OUR_PROTOCOL;
use crate::backend::linux::socket::{Protocol, Socket};
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::notification as groups;
use rustc_hash::FxHashMap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

const OPERATION: &str = "waiting for stable addresses";

/// After a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Listens to the kernel's addresses since before it first looked.
#[derive(Debug)]
pub(super) struct Waiter {
    host: Arc<LinuxHost>,
    socket: Socket,
    family: Option<Family>,
}

impl Waiter {
    pub(super) fn open(host: Arc<LinuxHost>, family: Option<Family>) -> Result<Self> {
        // The notes of IPv4 addresses that somebody probes for are routes.
        let groups = groups::LINK | groups::IPV4_ADDRESS | groups::IPV6_ADDRESS | groups::IPV4_ROUTE;
        let socket = host.namespace.run(|| Socket::open(Protocol::Route, groups))??;
        socket.leave_out_routes_but(Some(OUR_PROTOCOL));
        Ok(Self { host, socket, family })
    }

    /// Forgets what is queued: it will be looked at everything.
    fn drain(&mut self) -> Result<()> {
        loop {
            match self.socket.receive_with(RecvFlags::DONTWAIT) {
                Ok(_) => {}
                // An overrun: some are lost, and that there was news is known.
                Err(refusal) if matches!(refusal.errno(), libc::ENOBUFS | libc::EMSGSIZE) => {}
                Err(refusal) if refusal.errno() == libc::EAGAIN => return Ok(()),
                Err(refusal) => return Err(failed(refusal, "listening to the kernel")),
            }
        }
    }

    /// The table, and whether some of it waits for what is known soon.
    fn look(&self) -> Result<(Vec<UnicastAddress>, bool)> {
        let rows = self.host.read_unicast_addresses(self.family)?;
        let links = self.host.links_by_index(OPERATION)?;
        let waits = rows.iter().any(|row| is_waiting(row, &links));
        Ok((rows, waits))
    }

    /// How long at most until nobody believes any more that somebody probes for an address: a program that was killed
    /// announces nothing.
    fn next_end(&self) -> Option<Duration> {
        let noted = self.host.noted_detections().ok()?;
        let left = noted.iter().filter_map(|(detection, until)| detection.time_left(*until));
        left.filter(|left| !left.is_zero()).min().map(|left| left + Duration::from_millis(1))
    }
}

/// Whether it is being found out whether an address can be used. Where nothing is connected, nothing is found out.
fn is_waiting(row: &UnicastAddress, links: &FxHashMap<InterfaceIndex, Link>) -> bool {
    row.dad_state == DadState::Tentative && links.get(&row.index).is_some_and(Link::is_connected)
}

impl StableWaiter for Waiter {
    fn stable(&mut self) -> Result<Option<Vec<UnicastAddress>>> {
        let (rows, waits) = self.look()?;
        Ok((!waits).then_some(rows))
    }

    fn wait(&mut self, stop: BorrowedFd<'_>) -> Result<Option<Vec<UnicastAddress>>> {
        loop {
            let drained = self.drain();
            // Before the look, so that what ends in between is looked at again.
            let next_end = self.next_end();
            let wait = match drained.and_then(|()| self.look()) {
                Ok((rows, false)) => return Ok(Some(rows)),
                Ok((_, true)) => next_end,
                Err(_) => Some(RETRY_AFTER),
            };
            let timeout = wait.and_then(|wait| Timespec::try_from(wait).ok());
            let mut descriptors =
                [PollFd::from_borrowed_fd(stop, PollFlags::IN), PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut descriptors, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(system(OPERATION, errno).because("waiting for announcements")),
            }
            let [stopped, _] = &descriptors;
            if !stopped.revents().is_empty() {
                return Ok(None);
            }
        }
    }
}
