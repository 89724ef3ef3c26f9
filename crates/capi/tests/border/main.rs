//! The border to C: every exported function, called with pointers of NULL and at odd addresses, rows of zeros, ones, garbage
//! and the host's own with changes, and buffers of every size from none to plenty. Nothing crashes, nothing panics,
//! nothing is written beside what was given, and nothing is left behind.
//!
//! `scripts/test-border` runs this under AddressSanitizer and LeakSanitizer, which see each access and each leak. `PROPTEST_CASES`
//! is the number of random calls of each function; `IPHELPER_BORDER` names the only functions to call.
//!
//! What C promises holds, for nobody could check it: a pointer that is not NULL leads to memory as large as declared, and
//! what is freed was given.
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod callbacks;
mod case;
mod functions;
#[path = "../layout/mod.rs"]
mod layout;
mod memory;
mod poison;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod world;

use case::{Fill, Nulls, Outcome, Plan};
use functions::Function;
use memory::Random;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use table::{Kind, LINES, changes_the_host};
use world::World;

iphelper_testkit::private_user_namespace!();

/// The call under way, for what is said when the program dies.
static UNDER_WAY: Mutex<(String, u64)> = Mutex::new((String::new(), 0));
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Random calls of each function: few where no sanitizer watches them.
fn cases() -> u64 {
    let few = if cfg!(iphelper_border) { 32 } else { 8 };
    std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(few)
}

fn is_meant(name: &str) -> bool {
    let Ok(names) = std::env::var("IPHELPER_BORDER") else { return true };
    let is_known = |name: &str| LINES.iter().any(|(line, _)| *line == name);
    assert!(names.split(',').all(is_known), "IPHELPER_BORDER names a function that is not exported: {names}");
    names.split(',').any(|one| one == name)
}

fn kinds_of(name: &str) -> &'static [Kind] {
    LINES.iter().find(|(line, _)| *line == name).map_or(&[], |(_, kinds)| *kinds)
}

#[test]
fn every_exported_function_has_one_line() {
    let functions = functions::of_programs();
    let names: Vec<&str> = LINES.iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted(), "lines are in order");
    let mut exported: Vec<&str> = functions.iter().map(|function| function.name).collect();
    exported.sort_unstable();
    let without = exported.iter().filter(|name| !names.contains(name)).collect::<Vec<_>>();
    assert!(without.is_empty(), "exported, and without a line in table.rs: {without:?}");
    assert_eq!(names.len(), exported.len(), "lines of functions that are not exported, or two of one");
    for row in support::facts("reference.tsv") {
        let name = if row[0].starts_with("if_") { format!("iphelper_{}", row[0]) } else { row[0].clone() };
        assert!(names.contains(&name.as_str()), "{name} of the reference has no line");
    }
    for driver in functions::of_drivers() {
        assert!(names.contains(&driver.name), "{}", driver.name);
    }
    for function in functions {
        let kinds = kinds_of(function.name);
        assert_eq!(kinds.len(), function.parameters.len(), "{}: {:?}", function.name, function.parameters);
        for (kind, parameter) in kinds.iter().zip(&function.parameters) {
            let is_number = kind.is_number() || matches!(kind, Kind::Callback(_) | Kind::Guid);
            assert_eq!(parameter.pointee.is_none(), is_number, "{}: {parameter:?}", function.name);
            let pointee = parameter.pointee.map_or("", |pointee| pointee.type_name);
            let is_untyped = matches!(pointee, "core::ffi::c_void" | "u8" | "u16");
            assert!(
                !matches!(kind, Kind::Row) || pointee != "core::ffi::c_void",
                "{}: {} has no size",
                function.name,
                parameter.name
            );
            assert!(!matches!(kind, Kind::Room(_)) || is_untyped, "{}: {parameter:?}", function.name);
        }
    }
}

#[test]
fn nothing_that_a_program_passes_does_harm() {
    hold(functions::of_programs());
}

#[test]
fn nothing_that_a_driver_passes_does_harm() {
    hold(functions::of_drivers());
}

#[test]
fn rows_of_notifications_have_nothing_of_before() {
    let possible = World::on(|_| {
        let handles = callbacks::register();
        let changes = [
            "ip address add 192.0.2.77/24 dev e0",
            "ip route add 198.51.101.0/24 via 192.0.2.2",
            "ip link set e0 mtu 1400",
        ];
        for command in changes {
            let _ = iphelper_testkit::run(command);
        }
        iphelper_testkit::eventually("a row of each", || callbacks::seen().len() == 3);
        callbacks::cancel(handles);
        let seen = callbacks::seen();
        assert!(seen.values().all(Option::is_none), "{seen:?}");
    });
    if possible.is_none() {
        eprintln!("SKIPPED: no mounts for tests here");
    }
}

/// One after the other: what is left behind is told by what there was before.
static ALONE: Mutex<()> = Mutex::new(());

fn hold(functions: Vec<Function>) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    sanitizer::tell_at_death();
    // A panic that the border turned into a code is a bug like any other.
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let _ = PANICS.fetch_add(1, Ordering::Relaxed);
        before(panic);
    }));
    let mut times = BTreeMap::new();
    let (changing, reading): (Vec<Function>, Vec<Function>) = functions
        .into_iter()
        .filter(|function| is_meant(function.name))
        .partition(|function| changes_the_host(function.name));
    let mut is_possible = World::on(|world| {
        for function in &reading {
            let _ = times.insert(function.name, try_out(world, function));
        }
    });
    for function in &changing {
        let one = World::on(|world| {
            let _ = times.insert(function.name, try_out(world, function));
        });
        is_possible = is_possible.and(one);
    }
    let _ = std::panic::take_hook();
    if is_possible.is_none() {
        return;
    }
    let mut slowest: Vec<(Duration, &str)> = times.into_iter().map(|(name, time)| (time, name)).collect();
    slowest.sort_unstable();
    eprintln!("the slowest: {:?}", slowest.iter().rev().take(12).collect::<Vec<_>>());
    sanitizer::check_leaks();
}

/// Calls one function in every way; how long that took.
fn try_out(world: &World, function: &Function) -> Duration {
    let start = Instant::now();
    let kinds = kinds_of(function.name);
    let mut number = 0;
    let mut call = |seed: Option<u64>, plan: Plan| {
        number += 1;
        if let Ok(mut under_way) = UNDER_WAY.lock() {
            *under_way = (format!("{} {plan:?}", function.name), number);
        }
        let panics = PANICS.load(Ordering::Relaxed);
        let random = Random::new(function.name, seed.unwrap_or(number));
        let called = || case::call(world, function, kinds, plan, random);
        let outcome = if function.name == "SetCurrentThreadCompartmentId" {
            // On a thread that ends where it went.
            std::thread::scope(|scope| scope.spawn(called).join())
        } else {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(called))
        };
        let outcome: Outcome =
            outcome.unwrap_or_else(|_| panic!("{}, call {number}: {plan:?}", function.name));
        assert_eq!(
            PANICS.load(Ordering::Relaxed),
            panics,
            "{} panicked, call {number}: {plan:?}",
            function.name
        );
        outcome
    };
    let plain = Plan { nulls: Nulls::None, fill: Fill::Real, offset: Some(0), size: None };
    for place in 0..kinds.len() {
        for fill in [Fill::Real, Fill::Garbage] {
            let _ = call(None, Plan { nulls: Nulls::One(place), fill, ..plain });
        }
    }
    let _ = call(None, Plan { nulls: Nulls::All, ..plain });
    for fill in [Fill::Zero, Fill::Ones, Fill::Garbage, Fill::Real] {
        for offset in [0, 1, 7] {
            let _ = call(None, Plan { fill, offset: Some(offset), ..plain });
        }
    }
    let sized = |size| Plan { size: Some(size), offset: None, ..plain };
    if kinds.iter().any(|kind| matches!(kind, Kind::Size | Kind::Length(_))) {
        // The same arguments with every size, and rather such as come as far as the buffer.
        let first = if kinds.iter().any(|kind| matches!(kind, Kind::Size)) { 0 } else { usize::MAX };
        let needed = (1..=60).map(|seed| (seed, call(Some(seed), sized(first)).needed.unwrap_or(0) as usize));
        let good: Vec<(u64, usize)> = needed.filter(|(_, needed)| *needed > 0).take(rounds()).collect();
        for (seed, needed) in if good.is_empty() { vec![(1, 0), (2, 0)] } else { good } {
            for size in sizes(kinds, needed, &mut Random::new(function.name, seed)) {
                let _ = call(Some(seed), sized(size));
            }
        }
    }
    has_nothing_of_before(function, kinds, |seed| call(Some(seed), Plan { size: Some(usize::MAX), ..plain }));
    for _ in 0..cases() {
        let _ = call(None, Plan { nulls: Nulls::Some, fill: Fill::Mixed, offset: None, size: None });
    }
    start.elapsed()
}

/// Calls twice with equal arguments and with memory that is filled in two ways: no byte of what is given tells with what.
fn has_nothing_of_before(function: &Function, kinds: &[Kind], mut call: impl FnMut(u64) -> Outcome) {
    const PATTERNS: [u8; 2] = [0x5A, 0xC3];
    let mut successes = 0;
    for seed in 1..=12 {
        let [one, other] = PATTERNS.map(|pattern| {
            poison::fill_with(pattern);
            call(seed)
        });
        for ((place, one), (_, other)) in one.given.iter().zip(&other.given) {
            let left = one.iter().zip(other).position(|(one, other)| [*one, *other] == PATTERNS);
            let name = function.parameters[*place].name;
            assert_eq!(
                left, None,
                "{}: a byte of {name} is what stood in memory before, seed {seed}",
                function.name
            );
        }
        successes += usize::from(one.has_succeeded && other.has_succeeded);
        if successes == 2 {
            break;
        }
    }
    let given = kinds.iter().zip(&function.parameters).filter(|(kind, _)| !kind.is_number());
    let has_gaps = given
        .filter_map(|(_, parameter)| parameter.pointee)
        .any(|it| !it.constant && case::has_gaps(it.type_name));
    // A connection has to measure for long; tests/effects.rs has one that does.
    let is_rare = function.name == "GetIpNetworkConnectionBandwidthEstimates";
    let is_absent = || {
        support::facts("reference.tsv").iter().any(|row| row[0] == function.name && row[2] == "not supported")
    };
    assert!(
        successes > 0 || !has_gaps || is_rare || is_absent(),
        "{} gave nothing to look at",
        function.name
    );
}

/// How many arguments are tried with every size.
fn rounds() -> usize {
    1 + usize::try_from(cases() / 64).unwrap_or(0).min(19)
}

/// From none to plenty: all of them, or of a long way those at both its ends and some between.
fn sizes(kinds: &[Kind], needed: usize, random: &mut Random) -> Vec<usize> {
    let lengths = kinds.iter().map(|kind| if let Kind::Length(most) = kind { *most } else { 0 });
    let end = needed.max(lengths.max().unwrap_or(0)) + 17;
    if cases() > 1000 || end <= 160 {
        return (0..=end).collect();
    }
    let between: Vec<usize> = (0..24).map(|_| random.below(end)).collect();
    (0..24).chain(between).chain(needed.saturating_sub(17)..=end).collect()
}

/// What the sanitizers' runtime does for this program; nothing where it is not there.
mod sanitizer {
    #[cfg(iphelper_border)]
    unsafe extern "C" {
        fn __lsan_do_recoverable_leak_check() -> std::ffi::c_int;
        fn __sanitizer_set_death_callback(callback: extern "C" fn());
    }

    #[cfg(iphelper_border)]
    pub(crate) fn tell_at_death() {
        extern "C" fn tell() {
            if let Ok(under_way) = super::UNDER_WAY.try_lock() {
                eprintln!("in call {} of {}", under_way.1, under_way.0);
            }
        }
        unsafe { __sanitizer_set_death_callback(tell) };
    }

    #[cfg(iphelper_border)]
    pub(crate) fn check_leaks() {
        // What a thread that is just ending has is reported, too: told from a leak by being gone some time later.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while unsafe { __lsan_do_recoverable_leak_check() } != 0 {
            assert!(std::time::Instant::now() < deadline, "something was left behind, see above");
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    }

    #[cfg(not(iphelper_border))]
    pub(crate) fn tell_at_death() {}

    #[cfg(not(iphelper_border))]
    pub(crate) fn check_leaks() {}
}
