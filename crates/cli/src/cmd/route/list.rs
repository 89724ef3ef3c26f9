//! `iph route list`.

use super::arguments::tables;
use super::rows::{Names, write_table};
use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::interface_name;
use crate::output::json;
use iphelper::Host;
use iphelper::route::{RouteQuery, RouteTables};
use std::io::Write;

/// List routes
///
/// One line for each next hop of each route, IPv4 before IPv6, as the kernel has them. The metric is that of the route
/// alone: the interface's, if it was set by hand, is added to it. Notes say what Windows has no word for.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph route list
  iph route list --table all -6
  iph route list --interface eth0 --json | jq -r '.[] | select(.origin == \"dhcp\") | .destination'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    families: Families,

    /// The table: main, local, all or a number
    #[arg(long, value_parser = tables, value_name = "TABLE", default_value = "main")]
    table: RouteTables,

    /// Only routes over this interface
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find_any(&host, self.interface.as_deref())?.map(Into::into);
        let family = self.families.get();
        let query = RouteQuery { family, tables: self.table, interface };
        let names = Names::read(&host)?;
        if self.json {
            // As they are read: a million routes need no memory.
            let mut failure = None;
            let mut out = json::stdout();
            let rows =
                host.routes_iter(&query)?.map_while(|row| row.map_err(|error| failure = Some(error)).ok());
            let rows = rows.map(|row| json::Route::new(&row, names.of(&row)));
            json::write_array(&mut out, rows)?;
            out.flush()?;
            failure.map_or(Ok(()), |error| Err(Failure::from(error)))?;
        } else {
            write_table(&host.routes(&query)?, &names)?;
        }
        Ok(Exit::Success)
    }
}
