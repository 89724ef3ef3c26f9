//! `iph address list`.

use super::rows::{anycast, group, write, write_members};
use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::interface_name;
use iphelper::Host;

/// List addresses
///
/// Ordered by family, then interface. An IPv4 address that is being looked for before it is taken, or that another
/// computer has, is among them (tentative, duplicate), though the kernel does not have it.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph address list
  iph address list -6 --interface eth0
  iph address list --json | jq -r '.[] | select(.prefix_origin == \"dhcp\") | .address'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    families: Families,

    /// Only those on this interface
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// Instead, the addresses that other computers of the link may have, too
    #[arg(long, conflicts_with = "multicast")]
    anycast: bool,

    /// Instead, the groups that interfaces have joined
    #[arg(long)]
    multicast: bool,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find_any(&host, self.interface.as_deref())?;
        let family = self.families.get();
        let asked = |luid| interface.is_none_or(|asked| asked == luid);
        if self.anycast {
            let mut rows = host.anycast_addresses(family)?;
            rows.retain(|row| asked(row.luid));
            write_members(&rows.iter().map(anycast).collect::<Vec<_>>(), self.json)?;
        } else if self.multicast {
            let mut rows = host.multicast_addresses(family)?;
            rows.retain(|row| asked(row.luid));
            write_members(&rows.iter().map(group).collect::<Vec<_>>(), self.json)?;
        } else {
            let mut rows = host.unicast_addresses(family)?;
            rows.retain(|row| asked(row.luid));
            write(&rows, self.json)?;
        }
        Ok(Exit::Success)
    }
}
