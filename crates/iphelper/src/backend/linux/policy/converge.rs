//! Makes rules, filter and routes hold what is set, in an order that leaves no gap.

use super::OPERATION;
use super::exclusive::PolicyLock;
use super::forwarding;
use super::guard::{self, Addresses, Extent, Guard};
use super::names::{DEFAULTS_TABLE, FILTER_TABLE, INTERFACE_TABLES, RULE_PRIORITY, STATE_TABLE, digit};
use super::routes::{Routes, place, ranges_of};
use super::rules::{self, Detours};
use super::settings::{Marker, Property, Setting, Settings, having, tag};
use super::state_file::StateCopy;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::socket::{Pooled, Refusal};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper_netlink::message::Request;
use iphelper_netlink::rtnetlink::link::{change, devconf4, flag};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route};
use iphelper_netlink::rtnetlink::rule::Rule;
use std::collections::{BTreeMap, BTreeSet};

impl LinuxHost {
    /// What is set on which of `links`. An ordinary user sees the markers; who may read the packet filter both.
    pub(in crate::backend::linux) fn policy_settings(&self, links: &[Link]) -> Result<Settings> {
        let markers = self.policy_markers()?;
        let guard = Guard::read_if_permitted(self)?.unwrap_or_default();
        Ok(settings_of(&markers, &guard, links))
    }

    fn policy_markers(&self) -> Result<BTreeSet<Marker>> {
        let markers = self.routes_of_table(Family::V4, STATE_TABLE, |route| Marker::read(&route))?;
        Ok(markers.into_iter().collect())
    }

    pub(super) fn routes_of_table<T>(
        &self,
        family: Family,
        table: u32,
        read: impl Fn(Route) -> Option<T>,
    ) -> Result<Vec<T>> {
        let routes = self.route.take()?.snapshot(
            &mut route::dump(address_family(family), Filter { table: Some(table), ..Filter::default() }),
            Vec::new,
            |routes, message| {
                let route = Route::parse(message)?.filter(|route| route.table == table);
                routes.extend(route.and_then(&read));
                Ok(())
            },
        );
        match routes {
            // No such table, or no such family.
            Err(refusal)
                if matches!(refusal.errno(), libc::ENOENT | libc::EAFNOSUPPORT | libc::EOPNOTSUPP) =>
            {
                Ok(Vec::new())
            }
            routes => routes.map_err(|refusal| refusal.error(OPERATION).because("listing routes")),
        }
    }

    /// Sets a property of an interface, or takes it away.
    pub(in crate::backend::linux) fn set_policy(&self, setting: Setting, is_set: bool) -> Result<()> {
        let lock = PolicyLock::take(self)?;
        let (policy, mut settings) = Policy::read(self)?;
        let mut change = |setting| {
            let _ = if is_set { settings.insert(setting) } else { settings.remove(&setting) };
        };
        change(setting);
        if setting.property == Property::StrongReceive && setting.family == Family::V4 {
            // ARP must not answer for other interfaces' addresses either, unless it does not already.
            let answers = |link: &Link| link.ipv4.is_some_and(|ipv4| ipv4.arp_ignore == 0);
            if !is_set || policy.links.iter().any(|link| link.index == setting.index && answers(link)) {
                change(Setting { property: Property::RaisedArpIgnore, ..setting });
            }
        }
        let mut done = policy.converge(&settings).map(drop);
        if is_set && setting.property == Property::Forwarding {
            done = done.and_then(|()| forwarding::raise(self));
        }
        drop(lock);
        done
    }

    /// Puts back what is set if somebody took all of it out of the kernel, as far as a copy was kept.
    pub(in crate::backend::linux) fn restore_policy(&self) -> Result<()> {
        if StateCopy::is_needed(self) {
            drop(PolicyLock::take(self)?);
        }
        Ok(())
    }

    /// Whether rules, filter and routes have nothing of ours to hold, and nothing that a caller which was killed left.
    pub(super) fn is_free_of_policy(&self) -> Result<bool> {
        if !self.policy_markers()?.is_empty()
            || !Guard::read_if_permitted(self)?.is_none_or(|guard| guard.is_absent())
        {
            return Ok(false);
        }
        for family in Family::ALL {
            if rules::read(self, family).is_ok_and(|rules| !rules.is_empty())
                || !self.routes_of_table(family, DEFAULTS_TABLE, |_| Some(()))?.is_empty()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes rules, filter and routes follow a change of routes of `families`, as [`reconcile_policy`](Self::reconcile_policy)
    /// does, where anything is set or something is left half done of which the caller knows.
    ///
    /// Where nothing is set this is all that a change of routes costs beside its own messages. So only that is asked which
    /// routes have an effect on: markers, filter, and rules that a caller which was killed may have left without both.
    pub(in crate::backend::linux) fn policy_follows_routes(
        &self,
        families: &[Family],
        is_half_done: bool,
    ) -> Result<()> {
        let is_free = !is_half_done
            && !Guard::is_there(self)
            && self.policy_markers()?.is_empty()
            && !families.iter().any(|family| rules::read(self, *family).is_ok_and(|it| !it.is_empty()))
            && !StateCopy::is_needed(self);
        if is_free { Ok(()) } else { self.reconcile_policy() }
    }

    /// Makes rules, filter and routes hold what is set, as far as others' changes have made them differ: new default
    /// routes and prefixes, a flushed filter, rules taken away. Nothing is done where nothing is set.
    pub(in crate::backend::linux) fn reconcile_policy(&self) -> Result<()> {
        let _ = self.settle_router_unlocked()?;
        let settings = self.route_settings()?;
        if settings.has_unfinished_metric() {
            let mut links = self.links(OPERATION)?;
            links
                .retain(|link| Family::ALL.iter().any(|family| settings.is_metric_unfinished(*family, link)));
            if !links.is_empty() {
                let _lock = PolicyLock::take(self)?;
                // What cannot be completed is told by the next call that is about it.
                let _ = self.finish_metrics(&links);
            }
        }
        if self.is_free_of_policy()? && !StateCopy::is_needed(self) {
            return Ok(());
        }
        let _lock = PolicyLock::take(self)?;
        self.reconcile_locked_policy().map(drop)
    }

    /// The same for who has the lock, and what was read for it.
    pub(super) fn reconcile_locked_policy(&self) -> Result<Reconciled> {
        let (policy, settings) = Policy::read(self)?;
        let families = policy.converge(&settings)?;
        Ok(Reconciled { families, links: policy.links })
    }
}

/// What was read and made to hold.
pub(super) struct Reconciled {
    pub(super) families: Vec<FamilyPolicy>,
    pub(super) links: Vec<Link>,
}

/// What markers and filter say is set on `links`. What they say of an interface that is gone, or of another that has its
/// index now, is not.
fn settings_of(markers: &BTreeSet<Marker>, guard: &Guard, links: &[Link]) -> Settings {
    if markers.is_empty() && guard.is_empty() {
        return Settings::new();
    }
    let links: BTreeMap<InterfaceIndex, InterfaceLuid> =
        links.iter().map(|link| (link.index, link.luid())).collect();
    let mut settings = guard.settings(|index| links.get(&index).copied());
    settings.retain(|setting| links.get(&setting.index) == Some(&setting.luid));
    settings.extend(markers.iter().filter_map(|marker| {
        let index = InterfaceIndex(marker.index);
        let Marker { family, property, .. } = *marker;
        let setting = Setting { family, property, index, luid: *links.get(&index)? };
        (marker.is_of(&setting) && property != Property::Clearing).then_some(setting)
    }));
    // A note of what was raised is worth something only beside what it was raised for.
    let noted = |setting: &Setting| Setting { property: Property::StrongReceive, ..*setting };
    let held = settings.clone();
    settings.retain(|it| it.property != Property::RaisedArpIgnore || held.contains(&noted(it)));
    settings
}

/// The kernel objects that carry a property of an interface, as `ip` and `nft` name them.
pub(in crate::backend::linux) fn mechanism(setting: &Setting) -> String {
    let Setting { family, property, index, .. } = *setting;
    let d = digit(family);
    let (sets, rest) = match property {
        Property::DisableDefaultRoutes => (
            format!("map ddr{d}, chain ddr{d}-{index}, set onlink{d}-{index}"),
            format!(", ip rules {RULE_PRIORITY}, ip route table {DEFAULTS_TABLE}"),
        ),
        Property::StrongSend => (
            format!("sets strong-send{d}, strong-from{d}"),
            format!(", ip rules {RULE_PRIORITY}, ip route table {}", INTERFACE_TABLES | index.0),
        ),
        Property::Forwarding => {
            (format!("set {}", property.set_name(family)), ", net.ipv6.conf.all.forwarding".to_owned())
        }
        _ if family == Family::V4 => {
            (format!("set {}", property.set_name(family)), format!(", arp_ignore of interface {index}"))
        }
        _ => (format!("set {}", property.set_name(family)), String::new()),
    };
    format!("nft table inet {FILTER_TABLE} ({sets}){rest}, ip route table {STATE_TABLE}")
}

/// Our part of the kernel as it was read, under the lock.
struct Policy<'a> {
    host: &'a LinuxHost,
    markers: BTreeSet<Marker>,
    guard: Guard,
    links: Vec<Link>,
}

/// One family's part of it.
pub(super) struct FamilyPolicy {
    pub(super) family: Family,
    /// Whether default routes are chosen by our table.
    guards_defaults: bool,
    rules: Vec<Rule>,
    wanted_rules: Vec<Rule>,
    detours: Detours,
    present: Vec<Route>,
    pub(super) wanted: Vec<Route>,
    /// All that the routes say; `None` where nothing of this family needs them.
    pub(super) routes: Option<Routes>,
}

impl<'a> Policy<'a> {
    /// Reads what is there, and what that says is set.
    fn read(host: &'a LinuxHost) -> Result<(Self, Settings)> {
        let markers = host.policy_markers()?;
        let guard = guard_now(host)?;
        let links = host.links(OPERATION)?;
        let mut settings = settings_of(&markers, &guard, &links);
        let forwards = |setting: &Setting| setting.property == Property::Forwarding;
        if settings.iter().any(forwards) && !forwarding::is_raised(host)? {
            settings.retain(|setting| !forwards(setting));
        }
        Ok((Self { host, markers, guard, links }, settings))
    }

    /// Makes everything hold `settings`.
    ///
    /// Towards more guard: the filter is prepared, which shows what the kernel lacks; our tables are filled, then come
    /// the rules in their order, then the filter gets the interface, then the marker. Towards less: the reverse. So no
    /// packet finds a way in between that neither state allows, and nobody reads of a guard that does not hold yet.
    fn converge(&self, settings: &Settings) -> Result<Vec<FamilyPolicy>> {
        let (mut families, mut addresses) = (Vec::new(), Addresses::default());
        let forwards = |property| property == Property::Forwarding;
        let shall_forward = settings.iter().any(|setting| forwards(setting.property));
        let forwarded = self.guard.has(Family::V6, Property::Forwarding)
            || self.markers.iter().any(|marker| forwards(marker.property));
        if forwarded && !shall_forward {
            // While the filter still tells what may be forwarded.
            forwarding::lower(self.host)?;
        }
        for family in Family::ALL {
            families.extend(self.read_family(family, settings, &mut addresses)?);
        }
        if !settings.is_empty() && self.guard.is_absent() {
            guard::install(self.host, settings, &addresses, Extent::Prepare)?;
        }
        let mut clearing = self.clear_markers(settings)?;
        self.note_new_tables(settings, &mut clearing)?;
        for family in &families {
            self.copy_routes(family, false)?;
            if family.wanted_rules.iter().any(|rule| !family.rules.contains(rule)) {
                rules::install(self.host, &family.wanted_rules, &family.rules)?;
            }
            family.detours.open(self.host)?;
        }
        guard::install(self.host, settings, &addresses, Extent::Complete)?;
        for family in &families {
            family.detours.close(self.host)?;
            let rules = rules::read(self.host, family.family)?;
            if rules != family.wanted_rules {
                rules::install(self.host, &family.wanted_rules, &rules)?;
            }
            self.copy_routes(family, true)?;
            self.trim_routes(family)?;
        }
        for marker in clearing {
            gone_is_fine(send(self.host, marker.route().delete(), "deleting a note"))?;
        }
        self.set_markers(settings)?;
        if shall_forward {
            forwarding::finish_raising(self.host)?;
        }
        Ok(families)
    }

    /// Takes markers away that are not set any more, and what they note; gives the notes of what is being cleared.
    fn clear_markers(&self, settings: &Settings) -> Result<BTreeSet<Marker>> {
        let (mut clearing, others): (BTreeSet<_>, BTreeSet<_>) =
            self.markers.iter().partition(|marker| marker.property == Property::Clearing);
        let members = self.guard.settings(|_| None);
        let known: BTreeSet<Marker> = others.iter().copied().chain(members.iter().map(Marker::of)).collect();
        for marker in &known {
            if settings.iter().any(|setting| marker.is_of(setting)) {
                continue;
            }
            match marker.property {
                // Its table is in no list, so a note must stay until it is empty.
                Property::StrongSend => {
                    let note = Marker { property: Property::Clearing, ..*marker };
                    send(self.host, note.route().create_or_replace(), "noting what is cleared")?;
                    let _ = clearing.insert(note);
                }
                Property::RaisedArpIgnore => {
                    let is = |link: &&Link| link.index.0 == marker.index && tag(link.luid()) == marker.tag;
                    // Another value is somebody else's by now.
                    let raised = |link: &Link| link.ipv4.is_some_and(|ipv4| ipv4.arp_ignore == 1);
                    if self.links.iter().find(is).is_some_and(raised) {
                        let request = change::set_ipv4_configuration(marker.index, devconf4::ARP_IGNORE, 0);
                        send(self.host, request, "putting arp_ignore back")?;
                    }
                }
                _ => {}
            }
            if others.contains(marker) {
                gone_is_fine(send(self.host, marker.route().delete(), "deleting a marker"))?;
            }
        }
        Ok(clearing)
    }

    /// Notes the tables that are about to be filled, so that whoever gives up half-way, or comes after one who was killed,
    /// finds them.
    fn note_new_tables(&self, settings: &Settings, clearing: &mut BTreeSet<Marker>) -> Result<()> {
        for setting in settings.iter().filter(|setting| setting.property == Property::StrongSend) {
            let note = Marker { property: Property::Clearing, ..Marker::of(setting) };
            if !self.markers.contains(&Marker::of(setting)) && clearing.insert(note) {
                send(self.host, note.route().create_or_replace(), "noting a table that is filled")?;
            }
        }
        Ok(())
    }

    /// Sets the markers, and what they note before those that tell of it.
    fn set_markers(&self, settings: &Settings) -> Result<()> {
        let add = |setting: &Setting| {
            let marker = Marker::of(setting);
            if self.markers.contains(&marker) {
                return Ok(());
            }
            send(self.host, marker.route().create_or_replace(), "adding a marker")
        };
        let is_note = |setting: &&Setting| setting.property == Property::RaisedArpIgnore;
        for note in settings.iter().filter(is_note) {
            add(note)?;
            let answers =
                |link: &Link| link.index == note.index && link.ipv4.is_some_and(|ipv4| ipv4.arp_ignore == 0);
            if self.links.iter().any(answers) {
                let request = change::set_ipv4_configuration(note.index.0, devconf4::ARP_IGNORE, 1);
                send(self.host, request, "raising arp_ignore")?;
            }
        }
        settings.iter().filter(|setting| !is_note(setting)).try_for_each(add)
    }

    /// `None` where the kernel lacks the family, of which nothing is set then.
    fn read_family(
        &self,
        family: Family,
        settings: &Settings,
        addresses: &mut Addresses,
    ) -> Result<Option<FamilyPolicy>> {
        let guarded = having(settings, family, Property::DisableDefaultRoutes);
        let strong = having(settings, family, Property::StrongSend);
        let was_strong = self.markers.iter().any(|marker| {
            marker.family == family && matches!(marker.property, Property::StrongSend | Property::Clearing)
        });
        let is_unused = guarded.is_empty() && strong.is_empty();
        let rules = match rules::read(self.host, family) {
            Err(error) if error.kind() == ErrorKind::NotSupported && is_unused => return Ok(None),
            rules => rules?,
        };
        if is_unused && !was_strong && !self.guard.has(family, Property::StrongSend) {
            let present = self.host.routes_of_table(family, DEFAULTS_TABLE, |route| Some(route.settled()))?;
            let (wanted_rules, wanted) = (Vec::new(), Vec::new());
            // They are taken away before the rules.
            let detours =
                if rules.is_empty() { Detours::default() } else { Detours::read(self.host, family, false)? };
            return Ok(Some(FamilyPolicy {
                family,
                guards_defaults: false,
                rules,
                wanted_rules,
                detours,
                present,
                wanted,
                routes: None,
            }));
        }
        let start = || Routes::new(family, guarded.clone(), strong.clone());
        let mut routes = self
            .host
            .route
            .take()?
            .snapshot(
                &mut route::dump(address_family(family), Filter::default()),
                start,
                |routes, message| {
                    if let Some(route) = Route::parse(message)? {
                        routes.add(route);
                    }
                    Ok(())
                },
            )
            .map_err(|refusal| refusal.error(OPERATION).because("listing routes"))?;
        for link in strong.iter().filter(|_| family == Family::V6) {
            for address in self.host.addresses(family, Some(InterfaceIndex(*link)), OPERATION)? {
                routes.add_address(*link, address.address);
            }
        }
        for index in &guarded {
            let is_loopback = |link: &Link| link.index.0 == *index && link.has(flag::LOOPBACK);
            let ranges = routes.allowed(*index, self.links.iter().any(is_loopback));
            let _ = addresses.allowed.insert((family, InterfaceIndex(*index)), ranges);
        }
        let sources = routes.sources();
        if !strong.is_empty() {
            let _ = addresses.sources.insert(family, ranges_of(&sources));
        }
        let guards_defaults = !guarded.is_empty();
        Ok(Some(FamilyPolicy {
            family,
            guards_defaults,
            rules,
            wanted_rules: rules::wanted(family, &sources, guards_defaults),
            detours: Detours::read(self.host, family, guards_defaults)?,
            wanted: routes.wanted(),
            present: std::mem::take(&mut routes.present),
            routes: Some(routes),
        }))
    }

    /// Copies routes into our tables: either those default routes over interfaces that the filter stops until it is
    /// changed (`stopped`), which must wait until then, or the others.
    fn copy_routes(&self, family: &FamilyPolicy, stopped: bool) -> Result<()> {
        let until_changed = self.guard.guarded(family.family);
        let is_stopped = |route: &Route| {
            route.destination_len == 0 && route.interfaces().any(|link| until_changed.contains(&link))
        };
        let missing = family.wanted.iter().filter(|route| !family.present.contains(route));
        for route in missing.filter(|route| is_stopped(route) == stopped) {
            match send(self.host, route.create_or_replace(), "copying a route") {
                // Its interface went down or away since it was read, and the owner's route with it.
                Err(error)
                    if matches!(error.errno(), Some(libc::ENETDOWN | libc::ENODEV | libc::ENETUNREACH)) => {}
                done => done?,
            }
        }
        if !stopped && family.guards_defaults {
            // A default route over an interface that is about to be guarded goes before the filter stops it.
            self.trim(family, |route| route.table == DEFAULTS_TABLE)?;
        }
        Ok(())
    }

    /// Takes all copies away that stand where none is wanted.
    fn trim_routes(&self, family: &FamilyPolicy) -> Result<()> {
        self.trim(family, |_| true)
    }

    fn trim(&self, family: &FamilyPolicy, of: impl Fn(&Route) -> bool) -> Result<()> {
        let places: BTreeSet<_> = family.wanted.iter().map(place).collect();
        let is_left = |route: &&Route| of(route) && !places.contains(&place(route));
        for route in family.present.iter().filter(is_left) {
            gone_is_fine(send(self.host, route.delete(), "deleting the copy of a route"))?;
        }
        Ok(())
    }
}

pub(super) fn gone_is_fine(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if matches!(error.errno(), Some(libc::ESRCH | libc::ENOENT)) => Ok(()),
        done => done,
    }
}

pub(super) fn send(host: &LinuxHost, mut request: Request, doing: &'static str) -> Result<()> {
    host.route.take()?.acknowledged(&mut request).map_err(|refusal| refusal.error(OPERATION).because(doing))
}

/// A socket to the packet filter; [`ErrorKind::NotSupported`] where the kernel has none.
pub(super) fn filter_socket(host: &LinuxHost) -> Result<Pooled> {
    host.netfilter.take().map_err(|error| match error.errno() {
        Some(libc::EPROTONOSUPPORT) => error
            .with_kind(ErrorKind::NotSupported)
            .because("this kernel has no netfilter netlink (CONFIG_NETFILTER_NETLINK)"),
        _ => error,
    })
}

fn guard_now(host: &LinuxHost) -> Result<Guard> {
    Guard::read_if_permitted(host)?.ok_or_else(|| {
        Error::new(ErrorKind::NotSupported, OPERATION)
            .because("this kernel has no nf_tables (CONFIG_NF_TABLES_INET)")
    })
}

/// The error of a request to the packet filter.
pub(super) fn filter_error(refusal: Refusal, doing: &'static str) -> Error {
    match refusal.errno() {
        // An unknown subsystem is EINVAL to a request and EOPNOTSUPP to a batch.
        libc::EOPNOTSUPP | libc::EPROTONOSUPPORT => refusal
            .into_error(ErrorKind::NotSupported, OPERATION)
            .because("this kernel has no nf_tables (CONFIG_NF_TABLES_INET)"),
        _ => refusal.error(OPERATION).because(doing),
    }
}
