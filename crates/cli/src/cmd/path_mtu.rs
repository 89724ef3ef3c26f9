//! `iph path-mtu`: how long learned path MTUs are kept, one value per host and family.

use crate::exit::{Exit, Failure};
use crate::filter::family;
use crate::output::{self, json, table};
use crate::units::{self, show_duration};
use clap::Subcommand;
use iphelper::{ErrorKind, Family, Host};
use serde::Serialize;
use std::io::Write;
use std::time::Duration;

/// How long learned path MTUs are kept, for all interfaces at once
///
/// Windows keeps PathMtuDiscoveryTimeout for each interface; Linux has one value per network namespace and family, so
/// it is changed here and not with `iph interface set`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(ShowArgs),
    Set(SetArgs),
}

/// Show the timeout of both families
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Print one object with the milliseconds of `ipv4` and `ipv6`, null where this caller cannot see them
    #[arg(long)]
    json: bool,
}

/// Change the timeout of one family
///
/// Whole seconds; a part of a second is rounded up. Needs root (CAP_NET_ADMIN).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  sudo iph path-mtu set ipv4 10m")]
pub(crate) struct SetArgs {
    /// ipv4 or ipv6
    #[arg(value_parser = family)]
    family: Family,

    /// 30s, 10m, or a plain number of milliseconds
    #[arg(value_parser = units::duration)]
    timeout: Duration,
}

#[derive(Serialize)]
struct Document {
    ipv4: Option<u64>,
    ipv6: Option<u64>,
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        match self {
            Self::Show(args) => show(&host, args.json),
            Self::Set(args) => set(&host, args.family, args.timeout),
        }
    }
}

fn show(host: &Host, as_json: bool) -> Result<Exit, Failure> {
    let (v4, v6) = (read(host, Family::V4)?, read(host, Family::V6)?);
    if as_json {
        let milliseconds =
            |timeout: Option<Duration>| timeout.and_then(|t| u64::try_from(t.as_millis()).ok());
        let mut out = json::stdout();
        json::write(&mut out, &Document { ipv4: milliseconds(v4), ipv6: milliseconds(v6) })?;
        out.flush()?;
        return Ok(Exit::Success);
    }
    let mut table = table::new(&["Family", "Path MTU timeout"], &[], output::width());
    for (family, timeout) in [(Family::V4, v4), (Family::V6, v6)] {
        let _ = table.add_row([family.to_string(), text(timeout)]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(Exit::Success)
}

fn set(host: &Host, family: Family, timeout: Duration) -> Result<Exit, Failure> {
    let before = read(host, family)?;
    host.set_path_mtu_discovery_timeout(family, timeout)?;
    let after = read(host, family)?;
    let mut out = output::people();
    writeln!(out, "{family} path MTU timeout: {} -> {}", text(before), text(after))?;
    out.flush()?;
    Ok(Exit::Success)
}

/// The host's value, which the row of every interface reports; `None` where it is hidden from this caller, or the host
/// does not have the family.
fn read(host: &Host, family: Family) -> Result<Option<Duration>, Failure> {
    match host.ip_interfaces(Some(family)) {
        Ok(rows) => Ok(rows.first().and_then(|row| row.path_mtu_discovery_timeout)),
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn text(timeout: Option<Duration>) -> String {
    timeout.map_or_else(|| "unknown".to_owned(), show_duration)
}
