//! `iph route delete`.

use super::arguments::Name;
use super::rows::{Names, write_json, write_table};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::units;
use iphelper::Host;

/// Delete a route
///
/// Exactly the one that is named: by destination, next hop and interface. Of a route with several next hops only this
/// one. Prints the route as it was.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "del",
    after_help = "\
Examples:
  sudo iph route delete 203.0.113.0/24 --next-hop 192.0.2.1 --interface eth0
  iph route delete default --dev tun0 --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// Where there are several of this name: only the one with this metric
    #[arg(long, value_name = "NUMBER", value_parser = units::number)]
    of_metric: Option<u32>,

    /// Check everything and say what would be deleted, but delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one route, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let mut key = self.name.key(&host)?;
        key.metric = self.of_metric;
        let names = Names::read(&host)?;
        let row = if self.dry_run { host.plan_delete_route(&key) } else { host.delete_route(&key) }?;
        if self.json {
            write_json([row], &names)?;
        } else {
            write_table(&[row], &names)?;
        }
        output::tell_dry_run(self.dry_run, "deleted");
        Ok(Exit::Success)
    }
}
