//! One namespace's IP interfaces as they were last seen, and what has changed since.

use super::super::LinuxHost;
use super::super::socket::{Protocol, Socket};
use super::silent::{Silent, Suspects};
use super::watcher::IpInterfaceChange;
use crate::backend::IpInterface as _;
use crate::error::Result;
use crate::ip_interface::IpInterface;
use crate::notification::ChangeKind;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::genetlink::{control, ethtool};
use iphelper_netlink::rtnetlink::netconf::Scope;
use iphelper_netlink::rtnetlink::notification::Announcement;
use rustix::net::RecvFlags;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Where more interfaces than this are to be read at once, the whole table is read instead. The kernel gives neighbour
/// parameters of all interfaces or of none, so one interface costs about a quarter of the table (measured with 3,000).
const READ_ONE_BY_ONE: usize = 4;

/// The rows as they were last seen.
type Rows = BTreeMap<(InterfaceIndex, Family), IpInterface>;

/// Keeps the table to compare with. What rtnetlink announces, its owner notes here.
#[derive(Debug)]
pub(super) struct Monitor {
    host: Arc<LinuxHost>,
    /// Speeds, which rtnetlink does not announce. Absent where the kernel is built without it.
    ethtool: Option<Socket>,
    rows: Rows,
    /// As it was at the last look.
    silent: Silent,
    pending: Pending,
}

/// What is to be read again, kept over a failure to read.
#[derive(Debug, Default)]
struct Pending {
    /// What was announced, in order, with its place among all news.
    steps: Vec<(usize, Step)>,
    /// The interfaces that the steps read, since they last left, and where they were announced first.
    read: BTreeMap<InterfaceIndex, usize>,
    /// Whether to read the whole table.
    all: bool,
    /// Whether announcements were lost.
    lost: bool,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Read the interface again.
    Read(InterfaceIndex),
    /// The interface has left. When that is read, another may be on its index, alike in all that can be read.
    Gone(InterfaceIndex),
}

/// The place behind all news.
const END: usize = usize::MAX;

impl Monitor {
    /// Reads the table. Its owner has subscribed before: what happens in between is announced.
    pub(super) fn open(host: Arc<LinuxHost>) -> Result<Self> {
        let ethtool = open_ethtool(&host)?;
        // In this order: what changes in between is in the rows, and at the next look it is no more than a suspicion.
        let silent = Silent::read(&host)?;
        let rows = read_all(&host)?;
        Ok(Self { host, ethtool, rows, silent, pending: Pending::default() })
    }

    /// A further socket on which the kernel announces.
    pub(super) fn socket(&self) -> Option<&Socket> {
        self.ethtool.as_ref()
    }

    /// Notes what rtnetlink announced, at a place among all news.
    pub(super) fn note(&mut self, announcement: Announcement, at: usize) {
        self.pending.note(announcement, at, &self.rows);
    }

    /// Notes that announcements were lost.
    pub(super) fn overrun(&mut self) {
        (self.pending.all, self.pending.lost) = (true, true);
    }

    /// Appends to `changes` what was noted or is announced elsewhere, and with `look` what changed without that.
    ///
    /// After an error `changes` is right as far as it goes, and the next call finds the rest.
    pub(super) fn settle(&mut self, look: bool, changes: &mut Vec<IpInterfaceChange>) -> Result<()> {
        self.drain()?;
        if look {
            let now = Silent::read(&self.host)?;
            self.pending.suspect(self.silent.suspects(&now));
            self.silent = now;
        }
        let Pending { steps, read, all, lost } = std::mem::take(&mut self.pending);
        let all = all || read.len() > READ_ONE_BY_ONE;
        let mut result = Ok(());
        for (at, step) in steps {
            match step {
                Step::Gone(index) => self.compare(index, Rows::new(), at, lost, changes),
                Step::Read(index) if !all && result.is_ok() => match read_one(&self.host, index) {
                    Ok(rows) => self.compare(index, rows, at, lost, changes),
                    Err(error) => result = Err(error),
                },
                Step::Read(_) => {}
            }
        }
        if all {
            result = read_all(&self.host).map(|rows| {
                let place = |index| read.get(&index).copied().unwrap_or(END);
                difference(&self.rows, &rows, place, lost, changes);
                self.rows = rows;
            });
        }
        if result.is_err() {
            self.pending = Pending { all: true, lost: true, ..Pending::default() };
        }
        result
    }

    /// Takes `now` for the rows of one interface.
    fn compare(
        &mut self,
        index: InterfaceIndex,
        now: Rows,
        at: usize,
        lost: bool,
        changes: &mut Vec<IpInterfaceChange>,
    ) {
        let before =
            Family::ALL.iter().filter_map(|family| self.rows.remove_entry(&(index, *family))).collect();
        difference(&before, &now, |_| at, lost, changes);
        self.rows.extend(now);
    }

    /// Notes all announcements of ethtool that are there.
    fn drain(&mut self) -> Result<()> {
        let Self { ethtool, pending, .. } = self;
        let Some(socket) = ethtool else { return Ok(()) };
        loop {
            match socket.receive_with(RecvFlags::DONTWAIT) {
                Ok(messages) => {
                    for message in messages {
                        match message.and_then(|message| ethtool::changed_link(&message)) {
                            Ok(Some(index)) => pending.read(InterfaceIndex(index), END),
                            Ok(None) => {}
                            // What cannot be read may have been about anything.
                            Err(_) => pending.all = true,
                        }
                    }
                }
                Err(refusal) => match refusal.errno() {
                    libc::EAGAIN => return Ok(()),
                    // An overrun, or a message longer than the buffer, which has grown since.
                    libc::ENOBUFS | libc::EMSGSIZE => (pending.all, pending.lost) = (true, true),
                    _ => return Err(refusal.error("listening for changes of interfaces")),
                },
            }
        }
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> impl Iterator<Item = &IpInterface> {
        self.rows.values()
    }
}

/// A socket on which the changes of ethtool are announced.
fn open_ethtool(host: &LinuxHost) -> Result<Option<Socket>> {
    let families = host.generic.take()?.snapshot(
        &mut control::dump(),
        || None,
        |found, message| {
            *found = found.or(control::multicast_group(message, ethtool::NAME, ethtool::MONITOR)?);
            Ok(())
        },
    );
    let Some(group) = families.map_err(|refusal| refusal.error("listing generic netlink families"))? else {
        return Ok(None);
    };
    let socket = host.namespace.run(|| Socket::open(Protocol::Generic, 0))??;
    socket.join_group(group).map_err(|refusal| refusal.error("subscribing to changes of ethtool"))?;
    Ok(Some(socket))
}

impl Pending {
    fn note(&mut self, announcement: Announcement, at: usize, rows: &Rows) {
        let has_ipv6 = |index| rows.contains_key(&(InterfaceIndex(index), Family::V6));
        match announcement {
            Announcement::Link(index) => self.read(InterfaceIndex(index), at),
            Announcement::LinkGone(index) => {
                let index = InterfaceIndex(index);
                let _ = self.read.remove(&index);
                self.steps.push((at, Step::Gone(index)));
            }
            // Of an IPv6 that is switched on or off by `disable_ipv6`, only its addresses tell.
            Announcement::Address(index) if !has_ipv6(index) => self.read(InterfaceIndex(index), at),
            Announcement::AddressGone(index) if has_ipv6(index) => self.read(InterfaceIndex(index), at),
            Announcement::Address(_) | Announcement::AddressGone(_) => {}
            Announcement::Setting(setting) => match setting.scope {
                Scope::Interface(index) => self.read(InterfaceIndex(index), at),
                Scope::All | Scope::Other(_) => self.all = true,
                Scope::Default => {}
            },
        }
    }

    fn suspect(&mut self, suspects: Suspects) {
        match suspects {
            Suspects::All => self.all = true,
            Suspects::These(indexes) => indexes.into_iter().for_each(|index| self.read(index, END)),
        }
    }

    fn read(&mut self, index: InterfaceIndex, at: usize) {
        if let Entry::Vacant(entry) = self.read.entry(index) {
            let _ = entry.insert(at);
            self.steps.push((at, Step::Read(index)));
        }
    }
}

fn read_all(host: &LinuxHost) -> Result<Rows> {
    Ok(host.ip_interfaces(None)?.into_iter().map(keyed).collect())
}

fn read_one(host: &LinuxHost, index: InterfaceIndex) -> Result<Rows> {
    Ok(host.read_rows_of(index)?.into_iter().map(keyed).collect())
}

fn keyed(row: IpInterface) -> ((InterfaceIndex, Family), IpInterface) {
    ((row.index, row.family), row)
}

/// Whether two rows are the same, but for what the kernel draws anew every few minutes.
fn is_same(one: &IpInterface, other: &IpInterface) -> bool {
    *one == IpInterface { reachable_time: one.reachable_time, ..other.clone() }
}

/// Appends what makes `now` of `before`: what is gone first, since an index may be another interface's by now.
fn difference(
    before: &Rows,
    now: &Rows,
    place: impl Fn(InterfaceIndex) -> usize,
    lost: bool,
    changes: &mut Vec<IpInterfaceChange>,
) {
    let mut report = |kind, row: &IpInterface, before: Option<&IpInterface>| {
        let (row, before) = (row.clone(), before.cloned());
        changes.push(IpInterfaceChange { at: place(row.index), kind, row, before, resynchronised: lost });
    };
    for (key, was) in before {
        if now.get(key).is_none_or(|is| is.luid != was.luid) {
            report(ChangeKind::Delete, was, None);
        }
    }
    for (key, is) in now {
        match before.get(key).filter(|was| was.luid == is.luid) {
            None => report(ChangeKind::Add, is, None),
            Some(was) if !is_same(was, is) => report(ChangeKind::Parameter, is, Some(was)),
            Some(_) => {}
        }
    }
}
