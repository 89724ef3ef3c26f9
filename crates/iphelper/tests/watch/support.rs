//! Waiting for events, and many routes at once.

use iphelper::notification::{ChangeKind, Event, Subject, Watch};
use iphelper_netlink::attribute::AttributeWriter;
use iphelper_netlink::message::Request;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// What the kernel announces is here by then, even on a busy machine.
pub(crate) const SOON: Duration = iphelper_testkit::PATIENCE;

/// The next event, waited for with `poll`.
pub(crate) fn next_within(watch: &mut Watch, time: Duration) -> Option<Event> {
    let mut descriptor = [PollFd::new(watch, PollFlags::IN)];
    if poll(&mut descriptor, Some(&Timespec::try_from(time).unwrap())).unwrap() != 1 {
        return None;
    }
    let event = watch.try_next().expect("reading the events");
    assert!(event.is_some(), "the descriptor was readable and there is nothing");
    event
}

/// The first event that `wanted` takes, and all before it.
#[track_caller]
pub(crate) fn wait_for<T>(
    what: &str,
    watch: &mut Watch,
    mut wanted: impl FnMut(&Event) -> Option<T>,
) -> (T, Vec<Event>) {
    let deadline = Instant::now() + SOON;
    let mut before = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(event) = next_within(watch, left) else { panic!("no {what} among {before:#?}") };
        if let Some(found) = wanted(&event) {
            return (found, before);
        }
        before.push(event);
    }
}

/// An event in few words: class, kind, what.
pub(crate) fn words(event: &Event) -> String {
    let kind = match event.kind {
        ChangeKind::Add => "+",
        ChangeKind::Parameter => "~",
        ChangeKind::Delete => "-",
    };
    let what = match &event.subject {
        Subject::Interface(row) => format!("interface {}", row.name),
        Subject::IpInterface(row) => format!("ip {} {}", row.family, row.name),
        Subject::UnicastAddress(row) => format!("address {} {}", row.address, row.name),
        Subject::Route(row) => format!("route {}", row.destination),
        Subject::Neighbor(row) => format!("neighbor {} {}", row.address, row.name),
        other => format!("{other:?}"),
    };
    format!("{kind} {what}")
}

/// A socket that changes routes as fast as the kernel can: many requests in one datagram, none answered.
pub(crate) struct Routes {
    socket: OwnedFd,
    bytes: Vec<u8>,
    interface: u32,
}

pub(crate) const ADD: (u16, u16) = (24, 0x600);
pub(crate) const DELETE: (u16, u16) = (25, 0);

impl Routes {
    pub(crate) fn over(interface: &str) -> Self {
        let interface = iphelper_testkit::run(&format!("ip -o link show {interface}"));
        let interface = interface.split(':').next().unwrap().trim().parse().unwrap();
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None);
        let socket = socket.unwrap();
        rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0)).unwrap();
        Self { socket, bytes: Vec::new(), interface }
    }

    /// Adds (`NLM_F_CREATE | NLM_F_EXCL`) or deletes the route to one address.
    pub(crate) fn change(&mut self, (kind, flags): (u16, u16), number: u32) {
        let mut request = Request::new(kind, flags, &[2, 32, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0]);
        let address = Ipv4Addr::from_bits(0x0a00_0000 + number);
        let _ = request.attribute(1, &address.octets()).attribute_u32(4, self.interface);
        self.bytes.extend_from_slice(request.finish(1));
        if self.bytes.len() > 60_000 {
            self.flush();
        }
    }

    pub(crate) fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let sent = rustix::net::send(&self.socket, &self.bytes, SendFlags::empty()).unwrap();
            assert_eq!(sent, self.bytes.len());
            self.bytes.clear();
        }
    }
}
