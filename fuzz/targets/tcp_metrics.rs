//! What TCP remembers of other hosts.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::genetlink::tcp_metrics::TcpMetrics;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let _ = TcpMetrics::parse(&message(27, payload));
});
