//! Which statistics were switched on: a record of this process, since Linux has no such switch.

use crate::backend::linux::LinuxHost;
use crate::backend::linux::namespace::Identity;
use crate::backend::linux::socket_table;
use crate::backend::linux::tcp::Tcp;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::socket::SocketCookie;
use crate::tcp::TcpQuery;
use crate::tcp::estats::{TcpEstatsCollection, TcpEstatsSwitch};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// With so many connections on record, those that have ended are looked for.
const MANY: usize = 256;

/// The switches of all connections of which one is on. No cookie is ever given out again, so that what has ended is
/// nobody's. The lock is held for a look at the table and no longer, so that hardly a `fork` finds it taken.
static RECORD: Mutex<Record> = Mutex::new(Record { process: 0, cleared_at: MANY, list: Vec::new() });

struct Record {
    process: u32,
    /// How long the record may become before it is looked through.
    cleared_at: usize,
    list: Vec<(Identity, FxHashMap<SocketCookie, TcpEstatsCollection>)>,
}

impl Record {
    fn of(&mut self, namespace: Identity) -> &mut FxHashMap<SocketCookie, TcpEstatsCollection> {
        let found = self.list.iter().position(|(identity, _)| *identity == namespace);
        let place = found.unwrap_or_else(|| {
            self.list.push((namespace, FxHashMap::default()));
            self.list.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "the place was found or made just now")]
        &mut self.list[place].1
    }

    fn len(&self) -> usize {
        self.list.iter().map(|(_, connections)| connections.len()).sum()
    }
}

fn record() -> MutexGuard<'static, Record> {
    let mut record = RECORD.lock().unwrap_or_else(PoisonError::into_inner);
    if record.process != std::process::id() {
        // A forked child is another process, which has switched nothing on.
        *record = Record { process: std::process::id(), cleared_at: MANY, list: Vec::new() };
    }
    record
}

/// The switches of a connection.
pub(super) fn of(host: &LinuxHost, cookie: SocketCookie) -> TcpEstatsCollection {
    record().of(host.namespace.identity()).get(&cookie).copied().unwrap_or_default()
}

/// Sets switches of a connection if `write`; what that changes.
pub(super) fn set(
    host: &LinuxHost,
    cookie: SocketCookie,
    switches: &[(TcpEstatsSwitch, bool)],
    write: bool,
) -> Result<Vec<PropertyChange>> {
    let namespace = host.namespace.identity();
    if write {
        forget_what_has_ended(host, namespace)?;
    }
    let mut record = record();
    let connections = record.of(namespace);
    let mut now = connections.get(&cookie).copied().unwrap_or_default();
    let mut changes = Vec::new();
    for (switch, on) in switches {
        if now.is_on(*switch) != *on {
            let text = |on| if on { "on" } else { "off" }.to_owned();
            changes.push(PropertyChange {
                property: switch.name(),
                from: text(now.is_on(*switch)),
                to: text(*on),
                mechanism: "record of this process; the kernel counts always".to_owned(),
            });
            now = now.with(*switch, *on);
        }
    }
    if write && now == TcpEstatsCollection::default() {
        let _ = connections.remove(&cookie);
    } else if write {
        let _ = connections.insert(cookie, now);
    }
    Ok(changes)
}

/// Takes the connections of this namespace that have ended off the record, when that has become long.
fn forget_what_has_ended(host: &LinuxHost, namespace: Identity) -> Result<()> {
    let cleared_at = record().cleared_at;
    if record().len() < cleared_at {
        return Ok(());
    }
    let rows = socket_table::whole::<Tcp>(host, &TcpQuery::default())?;
    let live: FxHashSet<SocketCookie> = rows.iter().map(|row| row.cookie).collect();
    let mut record = record();
    record.of(namespace).retain(|cookie, _| live.contains(cookie));
    record.cleared_at = MANY.max(2 * record.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_stays_short() {
        let host = LinuxHost::open().unwrap();
        let namespace = host.namespace.identity();
        // Cookies that the kernel will hardly reach.
        for number in 0..10 * MANY as u64 {
            let cookie = SocketCookie(u64::MAX - 10 - number);
            let changes = set(&host, cookie, &[(TcpEstatsSwitch::Path, true)], true).unwrap();
            assert_eq!((changes.len(), changes[0].property), (1, "path"));
            assert!(of(&host, cookie).is_on(TcpEstatsSwitch::Path));
            assert!(record().of(namespace).len() <= MANY + 1);
            let again = set(&host, cookie, &[(TcpEstatsSwitch::Path, true)], true).unwrap();
            assert!(again.is_empty() || record().of(namespace).len() <= 1, "{again:?}");
        }
    }
}
