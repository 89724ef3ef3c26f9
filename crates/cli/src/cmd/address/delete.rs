//! `iph address delete`.

use super::arguments::Name;
use super::rows::write_changes;
use crate::exit::{Exit, Failure};
use crate::output::style::QUIET;
use iphelper::{Family, Host};
use std::io::Write;

/// Delete an address, and no other
///
/// Other IPv4 addresses of the same prefix stay. A length after the address is not looked at.
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

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = self.name.interface(&host)?;
        let ip = self.name.address.ip;
        let changes = match (self.anycast, self.dry_run) {
            (false, false) => host.delete_unicast_address(interface, ip),
            (false, true) => host.plan_delete_unicast_address(interface, ip),
            (true, false) => host.delete_anycast_address(interface, ip),
            (true, true) => host.plan_delete_anycast_address(interface, ip),
        }?;
        write_changes(Family::of(&ip), &changes, self.json)?;
        if self.dry_run {
            let _ = writeln!(anstream::stderr(), "{QUIET}dry run: nothing was deleted{QUIET:#}");
        }
        Ok(Exit::Success)
    }
}
