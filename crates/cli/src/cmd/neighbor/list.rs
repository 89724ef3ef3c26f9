//! `iph neighbor list`.

use super::arguments::Families;
use super::rows::write;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::neighbor::ProxyNeighbor;
use std::io::Write;

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

    /// Instead, the addresses that this host answers for on behalf of others
    #[arg(long)]
    proxies: bool,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = match &self.interface {
            Some(name) => Some(interface_name::find(&host, name)?.luid),
            None => None,
        };
        if self.proxies {
            let mut rows = host.proxy_neighbors(self.families.get())?;
            rows.retain(|row| {
                let on = row.interface.as_ref().map(|interface| interface.luid);
                interface.is_none() || on.is_none() || on == interface
            });
            write_proxies(&rows, self.json)?;
        } else {
            let mut rows = host.neighbors(self.families.get())?;
            rows.retain(|row| interface.is_none_or(|luid| row.luid == luid));
            write(&rows, self.json)?;
        }
        Ok(Exit::Success)
    }
}

fn write_proxies(rows: &[ProxyNeighbor], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, rows.iter().map(json::ProxyNeighbor::from))?;
        out.flush()?;
        return Ok(());
    }
    let mut table = table::new(&["Address", "Interface", "Notes"], &[], output::width());
    for row in rows {
        let interface = row.interface.as_ref();
        let _ = table.add_row([
            row.address.to_string(),
            interface.map_or_else(|| "all".to_owned(), |it| sanitize(&it.name).into_owned()),
            if row.is_router { "told to be a router" } else { "" }.to_owned(),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}
