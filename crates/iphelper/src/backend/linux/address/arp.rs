//! Duplicates of an IPv4 address, found by ARP probes (RFC 5227).
//!
//! ```text
//!  0        2        4    5    6        8                14          18               24          28
//!  +--------+--------+----+----+--------+----------------+-----------+----------------+-----------+
//!  |hardware|protocol| hl | pl | what   | sender's MAC   | sender IP | target's MAC   | target IP |
//!  +--------+--------+----+----+--------+----------------+-----------+----------------+-----------+
//! ```

use super::change::OPERATION;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::namespace::system;
use crate::backend::linux::socket::arp::ArpSocket;
use crate::error::{Error, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::hash::{BuildHasher as _, RandomState};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const LEN: usize = 28;
/// Ethernet, IPv4, lengths of both addresses.
const HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u16 = 1;
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// How often an address is asked for, and how long an answer may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Probing {
    pub(super) probes: u32,
    pub(super) interval: Duration,
}

/// An Ethernet link on which addresses are probed.
#[derive(Debug)]
pub(super) struct Prober {
    socket: ArpSocket,
    own: [u8; 6],
}

impl Prober {
    /// [`ErrorKind::NotSupported`] where nobody can be asked.
    pub(super) fn open(host: &LinuxHost, link: &Link) -> Result<Self> {
        let unable = |reason: &str| {
            let advice = "dad_transmits of the interface is above 0, so addresses are looked for on its link first, but";
            Error::new(ErrorKind::NotSupported, OPERATION)
                .because(format!("{advice} {}: {reason}", link.name()))
        };
        let Ok(own) = <[u8; 6]>::try_from(link.address.as_slice()) else {
            return Err(unable("it is no Ethernet"));
        };
        if !link.is_connected() {
            return Err(unable("it is not connected; connect it first, or set dad_transmits to 0"));
        }
        let index = link.index.0;
        let socket = host.namespace.run(move || ArpSocket::open(index))?.map_err(|errno| {
            let error = system(OPERATION, errno).because("opening a packet socket for ARP probes");
            if errno == Errno::PERM {
                return error.because("ARP probes for duplicates of the address need CAP_NET_RAW");
            }
            error
        })?;
        Ok(Self { socket, own })
    }

    /// Whether another computer on the link has the address. `going_on` is called before each probe.
    ///
    /// The first probe waits for a random time, so that computers that were switched on together do not ask together.
    pub(super) fn has_duplicate(
        &self,
        address: Ipv4Addr,
        probing: Probing,
        mut going_on: impl FnMut() -> Result<()>,
    ) -> Result<bool> {
        going_on()?;
        if self.hears_conflict(address, first_delay(probing.interval))? {
            return Ok(true);
        }
        for _ in 0..probing.probes {
            going_on()?;
            self.send(&packet(self.own, Ipv4Addr::UNSPECIFIED, address))?;
            if self.hears_conflict(address, probing.interval)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells everybody whose address it is now, so that what they remember of an earlier owner ends.
    pub(super) fn announce(&self, address: Ipv4Addr) -> Result<()> {
        self.send(&packet(self.own, address, address))
    }

    fn send(&self, packet: &[u8]) -> Result<()> {
        self.socket
            .broadcast(packet)
            .map_err(|errno| system(OPERATION, errno).because("sending an ARP probe: is the interface up?"))
    }

    fn hears_conflict(&self, address: Ipv4Addr, time: Duration) -> Result<bool> {
        let end = Instant::now() + time;
        loop {
            let mut buffer = [0; 128];
            match self.socket.receive(&mut buffer) {
                Ok(len) => {
                    if conflicts(buffer.get(..len).unwrap_or_default(), self.own, address) {
                        return Ok(true);
                    }
                }
                Err(Errno::AGAIN) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(false);
                    }
                    let timeout = Timespec::try_from(left).ok();
                    let mut descriptors = [PollFd::new(&self.socket, PollFlags::IN)];
                    match poll(&mut descriptors, timeout.as_ref()) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(errno) => return Err(system(OPERATION, errno).because("waiting for ARP answers")),
                    }
                }
                // The link went down: nobody answers any more.
                Err(errno) => return Err(system(OPERATION, errno).because("receiving ARP answers")),
            }
        }
    }
}

/// A random time below `PROBE_WAIT` of RFC 5227, and below the time between two probes where that is less.
fn first_delay(interval: Duration) -> Duration {
    let most = interval.min(PROBE_WAIT);
    // The standard library seeds its hash tables with random numbers, which nobody has to guess here.
    let dice = RandomState::new().hash_one(0);
    most * u32::try_from(dice % 1024).unwrap_or_default() / 1024
}

/// A request for `target`.
fn packet(own: [u8; 6], source: Ipv4Addr, target: Ipv4Addr) -> [u8; LEN] {
    let mut packet = [0; LEN];
    let parts: [&[u8]; 6] =
        [&HEAD, &REQUEST.to_be_bytes(), &own, &source.octets(), &[0; 6], &target.octets()];
    for (to, from) in packet.iter_mut().zip(parts.concat()) {
        *to = from;
    }
    packet
}

/// Whether a packet says that its sender has the address, or probes for it as we do (RFC 5227, section 2.1.1).
fn conflicts(packet: &[u8], own: [u8; 6], address: Ipv4Addr) -> bool {
    let Some(packet) = packet.first_chunk::<LEN>() else { return false };
    let Some((head, rest)) = packet.split_first_chunk::<6>() else { return false };
    let &[w0, w1, m0, m1, m2, m3, m4, m5, s0, s1, s2, s3, .., t0, t1, t2, t3] = rest else { return false };
    let sender = Ipv4Addr::new(s0, s1, s2, s3);
    let is_probe = u16::from_be_bytes([w0, w1]) == REQUEST && sender.is_unspecified();
    let is_about = sender == address || is_probe && Ipv4Addr::new(t0, t1, t2, t3) == address;
    *head == HEAD && is_about && [m0, m1, m2, m3, m4, m5] != own
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 2];
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);

    #[test]
    fn the_first_probe_waits_for_a_time_that_differs() {
        for interval in [Duration::from_millis(100), Duration::from_secs(60)] {
            let delays: Vec<_> = (0..100).map(|_| first_delay(interval)).collect();
            assert!(delays.iter().all(|it| *it < interval.min(PROBE_WAIT)), "{delays:?}");
            assert!(delays.iter().any(|it| *it != delays[0]), "{delays:?}");
        }
        assert_eq!(first_delay(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn only_who_has_the_address_or_wants_it_conflicts() {
        let elsewhere = Ipv4Addr::new(192, 0, 2, 6);
        let is = |sender, source, target| conflicts(&packet(sender, source, target), OWN, ADDRESS);
        assert!(is(OTHER, ADDRESS, elsewhere), "it asks for somebody with the address");
        assert!(is(OTHER, Ipv4Addr::UNSPECIFIED, ADDRESS), "it probes for the address too");
        assert!(!is(OTHER, elsewhere, ADDRESS), "it wants to talk to whoever has it");
        assert!(!is(OWN, Ipv4Addr::UNSPECIFIED, ADDRESS), "our own probe");
        let mut reply = packet(OTHER, ADDRESS, Ipv4Addr::UNSPECIFIED);
        reply[7] = 2;
        assert!(conflicts(&reply, OWN, ADDRESS));
        reply[1] = 6;
        assert!(!conflicts(&reply, OWN, ADDRESS), "another kind of hardware");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = conflicts(&bytes, OWN, ADDRESS);
        }
    }
}
