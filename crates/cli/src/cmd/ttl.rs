//! `iph ttl`: how many routers a packet may pass, one value per host and family.

use crate::exit::{Exit, Failure};
use crate::filter::family;
use crate::output::{self, changes, json, table};
use clap::Subcommand;
use clap::value_parser;
use iphelper::statistics::IpStatisticsChange;
use iphelper::{ErrorKind, Family, Host};
use serde::Serialize;
use std::io::Write;

/// The default time to live: how many routers a packet may pass (hop limit)
///
/// That of packets whose program asks for no other.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(ShowArgs),
    Set(SetArgs),
}

/// Show the default of both families
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Print one object with the numbers of `ipv4` and `ipv6`, null for a family that the host does not have
    #[arg(long)]
    json: bool,
}

/// Change the default of one family
///
/// IPv6's is that of new interfaces and of all that had the same; one that a router or an administrator has set otherwise
/// keeps its own. Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  sudo iph ttl set ipv4 128")]
pub(crate) struct SetArgs {
    /// ipv4 or ipv6
    #[arg(value_parser = family)]
    family: Family,

    /// From 1 to 255
    #[arg(value_parser = value_parser!(u8).range(1..))]
    ttl: u8,

    /// Say what would be changed, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    ipv4: Option<u8>,
    ipv6: Option<u8>,
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        match self {
            Self::Show(args) => show(&host, args.json),
            Self::Set(args) => args.run(&host),
        }
    }
}

fn show(host: &Host, as_json: bool) -> Result<Exit, Failure> {
    let (ipv4, ipv6) = (read(host, Family::V4)?, read(host, Family::V6)?);
    if as_json {
        let mut out = json::stdout();
        json::write(&mut out, &Document { ipv4, ipv6 })?;
        out.flush()?;
        return Ok(Exit::Success);
    }
    let mut table = table::new(&["Family", "Default TTL"], &[1], output::width());
    for (family, ttl) in [(Family::V4, ipv4), (Family::V6, ipv6)] {
        let ttl = ttl.map_or_else(|| "-".to_owned(), |ttl| ttl.to_string());
        let _ = table.add_row([family.to_string(), ttl]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(Exit::Success)
}

impl SetArgs {
    fn run(&self, host: &Host) -> Result<Exit, Failure> {
        let change = IpStatisticsChange { default_ttl: Some(self.ttl), ..IpStatisticsChange::default() };
        let changed = if self.dry_run {
            host.plan_set_ip_statistics(self.family, &change)
        } else {
            host.set_ip_statistics(self.family, &change)
        }?;
        changes::write(self.family, &changed, self.json)?;
        output::tell_dry_run(self.dry_run, "changed");
        Ok(Exit::Success)
    }
}

/// `None` where the host does not have the family.
fn read(host: &Host, family: Family) -> Result<Option<u8>, Failure> {
    match host.ip_statistics(family) {
        Ok(statistics) => Ok(Some(statistics.default_ttl)),
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(None),
        Err(error) => Err(error.into()),
    }
}
