//! What goes without an announcement: IPv4 routes, with what they depend on.

use super::super::super::link::address_family;
use super::super::super::socket::Socket;
use super::reading::{self, Reason};
use super::rows::Cause;
use super::{News, State, drain};
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::link::{self, Selector};
use iphelper_netlink::rtnetlink::route::{self, Filter};
use iphelper_netlink::rtnetlink::table::{RowMessage, Subject};
use std::collections::HashSet;

/// What has happened that may have taken routes along.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Links that are gone.
    pub(super) gone: Vec<u32>,
    /// Links that were switched off.
    pub(super) down: Vec<u32>,
    /// IPv4 addresses that are gone. Kernels before 6.4 do not announce the end of routes that prefer them.
    sources: Vec<[u8; 4]>,
    /// Whether next hop objects have changed.
    pub(super) objects: bool,
}

impl Checks {
    fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.down.is_empty() && self.sources.is_empty() && !self.objects
    }

    pub(super) fn address_gone(&mut self, row: &RowMessage<'_>) {
        // Family, link, address.
        if let Some((_, address)) = row.key.as_bytes().split_first_chunk::<5>()
            && let Ok(address) = <[u8; 4]>::try_from(address)
        {
            self.sources.push(address);
        }
    }
}

/// Looks for the routes that are gone.
pub(super) fn settle(socket: &mut Socket, state: &mut State, news: &mut News) -> Result<()> {
    if state.checks.is_empty() || state.routes.is_none() {
        state.checks = Checks::default();
        return Ok(());
    }
    // A link is announced before its routes go, within one section of the kernel's lock, which this question needs too:
    // after its answer all is over, and announced.
    let _ = state.host.route.take()?.acknowledged(&mut link::get(Selector::Index(1)));
    drain(socket, state, news)?;
    let Checks { gone, down, sources, objects } = std::mem::take(&mut state.checks);
    let Some(routes) = &state.routes else { return Ok(()) };
    let mut again =
        sources.iter().any(|source| routes.is_from(*source)) || (objects && routes.uses_objects());
    let over =
        |links: Vec<u32>| -> Vec<u32> { links.into_iter().filter(|link| routes.is_over(*link)).collect() };
    let (gone, down) = (over(gone), over(down));
    // Another link is on the index by now, and some of the routes may be over that.
    again |= gone.iter().any(|link| state.links.is_present(*link));
    if again {
        return reading::read(socket, state, Subject::Route, Reason::Suspicion, news);
    }
    for link in gone {
        forget_over(state, link, &HashSet::default(), news)?;
    }
    for link in down {
        let mut left = HashSet::default();
        let filter = Filter { interface: Some(link), ..Filter::default() };
        let mut request = route::dump(address_family(Family::V4), filter);
        let dumped = state.host.route.take()?.snapshot(&mut request, HashSet::default, |left, message| {
            if let Some(row) = RowMessage::parse(message)? {
                let _ = left.insert((row.key.as_bytes().to_vec(), row.payload.to_vec()));
            }
            Ok(())
        });
        match dumped {
            Ok(found) => left = found,
            // The link is gone by now.
            Err(refusal) if refusal.errno() == libc::ENODEV => {}
            Err(refusal) => return Err(refusal.error("reading the routes over an interface")),
        }
        forget_over(state, link, &left, news)?;
    }
    Ok(())
}

/// Takes away the routes over a link but for those that are `left`.
fn forget_over(
    state: &mut State,
    link: u32,
    left: &HashSet<(Vec<u8>, Vec<u8>)>,
    news: &mut News,
) -> Result<()> {
    use iphelper_netlink::rtnetlink::table::alike;
    let State { host, links, routes, rows, .. } = state;
    let Some(routes) = routes else { return Ok(()) };
    rows.prepare(host, links, Subject::Route)?;
    let cause = Cause { requester: None, resynchronised: false };
    let is_left = |key: &[u8], row: &[u8]| {
        left.iter().any(|(other, found)| other == key && alike(Subject::Route, found, row))
    };
    routes.forget_over(link, is_left, |step| {
        rows.tell(host, links, Subject::Route, &step, &cause, news);
    });
    Ok(())
}
