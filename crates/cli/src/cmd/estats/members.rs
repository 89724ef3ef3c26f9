//! The library's members as one list of names and values.

use crate::sanitize::sanitize;
use iphelper::tcp::estats::{EstatsMember, EstatsValue, TcpEstats};
use serde_json::Value;
use std::time::Duration;

/// One member of a class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    is_time: bool,
    value: Option<Shown>,
}

#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Value(EstatsValue),
    Word(String),
    /// A rate or a size without limit.
    Unlimited,
}

/// Members that are rates, in bytes each second, with all bits set where there is no limit.
const RATES: [&str; 2] = ["pacing_rate", "max_pacing_rate"];
/// How long ago something was, which moves by itself.
const AGES: [&str; 3] = ["since_data_sent", "since_data_received", "since_ack_received"];

pub(super) fn members(estats: &TcpEstats) -> Vec<Member> {
    let kernel = &estats.kernel;
    let words = [
        ("congestion_algorithm", kernel.congestion_algorithm.clone()),
        ("congestion_state", kernel.congestion_state.map(|state| state.to_string())),
    ];
    let words = words.map(|(name, word)| Member {
        class: "kernel",
        name,
        is_time: false,
        value: word.map(Shown::Word),
    });
    let members = estats.members().into_iter().map(|EstatsMember { class, name, is_time, value, .. }| {
        let value = value.map(|value| match value {
            EstatsValue::Number(u64::MAX) if RATES.contains(&name) => Shown::Unlimited,
            EstatsValue::Number(number)
                if name == "slow_start_threshold" && number == u64::from(u32::MAX) =>
            {
                Shown::Unlimited
            }
            value => Shown::Value(value),
        });
        Member { class, name, is_time, value }
    });
    members.chain(words).collect()
}

impl Member {
    /// The value for people.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self.value.as_ref()? {
            Shown::Unlimited => "unlimited".to_owned(),
            Shown::Word(word) => sanitize(word).into_owned(),
            Shown::Value(EstatsValue::Number(number)) => number.to_string(),
            Shown::Value(EstatsValue::Time(time)) => show_time(*time),
            Shown::Value(EstatsValue::Flag(true)) => "yes".to_owned(),
            Shown::Value(EstatsValue::Flag(false)) => "no".to_owned(),
            // Another kind of value, of a later library.
            Shown::Value(_) => return None,
        })
    }

    /// The name and value for programs: times in microseconds, with a name that says so, whether they are known or not.
    pub(super) fn json(&self) -> (String, Value) {
        match &self.value {
            Some(Shown::Value(EstatsValue::Number(number))) => (self.name.to_owned(), (*number).into()),
            Some(Shown::Value(EstatsValue::Flag(flag))) => (self.name.to_owned(), (*flag).into()),
            Some(Shown::Value(EstatsValue::Time(time))) => {
                let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                (self.key(), micros.into())
            }
            Some(Shown::Word(word)) => (self.name.to_owned(), word.as_str().into()),
            _ => (self.key(), Value::Null),
        }
    }

    fn key(&self) -> String {
        if self.is_time { format!("{}_us", self.name) } else { self.name.to_owned() }
    }

    /// Whether a change of it is news.
    pub(super) fn moves(&self) -> bool {
        !AGES.contains(&self.name)
    }

    /// How much a number or a time moved each second.
    pub(super) fn rate(&self, before: &Self, seconds: f64) -> Option<f64> {
        let number = |member: &Self| match member.value {
            Some(Shown::Value(EstatsValue::Number(number))) => Some(number as f64),
            _ => None,
        };
        Some((number(self)? - number(before)?) / seconds)
    }
}

/// Milliseconds to the microsecond; seconds from one on.
fn show_time(time: Duration) -> String {
    let micros = time.as_micros();
    if micros >= 1_000_000 {
        format!("{:.3} s", time.as_secs_f64())
    } else {
        format!("{}.{:03} ms", micros / 1000, micros % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_to_the_microsecond() {
        let shown = |micros| show_time(Duration::from_micros(micros));
        assert_eq!([shown(0), shown(23), shown(204_000)], ["0.000 ms", "0.023 ms", "204.000 ms"]);
        assert_eq!(shown(1_500_000), "1.500 s");
    }

    #[test]
    fn names_tell_times_whether_they_are_known_or_not() {
        let keys: Vec<String> =
            members(&TcpEstats::default()).into_iter().map(|member| member.json().0).collect();
        for key in ["min_rtt_us", "since_data_sent_us", "receiver_limited_time_us", "timeouts", "path_mtu"] {
            assert!(keys.iter().any(|known| known == key), "{key} in {keys:?}");
        }
    }
}
