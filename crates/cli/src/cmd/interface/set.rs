//! `iph interface set`.

mod options;

use super::change;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use iphelper::Host;
use iphelper::ip_interface::IpInterfaceChange;

/// Change IP properties of an interface
///
/// Says what it changes from what to what, and which object of the kernel carries it. All or nothing: everything that
/// can be checked is checked before the first write, and when a later write fails, the earlier ones are put back; with
/// --ipv4 and --ipv6 together that holds for both families as one. A value equal to the present one is no change.
///
/// BOOL is true or false (or on, off, yes, no). TIME is 500ms, 30s, 10m, or a plain number of milliseconds.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph interface set eth0 --ipv4 --forwarding true --retransmit-time 500ms
  sudo iph interface set eth0 -6 --router-discovery disabled --dad-transmits 3
  iph interface set eth0 --ipv4 --ipv6 --mtu 1400 --dry-run")]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...)
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: String,

    /// Change the IPv4 side
    #[arg(short = '4', long)]
    ipv4: bool,

    /// Change the IPv6 side; both may be given, and change together
    #[arg(short = '6', long)]
    ipv6: bool,

    /// Check everything and say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    options: options::Options,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let change = self.options.change();
        if change == IpInterfaceChange::default() {
            return Err(Failure::usage(
                "nothing to change: give a property, such as --mtu 1400 (see --help)",
            ));
        }
        let host = Host::open()?;
        let key = interface_name::find(&host, &self.interface)?.luid;
        let wanted = match (self.ipv4, self.ipv6) {
            (false, false) => {
                return Err(Failure::usage("say which family to change: --ipv4, --ipv6 or both of them"));
            }
            (ipv4, ipv6) => [ipv4, ipv6].map(|family| family.then_some(&change)),
        };
        let changes = change::apply(&host, key, wanted, self.dry_run)?;
        change::report(&changes, self.json, self.dry_run)
    }
}
