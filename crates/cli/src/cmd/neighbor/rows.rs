//! Neighbours for people and for programs.

use crate::exit::Failure;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::units::show_duration;
use iphelper::neighbor::{Neighbor, NeighborState, PhysicalAddress};
use std::io::Write;
use std::time::Duration;

/// Writes rows as an array of objects or as a table.
pub(super) fn write(rows: &[Neighbor], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, rows.iter().map(json::Neighbor::from))?;
        out.flush()?;
        return Ok(());
    }
    let headings = ["Address", "Interface", "Physical address", "State", "Notes"];
    let mut table = table::new(&headings, &[], output::width());
    for row in rows {
        let _ = table.add_row([
            row.address.to_string(),
            sanitize(&row.name).into_owned(),
            physical(&row.physical_address),
            row.state.to_string(),
            notes(row),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}

/// A physical address; a dash where there is none.
pub(super) fn physical(address: &PhysicalAddress) -> String {
    if address.is_empty() { "-".to_owned() } else { address.to_string() }
}

/// What the columns do not say.
fn notes(row: &Neighbor) -> String {
    let ago = |age: Duration| show_duration(Duration::from_secs(age.as_secs()));
    let mut notes = Vec::new();
    if row.address.is_multicast() {
        notes.push("group".to_owned());
    }
    if row.is_router == Some(true) {
        notes.push("router".to_owned());
    }
    match (row.last_unreachable, row.last_reachable) {
        (Some(age), _) => notes.push(format!("gave no answer {} ago", ago(age))),
        (None, Some(age)) if row.state == NeighborState::Reachable => {
            notes.push(format!("confirmed {} ago", ago(age)));
        }
        _ => {}
    }
    if row.externally_learned {
        notes.push("another program's".to_owned());
    }
    if row.managed {
        notes.push("kept resolved".to_owned());
    }
    notes.join(", ")
}
