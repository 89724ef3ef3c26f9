//! `iph address add`.

use super::arguments::{Name, Origin, lifetime, origin};
use super::rows::{anycast, write, write_members};
use crate::exit::{Exit, Failure};
use crate::output;
use iphelper::Host;
use iphelper::address::{Lifetime, NewUnicastAddress};

/// Add an address
///
/// IPv6: it is tentative until the kernel has found out whether another computer has it. IPv4: while dad_transmits of the
/// interface is above 0, this command asks that first, and adds nothing that another computer has (code 1). Disabled
/// default routes, strong hosts and the interface's metric are looked after in the same call. Prints the address as it is
/// then.
///
/// TIME is 30s, 10m, 1h or forever.
///
/// Needs root (CAP_NET_ADMIN, for IPv4 detection CAP_NET_RAW); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph address add 192.0.2.5/24 --interface eth0
  sudo iph address add 192.0.2.6/24 --dev eth0 --skip-as-source
  iph address add 2001:db8::5/64 --dev eth0 --valid 1h --preferred 30m --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    name: Name,

    /// How long it can be used
    #[arg(long, value_name = "TIME", value_parser = lifetime, default_value = "forever")]
    valid: Lifetime,

    /// How long it is preferred for new connections; without it, as long as it can be used
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    preferred: Option<Lifetime>,

    /// Where it comes from: manual, dhcp, well_known, other, or a word for each half such as
    /// router_advertisement,random
    #[arg(long, value_name = "WORD", value_parser = origin)]
    origin: Option<Origin>,

    /// Never choose it as source of what says none
    #[arg(long)]
    skip_as_source: bool,

    /// Use it while it is being found out whether another computer has it
    #[arg(long)]
    optimistic: bool,

    /// Add it as one that other computers of the link may have, too
    #[arg(long, conflicts_with_all = ["valid", "preferred", "origin", "skip_as_source", "optimistic"])]
    anycast: bool,

    /// Check what can be checked and say what would be added, but ask nobody and add nothing
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
        let address = &self.name.address;
        if self.anycast {
            let row = if self.dry_run {
                host.plan_create_anycast_address(interface, address.ip)
            } else {
                host.create_anycast_address(interface, address.ip)
            }?;
            write_members(&[anycast(&row)], self.json)?;
        } else {
            let new = NewUnicastAddress {
                on_link_prefix_length: address.length,
                origins: self.origin,
                valid_lifetime: self.valid,
                preferred_lifetime: self.preferred.unwrap_or(self.valid),
                skip_as_source: self.skip_as_source,
                optimistic: self.optimistic,
                ..NewUnicastAddress::new(interface, address.ip)
            };
            let row = if self.dry_run {
                host.plan_create_unicast_address(&new)
            } else {
                host.create_unicast_address(&new)
            }?;
            write(&[row], self.json)?;
        }
        output::tell_dry_run(self.dry_run, "added");
        Ok(Exit::Success)
    }
}
