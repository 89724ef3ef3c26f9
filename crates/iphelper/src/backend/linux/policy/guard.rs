//! The packet filter: what no choice of routes can forbid, it stops at the way out.
//!
//! One table `inet iphelper`. Its chains `output` and `forward` look the interface that a packet leaves by up in the map
//! `ddr4` or `ddr6`; a guarded one has a chain of its own, `ddr4-INDEX`, which lets packets pass that go where the set
//! `onlink4-INDEX` allows, and refuses the rest. Nothing in it depends on names, marks, sockets or routing tables.

mod steps;

use super::OPERATION;
use super::converge::{filter_error, filter_socket};
use super::explain::{filter_object, name_of};
use super::names::{FILTER_TABLE, address_len, digit};
use super::settings::{Property, Setting, Settings};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::socket::{Refusal, Socket};
use crate::doctor::KernelObject;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper_netlink::message::Request;
use iphelper_netlink::nf_tables::{
    Batch, Chain, Element, Elements, Expressions, Generation, Hook, Key, Meta, Range, Register, Rule, Set,
    Table, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};
use steps::{for_others, forwards, guard_rules, of_family, strong_receive, strong_source, strong_way};

/// The layout of the table. A later version that changes it raises the number, and replaces the table in one
/// transaction; an earlier one leaves it alone.
const LAYOUT: u32 = 1;
const LAYOUT_WORDS: &str = "iphelper layout ";

/// Behind all chains that may still choose another way (mangle −150, nat −100) or rewrite addresses.
const CHAIN_PRIORITY: i32 = 400;

/// A datagram holds less than this; 208 KiB is the default of `net.core.wmem_default`.
const DATAGRAM: usize = 180_000;
/// How many interfaces can have a property. Each set takes 16 octets for each, used or not.
const MOST_INTERFACES: u32 = 4096;
/// How often a change is computed anew because somebody else changed the rule set in between.
const ATTEMPTS: usize = 20;
/// How often the filter is read where others take parts of it away meanwhile.
const READ_ATTEMPTS: usize = 20;

const PREROUTING: &str = "prerouting";
const INPUT: &str = "input";
const OUTPUT: &str = "output";
const FORWARD: &str = "forward";

/// A guarded interface and where packets may go over it.
type Allowed = BTreeMap<(Family, InterfaceIndex), Vec<Range>>;

/// What the sets of addresses are to hold, or hold.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub(super) allowed: Allowed,
    /// The addresses of strong interfaces.
    pub(super) sources: BTreeMap<Family, Vec<Range>>,
}

/// What is in our table.
#[derive(Debug, Default)]
pub(super) struct Guard {
    is_there: bool,
    chains: BTreeSet<String>,
    sets: BTreeSet<String>,
    /// What the rules of each chain say of themselves, in order.
    rules: BTreeMap<String, Vec<Option<String>>>,
    /// The interfaces that have each property, as the elements remember them.
    members: BTreeMap<(Family, Property, InterfaceIndex), Option<InterfaceLuid>>,
}

/// Where the table of the name stands.
enum Presence {
    Absent,
    Ours,
}

impl Guard {
    /// Reads the table; `None` where this caller may not, or the kernel has no packet filter.
    pub(super) fn read_if_permitted(host: &LinuxHost) -> Result<Option<Self>> {
        let Ok(mut socket) = host.netfilter.take() else { return Ok(None) };
        let mut read = Self::read(&mut socket);
        for _ in 1..READ_ATTEMPTS {
            // Who reads does not hold the lock, so a set may go between that its name is read and its elements are.
            match &read {
                Err(Failure::Kernel(refusal)) if refusal.errno() == libc::ENOENT => {
                    read = Self::read(&mut socket);
                }
                _ => break,
            }
        }
        match read {
            Ok(guard) => Ok(Some(guard)),
            Err(Failure::Kernel(refusal))
                if matches!(refusal.errno(), libc::EPERM | libc::EOPNOTSUPP | libc::EINVAL) =>
            {
                Ok(None)
            }
            Err(failure) => Err(failure.error()),
        }
    }

    /// Whether there is a table of the name, by one message; false to who may not know.
    pub(super) fn is_there(host: &LinuxHost) -> bool {
        let Ok(mut socket) = host.netfilter.take() else { return false };
        let mut is_there = false;
        let asked = socket.answers([Table::get(FILTER_TABLE).unacknowledged()], |_, answer| {
            is_there = answer.is_ok();
            Ok(())
        });
        asked.is_ok() && is_there
    }

    fn read(socket: &mut Socket) -> Result<Self, Failure> {
        let Presence::Ours = presence(socket)? else { return Ok(Self::default()) };
        let mut guard = Self { is_there: true, ..Self::default() };
        let names = |socket: &mut Socket, mut request: Request, parse: NameParser| {
            socket.snapshot(&mut request, BTreeSet::new, |names, message| {
                names.extend(parse(message, FILTER_TABLE)?);
                Ok(())
            })
        };
        guard.sets = names(socket, Set::dump(FILTER_TABLE), Set::parse_name)?;
        guard.chains = names(socket, Chain::dump(), Chain::parse_name)?;
        let rules: Vec<Rule> =
            socket.snapshot(&mut Rule::dump(FILTER_TABLE), Vec::new, |rules, message| {
                rules.extend(Rule::parse(message, FILTER_TABLE)?);
                Ok(())
            })?;
        for rule in rules {
            guard.rules.entry(rule.chain).or_default().push(rule.comment);
        }
        for (family, property) in members() {
            let name = property.set_name(family);
            if !guard.sets.contains(&name) {
                continue;
            }
            for element in elements(socket, &name)? {
                let Some(index) = element.key.first_chunk().map(|key| u32::from_ne_bytes(*key)) else {
                    continue;
                };
                let luid = element.comment.as_deref().and_then(luid_in);
                let _ = guard.members.insert((family, property, InterfaceIndex(index)), luid);
            }
        }
        Ok(guard)
    }

    /// Whether there is no table of ours.
    pub(super) fn is_absent(&self) -> bool {
        !self.is_there
    }

    /// Whether no interface has a property.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The settings that the elements stand for. One whose note was lost counts for the interface on its index now.
    pub(super) fn settings(&self, luid_of: impl Fn(InterfaceIndex) -> Option<InterfaceLuid>) -> Settings {
        self.members
            .iter()
            .filter_map(|((family, property, index), luid)| {
                let luid = luid.or_else(|| luid_of(*index))?;
                Some(Setting { family: *family, property: *property, index: *index, luid })
            })
            .collect()
    }

    /// Whether an interface has the property.
    pub(super) fn has(&self, family: Family, property: Property) -> bool {
        self.members.keys().any(|(of, member, _)| (*of, *member) == (family, property))
    }

    /// What is in the table, each with its purpose.
    pub(super) fn objects(&self, links: &[Link]) -> Vec<KernelObject> {
        let mut objects = Vec::new();
        if self.is_there {
            let name = format!("nft table inet {FILTER_TABLE}");
            objects.push(KernelObject { name, purpose: "ours, with all that is in it".to_owned() });
        }
        let index_in = |name: &str| name.rsplit_once('-').and_then(|(_, index)| index.parse().ok());
        let link_in = |name: &str| index_in(name).map(|index| name_of(index, links));
        for name in &self.sets {
            let mut members = members().filter(|(family, property)| property.set_name(*family) == *name);
            let purpose = match (members.next(), link_in(name)) {
                (Some((family, property)), _) => {
                    let has = |(of, other, _): &&(Family, Property, InterfaceIndex)| {
                        (*of, *other) == (family, property)
                    };
                    let names: Vec<_> = self
                        .members
                        .keys()
                        .filter(has)
                        .map(|(_, _, index)| name_of(index.0, links))
                        .collect();
                    let what = match property {
                        Property::DisableDefaultRoutes => "interfaces whose default routes are disabled",
                        Property::StrongSend => "interfaces by which only their own addresses may leave",
                        Property::StrongReceive => {
                            "interfaces that take packets for their own addresses alone"
                        }
                        Property::RaisedArpIgnore => "interfaces whose arp_ignore was 0 before we raised it",
                        Property::Clearing => "interfaces whose tables are being taken away",
                        Property::Forwarding => "interfaces that forward",
                    };
                    format!("{what}: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
                }
                (None, Some(link)) => format!("where packets may go over {link}"),
                (None, None) => "addresses of the interfaces that send from their own alone".to_owned(),
            };
            objects.push(filter_object("set", name, purpose));
        }
        for name in &self.chains {
            let purpose = match link_in(name) {
                Some(link) => format!("what may leave over {link}"),
                None => "looks each packet's interface up".to_owned(),
            };
            objects.push(filter_object("chain", name, purpose));
            for note in self.rules.get(name).into_iter().flatten().flatten() {
                objects.push(filter_object("rule", name, note.clone()));
            }
        }
        objects
    }

    /// Where packets may go over a guarded interface, as the filter has it; `None` where it is not guarded.
    pub(super) fn allowed_over(
        &self,
        host: &LinuxHost,
        family: Family,
        index: InterfaceIndex,
    ) -> Result<Option<Vec<Range>>> {
        if !self.members.contains_key(&(family, Property::DisableDefaultRoutes, index)) {
            return Ok(None);
        }
        self.ranges(host, &onlink(family, index), family)
    }

    /// The addresses of strong interfaces, as the filter has them; `None` where there is no such interface.
    pub(super) fn strong_sources(&self, host: &LinuxHost, family: Family) -> Result<Option<Vec<Range>>> {
        self.ranges(host, &sources(family), family)
    }

    fn ranges(&self, host: &LinuxHost, set: &str, family: Family) -> Result<Option<Vec<Range>>> {
        let mut socket = host.netfilter.take()?;
        ranges(&mut socket, self, set, family)
            .map_err(|refusal| filter_error(refusal, "reading the packet filter"))
    }

    /// The interfaces whose packets the filter stops now.
    pub(super) fn guarded(&self, family: Family) -> BTreeSet<u32> {
        self.members
            .keys()
            .filter(|(of, property, _)| *of == family && *property == Property::DisableDefaultRoutes)
            .map(|(_, _, index)| index.0)
            .collect()
    }
}

/// Reads the name of an object of a table.
type NameParser = fn(
    &iphelper_netlink::message::Message<'_>,
    &str,
) -> Result<Option<String>, iphelper_netlink::DecodeError>;

fn members() -> impl Iterator<Item = (Family, Property)> {
    Family::ALL.into_iter().flat_map(|family| Property::IN_FILTER.map(|property| (family, property)))
}

/// Why the table was not read or written: the kernel refused, or the table is not one that this version may touch.
#[derive(Debug)]
enum Failure {
    Kernel(Refusal),
    Foreign(Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Kernel(refusal)
    }
}

impl Failure {
    fn error(self) -> Error {
        match self {
            Self::Kernel(refusal) => filter_error(refusal, "reading the packet filter"),
            Self::Foreign(error) => error,
        }
    }
}

fn presence(socket: &mut Socket) -> Result<Presence, Failure> {
    let mut table = None;
    let asked = socket.ask(&mut Table::get(FILTER_TABLE), |message| {
        if let Some(read) = Table::parse(message)? {
            table = Some(read);
        }
        Ok(())
    });
    match asked {
        Err(refusal) if refusal.errno() == libc::ENOENT => return Ok(Presence::Absent),
        asked => asked?,
    }
    let comment = table.and_then(|table| table.comment).unwrap_or_default();
    let layout =
        comment.strip_prefix(LAYOUT_WORDS).and_then(|words| words.split(' ').next()?.parse::<u32>().ok());
    let reason = match layout {
        Some(LAYOUT) => return Ok(Presence::Ours),
        Some(layout) => {
            format!("layout {layout} of another version of iphelper, whose settings this one cannot read")
        }
        None => "another program's".to_owned(),
    };
    Err(Failure::Foreign(
        Error::new(ErrorKind::NotSupported, OPERATION)
            .because(format!("the nftables table \"inet {FILTER_TABLE}\" is {reason}")),
    ))
}

fn elements(socket: &mut Socket, set: &str) -> Result<Vec<Element>, Refusal> {
    let set = Set { table: FILTER_TABLE, name: set };
    socket.snapshot(&mut Elements::dump(set), Vec::new, |elements, message| {
        Elements::parse(message, |element| elements.push(element))
    })
}

/// A LUID as an element's note.
fn luid_note(luid: InterfaceLuid) -> String {
    format!("luid {luid}")
}

fn luid_in(note: &str) -> Option<InterfaceLuid> {
    let digits = note.strip_prefix("luid 0x")?;
    u64::from_str_radix(digits, 16).ok().map(InterfaceLuid)
}

/// How far the table is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extent {
    /// All that `settings` need, but no interface is guarded that was not before: tells whether the kernel can do it.
    Prepare,
    /// All.
    Complete,
}

/// Makes the table hold `settings`, in one transaction where it fits a datagram. Larger ones are cut so that a set is
/// complete before an interface is guarded by it, and prefixes go before others come.
pub(super) fn install(
    host: &LinuxHost,
    settings: &Settings,
    addresses: &Addresses,
    extent: Extent,
) -> Result<()> {
    let mut socket = filter_socket(host)?;
    for _ in 0..ATTEMPTS {
        let refusal = match attempt(&mut socket, settings, addresses, extent) {
            Ok(()) => return Ok(()),
            Err(Failure::Foreign(error)) => return Err(error),
            Err(Failure::Kernel(refusal)) => refusal,
        };
        match refusal.errno() {
            // Somebody changed the rule set between reading and writing: nothing, or a part, was done.
            RESTART | libc::EEXIST | libc::EBUSY | libc::EINTR => {}
            libc::ENOENT if extent == Extent::Complete => {}
            libc::ENOENT | libc::EOPNOTSUPP | libc::EINVAL | libc::EAFNOSUPPORT
                if extent == Extent::Prepare =>
            {
                return Err(refusal
                    .into_error(ErrorKind::NotSupported, OPERATION)
                    .because("this kernel lacks a part of nf_tables (inet tables, sets, fib, rt, reject)"));
            }
            _ => return Err(filter_error(refusal, "changing the packet filter")),
        }
    }
    Err(Error::new(ErrorKind::Interrupted, OPERATION)
        .because("another program keeps changing the packet filter (nftables)"))
}

/// `ERESTART`, which the kernel keeps from system calls but not from netlink.
const RESTART: i32 = 85;

fn attempt(
    socket: &mut Socket,
    settings: &Settings,
    addresses: &Addresses,
    extent: Extent,
) -> Result<(), Failure> {
    let mut generation = None;
    socket.ask(&mut Generation::get(), |message| {
        generation = Generation::parse(message)?.or(generation);
        Ok(())
    })?;
    let guard = Guard::read(socket)?;
    let mut present = Addresses::default();
    for (family, index) in addresses.allowed.keys() {
        if let Some(ranges) = ranges(socket, &guard, &onlink(*family, *index), *family)? {
            let _ = present.allowed.insert((*family, *index), ranges);
        }
    }
    for family in addresses.sources.keys() {
        if let Some(ranges) = ranges(socket, &guard, &sources(*family), *family)? {
            let _ = present.sources.insert(*family, ranges);
        }
    }
    let changes = Changes { guard: &guard, present: &present }.to(settings, addresses, extent);
    let mut batch = Batch::new(generation);
    for mut change in changes {
        if batch.len() + change.finish(0).len() > DATAGRAM {
            // The later parts stand on the earlier ones, whose generation is theirs.
            socket.transaction(std::mem::replace(&mut batch, Batch::new(None)))?;
        }
        batch.push(change);
    }
    if batch.is_empty() { Ok(()) } else { Ok(socket.transaction(batch)?) }
}

/// Changes what the sets of some guarded interfaces hold, without a look at the rest: for who knows what they hold.
pub(super) fn exchange<'a>(
    host: &LinuxHost,
    changes: impl IntoIterator<Item = (Family, InterfaceIndex, &'a BTreeSet<Range>, &'a BTreeSet<Range>)>,
) -> Result<()> {
    let mut batch = Batch::new(None);
    let mut socket = filter_socket(host)?;
    let refused = |refusal| filter_error(refusal, "changing the packet filter");
    for (family, index, gone, added) in changes {
        let name = onlink(family, index);
        let set = Set { table: FILTER_TABLE, name: &name };
        let (mut remove, mut add) = (Elements::remove(set), Elements::add(set));
        gone.iter().for_each(|range| remove.range(*range, address_len(family)));
        added.iter().for_each(|range| add.range(*range, address_len(family)));
        for mut change in remove.finish().into_iter().chain(add.finish()) {
            if batch.len() + change.finish(0).len() > DATAGRAM {
                socket.transaction(std::mem::replace(&mut batch, Batch::new(None))).map_err(refused)?;
            }
            batch.push(change);
        }
    }
    if batch.is_empty() { Ok(()) } else { socket.transaction(batch).map_err(refused) }
}

/// What a set of addresses holds; `None` if there is no such set.
fn ranges(
    socket: &mut Socket,
    guard: &Guard,
    set: &str,
    family: Family,
) -> Result<Option<Vec<Range>>, Refusal> {
    if !guard.sets.contains(set) {
        return Ok(None);
    }
    Ok(Some(Elements::ranges(&elements(socket, set)?, address_len(family))))
}

fn sources(family: Family) -> String {
    format!("strong-from{}", digit(family))
}

fn onlink(family: Family, index: InterfaceIndex) -> String {
    format!("onlink{}-{index}", digit(family))
}

fn guard_chain(family: Family, index: InterfaceIndex) -> String {
    format!("{}-{index}", Property::DisableDefaultRoutes.set_name(family))
}

/// From what is in the table to what shall be.
struct Changes<'a> {
    guard: &'a Guard,
    /// What those sets of addresses hold that are there.
    present: &'a Addresses,
}

impl Changes<'_> {
    fn to(&self, settings: &Settings, addresses: &Addresses, extent: Extent) -> Vec<Request> {
        let mut changes = Vec::new();
        if settings.is_empty() {
            if self.guard.is_there {
                changes.push(Table::delete(FILTER_TABLE));
            }
            return changes;
        }
        self.leave(settings, &addresses.allowed, &mut changes);
        let mut id = 0;
        self.lay_out(settings, &mut id, &mut changes);
        for ((family, index), ranges) in &addresses.allowed {
            let (name, present) = (onlink(*family, *index), self.present.allowed.get(&(*family, *index)));
            self.fill(*family, &name, present, ranges, &mut id, &mut changes);
            self.chain(&guard_chain(*family, *index), None, &guard_rules(*family, &name), &mut changes);
        }
        for (family, ranges) in &addresses.sources {
            let present = self.present.sources.get(family);
            self.fill(*family, &sources(*family), present, ranges, &mut id, &mut changes);
        }
        self.hook(settings, &mut changes);
        if extent == Extent::Complete {
            self.enter(settings, &mut changes);
        }
        changes
    }

    /// Interfaces that are no longer guarded, and what was made for them.
    fn leave(&self, settings: &Settings, allowed: &Allowed, changes: &mut Vec<Request>) {
        for ((family, property, index), luid) in &self.guard.members {
            let stays = settings.iter().any(|setting| {
                (setting.family, setting.property, setting.index) == (*family, *property, *index)
                    && Some(setting.luid) == *luid
            });
            if !stays {
                let name = property.set_name(*family);
                let mut elements = Elements::remove(Set { table: FILTER_TABLE, name: &name });
                elements.key(&index.0.to_ne_bytes(), None);
                changes.extend(elements.finish());
            }
        }
        let needed = |name: &str, of: fn(Family, InterfaceIndex) -> String| {
            allowed.keys().any(|(family, index)| of(*family, *index) == name)
        };
        for name in &self.guard.chains {
            if name.starts_with("ddr") && !needed(name, guard_chain) {
                changes.push(Chain { table: FILTER_TABLE, name }.delete());
            }
        }
        for name in &self.guard.sets {
            if name.starts_with("onlink") && !needed(name, onlink) {
                changes.push(Set { table: FILTER_TABLE, name }.delete());
            }
        }
    }

    /// The table and the maps of guarded interfaces.
    fn lay_out(&self, settings: &Settings, id: &mut u32, changes: &mut Vec<Request>) {
        if !self.guard.is_there {
            let comment = Some(format!("{LAYOUT_WORDS}{LAYOUT}"));
            changes.push(Table { name: FILTER_TABLE.to_owned(), comment, owned: false }.create());
        }
        for (family, property) in members() {
            let name = property.set_name(family);
            if is_set(settings, family, property) && !self.guard.sets.contains(&name) {
                *id += 1;
                let set = Set { table: FILTER_TABLE, name: &name };
                changes.push(match property {
                    Property::DisableDefaultRoutes => {
                        set.create_verdict_map(Key::InterfaceIndex, MOST_INTERFACES, *id)
                    }
                    _ => set.create_plain(Key::InterfaceIndex, MOST_INTERFACES, *id),
                });
            }
        }
    }

    /// A set of addresses, made if it is not `present`.
    fn fill(
        &self,
        family: Family,
        name: &str,
        present: Option<&Vec<Range>>,
        ranges: &[Range],
        id: &mut u32,
        changes: &mut Vec<Request>,
    ) {
        let set = Set { table: FILTER_TABLE, name };
        if present.is_none() {
            *id += 1;
            let key = if family == Family::V4 { Key::Ipv4Address } else { Key::Ipv6Address };
            changes.push(set.create_interval(key, *id));
        }
        let (old, new): (BTreeSet<_>, BTreeSet<_>) =
            (present.into_iter().flatten().collect(), ranges.iter().collect());
        let (mut gone, mut added) = (Elements::remove(set), Elements::add(set));
        old.difference(&new).for_each(|range| gone.range(**range, address_len(family)));
        new.difference(&old).for_each(|range| added.range(**range, address_len(family)));
        changes.extend(gone.finish());
        changes.extend(added.finish());
    }

    /// The chains that packets pass.
    fn hook(&self, settings: &Settings, changes: &mut Vec<Request>) {
        let (mut prerouting, mut input, mut forward) = (Vec::new(), Vec::new(), Vec::new());
        let mut strong = Vec::new();
        for family in Family::ALL {
            let property = Property::DisableDefaultRoutes;
            if is_set(settings, family, property) {
                let steps = of_family(family)
                    .meta(Meta::OutputIndex, Register::R1)
                    .verdict_of(Register::R1, &property.set_name(family));
                forward.push((steps, format!("DisableDefaultRoutes, {family}: guarded interfaces")));
            }
            if is_set(settings, family, Property::StrongSend) {
                let note = |what| format!("WeakHostSend, {family}: {what}");
                strong.push((strong_source(family), note("by another interface")));
                strong.push((strong_way(family), note("another interface's address")));
            }
            if is_set(settings, family, Property::StrongReceive) {
                let note = format!("WeakHostReceive, {family}: for another interface's address");
                input.push((strong_receive(family), note));
            }
            if is_set(settings, family, Property::Forwarding) {
                let note = |what| format!("ForwardingEnabled, {family}: {what}");
                prerouting.push((forwards(family), note("by these interfaces")));
                prerouting.push((for_others(family), note("by no other")));
            }
        }
        let output: Vec<_> = forward.iter().cloned().chain(strong).collect();
        self.chain(PREROUTING, Some(Hook::Prerouting), &prerouting, changes);
        self.chain(INPUT, Some(Hook::Input), &input, changes);
        self.chain(FORWARD, Some(Hook::Forward), &forward, changes);
        self.chain(OUTPUT, Some(Hook::Output), &output, changes);
    }

    fn chain(
        &self,
        name: &str,
        hook: Option<Hook>,
        rules: &[(Expressions, String)],
        changes: &mut Vec<Request>,
    ) {
        let chain = Chain { table: FILTER_TABLE, name };
        let is_there = self.guard.chains.contains(name);
        if rules.is_empty() {
            // Without rules it would cost each packet something for nothing.
            changes.extend(is_there.then(|| chain.delete()));
            return;
        }
        if !is_there {
            changes.push(hook.map_or_else(|| chain.create(), |hook| chain.create_at(hook, CHAIN_PRIORITY)));
        }
        let present = self.guard.rules.get(name).map(Vec::as_slice).unwrap_or_default();
        if present.iter().map(Option::as_deref).eq(rules.iter().map(|(_, note)| Some(note.as_str()))) {
            return;
        }
        if !present.is_empty() {
            changes.push(chain.flush());
        }
        changes.extend(rules.iter().map(|(steps, note)| Rule::append(chain, steps, note)));
    }

    /// Interfaces that are guarded from now on.
    fn enter(&self, settings: &Settings, changes: &mut Vec<Request>) {
        for setting in settings {
            let Setting { family, property, index, luid } = *setting;
            if self.guard.members.get(&(family, property, index)) == Some(&Some(luid)) {
                continue;
            }
            let name = property.set_name(family);
            let mut elements = Elements::add(Set { table: FILTER_TABLE, name: &name });
            let (key, note) = (index.0.to_ne_bytes(), luid_note(luid));
            match property {
                Property::DisableDefaultRoutes => {
                    elements.key_verdict(&key, Verdict::Jump(&guard_chain(family, index)), Some(&note));
                }
                Property::Clearing => continue,
                _ => elements.key(&key, Some(&note)),
            }
            changes.extend(elements.finish());
        }
    }
}

fn is_set(settings: &Settings, family: Family, property: Property) -> bool {
    settings.iter().any(|setting| (setting.family, setting.property) == (family, property))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_luid_reads_back_from_its_note() {
        let luid = InterfaceLuid(0x0006_23a8_0000_0007);
        assert_eq!(luid_in(&luid_note(luid)), Some(luid));
        assert_eq!(luid_in("eth0"), None);
        assert_eq!(luid_in("luid 0x"), None);
    }

    #[test]
    fn nothing_set_and_nothing_there_is_no_change() {
        let changes = Changes { guard: &Guard::default(), present: &Addresses::default() };
        assert!(changes.to(&Settings::new(), &Addresses::default(), Extent::Complete).is_empty());
        let there = Guard { is_there: true, ..Guard::default() };
        let changes = Changes { guard: &there, present: &Addresses::default() };
        assert_eq!(
            changes.to(&Settings::new(), &Addresses::default(), Extent::Complete),
            [Table::delete(FILTER_TABLE)]
        );
    }
}
