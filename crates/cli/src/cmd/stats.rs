//! `iph stats`: counters of IP, ICMP, TCP and UDP.

mod counters;

use crate::exit::{Exit, Failure};
use crate::output::table::{self, Table};
use crate::output::{self, json};
use crate::signals::Signals;
use crate::units;
use counters::{Counter, Group, read};
use iphelper::Host;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Map, Value};
use std::io::Write;
use std::time::{Duration, Instant};

/// Count packets: what IP, ICMP, TCP and UDP have done
///
/// The counters of this network namespace since it was made. Linux has one TCP for both families and counts for both
/// together. With --watch the counters that moved are printed again and again, with how much they moved each second.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph stats
  iph stats udp
  iph stats tcp --watch 5s")]
pub(crate) struct Args {
    /// ip, icmp, tcp or udp; all if not given
    group: Option<Group>,

    /// Print what moved at this interval, until Ctrl-C
    #[arg(long, value_name = "INTERVAL", value_parser = units::duration, num_args = 0..=1)]
    #[arg(default_missing_value = "1s")]
    watch: Option<Duration>,

    /// Print one object, or with --watch one a line, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if let Some(interval) = self.watch {
            return self.watch(interval);
        }
        let counters = read(&Host::open()?, self.group)?;
        if self.json {
            let mut out = json::stdout();
            json::write(&mut out, &document(&counters, |counter| counter.value.into()))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        print(&counters, "Value", |counter| counter.value.to_string())
    }

    fn watch(&self, interval: Duration) -> Result<Exit, Failure> {
        if interval.is_zero() {
            return Err(Failure::usage("an interval of 0 would print without end: give one such as 1s"));
        }
        let signals = Signals::block()?;
        let host = Host::open()?;
        let (mut before, mut since) = (read(&host, self.group)?, Instant::now());
        loop {
            let pause =
                Timespec::try_from(interval).map_err(|_| Failure::usage("the interval is too long"))?;
            let woken = poll(&mut [PollFd::new(&signals, PollFlags::IN)], Some(&pause));
            if woken.is_ok_and(|count| count > 0) {
                return Ok(Exit::Success);
            }
            let (now, at) = (read(&host, self.group)?, Instant::now());
            let seconds = at.duration_since(since).as_secs_f64();
            let rate = |counter: &Counter, value: u64| counter.value.wrapping_sub(value) as f64 / seconds;
            let moved: Vec<(Counter, f64)> = now
                .iter()
                .zip(&before)
                .filter(|(now, before)| now.is_counter && now.value != before.value)
                .map(|(now, before)| (now.clone(), rate(now, before.value)))
                .collect();
            if self.json {
                let mut out = json::stdout();
                let rates: Vec<Counter> = moved.iter().map(|(counter, _)| counter.clone()).collect();
                let find = |counter: &Counter| {
                    moved
                        .iter()
                        .find(|(other, _)| other == counter)
                        .map_or(Value::Null, |(_, rate)| (*rate).into())
                };
                json::write_line(&mut out, &document(&rates, find))?;
                out.flush()?;
            } else {
                let mut table = columns("Each second");
                for (counter, rate) in &moved {
                    add(&mut table, counter, format!("{rate:.1}"));
                }
                let mut out = output::people();
                table::write(&mut out, &table)?;
                out.flush()?;
            }
            (before, since) = (now, at);
        }
    }
}

fn columns(value: &str) -> Table {
    table::new(&["Protocol", "Family", "Counter", value], &[3], output::width())
}

fn add(table: &mut Table, counter: &Counter, value: String) {
    let family = counter.family.map_or_else(|| "both".to_owned(), |family| family.to_string());
    let _ = table.add_row([counter.group.name(), &family, counter.name, &value]);
}

fn print(counters: &[Counter], heading: &str, value: impl Fn(&Counter) -> String) -> Result<Exit, Failure> {
    let mut table = columns(heading);
    for counter in counters {
        add(&mut table, counter, value(counter));
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(Exit::Success)
}

/// An object of protocols, each of families, each of counters.
fn document(counters: &[Counter], value: impl Fn(&Counter) -> Value) -> Value {
    let mut document = Map::new();
    for counter in counters {
        let family = counter.family.map_or("both", json::family);
        let empty = || Value::Object(Map::new());
        let group = document.entry(counter.group.name()).or_insert_with(empty);
        if let Value::Object(group) = group
            && let Value::Object(family) = group.entry(family).or_insert_with(empty)
        {
            let _ = family.insert(counter.name.to_owned(), value(counter));
        }
    }
    Value::Object(document)
}
