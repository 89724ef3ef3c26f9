//! IPv4 addresses that are not taken yet, because it is being found out whether another computer has them, or because one
//! has. The kernel knows no such state, so everybody reads it here:
//!
//! ```text
//! throw 192.0.2.5 table 1768974360 proto 105 metric 3 window TAG ssthresh BITS cwnd VALID reordering PREFERRED initcwnd UNTIL
//! ```
//!
//! The metric is the interface's index, TAG the upper half of its LUID. While it is being found out, UNTIL is the second of
//! the monotonic clock at which whoever looks must have told again: a program that was killed leaves no address that is
//! tentative for ever. And how many probes an interface's addresses are looked for with, as a marker of the interface.

use super::OPERATION;
use super::batch::send;
use super::exclusive::PolicyLock;
use super::marker::{Marker, Subject, route_of, routes_of};
use super::names::{DETECTIONS, IPV4_DAD, MARKERS, PROTOCOL};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::socket::Refusal;
use crate::error::Result;
use iphelper_netlink::message::{ACK, CREATE, EXCLUSIVE, REPLACE};
use iphelper_netlink::rtnetlink::route::{Route, metric};
use rustix::time::{ClockId, clock_gettime};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// An IPv4 address that is not taken, and what it was to be like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux) struct Detection {
    pub(in crate::backend::linux) address: Ipv4Addr,
    subject: Subject,
    pub(in crate::backend::linux) is_duplicate: bool,
    /// What else is to be remembered, in 30 bits.
    pub(in crate::backend::linux) bits: u32,
    pub(in crate::backend::linux) valid: u32,
    pub(in crate::backend::linux) preferred: u32,
}

/// Marks a duplicate in what the kernel keeps of `bits`.
const DUPLICATE: u32 = 1 << 30;
/// Keeps the value from being zero, which the kernel does not tell.
const PRESENT: u32 = 1 << 31;

impl Detection {
    pub(in crate::backend::linux) fn new(
        address: Ipv4Addr,
        link: &Link,
        bits: u32,
        valid: u32,
        preferred: u32,
    ) -> Self {
        Self { address, subject: Subject::of(link), is_duplicate: false, bits, valid, preferred }
    }

    pub(in crate::backend::linux) fn is_of(&self, link: &Link) -> bool {
        self.subject == Subject::of(link)
    }

    pub(in crate::backend::linux) fn index(&self) -> u32 {
        self.subject.index
    }

    /// How long it counts if nobody tells it again; `None` for a duplicate, which counts until it is deleted.
    pub(in crate::backend::linux) fn time_left(&self, until: u32) -> Option<Duration> {
        (!self.is_duplicate).then(|| Duration::from_secs(until.into()).saturating_sub(uptime()))
    }

    fn route(&self) -> Route {
        route_of(DETECTIONS, self.address.to_bits(), self.subject.index)
    }

    fn route_until(&self, until: u32) -> Route {
        let mut route = self.route();
        let bits = self.bits | PRESENT | if self.is_duplicate { DUPLICATE } else { 0 };
        for (number, value) in [
            (metric::WINDOW, self.subject.tag),
            (metric::SSTHRESH, bits),
            (metric::CWND, self.valid),
            (metric::REORDERING, self.preferred),
            (metric::INITCWND, until),
        ] {
            route.metrics.set(number, (value != 0).then_some(value));
        }
        route
    }

    /// What a route says, if it is a note of this kind, and the second until which it counts.
    pub(in crate::backend::linux) fn read(route: &Route) -> Option<(Self, u32)> {
        if route.table != DETECTIONS || route.protocol != PROTOCOL {
            return None;
        }
        let Some(IpAddr::V4(address)) = route.destination else { return None };
        let number = |number| route.metrics.get(number).unwrap_or_default();
        let bits = number(metric::SSTHRESH);
        let detection = Self {
            address,
            subject: Subject { index: route.priority, tag: number(metric::WINDOW) },
            is_duplicate: bits & DUPLICATE != 0,
            bits: bits & !(PRESENT | DUPLICATE),
            valid: number(metric::CWND),
            preferred: number(metric::REORDERING),
        };
        Some((detection, number(metric::INITCWND)))
    }
}

impl LinuxHost {
    /// The addresses that are not taken. Needs no privilege.
    pub(in crate::backend::linux) fn detections(&self) -> Result<Vec<Detection>> {
        let holds =
            |(detection, until): &(Detection, u32)| detection.time_left(*until) != Some(Duration::ZERO);
        Ok(self.noted_detections()?.into_iter().filter(holds).map(|(detection, _)| detection).collect())
    }

    /// The same with the second until which each counts, and with those that count no longer.
    pub(in crate::backend::linux) fn noted_detections(&self) -> Result<Vec<(Detection, u32)>> {
        let routes = routes_of(&mut *self.route.take()?, DETECTIONS).map_err(|refusal| {
            refusal.error("reading addresses").because("listing those that are not taken")
        })?;
        Ok(routes.iter().filter_map(Detection::read).collect())
    }

    /// Takes away the notes that count no longer: programs that were killed left them, or an interface that is gone.
    pub(in crate::backend::linux) fn forget_ended_detections(&self) -> Result<()> {
        let noted = self.noted_detections()?;
        if noted.is_empty() {
            return Ok(());
        }
        let links = self.links(OPERATION)?;
        for (detection, until) in noted {
            let is_over = detection.time_left(until) == Some(Duration::ZERO);
            if is_over || !links.iter().any(|link| detection.is_of(link)) {
                // A service: what stays counts for nobody.
                let _ = self.end_detection(&detection)?;
            }
        }
        Ok(())
    }

    /// Writes down that an address is being looked for, for as long as `patience`; `EEXIST` if it is already.
    pub(in crate::backend::linux) fn begin_detection(
        &self,
        detection: &Detection,
        patience: Duration,
    ) -> Result<Result<(), Refusal>> {
        let mut socket = self.route.take()?;
        let route = detection.route_until(second_after(patience));
        let begun = send(&mut socket, route.add(CREATE | EXCLUSIVE | ACK));
        if begun.as_ref().is_err_and(|refusal| refusal.errno() == libc::EEXIST)
            && !self
                .detections()?
                .iter()
                .any(|it| it.address == detection.address && it.subject == detection.subject)
        {
            // What a program that was killed left, or an interface that is gone.
            return Ok(send(&mut socket, route.add(CREATE | REPLACE | ACK)));
        }
        Ok(begun)
    }

    /// Goes on looking, or writes down what was found.
    pub(in crate::backend::linux) fn tell_detection(
        &self,
        detection: &Detection,
        patience: Duration,
    ) -> Result<Result<(), Refusal>> {
        let until = if detection.is_duplicate { 0 } else { second_after(patience) };
        Ok(send(&mut *self.route.take()?, detection.route_until(until).add(CREATE | REPLACE | ACK)))
    }

    /// Forgets it; what is forgotten already is no error.
    pub(in crate::backend::linux) fn end_detection(
        &self,
        detection: &Detection,
    ) -> Result<Result<(), Refusal>> {
        match send(&mut *self.route.take()?, detection.route().delete()) {
            Err(refusal) if refusal.errno() == libc::ESRCH => Ok(Ok(())),
            ended => Ok(ended),
        }
    }

    /// Sets with how many probes an interface's IPv4 addresses are looked for.
    pub(in crate::backend::linux) fn set_ipv4_dad_transmits(&self, link: &Link, count: u32) -> Result<()> {
        let _lock = PolicyLock::take(self)?;
        let marker = Marker { property: IPV4_DAD, subject: Subject::of(link), values: [count, 0, 0, 0] };
        let request = if count == 0 { marker.remove() } else { marker.put() };
        match send(&mut *self.route.take()?, request) {
            Err(refusal) if count == 0 && refusal.errno() == libc::ESRCH => Ok(()),
            done => {
                done.map_err(|refusal| refusal.error(OPERATION).because("writing the count of probes down"))
            }
        }
    }
}

/// The kernel object that carries the count.
pub(in crate::backend::linux) fn ipv4_dad_mechanism() -> String {
    format!("ip route table {MARKERS} (ARP probes of whoever creates an address)")
}

/// That of an interface, by the markers.
pub(super) fn ipv4_dad_transmits(markers: &[Marker], link: &Link) -> u32 {
    let subject = Subject::of(link);
    let marker = markers.iter().find(|it| it.property == IPV4_DAD && it.subject == subject);
    marker.map_or(0, |marker| {
        let [count, ..] = marker.values;
        count
    })
}

fn second_after(patience: Duration) -> u32 {
    u32::try_from((uptime() + patience).as_secs() + 1).unwrap_or(u32::MAX)
}

fn uptime() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::InterfaceKey;
    use iphelper_testkit::{isolated, run};

    #[test]
    fn what_is_looked_for_is_kept_until_it_is_told_no_more() {
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let link = host.link_named("lo", "").unwrap();
            let address = Ipv4Addr::new(192, 0, 2, 5);
            let mut detection = Detection::new(address, &link, 0x2aaa_aaaa, u32::MAX, 0);
            let long = Duration::from_secs(1000);
            host.begin_detection(&detection, long).unwrap().unwrap();
            assert_eq!(host.detections().unwrap(), [detection]);
            assert!(detection.is_of(&link));
            let again = host.begin_detection(&detection, long).unwrap().unwrap_err();
            assert_eq!(again.errno(), libc::EEXIST);
            detection.is_duplicate = true;
            host.tell_detection(&detection, long).unwrap().unwrap();
            assert_eq!(host.detections().unwrap(), [detection]);
            host.end_detection(&detection).unwrap().unwrap();
            host.end_detection(&detection).unwrap().unwrap();
            assert_eq!(host.detections().unwrap(), []);
        });
    }

    #[test]
    fn what_a_killed_program_left_ends_by_itself() {
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let link = host.link_named("lo", "").unwrap();
            let detection = Detection::new(Ipv4Addr::new(192, 0, 2, 5), &link, 0, 1, 1);
            let past = || send(&mut host.route.take().unwrap(), detection.route_until(1).add(CREATE | ACK));
            past().unwrap();
            assert_eq!(host.detections().unwrap(), []);
            assert_eq!(host.noted_detections().unwrap().len(), 1);
            // The next call tidies it up; so does it what an interface that is gone had.
            let _ = run("ip link add e0 type veth peer name e1");
            let gone = Detection::new(detection.address, &host.link_named("e0", "").unwrap(), 0, 1, 1);
            host.begin_detection(&gone, Duration::from_secs(1000)).unwrap().unwrap();
            host.forget_ended_detections().unwrap();
            assert_eq!(host.noted_detections().unwrap().len(), 1);
            let _ = run("ip link del e0");
            host.forget_ended_detections().unwrap();
            assert_eq!(host.noted_detections().unwrap(), []);
            past().unwrap();
            host.begin_detection(&detection, Duration::from_secs(1000)).unwrap().unwrap();
            assert_eq!(host.detections().unwrap(), [detection]);
        });
    }

    #[test]
    fn a_later_interface_inherits_no_count() {
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let _ = run("ip link add e0 index 77 type veth peer name e1");
            let link = |name| host.link_named(name, "").unwrap();
            host.set_ipv4_dad_transmits(&link("e0"), 3).unwrap();
            let count = |link: &Link| host.route_settings().unwrap().ipv4_dad_transmits(link);
            assert_eq!((count(&link("e0")), count(&link("e1"))), (3, 0));
            let _ = run("ip link del e0");
            let _ = run("ip link add b0 index 77 type bridge");
            assert_eq!(count(&link("b0")), 0);
            host.set_ipv4_dad_transmits(&link("b0"), 0).unwrap();
            host.set_ipv4_dad_transmits(&link("b0"), 0).unwrap();
            assert!(host.link(InterfaceKey::Index(link("b0").index), "").is_ok());
        });
    }
}
