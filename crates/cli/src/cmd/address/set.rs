//! `iph address set`.

use super::arguments::{Name, Origin, lifetime, origin};
use crate::exit::{Exit, Failure};
use crate::output::{self, changes};
use iphelper::address::{Lifetime, UnicastAddressChange};
use iphelper::{Family, Host};

/// Change an address
///
/// What is not given stays as it is. The address can be used throughout; no other address, route or connection is lost.
/// A length after the address is the new length of its prefix.
///
/// TIME is 30s, 10m, 1h or forever.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph address set 192.0.2.5/25 --interface eth0
  sudo iph address set 192.0.2.5 --dev eth0 --skip-as-source true
  iph address set fe80::5%eth0 --preferred 0s --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// How long it can be used from now on
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    valid: Option<Lifetime>,

    /// How long it is preferred for new connections from now on
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    preferred: Option<Lifetime>,

    /// Where it comes from, see `iph address add`
    #[arg(long, value_name = "WORD", value_parser = origin)]
    origin: Option<Origin>,

    /// Whether never to choose it as source of what says none
    #[arg(long, value_name = "BOOL")]
    skip_as_source: Option<bool>,

    /// Check everything and say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let address = &self.name.address;
        let change = UnicastAddressChange {
            on_link_prefix_length: address.length,
            origins: self.origin,
            valid_lifetime: self.valid,
            preferred_lifetime: self.preferred,
            skip_as_source: self.skip_as_source,
        };
        if change == UnicastAddressChange::default() {
            return Err(Failure::usage(
                "nothing to change: give a length after the address, --valid, --preferred, --origin or \
                 --skip-as-source",
            ));
        }
        let host = Host::open()?;
        let interface = self.name.interface(&host)?;
        let changes = if self.dry_run {
            host.plan_set_unicast_address(interface, address.ip, &change)
        } else {
            host.set_unicast_address(interface, address.ip, &change)
        }?;
        changes::write(Family::of(&address.ip), &changes, self.json)?;
        output::tell_dry_run(self.dry_run, "changed");
        Ok(Exit::Success)
    }
}
