//! `iph neighbor set`.

use super::arguments::Entry;
use crate::exit::{Exit, Failure};
use crate::output::{self, changes};
use iphelper::neighbor::NeighborChange;
use iphelper::{Family, Host};

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
    entry: Entry,

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
        let Entry { name, physical_address, dynamic } = self.entry;
        let interface = name.interface(&host)?;
        let address = name.address.ip;
        let change = NeighborChange { physical_address, permanent: !dynamic };
        let changes = if self.dry_run {
            host.plan_set_neighbor(interface, address, &change)
        } else {
            host.set_neighbor(interface, address, &change)
        }?;
        changes::write(Family::of(&address), &changes, self.json)?;
        output::tell_dry_run(self.dry_run, "changed");
        Ok(Exit::Success)
    }
}
