//! The TCP table with the programs behind it, and the end of one connection.

use crate::Result;
use crate::error::{Outcome, check};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::ptr::null_mut;
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_NOT_FOUND, GetLastError, SetLastError,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, GetOwnerModuleFromTcp6Entry, GetOwnerModuleFromTcpEntry, MIB_TCP_STATE_DELETE_TCB,
    MIB_TCP6ROW_OWNER_MODULE, MIB_TCP6TABLE_OWNER_MODULE, MIB_TCPROW_LH, MIB_TCPROW_LH_0,
    MIB_TCPROW_OWNER_MODULE, MIB_TCPTABLE_OWNER_MODULE, SetTcpEntry, TCP_TABLE_OWNER_MODULE_ALL,
    TCPIP_OWNER_MODULE_BASIC_INFO, TCPIP_OWNER_MODULE_INFO_BASIC,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};

const STATES: [&str; 13] = [
    "?",
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RCVD",
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "CLOSE_WAIT",
    "CLOSING",
    "LAST_ACK",
    "TIME_WAIT",
    "DELETE_TCB",
];

/// Memory for tables and rows, on eight bytes.
type Memory = Vec<u64>;

/// One line for each connection and listener: both ends, state, process, program.
pub fn list() -> Result {
    let memory = table(AF_INET)?;
    // SAFETY: the function filled the memory with a table of this class, whose rows follow its count.
    let rows = unsafe {
        let table = memory.as_ptr().cast::<MIB_TCPTABLE_OWNER_MODULE>();
        let first = (&raw const (*table).table).cast::<MIB_TCPROW_OWNER_MODULE>();
        std::slice::from_raw_parts(first, (*table).dwNumEntries as usize)
    };
    for row in rows {
        let end = |address: u32, port| end(Ipv4Addr::from_bits(u32::from_be(address)).into(), port);
        let module = module(|memory, size| {
            // SAFETY: the row is one of the table's, and the memory has the size that is said.
            unsafe { GetOwnerModuleFromTcpEntry(row, TCPIP_OWNER_MODULE_INFO_BASIC, memory, size) }
        });
        let (local, remote) =
            (end(row.dwLocalAddr, row.dwLocalPort), end(row.dwRemoteAddr, row.dwRemotePort));
        print(local, remote, row.dwState, row.dwOwningPid, module);
    }
    let memory = table(AF_INET6)?;
    // SAFETY: as above.
    let rows = unsafe {
        let table = memory.as_ptr().cast::<MIB_TCP6TABLE_OWNER_MODULE>();
        let first = (&raw const (*table).table).cast::<MIB_TCP6ROW_OWNER_MODULE>();
        std::slice::from_raw_parts(first, (*table).dwNumEntries as usize)
    };
    for row in rows {
        let end = |address: [u8; 16], port| end(Ipv6Addr::from(address).into(), port);
        let module = module(|memory, size| {
            // SAFETY: as above.
            unsafe { GetOwnerModuleFromTcp6Entry(row, TCPIP_OWNER_MODULE_INFO_BASIC, memory, size) }
        });
        let (local, remote) =
            (end(row.ucLocalAddr, row.dwLocalPort), end(row.ucRemoteAddr, row.dwRemotePort));
        print(local, remote, row.dwState, row.dwOwningPid, module);
    }
    Ok(())
}

/// Ends the connection between `local` and `remote`.
pub fn close(local: &str, remote: &str) -> Result {
    let end = |text: &str| -> Outcome<(u32, u32)> {
        let end: SocketAddrV4 = text.parse().map_err(|_| format!("{text}: no IPv4 address with a port"))?;
        Ok((end.ip().to_bits().to_be(), end.port().to_be().into()))
    };
    let ((local, local_port), (remote, remote_port)) = (end(local)?, end(remote)?);
    let row = MIB_TCPROW_LH {
        Anonymous: MIB_TCPROW_LH_0 { dwState: MIB_TCP_STATE_DELETE_TCB as u32 },
        dwLocalAddr: local,
        dwLocalPort: local_port,
        dwRemoteAddr: remote,
        dwRemotePort: remote_port,
    };
    // SAFETY: a live row.
    let (code, last) = unsafe {
        SetLastError(0);
        (SetTcpEntry(&raw const row), GetLastError())
    };
    if code != 0 && last == ERROR_NOT_FOUND {
        return Err("there is no such connection".to_owned());
    }
    check("SetTcpEntry", code)?;
    println!("closed");
    Ok(())
}

/// The whole table of a family. It may grow between two calls, so ask until it fits.
fn table(family: u16) -> Outcome<Memory> {
    let mut memory = Memory::new();
    let mut size = 0;
    loop {
        let start = if memory.is_empty() { null_mut() } else { memory.as_mut_ptr().cast() };
        // SAFETY: the memory has the size that is said.
        let code = unsafe {
            GetExtendedTcpTable(start, &raw mut size, 1, family.into(), TCP_TABLE_OWNER_MODULE_ALL, 0)
        };
        if code != ERROR_INSUFFICIENT_BUFFER {
            check("GetExtendedTcpTable", code)?;
            return Ok(memory);
        }
        memory = vec![0; (size as usize).div_ceil(8)];
    }
}

/// The program behind a row; empty where it cannot be told.
fn module(ask: impl Fn(*mut core::ffi::c_void, *mut u32) -> u32) -> String {
    let mut memory: Memory = vec![0; 1024];
    let mut size = (memory.len() * 8) as u32;
    if ask(memory.as_mut_ptr().cast(), &raw mut size) != 0 {
        return String::new();
    }
    // SAFETY: the function filled the structure, whose name is a string that ends with zero in the same memory.
    unsafe {
        let name = (*memory.as_ptr().cast::<TCPIP_OWNER_MODULE_BASIC_INFO>()).pModuleName;
        let length = (0..).take_while(|at| *name.add(*at) != 0).count();
        String::from_utf16_lossy(std::slice::from_raw_parts(name, length))
    }
}

/// Ports stand in the low 16 bits, in network byte order.
fn end(address: IpAddr, port: u32) -> SocketAddr {
    (address, u16::from_be(port as u16)).into()
}

fn print(local: SocketAddr, remote: SocketAddr, state: u32, pid: u32, module: String) {
    let state = STATES.get(state as usize).unwrap_or(&"?");
    println!("{local:<22} {remote:<22} {state:<11} {pid} {module}");
}
