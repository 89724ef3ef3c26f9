//! The UDP table row by row: memory of one buffer, whatever the table's size.
//!
//! One test alone, so that nothing else takes memory while it counts.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::udp::{UdpCondition, UdpQuery};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{CountingAllocator, isolated};
use std::collections::BTreeMap;
use std::net::UdpSocket;

iphelper_testkit::private_user_namespace!();

#[global_allocator]
static MEMORY: CountingAllocator = CountingAllocator::new();

#[test]
fn rows_come_in_the_memory_of_one_buffer() {
    isolated(|| {
        let host = Host::open().unwrap();
        let mut sockets: Vec<_> = (0..4000).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        sockets.push(UdpSocket::bind("[::1]:0").unwrap());
        // Of ports that the program asked for, too, which are another dump.
        sockets.push(UdpSocket::bind("127.0.0.2:700").unwrap());
        let all = sockets.len();
        let query = UdpQuery::default();

        let (growth, count) =
            MEMORY.growth(|| host.udp_endpoints_iter(&query).unwrap().map(Result::unwrap).count());
        assert_eq!(count, all);
        assert!(growth < 192 * 1024, "{growth} bytes for rows that come one at a time");
        let (growth, table) = MEMORY.growth(|| host.udp_endpoints(&query).unwrap());
        assert_eq!(table.len(), all);
        assert!(growth > 512 * 1024, "{growth} bytes for the whole table: is the allocator counting?");

        // The same rows as the whole table has, in whatever order.
        let rows = host.udp_endpoints_iter(&query).unwrap().map(Result::unwrap);
        let by_cookie: BTreeMap<_, _> = rows.map(|row| (row.cookie, row)).collect();
        assert!(table.iter().all(|row| by_cookie.get(&row.cookie) == Some(row)));
        assert_eq!(table.iter().filter(|row| row.specific_port_bind == Some(true)).count(), 1);

        // Without the second dump: the same sockets.
        let either = UdpQuery { specific_port_binds: false, ..UdpQuery::default() };
        let rows = host.udp_endpoints_iter(&either).unwrap().map(Result::unwrap);
        let by_cookie_too: BTreeMap<_, _> = rows.map(|row| (row.cookie, row.specific_port_bind)).collect();
        assert!(by_cookie_too.keys().eq(by_cookie.keys()));
        assert!(by_cookie_too.values().all(Option::is_none));

        // Left half-way, with rows under way: the next call gets its own rows.
        for taken in [0, 1, 300, 3000] {
            let mut left = host.udp_endpoints_iter(&query).unwrap();
            assert_eq!(left.by_ref().take(taken).map(Result::unwrap).count(), taken);
            drop(left);
            assert_eq!(host.udp_endpoints_iter(&query).unwrap().count(), all);
        }
        let owned = UdpQuery { owners: true, ..UdpQuery::default() };
        let mut rows = host.udp_endpoints_iter(&owned).unwrap().map(Result::unwrap);
        assert!(rows.all(|row| row.owner.is_some_and(|owner| owner.pid == std::process::id())));
        let ordered = UdpQuery { ordered: true, ..UdpQuery::default() };
        assert_eq!(host.udp_endpoints_iter(&ordered).unwrap_err().kind(), ErrorKind::InvalidParameter);
        let states = UdpQuery { filter: vec![UdpCondition::State(Vec::new())].into(), ..UdpQuery::default() };
        assert_eq!(host.udp_endpoints_iter(&states).unwrap_err().kind(), ErrorKind::InvalidParameter);
    });
}
