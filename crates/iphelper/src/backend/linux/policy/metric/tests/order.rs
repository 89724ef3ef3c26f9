//! The places of IPv4 routes among others of their metric.

use super::*;

/// The routes to `destination`, by what they leave by, in the kernel's order.
fn order(destination: &str) -> Vec<String> {
    let way = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |name| words.iter().position(|word| *word == name).and_then(|it| words.get(it + 1));
        let metric = after("metric").unwrap_or(&"0");
        format!("{} {metric}", after("via").or(after("dev")).unwrap())
    };
    to(destination, "").iter().map(way).collect()
}

/// Routes of one metric over two and three interfaces, those of e0 in each place among them.
fn crowded() {
    for interface in ["e0", "e1", "e2"] {
        ip_batch(&format!(
            "link add {interface} type veth peer name p{interface}
             link set p{interface} up
             link set {interface} up
            "
        ));
    }
    ip_batch(
        "addr add 10.0.0.1/24 dev e0
         addr add 10.9.0.1/24 dev e1
         addr add 10.10.0.1/24 dev e2
         addr add 10.20.0.1/24 dev e0
         addr add 10.20.0.2/24 dev e1
         addr add 10.21.0.2/24 dev e1
         addr add 10.21.0.1/24 dev e0
         addr add 10.22.0.2/24 dev e1
         addr add 10.22.0.1/24 dev e0
         addr add 10.22.0.3/24 dev e2
         route append 172.16.1.0/24 via 10.0.0.2 metric 100
         route append 172.16.1.0/24 via 10.9.0.2 metric 100
         route append 172.16.2.0/24 via 10.9.0.2 metric 100
         route append 172.16.2.0/24 via 10.0.0.2 metric 100
         route append 172.16.3.0/24 via 10.9.0.2 metric 100 mtu 1300 proto 42
         route append 172.16.3.0/24 via 10.0.0.2 metric 100
         route append 172.16.3.0/24 via 10.10.0.2 metric 100 src 10.10.0.1
         route append 172.16.3.0/24 via 10.9.0.3 metric 100
         route append 172.16.4.0/24 via 10.0.0.2 metric 100
         route append 172.16.4.0/24 via 10.0.0.3 metric 100
         route append 172.16.4.0/24 via 10.9.0.2 metric 100
         route append 172.16.4.0/24 via 10.0.0.4 metric 100
         route append 172.16.4.0/24 metric 100 nexthop via 10.9.0.2 nexthop via 10.10.0.2
         nexthop add id 21 via 10.9.0.5 dev e1
         route append 172.16.5.0/24 via 10.0.0.2 metric 100 table 77
         route append 172.16.5.0/24 nhid 21 metric 100 table 77
         route append 172.16.6.0/24 via 10.9.0.2 metric 150
         route append 172.16.6.0/24 via 10.0.0.2 metric 100
         route append 172.16.6.0/24 via 10.9.0.3 metric 100
        ",
    );
}

/// All IPv4 routes in the kernel's order, but for ours.
fn ipv4_routes() -> Vec<String> {
    let mut routes: Vec<String> = run("ip -4 route show table all").lines().map(str::to_owned).collect();
    routes.retain(|route| !route.contains("proto 105"));
    routes
}

#[test]
fn routes_of_one_metric_return_to_their_places_among_others() {
    isolated(|| {
        crowded();
        let before = ipv4_routes();
        // Another one by way of which packets would go if a route were put behind others.
        assert_eq!(order("172.16.3.0/24"), ["10.9.0.2 100", "10.0.0.2 100", "10.10.0.2 100", "10.9.0.3 100"]);
        assert_eq!(order("10.22.0.0/24"), ["e1 0", "e0 0", "e2 0"]);
        for metrics in [vec![Some(50), None], vec![Some(50), Some(20), Some(50), None]] {
            for metric in metrics {
                let _ = set(Family::V4, metric).unwrap();
            }
            assert_eq!(difference(&ipv4_routes(), &before), [""; 0]);
            assert_eq!(ipv4_routes(), before);
            assert!(!run("ip route show table all").contains("proto 105"), "nothing of ours is left");
        }
    });
}

fn set_of(interface: &str, metric: Option<u32>) {
    let host = LinuxHost::open().unwrap();
    let link = host.link_named(interface, "testing").unwrap();
    let _ = host.set_interface_metric(Family::V4, &link, metric).unwrap();
}

#[test]
fn several_interfaces_return_in_any_order_to_the_places_that_their_routes_had() {
    let all = ["e0", "e1", "e2"];
    for there in [["e0", "e1", "e2"], ["e1", "e0", "e2"], ["e2", "e1", "e0"]] {
        for back in [["e0", "e1", "e2"], ["e1", "e2", "e0"], ["e2", "e1", "e0"]] {
            isolated(|| {
                crowded();
                let before = ipv4_routes();
                for (interface, metric) in there.into_iter().zip([10, 20, 30]) {
                    set_of(interface, Some(metric));
                }
                for interface in back {
                    set_of(interface, None);
                }
                assert_eq!(difference(&ipv4_routes(), &before), [""; 0], "{there:?} {back:?}");
                for destination in ["172.16.1.0/24", "172.16.2.0/24", "10.20.0.0/24", "10.21.0.0/24"] {
                    let was: Vec<_> = before.iter().filter(|it| it.starts_with(destination)).collect();
                    let is = ipv4_routes();
                    let is: Vec<_> = is.iter().filter(|it| it.starts_with(destination)).collect();
                    assert_eq!(is, was, "{there:?} {back:?} {all:?}");
                }
                assert!(!run("ip route show table all").contains("proto 105"), "nothing of ours is left");
            });
        }
    }
}

#[test]
fn what_others_change_meanwhile_stays_and_is_led_around() {
    isolated(|| {
        crowded();
        let _ = set(Family::V4, Some(50)).unwrap();
        ip_batch(
            "route del 172.16.3.0/24 via 10.10.0.2 metric 100
             route prepend 172.16.3.0/24 via 10.9.0.9 metric 100
             route append 172.16.3.0/24 via 10.9.0.8 metric 100
             route del 172.16.1.0/24 via 10.9.0.2
             route append 172.16.2.0/24 via 10.9.0.7 metric 100",
        );
        let _ = set(Family::V4, None).unwrap();
        let expected = ["10.9.0.9 100", "10.9.0.2 100", "10.0.0.2 100", "10.9.0.3 100", "10.9.0.8 100"];
        assert_eq!(order("172.16.3.0/24"), expected);
        assert_eq!(order("172.16.1.0/24"), ["10.0.0.2 100"]);
        assert_eq!(order("172.16.2.0/24"), ["10.9.0.2 100", "10.0.0.2 100", "10.9.0.7 100"]);
    });
}

#[test]
fn a_killed_return_is_completed_in_order() {
    let last = std::cell::Cell::new(0);
    for messages in 0.. {
        let died = isolated(|| {
            crowded();
            let before = ipv4_routes();
            manual(Family::V4);
            let (result, died) = killed::after_messages(messages, || set(Family::V4, None));
            assert!(result.is_ok() || died);
            for destination in ["172.16.3.0/24", "10.22.0.0/24"] {
                assert!(order(destination).len() >= 3, "{messages}: {:?}", order(destination));
            }
            let _ = set(Family::V4, None).unwrap();
            assert_eq!(difference(&ipv4_routes(), &before), [""; 0], "{messages}");
            assert!(
                ipv4_routes() == before,
                "killed before message {messages}: {:?}",
                order("172.16.4.0/24")
            );
            assert!(!run("ip route show table all").contains("proto 105"), "nothing of ours is left");
            died
        });
        if !died {
            last.set(messages);
            break;
        }
    }
    assert!(last.get() > 30, "{} messages", last.get());
}

#[test]
fn thousands_of_routes_return_to_their_places() {
    isolated(|| {
        crowded();
        let mut batch = String::new();
        for number in 0..4000 {
            let (high, low) = (number / 256, number % 256);
            // Each second one first over e0.
            let ways = ["10.0.0.2", "10.9.0.2"];
            for way in [ways[number % 2], ways[1 - number % 2]] {
                batch += &format!("route append 172.20.{high}.{low} via {way} metric 100\n");
            }
        }
        ip_batch(&batch);
        let before = ipv4_routes();
        let _ = set(Family::V4, Some(50)).unwrap();
        let begun = std::time::Instant::now();
        let _ = set(Family::V4, None).unwrap();
        eprintln!("4,000 routes among others returned in {:?}", begun.elapsed());
        assert!(ipv4_routes() == before);
        assert!(!run("ip route show table all").contains("proto 105"), "nothing of ours is left");
    });
}
