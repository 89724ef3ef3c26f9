//! Which process a change came from, by the netlink port that the kernel's announcement names.

use crate::keeper::Manager;
use std::io::{BufRead as _, BufReader};

/// `NETLINK_ROUTE`.
const ROUTE: &str = "0";

/// The process whose rtnetlink socket has `port`; `None` where it is gone, or nothing tells.
///
/// `/proc/net/netlink` tells the socket's inode, and the descriptors of a process which sockets it has. The latter are
/// hidden from all but root and their owner. A program's first socket has the number of its process as port, so that
/// a process of that number is taken for it where the descriptors are hidden.
pub(super) fn by_port(port: u32) -> Option<Manager> {
    let inode = inode_of(port)?;
    let socket = format!("socket:[{inode}]");
    let holds = |process: u32| {
        let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
        let is_it = |path: std::path::PathBuf| path.as_os_str() == socket.as_str();
        Some(descriptors.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(is_it)))
    };
    match holds(port) {
        Some(true) => return named(port),
        Some(false) => {}
        None => {
            if let Some(manager) = named(port) {
                return Some(manager);
            }
        }
    }
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.find(|process| holds(*process) == Some(true)).and_then(named)
}

fn named(process: u32) -> Option<Manager> {
    let name = std::fs::read(format!("/proc/{process}/comm")).ok()?;
    let name = String::from_utf8_lossy(&name).trim_end().to_owned();
    Some(Manager { process, name })
}

/// The inode of the rtnetlink socket with a port.
fn inode_of(port: u32) -> Option<u64> {
    let file = std::fs::File::open("/proc/thread-self/net/netlink").ok()?;
    BufReader::new(file).lines().map_while(Result::ok).find_map(|line| inode_in(&line, port))
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`
fn inode_in(line: &str, port: u32) -> Option<u64> {
    let mut words = line.split_whitespace();
    let (protocol, found) = (words.nth(1)?, words.next()?);
    let is_it = protocol == ROUTE && found.parse() == Ok(port);
    words.nth(6).filter(|_| is_it)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketType, netlink::SocketAddrNetlink};

    #[test]
    fn a_line_tells_the_inode_of_its_port() {
        let line = "0000000000000000 0   4711       00000440 0        0        0     2        0        99887";
        assert_eq!(inode_in(line, 4711), Some(99887));
        assert_eq!(inode_in(line, 4712), None);
        assert_eq!(inode_in(&line.replace(" 0   4711", " 12  4711"), 4711), None, "another protocol");
        assert_eq!(inode_in("sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode", 0), None);
        assert_eq!(inode_in("", 0), None);
    }

    #[test]
    fn this_process_is_found_by_a_socket_of_any_port() {
        let open = || {
            let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).unwrap();
            rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0)).unwrap();
            let address = SocketAddrNetlink::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
            (socket, address.pid())
        };
        for (_socket, port) in [open(), open()] {
            let manager = by_port(port).unwrap();
            assert_eq!(manager.process, std::process::id());
            assert!(!manager.name.is_empty());
        }
        assert_eq!(by_port(u32::MAX), None);
    }
}
