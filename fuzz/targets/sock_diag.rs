//! Rows of sockets.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::message::Messages;
use iphelper_netlink::sock_diag::BY_FAMILY;
use iphelper_netlink::sock_diag::destroy::DestroyBatch;
use iphelper_netlink::sock_diag::inet::{Protocol, SocketRow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let Ok(row) = SocketRow::parse(&message(BY_FAMILY, payload)) else { return };
    let _ = (row.state(), row.expires(), row.user_id(), row.inode(), row.v6_only(), row.is_multipath());
    assert_eq!(row.local_address().is_ipv4(), row.remote_address().is_ipv4());
    let _ = (row.memory(), row.congestion(), row.bbr());
    let info = row.tcp_info().ok().flatten();
    let _ = info.map(|info| (info.window_scales(), info.delivery_rate_app_limited(), info.received_ce()));
    let id = row.id();
    let _ = id.request(Protocol::Tcp, 0);
    let mut batch = DestroyBatch::new();
    batch.push(&id, Protocol::Tcp, 1);
    batch.push(&id, Protocol::Udp, 2);
    assert_eq!(Messages::new(batch.finish()).flatten().count(), 2);
});
