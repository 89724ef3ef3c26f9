//! `iph neighbor set`.

use super::arguments::{Name, physical_address};
use crate::exit::{Exit, Failure};
use crate::output::style::QUIET;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::ip_interface::PropertyChange;
use iphelper::neighbor::{NeighborChange, PhysicalAddress};
use iphelper::{Family, Host};
use std::io::Write;

/// Change the physical address of a neighbour
///
/// The neighbour must be in the table, in whatever state. It is never in doubt then, unless --dynamic says so. Says what
/// it changes from what to what; what is so already is no change.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph neighbor set 192.0.2.1 --interface eth0 --mac 02:00:5e:00:53:01
  iph neighbor set fe80::1%eth0 --mac 02:00:5e:00:53:01 --dynamic --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// Its physical address, as long as the interface's own
    #[arg(long, short, visible_alias = "mac", value_name = "BYTES", value_parser = physical_address)]
    physical_address: PhysicalAddress,

    /// Let it be in doubt: the first packet asks whether it is there, and what it answers is learned
    #[arg(long)]
    dynamic: bool,

    /// Check everything and say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = self.name.interface(&host)?;
        let address = self.name.address.ip;
        let change = NeighborChange { physical_address: self.physical_address, permanent: !self.dynamic };
        let changes = if self.dry_run {
            host.plan_set_neighbor(interface, address, &change)
        } else {
            host.set_neighbor(interface, address, &change)
        }?;
        if self.json {
            let family = json::family(Family::of(&address));
            let documents = changes.iter().map(|change| document(family, change));
            let mut out = json::stdout();
            json::write_array(&mut out, documents)?;
            out.flush()?;
        } else {
            print(&changes)?;
        }
        if self.dry_run {
            let _ = writeln!(anstream::stderr(), "{QUIET}dry run: nothing was changed{QUIET:#}");
        }
        Ok(Exit::Success)
    }
}

fn document<'a>(family: &'static str, change: &'a PropertyChange) -> json::PropertyChange<'a> {
    json::PropertyChange {
        family,
        property: change.property,
        from: &change.from,
        to: &change.to,
        mechanism: &change.mechanism,
    }
}

fn print(changes: &[PropertyChange]) -> Result<(), Failure> {
    let mut out = output::people();
    if changes.is_empty() {
        writeln!(out, "nothing to change: every value is already so")?;
    } else {
        let mut table = table::new(&["Property", "From", "To", "Kernel object"], &[], output::width());
        for change in changes {
            let _ = table.add_row([
                change.property.to_owned(),
                change.from.clone(),
                change.to.clone(),
                sanitize(&change.mechanism).into_owned(),
            ]);
        }
        table::write(&mut out, &table)?;
    }
    out.flush()?;
    Ok(())
}
