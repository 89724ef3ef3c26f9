//! How fast an interface metric is changed where many routes lead over the interface, beside `ip -batch` that adds and
//! deletes the same routes.
//!
//! ```text
//! cargo bench -p iphelper --bench metric                      100,000 routes of each family, 3 rounds
//! cargo bench -p iphelper --bench metric -- --smoke           a small run that shows that everything works
//! cargo bench -p iphelper --bench metric -- --routes 300000   another size
//! ```
//!
//! Everything happens in a private network namespace. Each round takes every measurement once; the medians and their
//! ratios are printed, and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::ip_interface::IpInterfaceChange;
    use iphelper::{Family, Host};
    use iphelper_testkit::bench::{Times, ip_batch, value_or};
    use iphelper_testkit::{NetNs, run};
    use std::fmt::Write as _;

    iphelper_testkit::private_user_namespace!();

    const OLD: u32 = 100;
    const OFFSET: u32 = 50;
    const BATCH: &str = "ip -batch";
    const OURS: &str = "SetIpInterfaceEntry";

    pub(super) fn main() {
        let routes = u32::try_from(value_or("--routes", 1_000, 100_000)).expect("a number of routes");
        let rounds = value_or("--rounds", 1, 3);
        println!("{routes} routes, medians of {rounds} rounds");
        for family in Family::ALL {
            NetNs::new().run(|| measure(family, routes, rounds));
        }
    }

    fn measure(family: Family, routes: u32, rounds: usize) {
        for command in [
            "ip link add e0 type veth peer name p0",
            "ip link set p0 up",
            "ip link set e0 up",
            "ip addr add 10.0.0.1/24 dev e0",
            "ip addr add fd00::1/64 dev e0 nodad",
        ] {
            let _ = run(command);
        }
        let route = |number: u32, metric: u32| match family {
            Family::V4 => {
                let [_, a, b, c] = number.to_be_bytes();
                format!("{}.{b}.{c}.0/24 via 10.0.0.2 dev e0 metric {metric}", 20 + a)
            }
            Family::V6 => format!(
                "2001:db8:{:x}:{:x}::/64 via fd00::2 dev e0 metric {metric}",
                number >> 16,
                number & 0xffff
            ),
        };
        let script = |commands: &[(&str, u32)]| {
            let mut text = String::new();
            for (command, metric) in commands {
                for number in 0..routes {
                    let _ = writeln!(text, "route {command} {}", route(number, *metric));
                }
            }
            text
        };
        ip_batch(&script(&[("add", OLD)]));
        let (to, back) =
            (script(&[("add", OLD + OFFSET), ("del", OLD)]), script(&[("add", OLD), ("del", OLD + OFFSET)]));
        let host = Host::open().expect("opening the namespace");
        let index = host.interface_named("e0").expect("finding the interface").index;
        let set = |metric: Option<u32>| {
            let change = IpInterfaceChange {
                use_automatic_metric: Some(metric.is_none()),
                metric,
                ..IpInterfaceChange::default()
            };
            let _ = host.set_ip_interface(family, index, &change).expect("changing the metric");
        };
        let mut times = Times::default();
        for _ in 0..rounds {
            times.take(BATCH, || ip_batch(&to));
            times.take(BATCH, || ip_batch(&back));
            times.take(OURS, || set(Some(OFFSET)));
            times.take(OURS, || set(None));
        }
        println!("{family}");
        times.print(BATCH);
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
