//! `iph bandwidth`.

use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::units::show_rate;
use iphelper::convert::InterfaceNames;
use iphelper::interface::InterfaceLevel;
use iphelper::path::BandwidthEstimates;
use iphelper::{ErrorKind, Family, Host};
use serde::Serialize;
use std::io::Write;

/// Tell how fast the networks behind interfaces are, as TCP connections have measured
///
/// Outbound is the most that a connection which is there now has sent in a second, when its program sent as fast as it
/// could. Linux measures at the sending end alone, so inbound is unknown. Nothing is sent to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph bandwidth
  iph bandwidth eth0 --json")]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...); all if not given
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: Option<String>,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    luid: String,
    index: u32,
    interface: String,
    family: &'static str,
    outbound: Option<String>,
    inbound: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interfaces = match &self.interface {
            Some(interface) => vec![interface_name::find(&host, interface)?],
            None => {
                let rows = host.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
                // Those that went meanwhile are left out.
                rows.iter().filter_map(|row| host.interface_names(row.luid).ok()).collect()
            }
        };
        let mut rows = Vec::new();
        for names in &interfaces {
            for family in Family::ALL {
                match host.bandwidth_estimates(family, names.luid) {
                    Ok(estimates) => rows.push((names, family, estimates)),
                    Err(error) if is_left_out(error.kind(), self.interface.is_some()) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, rows.iter().map(document))?;
            out.flush()?;
        } else {
            print(&rows)?;
        }
        Ok(Exit::Success)
    }
}

/// A family that the interface or the host does not have, and an interface of many that went meanwhile.
fn is_left_out(kind: ErrorKind, is_named: bool) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotSupported)
        || kind == ErrorKind::InterfaceNotFound && !is_named
}

type Found<'a> = (&'a InterfaceNames, Family, BandwidthEstimates);

fn document((names, family, estimates): &Found<'_>) -> Row {
    let text = |bits: Option<u64>| bits.map(|bits| bits.to_string());
    Row {
        luid: names.luid.0.to_string(),
        index: names.index.0,
        interface: names.name.clone(),
        family: json::family(*family),
        outbound: text(estimates.outbound),
        inbound: text(estimates.inbound),
    }
}

fn print(rows: &[Found<'_>]) -> Result<(), Failure> {
    let mut table = table::new(&["Interface", "Family", "Outbound", "Inbound"], &[2, 3], output::width());
    for (names, family, estimates) in rows {
        let cell = |bits: Option<u64>| bits.map_or_else(|| "unknown".to_owned(), show_rate);
        let _ = table.add_row([
            sanitize(&names.name).into_owned(),
            family.to_string(),
            cell(estimates.outbound),
            cell(estimates.inbound),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    Ok(out.flush()?)
}
