//! Routes over rtnetlink.

mod create;
mod delete;
mod find;
mod first;
mod one_at_a_time;
mod plan;
mod prefix;
mod protocol;
pub(super) mod row;
mod set;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub(super) use row::Surroundings;

use super::LinuxHost;
use crate::backend;
use crate::error::{ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::route::{NewRoute, Route, RouteChange, RouteKey, RouteQuery, Routes};

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

    fn create_routes(&self, new: &[NewRoute]) -> Result<Vec<Result<Route>>> {
        create::create(self, new)
    }

    fn plan_create_route(&self, new: &NewRoute) -> Result<Route> {
        create::plan_route(self, new)
    }

    fn set_route(&self, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>> {
        set::set(self, key, change)
    }

    fn plan_set_route(&self, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>> {
        set::plan_set(self, key, change)
    }

    fn delete_route(&self, key: &RouteKey) -> Result<Route> {
        delete::delete(self, key)
    }

    fn plan_delete_route(&self, key: &RouteKey) -> Result<Route> {
        delete::plan(self, key)
    }
}
