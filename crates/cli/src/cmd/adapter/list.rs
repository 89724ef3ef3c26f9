//! `iph adapter list`.

use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::adapter::{Adapter, AdapterQuery};
use std::io::Write;

/// List the interfaces with what belongs to them
///
/// Ordered by metric. Everything is of one moment. The table leaves groups, prefixes and more out; JSON has them, and so
/// has `iph adapter show`.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph adapter list
  iph adapter list -4
  iph adapter list --json | jq -r '.[] | select(.dhcp) | .interface'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    families: Families,

    /// Also interfaces that have none of the families
    #[arg(long, short)]
    all: bool,

    /// Print an array of the objects that `iph adapter show --json` prints
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let mut query = AdapterQuery { family: self.families.get(), ..AdapterQuery::default() };
        query.all_interfaces = self.all;
        let adapters = host.adapters(&query)?;
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, adapters.iter().map(json::Adapter::from))?;
            out.flush()?;
        } else {
            print(&adapters)?;
        }
        Ok(Exit::Success)
    }
}

fn print(adapters: &[Adapter]) -> Result<(), Failure> {
    let headings = ["Index", "Name", "State", "Metric", "Addresses", "Routers", "Name servers", "DHCP"];
    let mut table = table::new(&headings, &[0], output::width());
    for adapter in adapters {
        let metric = match (adapter.ipv4.map(|ip| ip.metric), adapter.ipv6.map(|ip| ip.metric)) {
            (None, None) => "-".to_owned(),
            (Some(v4), Some(v6)) if v4 == v6 => v4.to_string(),
            (v4, v6) => {
                let text = |metric: Option<u32>| metric.map_or("-".to_owned(), |metric| metric.to_string());
                format!("{}/{}", text(v4), text(v6))
            }
        };
        let addresses = adapter
            .unicast_addresses
            .iter()
            .map(|row| format!("{}/{}", row.address, row.on_link_prefix_length));
        let servers = adapter.dns.iter().flat_map(|dns| &dns.servers).map(ToString::to_string);
        let _ = table.add_row([
            adapter.interface.index.to_string(),
            sanitize(&adapter.interface.name).into_owned(),
            adapter.interface.oper_status.to_string(),
            metric,
            joined(addresses),
            joined(adapter.gateways.iter().map(|gateway| gateway.address.to_string())),
            sanitize(&joined(servers)).into_owned(),
            adapter.dhcp.as_ref().map_or("-".to_owned(), |lease| lease.client.to_string()),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}

/// The parts with blanks between; a dash for none.
pub(super) fn joined(parts: impl Iterator<Item = String>) -> String {
    let text = parts.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "-".to_owned() } else { text }
}
