//! `iph interface reset`.

use super::change;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use iphelper::{Family, Host};

/// Take back what is set of an interface and stays by itself
///
/// Those are the properties for which Linux has no setting of its own: disabled default routes, strong hosts, a metric, IPv4's
/// MTU below the device's, IPv4's probes for duplicates, router advertisements. They stay when the program ends that set
/// them, also where it was killed: `iph doctor` lists them. What Linux has a setting for (forwarding, times of neighbours,
/// the device's MTU and more) is left as it is.
///
/// All or nothing, as `iph interface set`. Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph interface reset eth0 --dry-run
  sudo iph interface reset eth0
  sudo iph interface reset eth0 --ipv6")]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...)
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: String,

    /// The IPv4 side alone
    #[arg(short = '4', long)]
    ipv4: bool,

    /// The IPv6 side alone
    #[arg(short = '6', long)]
    ipv6: bool,

    /// Say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let key = interface_name::find(&host, &self.interface)?.luid;
        let kept = host.kept_settings()?;
        let both = self.ipv4 == self.ipv6;
        let wanted = [(Family::V4, self.ipv4), (Family::V6, self.ipv6)].map(|(family, side)| {
            let kept = kept.iter().find(|it| it.luid == key && it.family == family)?;
            (both || side).then_some(&kept.undo)
        });
        let changes = change::apply(&host, key, wanted, self.dry_run)?;
        change::report(&changes, self.json, self.dry_run)
    }
}
