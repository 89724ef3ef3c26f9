//! What connections have measured, by interface, beside what `ss` tells of them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::bandwidth::{delivery_rate, measured};
use iphelper_testkit::{NetNs, eventually};

#[test]
fn the_best_measurement_of_the_connections_over_an_interface() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    for (family, network) in [(Family::V4, "192.0.2"), (Family::V6, "2001:db8:")] {
        let (mine, peer) = (format!("{network}{}1", dot(family)), format!("{network}{}2", dot(family)));
        let (length, flag) = if family == Family::V4 { (24, "") } else { (64, " nodad") };
        let _ = here.sh(&format!("ip address add {mine}/{length} dev e0{flag}"));
        let _ = there.sh(&format!("ip address add {peer}/{length} dev e1{flag}"));
        here.run(|| {
            let host = Host::open().unwrap();
            let index = host.interface_named("e0").unwrap().index;
            assert_eq!(
                host.bandwidth_estimates(family, index).unwrap().outbound,
                None,
                "nobody has measured"
            );
            let sockets = measured(&here, &there, &peer);
            eventually("what is told is what the connections have", || {
                let best = sockets.iter().filter_map(|(client, _)| delivery_rate(client)).max();
                // `ss` counts bits each second, too.
                host.bandwidth_estimates(family, index).unwrap().outbound == best
            });
            let lo = host.bandwidth_estimates(family, InterfaceIndex(1)).unwrap();
            assert_eq!((lo.outbound, lo.inbound), (None, None), "nothing went there");
            let error = host.bandwidth_estimates(family, InterfaceIndex(4711)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{error}");
        });
    }
}

#[test]
fn what_stays_within_the_host_is_loopbacks() {
    let here = NetNs::new();
    let other = NetNs::new();
    here.veth("e0", &other, "e1");
    let _ = here.sh("ip address add 192.0.2.1/24 dev e0");
    here.run(|| {
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        // To its own address: by loopback, whose address it is not.
        let sockets = measured(&here, &here, "192.0.2.1");
        eventually("loopback has it", || {
            let best = sockets.iter().filter_map(|(client, _)| delivery_rate(client)).max();
            host.bandwidth_estimates(Family::V4, InterfaceIndex(1)).unwrap().outbound == best
        });
        assert_eq!(host.bandwidth_estimates(Family::V4, index).unwrap().outbound, None);
    });
}

fn dot(family: Family) -> &'static str {
    if family == Family::V4 { "." } else { ":" }
}
