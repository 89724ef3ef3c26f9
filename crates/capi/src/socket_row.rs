//! What C's rows of TCP connections and UDP endpoints have in common, and how they come into the caller's buffer.
//!
//! Addresses, ports and scope ids stand in network byte order, as the pages say. Unknown is 0: the process id of a
//! socket whose owner this caller may not see, the time of creation.

use crate::error::Code;
use crate::host;
use crate::memory::buffer::Buffer;
use crate::memory::heap;
use crate::raw::{HANDLE, IN6_ADDR, IN6_ADDR_0, Table, ULONG64};
use iphelper::Host;
use iphelper::socket::{Owner, SocketCookie};
use std::ffi::c_void;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

/// Seconds from 1601, where FILETIME begins, to 1970.
const FILETIME_TO_UNIX: Duration = Duration::from_secs(11_644_473_600);

/// A row that a connection or an endpoint can be written as.
pub(crate) trait FromSocket<S>: Copy {
    fn from_socket(socket: &S) -> Self;
}

/// Reads a table and writes it to the caller's buffer, or tells the size that it needs.
///
/// # Safety
/// `size` is NULL or may be read and written, and `table` is NULL or has as many bytes as it says.
pub(crate) unsafe fn answer<S, T: Table<Row: FromSocket<S>>>(
    table: *mut c_void,
    size: *mut u32,
    read: impl FnOnce(&Host) -> iphelper::Result<Vec<S>>,
) -> Result<(), Code> {
    let buffer = Buffer::new(table, size)?;
    let rows: Vec<T::Row> = read(&*host::current()?)?.iter().map(T::Row::from_socket).collect();
    // SAFETY: the caller's promise.
    unsafe { buffer.table::<T>(&rows) }
}

/// Reads a table and answers with it in memory of the C library's heap.
///
/// # Safety
/// `table` is NULL or may be written.
pub(crate) unsafe fn heap_answer<S, T: Table<Row: FromSocket<S>>>(
    table: *mut *mut c_void,
    heap: HANDLE,
    read: impl FnOnce(&Host) -> iphelper::Result<Vec<S>>,
) -> Result<(), Code> {
    let rows = || Ok(read(&*host::current()?)?.iter().map(T::Row::from_socket).collect());
    // SAFETY: the caller's promise.
    unsafe { heap::answer::<T>(table, heap, rows) }
}

/// The port in the low 16 bits of a row's member. The upper ones may be anything.
pub(crate) fn port(member: u32) -> u16 {
    u16::from_be((member & 0xFFFF) as u16)
}

/// The inode that [`owning_module_info`] put into a row; 0 is none.
pub(crate) fn inode_of(info: &[ULONG64; 16]) -> Option<u64> {
    let [ULONG64(inode), ..] = *info;
    (inode != 0).then_some(inode)
}

/// What tells the socket again: its inode, its cookie, and zeros.
pub(crate) fn owning_module_info(inode: Option<u64>, cookie: SocketCookie) -> [ULONG64; 16] {
    let mut info = [ULONG64(0); 16];
    let [first, second, ..] = &mut info;
    *first = ULONG64(inode.unwrap_or(0));
    *second = ULONG64(cookie.0);
    info
}

pub(crate) fn pid(owner: Option<&Owner>) -> u32 {
    owner.map_or(0, |owner| owner.pid)
}

pub(crate) fn v4(end: SocketAddr) -> u32 {
    // Rows of the IPv4 table have IPv4 addresses; the other kind would be a mistake below, not the caller's.
    match end.ip().to_canonical() {
        IpAddr::V4(address) => u32::from_ne_bytes(address.octets()),
        IpAddr::V6(_) => 0,
    }
}

pub(crate) fn v6(end: SocketAddr) -> [u8; 16] {
    match end.ip() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

pub(crate) fn in6(end: SocketAddr) -> IN6_ADDR {
    IN6_ADDR { u: IN6_ADDR_0 { Byte: v6(end) } }
}

pub(crate) fn network_port(end: SocketAddr) -> u32 {
    end.port().to_be().into()
}

pub(crate) fn network_scope(end: SocketAddr) -> u32 {
    match end {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(end) => end.scope_id().to_be(),
    }
}

/// 100 ns since 1601; 0 for not known.
pub(crate) fn filetime(time: Option<SystemTime>) -> ULONG64 {
    let count = time
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since_unix| u64::try_from((since_unix + FILETIME_TO_UNIX).as_nanos() / 100).ok())
        .unwrap_or(0);
    ULONG64(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_their_low_half_in_network_order() {
        let end: SocketAddr = "127.0.0.1:4444".parse().unwrap();
        assert_eq!(network_port(end).to_ne_bytes(), [0x11, 0x5C, 0, 0]);
        assert_eq!(port(network_port(end)), 4444);
        assert_eq!(port(network_port(end) | 0xABCD_0000), 4444);
    }

    #[test]
    fn addresses_stand_as_on_the_wire() {
        let end: SocketAddr = "10.1.2.3:1".parse().unwrap();
        assert_eq!(v4(end).to_ne_bytes(), [10, 1, 2, 3]);
        let end: SocketAddr = "[fe80::1%7]:1".parse().unwrap();
        assert_eq!(network_scope(end).to_ne_bytes(), [0, 0, 0, 7]);
        assert_eq!(v6(end)[..2], [0xFE, 0x80]);
    }

    #[test]
    fn time_counts_from_1601() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(250);
        assert_eq!(filetime(Some(time)), ULONG64(116_444_736_000_000_002));
        assert_eq!(filetime(None), ULONG64(0));
        assert_eq!(filetime(SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1))), ULONG64(0));
    }
}
