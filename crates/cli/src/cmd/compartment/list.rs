//! `iph compartment list`.

use super::rows::notes;
use crate::exit::{Exit, Failure};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::compartment::compartments;
use std::io::Write;

/// List compartments
///
/// Those that processes are in, that `ip netns` has a name for, or that are mounted elsewhere. Processes of other users
/// are counted where it can be told without a look into them.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph compartment list
  iph compartment list --json | jq '.[] | select(.is_current).id'"
)]
pub(crate) struct Args {
    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let rows = compartments()?;
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, rows.iter().map(json::Compartment::from))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        let mut table = table::new(&["Number", "Names", "Processes", "Notes"], &[0, 2], output::width());
        for row in &rows {
            let names = if row.names.is_empty() { "-".to_owned() } else { row.names.join(", ") };
            let _ = table.add_row([
                row.id.to_string(),
                sanitize(&names).into_owned(),
                row.processes.len().to_string(),
                notes(row),
            ]);
        }
        let mut out = output::people();
        table::write(&mut out, &table)?;
        out.flush()?;
        Ok(Exit::Success)
    }
}
