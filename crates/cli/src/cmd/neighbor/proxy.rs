//! `iph neighbor proxy`: the addresses that this host answers for on behalf of others.

mod change;
mod list;

use crate::exit::{Exit, Failure};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use clap::Subcommand;
use iphelper::neighbor::ProxyNeighbor;
use std::io::Write;

/// The addresses that this host answers for on behalf of others (proxy ARP)
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Add(change::Add),
    Delete(change::Delete),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Add(args) => args.run(),
            Self::Delete(args) => args.run(),
        }
    }
}

/// Writes rows as an array of objects or as a table.
fn write(rows: &[ProxyNeighbor], as_json: bool) -> Result<(), Failure> {
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
