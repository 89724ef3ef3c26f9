//! Other programs that take away what a keeper made, or add again what it moved: who they are, and how long the keeper
//! waits before it does it once more.
//!
//! It never gives up, and what the packet filter stops stays stopped meanwhile. The first three times it acts at once;
//! each further time it waits twice as long, up to a limit. A quiet while ends the contest.

use crate::keeper::{Contest, Contested, Manager};
use std::time::{Duration, Instant, SystemTime};

/// How often the keeper acts at once.
const AT_ONCE: u32 = 3;
/// So long after the last time that it is another contest.
const QUIET: Duration = Duration::from_secs(10);
/// More are not told, nor remembered.
const MOST: usize = 64;

/// How long to wait, from the first wait to the longest.
#[derive(Clone, Copy, Debug)]
struct Patience {
    first: Duration,
    longest: Duration,
}

impl Patience {
    const fn of(what: &Contested) -> Self {
        match what {
            // Two routes lead the same way meanwhile. Nothing is lost, so the other is left in peace for long.
            Contested::Metric { .. } => {
                Self { first: Duration::from_secs(1), longest: Duration::from_secs(64) }
            }
            _ => Self { first: Duration::from_millis(2), longest: Duration::from_secs(1) },
        }
    }

    /// The wait before the keeper acts for the `times`th time.
    fn wait(self, times: u32) -> Duration {
        let Some(doubled) = times.checked_sub(AT_ONCE + 1) else { return Duration::ZERO };
        self.first.saturating_mul(1_u32.checked_shl(doubled).unwrap_or(u32::MAX)).min(self.longest)
    }
}

#[derive(Debug)]
struct Running {
    contest: Contest,
    last: Instant,
    until: Instant,
}

/// The contests that a keeper is in.
#[derive(Debug, Default)]
pub(in crate::backend::linux) struct Contests(Vec<Running>);

impl Contests {
    /// Notes one more time; when the keeper shall act.
    pub(super) fn note(&mut self, what: Contested, by: Option<Manager>, now: Instant) -> Instant {
        let patience = Patience::of(&what);
        if let Some(running) = self.0.iter_mut().find(|running| running.contest.what == what) {
            let quiet = now.saturating_duration_since(running.last.max(running.until));
            let contest = &mut running.contest;
            contest.times = if quiet > QUIET { 1 } else { contest.times.saturating_add(1) };
            contest.last = SystemTime::now();
            if by.is_some() {
                contest.by = by;
            }
            running.last = now;
            running.until = now + patience.wait(contest.times);
            return running.until;
        }
        if self.0.len() >= MOST {
            // The one that is longest over.
            let oldest = self.0.iter().enumerate().min_by_key(|(_, it)| it.last).map(|(place, _)| place);
            let _ = oldest.map(|place| self.0.swap_remove(place));
        }
        let contest = Contest { what, by, times: 1, last: SystemTime::now() };
        self.0.push(Running { contest, last: now, until: now });
        now
    }

    /// Until when to leave it alone; `None` if that is over.
    pub(super) fn is_held(&self, what: &Contested, now: Instant) -> Option<Instant> {
        let running = self.0.iter().find(|running| running.contest.what == *what)?;
        (running.until > now).then_some(running.until)
    }

    /// When the next route that is left alone is to be moved again.
    pub(super) fn next_route(&self, now: Instant) -> Option<Instant> {
        let routes = self.0.iter().filter(|it| matches!(it.contest.what, Contested::Metric { .. }));
        routes.map(|running| running.until).filter(|until| *until > now).min()
    }

    /// What is told of them, those of one time only left out: anybody may do a thing once.
    pub(in crate::backend::linux) fn told(&self) -> Vec<Contest> {
        self.0.iter().map(|running| running.contest.clone()).filter(|it| it.times > 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Family;

    const RULES: Contested = Contested::Rules(Family::V4);

    #[test]
    fn waits_grow_to_a_limit_and_a_quiet_while_ends_them() {
        let mut contests = Contests::default();
        let start = Instant::now();
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..16 {
            let until = contests.note(RULES, None, now);
            waits.push((until - now).as_millis());
            now = until;
        }
        assert_eq!(waits[..6], [0, 0, 0, 2, 4, 8]);
        assert_eq!(waits[15], 1000, "never more, and never for ever");
        now += QUIET + Duration::from_millis(1);
        assert_eq!(contests.note(RULES, None, now), now, "another contest");
        assert_eq!(contests.is_held(&RULES, now), None);
    }

    #[test]
    fn the_last_known_manager_is_told_from_the_second_time_on() {
        let mut contests = Contests::default();
        let now = Instant::now();
        let by = Manager { process: 7, name: "fake".to_owned() };
        let _ = contests.note(RULES, Some(by.clone()), now);
        assert!(contests.told().is_empty());
        let _ = contests.note(RULES, None, now);
        let told = contests.told();
        assert_eq!((told[0].times, &told[0].by), (2, &Some(by)));
        for table in 0..200 {
            let _ = contests.note(Contested::Routes(table), None, now);
        }
        assert!(contests.0.len() <= MOST);
    }
}
