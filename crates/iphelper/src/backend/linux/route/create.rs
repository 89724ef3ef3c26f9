//! Making routes.

use super::one_at_a_time::OneAtATime;
use super::plan::{Look, Planned, links_of, plan};
use super::row::Surroundings;
use super::write::{Undo, add, guards_follow, locked, note, refused};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::policy::send_all;
use crate::error::{Error, ErrorKind, Result};
use crate::route::{NewRoute, Route};
use crate::types::Family;
use std::collections::BTreeMap;

const OPERATION: &str = "creating a route";

/// What would be made.
pub(super) fn plan_route(host: &LinuxHost, new: &NewRoute) -> Result<Route> {
    let new = std::slice::from_ref(new);
    let (links, outcomes) = links_of(host, new, OPERATION);
    outcomes.into_iter().collect::<Result<()>>()?;
    let mut surroundings = Surroundings::of_new(host, &links, &families(new))?;
    let planned = plan(host, new, &links, &surroundings, Look::AtTable, OPERATION)?
        .pop()
        .unwrap_or_else(|| Err(lost()))?;
    row_of(&mut surroundings, &planned)
}

/// Makes routes, one outcome for each.
pub(super) fn create(host: &LinuxHost, new: &[NewRoute]) -> Result<Vec<Result<Route>>> {
    host.require_administrator(OPERATION)?;
    let (links, outcomes) = links_of(host, new, OPERATION);
    let wanted: Vec<NewRoute> =
        new.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(new, _)| *new).collect();
    let families = families(&wanted);
    let alone = OneAtATime::take(host, OPERATION)?;
    let (lock, mut surroundings) = locked(host, &links, &families)?;
    let planned = plan(host, &wanted, &links, &surroundings, Look::Quick, OPERATION)?;
    let mut made = write(host, &mut surroundings, planned)?;
    if let [Err(error)] = made.as_slice()
        && error.kind() == ErrorKind::AlreadyExists
    {
        // A route over an interface that is down may be in the way, where another place is free.
        let planned = plan(host, &wanted, &links, &surroundings, Look::AtTable, OPERATION)?;
        made = write(host, &mut surroundings, planned)?;
    }
    drop((lock, alone));
    let done: Vec<_> = made.iter().flatten().map(|(planned, _)| planned.route.clone()).collect();
    if !done.is_empty() {
        guards_follow(
            host,
            &links,
            &surroundings,
            &families,
            OPERATION,
            Undo { added: &done, ..Undo::default() },
        )?;
    }
    made.reverse();
    let outcome = |outcome: Result<()>| {
        outcome.and_then(|()| made.pop().unwrap_or_else(|| Err(lost())).map(|(_, row)| row))
    };
    Ok(outcomes.into_iter().map(outcome).collect())
}

fn families(new: &[NewRoute]) -> Vec<Family> {
    let mut families: Vec<_> = new.iter().map(|it| Family::of(&it.destination.address())).collect();
    families.sort_unstable();
    families.dedup();
    families
}

/// Writes down where routes will stand, then adds them.
fn write(
    host: &LinuxHost,
    surroundings: &mut Surroundings,
    planned: Vec<Result<Planned>>,
) -> Result<Vec<Result<(Planned, Route)>>> {
    let mut socket = host.route.take()?;
    note(host, &mut socket, surroundings, planned.iter().flatten(), OPERATION)?;
    let requests = planned.iter().flatten().map(|it| add(&it.route));
    let sent = send_all(&mut socket, requests).map_err(|refusal| refused(refusal, OPERATION))?;
    drop(socket);
    let mut refusals: BTreeMap<usize, _> = sent.into_iter().collect();
    let mut place = 0;
    let outcome = |planned: Result<Planned>| {
        let planned = planned?;
        let refusal = refusals.remove(&place);
        place += 1;
        match refusal {
            Some(refusal) => Err(refused(refusal, OPERATION)),
            None => row_of(surroundings, &planned).map(|row| (planned, row)),
        }
    };
    Ok(planned.into_iter().map(outcome).collect())
}

/// The row that a planned route is, or will be.
fn row_of(surroundings: &mut Surroundings, planned: &Planned) -> Result<Route> {
    let mut row = None;
    surroundings
        .rows(planned.route.clone(), |it| row = Some(it))
        .map_err(|refusal| refusal.error(OPERATION))?;
    row.map(|row| Route { metric: planned.metric, ..row }).ok_or_else(lost)
}

fn lost() -> Error {
    Error::new(crate::ErrorKind::InterfaceNotFound, OPERATION).because("the interface went away meanwhile")
}
