//! One namespace's IP interfaces as they were last seen, and what has changed since.

use super::super::LinuxHost;
use super::super::socket::{Protocol, Socket};
use super::silent::{Silent, Suspects};
use crate::backend::IpInterface as _;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::IpInterface;
use crate::notification::{ChangeKind, IpInterfaceChanged};
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::DecodeError;
use iphelper_netlink::genetlink::{control, ethtool};
use iphelper_netlink::message::Message;
use iphelper_netlink::rtnetlink::netconf::Scope;
use iphelper_netlink::rtnetlink::notification::{self as groups, Announcement};
use rustix::net::RecvFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// Where more interfaces than this are to be read at once, the whole table is read instead. The kernel gives neighbour
/// parameters of all interfaces or of none, so one interface costs about a quarter of the table (measured with 3,000).
const READ_ONE_BY_ONE: usize = 4;

/// The rows as they were last seen, without what changes by itself.
type Rows = BTreeMap<(InterfaceIndex, Family), IpInterface>;

/// Listens to the kernel, and keeps the table to compare with.
#[derive(Debug)]
pub(super) struct Monitor {
    host: Arc<LinuxHost>,
    route: Socket,
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
    /// What was announced, in order.
    steps: Vec<Step>,
    /// The interfaces that the steps read, since they last left.
    read: BTreeSet<InterfaceIndex>,
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

impl Monitor {
    /// Subscribes, then reads the table: what happens in between is announced.
    pub(super) fn open(host: Arc<LinuxHost>) -> Result<Self> {
        let subscriptions = groups::LINK
            | groups::IPV6_LINK
            | groups::IPV6_ADDRESS
            | groups::IPV4_NETCONF
            | groups::IPV6_NETCONF;
        let route = host.namespace.run(|| Socket::open(Protocol::Route, subscriptions))??;
        let ethtool = open_ethtool(&host)?;
        // In this order: what changes in between is in the rows, and at the next look it is no more than a suspicion.
        let silent = Silent::read(&host)?;
        let rows = read_all(&host)?;
        Ok(Self { host, route, ethtool, rows, silent, pending: Pending::default() })
    }

    /// Duplicates of the descriptors on which the kernel announces.
    pub(super) fn descriptors(&self) -> Result<Vec<OwnedFd>> {
        let duplicate = |socket: &Socket| {
            socket.as_fd().try_clone_to_owned().map_err(|error| {
                Error::new(ErrorKind::ResourceLimit, "duplicating a descriptor")
                    .with_errno(error.raw_os_error().unwrap_or_default())
            })
        };
        std::iter::once(&self.route).chain(&self.ethtool).map(duplicate).collect()
    }

    /// Appends to `changes` what the kernel announced, and with `look` what changed without that.
    ///
    /// After an error `changes` is right as far as it goes, and the next call finds the rest.
    pub(super) fn update(&mut self, look: bool, changes: &mut Vec<IpInterfaceChanged>) -> Result<()> {
        self.drain()?;
        if look {
            let now = Silent::read(&self.host)?;
            self.pending.suspect(self.silent.suspects(&now));
            self.silent = now;
        }
        let Pending { steps, read, all, lost } = std::mem::take(&mut self.pending);
        let all = all || read.len() > READ_ONE_BY_ONE;
        let mut result = Ok(());
        for step in steps {
            match step {
                Step::Gone(index) => self.compare(index, Rows::new(), lost, changes),
                Step::Read(index) if !all && result.is_ok() => match read_one(&self.host, index) {
                    Ok(rows) => self.compare(index, rows, lost, changes),
                    Err(error) => result = Err(error),
                },
                Step::Read(_) => {}
            }
        }
        if all {
            result = read_all(&self.host).map(|rows| {
                difference(&self.rows, &rows, lost, changes);
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
        lost: bool,
        changes: &mut Vec<IpInterfaceChanged>,
    ) {
        let before =
            Family::ALL.iter().filter_map(|family| self.rows.remove_entry(&(index, *family))).collect();
        difference(&before, &now, lost, changes);
        self.rows.extend(now);
    }

    /// Notes all announcements that are there.
    fn drain(&mut self) -> Result<()> {
        let Self { route, ethtool, rows, pending, .. } = self;
        drain(route, pending, |message, pending| {
            if let Some(announcement) = Announcement::parse(message)? {
                pending.note(announcement, rows);
            }
            Ok(())
        })?;
        let Some(ethtool) = ethtool else { return Ok(()) };
        drain(ethtool, pending, |message, pending| {
            if let Some(index) = ethtool::changed_link(message)? {
                pending.read(InterfaceIndex(index));
            }
            Ok(())
        })
    }
}

/// Reads what is in a socket's queue, each message to `note`.
fn drain(
    socket: &mut Socket,
    pending: &mut Pending,
    mut note: impl FnMut(&Message<'_>, &mut Pending) -> Result<(), DecodeError>,
) -> Result<()> {
    loop {
        match socket.receive_with(RecvFlags::DONTWAIT) {
            Ok(messages) => {
                for message in messages {
                    // What cannot be read may have been about anything.
                    pending.all |= message.and_then(|message| note(&message, pending)).is_err();
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
    fn note(&mut self, announcement: Announcement, rows: &Rows) {
        let has_ipv6 = |index| rows.contains_key(&(InterfaceIndex(index), Family::V6));
        match announcement {
            Announcement::Link(index) => self.read(InterfaceIndex(index)),
            Announcement::LinkGone(index) => {
                let index = InterfaceIndex(index);
                let _ = self.read.remove(&index);
                self.steps.push(Step::Gone(index));
            }
            // Of an IPv6 that is switched on or off by `disable_ipv6`, only its addresses tell.
            Announcement::Address(index) if !has_ipv6(index) => self.read(InterfaceIndex(index)),
            Announcement::AddressGone(index) if has_ipv6(index) => self.read(InterfaceIndex(index)),
            Announcement::Address(_) | Announcement::AddressGone(_) => {}
            Announcement::Setting(setting) => match setting.scope {
                Scope::Interface(index) => self.read(InterfaceIndex(index)),
                Scope::All | Scope::Other(_) => self.all = true,
                Scope::Default => {}
            },
        }
    }

    fn suspect(&mut self, suspects: Suspects) {
        match suspects {
            Suspects::All => self.all = true,
            Suspects::These(indexes) => indexes.into_iter().for_each(|index| self.read(index)),
        }
    }

    fn read(&mut self, index: InterfaceIndex) {
        if self.read.insert(index) {
            self.steps.push(Step::Read(index));
        }
    }
}

fn read_all(host: &LinuxHost) -> Result<Rows> {
    Ok(host.ip_interfaces(None)?.into_iter().map(keyed).collect())
}

fn read_one(host: &LinuxHost, index: InterfaceIndex) -> Result<Rows> {
    Ok(host.read_rows_of(index)?.into_iter().map(keyed).collect())
}

fn keyed(mut row: IpInterface) -> ((InterfaceIndex, Family), IpInterface) {
    // The kernel draws it anew every few minutes.
    row.reachable_time = Duration::ZERO;
    ((row.index, row.family), row)
}

/// Appends what makes `now` of `before`: what is gone first, since an index may be another interface's by now.
fn difference(before: &Rows, now: &Rows, lost: bool, changes: &mut Vec<IpInterfaceChanged>) {
    let mut report = |kind, row: &IpInterface| {
        changes.push(IpInterfaceChanged {
            kind,
            family: row.family,
            luid: row.luid,
            index: row.index,
            name: row.name.clone(),
            resynchronised: lost,
        });
    };
    for (key, was) in before {
        if now.get(key).is_none_or(|is| is.luid != was.luid) {
            report(ChangeKind::Delete, was);
        }
    }
    for (key, is) in now {
        match before.get(key).filter(|was| was.luid == is.luid) {
            None => report(ChangeKind::Add, is),
            Some(was) if was != is => report(ChangeKind::Parameter, is),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::InterfaceLuid;
    use iphelper_testkit::{isolated, run, set_sysctl};
    use std::sync::atomic::{AtomicBool, Ordering};

    type Keys = BTreeSet<(InterfaceIndex, InterfaceLuid, Family)>;

    fn keys(rows: &Rows) -> Keys {
        rows.values().map(|row| (row.index, row.luid, row.family)).collect()
    }

    /// Plays changes back on the table that they began with.
    fn play(changes: &[IpInterfaceChanged], table: &mut Keys) {
        for change in changes {
            let key = (change.index, change.luid, change.family);
            let is_sound = match change.kind {
                ChangeKind::Add => table.insert(key),
                ChangeKind::Delete => table.remove(&key),
                ChangeKind::Parameter => table.contains(&key),
            };
            assert!(is_sound, "{change:?} with {table:?}");
        }
    }

    /// A monitor in the thread's namespace whose queue holds a message or two.
    fn monitor_with_a_tiny_queue() -> Monitor {
        let monitor = Monitor::open(Arc::new(LinuxHost::open().unwrap())).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&monitor.route, 1).unwrap();
        monitor
    }

    #[test]
    fn after_an_overrun_the_difference_is_found() {
        isolated(|| {
            for pair in ["add e0 type veth peer name e1", "add e2 type veth peer name e3"] {
                let _ = run(&format!("ip link {pair}"));
            }
            let mut monitor = monitor_with_a_tiny_queue();
            let mut table = keys(&monitor.rows);
            let name = |changes: &[IpInterfaceChanged], kind| -> BTreeSet<String> {
                changes
                    .iter()
                    .filter(|change| change.kind == kind)
                    .map(|change| change.name.clone())
                    .collect()
            };
            for flip in 0..3000 {
                set_sysctl("ipv4/conf/lo/forwarding", if flip % 2 == 0 { "1" } else { "0" });
            }
            let _ = run("ip link del e0");
            let _ = run("ip link set e2 mtu 1400");
            let _ = run("ip link add e4 type veth peer name e5");
            let mut changes = Vec::new();
            monitor.update(false, &mut changes).unwrap();
            assert!(
                !changes.is_empty() && changes.iter().all(|change| change.resynchronised),
                "{changes:#?}"
            );
            play(&changes, &mut table);
            assert_eq!(name(&changes, ChangeKind::Delete), ["e0", "e1"].map(String::from).into());
            assert_eq!(name(&changes, ChangeKind::Add), ["e4", "e5"].map(String::from).into());
            assert_eq!(name(&changes, ChangeKind::Parameter), ["e2".to_owned()].into());

            changes.clear();
            set_sysctl("ipv4/conf/e2/forwarding", "1");
            monitor.update(false, &mut changes).unwrap();
            assert_eq!(changes.len(), 1);
            assert!(!changes[0].resynchronised, "the overrun is over");
        });
    }

    #[test]
    fn a_twin_on_the_same_index_is_told_apart_by_the_announcement() {
        isolated(|| {
            let twin = "ip link add e0 index 77 address 02:00:00:00:00:07 type veth peer name e1 index 78";
            let _ = run(twin);
            let mut monitor = Monitor::open(Arc::new(LinuxHost::open().unwrap())).unwrap();
            // Both happen before anything is read.
            let _ = run("ip link del e0");
            let _ = run(twin);
            let mut changes = Vec::new();
            monitor.update(false, &mut changes).unwrap();
            let steps: Vec<_> = changes
                .iter()
                .filter(|change| change.index == InterfaceIndex(77) && change.family == Family::V4)
                .map(|change| (change.kind, change.luid))
                .collect();
            let [(ChangeKind::Delete, gone), (ChangeKind::Add, new)] = steps[..] else {
                panic!("a deletion and an addition, not {steps:?}")
            };
            assert_eq!(gone, new, "no twin after all");
        });
    }

    #[test]
    fn what_changes_during_overruns_adds_up_to_the_table() {
        isolated(|| {
            let mut monitor = monitor_with_a_tiny_queue();
            let mut table = keys(&monitor.rows);
            let mut resynchronised = 0;
            let done = AtomicBool::new(false);
            let mut step = |monitor: &mut Monitor| {
                let mut changes = Vec::new();
                monitor.update(false, &mut changes).unwrap();
                play(&changes, &mut table);
                resynchronised += changes.iter().filter(|change| change.resynchronised).count();
                changes.is_empty()
            };
            std::thread::scope(|scope| {
                let _ = scope.spawn(|| {
                    for round in 0..40 {
                        let _ = run(&format!("ip link add e{round} type veth peer name p{round}"));
                        for flip in 0..100 {
                            set_sysctl("ipv4/conf/all/forwarding", if flip % 2 == 0 { "1" } else { "0" });
                        }
                        if round % 2 == 0 {
                            let _ = run(&format!("ip link del e{round}"));
                        }
                    }
                    done.store(true, Ordering::Release);
                });
                while !done.load(Ordering::Acquire) {
                    let _ = step(&mut monitor);
                }
            });
            while !step(&mut monitor) {}
            assert_eq!(table, keys(&read_all(&monitor.host).unwrap()));
            assert!(resynchronised > 0, "nothing overran, so this test has tested nothing");
        });
    }
}
