//! Changes of properties, for people and for programs.

use super::{json, table};
use crate::exit::Failure;
use crate::sanitize::sanitize;
use iphelper::Family;
use iphelper::ip_interface::PropertyChange;
use std::io::Write;

/// What carries a property, at the head of its column.
const CARRIER: &str = "Kernel object";

/// Writes what changes of one row, or would.
pub(crate) fn write(family: Family, changes: &[PropertyChange], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return write_json(changes.iter().map(|change| (family, change)));
    }
    print(changes, CARRIER)
}

/// The same of rows of both families, which are told apart.
pub(crate) fn write_of_families(changes: &[(Family, PropertyChange)], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return write_json(changes.iter().map(|(family, change)| (*family, change)));
    }
    let rows = changes.iter().map(|(family, change)| {
        let mut row = vec![family.to_string()];
        row.extend(cells(change));
        row
    });
    print_rows(&["Family", "Property", "From", "To", CARRIER], rows)
}

/// Writes changes for people; `carrier` is the head of the column that says what carries the property.
pub(crate) fn print(changes: &[PropertyChange], carrier: &str) -> Result<(), Failure> {
    print_rows(&["Property", "From", "To", carrier], changes.iter().map(|change| cells(change).to_vec()))
}

fn write_json<'a>(changes: impl Iterator<Item = (Family, &'a PropertyChange)>) -> Result<(), Failure> {
    let mut out = json::stdout();
    let documents = changes.map(|(family, change)| json::PropertyChange {
        family: json::family(family),
        property: change.property,
        from: &change.from,
        to: &change.to,
        mechanism: &change.mechanism,
    });
    json::write_array(&mut out, documents)?;
    Ok(out.flush()?)
}

fn cells(change: &PropertyChange) -> [String; 4] {
    let [from, to, mechanism] =
        [&change.from, &change.to, &change.mechanism].map(|text| sanitize(text).into_owned());
    [change.property.to_owned(), from, to, mechanism]
}

fn print_rows(headings: &[&str], rows: impl ExactSizeIterator<Item = Vec<String>>) -> Result<(), Failure> {
    let mut out = super::people();
    if rows.len() == 0 {
        writeln!(out, "nothing to change: every value is already so")?;
    } else {
        let mut table = table::new(headings, &[], super::width());
        for row in rows {
            let _ = table.add_row(row);
        }
        table::write(&mut out, &table)?;
    }
    Ok(out.flush()?)
}
