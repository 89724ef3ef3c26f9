//! Changes of properties, for people and for programs.

use super::{json, table};
use crate::exit::Failure;
use crate::sanitize::sanitize;
use iphelper::Family;
use iphelper::ip_interface::PropertyChange;
use std::io::Write;

/// Writes what changes of one row, or would.
pub(crate) fn write(family: Family, changes: &[PropertyChange], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        let documents = changes.iter().map(|change| json::PropertyChange {
            family: json::family(family),
            property: change.property,
            from: &change.from,
            to: &change.to,
            mechanism: &change.mechanism,
        });
        json::write_array(&mut out, documents)?;
        out.flush()?;
        return Ok(());
    }
    let mut out = super::people();
    if changes.is_empty() {
        writeln!(out, "nothing to change: every value is already so")?;
    } else {
        let mut table = table::new(&["Property", "From", "To", "Kernel object"], &[], super::width());
        for change in changes {
            let _ = table.add_row([
                change.property.to_owned(),
                sanitize(&change.from).into_owned(),
                sanitize(&change.to).into_owned(),
                sanitize(&change.mechanism).into_owned(),
            ]);
        }
        table::write(&mut out, &table)?;
    }
    out.flush()?;
    Ok(())
}
