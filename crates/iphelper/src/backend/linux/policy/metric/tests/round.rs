//! Ways round routes that stand where others are to go.

use super::*;

/// Routes to one prefix of which each goes where the next one is, some of them alike but for the metric.
fn in_each_others_places() {
    ip_batch(
        "link add e0 address 02:00:00:00:00:01 type veth peer name p0
         link add e1 address 02:00:00:00:00:02 type veth peer name p1
         link set e0 addrgenmode none
         link set e1 addrgenmode none
         link set p0 addrgenmode none
         link set p1 addrgenmode none
         link set p0 up
         link set p1 up
         link set e0 up
         link set e1 up
         addr add 10.0.0.1/24 dev e0
         addr add 10.9.0.1/24 dev e1
         addr add fd00::1/64 dev e0 nodad
         addr add fd00:9::1/64 dev e1 nodad
         route add 172.16.9.0/24 via 10.0.0.2 metric 100
         route add 172.16.9.0/24 via 10.0.0.3 metric 150
         route append 172.16.9.0/24 via 10.0.0.2 metric 150
         route add 172.16.9.0/24 via 10.0.0.2 metric 200
         route add 172.16.9.0/24 via 10.9.0.2 metric 250
         route add 2001:db8:a::/48 via fd00::2 dev e0 metric 100
         route add 2001:db8:a::/48 via fd00::3 dev e0 metric 150
         route add 2001:db8:a::/48 via fd00::2 dev e0 metric 200
         route add 2001:db8:a::/48 via fd00:9::2 dev e1 metric 251
        ",
    );
    // Those of two addresses, and multicast on four interfaces.
    let ready = || run("ip -6 route show table local").lines().count() >= 6;
    eventually("the kernel adds its own IPv6 routes", ready);
}

/// Whatever completes what was begun: any other call that changes something, or a keeper.
fn complete(family: Family, as_keeper: bool) {
    let host = LinuxHost::open().unwrap();
    if as_keeper {
        let link = host.link_named("e0", "testing").unwrap();
        if let Some((mut followed, unmoved)) = host.follow_metric(family, &link).unwrap() {
            let moves = followed.move_routes(&mut host.route.take().unwrap(), unmoved).unwrap();
            assert_eq!(moves.left, [""; 0]);
        }
    } else {
        host.reconcile_policy().unwrap();
    }
}

#[test]
fn a_way_round_that_a_killed_caller_began_is_completed_by_any_call_or_keeper() {
    let other = |family| if family == Family::V4 { Family::V6 } else { Family::V4 };
    std::thread::scope(|scope| {
        for (family, metrics, as_keeper) in [
            (Family::V4, [None, Some(50)], false),
            (Family::V4, [Some(50), None], true),
            (Family::V6, [None, Some(50)], true),
            (Family::V6, [Some(50), None], false),
        ] {
            let _ = scope.spawn(move || {
                let prepare = || {
                    in_each_others_places();
                    let _ = set(family, metrics[0]).unwrap();
                };
                let expected = isolated(|| {
                    prepare();
                    let _ = set(family, metrics[1]).unwrap();
                    comparable()
                });
                for messages in 0.. {
                    let died = isolated(|| {
                        prepare();
                        let (before, ways_before) = (comparable(), ways());
                        let (_, died) = killed::after_messages(messages, || set(family, metrics[1]));
                        assert_eq!(difference(&ways(), &ways_before), [""; 0], "{messages}");
                        assert!(metrics.contains(&get(family)), "{messages}: {:?}", get(family));
                        complete(family, as_keeper);
                        let is = comparable();
                        // Before it was written down where it leads, nothing was begun.
                        let odd = difference(&is, &expected);
                        let begun = odd.is_empty() || difference(&is, &before).is_empty();
                        assert!(begun, "killed before message {messages}: {odd:#?}");
                        assert!(odd.is_empty() || messages < 5, "{messages}: it does not come to its end");
                        assert_eq!(get(other(family)), None);
                        let _ = set(family, None).unwrap();
                        let _ = set(family, metrics[1]).unwrap();
                        assert_eq!(difference(&comparable(), &expected), [""; 0], "{messages}");
                        let _ = set(family, None).unwrap();
                        assert!(!run("ip route show table all").contains("proto 105"), "{messages}");
                        died
                    });
                    if !died {
                        assert!(messages > 20, "{messages} messages");
                        return;
                    }
                }
            });
        }
    });
}

#[test]
fn a_way_round_that_cannot_be_ended_leads_back() {
    isolated(|| {
        in_each_others_places();
        // Another interface's route where one of e0's is to go.
        ip_batch("route add 2001:db8:a::/48 via fd00:9::2 dev e1 metric 250");
        let before = routes();
        let error = set(Family::V6, Some(50)).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::AlreadyExists, "{error}");
        assert_eq!((difference(&routes(), &before), get(Family::V6)), (vec![], None));
        assert!(!run("ip route show table all").contains("proto 105"), "nothing of ours is left");
    });
}
