//! Who sent the request that made a change: from the port of a netlink socket to the process that has it open.

use super::super::LinuxHost;
use super::super::namespace::in_proc;
use super::super::process::Processes;
use crate::error::Result;
use crate::notification::Requester;
use crate::tcp::Owner;
use rustc_hash::FxHashMap;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::OwnedFd;

/// So many ports are remembered.
const MOST_KNOWN: usize = 256;

/// Ports that were asked for once.
#[derive(Debug)]
pub(super) struct Requesters {
    processes: Processes,
    /// `/proc/net/netlink`, which shows the namespace that it was opened in.
    list: OwnedFd,
    /// The inode of each routing socket by its port, as it was at the first question about these announcements.
    sockets: Option<FxHashMap<u32, u64>>,
    /// The inode that a port had, and who had it open.
    known: FxHashMap<u32, (u64, Option<Owner>)>,
}

impl Requesters {
    pub(super) fn open(host: &LinuxHost) -> Result<Self> {
        const LIST: &str = "/proc/thread-self/net/netlink";
        let open = || rustix::fs::open(LIST, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let list = host.namespace.run(open)?.map_err(|errno| in_proc("opening /proc/net/netlink", errno))?;
        Ok(Self { processes: Processes::open()?, list, sockets: None, known: FxHashMap::default() })
    }

    /// Begins with announcements that have just arrived: a port may be another socket's by now.
    pub(super) fn begin(&mut self) {
        self.sockets = None;
        if self.known.len() > MOST_KNOWN {
            // Most are of programs that have ended.
            self.known.clear();
        }
    }

    /// Who has the socket with this port; `None` for the kernel's own.
    pub(super) fn find(&mut self, port: u32) -> Option<Requester> {
        if port == 0 {
            return None;
        }
        let list = &self.list;
        let read = || read_whole(list).map(|text| routing_sockets(&text)).unwrap_or_default();
        let Some(inode) = self.sockets.get_or_insert_with(read).get(&port).copied() else {
            // Closed already. The number may be a process' that never had the socket, so nobody is named.
            return Some(Requester { port, process: None });
        };
        let process = match self.known.get(&port) {
            Some((known, process)) if *known == inode => process.clone(),
            _ => {
                let process = self.holder(port, inode);
                let _ = self.known.insert(port, (inode, process.clone()));
                process
            }
        };
        Some(Requester { port, process })
    }

    /// Who has a socket open. A process' first socket has the process' number for its port, unless that was taken.
    fn holder(&self, port: u32, inode: u64) -> Option<Owner> {
        let likely = self.processes.process(port).ok().flatten();
        if let Some(process) = likely.filter(|process| process.holds(inode).unwrap_or_default()) {
            return Some(Owner { pid: process.pid, name: process.name().ok()? });
        }
        self.processes.owners(std::iter::once(inode)).ok()?.remove(&inode)
    }
}

fn read_whole(file: &OwnedFd) -> Result<String, Errno> {
    let mut text = Vec::new();
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let offset = u64::try_from(text.len()).unwrap_or(u64::MAX);
        match retry_on_intr(|| rustix::io::pread(file, &mut buffer, offset))? {
            0 => return Ok(String::from_utf8_lossy(&text).into_owned()),
            len => text.extend_from_slice(buffer.get(..len).unwrap_or_default()),
        }
    }
}

/// Port and inode of each socket of the protocol 0, `NETLINK_ROUTE`. Columns: address, protocol, port, groups, bytes
/// received and sent, dump, references, drops, inode (net/netlink/af_netlink.c).
fn routing_sockets(text: &str) -> FxHashMap<u32, u64> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "0", port, _, _, _, _, _, _, inode, ..] = fields.as_slice() else { return None };
        Some((port.parse().ok()?, inode.parse().ok()?))
    };
    text.lines().skip(1).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routing_sockets_are_listed() {
        let text = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n\
                    0000000024651cac 0   0          00000000 0        0        0     2        0        4       \n\
                    0000000024651cad 0   4294960000 00000551 0        0        0     2        0        77      \n\
                    00000000199631e5 4   55         00000000 0        0        0     2        0        487     \n\
                    odd\n";
        let sockets = routing_sockets(text);
        assert_eq!(sockets.get(&4_294_960_000), Some(&77));
        assert_eq!(sockets.get(&55), None);
        assert_eq!(routing_sockets(""), FxHashMap::default());
    }

    #[test]
    fn a_socket_of_this_process_is_its_own() {
        use super::super::super::socket::{Protocol, Socket};
        use iphelper_testkit::{eventually, isolated};
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let socket = Socket::open(Protocol::Route, 0).unwrap();
            let port = socket.port().unwrap();
            let mut requesters = Requesters::open(&host).unwrap();
            let found = requesters.find(port).unwrap();
            assert_eq!(found.process.map(|process| process.pid), Some(std::process::id()));
            drop(socket);
            // A program that another test starts has a copy until it is under way.
            eventually("it is closed", || {
                requesters.begin();
                requesters.find(port).unwrap().process.is_none()
            });
            assert_eq!(requesters.find(0), None, "the kernel");
        });
    }
}
