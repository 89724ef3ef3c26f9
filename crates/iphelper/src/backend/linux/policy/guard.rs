//! The packet filter: what no choice of routes can forbid, it stops at the way out.
//!
//! One table `inet iphelper`. Its chains `output` and `forward` look the interface that a packet leaves by up in the map
//! `ddr4` or `ddr6`; a guarded one has a chain of its own, `ddr4-INDEX`, which lets packets pass that go where the set
//! `onlink4-INDEX` allows, and refuses the rest. Nothing in it depends on names, marks, sockets or routing tables.

mod changes;
mod steps;

use super::OPERATION;
use super::converge::filter_error;
use super::explain::{filter_object, name_of};
use super::names::{FILTER_TABLE, address_len, digit};
use super::settings::{Property, Setting, Settings};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::socket::{Refusal, Socket};
use crate::doctor::KernelObject;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
pub(super) use changes::{Extent, exchange, install};
use iphelper_netlink::message::Request;
use iphelper_netlink::nf_tables::{Chain, Element, Elements, Range, Rule, Set, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The layout of the table. A later version that changes it raises the number, and replaces the table in one
/// transaction; an earlier one leaves it alone.
const LAYOUT: u32 = 1;
const LAYOUT_WORDS: &str = "iphelper layout ";

/// How often the filter is read where others take parts of it away meanwhile.
const READ_ATTEMPTS: usize = 20;

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
}
