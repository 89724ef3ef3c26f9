//! What our tables and sets hold, and which routes that follows from.

use super::allowed::{Allowed, Unclear};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::batch::send_all;
use crate::backend::linux::policy::converge::FamilyPolicy;
use crate::backend::linux::policy::guard;
use crate::backend::linux::policy::routes::{Lead, Place, copies_of, place, tells_of_addresses};
use crate::backend::linux::policy::{OPERATION, names};
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::link::flag;
use iphelper_netlink::rtnetlink::route::{News, Route};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known of both families; nothing of one for which nothing is set.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<KnownFamily>);

#[derive(Debug)]
struct KnownFamily {
    family: Family,
    /// Whether default routes are chosen by our table.
    guards_defaults: bool,
    /// Guarded interfaces, and where packets may go over them.
    guarded: BTreeMap<u32, Allowed>,
    strong: BTreeSet<u32>,
    /// The copies that are to be in our tables.
    wanted: HashMap<Place, Route>,
    /// Where they differ from what is there: what is there, if anything.
    dirty: HashMap<Place, Option<Route>>,
    /// Whether two copies would have had one place, so that which is where depends on the order of all.
    is_crowded: bool,
}

impl Known {
    pub(super) fn new(families: Vec<FamilyPolicy>, links: &[Link]) -> Self {
        Self(families.into_iter().filter_map(|family| KnownFamily::new(family, links)).collect())
    }

    /// Whether nothing is set, so that no route matters.
    pub(super) fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is to be written.
    pub(super) fn is_dirty(&self) -> bool {
        self.0.iter().any(|family| {
            !family.dirty.is_empty() || family.guarded.values().any(|allowed| !allowed.changes().is_empty())
        })
    }

    /// Takes an announced route in, without its state.
    pub(super) fn hear(&mut self, news: News, route: &Route) -> Result<(), Unclear> {
        let number = route.family;
        match self.0.iter_mut().find(|known| address_family(known.family) == number) {
            Some(known) => known.hear(news, route),
            None => Ok(()),
        }
    }

    /// Brings tables and sets up to what is known.
    pub(super) fn write(&mut self, host: &LinuxHost) -> Result<()> {
        for family in &mut self.0 {
            family.write_copies(host)?;
        }
        let changes = self.0.iter().flat_map(|known| {
            let changed = known.guarded.iter().filter(|(_, allowed)| !allowed.changes().is_empty());
            changed.map(|(index, allowed)| {
                let changes = allowed.changes();
                (known.family, InterfaceIndex(*index), &changes.gone, &changes.added)
            })
        });
        guard::exchange(host, changes)?;
        self.0.iter_mut().flat_map(|known| known.guarded.values_mut()).for_each(Allowed::settle);
        Ok(())
    }
}

impl KnownFamily {
    fn new(policy: FamilyPolicy, links: &[Link]) -> Option<Self> {
        let routes = policy.routes?;
        let family = policy.family;
        let mut guarded = BTreeMap::new();
        for index in routes.guarded() {
            let is_loopback = |link: &Link| link.index.0 == *index && link.has(flag::LOOPBACK);
            let always = routes.always_allowed(links.iter().any(is_loopback));
            let merged = routes.allowed(*index, links.iter().any(is_loopback));
            let mut allowed = Allowed::new(&always, &merged);
            for lead in routes.prefixes.get(index).into_iter().flatten() {
                allowed.know(lead.place, lead.route);
            }
            let _ = guarded.insert(*index, allowed);
        }
        let strong = routes.strong().clone();
        let guards_defaults = !guarded.is_empty();
        let wanted: HashMap<_, _> = policy.wanted.into_iter().map(|copy| (place(&copy), copy)).collect();
        let is_crowded = routes.is_crowded();
        Some(Self { family, guards_defaults, guarded, strong, wanted, dirty: HashMap::default(), is_crowded })
    }

    fn hear(&mut self, news: News, route: &Route) -> Result<(), Unclear> {
        if !self.strong.is_empty() && tells_of_addresses(route) {
            return Err(Unclear);
        }
        self.hear_of_prefix(news, route)?;
        self.hear_of_copies(news, route)
    }

    fn hear_of_prefix(&mut self, news: News, route: &Route) -> Result<(), Unclear> {
        if self.guarded.is_empty() {
            return Ok(());
        }
        let Some(lead) = Lead::of(self.family, route) else { return Ok(()) };
        if news == News::Replaced {
            // By which link it led is not told.
            for allowed in self.guarded.values_mut() {
                allowed.clear(lead.place)?;
            }
        }
        if route.interfaces().next().is_none() && route.next_hop_id.is_some() {
            return Err(Unclear);
        }
        for link in route.interfaces() {
            let Some(allowed) = self.guarded.get_mut(&link) else { continue };
            match news {
                News::Gone => allowed.remove(lead.place, lead.route)?,
                News::There | News::Replaced => allowed.add(lead.place, lead.route)?,
            }
        }
        Ok(())
    }

    fn hear_of_copies(&mut self, news: News, route: &Route) -> Result<(), Unclear> {
        let is_default = route.destination_len == 0;
        let copied = (is_default && self.guards_defaults) || !self.strong.is_empty();
        if route.table != names::MAIN_TABLE || !copied {
            return Ok(());
        }
        if self.is_crowded {
            return Err(Unclear);
        }
        if news == News::Replaced {
            // Whichever copies the old one had, they were in the places that this one would have in each table.
            let mut copy = route.clone();
            let tables = self.strong.iter().map(|link| names::INTERFACE_TABLES | link);
            for table in tables.chain([names::DEFAULTS_TABLE]).collect::<Vec<_>>() {
                copy.table = table;
                self.put(place(&copy), None);
            }
        }
        let guarded = |link: u32| self.guarded.contains_key(&link);
        let strong = |link: u32| self.strong.contains(&link);
        for copy in copies_of(route, guarded, self.guards_defaults, strong) {
            let place = place(&copy);
            match (news, self.wanted.get(&place)) {
                (News::Gone, Some(known)) if *known == copy => self.put(place, None),
                (News::Gone, None) => {}
                (News::There | News::Replaced, None) => self.put(place, Some(copy)),
                (News::There | News::Replaced, Some(known)) if *known == copy => {}
                _ => return Err(Unclear),
            }
        }
        Ok(())
    }

    fn put(&mut self, place: Place, copy: Option<Route>) {
        let old = match &copy {
            Some(copy) => self.wanted.insert(place, copy.clone()),
            None => self.wanted.remove(&place),
        };
        if old == copy {
            return;
        }
        match self.dirty.entry(place) {
            std::collections::hash_map::Entry::Occupied(first) => {
                if *first.get() == copy {
                    let _ = first.remove();
                }
            }
            std::collections::hash_map::Entry::Vacant(first) => {
                let _ = first.insert(old);
            }
        }
    }

    /// Adds copies before others are taken away, and what is on a link before what needs it.
    fn write_copies(&mut self, host: &LinuxHost) -> Result<()> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for (place, was) in self.dirty.drain() {
            match (self.wanted.get(&place), was) {
                (Some(copy), _) => new.push(copy),
                (None, Some(was)) => old.push(was),
                (None, None) => {}
            }
        }
        new.sort_by_key(|copy| (copy.gateway.is_some(), copy.priority));
        let mut socket = host.route.take()?;
        let refused = send_all(&mut socket, new.iter().map(|copy| copy.create_or_replace()))
            .map_err(|refusal| refusal.error(OPERATION).because("copying routes"))?;
        // Also where a link went down meanwhile: then all is read again.
        if let Some((_, refusal)) = refused.into_iter().next() {
            return Err(refusal.error(OPERATION).because("copying a route"));
        }
        let refused = send_all(&mut socket, old.iter().map(Route::delete))
            .map_err(|refusal| refusal.error(OPERATION).because("deleting copies of routes"))?;
        match refused.into_iter().find(|(_, refusal)| refusal.errno() != libc::ESRCH) {
            Some((_, refusal)) => Err(refusal.error(OPERATION).because("deleting the copy of a route")),
            None => Ok(()),
        }
    }
}
