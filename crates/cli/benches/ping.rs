//! The round-trip times that `iph ping` tells, beside those of `ping` (iputils).
//!
//! ```text
//! cargo bench -p iph --bench ping                 500 requests, 5 rounds: half a minute
//! cargo bench -p iph --bench ping -- --smoke      a small run that shows that everything works
//! ```
//!
//! Over loopback in a private network namespace. Each round runs both programs one after the other with the same data and
//! interval, so that both see the same machine. Medians of all times are printed, and nothing is asserted about them.

use iphelper_testkit::bench::{is_smoke, median};
use iphelper_testkit::{isolated, run};

iphelper_testkit::private_user_namespace!();

fn main() {
    let (requests, rounds) = if is_smoke() { (20, 1) } else { (500, 5) };
    println!("{requests} requests of 56 octets every 2 ms, {rounds} rounds, over loopback");
    isolated(|| {
        for (address, kind) in [("127.0.0.1", "-4"), ("::1", "-6")] {
            let [mut ours, mut theirs] = [const { Vec::new() }; 2];
            for _ in 0..rounds {
                let iph = env!("CARGO_BIN_EXE_iph");
                let text = run(&format!("{iph} ping {address} -c {requests} -i 2ms -s 56 --json"));
                ours.extend(numbers(&text, "\"round_trip_microseconds\":", ",").map(|time| time / 1e3));
                let text = run(&format!("ping {kind} -n -c {requests} -i 0.002 -s 56 {address}"));
                theirs.extend(numbers(&text, "time=", " ms"));
            }
            assert!(!ours.is_empty() && !theirs.is_empty(), "no times were told");
            let [ours, theirs] = [median(ours), median(theirs)].map(|time| time * 1e3);
            println!(
                "{address:9}  iph ping {ours:6.1} us   ping {theirs:6.1} us   {:+6.1} us",
                ours - theirs
            );
        }
    });
}

/// The numbers between `before` and `after`.
fn numbers<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = f64> + 'a {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next()?.parse().ok())
}
