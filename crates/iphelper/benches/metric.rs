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
    use iphelper_testkit::{NetNs, run};
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    const OLD: u32 = 100;
    const OFFSET: u32 = 50;

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let position = arguments.iter().position(|argument| argument == name)?;
            arguments.get(position + 1)?.parse::<u32>().ok()
        };
        let smoke = arguments.iter().any(|argument| argument == "--smoke");
        let routes = value("--routes").unwrap_or(if smoke { 1_000 } else { 100_000 });
        let rounds = value("--rounds").unwrap_or(if smoke { 1 } else { 3 });
        println!("{routes} routes, medians of {rounds} rounds");
        for family in Family::ALL {
            NetNs::new().run(|| measure(family, routes, rounds));
        }
    }

    fn measure(family: Family, routes: u32, rounds: u32) {
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
        let (mut by_ip, mut by_us) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            by_ip.push(time(|| ip_batch(&to)));
            by_ip.push(time(|| ip_batch(&back)));
            by_us.push(time(|| set(Some(OFFSET))));
            by_us.push(time(|| set(None)));
        }
        let (by_ip, by_us) = (median(by_ip), median(by_us));
        println!(
            "{family}: ip -batch {by_ip:.1?}, SetIpInterfaceEntry {by_us:.1?}, ratio {:.2}",
            by_us.as_secs_f64() / by_ip.as_secs_f64()
        );
    }

    fn ip_batch(script: &str) {
        let mut ip =
            Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("starting ip");
        ip.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("writing to ip");
        assert!(ip.wait().expect("waiting for ip").success(), "ip -batch has failed");
    }

    fn time(work: impl FnOnce()) -> Duration {
        let start = Instant::now();
        work();
        start.elapsed()
    }

    fn median(mut times: Vec<Duration>) -> Duration {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
