//! `iph compartment show`.

use super::rows::notes;
use super::selector::{Selector, selector};
use crate::exit::{Exit, Failure};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::compartment::{compartments, current_thread_compartment};
use std::io::Write;

/// Show a compartment: its number, GUID, names and processes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph compartment show
  iph compartment show blue
  iph compartment show pid:4711 --json")]
pub(crate) struct Args {
    /// A number, a name of `ip netns`, or pid:NUMBER; without one, the compartment that this command runs in
    #[arg(value_parser = selector)]
    compartment: Option<Selector>,

    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        // Kept open while it is looked at: a number that is given out again would be another's.
        let open = self.compartment.as_ref().map(Selector::open).transpose()?;
        let id = open.as_ref().map_or_else(current_thread_compartment, |open| Ok(open.id()))?;
        let row = compartments()?.into_iter().find(|row| row.id == id).ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                "the compartment has ended meanwhile; `iph compartment list` shows the others",
            )
        })?;
        if self.json {
            let mut out = json::stdout();
            json::write(&mut out, &json::Compartment::from(&row))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        let list = |texts: Vec<String>| if texts.is_empty() { "-".to_owned() } else { texts.join(" ") };
        let mut table = table::new(&["Property", "Value"], &[], output::width());
        let names = row.names.iter().map(|name| sanitize(name).into_owned()).collect();
        for (property, value) in [
            ("number", row.id.to_string()),
            ("GUID", row.guid.to_string()),
            ("namespace", row.inode.map_or_else(|| "unknown".to_owned(), |inode| format!("net:[{inode}]"))),
            ("names", list(names)),
            ("processes", list(row.processes.iter().map(ToString::to_string).collect())),
            ("notes", list(vec![notes(&row)])),
        ] {
            let _ = table.add_row([property.to_owned(), value]);
        }
        let mut out = output::people();
        table::write(&mut out, &table)?;
        out.flush()?;
        Ok(Exit::Success)
    }
}
