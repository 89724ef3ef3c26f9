use super::*;
use crate::attribute::AttributeWriter;
use crate::message::{Messages, Request};
use proptest::prelude::*;

const CREATE: u16 = 0x400;

/// A route to 198.51.100.0/24 or 2001:db8::/32 with a metric, by the `hops` (link, router's last byte).
fn route(family: u8, metric: u32, hops: &[(u32, u8)]) -> Vec<u8> {
    let (len, dst): (u8, &[u8]) = match family {
        AF_INET => (24, &[198, 51, 100, 0]),
        _ => (32, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    };
    let router = |last: u8| -> Vec<u8> {
        let mut router = vec![0; address_len(family)];
        *router.last_mut().unwrap() = last;
        router
    };
    let mut row = vec![family, len, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
    let _ = row.attribute_u32(RTA_TABLE, 254).attribute(RTA_DST, dst).attribute_u32(6, metric);
    match hops {
        [(link, last)] => {
            let _ = row.attribute(5, &router(*last)).attribute_u32(4, *link);
        }
        several => {
            let mut all = Vec::new();
            for (link, last) in several {
                let mut hop = Vec::new();
                let _ = hop.attribute(5, &router(*last));
                all.extend_from_slice(&u16::try_from(hop.len() + 8).unwrap().to_ne_bytes());
                all.extend_from_slice(&[0, 0]);
                all.extend_from_slice(&link.to_ne_bytes());
                all.extend_from_slice(&hop);
            }
            let _ = row.attribute(9, &all);
        }
    }
    row
}

struct Table(Vec<u8>);

impl Table {
    fn tell(&mut self, kind: u16, flags: u16, row: &[u8]) -> bool {
        self.hear(kind, flags, row, false)
    }

    fn hear(&mut self, kind: u16, flags: u16, row: &[u8], replay: bool) -> bool {
        let bytes = Request::new(kind, flags & !1, row).finish(0).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let message = RowMessage::parse(&message).unwrap().unwrap();
        let Applied { rows, doubtful } = apply(Rows::new(&self.0), &message, replay);
        self.0 = rows;
        doubtful
    }

    fn is(&self, rows: &[Vec<u8>]) {
        let own: Vec<_> = Rows::new(&self.0).collect();
        assert_eq!(own, rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

#[test]
fn ipv4_routes_stand_in_the_kernels_order() {
    let [a, b, c, d] = [1, 2, 3, 4].map(|router| route(AF_INET, 5, &[(7, router)]));
    let cheap = route(AF_INET, 1, &[(7, 9)]);
    let mut table = Table(Vec::new());
    let _ = table.tell(NEW_ROUTE, CREATE, &a);
    let _ = table.tell(NEW_ROUTE, CREATE | APPEND, &b);
    let _ = table.tell(NEW_ROUTE, CREATE, &c);
    let _ = table.tell(NEW_ROUTE, CREATE, &cheap);
    table.is(&[cheap.clone(), c.clone(), a.clone(), b.clone()]);
    assert!(!table.tell(NEW_ROUTE, REPLACE, &d));
    table.is(&[cheap.clone(), d.clone(), a.clone(), b.clone()]);
    assert!(!table.tell(DELETE_ROUTE, 0, &a));
    table.is(&[cheap.clone(), d.clone(), b.clone()]);
    assert!(table.tell(DELETE_ROUTE, 0, &a), "it is not there, and two others may be meant");
    assert!(!table.tell(DELETE_ROUTE, 0, &route(AF_INET, 77, &[(7, 1)])), "known to be gone");
    table.is(&[cheap, d, b]);
}

#[test]
fn ipv4_announcements_older_than_the_table_change_nothing() {
    let [a, b, c] = [1, 2, 3].map(|router| route(AF_INET, 5, &[(7, router)]));
    let steps = [(NEW_ROUTE, CREATE, &a), (NEW_ROUTE, REPLACE, &b), (NEW_ROUTE, REPLACE, &c)];
    // Whenever the table was read, all steps after that end at the last.
    for start in [vec![], vec![a.clone()], vec![b.clone()], vec![c.clone()]] {
        let mut table = Table(Vec::new());
        start.iter().for_each(|row| Rows::push(&mut table.0, row));
        for (kind, flags, row) in steps {
            let _ = table.hear(kind, flags, row, true);
        }
        table.is(std::slice::from_ref(&c));
    }
    let mut table = Table(Vec::new());
    for row in [&a, &b] {
        let _ = table.tell(NEW_ROUTE, CREATE | APPEND, row);
    }
    assert!(table.hear(NEW_ROUTE, REPLACE, &c, true), "which of the two it replaced is not known");
}

#[test]
fn ipv6_routes_with_routers_are_one_multipath_route() {
    let mut table = Table(Vec::new());
    let one = route(AF_INET6, 5, &[(7, 1)]);
    let other = route(AF_INET6, 5, &[(8, 2)]);
    let both = route(AF_INET6, 5, &[(7, 1), (8, 2)]);
    let three = route(AF_INET6, 5, &[(8, 2), (7, 1), (9, 3)]);
    let cheap = route(AF_INET6, 1, &[(7, 1)]);
    let _ = table.tell(NEW_ROUTE, CREATE, &one);
    let _ = table.tell(NEW_ROUTE, CREATE, &cheap);
    let _ = table.tell(NEW_ROUTE, CREATE | APPEND, &both);
    table.is(&[cheap.clone(), both.clone()]);
    let _ = table.tell(NEW_ROUTE, CREATE | APPEND, &three);
    table.is(&[cheap.clone(), three]);
    let _ = table.tell(DELETE_ROUTE, 0, &route(AF_INET6, 5, &[(9, 3)]));
    table.is(&[cheap.clone(), route(AF_INET6, 5, &[(8, 2), (7, 1)])]);
    let _ = table.tell(DELETE_ROUTE, 0, &one);
    table.is(&[cheap.clone(), other.clone()]);
    let _ = table.tell(NEW_ROUTE, REPLACE, &both);
    table.is(&[cheap.clone(), both.clone()]);
    let _ = table.tell(DELETE_ROUTE, 0, &both);
    table.is(&[cheap]);
}

#[test]
fn what_changes_by_itself_is_no_difference() {
    let route = |expires: i32, flags: u32| {
        let mut row = route(AF_INET6, 5, &[(7, 1)]);
        row[8..12].copy_from_slice(&flags.to_ne_bytes());
        let mut cache = [0; 32];
        cache[8..12].copy_from_slice(&expires.to_ne_bytes());
        let _ = row.attribute(12, &cache);
        row
    };
    assert!(alike(Subject::Route, &route(500, 0), &route(400, 16)), "a carrier that is lost");
    assert!(!alike(Subject::Route, &route(500, 0), &route(0, 0)), "for ever");
    assert!(!alike(Subject::Route, &route(0, 4), &route(0, 0)), "on-link");
    let address = |valid: u32, set: u32, flags: u32| {
        let mut row = vec![AF_INET, 24, 0, 0, 7, 0, 0, 0];
        let mut times = [0; 16];
        times[4..8].copy_from_slice(&valid.to_ne_bytes());
        times[12..16].copy_from_slice(&set.to_ne_bytes());
        let _ = row.attribute(IFA_LOCAL, &[192, 0, 2, 1]).attribute(6, &times).attribute_u32(8, flags);
        row
    };
    assert!(alike(Subject::Address, &address(90, 1, 0), &address(80, 1, 0)), "time passes");
    assert!(!alike(Subject::Address, &address(90, 1, 0), &address(90, 2, 0)), "set anew");
    assert!(!alike(Subject::Address, &address(90, 1, 0), &address(90, 1, 0x40)), "tentative");
    assert!(!alike(Subject::Address, &address(90, 1, 0), &address(u32::MAX, 1, 0)));
}

#[test]
fn an_ipv4_address_may_be_there_with_two_prefixes() {
    let address = |len: u8| {
        let mut row = vec![AF_INET, len, 0, 0, 7, 0, 0, 0];
        let _ = row.attribute(IFA_ADDRESS, &[192, 0, 2, 1]).attribute(IFA_LOCAL, &[192, 0, 2, 1]);
        row
    };
    let mut table = Table(Vec::new());
    let _ = table.tell(NEW_ADDRESS, 0, &address(24));
    let _ = table.tell(NEW_ADDRESS, 0, &address(25));
    table.is(&[address(24), address(25)]);
    let _ = table.tell(DELETE_ADDRESS, 0, &address(24));
    table.is(&[address(25)]);
}

#[test]
fn other_families_and_other_messages_are_no_rows() {
    let parse = |kind, payload: &[u8]| {
        let bytes = Request::new(kind, 0, payload).finish(0).to_vec();
        RowMessage::parse(&Messages::new(&bytes).next().unwrap().unwrap()).map(|row| row.is_some())
    };
    assert_eq!(parse(16, &[0; 32]), Ok(false));
    for kind in [NEW_ADDRESS, NEW_ROUTE, NEW_NEIGHBOR] {
        assert_eq!(parse(kind, &[7; 12]), Ok(false), "a bridge's");
        assert!(parse(kind, &[2, 0]).is_err(), "cut off");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        kind in proptest::sample::select(vec![20_u16, 21, 24, 25, 28, 29]),
        family in proptest::sample::select(vec![AF_INET, AF_INET6]),
        flags in any::<u16>(),
        whole in any::<bool>(),
        cut in 0..120_usize,
        tail in proptest::collection::vec(any::<u8>(), 0..100),
        before in proptest::collection::vec(any::<u8>(), 0..100),
        replay in any::<bool>(),
    ) {
        let mut row = if whole { route(family, 5, &[(7, 1), (8, 2)]) } else { vec![family] };
        row.truncate(cut);
        row.extend(tail);
        let bytes = Request::new(kind, flags, &row).finish(0).to_vec();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        if let Ok(Some(message)) = RowMessage::parse(&message) {
            let applied = apply(Rows::new(&before), &message, replay);
            let _ = apply(Rows::new(&applied.rows), &message, replay);
            let mut known = Vec::new();
            Rows::push(&mut known, &route(family, 5, &[(7, 1), (8, 2), (9, 3)]));
            let _ = apply(Rows::new(&known), &message, replay);
        }
    }
}
