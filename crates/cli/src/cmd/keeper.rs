//! `iph keeper`.

use crate::exit::{Exit, Failure};
use crate::output::style::NAME;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::signals::Signals;
use iphelper::Host;
use iphelper::keeper::{Contest, KeeperOptions, KeeperStatus, STATUS_DIRECTORY};
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

/// Keep what is set up to date, and send router advertisements
///
/// Everything that is set lives in the kernel and holds without this process. It follows the kernel's changes and adds
/// what depends on them: default routes and prefixes that are added later, rules and filters that somebody took away, and
/// router advertisements. There is one for each network namespace; it runs until it is asked to end (SIGTERM, Ctrl-C), and
/// withdraws its advertisements then. Needs CAP_NET_ADMIN, and CAP_NET_RAW for router advertisements.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  systemctl enable --now iphelper-keeper
  sudo iph keeper
  iph keeper status
  sudo iph keeper rules"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Status(StatusArgs),
    Rules(RulesArgs),
}

/// Show whether a keeper runs in this network namespace, and what it does
///
/// Exit code 3 where none runs.
#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// Explain each object of the kernel that is ours: policy rules, routes, and what is in the packet filter
///
/// Also without a keeper. Without root the packet filter is hidden.
#[derive(Debug, clap::Args)]
struct RulesArgs {
    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The folder in which keepers publish their status, a file for each network namespace
    #[arg(long, value_name = "FOLDER", default_value = STATUS_DIRECTORY)]
    status_directory: PathBuf,
}

impl Place {
    fn options(self) -> KeeperOptions {
        let mut options = KeeperOptions::default();
        options.status_directory = self.status_directory;
        options
    }
}

#[derive(Serialize)]
struct Document {
    process: u32,
    started: String,
    passes: u64,
    last_pass_microseconds: u64,
    error: Option<String>,
    advertising: Vec<Advertising>,
    contests: Vec<ContestRow>,
}

#[derive(Serialize)]
struct ContestRow {
    what: String,
    process: Option<u32>,
    name: Option<String>,
    times: u32,
    last: String,
    advice: String,
}

#[derive(Serialize)]
struct Advertising {
    index: u32,
    state: String,
    sent: u64,
    solicited: u64,
    prefixes: u64,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Some(Command::Status(args)) => args.run(),
            Some(Command::Rules(args)) => args.run(),
            None => {
                // Blocked first: a signal from now on ends the loop, and not what it is doing.
                let signals = Signals::block()?;
                let mut keeper = Host::open()?.keeper(&self.place.options())?;
                keeper.run(&signals)?;
                Ok(Exit::Success)
            }
        }
    }
}

#[derive(Serialize)]
struct Object {
    name: String,
    purpose: String,
}

impl RulesArgs {
    fn run(self) -> Result<Exit, Failure> {
        let objects = Host::open()?.kernel_objects()?;
        if self.json {
            let objects: Vec<_> =
                objects.into_iter().map(|it| Object { name: it.name, purpose: it.purpose }).collect();
            let mut out = json::stdout();
            json::write(&mut out, &objects)?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        let mut out = output::people();
        if objects.is_empty() {
            writeln!(out, "Nothing of ours is in the kernel, as far as this user sees.")?;
        }
        for object in &objects {
            writeln!(out, "{NAME}{}{NAME:#}\n    {}", sanitize(&object.name), sanitize(&object.purpose))?;
        }
        out.flush()?;
        Ok(Exit::Success)
    }
}

impl StatusArgs {
    fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let Some(status) = host.keeper_status(&self.place.options())? else {
            return Err(Failure::new(
                Exit::NotFound,
                "no keeper publishes a status in this network namespace; start one with `sudo iph keeper`, or the \
                 service iphelper-keeper",
            ));
        };
        if self.json { print_json(&status) } else { print(&host, &status) }?;
        Ok(Exit::Success)
    }
}

fn started(status: &KeeperStatus) -> String {
    shown(status.started)
}

fn shown(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "unknown".to_owned(), |time| time.to_string())
}

fn contest_row(contest: &Contest) -> ContestRow {
    ContestRow {
        what: contest.what.to_string(),
        process: contest.by.as_ref().map(|by| by.process),
        name: contest.by.as_ref().map(|by| by.name.clone()),
        times: contest.times,
        last: shown(contest.last),
        advice: contest.advice(),
    }
}

fn print_json(status: &KeeperStatus) -> Result<(), Failure> {
    let advertising = status.advertising.iter().map(|it| Advertising {
        index: it.index.0,
        state: it.state.to_string(),
        sent: it.sent,
        solicited: it.solicited,
        prefixes: it.prefixes,
    });
    let document = Document {
        process: status.process,
        started: started(status),
        passes: status.passes,
        last_pass_microseconds: u64::try_from(status.last_pass.as_micros()).unwrap_or(u64::MAX),
        error: status.error.clone(),
        advertising: advertising.collect(),
        contests: status.contests.iter().map(contest_row).collect(),
    };
    let mut out = json::stdout();
    json::write(&mut out, &document)?;
    Ok(out.flush()?)
}

fn print(host: &Host, status: &KeeperStatus) -> Result<(), Failure> {
    let mut out = output::people();
    writeln!(out, "{NAME}keeper{NAME:#}  process {}, since {}", status.process, started(status))?;
    let (passes, took) = (status.passes, status.last_pass.as_micros());
    writeln!(out, "{passes} passes over rules, filter and routes; the last one took {took} µs")?;
    if let Some(error) = &status.error {
        writeln!(out, "failing, next attempt within a second: {}", sanitize(error))?;
    }
    for contest in &status.contests {
        let by = contest.by.as_ref().map_or_else(
            || "by a program that is not known".to_owned(),
            |by| format!("by {} (process {})", sanitize(&by.name), by.process),
        );
        writeln!(out, "contest: {} {by}, {} times; {}", contest.what, contest.times, contest.advice())?;
    }
    if !status.advertising.is_empty() {
        writeln!(out)?;
        let columns = ["Interface", "Advertising", "Prefixes", "Sent", "Solicited"];
        let mut table = table::new(&columns, &[2, 3, 4], output::width());
        for it in &status.advertising {
            let name =
                host.interface_names(it.index).map_or_else(|_| it.index.to_string(), |names| names.name);
            let _ = table.add_row([
                sanitize(&name).into_owned(),
                it.state.to_string(),
                it.prefixes.to_string(),
                it.sent.to_string(),
                it.solicited.to_string(),
            ]);
        }
        table::write(&mut out, &table)?;
    }
    Ok(out.flush()?)
}
