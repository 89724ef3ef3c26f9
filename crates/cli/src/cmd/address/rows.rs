//! Addresses for people and for programs.

use crate::exit::Failure;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::units::show_duration;
use iphelper::address::{AnycastAddress, Lifetime, MulticastAddress, UnicastAddress};
use std::io::Write;
use std::time::Duration;

/// Writes rows as an array of objects or as a table.
pub(super) fn write(rows: &[UnicastAddress], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, rows.iter().map(json::UnicastAddress::from))?;
        out.flush()?;
        return Ok(());
    }
    let headings = ["Address", "Interface", "State", "Origin", "Valid", "Preferred", "Notes"];
    let mut table = table::new(&headings, &[], output::width());
    for row in rows {
        let (prefix, suffix) = (row.prefix_origin.to_string(), row.suffix_origin.to_string());
        let _ = table.add_row([
            format!("{}/{}", row.address, row.on_link_prefix_length),
            sanitize(&row.name).into_owned(),
            row.dad_state.to_string(),
            if prefix == suffix { prefix } else { format!("{prefix}, {suffix}") },
            time(row.valid_lifetime),
            time(row.preferred_lifetime),
            if row.skip_as_source { "never chosen as source" } else { "" }.to_owned(),
        ]);
    }
    finish(&table)
}

/// Anycast addresses and groups: address, interface, scope id.
pub(super) fn write_members<'a>(rows: &[json::AddressMember<'a>], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, rows)?;
        out.flush()?;
        return Ok(());
    }
    let mut table = table::new(&["Address", "Interface"], &[], output::width());
    for row in rows {
        let _ = table.add_row([row.address.to_string(), sanitize(row.interface).into_owned()]);
    }
    finish(&table)
}

pub(super) fn anycast(row: &AnycastAddress) -> json::AddressMember<'_> {
    json::AddressMember::new(row.address, row.luid, row.index, &row.name, row.scope_id)
}

pub(super) fn group(row: &MulticastAddress) -> json::AddressMember<'_> {
    json::AddressMember::new(row.address, row.luid, row.index, &row.name, row.scope_id)
}

fn time(lifetime: Lifetime) -> String {
    if lifetime.is_infinite() {
        return "forever".to_owned();
    }
    show_duration(Duration::from_secs(lifetime.as_secs().into()))
}

fn finish(table: &crate::output::table::Table) -> Result<(), Failure> {
    let mut out = output::people();
    table::write(&mut out, table)?;
    out.flush()?;
    Ok(())
}
