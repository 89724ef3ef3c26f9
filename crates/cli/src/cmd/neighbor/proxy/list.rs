//! `iph neighbor proxy list`.

use super::write;
use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::interface_name;
use iphelper::Host;

/// List the addresses that this host answers for on behalf of others
///
/// Ordered by family, interface and address. One without an interface is answered for on all.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph neighbor proxy list
  iph neighbor proxy list -6 --interface eth0 --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    families: Families,

    /// Only those that are answered for on this interface
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
        let mut rows = host.proxy_neighbors(self.families.get())?;
        rows.retain(|row| {
            let on = row.interface.as_ref().map(|interface| interface.luid);
            interface.is_none() || on.is_none() || on == interface
        });
        write(&rows, self.json)?;
        Ok(Exit::Success)
    }
}
