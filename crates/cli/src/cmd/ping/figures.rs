//! What all requests together came to.

use super::{microseconds, milliseconds};
use crate::exit::Failure;
use crate::output::{self, json};
use serde::Serialize;
use std::io::Write;
use std::time::Duration;

/// Counts and times.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) sent: u32,
    pub(super) answered: u32,
    pub(super) times: Vec<Duration>,
}

/// As JSON.
#[derive(Debug, PartialEq, Serialize)]
struct Summary {
    #[serde(rename = "type")]
    kind: &'static str,
    sent: u32,
    answered: u32,
    lost_percent: f64,
    min_microseconds: Option<u64>,
    median_microseconds: Option<u64>,
    mean_microseconds: Option<u64>,
    max_microseconds: Option<u64>,
}

impl Figures {
    /// The least time, the one in the middle, the mean, and the longest.
    fn times(&self) -> Option<[Duration; 4]> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let sum: Duration = times.iter().sum();
        let middle = *times.get(times.len() / 2)?;
        Some([*times.first()?, middle, sum / u32::try_from(times.len()).ok()?, *times.last()?])
    }

    fn lost_percent(&self) -> f64 {
        let lost = self.sent.saturating_sub(self.answered);
        if self.sent == 0 { 0.0 } else { f64::from(lost) * 100.0 / f64::from(self.sent) }
    }

    fn summary(&self) -> Summary {
        let [min, median, mean, max] =
            self.times().map_or([None; 4], |times| times.map(|time| Some(microseconds(time))));
        Summary {
            kind: "summary",
            sent: self.sent,
            answered: self.answered,
            lost_percent: self.lost_percent(),
            min_microseconds: min,
            median_microseconds: median,
            mean_microseconds: mean,
            max_microseconds: max,
        }
    }

    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            let mut out = json::stdout();
            json::write_line(&mut out, &self.summary())?;
            return Ok(out.flush()?);
        }
        let mut out = output::people();
        write!(out, "\n{} sent, {} answered, {:.0} % lost", self.sent, self.answered, self.lost_percent())?;
        if let Some(times) = self.times() {
            let [min, median, mean, max] = times.map(milliseconds);
            write!(out, "; {min:.3} ms at least, {median:.3} median, {mean:.3} mean, {max:.3} at most")?;
        }
        writeln!(out)?;
        Ok(out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_sum_up() {
        let nothing = Figures::default();
        assert_eq!((nothing.lost_percent(), nothing.times()), (0.0, None));
        let times = [5, 1, 3].map(Duration::from_millis).to_vec();
        let figures = Figures { sent: 4, answered: 3, times };
        assert_eq!(figures.lost_percent(), 25.0);
        assert_eq!(figures.times(), Some([1, 3, 3, 5].map(Duration::from_millis)));
        assert_eq!(figures.summary().mean_microseconds, Some(3000));
    }
}
