//! `iph route set`.

use super::arguments::{Lifetime, Name, lifetime, protocol};
use crate::exit::{Exit, Failure};
use crate::output::{self, changes};
use crate::units;
use iphelper::Host;
use iphelper::route::{RouteChange, RouteProtocol};

/// Change a route
///
/// Only the one that is named: by destination, next hop and interface. The new one is there before the old one goes, so
/// that no packet finds none. Says what it changes from what to what.
///
/// TIME is 30s, 10m, 1h or forever; Linux ends IPv6 routes alone.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph route set default --next-hop 192.0.2.1 --interface eth0 --metric 50
  iph route set 203.0.113.0/24 --dev tun0 --metric 5 --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// Where there are several of this name: only the one with this metric
    #[arg(long, value_name = "NUMBER", value_parser = units::number)]
    of_metric: Option<u32>,

    /// The metric, added to that of the interface
    #[arg(long, value_name = "NUMBER", value_parser = units::number)]
    metric: Option<u32>,

    /// Who makes it: netmgmt, or a routing protocol such as ospf
    #[arg(long, value_name = "WORD", value_parser = protocol)]
    protocol: Option<RouteProtocol>,

    /// How long it stays, from now on
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    lifetime: Option<Lifetime>,

    /// Check everything and say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let change = RouteChange {
            metric: self.metric,
            protocol: self.protocol,
            valid_lifetime: self.lifetime.map(|lifetime| lifetime.0),
        };
        if change == RouteChange::default() {
            return Err(Failure::usage("nothing to change: give --metric, --protocol or --lifetime"));
        }
        let host = Host::open()?;
        let mut key = self.name.key(&host)?;
        key.metric = self.of_metric;
        let changes =
            if self.dry_run { host.plan_set_route(&key, &change) } else { host.set_route(&key, &change) }?;
        changes::write(iphelper::Family::of(&key.destination.address()), &changes, self.json)?;
        output::tell_dry_run(self.dry_run, "changed");
        Ok(Exit::Success)
    }
}
