//! Routes for people and for programs.

use crate::exit::Failure;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::units::show_duration;
use iphelper::interface::InterfaceLevel;
use iphelper::route::{MAIN_TABLE, Route, RouteKind};
use iphelper::{Host, InterfaceLuid};
use std::collections::BTreeMap;
use std::io::Write;

/// The names of interfaces, for rows that hold LUIDs.
pub(super) struct Names(BTreeMap<InterfaceLuid, String>);

impl Names {
    pub(super) fn read(host: &Host) -> iphelper::Result<Self> {
        let interfaces = host.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
        Ok(Self(interfaces.into_iter().map(|it| (it.luid, it.name)).collect()))
    }

    /// The name of a row's interface; `None` for a route over none, or over one that came just now.
    pub(super) fn of(&self, row: &Route) -> Option<&str> {
        self.0.get(&row.luid?).map(String::as_str)
    }
}

/// Writes rows as an array, one a line.
pub(super) fn write_json(rows: impl IntoIterator<Item = Route>, names: &Names) -> Result<(), Failure> {
    let mut out = json::stdout();
    let rows: Vec<Route> = rows.into_iter().collect();
    json::write_array(&mut out, rows.iter().map(|row| json::Route::new(row, names.of(row))))?;
    out.flush()?;
    Ok(())
}

/// Writes rows as a table.
pub(super) fn write_table(rows: &[Route], names: &Names) -> Result<(), Failure> {
    let headings = ["Destination", "Next hop", "Interface", "Metric", "Protocol", "Notes"];
    let mut table = table::new(&headings, &[3], output::width());
    for row in rows {
        let _ = table.add_row([
            row.destination.to_string(),
            next_hop(row),
            names.of(row).map_or_else(|| "-".to_owned(), |name| sanitize(name).into_owned()),
            row.metric.to_string(),
            row.protocol.to_string(),
            notes(row),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}

pub(super) fn next_hop(row: &Route) -> String {
    if row.next_hop.is_unspecified() { "-".to_owned() } else { row.next_hop.to_string() }
}

/// What the columns do not say.
fn notes(row: &Route) -> String {
    let mut notes = Vec::new();
    if row.kind != RouteKind::Unicast {
        notes.push(row.kind.to_string());
    }
    if row.table != MAIN_TABLE {
        notes.push(format!("table {}", row.table));
    }
    if let Some(multipath) = row.multipath {
        notes.push(format!("one of {} next hops, weight {}", multipath.hops, multipath.weight));
    }
    if let Some(object) = row.next_hop_object {
        notes.push(format!("nexthop object {object}"));
    }
    if let Some(source) = row.source {
        notes.push(format!("from {source}"));
    }
    if row.type_of_service != 0 {
        notes.push(format!("type of service {:#x}", row.type_of_service));
    }
    if let Some(lifetime) = row.valid_lifetime {
        notes.push(format!("ends in {}", show_duration(whole_seconds(lifetime))));
    }
    notes.join(", ")
}

pub(super) fn whole_seconds(time: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(time.as_secs())
}
