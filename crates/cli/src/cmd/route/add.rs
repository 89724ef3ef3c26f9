//! `iph route add`.

use super::arguments::{Lifetime, Name, lifetime, protocol};
use super::rows::{Names, write_json, write_table};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::units;
use iphelper::Host;
use iphelper::route::{MAIN_TABLE, NewRoute, RouteProtocol};

/// Add a route
///
/// Beside all others to the same destination: routes over other interfaces and by other routers stay. Prints the route
/// as it is then. Disabled default routes and strong hosts are looked after in the same call.
///
/// The metric is added to that of the interface. TIME is 30s, 10m, 1h or forever; Linux ends IPv6 routes alone.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph route add 203.0.113.0/24 --next-hop 192.0.2.1 --interface eth0 --metric 10
  sudo iph route add default --interface tun0
  iph route add 2001:db8::/32 --via fe80::1 --dev eth0 --lifetime 1h --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// The metric, added to that of the interface
    #[arg(long, value_name = "NUMBER", value_parser = units::number, default_value = "0")]
    metric: u32,

    /// Who makes it: netmgmt, or a routing protocol such as ospf
    #[arg(long, value_name = "WORD", value_parser = protocol, default_value = "netmgmt")]
    protocol: RouteProtocol,

    /// How long it stays
    #[arg(long, value_name = "TIME", value_parser = lifetime, default_value = "forever")]
    lifetime: Lifetime,

    /// Check what can be checked and say what would be added, but add nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one route, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let key = self.name.key(&host)?;
        let new = NewRoute {
            metric: self.metric,
            protocol: self.protocol,
            valid_lifetime: self.lifetime.0,
            table: key.table.unwrap_or(MAIN_TABLE),
            ..NewRoute::new(key.destination, key.next_hop, key.interface)
        };
        let row = if self.dry_run { host.plan_create_route(&new) } else { host.create_route(&new) }?;
        let names = Names::read(&host)?;
        if self.json {
            write_json([row], &names)?;
        } else {
            write_table(&[row], &names)?;
        }
        output::tell_dry_run(self.dry_run, "added");
        Ok(Exit::Success)
    }
}
