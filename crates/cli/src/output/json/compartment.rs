//! Compartments as JSON.

use iphelper::compartment;
use serde::Serialize;

/// A compartment: each field of `iphelper::compartment::Compartment`.
#[derive(Debug, Serialize)]
pub(crate) struct Compartment<'a> {
    id: u32,
    guid: String,
    inode: Option<u64>,
    names: &'a [String],
    paths: Vec<String>,
    processes: &'a [u32],
    is_current: bool,
}

impl<'a> From<&'a compartment::Compartment> for Compartment<'a> {
    fn from(row: &'a compartment::Compartment) -> Self {
        Self {
            id: row.id.0,
            guid: row.guid.to_string(),
            inode: row.inode,
            names: &row.names,
            paths: row.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            processes: &row.processes,
            is_current: row.is_current,
        }
    }
}
