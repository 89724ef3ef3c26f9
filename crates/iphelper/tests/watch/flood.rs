//! More changes than anybody can take in: nothing of the final state is lost.

use crate::support::{ADD, DELETE, Routes, SOON, next_within};
use iphelper::notification::{ChangeKind, Classes, Event, Notification, Subject, Watch, WatchOptions};
use iphelper::{Family, Host};
use iphelper_testkit::{isolated, run, threads};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const ADDRESSES: u32 = 20_000;
const ROUNDS: u32 = 25;
/// So much work may take a busy host longer than anything else.
const LONG: Duration = Duration::from_secs(300);

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
    let deadline = Instant::now() + LONG;
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

/// How long this namespace's reader has run, in clock ticks.
fn reader_ticks() -> u64 {
    let ticks = |stat: String| {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
    };
    let [reader] = &threads("iphelper-reader")[..] else { panic!("one reader for all of a namespace") };
    ticks(std::fs::read_to_string(reader.join("stat")).unwrap()).unwrap()
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
        let event = next_within(&mut absent, SOON).unwrap();
        assert!(event.kind == ChangeKind::Add && !event.resynchronised, "{event:?}");
    });
}

/// How many announcements of IPv4 routes the kernel could not queue for the listeners of this namespace.
fn overruns() -> u64 {
    const IPV4_ROUTES: u32 = 1 << 6;
    let sockets = std::fs::read_to_string("/proc/thread-self/net/netlink").unwrap();
    let dropped = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = u32::from_str_radix(fields[3], 16).unwrap() & IPV4_ROUTES != 0;
        (fields[1] == "0" && listens).then(|| fields[8].parse::<u64>().unwrap())
    };
    sockets.lines().skip(1).filter_map(dropped).sum()
}

/// What a callback has been told, and whether it may go on.
#[derive(Default)]
struct Stopped {
    state: Mutex<(bool, BTreeSet<IpAddr>, usize)>,
    released: Condvar,
}

#[test]
fn a_consumer_that_stops_until_the_kernel_had_to_drop_ends_at_the_kernels_table() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let host = Host::open().unwrap();
        let options = WatchOptions::new(Classes::ROUTES).family(Some(Family::V4)).requesters(false);
        let mut watch = host.watch(options).unwrap();
        // A callback that does not return until all is over.
        let stopped = Arc::new(Stopped::default());
        let callback = {
            let stopped = Arc::clone(&stopped);
            move |notification| {
                let Notification::Event(event) = notification else { return };
                let state = stopped.state.lock().unwrap();
                let mut state = stopped.released.wait_while(state, |state| !state.0).unwrap();
                apply(&mut state.1, &event);
                state.2 += usize::from(event.resynchronised);
            }
        };
        let registration = host.notify(options, false, callback).unwrap();

        // Neither takes anything from here on. The kernel's queue is of the default size; by its own count it overruns.
        assert_eq!(overruns(), 0);
        let mut routes = Routes::over("e0");
        let part = |round: u32| (0..ADDRESSES).filter(move |number| number % 7 == round % 7);
        let deadline = Instant::now() + LONG;
        let mut round = 0;
        while overruns() == 0 || round < 20 {
            assert!(Instant::now() < deadline, "{round} rounds and no overrun");
            // Each round leaves other routes than the last one.
            part(round).for_each(|number| routes.change(ADD, number));
            round += 1;
            if round > 1 {
                part(round - 2).for_each(|number| routes.change(DELETE, number));
            }
            routes.flush();
        }
        let expected = listed();
        assert!(expected.len() > 1_024, "more than a consumer's queue holds one by one");

        let mut table = BTreeSet::new();
        let (_, resynchronised) = take_until(&mut watch, &mut table, &expected);
        assert!(resynchronised > 0, "the iterator was told of no loss");
        assert_eq!(next_within(&mut watch, Duration::from_millis(200)), None, "nothing follows");

        stopped.state.lock().unwrap().0 = true;
        stopped.released.notify_all();
        let deadline = Instant::now() + LONG;
        while stopped.state.lock().unwrap().1 != expected {
            assert!(
                Instant::now() < deadline,
                "{} of {}",
                stopped.state.lock().unwrap().1.len(),
                expected.len()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        registration.cancel();
        assert!(stopped.state.lock().unwrap().2 > 0, "the callback was told of no loss");
        assert_eq!(listed(), expected);
    });
}
