//! Port reservations: the kernel's list of reserved ports, and a record of whose they are.
//!
//! The kernel adds to its list what is written at any place but the beginning of the file, and replaces the list by what is
//! written at the beginning (`kernel/sysctl.c`, `proc_do_large_bitmap`). So a reservation is added whatever others write at
//! the same time; only a deletion replaces the list, by what was read just before.
//!
//! The order of the writes, for a caller that is killed between two of them: what is to be added or taken out is recorded as
//! begun, then done, then recorded as done. Whoever next has the lock completes what was begun.
//!
//! Of a list that lacks what nobody of ours has begun to change, somebody else has made another (`sysctl --system` does): what
//! it has of our ports is reserved by them, too, and stays when our reservation goes.

mod ports;
mod record;
mod store;
#[cfg(test)]
mod tests;

use super::LinuxHost;
use super::namespace::system;
use super::sysctl::write_at;
use crate::backend::{self, Tcp as _, Udp as _};
use crate::error::{Error, ErrorKind, Result};
use crate::port_reservation::{PortProtocol, PortRange, PortReservation};
use crate::socket::{SocketCondition, SocketQuery};
use crate::tcp::TcpState;
use crate::types::Family;
use ports::Ports;
#[cfg(fuzzing)]
pub(crate) use record::fuzz as fuzz_record;
use record::{Deletion, Record, Row};
use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};
use rustix::rand::{GetRandomFlags, getrandom};
use store::{LockedStore, Store};

const OPERATION: &str = "reserving ports";
const FILE: &str = "ip_local_reserved_ports";
/// The kernel takes no more than a page of text in one write.
const LONGEST_WRITE: usize = 4000;

impl backend::PortReservation for LinuxHost {
    fn port_reservations(&self) -> Result<Vec<PortReservation>> {
        let record = Store::of(self)?.read()?;
        let reserved = self.reserved_ports()?;
        let rows = record.into_iter().flat_map(|record| record.rows);
        let mut rows: Vec<_> = rows.map(|row| public(row, &reserved)).collect();
        rows.sort_unstable_by_key(|row| (row.protocol, row.ports));
        Ok(rows)
    }

    fn port_reservation(&self, protocol: PortProtocol, ports: PortRange) -> Result<PortReservation> {
        let row = Store::of(self)?.read()?.and_then(|record| record.find(protocol, ports));
        Ok(public(row.ok_or_else(|| not_found(protocol, ports))?, &self.reserved_ports()?))
    }

    fn plan_create_port_reservation(
        &self,
        protocol: PortProtocol,
        ports: PortRange,
    ) -> Result<PortReservation> {
        let record = Store::of(self)?.read()?.unwrap_or_else(|| Record::new(0));
        self.check_free(&record, protocol, ports)?;
        Ok(PortReservation { protocol, ports, token: None, is_in_force: false })
    }

    fn create_port_reservation(&self, protocol: PortProtocol, ports: PortRange) -> Result<PortReservation> {
        self.require_administrator(OPERATION)?;
        self.create_in(&Store::of(self)?, protocol, ports)
    }

    fn delete_port_reservation(&self, protocol: PortProtocol, ports: PortRange) -> Result<PortReservation> {
        self.require_administrator(OPERATION)?;
        self.delete_in(&Store::of(self)?, protocol, ports)
    }

    fn restore_port_reservations(&self) -> Result<Vec<PortReservation>> {
        self.require_administrator(OPERATION)?;
        self.restore_in(&Store::of(self)?)
    }
}

impl LinuxHost {
    /// The error with which any reservation by this caller would be refused.
    pub(super) fn check_may_reserve_ports(&self) -> Result<()> {
        self.require_administrator(OPERATION)?;
        let _ = self
            .sysctl
            .file(Family::V4, FILE, OFlags::WRONLY)
            .map_err(|errno| sysctl_error(OPERATION, errno))?;
        let store = Store::of(self)?;
        let _ = store.read()?;
        store.check_may_write()
    }

    /// Where reservations are recorded.
    pub(super) const fn port_reservation_folder() -> &'static str {
        store::FOLDER
    }

    fn create_in(&self, store: &Store, protocol: PortProtocol, ports: PortRange) -> Result<PortReservation> {
        let locked = store.lock(true)?.ok_or_else(|| not_found(protocol, ports))?;
        let mut record = match locked.read()? {
            Some(record) => record,
            None => Record::new(random_token()?),
        };
        self.settle(&locked, &mut record)?;
        self.check_free(&record, protocol, ports)?;
        let row = Row { protocol, ports, token: record.next_token };
        // 0 is what a program has that has no token.
        record.next_token = record.next_token.wrapping_add(1).max(1);
        record.rows.push(row);
        record.adding = Ports::of([ports]);
        locked.write(&record)?;
        let added = self.add(&record.adding).and_then(|()| {
            // A socket may have been given one of them since the first look; from now on none is.
            self.check_sockets(protocol, ports)
        });
        record.adding = Ports::default();
        if let Err(error) = added {
            let _ = self.take_out(&locked, &mut record, row);
            return Err(error);
        }
        // It is done: what is still recorded as begun is found in the list next time.
        let _ = locked.write(&record);
        Ok(public(row, &Ports::of([ports])))
    }

    fn delete_in(&self, store: &Store, protocol: PortProtocol, ports: PortRange) -> Result<PortReservation> {
        let locked = store.lock(false)?.ok_or_else(|| not_found(protocol, ports))?;
        let mut record = locked.read()?.ok_or_else(|| not_found(protocol, ports))?;
        self.settle(&locked, &mut record)?;
        let row = record.find(protocol, ports).ok_or_else(|| not_found(protocol, ports))?;
        self.take_out(&locked, &mut record, row)?;
        Ok(public(row, &Ports::of([ports])))
    }

    fn restore_in(&self, store: &Store) -> Result<Vec<PortReservation>> {
        let Some(locked) = store.lock(false)? else { return Ok(Vec::new()) };
        locked.sweep();
        let Some(mut record) = locked.read()? else { return Ok(Vec::new()) };
        let before = self.reserved_ports()?;
        self.settle(&locked, &mut record)?;
        let mut rows: Vec<_> =
            record.rows.iter().filter(|row| !before.holds(&Ports::of([row.ports]))).copied().collect();
        rows.sort_unstable_by_key(|row| (row.protocol, row.ports));
        let after = self.reserved_ports()?;
        Ok(rows.into_iter().map(|row| public(row, &after)).collect())
    }

    /// Makes the kernel's list and the record agree: completes what somebody began, puts back what somebody took away.
    fn settle(&self, locked: &LockedStore<'_>, record: &mut Record) -> Result<()> {
        let mut reserved = self.reserved_ports()?;
        if !record.is_current {
            // None of ours is in the list yet: what is there of them is somebody else's, too.
            record.others = reserved.common(&record.ports());
            record.adding = record.ports();
            record.deletion = None;
            record.is_current = true;
            locked.write(record)?;
        }
        if let Some(deletion) = &record.deletion {
            let left = left_by(deletion, &reserved);
            if left != reserved {
                self.replace(&left)?;
                reserved = left;
            }
            record.deletion = None;
            locked.write(record)?;
        }
        let (ours, begun) = (record.ports(), !record.adding.is_empty());
        let missing = ours.without(&reserved);
        if !missing.without(&record.adding).is_empty() {
            record.others = reserved.common(&ours);
        }
        if !missing.is_empty() {
            record.adding = record.adding.union(&missing);
            locked.write(record)?;
            self.add(&missing)?;
        }
        if begun || !missing.is_empty() {
            record.adding = Ports::default();
            locked.write(record)?;
        }
        Ok(())
    }

    /// Takes a reservation out of the record and of the kernel's list, where nobody else has its ports.
    fn take_out(&self, locked: &LockedStore<'_>, record: &mut Record, row: Row) -> Result<()> {
        let before = record.clone();
        record.rows.retain(|other| *other != row);
        let left = record.ports();
        let ports = Ports::of([row.ports]).without(&left).without(&record.others);
        record.others = record.others.common(&left);
        let reserved = self.reserved_ports()?;
        let keeping = reserved.without(&ports);
        if keeping == reserved {
            return locked.write(record);
        }
        record.deletion = Some(Deletion { ports, keeping: keeping.clone() });
        locked.write(record)?;
        if let Err(error) = self.replace(&keeping) {
            // A long list may be there in part.
            let _ = self.replace(&reserved);
            *record = before;
            let _ = locked.write(record);
            return Err(error);
        }
        record.deletion = None;
        // It is done: what is not forgotten now is taken out once more, from where it is not.
        let _ = locked.write(record);
        Ok(())
    }

    /// [`ErrorKind::InUse`] unless these ports can be reserved.
    fn check_free(&self, record: &Record, protocol: PortProtocol, ports: PortRange) -> Result<()> {
        let mut of_protocol = record.rows.iter().filter(|row| row.protocol == protocol);
        if let Some(row) = of_protocol.find(|row| row.ports.overlaps(ports)) {
            return Err(in_use(format!("the {protocol} ports {} are reserved", row.ports)));
        }
        let ours = if record.is_current { record.ports().without(&record.others) } else { Ports::default() };
        let foreign = self.reserved_ports()?.common(&Ports::of([ports])).without(&ours);
        if !foreign.is_empty() {
            return Err(in_use(format!(
                "somebody else has put {} into net.ipv4.{FILE}: `iph port-reservation list` shows what is ours",
                foreign.print()
            )));
        }
        self.check_sockets(protocol, ports)
    }

    /// [`ErrorKind::InUse`] where a socket has one of the ports.
    fn check_sockets(&self, protocol: PortProtocol, ports: PortRange) -> Result<()> {
        let mut conditions = vec![SocketCondition::LocalPort(ports.first()..=ports.last())];
        if protocol == PortProtocol::Tcp {
            use TcpState as S;
            // All but TIME_WAIT, in which no program has it any more.
            conditions.push(SocketCondition::State(vec![
                S::Closed,
                S::Listen,
                S::SynSent,
                S::SynReceived,
                S::Established,
                S::FinWait1,
                S::FinWait2,
                S::CloseWait,
                S::Closing,
                S::LastAck,
            ]));
        }
        let query =
            SocketQuery { filter: conditions.into(), specific_port_binds: false, ..SocketQuery::default() };
        let used = match protocol {
            PortProtocol::Tcp => self.tcp_connections(&query)?.first().map(|row| row.local),
            PortProtocol::Udp => self.udp_endpoints(&query)?.first().map(|row| row.local),
        };
        used.map_or(Ok(()), |local| Err(in_use(format!("a {protocol} socket has {local}"))))
    }

    /// The kernel's list.
    fn reserved_ports(&self) -> Result<Ports> {
        const READING: &str = "reading the reserved ports";
        let file = self
            .sysctl
            .file(Family::V4, FILE, OFlags::RDONLY)
            .map_err(|errno| sysctl_error(READING, errno))?;
        let mut bytes = vec![0; 4096];
        // The kernel gives no more than one read takes.
        let len = loop {
            let len = retry_on_intr(|| rustix::io::pread(&file, &mut bytes, 0))
                .map_err(|errno| sysctl_error(READING, errno))?;
            if len < bytes.len() {
                break len;
            }
            bytes.resize(2 * bytes.len(), 0);
        };
        let text = String::from_utf8_lossy(bytes.get(..len).unwrap_or_default());
        Ports::parse(&text).ok_or_else(|| {
            Error::new(ErrorKind::Other, READING).because(format!("net.ipv4.{FILE} is no list of ports"))
        })
    }

    /// Adds to the kernel's list.
    fn add(&self, ports: &Ports) -> Result<()> {
        self.write(ports, false)?;
        if self.reserved_ports()?.holds(ports) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Other, OPERATION)
            .because(format!("somebody else has overwritten net.ipv4.{FILE} at the same moment: try again")))
    }

    /// Makes it the kernel's list.
    fn replace(&self, ports: &Ports) -> Result<()> {
        self.write(ports, true)
    }

    fn write(&self, ports: &Ports, replacing: bool) -> Result<()> {
        let file = self
            .sysctl
            .file(Family::V4, FILE, OFlags::WRONLY)
            .map_err(|errno| sysctl_error(OPERATION, errno))?;
        let text = ports.print();
        for (number, piece) in pieces(&text).enumerate() {
            let at = u64::from(!replacing || number > 0);
            write_at(&file, &format!("{piece}\n"), at).map_err(|errno| sysctl_error(OPERATION, errno))?;
        }
        Ok(())
    }
}

/// What the kernel's list shall have after a deletion that was begun, and perhaps done.
fn left_by(Deletion { ports, keeping }: &Deletion, reserved: &Ports) -> Ports {
    if pieces(&keeping.print()).nth(1).is_some() {
        // The first piece may have been all that was written.
        return reserved.union(keeping).without(ports);
    }
    // One write is done or not. Where one of them is not there it was, or somebody has made another list: what is there of
    // them is somebody's.
    if reserved.holds(ports) && reserved.holds(keeping) { reserved.without(ports) } else { reserved.clone() }
}

/// Parts of a list, each short enough for one write; one at least.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let most = all.get(..LONGEST_WRITE).unwrap_or(all);
        let end = if most.len() < all.len() { most.rfind(',').unwrap_or(most.len()) } else { all.len() };
        rest = all.get(end + 1..);
        all.get(..end)
    })
}

/// A number to begin tokens with: no two records are likely to give one token out.
fn random_token() -> Result<u64> {
    let mut bytes = [0; 8];
    let len = retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty()))
        .map_err(|errno| system(OPERATION, errno).because("making a token"))?;
    if len < bytes.len() {
        return Err(system(OPERATION, Errno::IO).because("making a token"));
    }
    Ok(u64::from_ne_bytes(bytes).max(1))
}

fn public(row: Row, reserved: &Ports) -> PortReservation {
    let Row { protocol, ports, token } = row;
    PortReservation { protocol, ports, token: Some(token), is_in_force: reserved.holds(&Ports::of([ports])) }
}

fn in_use(reason: String) -> Error {
    Error::new(ErrorKind::InUse, OPERATION).because(reason)
}

fn not_found(protocol: PortProtocol, ports: PortRange) -> Error {
    Error::new(ErrorKind::NotFound, "looking for a port reservation").because(format!(
        "no reservation is exactly {protocol} {ports}: `iph port-reservation list` shows them"
    ))
}

fn sysctl_error(operation: &'static str, errno: Errno) -> Error {
    let error = system(operation, errno);
    match errno {
        Errno::ROFS => error
            .with_kind(ErrorKind::AccessDenied)
            .because("/proc/sys is mounted read-only here, as containers without privilege have it"),
        Errno::NOENT => error
            .with_kind(ErrorKind::NotSupported)
            .because(format!("this kernel has no net.ipv4.{FILE} for this network namespace")),
        _ => error.because(format!("net.ipv4.{FILE}")),
    }
}
