//! `iph neighbor list`.

use super::rows::write;
use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::interface_name;
use iphelper::Host;

/// List neighbours
///
/// Ordered by family, interface and address, as they are known now: nobody is asked, see `iph neighbor resolve`. Groups
/// (multicast) whose physical address was worked out are among them.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph neighbor list
  iph neighbor list -6 --interface eth0
  iph neighbor list --json | jq -r '.[] | select(.state == \"permanent\") | .address'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    families: Families,

    /// Only those on this interface
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find_any(&host, self.interface.as_deref())?;
        let mut rows = host.neighbors(self.families.get())?;
        rows.retain(|row| interface.is_none_or(|luid| row.luid == luid));
        write(&rows, self.json)?;
        Ok(Exit::Success)
    }
}
