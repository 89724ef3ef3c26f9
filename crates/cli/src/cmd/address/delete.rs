//! `iph address delete`.

use super::arguments::Name;
use super::rows::{anycast, write, write_members};
use crate::exit::{Exit, Failure};
use crate::output;
use iphelper::Host;

/// Delete an address, and no other
///
/// Other IPv4 addresses of the same prefix stay. A length after the address is not looked at.
/// Prints the address as it was.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "del",
    after_help = "\
Examples:
  sudo iph address delete 192.0.2.5 --interface eth0
  iph address delete fe80::5%eth0 --dry-run"
)]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// Delete one that was added with --anycast
    #[arg(long)]
    anycast: bool,

    /// Check everything and say what would be deleted, but delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one address, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = self.name.interface(&host)?;
        let ip = self.name.address.ip;
        if self.anycast {
            let row = if self.dry_run {
                host.plan_delete_anycast_address(interface, ip)
            } else {
                host.delete_anycast_address(interface, ip)
            }?;
            write_members(&[anycast(&row)], self.json)?;
        } else {
            let row = if self.dry_run {
                host.plan_delete_unicast_address(interface, ip)
            } else {
                host.delete_unicast_address(interface, ip)
            }?;
            write(&[row], self.json)?;
        }
        output::tell_dry_run(self.dry_run, "deleted");
        Ok(Exit::Success)
    }
}
