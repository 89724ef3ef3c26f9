//! `iph timestamp`: what stamps the packets of an interface with times, and the clock of its hardware.

use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use clap::Subcommand;
use iphelper::convert::InterfaceNames;
use iphelper::interface::InterfaceLevel;
use iphelper::timestamp::{HardwareTimestamps, SoftwareTimestamps, TimestampCapabilities};
use iphelper::{Error, ErrorKind, Host};
use serde::Serialize;
use std::io::Write;

/// What stamps the packets of interfaces with times, and the clocks of their hardware
///
/// Programs that keep clocks together (PTP, NTP) ask for the time at which a packet came or went. Network cards can tell it
/// better than the kernel, if they were told to (hwstamp_ctl, ptp4l).
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Clock(Clock),
}

/// List what is stamped, and could be
///
/// One line for each interface: what the kernel and the driver stamp for whoever asks; what the hardware could stamp, and what
/// it was told to, which is "unknown" where its driver does not tell.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph timestamp list
  iph timestamp list eth0
  iph timestamp list --json | jq '.[] | select(.clock)'"
)]
pub(crate) struct List {
    /// A name, an alternative name, an index or a LUID (0x...); all if not given
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: Option<String>,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// Read the hardware's clock between two readings of the system's
///
/// All three are nanoseconds: the system's since it started, by a clock that nobody steers (CLOCK_MONOTONIC_RAW), the
/// hardware's since an epoch of its own, most often TAI.
///
/// Needs to read /dev/ptpN, which is root's as a rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph timestamp clock eth0
  sudo iph timestamp clock eth0 --json")]
pub(crate) struct Clock {
    /// A name, an alternative name, an index or a LUID (0x...)
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: String,

    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    luid: String,
    index: u32,
    interface: &'a str,
    software: Option<Software>,
    hardware_possible: Option<Hardware>,
    hardware_active: Option<Hardware>,
    clock: Option<u32>,
}

#[derive(Serialize)]
struct Software {
    all_receive: bool,
    tagged_transmit: bool,
}

#[derive(Serialize)]
struct Hardware {
    ptp_v2_event_receive: bool,
    all_receive: bool,
    tagged_transmit: bool,
}

#[derive(Serialize)]
struct CrossTimestamp {
    system_before: String,
    hardware: String,
    system_after: String,
}

impl From<SoftwareTimestamps> for Software {
    fn from(it: SoftwareTimestamps) -> Self {
        Self { all_receive: it.all_receive, tagged_transmit: it.tagged_transmit }
    }
}

impl From<HardwareTimestamps> for Hardware {
    fn from(it: HardwareTimestamps) -> Self {
        let HardwareTimestamps { ptp_v2_event_receive, all_receive, tagged_transmit, .. } = it;
        Self { ptp_v2_event_receive, all_receive, tagged_transmit }
    }
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        match self {
            Self::List(args) => list(&host, args.interface.as_deref(), args.json),
            Self::Clock(args) => clock(&host, &args.interface, args.json),
        }
    }
}

/// What is known of an interface; `None` for what nobody tells.
struct Found {
    names: InterfaceNames,
    possible: Option<TimestampCapabilities>,
    active: Option<TimestampCapabilities>,
}

fn list(host: &Host, interface: Option<&str>, as_json: bool) -> Result<Exit, Failure> {
    let mut found = Vec::new();
    match interface {
        Some(interface) => found.push(find(host, interface_name::find(host, interface)?)?),
        None => {
            for row in host.interfaces(InterfaceLevel::NormalWithoutStatistics)? {
                let one = host.interface_names(row.luid).and_then(|names| find(host, names));
                match one {
                    Ok(one) => found.push(one),
                    // It went meanwhile.
                    Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, found.iter().map(document))?;
        out.flush()?;
    } else {
        print(&found)?;
    }
    Ok(Exit::Success)
}

fn find(host: &Host, names: InterfaceNames) -> Result<Found, Error> {
    let known = |answer: Result<TimestampCapabilities, Error>| match answer {
        Ok(capabilities) => Ok(Some(capabilities)),
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(None),
        Err(error) => Err(error),
    };
    let possible = known(host.timestamp_capabilities(names.luid))?;
    let active = known(host.active_timestamp_capabilities(names.luid))?;
    Ok(Found { names, possible, active })
}

fn document(Found { names, possible, active }: &Found) -> Row<'_> {
    Row {
        luid: names.luid.0.to_string(),
        index: names.index.0,
        interface: &names.name,
        software: possible.map(|it| it.software.into()),
        hardware_possible: possible.map(|it| it.hardware.into()),
        hardware_active: active.map(|it| it.hardware.into()),
        clock: possible.and_then(|it| it.clock),
    }
}

fn print(found: &[Found]) -> Result<(), Failure> {
    let headings = ["Interface", "Software", "Hardware can", "Hardware does", "Clock"];
    let mut table = table::new(&headings, &[], output::width());
    for Found { names, possible, active } in found {
        let text = |it: &Option<TimestampCapabilities>, show: fn(&TimestampCapabilities) -> String| {
            it.as_ref().map_or_else(|| "unknown".to_owned(), show)
        };
        let _ = table.add_row([
            sanitize(&names.name).into_owned(),
            text(possible, |it| {
                words(&[(it.software.all_receive, "received"), (it.software.tagged_transmit, "sent")])
            }),
            text(possible, |it| hardware(it.hardware)),
            text(active, |it| hardware(it.hardware)),
            text(possible, |it| it.clock.map_or_else(|| "-".to_owned(), |clock| format!("/dev/ptp{clock}"))),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    Ok(out.flush()?)
}

fn hardware(it: HardwareTimestamps) -> String {
    let events = it.ptp_v2_event_receive && !it.all_receive;
    words(&[(it.all_receive, "received"), (events, "PTP events received"), (it.tagged_transmit, "sent")])
}

fn words(parts: &[(bool, &str)]) -> String {
    let there: Vec<_> = parts.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    if there.is_empty() { "-".to_owned() } else { there.join(", ") }
}

fn clock(host: &Host, interface: &str, as_json: bool) -> Result<Exit, Failure> {
    let names = interface_name::find(host, interface)?;
    let read = host.hardware_cross_timestamp(names.luid)?;
    let parts = [
        ("System, before", read.system_before),
        ("Hardware", read.hardware),
        ("System, after", read.system_after),
    ];
    if as_json {
        let [system_before, hardware, system_after] = parts.map(|(_, time)| time.as_nanos().to_string());
        let mut out = json::stdout();
        json::write(&mut out, &CrossTimestamp { system_before, hardware, system_after })?;
        out.flush()?;
        return Ok(Exit::Success);
    }
    let mut table = table::new(&["Clock", "Nanoseconds"], &[1], output::width());
    for (clock, time) in parts {
        let _ = table.add_row([clock.to_owned(), time.as_nanos().to_string()]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(Exit::Success)
}
