//! `iph neighbor add`.

use super::arguments::Entry;
use super::rows::write;
use crate::exit::{Exit, Failure};
use crate::output;
use iphelper::Host;
use iphelper::neighbor::NewNeighbor;

/// Add a neighbour
///
/// It is never in doubt, unless --dynamic says so, and lasts until it is deleted or the interface is switched off. What
/// is in the table already, in whatever state, is set with `iph neighbor set`. Prints the row as it is then.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph neighbor add 192.0.2.7 --interface eth0 --mac 02:00:5e:00:53:07
  iph neighbor add fe80::7%eth0 --mac 02-00-5E-00-53-07 --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    entry: Entry,

    /// Check everything and say what would be added, but add nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one neighbour, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let Entry { name, physical_address, dynamic } = self.entry;
        let interface = name.interface(&host)?;
        let new = NewNeighbor {
            permanent: !dynamic,
            ..NewNeighbor::new(interface, name.address.ip, physical_address)
        };
        let row = if self.dry_run { host.plan_create_neighbor(&new) } else { host.create_neighbor(&new) }?;
        write(&[row], self.json)?;
        output::tell_dry_run(self.dry_run, "added");
        Ok(Exit::Success)
    }
}
