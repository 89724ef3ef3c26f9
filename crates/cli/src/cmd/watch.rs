//! `iph watch`.

mod differences;

use crate::exit::{Exit, Failure};
use crate::filter::family;
use crate::output::json;
use crate::output::style::{GOOD, NAME, QUIET};
use crate::sanitize::sanitize;
use crate::signals::Signals;
use differences::{Difference, Known};
use iphelper::notification::{ChangeKind, IpInterfaceChanged};
use iphelper::{Family, Host};
use jiff::{Timestamp, Zoned};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};
use std::os::fd::AsFd;

/// Watch IP interfaces change, as it happens
///
/// Prints a line for each IP interface that comes, goes or changes, with the properties that changed and their values
/// before and after. What the kernel does not announce is found within 5 seconds. Ends with Ctrl-C, or when nobody
/// reads its output any more.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph watch
  iph watch --family ipv6
  iph watch --json | jq -c '.changes[]'")]
pub(crate) struct Args {
    /// ipv4 or ipv6; both if not given
    #[arg(long, value_parser = family)]
    family: Option<Family>,

    /// Print one object a line, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// A change as JSON.
#[derive(Serialize)]
struct Document<'a> {
    time: String,
    kind: &'static str,
    family: &'static str,
    luid: String,
    index: u32,
    name: &'a str,
    resynchronised: bool,
    changes: &'a [Difference],
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        // Blocked first, so that the library's threads never take a signal that is meant for this loop.
        let signals = Signals::block()?;
        let host = Host::open()?;
        let mut changes = host.ip_interface_changes(self.family)?;
        // Read after the registration: what changes in between is in the table, or reported, or both.
        let mut known = Known::read(&host, self.family)?;
        if !self.json {
            let _ = writeln!(anstream::stderr(), "{QUIET}watching IP interfaces; Ctrl-C ends{QUIET:#}");
        }
        let stdout = io::stdout();
        loop {
            let mut descriptors = [
                PollFd::new(&changes, PollFlags::IN),
                PollFd::new(&signals, PollFlags::IN),
                // Asks for nothing, and so reports only that the reader has closed the pipe.
                PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()),
            ];
            match poll(&mut descriptors, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => {
                    return Err(Failure::new(Exit::Failure, format!("waiting for changes: {errno}")));
                }
            }
            let [change, signal, reader] = descriptors.map(|descriptor| descriptor.revents());
            if !signal.is_empty() || reader.intersects(PollFlags::ERR) {
                return Ok(Exit::Success);
            }
            if !change.is_empty() {
                while let Some(change) = changes.try_next()? {
                    let differences = known.update(&host, &change);
                    self.print(&change, differences.as_deref())?;
                }
            }
        }
    }

    fn print(&self, change: &IpInterfaceChanged, differences: Option<&[Difference]>) -> io::Result<()> {
        let changes = differences.unwrap_or_default();
        if self.json {
            let mut out = json::stdout();
            let document = Document {
                time: Timestamp::now().to_string(),
                kind: kind(change.kind),
                family: json::family(change.family),
                luid: change.luid.0.to_string(),
                index: change.index.0,
                name: &change.name,
                resynchronised: change.resynchronised,
                changes,
            };
            json::write_line(&mut out, &document)?;
            return out.flush();
        }
        let mut out = anstream::stdout().lock();
        let time = Zoned::now().strftime("%H:%M:%S");
        let name = sanitize(&change.name);
        let (family, kind) = (change.family, kind(change.kind));
        write!(out, "{QUIET}{time}{QUIET:#}  {NAME}{name}{NAME:#}  {family}  {kind}")?;
        for (number, Difference { property, from, to }) in changes.iter().enumerate() {
            let separator = if number == 0 { "  " } else { ", " };
            write!(out, "{separator}{property} {} -> {GOOD}{}{GOOD:#}", value(from), value(to))?;
        }
        match differences {
            None => write!(out, "  {QUIET}(gone by now){QUIET:#}")?,
            Some([]) if change.kind == ChangeKind::Parameter => {
                write!(out, "  {QUIET}(no value differs){QUIET:#}")?
            }
            Some(_) => {}
        }
        if change.resynchronised {
            write!(out, "  {QUIET}(found by reading the table again){QUIET:#}")?;
        }
        writeln!(out)?;
        out.flush()
    }
}

/// A value for people: text without quotes, and safe to show.
fn value(value: &Value) -> String {
    match value {
        Value::String(text) => sanitize(text).into_owned(),
        Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}

/// What happened, in a word.
fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Parameter => "changed",
        ChangeKind::Add => "added",
        ChangeKind::Delete => "deleted",
    }
}
