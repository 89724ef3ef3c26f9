//! The TCP table row by row: memory of one buffer, whatever the table's size.
//!
//! One test alone, so that nothing else takes memory while it counts.

mod tcp_support;

use iphelper::Host;
use iphelper::tcp::TcpQuery;
use iphelper_testkit::{CountingAllocator, isolated};
use std::net::{TcpListener, TcpStream};
use tcp_support::rows;

iphelper_testkit::private_user_namespace!();

#[global_allocator]
static MEMORY: CountingAllocator = CountingAllocator::new();

#[test]
fn rows_come_in_the_memory_of_one_buffer() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let pairs: Vec<_> = (0..4000)
            .map(|_| {
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                (client, listener.accept().unwrap().0)
            })
            .collect();
        let all = 2 * pairs.len() + 1;
        let query = TcpQuery::default();

        let (growth, count) =
            MEMORY.growth(|| host.tcp_connections_iter(&query).unwrap().map(Result::unwrap).count());
        assert_eq!(count, all);
        // The rows of a datagram of 32 KiB, and which sockets they are of.
        assert!(growth < 192 * 1024, "{growth} bytes for rows that come one at a time");
        let (growth, table) = MEMORY.growth(|| rows(&host));
        assert_eq!(table.len(), all);
        assert!(growth > 1024 * 1024, "{growth} bytes for the whole table: is the allocator counting?");

        // Left half-way, with rows under way: the next call gets its own rows, and so does one meanwhile.
        for taken in [0, 1, 300, 5000] {
            let mut left = host.tcp_connections_iter(&query).unwrap();
            assert_eq!(left.by_ref().take(taken).map(Result::unwrap).count(), taken);
            assert_eq!(rows(&host).len(), all, "while another is half read");
            drop(left);
            assert_eq!(rows(&host).len(), all);
            assert_eq!(host.tcp_connections_iter(&query).unwrap().count(), all);
        }
        let (growth, _) = MEMORY.growth(|| {
            for _ in 0..50 {
                drop(host.tcp_connections_iter(&query).unwrap().next());
            }
        });
        assert!(growth < 512 * 1024, "sockets are left over: {growth} bytes");
    });
}
