//! A table of connections, as `list` shows it and `delete` asks about it.

use crate::output::table::{self, Table};
use crate::sanitize::sanitize;
use iphelper::tcp::{Owner, TcpConnection};
use iphelper::{Host, InterfaceIndex};
use std::collections::HashMap;
use std::net::SocketAddr;

/// Names of interfaces, each looked up once.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    host: &'a Host,
    known: HashMap<u32, String>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { host, known: HashMap::new() }
    }

    /// The interface's name; its index where it is gone.
    pub(crate) fn name(&mut self, index: u32) -> &str {
        self.known.entry(index).or_insert_with(|| {
            let names = self.host.interface_names(InterfaceIndex(index));
            names.map_or_else(|_| index.to_string(), |names| sanitize(&names.name).into_owned())
        })
    }

    /// An end for people: the zone by its interface's name, `*` for an unspecified port.
    pub(crate) fn end(&mut self, end: SocketAddr) -> String {
        let port = match end.port() {
            0 => "*".to_owned(),
            port => port.to_string(),
        };
        match end {
            SocketAddr::V4(end) => format!("{}:{port}", end.ip()),
            SocketAddr::V6(end) if end.scope_id() == 0 => format!("[{}]:{port}", end.ip()),
            SocketAddr::V6(end) => format!("[{}%{}]:{port}", end.ip(), self.name(end.scope_id())),
        }
    }
}

/// The connections as a table for people. The interface has a column only where a connection is bound to one.
pub(crate) fn table(host: &Host, rows: &[TcpConnection], width: Option<u16>) -> Table {
    let mut names = Names::new(host);
    let bound = rows.iter().any(|row| row.interface_index.is_some());
    let mut headings = vec!["Local", "Remote", "State", "PID", "Process"];
    if bound {
        headings.push("Interface");
    }
    let mut table = table::new(&headings, &[3], width);
    for row in rows {
        let [pid, process] = owner_cells(row.owner.as_ref());
        let mut cells =
            vec![names.end(row.local), names.end(row.remote), row.state.to_string(), pid, process];
        if bound {
            cells.push(row.interface_index.map_or_else(String::new, |index| names.name(index.0).to_owned()));
        }
        let _ = table.add_row(cells);
    }
    table
}

/// The process id and the name of a socket's owner.
pub(crate) fn owner_cells(owner: Option<&Owner>) -> [String; 2] {
    match owner {
        Some(owner) => [owner.pid.to_string(), sanitize(&owner.name).into_owned()],
        None => ["-".to_owned(), "-".to_owned()],
    }
}
