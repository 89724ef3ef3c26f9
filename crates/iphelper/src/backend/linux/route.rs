//! Routes over rtnetlink.

mod find;
mod protocol;
pub(super) mod row;
mod table;

use super::LinuxHost;
use crate::backend;
use crate::error::{ErrorKind, Result};
use crate::route::{Route, RouteKey, RouteQuery, Routes};

/// What every error of reading was about.
const OPERATION: &str = "reading the forwarding table";
/// How often a table that changed while it was read is read again.
const ATTEMPTS: usize = 10;

impl backend::Route for LinuxHost {
    fn routes(&self, query: &RouteQuery) -> Result<Vec<Route>> {
        let mut attempt = 1;
        loop {
            match table::stream(self, query)?.collect() {
                Err(error) if error.kind() == ErrorKind::Interrupted && attempt < ATTEMPTS => attempt += 1,
                rows => return rows,
            }
        }
    }

    fn routes_iter(&self, query: &RouteQuery) -> Result<Routes> {
        Ok(Routes { rows: Box::new(table::stream(self, query)?) })
    }

    fn route(&self, key: &RouteKey) -> Result<Route> {
        find::route(self, key)
    }
}
