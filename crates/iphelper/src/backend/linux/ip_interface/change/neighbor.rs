//! Neighbours: whether they are watched, how long they count as reachable, how often they are asked.

use super::plan::{Planner, Turn, invalid, milliseconds};
use super::undo::Values;
use super::write::Write;
use crate::backend::linux::link::address_family;
use crate::backend::linux::namespace::system;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::neigh_table::{self, NeighborParameters, NeighborTime};
use std::time::Duration;

/// The longest time that is taken. One and a half times it, counted in ticks of a millisecond, still fits the kernel's
/// signed 32 bits; and a delay from here on means that neighbours are not watched.
const LONGEST: Duration = Duration::from_millis(1_000_000_000);

/// How long a neighbour in doubt is used before it is probed: the kernel's own default.
const WATCHED: Duration = Duration::from_secs(5);
/// The same, so long (23 days) that the probe does not happen.
const UNWATCHED: Duration = Duration::from_millis(2_000_000_000);

pub(super) fn use_neighbor_unreachability_detection(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.use_neighbor_unreachability_detection;
    let Some(to) = planner.change.use_neighbor_unreachability_detection.filter(|to| *to != from) else {
        return Ok(());
    };
    let present = probe_delay(planner)?;
    let asked = if to { WATCHED } else { UNWATCHED };
    let mechanism = mechanism(planner, "NDTPA_DELAY_PROBE_TIME");
    planner.tell("use_neighbor_unreachability_detection", from, to, mechanism);
    planner.write(Turn::NeighborTimes, Write::ProbeDelay(Values { from: present, to: asked }));
    Ok(())
}

pub(super) fn base_reachable_time(planner: &mut Planner<'_>) -> Result<()> {
    let (from, asked) = (planner.row.base_reachable_time, planner.change.base_reachable_time);
    time(
        planner,
        "base_reachable_time",
        "NDTPA_BASE_REACHABLE_TIME",
        NeighborTime::BaseReachable,
        from,
        asked,
    )
}

pub(super) fn retransmit_time(planner: &mut Planner<'_>) -> Result<()> {
    let (from, asked) = (planner.row.retransmit_time, planner.change.retransmit_time);
    time(planner, "retransmit_time", "NDTPA_RETRANS_TIME", NeighborTime::Retransmit, from, asked)
}

fn time(
    planner: &mut Planner<'_>,
    property: &'static str,
    attribute: &'static str,
    time: NeighborTime,
    from: Duration,
    asked: Option<Duration>,
) -> Result<()> {
    // A time that somebody else set may be longer than any that is taken here.
    let Some(asked) = asked.filter(|asked| *asked != from) else { return Ok(()) };
    if asked.is_zero() || asked > LONGEST {
        let (asked, longest) = (milliseconds(asked), milliseconds(LONGEST));
        return Err(invalid(format!("{property}: {asked} is not from 1 ms to {longest}")));
    }
    let to = in_ticks(asked, ticks_per_second());
    if to == from {
        return Ok(());
    }
    let mechanism = mechanism(planner, attribute);
    planner.tell(property, milliseconds(from), milliseconds(to), mechanism);
    planner.write(Turn::NeighborTimes, Write::NeighborTime { time, values: Values { from, to } });
    Ok(())
}

/// How often a second the kernel counts, `CONFIG_HZ`: these times are in its ticks.
fn ticks_per_second() -> u64 {
    let tick = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse).tv_nsec;
    let tick = u64::try_from(tick).unwrap_or_default().max(1);
    // Most rates do not divide a second, so to the nearest.
    (1_000_000_000 + tick / 2) / tick
}

/// What the kernel makes of a time: milliseconds, rounded up to its tick, told in milliseconds.
fn in_ticks(time: Duration, ticks_per_second: u64) -> Duration {
    let whole = time.as_nanos().div_ceil(1_000_000);
    let ticks = (whole * u128::from(ticks_per_second)).div_ceil(1000);
    let told = (ticks * 1000).div_ceil(u128::from(ticks_per_second.max(1)));
    Duration::from_millis(u64::try_from(told).unwrap_or(u64::MAX))
}

/// How long a neighbour in doubt is used before it is probed.
fn probe_delay(planner: &Planner<'_>) -> Result<Duration> {
    let family = address_family(planner.row.family);
    let index = planner.link.index.0;
    let table = planner.host.route.take()?.snapshot(
        &mut neigh_table::dump(family),
        || None,
        |found, message| {
            let parameters = NeighborParameters::parse(message)?;
            if let Some(of_link) = parameters.filter(|it| it.family == family && it.index == Some(index)) {
                *found = of_link.delay_probe_time;
            }
            Ok(())
        },
    );
    let delay = table.map_err(|refusal| refusal.error("reading the neighbour tables"))?;
    delay.ok_or_else(|| {
        system("reading the neighbour tables", rustix::io::Errno::NODEV)
            .because("the interface is in none of them")
    })
}

fn mechanism(planner: &Planner<'_>, attribute: &str) -> String {
    let table = if planner.row.family == Family::V4 { "arp_cache" } else { "ndisc_cache" };
    format!("RTM_SETNEIGHTBL {table} {attribute}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_as_the_kernel_does() {
        let rounded = |milliseconds, hz| in_ticks(Duration::from_millis(milliseconds), hz).as_millis();
        // Read back on a kernel with 250 ticks a second.
        assert_eq!([rounded(12345, 250), rounded(777, 250), rounded(1, 250)], [12348, 780, 4]);
        assert_eq!([rounded(777, 100), rounded(777, 1000)], [780, 777]);
        assert_eq!([rounded(1000, 300), rounded(1, 300)], [1000, 4]);
        assert_eq!(in_ticks(Duration::from_micros(1), 250), Duration::from_millis(4));
    }

    #[test]
    fn the_rate_is_one_that_kernels_are_built_with() {
        assert!([100, 250, 300, 1000].contains(&ticks_per_second()), "{}", ticks_per_second());
    }

    #[test]
    fn the_longest_time_fits_the_kernels_counter() {
        assert!(LONGEST.as_millis() * 3 / 2 <= u128::from(i32::MAX.unsigned_abs()));
        assert!(UNWATCHED.as_millis() <= u128::from(i32::MAX.unsigned_abs()));
    }
}
