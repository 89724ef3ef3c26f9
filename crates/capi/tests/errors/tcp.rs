//! The TCP tables, owners, deletion.

use crate::walk::Walk;
use iphelper_capi::error::last_error;
use iphelper_capi::owner_module::owner_module;
use iphelper_capi::raw::*;
use iphelper_capi::tcp;
use iphelper_testkit::{as_nobody, unprivileged};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::ptr::{null, null_mut};

pub(super) fn tcp_tables(walk: &mut Walk) {
    let mut size = 0;
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        walk.expect("GetTcpTable", "ERROR_INSUFFICIENT_BUFFER", tcp::tcp_table(null_mut(), &raw mut size, 1));
        walk.expect("GetTcpTable", "ERROR_INVALID_PARAMETER", tcp::tcp_table(null_mut(), null_mut(), 1));
        walk.expect(
            "GetTcpTable2",
            "ERROR_INSUFFICIENT_BUFFER",
            tcp::tcp_table2(null_mut(), &raw mut size, 1),
        );
        walk.expect("GetTcpTable2", "ERROR_INVALID_PARAMETER", tcp::tcp_table2(null_mut(), null_mut(), 1));
        walk.expect(
            "GetTcp6Table",
            "ERROR_INSUFFICIENT_BUFFER",
            tcp::tcp6_table(null_mut(), &raw mut size, 1),
        );
        walk.expect("GetTcp6Table", "ERROR_INVALID_PARAMETER", tcp::tcp6_table(null_mut(), null_mut(), 1));
        walk.expect(
            "GetTcp6Table2",
            "ERROR_INSUFFICIENT_BUFFER",
            tcp::tcp6_table2(null_mut(), &raw mut size, 1),
        );
        walk.expect("GetTcp6Table2", "ERROR_INVALID_PARAMETER", tcp::tcp6_table2(null_mut(), null_mut(), 1));
    }
    // SAFETY: as above.
    let extended = |size: *mut u32, family: u32, class: i32, reserved: u32| unsafe {
        tcp::extended_tcp_table(null_mut(), size, 0, family, class, reserved)
    };
    let size = &raw mut size;
    walk.expect("GetExtendedTcpTable", "ERROR_INSUFFICIENT_BUFFER", extended(size, 2, 5, 0));
    for (size, family, class, reserved) in [
        (null_mut(), 2, 5, 0),
        (null_mut(), 23, 2, 0),
        (size, 2, 9, 0),
        (size, 2, -1, 0),
        (size, 0, 5, 0),
        (size, 1, 5, 0),
        (size, 2, 5, 1),
    ] {
        walk.expect(
            "GetExtendedTcpTable",
            "ERROR_INVALID_PARAMETER",
            extended(size, family, class, reserved),
        );
    }
    for class in 0..3 {
        walk.expect("GetExtendedTcpTable", "ERROR_NOT_SUPPORTED", extended(size, 23, class, 0));
        walk.expect("GetExtendedTcpTable", "ERROR_NOT_SUPPORTED", extended(size, 10, class, 0));
    }
}

pub(super) fn tcp_owners(walk: &mut Walk) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut table: Vec<u8> = vec![0; 64 * 1024];
    let mut size = 64 * 1024;
    // SAFETY: the table has `size` bytes; its first row stands at offset 8.
    let row = unsafe {
        let module = TCP_TABLE_OWNER_MODULE_ALL;
        assert_eq!(tcp::extended_tcp_table(table.as_mut_ptr().cast(), &raw mut size, 0, 2, module, 0), 0);
        assert_eq!(u32::from_ne_bytes(table[..4].try_into().unwrap()), 1, "the listener");
        table.as_ptr().add(8).cast::<MIB_TCPROW_OWNER_MODULE>().read_unaligned()
    };
    assert_eq!(row.dwOwningPid, std::process::id());
    drop(listener);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let inode =
        std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&listener))).unwrap();
    let inode = inode.to_str().unwrap().trim_start_matches("socket:[").trim_end_matches(']').parse().unwrap();
    let gone = row;
    let mut row = row;
    row.OwningModuleInfo[0] = ULONG64(inode);
    let row6 = |row: MIB_TCPROW_OWNER_MODULE| MIB_TCP6ROW_OWNER_MODULE {
        dwOwningPid: row.dwOwningPid,
        OwningModuleInfo: row.OwningModuleInfo,
        ..Default::default()
    };
    let mut size = 0;
    // SAFETY: rows and size are live variables; the buffer is NULL.
    unsafe {
        let size = &raw mut size;
        let four = |row: *const MIB_TCPROW_OWNER_MODULE, class: i32, size: *mut u32| {
            owner_module(row, class, null_mut(), size)
        };
        let name = "GetOwnerModuleFromTcpEntry";
        walk.expect(name, "ERROR_INSUFFICIENT_BUFFER", four(&raw const row, 0, size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", four(null(), 0, size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", four(&raw const row, 1, size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", four(&raw const row, 0, null_mut()));
        walk.expect(name, "ERROR_NOT_FOUND", four(&raw const gone, 0, size));
        let six = |row: *const MIB_TCP6ROW_OWNER_MODULE, class: i32, size: *mut u32| {
            owner_module(row, class, null_mut(), size)
        };
        let name = "GetOwnerModuleFromTcp6Entry";
        walk.expect(name, "ERROR_INSUFFICIENT_BUFFER", six(&row6(row), 0, size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", six(null(), 0, size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", six(&row6(row), -1, size));
        walk.expect(name, "ERROR_INVALID_PARAMETER", six(&row6(row), 0, null_mut()));
        walk.expect(name, "ERROR_NOT_FOUND", six(&row6(gone), 0, size));
    }
}

fn tcp_row(local: SocketAddrV4, remote: SocketAddrV4, state: u32) -> MIB_TCPROW {
    let address = |end: SocketAddrV4| u32::from_ne_bytes(end.ip().octets());
    // The upper half of a port's member may hold anything.
    let port = |end: SocketAddrV4| u32::from(end.port().to_be()) | 0xABCD_0000;
    MIB_TCPROW {
        Anonymous: MIB_TCPROW_0 { dwState: state },
        dwLocalAddr: address(local),
        dwLocalPort: port(local),
        dwRemoteAddr: address(remote),
        dwRemotePort: port(remote),
    }
}

pub(super) fn tcp_deletion(walk: &mut Walk) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let std::net::SocketAddr::V4(there) = listener.local_addr().unwrap() else { panic!("IPv4") };
    let client = TcpStream::connect(there).unwrap();
    let std::net::SocketAddr::V4(here) = client.local_addr().unwrap() else { panic!("IPv4") };
    let row = tcp_row(here, there, 12);
    // SAFETY: the row is a live variable, or NULL.
    let set = |row: &MIB_TCPROW| unsafe { tcp::set_tcp_entry(row) };
    // SAFETY: NULL is refused.
    walk.expect("SetTcpEntry", "ERROR_INVALID_PARAMETER", unsafe { tcp::set_tcp_entry(null()) });
    for state in [0, 5, 11, 13, 100, u32::MAX] {
        let row = tcp_row(here, there, state);
        // Also of a caller without the privilege: what cannot be is refused first.
        walk.expect("SetTcpEntry", "ERROR_INVALID_PARAMETER", unprivileged(|| set(&row)));
    }
    let (code, last) = unprivileged(|| (set(&row), last_error::get()));
    walk.expect("SetTcpEntry", "317", code);
    assert_eq!(last, ERROR_ELEVATION_REQUIRED, "root without the capability could raise itself");
    match as_nobody(&[], || set(&row)) {
        Some(code) => walk.expect("SetTcpEntry", "ERROR_ACCESS_DENIED", code),
        // Said aloud by the kit; as root this is provoked.
        None => drop(walk.provoked.insert(("SetTcpEntry", "ERROR_ACCESS_DENIED"))),
    }
    assert_eq!(set(&row), 0);
    last_error::set(0);
    walk.expect("SetTcpEntry", "317", set(&row));
    assert_eq!(last_error::get(), ERROR_NOT_FOUND, "the connection is gone");
    match multipath_row() {
        Some((row, _sockets)) => walk.expect("SetTcpEntry", "ERROR_NOT_SUPPORTED", set(&row)),
        None => {
            eprintln!("skipped: this kernel has no Multipath TCP, whose connections it does not delete");
            let _ = walk.provoked.insert(("SetTcpEntry", "ERROR_NOT_SUPPORTED"));
        }
    }
}

/// A Multipath TCP connection, which the kernel does not delete.
fn multipath_row() -> Option<(MIB_TCPROW, [std::os::fd::OwnedFd; 3])> {
    use rustix::net::{AddressFamily, Protocol, SocketType};
    let socket = || {
        let multipath = Protocol::from_raw(std::num::NonZeroU32::new(262).unwrap());
        rustix::net::socket(AddressFamily::INET, SocketType::STREAM, Some(multipath))
    };
    let address = |socket: &std::os::fd::OwnedFd| {
        SocketAddrV4::try_from(rustix::net::getsockname(socket).unwrap()).unwrap()
    };
    let server = socket().ok()?;
    rustix::net::bind(&server, &SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    rustix::net::listen(&server, 1).unwrap();
    let client = socket().unwrap();
    rustix::net::connect(&client, &address(&server)).unwrap();
    let accepted = rustix::net::accept(&server).unwrap();
    let row = tcp_row(address(&client), address(&server), 12);
    Some((row, [server, client, accepted]))
}
