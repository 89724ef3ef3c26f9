//! `iph watch`.

mod differences;
mod rows;

use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::output::json;
use crate::output::style::{GOOD, NAME, QUIET};
use crate::sanitize::sanitize;
use crate::signals::Signals;
use crate::units::show_duration;
use differences::{Difference, differences};
use iphelper::Host;
use iphelper::interface::InterfaceLevel;
use iphelper::notification::{ChangeKind, Classes, Event, Subject, WatchOptions};
use jiff::{Timestamp, Zoned};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// Watch the network change, as it happens
///
/// Prints a line for each interface, address and route that comes, goes or changes, with the properties that changed and
/// their values before and after, and the program that asked for it where the kernel tells. Neighbours and TCP
/// connections, which change all the time, are watched when they are named.
///
/// What the kernel does not announce, as some settings of interfaces and groups among the neighbours, is found within 5
/// seconds, new TCP connections by looking once a second. When more happens than can be printed, the differences are told. Ends with Ctrl-C, or when
/// nobody reads its output any more.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph watch
  iph watch address route
  iph watch interface -6
  iph watch neighbor
  iph watch --json | jq -c '.changes[]'")]
pub(crate) struct Args {
    /// interface, address, route, neighbor or tcp, also several; interface, address and route if not given
    #[arg(value_name = "WHAT", hide_possible_values = true)]
    what: Vec<What>,

    #[command(flatten)]
    families: Families,

    /// Also the routes of iphelper's own tables, see `iph keeper rules`
    #[arg(long)]
    internal: bool,

    /// Print one object a line, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// What can be watched.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    Interface,
    Address,
    Route,
    #[value(alias = "neighbour")]
    Neighbor,
    Tcp,
}

impl What {
    const fn classes(self) -> Classes {
        match self {
            Self::Interface => Classes::INTERFACES.with(Classes::IP_INTERFACES),
            Self::Address => Classes::UNICAST_ADDRESSES,
            Self::Route => Classes::ROUTES,
            Self::Neighbor => Classes::NEIGHBORS,
            Self::Tcp => Classes::TCP_CONNECTIONS,
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Interface => "interfaces",
            Self::Address => "addresses",
            Self::Route => "routes",
            Self::Neighbor => "neighbours",
            Self::Tcp => "TCP connections",
        }
    }
}

/// An event as JSON.
#[derive(Serialize)]
struct Document<'a> {
    time: String,
    class: &'static str,
    kind: String,
    family: Option<&'static str>,
    luid: Option<String>,
    index: Option<u32>,
    name: Option<&'a str>,
    resynchronised: bool,
    requester: Option<Requester<'a>>,
    changes: &'a [Difference],
    row: &'a Value,
}

/// Who asked, as JSON.
#[derive(Serialize)]
struct Requester<'a> {
    port: u32,
    pid: Option<u32>,
    process: Option<&'a str>,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let what = match self.what.as_slice() {
            [] => vec![What::Interface, What::Address, What::Route],
            what => what.to_vec(),
        };
        let classes = what.iter().map(|what| what.classes()).fold(Classes::NONE, Classes::with);
        // Blocked first, so that the library's threads never take a signal that is meant for this loop.
        let signals = Signals::block()?;
        let host = Host::open()?;
        // Interfaces always: routes name them by their number.
        let options = WatchOptions::new(classes | Classes::INTERFACES).family(self.families.get());
        let mut events = host.watch(options)?;
        let mut names = Names::read(&host)?;
        if !self.json {
            let mut watched: Vec<&str> = what.iter().map(|what| what.plural()).collect();
            watched.dedup();
            let watched = watched.join(", ");
            let _ = writeln!(anstream::stderr(), "{QUIET}watching {watched}; Ctrl-C ends{QUIET:#}");
        }
        let stdout = io::stdout();
        loop {
            let mut descriptors = [
                PollFd::new(&events, PollFlags::IN),
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
            let [news, signal, reader] = descriptors.map(|descriptor| descriptor.revents());
            if !signal.is_empty() || reader.intersects(PollFlags::ERR) {
                return Ok(Exit::Success);
            }
            // One at a time, so that Ctrl-C ends a flood.
            if !news.is_empty()
                && let Some(event) = events.try_next()?
            {
                names.note(&event);
                let is_internal = matches!(&event.subject, Subject::Route(route) if route.is_internal());
                if classes.contains(event.subject.class()) && (self.internal || !is_internal) {
                    self.print(&event, &names)?;
                }
            }
        }
    }

    fn print(&self, event: &Event, names: &Names) -> io::Result<()> {
        let name = names.of(&event.subject);
        let row = rows::document(&event.subject, name);
        let before = event.before.as_ref().map(|before| rows::document(before, name));
        let changes = before.map(|before| differences(&before, &row)).unwrap_or_default();
        if self.json {
            return print_json(event, name, &row, &changes);
        }
        let mut out = anstream::stdout().lock();
        let time = Zoned::now().strftime("%H:%M:%S");
        let shown = name.map_or_else(|| "-".into(), sanitize);
        let (class, kind) = (rows::word(&event.subject), event.kind.to_string());
        write!(out, "{QUIET}{time}{QUIET:#}  {NAME}{shown}{NAME:#}  {class}  {kind}")?;
        let text = rows::text(&event.subject);
        if !text.is_empty() {
            write!(out, "  {text}")?;
        }
        // For people a neighbour's state says enough, and when an address was made the line's own time.
        let shown = changes.iter().filter(|change| !matches!(&*change.property, "nud_state" | "created"));
        for (number, Difference { property, from, to }) in shown.enumerate() {
            let separator = if number == 0 { "  " } else { ", " };
            write!(
                out,
                "{separator}{property} {} -> {GOOD}{}{GOOD:#}",
                value(property, from),
                value(property, to)
            )?;
        }
        if event.kind == ChangeKind::Parameter && changes.is_empty() {
            write!(out, "  {QUIET}(no value differs){QUIET:#}")?;
        }
        if let Some(process) = event.requester.as_ref().and_then(|requester| requester.process.as_ref()) {
            let by = sanitize(&process.name);
            write!(out, "  {QUIET}by {by} ({}){QUIET:#}", process.pid)?;
        }
        if event.resynchronised {
            write!(out, "  {QUIET}(found by reading the table again){QUIET:#}")?;
        }
        writeln!(out)?;
        out.flush()
    }
}

fn print_json(event: &Event, name: Option<&str>, row: &Value, changes: &[Difference]) -> io::Result<()> {
    let mut out = json::stdout();
    let interface = event.subject.interface();
    let requester = event.requester.as_ref().map(|requester| Requester {
        port: requester.port,
        pid: requester.process.as_ref().map(|process| process.pid),
        process: requester.process.as_ref().map(|process| &*process.name),
    });
    let document = Document {
        time: Timestamp::now().to_string(),
        class: rows::class(&event.subject),
        kind: event.kind.to_string(),
        family: event.subject.family().map(json::family),
        luid: interface.map(|(_, luid)| luid.0.to_string()),
        index: interface.map(|(index, _)| index.0),
        name,
        resynchronised: event.resynchronised,
        requester,
        changes,
        row,
    };
    json::write_line(&mut out, &document)?;
    out.flush()
}

/// The names of interfaces, which rows do not all have.
struct Names(HashMap<u32, String>);

impl Names {
    fn read(host: &Host) -> Result<Self, Failure> {
        let rows = host.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
        Ok(Self(rows.into_iter().map(|row| (row.index.0, row.name)).collect()))
    }

    /// Learns the name of an interface. That of one which is gone is kept: routes may go after it.
    fn note(&mut self, event: &Event) {
        if let Subject::Interface(row) = &event.subject {
            let _ = self.0.insert(row.index.0, row.name.clone());
        }
    }

    fn of<'a>(&'a self, subject: &'a Subject) -> Option<&'a str> {
        match subject {
            Subject::Interface(row) => Some(&row.name),
            Subject::IpInterface(row) => Some(&row.name),
            Subject::UnicastAddress(row) => Some(&row.name),
            Subject::Neighbor(row) => Some(&row.name),
            other => other.interface().and_then(|(index, _)| self.0.get(&index.0)).map(String::as_str),
        }
    }
}

/// A value for people: text without quotes, and safe to show.
fn value(property: &str, value: &Value) -> String {
    match value {
        Value::String(text) => sanitize(text).into_owned(),
        Value::Null if property.ends_with("_lifetime") => "forever".to_owned(),
        Value::Number(time) if property.ends_with("_lifetime") => {
            show_duration(Duration::from_secs(time.as_u64().unwrap_or_default() / 1000))
        }
        Value::Null => "unknown".to_owned(),
        other => other.to_string(),
    }
}
