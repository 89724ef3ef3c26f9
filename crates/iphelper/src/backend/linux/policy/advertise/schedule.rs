//! When advertisements are sent (RFC 4861, sections 6.2.4 and 6.2.6).

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// `MAX_INITIAL_RTR_ADVERTISEMENTS`, and after a change as many again.
const INITIAL_ADVERTISEMENTS: u8 = 3;
/// `MAX_INITIAL_RTR_ADVERT_INTERVAL`.
const INITIAL_INTERVAL: Duration = Duration::from_secs(16);
/// `MIN_DELAY_BETWEEN_RAS`, between two advertisements to all hosts.
const SHORTEST_PAUSE: Duration = Duration::from_secs(3);
/// `MAX_RA_DELAY_TIME`: routers on one link shall not answer at once.
const ANSWER_DELAY: Duration = Duration::from_millis(500);

/// The times of one interface's advertisements. All go to all hosts, so that an answer serves everybody who asked.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: (Duration, Duration),
    last: Option<Instant>,
    next: Instant,
    initial: u8,
}

impl Schedule {
    /// The first one now, then one in each interval, whose length is drawn anew between the two.
    pub(super) fn new(now: Instant, interval: (Duration, Duration)) -> Self {
        Self { interval, last: None, next: now, initial: INITIAL_ADVERTISEMENTS }
    }

    /// When the next advertisement is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// One was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.last = Some(now);
        self.initial = self.initial.saturating_sub(1);
        let (shortest, longest) = self.interval;
        let mut pause = between(shortest, longest);
        if self.initial > 0 {
            pause = pause.min(INITIAL_INTERVAL);
        }
        self.next = now + pause.max(SHORTEST_PAUSE);
    }

    /// A host has asked.
    pub(super) fn solicited(&mut self, now: Instant) {
        let delay = between(Duration::ZERO, ANSWER_DELAY);
        let earliest = self.last.map_or(now, |last| (last + SHORTEST_PAUSE).max(now));
        self.next = self.next.min(earliest + delay);
    }

    /// What is advertised is another now, or how often.
    pub(super) fn changed(&mut self, now: Instant, interval: (Duration, Duration)) {
        self.interval = interval;
        self.initial = INITIAL_ADVERTISEMENTS;
        self.next = self.last.map_or(now, |last| (last + SHORTEST_PAUSE).max(now));
    }
}

/// A random time from `shortest` to `longest`. It shall keep routers apart, no more, so the hash maps' randomness serves.
fn between(shortest: Duration, longest: Duration) -> Duration {
    let range = u64::try_from(longest.saturating_sub(shortest).as_micros()).unwrap_or(u64::MAX - 1);
    let random = RandomState::new().hash_one(0_u8);
    shortest + Duration::from_micros(random % (range + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const INTERVAL: (Duration, Duration) = (Duration::from_secs(200), Duration::from_secs(600));

    #[test]
    fn the_first_three_come_soon_and_the_others_within_the_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, INTERVAL);
        assert_eq!(schedule.next(), start);
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..300 {
            schedule.sent(now);
            pauses.push(schedule.next() - now);
            now = schedule.next();
        }
        assert_eq!(pauses[..2], [INITIAL_INTERVAL; 2]);
        assert!(pauses[2..].iter().all(|pause| (INTERVAL.0..=INTERVAL.1).contains(pause)), "{pauses:?}");
        let different: std::collections::BTreeSet<_> = pauses.iter().collect();
        assert!(different.len() > 200, "drawn anew each time");
    }

    #[test]
    fn answers_wait_half_a_second_at_most_and_never_come_too_often() {
        let start = Instant::now();
        for _ in 0..200 {
            let mut schedule = Schedule::new(start, INTERVAL);
            (0..3).for_each(|_| schedule.sent(start));
            let asked = start + 10 * SECOND;
            schedule.solicited(asked);
            let answer = schedule.next();
            assert!((asked..=asked + ANSWER_DELAY).contains(&answer));
            schedule.sent(answer);
            schedule.solicited(answer + SECOND);
            let next = schedule.next();
            assert!((answer + SHORTEST_PAUSE..=answer + SHORTEST_PAUSE + ANSWER_DELAY).contains(&next));
            schedule.solicited(answer + SECOND);
            assert!(schedule.next() <= next, "one more question delays no answer");
        }
    }

    #[test]
    fn a_change_is_told_as_soon_as_it_may_be() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, INTERVAL);
        schedule.sent(start);
        schedule.changed(start + SECOND, INTERVAL);
        assert_eq!(schedule.next(), start + SHORTEST_PAUSE);
        schedule.sent(start + SHORTEST_PAUSE);
        schedule.changed(start + 60 * SECOND, (3 * SECOND, 4 * SECOND));
        assert_eq!(schedule.next(), start + 60 * SECOND);
        schedule.sent(start + 60 * SECOND);
        assert!(schedule.next() - (start + 60 * SECOND) <= 4 * SECOND, "the new interval");
    }
}
