//! `iph neighbor delete`.

use super::arguments::Name;
use super::rows::write;
use crate::exit::{Exit, Failure};
use crate::output;
use iphelper::Host;

/// Delete a neighbour, permanent or learned
///
/// What is sent to it next seeks it anew. Prints the row as it was.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "del",
    after_help = "\
Examples:
  sudo iph neighbor delete 192.0.2.7 --interface eth0
  iph neighbor delete fe80::7%eth0 --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// Check everything and say what would be deleted, but delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one neighbour, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = self.name.interface(&host)?;
        let address = self.name.address.ip;
        let row = if self.dry_run {
            host.plan_delete_neighbor(interface, address)
        } else {
            host.delete_neighbor(interface, address)
        }?;
        write(&[row], self.json)?;
        output::tell_dry_run(self.dry_run, "deleted");
        Ok(Exit::Success)
    }
}
