//! `iph route show`.

use super::arguments::{Destination, destination, next_hop, tables};
use super::rows::{Names, next_hop as show_next_hop, whole_seconds, write_json};
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, table};
use crate::sanitize::sanitize;
use crate::units::show_duration;
use iphelper::route::{Route, RouteQuery, RouteTables};
use iphelper::{Host, Prefix};
use std::io::Write;
use std::net::IpAddr;

/// Show everything about the routes to a destination
///
/// Every route of exactly this prefix, in every table unless one is named. `iph route get` tells which of all routes a
/// packet takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph route show default
  iph route show 203.0.113.0/24 --interface eth0 --json")]
pub(crate) struct Args {
    /// A prefix, an address, or `default` for the default routes of both families
    #[arg(value_parser = destination)]
    destination: Destination,

    /// Only routes by this router
    #[arg(long, short = 'v', visible_alias = "via", value_name = "ADDRESS", value_parser = next_hop)]
    next_hop: Option<IpAddr>,

    /// Only routes over this interface
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// The table: main, local, all or a number
    #[arg(long, value_parser = tables, value_name = "TABLE", default_value = "all")]
    table: RouteTables,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find_any(&host, self.interface.as_deref())?.map(Into::into);
        let query = RouteQuery { family: None, tables: self.table, interface };
        let mut rows = Vec::new();
        for row in host.routes_iter(&query)? {
            let row = row?;
            let is_wanted = match self.destination {
                Destination::Default => row.destination.len() == 0,
                Destination::Prefix(prefix) => row.destination == prefix,
            };
            if is_wanted && self.next_hop.is_none_or(|hop| row.next_hop == hop) {
                rows.push(row);
            }
        }
        if rows.is_empty() {
            return Err(Failure::new(Exit::NotFound, self.missing()));
        }
        let names = Names::read(&host)?;
        if self.json {
            write_json(rows, &names)?;
        } else {
            print(&rows, &names)?;
        }
        Ok(Exit::Success)
    }

    /// What to say where there is no such route. Who names a host mostly wants to know how packets get there.
    fn missing(&self) -> String {
        let all = "`iph route list --table all` shows all";
        match self.destination {
            Destination::Prefix(prefix) if prefix == Prefix::host(prefix.address()) => format!(
                "there is no route to exactly {prefix}; `iph route get {}` tells which route a packet takes, {all}",
                prefix.address()
            ),
            _ => format!("there is no such route; {all}"),
        }
    }
}

fn print(rows: &[Route], names: &Names) -> Result<(), Failure> {
    let mut out = output::people();
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        let mut table = table::new(&["Property", "Value"], &[], output::width());
        for (name, value) in properties(row, names) {
            let _ = table.add_row([name.to_owned(), value]);
        }
        table::write(&mut out, &table)?;
    }
    out.flush()?;
    Ok(())
}

fn properties(row: &Route, names: &Names) -> Vec<(&'static str, String)> {
    let none = || "-".to_owned();
    let or_none = |value: Option<String>| value.unwrap_or_else(none);
    let name = names.of(row).map(|name| sanitize(name).into_owned());
    let interface = match (name, row.index) {
        (Some(name), Some(index)) => format!("{name} (index {index})"),
        (None, Some(index)) => format!("index {index}"),
        _ => none(),
    };
    let lifetime = row.valid_lifetime.map(|time| show_duration(whole_seconds(time)));
    let multipath = row.multipath.map(|it| format!("one of {} next hops, weight {}", it.hops, it.weight));
    let beyond = row.beyond_row();
    vec![
        ("Destination", row.destination.to_string()),
        ("Next hop", show_next_hop(row)),
        ("Interface", interface),
        ("Metric", row.metric.to_string()),
        ("Metric in the kernel", row.system_metric.to_string()),
        ("Protocol", format!("{} (rtm_protocol {})", row.protocol, row.system_protocol)),
        ("Origin", row.origin.to_string()),
        ("Kind", row.kind.to_string()),
        ("Table", row.table.to_string()),
        ("Valid lifetime", lifetime.unwrap_or_else(|| "forever".to_owned())),
        ("Age", row.age.map_or_else(|| "unknown".to_owned(), show_duration)),
        ("Preferred source", or_none(row.preferred_source.map(|it| it.to_string()))),
        ("Packets from", or_none(row.source.map(|it| it.to_string()))),
        ("Type of service", format!("{:#x}", row.type_of_service)),
        ("Multipath", or_none(multipath)),
        ("Nexthop object", or_none(row.next_hop_object.map(|it| it.to_string()))),
        ("Encapsulated", if row.encapsulated { "yes" } else { "no" }.to_owned()),
        ("MTU", or_none(row.mtu.map(|it| it.to_string()))),
        ("Not in Windows' row", if beyond.is_empty() { none() } else { beyond.join(", ") }),
    ]
}
