//! From what is in the table to what shall be.

use super::super::OPERATION;
use super::super::converge::{filter_error, filter_socket};
use super::super::names::{FILTER_TABLE, address_len};
use super::super::settings::{Property, Setting, Settings};
use super::steps::{for_others, forwards, guard_rules, of_family, strong_receive, strong_source, strong_way};
use super::{
    Addresses, Allowed, Failure, Guard, LAYOUT, LAYOUT_WORDS, guard_chain, luid_note, members, onlink,
    ranges, sources,
};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::Socket;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::message::Request;
use iphelper_netlink::nf_tables::{
    Batch, Chain, Elements, Expressions, Generation, Hook, Key, Meta, Range, Register, Rule, Set, Table,
    Verdict,
};
use std::collections::BTreeSet;

/// Behind all chains that may still choose another way (mangle −150, nat −100) or rewrite addresses.
const CHAIN_PRIORITY: i32 = 400;

/// A datagram holds less than this; 208 KiB is the default of `net.core.wmem_default`.
const DATAGRAM: usize = 180_000;
/// How many interfaces can have a property. Each set takes 16 octets for each, used or not.
const MOST_INTERFACES: u32 = 4096;
/// How often a change is computed anew because somebody else changed the rule set in between.
const ATTEMPTS: usize = 20;

const PREROUTING: &str = "prerouting";
const INPUT: &str = "input";
const OUTPUT: &str = "output";
const FORWARD: &str = "forward";

/// How far the table is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux::policy) enum Extent {
    /// All that `settings` need, but no interface is guarded that was not before: tells whether the kernel can do it.
    Prepare,
    /// All.
    Complete,
}

/// Makes the table hold `settings`, in one transaction where it fits a datagram. Larger ones are cut so that a set is
/// complete before an interface is guarded by it, and prefixes go before others come.
pub(in crate::backend::linux::policy) fn install(
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
pub(in crate::backend::linux::policy) fn exchange<'a>(
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
