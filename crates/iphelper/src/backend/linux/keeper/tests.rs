//! What the keeper's loop does with announcements that come while it works.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::LinuxHost;
use super::super::policy::Follower;
use super::watch::Watch;
use crate::ip_interface::IpInterfaceChange;
use crate::{Family, Host};
use iphelper_testkit::{isolated, run};

iphelper_testkit::private_user_namespace!();

/// A route that comes while everything is read is moved with the others. Its announcement, which is heard later, is no
/// reason to move it again, and then to take it for one that its owner has deleted.
#[test]
fn a_route_that_comes_during_the_first_pass_stays() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = run("ip address add 10.0.0.1/24 dev e0");
        let outside = Host::open().unwrap();
        let index = outside.interface_named("e0").unwrap().index;
        let metric =
            IpInterfaceChange { use_automatic_metric: Some(false), metric: Some(50), ..Default::default() };
        let _ = outside.set_ip_interface(Family::V4, index, &metric).unwrap();

        let host = LinuxHost::open().unwrap();
        let mut watch = Watch::open(&host).unwrap();
        let mut follower = Follower::default();
        let mut hears = 0;
        follower
            .keep(&host, &mut |follower| {
                let _news = watch.news(&host, follower, false)?;
                hears += 1;
                if hears == 2 {
                    // All is read now, the route too, and its announcement waits.
                    let _ = run("ip route add 192.0.2.0/24 via 10.0.0.2 metric 5");
                }
                Ok(())
            })
            .unwrap();
        assert!(hears > 2, "it was heard of before it was moved: {hears}");
        let shown = || run("ip route show 192.0.2.0/24");
        assert!(shown().contains("metric 55"), "{}", shown());
        let mut go_on = || {
            let _news = watch.news(&host, &mut follower, false).unwrap();
            follower.keep(&host, &mut |follower| watch.news(&host, follower, false).map(drop)).unwrap();
        };
        for _ in 0..3 {
            go_on();
            assert!(shown().contains("metric 55"), "{}", shown());
        }
        // Added again, and taken away before the keeper comes to it: then it is gone.
        let _ = run("ip route add 192.0.2.0/24 via 10.0.0.2 metric 5");
        let _ = run("ip route del 192.0.2.0/24 via 10.0.0.2 metric 5");
        go_on();
        assert_eq!(shown(), "");
    });
}
