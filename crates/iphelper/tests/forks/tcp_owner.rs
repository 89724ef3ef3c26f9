//! Owners of sockets, looked for by who is short of descriptors.

use iphelper::tcp::TcpQuery;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{forked, isolated, with_spare_descriptors};
use std::net::TcpListener;

#[test]
fn who_lacks_descriptors_is_told_so_and_not_that_nobody_holds_a_socket() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let query = TcpQuery { owners: true, ..TcpQuery::default() };
        let row = host.tcp_connections(&query).unwrap().remove(0);
        assert_eq!(row.local, listener.local_addr().unwrap());
        assert!(forked(|| {
            let mut lacked = 0;
            for spare in 0..12 {
                let (table, stream, module) = with_spare_descriptors(spare, || {
                    let stream = host.tcp_connections_iter(&query).and_then(Iterator::collect);
                    (host.tcp_connections(&query), stream, host.tcp_owner_module(&row))
                });
                for rows in [table, stream] {
                    match rows {
                        Ok(rows) => assert!(rows[0].owner.is_some(), "{spare}: {rows:?}"),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::ResourceLimit, "{spare}: {error}");
                            lacked = spare;
                        }
                    }
                }
                assert!(
                    module.as_ref().is_err_and(|error| error.kind() == ErrorKind::ResourceLimit)
                        || module.as_ref().is_ok_and(|module| module.path.is_some()),
                    "{spare}: {module:?}"
                );
            }
            // A directory and a folder in it, for one process after the other.
            (2..11).contains(&lacked)
        }));
    });
}
