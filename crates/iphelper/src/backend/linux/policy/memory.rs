//! The state as it was last seen, to restore it from if somebody takes it away.
//!
//! What is set is in routes without device ([`STATE_TABLES`]), and rules and filters follow from them. Who may change it
//! holds the lock, so that a route which goes while nobody had it was taken away by one who does not know it.

use super::OPERATION;
use super::batch::send_all;
use super::marker::{index_of, routes_of};
use super::names::{ADVERTISING_TABLE, MARKERS, STATE_TABLE, STATE_TABLES};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::{Refusal, Socket};
use crate::error::Result;
use crate::types::InterfaceIndex;
use iphelper_netlink::message::{APPEND, CREATE};
use iphelper_netlink::rtnetlink::route::Route;
use std::collections::BTreeMap;

/// What a keeper remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    routes: Vec<Route>,
    /// Those of which it was announced since that somebody took them away: it may have been before all were read.
    lost: Vec<Route>,
}

/// The routes that hold the state.
pub(super) fn state_in(socket: &mut Socket) -> Result<Vec<Route>, Refusal> {
    let mut all = Vec::new();
    for table in STATE_TABLES {
        all.extend(routes_of(socket, table)?);
    }
    Ok(all)
}

impl LinuxHost {
    /// The routes that remember what is set of each interface, by its index. Needs no privilege.
    pub(in crate::backend::linux) fn set_by_hand(&self) -> Result<BTreeMap<InterfaceIndex, Vec<Route>>> {
        let mut socket = self.route.take()?;
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for table in [STATE_TABLE, MARKERS, ADVERTISING_TABLE] {
            let routes = routes_of(&mut socket, table);
            for route in routes.map_err(|refusal| refusal.error(OPERATION).because("reading what is set"))? {
                if let Some(index) = index_of(&route) {
                    found.entry(InterfaceIndex(index)).or_default().push(route);
                }
            }
        }
        Ok(found)
    }
}

fn state(host: &LinuxHost) -> Result<Vec<Route>> {
    let state = state_in(&mut *host.route.take()?);
    state.map_err(|refusal| refusal.error(OPERATION).because("reading what is set"))
}

impl Memory {
    pub(super) fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Whether the kernel has no state of ours.
    pub(super) fn is_kernel_empty(host: &LinuxHost) -> Result<bool> {
        Ok(state(host)?.is_empty())
    }

    /// Somebody took a route away.
    pub(super) fn lose(&mut self, route: Route) {
        /// More than all that can be set on some thousand interfaces.
        const MOST: usize = 65_536;
        if self.lost.len() < MOST {
            self.lost.push(route);
        }
    }

    /// Whether somebody took routes away since the last were put back.
    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Puts back what went, unless `others_locked`: then whoever had the lock may have meant it. The caller has the lock.
    pub(super) fn restore(&mut self, host: &LinuxHost, others_locked: bool) -> Result<()> {
        let lost = std::mem::take(&mut self.lost);
        if others_locked || self.routes.is_empty() && lost.is_empty() {
            return Ok(());
        }
        let there = state(host)?;
        let missing = self.routes.iter().chain(&lost).filter(|route| !there.contains(route));
        let refused = send_all(&mut *host.route.take()?, missing.map(|route| route.add(CREATE | APPEND)))
            .map_err(|refusal| refusal.error(OPERATION).because("putting back what is set"))?;
        match refused.into_iter().find(|(_, refusal)| refusal.errno() != libc::EEXIST) {
            Some((_, refusal)) => Err(refusal.error(OPERATION).because("putting back what is set")),
            None => Ok(()),
        }
    }

    /// Remembers what is there. The caller has the lock.
    pub(super) fn take(&mut self, host: &LinuxHost) -> Result<()> {
        self.routes = state(host)?;
        Ok(())
    }
}
