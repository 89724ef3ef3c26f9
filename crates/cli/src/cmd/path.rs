//! `iph path`: what the host has learnt of the way to single destinations.

use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::interface_name;
use crate::output::style::QUIET;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::units::show_duration;
use clap::Subcommand;
use iphelper::path::{Path, PathKey};
use iphelper::{Family, Host};
use serde::Serialize;
use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

/// What was learnt of the paths to single destinations: path MTUs, nearer routers, round-trip times
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(ListArgs),
    Show(ShowArgs),
    Flush(FlushArgs),
}

/// List the paths of which something was learnt
///
/// That packets must be smaller, that another router is nearer, or how long the packets of a TCP connection took. Of all
/// other destinations routes and interfaces tell: `iph route get`.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph path list
  iph path list -6 --interface eth0
  iph path list --json | jq -r '.[] | select(.path_mtu < 1500) | .destination'"
)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    families: Families,

    /// Only those over this interface
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// Show the path to one destination
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  iph path show 203.0.113.5")]
pub(crate) struct ShowArgs {
    /// The destination
    destination: IpAddr,

    /// Over this interface instead of the one that the host chooses
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// From this address of the host instead of the one that it chooses
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,

    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// Forget what was learnt of all paths
///
/// Packets then have the size of the interface again until a router complains. Prints the paths as they were.
///
/// Needs root (CAP_NET_ADMIN).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph path flush
  sudo iph path flush -4")]
pub(crate) struct FlushArgs {
    #[command(flatten)]
    families: Families,

    /// Print an array of the paths, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        match self {
            Self::List(args) => {
                let interface = interface_name::find_any(&host, args.interface.as_deref())?;
                let mut paths = host.paths(args.families.get())?;
                paths.retain(|path| interface.is_none_or(|luid| path.luid == luid));
                write(&host, &paths, args.json)?;
            }
            Self::Show(args) => {
                let interface = interface_name::find_any(&host, args.interface.as_deref())?.map(Into::into);
                let key = PathKey { destination: args.destination, interface, source: args.from };
                let path = host.path(&key)?;
                if args.json {
                    let mut out = json::stdout();
                    json::write(&mut out, &document(&host, &path))?;
                    out.flush()?;
                } else {
                    write(&host, &[path], false)?;
                }
            }
            Self::Flush(args) => {
                let family = args.families.get();
                let paths = host.paths(family)?;
                host.flush_paths(family)?;
                if paths.is_empty() && !args.json {
                    let _ = writeln!(anstream::stderr(), "{QUIET}there was nothing to forget{QUIET:#}");
                } else {
                    write(&host, &paths, args.json)?;
                }
            }
        }
        Ok(Exit::Success)
    }
}

#[derive(Serialize)]
struct Row {
    family: &'static str,
    destination: IpAddr,
    source: Option<IpAddr>,
    luid: String,
    index: u32,
    interface: Option<String>,
    next_hop: Option<IpAddr>,
    path_mtu: u32,
    expires: Option<u64>,
    round_trip_us: Option<u64>,
    round_trip_deviation_us: Option<u64>,
    last_reachable: Option<u64>,
    link_transmit_speed: Option<String>,
    link_receive_speed: Option<String>,
}

fn document(host: &Host, path: &Path) -> Row {
    let milliseconds = |time: Option<Duration>| time.and_then(|time| u64::try_from(time.as_millis()).ok());
    let microseconds = |time: Option<Duration>| time.and_then(|time| u64::try_from(time.as_micros()).ok());
    let text = |bits: Option<u64>| bits.map(|bits| bits.to_string());
    Row {
        family: json::family(Family::of(&path.destination)),
        destination: path.destination,
        source: path.source,
        luid: path.luid.0.to_string(),
        index: path.index.0,
        interface: name(host, path),
        next_hop: path.next_hop,
        path_mtu: path.path_mtu,
        expires: milliseconds(path.expires),
        round_trip_us: microseconds(path.round_trip),
        round_trip_deviation_us: microseconds(path.round_trip_deviation),
        last_reachable: milliseconds(path.last_reachable),
        link_transmit_speed: text(path.link_transmit_speed),
        link_receive_speed: text(path.link_receive_speed),
    }
}

/// The name of the interface; `None`: it has gone meanwhile.
fn name(host: &Host, path: &Path) -> Option<String> {
    host.interface_names(path.luid).ok().map(|names| names.name)
}

fn write(host: &Host, paths: &[Path], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, paths.iter().map(|path| document(host, path)))?;
        return Ok(out.flush()?);
    }
    let headings = ["Destination", "Via", "Interface", "Source", "MTU", "Round trip", "Notes"];
    let mut table = table::new(&headings, &[4, 5], output::width());
    for path in paths {
        let address =
            |address: Option<IpAddr>| address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        let interface = name(host, path).unwrap_or_else(|| path.index.0.to_string());
        let _ = table.add_row([
            path.destination.to_string(),
            address(path.next_hop),
            sanitize(&interface).into_owned(),
            address(path.source),
            path.path_mtu.to_string(),
            path.round_trip.map_or_else(|| "-".to_owned(), round_trip),
            notes(path),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    Ok(out.flush()?)
}

fn round_trip(time: Duration) -> String {
    let microseconds = time.as_micros();
    format!("{}.{:03} ms", microseconds / 1_000, microseconds % 1_000)
}

/// What the columns do not say.
fn notes(path: &Path) -> String {
    let seconds = |time: Duration| show_duration(Duration::from_secs(time.as_secs()));
    let mut notes = Vec::new();
    notes.extend(path.expires.map(|left| format!("forgotten in {}", seconds(left))));
    notes.extend(path.last_reachable.map(|age| format!("answered {} ago", seconds(age))));
    notes.join(", ")
}
