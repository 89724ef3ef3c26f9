//! An IPv4 router as long as a program wants it.
//!
//! Each wish is an empty packet filter table with an owner: the kernel takes it away with its program, however that ends.
//! What was before is kept as routes without device, as [`marker`](super::marker) has it: one for the host, one for each
//! interface that forwarded by itself. They are there before `net.ipv4.ip_forward` is written and go after it is put back,
//! so a caller that is killed in between leaves what the next one completes. Where markers are and no table, the host is
//! put back: by the program that goes last, by the keeper, or by whatever next takes the lock of policy.

use super::converge::filter_socket;
use super::exclusive::PolicyLock;
use super::marker::{Subject, index_of, route_of, routes_of};
use super::names::{ROUTER, ROUTER_TABLES};
use crate::backend::RouterHold;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::namespace::system;
use crate::backend::linux::socket::{Pooled, Refusal};
use crate::backend::linux::sysctl::{read_value, write_value};
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::nf_tables::{Batch, Table};
use iphelper_netlink::rtnetlink::link::{change, devconf4};
use iphelper_netlink::rtnetlink::route::{Route, metric};
use rustc_hash::FxHashSet;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const OPERATION: &str = "making this host an IPv4 router";

const ALL: &str = "conf/all/forwarding";
const DEFAULT: &str = "conf/default/forwarding";

/// The marker of the host; those of interfaces have the priority [`FORWARDED`].
const HOST: u32 = 1;
/// In the host's marker: it is being put back, whatever forwarding is by now.
const BEGUN: u32 = 1;
/// The marker of an interface that forwarded by itself.
const FORWARDED: u32 = 2;

/// One wish.
#[derive(Debug)]
struct Hold {
    host: Arc<LinuxHost>,
    /// The table goes with this socket, which must not return to its pool.
    socket: Pooled,
    table: String,
}

impl LinuxHost {
    pub(in crate::backend::linux) fn hold_router(self: Arc<Self>) -> Result<Box<dyn RouterHold>> {
        self.require_administrator(OPERATION)?;
        let lock = PolicyLock::take(&self)?;
        let (socket, table) = make_table(&self)?;
        let hold = Hold { host: Arc::clone(&self), socket, table };
        if let Err(error) = self.become_router() {
            drop(lock);
            let _ = Box::new(hold).release();
            return Err(error);
        }
        Ok(Box::new(hold))
    }

    /// Notes what is, and makes this host a router unless it is one.
    fn become_router(&self) -> Result<()> {
        if self.forwards(ALL)? {
            return Ok(());
        }
        // Those of a program that is there still, where somebody has switched forwarding off since.
        self.delete_markers(self.router_markers()?)?;
        for link in self.links(OPERATION)?.iter().filter(|link| forwards_itself(link)) {
            let mut marker = route_of(ROUTER, link.index.0, FORWARDED);
            marker.metrics.set(metric::WINDOW, Some(Subject::of(link).tag));
            self.put_marker(&marker)?;
        }
        let mut host = route_of(ROUTER, 0, HOST);
        // The kernel does not tell a metric of zero.
        host.metrics.set(metric::SSTHRESH, self.forwards(DEFAULT)?.then_some(1));
        self.put_marker(&host)?;
        self.write_forwarding(ALL, true)
    }

    /// Puts forwarding back where a program made this host a router and is gone, under the lock of policy.
    pub(super) fn settle_router(&self) -> Result<()> {
        let markers = self.router_markers()?;
        if markers.is_empty() || !wishes(self)?.is_empty() {
            return Ok(());
        }
        let host = markers.iter().find(|marker| marker.priority == HOST);
        let is_begun = host.is_some_and(|host| host.metrics.get(metric::CWND) == Some(BEGUN));
        // Another value is somebody else's by now, who has decided.
        if let Some(host) = host
            && (is_begun || self.forwards(ALL)?)
        {
            let mut begun = host.clone().settled();
            begun.metrics.set(metric::CWND, Some(BEGUN));
            self.put_marker(&begun)?;
            let links = self.links(OPERATION)?;
            let forwarded: FxHashSet<Subject> = markers
                .iter()
                .filter(|marker| marker.priority == FORWARDED)
                .filter_map(|marker| {
                    let tag = marker.metrics.get(metric::WINDOW).unwrap_or_default();
                    Some(Subject { index: index_of(marker)?, tag })
                })
                .collect();
            self.write_forwarding(ALL, false)?;
            if host.metrics.get(metric::SSTHRESH) == Some(1) {
                self.write_forwarding(DEFAULT, true)?;
            }
            let mut socket = self.route.take()?;
            for link in links.iter().filter(|link| forwarded.contains(&Subject::of(link))) {
                let mut request = change::set_ipv4_configuration(link.index.0, devconf4::FORWARDING, 1);
                socket.acknowledged(&mut request).map_err(|refusal| {
                    refusal.error(OPERATION).because("putting an interface's forwarding back")
                })?;
            }
        }
        self.delete_markers(markers)
    }

    /// Takes markers away, the host's first: what is there without it was not made, or is put back.
    fn delete_markers(&self, mut markers: Vec<Route>) -> Result<()> {
        markers.sort_by_key(|marker| marker.priority != HOST);
        let mut socket = self.route.take()?;
        for marker in markers {
            match socket.acknowledged(&mut marker.settled().delete()) {
                Err(refusal) if refusal.errno() == libc::ESRCH => {}
                done => done.map_err(|refusal| refusal.error(OPERATION).because("deleting a marker"))?,
            }
        }
        Ok(())
    }

    fn put_marker(&self, marker: &Route) -> Result<()> {
        let done = self.route.take()?.acknowledged(&mut marker.create_or_replace());
        done.map_err(|refusal| refusal.error(OPERATION).because("adding a marker"))
    }

    /// Puts forwarding back, as [`settle_router`](Self::settle_router) does, taking the lock if there is need. Whether a
    /// program still wants a router: the kernel does not announce that it is gone.
    pub(in crate::backend::linux) fn settle_router_unlocked(&self) -> Result<bool> {
        // A program is announced by its table, and writes the markers only then.
        if !wishes(self)?.is_empty() {
            return Ok(true);
        }
        if self.router_markers()?.is_empty() {
            return Ok(false);
        }
        // Taking the lock puts it back; this tells of what failed.
        let _lock = PolicyLock::take(self)?;
        self.settle_router().map(|()| false)
    }

    fn router_markers(&self) -> Result<Vec<Route>> {
        routes_of(&mut *self.route.take()?, ROUTER)
            .map_err(|refusal| refusal.error(OPERATION).because("listing the markers"))
    }

    fn forwards(&self, file: &str) -> Result<bool> {
        let file = self.forwarding_file(file, OFlags::RDONLY)?;
        let value =
            read_value(&file).map_err(|errno| system(OPERATION, errno).because("reading forwarding"))?;
        Ok(value != "0")
    }

    fn write_forwarding(&self, file: &str, forwards: bool) -> Result<()> {
        let file = self.forwarding_file(file, OFlags::WRONLY)?;
        write_value(&file, if forwards { "1" } else { "0" })
            .map_err(|errno| system(OPERATION, errno).because("writing forwarding"))
    }

    fn forwarding_file(&self, file: &str, flags: OFlags) -> Result<std::os::fd::OwnedFd> {
        self.sysctl.file(Family::V4, file, flags).map_err(|errno| {
            let error = system(OPERATION, errno).because(format!("opening net.ipv4.{file}"));
            if errno == Errno::ROFS { error.with_kind(ErrorKind::NotSupported) } else { error }
        })
    }
}

fn forwards_itself(link: &Link) -> bool {
    link.ipv4.is_some_and(|ipv4| ipv4.forwarding)
}

impl RouterHold for Hold {
    fn release(mut self: Box<Self>) -> Result<usize> {
        let lock = PolicyLock::take(&self.host);
        let mut batch = Batch::new(None);
        batch.push(Table::delete(&self.table));
        if self.socket.transaction(batch).is_err() {
            // Closing the socket takes the table away, too. It is not counted below.
            self.socket.set_busy();
        }
        let _lock = lock?;
        let mut left = wishes(&self.host)?;
        let _ = left.remove(&self.table);
        if left.is_empty() {
            self.host.settle_router()?;
        }
        Ok(left.len())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A socket that owns a table, or has owned one, serves nobody else.
        self.socket.set_busy();
    }
}

/// Makes a table of this program's own, with the socket that owns it.
fn make_table(host: &Arc<LinuxHost>) -> Result<(Pooled, String)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    const ATTEMPTS: usize = 1000;
    // A new socket: those of the pool serve others, and closing this one must take nothing else away.
    let mut socket = host.netfilter.open()?;
    for _ in 0..ATTEMPTS {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{ROUTER_TABLES}{}-{number}", std::process::id());
        let comment = Some(format!("process {} wants this host to be an IPv4 router", std::process::id()));
        let mut batch = Batch::new(None);
        batch.push(Table { name: name.clone(), comment, owned: true }.create());
        match socket.transaction(batch) {
            Ok(()) => return Ok((socket, name)),
            // Another process has this number where it runs. Another's table is EPERM.
            Err(refusal) if matches!(refusal.errno(), libc::EEXIST | libc::EPERM | libc::EBUSY) => {}
            Err(refusal) => return Err(filter_error(refusal, "noting that this host is a router")),
        }
    }
    Err(Error::new(ErrorKind::Interrupted, OPERATION)
        .because(format!("the names of nftables tables \"inet {ROUTER_TABLES}...\" are taken")))
}

/// The tables of programs that want a router.
pub(super) fn wishes(host: &LinuxHost) -> Result<BTreeSet<String>> {
    let mut socket = match filter_socket(host) {
        // Nobody can have a table.
        Err(error) if error.kind() == ErrorKind::NotSupported => return Ok(BTreeSet::new()),
        socket => socket?,
    };
    let wishes = socket.snapshot(&mut Table::dump(), BTreeSet::new, |names, message| {
        let is_wish = |table: &Table| table.owned && table.name.starts_with(ROUTER_TABLES);
        names.extend(Table::parse(message)?.filter(is_wish).map(|table| table.name));
        Ok(())
    });
    match wishes {
        // An unknown subsystem is EINVAL to a request.
        Err(refusal)
            if matches!(refusal.errno(), libc::EOPNOTSUPP | libc::EPROTONOSUPPORT | libc::EINVAL) =>
        {
            Ok(BTreeSet::new())
        }
        wishes => wishes.map_err(|refusal| filter_error(refusal, "listing who wants a router")),
    }
}

fn filter_error(refusal: Refusal, doing: &'static str) -> Error {
    match refusal.errno() {
        libc::EOPNOTSUPP | libc::EPROTONOSUPPORT => refusal
            .into_error(ErrorKind::NotSupported, OPERATION)
            .because("this kernel has no nf_tables (CONFIG_NF_TABLES_INET), which would notice the end of a program"),
        _ => refusal.error(OPERATION).because(doing),
    }
}
