//! More changes than anybody can take in: nothing of the final state is lost.

use crate::support::{ADD, DELETE, Routes, next_within};
use iphelper::notification::{ChangeKind, Classes, Event, Subject, Watch, WatchOptions};
use iphelper::{Family, Host};
use iphelper_testkit::{isolated, run};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const ADDRESSES: u32 = 20_000;
const ROUNDS: u32 = 25;

fn apply(table: &mut BTreeSet<IpAddr>, event: &Event) {
    let Subject::Route(route) = &event.subject else { panic!("{event:?}") };
    if route.destination.len() != 32 {
        return;
    }
    let address = route.destination.address();
    let is_sound = match event.kind {
        ChangeKind::Add => table.insert(address),
        ChangeKind::Delete => table.remove(&address),
        ChangeKind::Parameter => table.contains(&address),
    };
    assert!(is_sound, "{event:?}");
}

/// What another program lists.
fn listed() -> BTreeSet<IpAddr> {
    let routes: serde_json::Value = serde_json::from_str(&run("ip -4 -json route show table main")).unwrap();
    let routes = routes.as_array().unwrap().iter();
    routes.filter_map(|route| route["dst"].as_str()?.parse().ok()).collect()
}

/// Takes what is there, until the sum of all is `expected`.
fn take_until(
    watch: &mut Watch,
    table: &mut BTreeSet<IpAddr>,
    expected: &BTreeSet<IpAddr>,
) -> (usize, usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut all, mut resynchronised) = (0, 0);
    while table != expected {
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(event) = next_within(watch, left) else {
            let differing: Vec<_> = table.symmetric_difference(expected).take(5).collect();
            panic!("{} watched, {} listed, such as {differing:?}", table.len(), expected.len());
        };
        all += 1;
        resynchronised += usize::from(event.resynchronised);
        apply(table, &event);
    }
    (all, resynchronised)
}

/// How long this process's reader threads have run, in clock ticks.
fn reader_ticks() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let ticks = |stat: String| {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
    };
    tasks
        .filter_map(|task| {
            let path = task.ok()?.path();
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            (name.trim() == "iphelper-reader").then_some(())?;
            ticks(std::fs::read_to_string(path.join("stat")).ok()?)
        })
        .sum()
}

#[test]
fn a_million_changes_end_at_the_kernels_table() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let host = Host::open().unwrap();
        let options = WatchOptions::new(Classes::ROUTES).family(Some(Family::V4));
        let mut present = host.watch(options).unwrap();
        // One that takes nothing while all this happens, as one that stands still for long.
        let mut absent = host.watch(options).unwrap();
        let mut table = BTreeSet::new();
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| {
                let mut routes = Routes::over("e0");
                for _ in 0..ROUNDS {
                    for change in [ADD, DELETE] {
                        (0..ADDRESSES).for_each(|number| routes.change(change, number));
                    }
                }
                (0..ADDRESSES).step_by(3).for_each(|number| routes.change(ADD, number));
                routes.flush();
            });
            while !changing.is_finished() {
                if let Some(event) = next_within(&mut present, Duration::from_millis(10)) {
                    apply(&mut table, &event);
                }
            }
            changing.join().unwrap();
        });
        let expected = listed();
        assert_eq!(expected.len(), ADDRESSES.div_ceil(3) as usize);
        let _ = take_until(&mut present, &mut table, &expected);
        assert_eq!(table, expected);

        let mut table = BTreeSet::new();
        let (all, resynchronised) = take_until(&mut absent, &mut table, &expected);
        assert!(resynchronised > 0, "nothing was lost or folded, so this test has tested nothing");
        assert!(all <= 2 * ADDRESSES as usize, "{all} events waited for {ADDRESSES} routes");
        assert_eq!(next_within(&mut absent, Duration::from_millis(200)), None, "nothing follows");

        // Now that all is told, nobody works.
        let before = reader_ticks();
        std::thread::sleep(Duration::from_millis(500));
        let ticks = reader_ticks() - before;
        assert!(ticks <= 20, "the reader was busy for {ticks} of 50 ticks with nothing to do");

        // And single changes are told one by one again.
        let _ = run("ip route add 192.0.2.7 dev e0");
        let event = next_within(&mut absent, Duration::from_secs(20)).unwrap();
        assert!(event.kind == ChangeKind::Add && !event.resynchronised, "{event:?}");
    });
}
