//! Which way a packet would take: a question to the kernel about one destination (`RTM_GETROUTE` without a dump).
//!
//! The kernel makes the whole decision: policy rules, tables, prefixes, metrics, what it has learnt of the destination.

use super::route::{DELETE_ROUTE, GET_ROUTE, Route};
use crate::attribute::AttributeWriter;
use crate::message::{ACK, DUMP, Request};
use std::net::IpAddr;

/// `RTM_F_LOOKUP_TABLE`: the answer names the table. IPv4 says "main" of every table otherwise; IPv6 has no such flag.
const LOOKUP_TABLE: u32 = 0x1000;
/// `RTM_F_FIB_MATCH`: the answer is the route of the table that was found, not what it became for this destination.
const FIB_MATCH: u32 = 0x2000;

/// `RTM_F_CLONED`: what was learnt of one destination, beside the routes.
const CLONED: u32 = 0x200;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const DST: u16 = 1;
const SRC: u16 = 2;
const IIF: u16 = 3;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const TABLE: u16 = 15;
const MARK: u16 = 16;
const UID: u16 = 25;
const IP_PROTOCOL: u16 = 27;
const SOURCE_PORT: u16 = 28;
const DESTINATION_PORT: u16 = 29;

/// What the kernel is to answer with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The route that was found in a table, as a dump shows it: prefix, metric, all next hops.
    Entry,
    /// The way itself: the one next hop that was chosen, the source address, the path's MTU.
    Way,
}

/// A packet whose way is asked for. Policy rules judge it by these members.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RouteLookup {
    /// Where it goes.
    pub destination: IpAddr,
    /// Where it comes from; `None`: the kernel chooses.
    pub source: Option<IpAddr>,
    /// The link by which it must leave. IPv6 takes it for a wish where there is a source, so that the answer's link has
    /// to be looked at.
    pub output: Option<u32>,
    /// The link by which it came in, for packets that are forwarded.
    pub input: Option<u32>,
    /// Its mark.
    pub mark: Option<u32>,
    /// The user that sends it; `None`: the asking one.
    pub user: Option<u32>,
    /// Its protocol over IP; `None`: IPv4 takes it for UDP, IPv6 for none. The kernel takes TCP, UDP and ICMP.
    pub protocol: Option<u8>,
    /// The port that it comes from.
    pub source_port: Option<u16>,
    /// The port that it goes to.
    pub destination_port: Option<u16>,
}

impl RouteLookup {
    /// A packet of this host to `destination`, with nothing else told.
    #[must_use]
    pub const fn to(destination: IpAddr) -> Self {
        Self {
            destination,
            source: None,
            output: None,
            input: None,
            mark: None,
            user: None,
            protocol: None,
            source_port: None,
            destination_port: None,
        }
    }

    /// The question. It is answered by one message: a route, or the refusal whose errno tells what became of the packet
    /// (`ENETUNREACH` no route, `EHOSTUNREACH` unreachable, `EACCES` prohibited, `EINVAL` blackhole).
    #[must_use]
    pub fn request(&self, answer: Answer) -> Request {
        let matching = if answer == Answer::Entry { FIB_MATCH } else { 0 };
        // IPv6 always names the table, and refuses to be told so.
        let flags = if self.destination.is_ipv4() { LOOKUP_TABLE | matching } else { matching };
        let len = |address: &IpAddr| if address.is_ipv4() { 32 } else { 128 };
        let family = if self.destination.is_ipv4() { AF_INET } else { AF_INET6 };
        let source_len = self.source.as_ref().map_or(0, len);
        let [f0, f1, f2, f3] = flags.to_ne_bytes();
        let fixed = [family, len(&self.destination), source_len, 0, 0, 0, 0, 0, f0, f1, f2, f3];
        let mut request = Request::new(GET_ROUTE, 0, &fixed);
        for (kind, address) in [(DST, Some(self.destination)), (SRC, self.source)] {
            match address {
                Some(IpAddr::V4(address)) => drop(request.attribute(kind, &address.octets())),
                Some(IpAddr::V6(address)) => drop(request.attribute(kind, &address.octets())),
                None => {}
            }
        }
        let numbers = [(OIF, self.output), (IIF, self.input), (MARK, self.mark), (UID, self.user)];
        for (kind, number) in numbers {
            if let Some(number) = number {
                let _ = request.attribute_u32(kind, number);
            }
        }
        if let Some(protocol) = self.protocol {
            let _ = request.attribute_u8(IP_PROTOCOL, protocol);
        }
        for (kind, port) in [(SOURCE_PORT, self.source_port), (DESTINATION_PORT, self.destination_port)] {
            if let Some(port) = port {
                let _ = request.attribute(kind, &port.to_be_bytes());
            }
        }
        request
    }
}

/// Asks for what the kernel has learnt of single destinations: path MTUs, redirects. Each comes as a route to that one
/// address; IPv4 tells only of those that a packet has used since.
#[must_use]
pub fn dump_learnt(family: u8) -> Request {
    let [f0, f1, f2, f3] = CLONED.to_ne_bytes();
    Request::new(GET_ROUTE, DUMP, &[family, 0, 0, 0, 0, 0, 0, 0, f0, f1, f2, f3])
}

/// A request that forgets what was learnt of one IPv6 destination; `ESRCH` if that is gone. IPv4 has no such request.
#[must_use]
pub fn forget_ipv6(learnt: &Route) -> Request {
    let [f0, f1, f2, f3] = CLONED.to_ne_bytes();
    let fixed = [AF_INET6, learnt.destination_len, 0, 0, 0, 0, 0, 0, f0, f1, f2, f3];
    let mut request = Request::new(DELETE_ROUTE, ACK, &fixed);
    let _ = request.attribute_u32(TABLE, learnt.table);
    for (kind, address) in [(DST, learnt.destination), (GATEWAY, learnt.gateway)] {
        if let Some(IpAddr::V6(address)) = address {
            let _ = request.attribute(kind, &address.octets());
        }
    }
    if let Some(interface) = learnt.interface {
        let _ = request.attribute_u32(OIF, interface);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;

    #[test]
    fn a_question_has_what_it_was_given() {
        let lookup = RouteLookup {
            source: Some("10.0.0.1".parse().unwrap()),
            output: Some(7),
            mark: Some(9),
            protocol: Some(6),
            destination_port: Some(443),
            ..RouteLookup::to("192.0.2.1".parse().unwrap())
        };
        let mut request = lookup.request(Answer::Entry);
        assert!(!request.is_dump());
        let bytes = request.finish(1).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(message.header.kind, GET_ROUTE);
        let (fixed, attributes) = message.split::<12>("rtmsg").unwrap();
        assert_eq!(fixed[..8], [2, 32, 32, 0, 0, 0, 0, 0]);
        assert_eq!(fixed[8..], 0x3000_u32.to_ne_bytes());
        let attributes: Vec<_> =
            attributes.map(Result::unwrap).map(|it| (it.kind, it.payload.len())).collect();
        assert_eq!(
            attributes,
            [(DST, 4), (SRC, 4), (OIF, 4), (MARK, 4), (IP_PROTOCOL, 1), (DESTINATION_PORT, 2)]
        );
    }

    #[test]
    fn what_was_learnt_is_named_by_its_destination() {
        let learnt = Route {
            destination_len: 128,
            destination: Some("2001:db8::7".parse().unwrap()),
            gateway: Some("fe80::1".parse().unwrap()),
            interface: Some(3),
            ..Route::new(10, 254)
        };
        let bytes = forget_ipv6(&learnt).finish(1).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(message.header.kind, DELETE_ROUTE);
        let read = Route::parse(&message).unwrap().unwrap();
        assert_eq!((read.destination, read.gateway), (learnt.destination, learnt.gateway));
        assert_eq!((read.interface, read.table, read.flags), (Some(3), 254, CLONED));
        assert!(dump_learnt(2).is_dump());
    }

    #[test]
    fn a_way_to_an_ipv6_address_is_asked_for_by_its_own_length() {
        let mut request = RouteLookup::to("2001:db8::1".parse().unwrap()).request(Answer::Way);
        let bytes = request.finish(1).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let (fixed, _) = message.split::<12>("rtmsg").unwrap();
        assert_eq!(fixed[..3], [10, 128, 0]);
        assert_eq!(fixed[8..], [0; 4], "a flag that IPv6 refuses");
    }
}
