//! `iph estats`: what a TCP connection has sent, lost and waited for.

mod members;

use crate::cmd::tcp::selection::{Selection, Word};
use crate::exit::{Exit, Failure};
use crate::filter;
use crate::output::connections::Names;
use crate::output::style::HEADING;
use crate::output::table::{self, Table};
use crate::output::{self, json};
use crate::signals::Signals;
use crate::units;
use iphelper::tcp::TcpConnection;
use iphelper::tcp::estats::TcpEstats;
use iphelper::{ErrorKind, Host};
use members::{Member, members};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::Write;
use std::time::{Duration, Instant};

/// Tell what TCP connections have sent, lost and waited for
///
/// Takes the two ends of one connection, local end first, or filter words that must all hold. Shown is what this kernel
/// tells of RFC 4898's extended statistics, and what it knows beyond (class kernel); docs/linux-mechanisms.md says
/// what each member is, and why others are missing. With --watch the members that moved are printed again and again, with
/// how much they moved each second.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(crate) struct Args {
    /// LOCAL REMOTE, or filter words
    #[arg(value_name = "LOCAL REMOTE | FILTER", required = true)]
    words: Vec<Word>,

    /// Also list the members that this kernel does not tell
    #[arg(long, conflicts_with = "watch")]
    all: bool,

    /// Print what moved at this interval, until Ctrl-C or the connection's end
    #[arg(long, value_name = "INTERVAL", value_parser = units::duration, num_args = 0..=1)]
    #[arg(default_missing_value = "1s")]
    watch: Option<Duration>,

    /// Print an array of objects, or with --watch an object a line, see docs/json.md
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    format!(
        "{}\n\nExamples:\n  iph estats 192.0.2.1:51234 203.0.113.7:443\n  iph estats process:nginx state:established\n  \
         iph estats 192.0.2.1:51234 203.0.113.7:443 --watch 5s\n  \
         iph estats port:443 --json | jq '.[].path.smoothed_rtt_us'",
        filter::HELP
    )
}

/// A connection and what is known of it, for programs.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    connection: json::Connection<'a>,
    #[serde(flatten)]
    classes: Map<String, Value>,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let selection = Selection::try_from(self.words.clone())?;
        let host = Host::open()?;
        let rows = selection.find(&host)?;
        if let Some(interval) = self.watch {
            let [row] = rows.as_slice() else {
                return Err(Failure::usage(format!(
                    "{} connections match: --watch takes one, by its two ends or with more words",
                    rows.len()
                )));
            };
            return self.watch(&host, row, interval);
        }
        let found = read(&host, rows)?;
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, found.iter().map(|(row, estats)| document(row, &members(estats))))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        let mut out = output::people();
        let mut names = Names::new(&host);
        for (position, (row, estats)) in found.iter().enumerate() {
            if position > 0 {
                writeln!(out)?;
            }
            title(&mut out, &mut names, row)?;
            let mut table = table::new(&["Class", "Member", "Value"], &[], output::width());
            for member in members(estats) {
                match member.text() {
                    Some(text) => drop(table.add_row([member.class, member.name, &text])),
                    None if self.all => drop(table.add_row([member.class, member.name, "not known"])),
                    None => {}
                }
            }
            table::write(&mut out, &table)?;
        }
        out.flush()?;
        Ok(Exit::Success)
    }

    fn watch(&self, host: &Host, row: &TcpConnection, interval: Duration) -> Result<Exit, Failure> {
        if interval.is_zero() {
            return Err(Failure::usage("an interval of 0 would print without end: give one such as 1s"));
        }
        let pause = Timespec::try_from(interval).map_err(|_| Failure::usage("the interval is too long"))?;
        let signals = Signals::block()?;
        let (mut before, mut since) = (members(&host.tcp_estats(row)?), Instant::now());
        if !self.json {
            let mut out = output::people();
            title(&mut out, &mut Names::new(host), row)?;
            out.flush()?;
        }
        loop {
            let woken = poll(&mut [PollFd::new(&signals, PollFlags::IN)], Some(&pause));
            if woken.is_ok_and(|count| count > 0) {
                return Ok(Exit::Success);
            }
            let now = match host.tcp_estats(row) {
                // It was there: its end is the end of what was asked for.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Exit::Success),
                estats => members(&estats?),
            };
            let at = Instant::now();
            let seconds = at.duration_since(since).as_secs_f64();
            let moved: Vec<(&Member, Option<f64>)> = now
                .iter()
                .zip(&before)
                .filter(|(now, before)| now.moves() && now != before)
                .map(|(now, before)| (now, now.rate(before, seconds)))
                .collect();
            if self.json {
                let mut out = json::stdout();
                let moved: Vec<Member> = moved.iter().map(|(member, _)| (*member).clone()).collect();
                json::write_line(&mut out, &document(row, &moved))?;
                out.flush()?;
            } else {
                let mut table: Table =
                    table::new(&["Class", "Member", "Value", "Each second"], &[3], output::width());
                for (member, rate) in moved {
                    let rate = rate.map_or_else(String::new, |rate| format!("{rate:.1}"));
                    let text = member.text().unwrap_or_else(|| "not known".to_owned());
                    let _ = table.add_row([member.class, member.name, &text, &rate]);
                }
                let mut out = output::people();
                table::write(&mut out, &table)?;
                out.flush()?;
            }
            (before, since) = (now, at);
        }
    }
}

/// The statistics of those that have some. What has ended since it was listed is left out, unless nothing else is left.
fn read(host: &Host, rows: Vec<TcpConnection>) -> Result<Vec<(TcpConnection, TcpEstats)>, Failure> {
    let (mut found, mut none) = (Vec::new(), None);
    for row in rows {
        match host.tcp_estats(&row) {
            Ok(estats) => found.push((row, estats)),
            Err(error) if error.kind() == ErrorKind::NotFound => none = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    match none {
        Some(error) if found.is_empty() => Err(error.into()),
        _ => Ok(found),
    }
}

fn title(out: &mut impl Write, names: &mut Names<'_>, row: &TcpConnection) -> std::io::Result<()> {
    let (local, remote) = (names.end(row.local), names.end(row.remote));
    writeln!(out, "{HEADING}{local} - {remote} {}{HEADING:#}", row.state)
}

/// Classes of members. What is not known is null.
fn document<'a>(row: &'a TcpConnection, members: &[Member]) -> Document<'a> {
    let mut classes = Map::new();
    for member in members {
        let class = classes.entry(member.class).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(class) = class {
            let (key, value) = member.json();
            let _ = class.insert(key, value);
        }
    }
    Document { connection: json::Connection::from(row), classes }
}
