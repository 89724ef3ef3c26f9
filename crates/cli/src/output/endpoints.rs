//! A table of UDP endpoints.

use super::connections::{Names, owner_cells};
use crate::output::table::{self, Table};
use iphelper::Host;
use iphelper::udp::UdpEndpoint;

/// The endpoints as a table for people. The interface has a column only where an endpoint is bound to one.
pub(crate) fn table(host: &Host, rows: &[UdpEndpoint], width: Option<u16>) -> Table {
    let mut names = Names::new(host);
    let bound = rows.iter().any(|row| row.interface_index.is_some());
    let interface = bound.then_some("Interface");
    let headings: Vec<_> =
        ["Local", "Remote", "Port", "PID", "Process"].into_iter().chain(interface).collect();
    let mut table = table::new(&headings, &[3], width);
    for row in rows {
        let remote = row.remote.map_or_else(|| "-".to_owned(), |remote| names.end(remote));
        let port = match row.specific_port_bind {
            Some(true) => "asked",
            Some(false) => "chosen",
            None => "-",
        };
        let mut cells = vec![names.end(row.local), remote, port.to_owned()];
        cells.extend(owner_cells(row.owner.as_ref()));
        if bound {
            cells.push(row.interface_index.map_or_else(String::new, |index| names.name(index.0).to_owned()));
        }
        let _ = table.add_row(cells);
    }
    table
}
