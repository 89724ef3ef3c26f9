//! The TCP tables and `SetTcpEntry`.

mod rows;

use crate::error::{Code, Win32, last_error};
use crate::memory::buffer::Buffer;
use crate::raw::{self, Table};
use crate::socket_row::{self, FromSocket};
use crate::{guard, host, key};
use iphelper::tcp::{TcpCondition, TcpConnection, TcpQuery, TcpState};
use iphelper::{ErrorKind, Family};
use std::ffi::c_void;
use std::net::{Ipv4Addr, SocketAddrV4};

/// `GetTcpTable`. Where the table never stands still, the documented NTSTATUS `STATUS_UNSUCCESSFUL` says so.
#[doc(alias = "GetTcpTable")]
pub unsafe fn tcp_table(table: *mut raw::MIB_TCPTABLE, size: *mut u32, order: i32) -> u32 {
    guard::status::<Win32>(|| {
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe { answer::<raw::MIB_TCPTABLE>(table.cast(), size, Family::V4, Rows::All, false, order) }
            .map_err(|code| {
                if code == Code::of(ErrorKind::Interrupted) {
                    Code::verbatim(raw::STATUS_UNSUCCESSFUL.cast_unsigned())
                } else {
                    code
                }
            })
    })
}

/// `GetTcpTable2`.
#[doc(alias = "GetTcpTable2")]
pub unsafe fn tcp_table2(table: *mut raw::MIB_TCPTABLE2, size: *mut u32, order: i32) -> u32 {
    // SAFETY: the caller's promise on `table` and `size`.
    guard::status::<Win32>(|| unsafe {
        answer::<raw::MIB_TCPTABLE2>(table.cast(), size, Family::V4, Rows::All, true, order)
    })
}

/// `GetTcp6Table`.
#[doc(alias = "GetTcp6Table")]
pub unsafe fn tcp6_table(table: *mut raw::MIB_TCP6TABLE, size: *mut u32, order: i32) -> u32 {
    // SAFETY: the caller's promise on `table` and `size`.
    guard::status::<Win32>(|| unsafe {
        answer::<raw::MIB_TCP6TABLE>(table.cast(), size, Family::V6, Rows::All, false, order)
    })
}

/// `GetTcp6Table2`.
#[doc(alias = "GetTcp6Table2")]
pub unsafe fn tcp6_table2(table: *mut raw::MIB_TCP6TABLE2, size: *mut u32, order: i32) -> u32 {
    // SAFETY: the caller's promise on `table` and `size`.
    guard::status::<Win32>(|| unsafe {
        answer::<raw::MIB_TCP6TABLE2>(table.cast(), size, Family::V6, Rows::All, true, order)
    })
}

/// `GetExtendedTcpTable`. `ERROR_NOT_SUPPORTED` for a BASIC table of IPv6, as documented; `reserved` must be 0.
#[doc(alias = "GetExtendedTcpTable")]
pub unsafe fn extended_tcp_table(
    table: *mut c_void,
    size: *mut u32,
    order: i32,
    family: u32,
    class: i32,
    reserved: u32,
) -> u32 {
    use raw::{
        TCP_TABLE_BASIC_ALL, TCP_TABLE_BASIC_CONNECTIONS, TCP_TABLE_BASIC_LISTENER,
        TCP_TABLE_OWNER_MODULE_ALL, TCP_TABLE_OWNER_MODULE_CONNECTIONS, TCP_TABLE_OWNER_MODULE_LISTENER,
        TCP_TABLE_OWNER_PID_ALL, TCP_TABLE_OWNER_PID_CONNECTIONS, TCP_TABLE_OWNER_PID_LISTENER,
    };
    guard::status::<Win32>(|| {
        let rows = match class {
            TCP_TABLE_BASIC_LISTENER | TCP_TABLE_OWNER_PID_LISTENER | TCP_TABLE_OWNER_MODULE_LISTENER => {
                Rows::Listeners
            }
            TCP_TABLE_BASIC_CONNECTIONS
            | TCP_TABLE_OWNER_PID_CONNECTIONS
            | TCP_TABLE_OWNER_MODULE_CONNECTIONS => Rows::Connections,
            TCP_TABLE_BASIC_ALL | TCP_TABLE_OWNER_PID_ALL | TCP_TABLE_OWNER_MODULE_ALL => Rows::All,
            _ => return Err(Code::INVALID_PARAMETER),
        };
        let family = key::family(family)?;
        if reserved != 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe {
            match (family, class) {
                (Family::V4, ..=TCP_TABLE_BASIC_ALL) => {
                    answer::<raw::MIB_TCPTABLE>(table, size, family, rows, false, order)
                }
                (Family::V6, ..=TCP_TABLE_BASIC_ALL) => {
                    let _buffer = Buffer::new(table, size)?;
                    Err(Code::NOT_SUPPORTED)
                }
                (Family::V4, ..=TCP_TABLE_OWNER_PID_ALL) => {
                    answer::<raw::MIB_TCPTABLE_OWNER_PID>(table, size, family, rows, true, order)
                }
                (Family::V6, ..=TCP_TABLE_OWNER_PID_ALL) => {
                    answer::<raw::MIB_TCP6TABLE_OWNER_PID>(table, size, family, rows, true, order)
                }
                (Family::V4, _) => {
                    answer::<raw::MIB_TCPTABLE_OWNER_MODULE>(table, size, family, rows, true, order)
                }
                (Family::V6, _) => {
                    answer::<raw::MIB_TCP6TABLE_OWNER_MODULE>(table, size, family, rows, true, order)
                }
            }
        }
    })
}

/// `AllocateAndGetTcpExTableFromStack` of Windows XP: the table with owners, in memory that the caller frees with `HeapFree`.
///
/// `_flags` are those of `HeapAlloc`; the memory is cleared in any case.
#[doc(alias = "AllocateAndGetTcpExTableFromStack")]
pub unsafe fn allocate_tcp_ex_table(
    table: *mut *mut c_void,
    order: i32,
    heap: raw::HANDLE,
    _flags: u32,
    family: u32,
) -> u32 {
    guard::status::<Win32>(|| {
        let family = key::family(family)?;
        let query =
            TcpQuery { family: Some(family), owners: true, ordered: order != 0, ..TcpQuery::default() };
        let read = |host: &iphelper::Host| host.tcp_connections(&query);
        // SAFETY: the caller's promise on `table`.
        unsafe {
            match family {
                Family::V4 => socket_row::heap_answer::<_, raw::MIB_TCPTABLE_OWNER_PID>(table, heap, read),
                Family::V6 => socket_row::heap_answer::<_, raw::MIB_TCP6TABLE_OWNER_PID>(table, heap, read),
            }
        }
    })
}

/// `SetTcpEntry`: deletes the connection with exactly the row's four values.
///
/// Code 317 stands for "not elevated", as documented (the last error is then `ERROR_ELEVATION_REQUIRED`), and for a
/// connection that does not exist, as Windows was seen to do (the last error is then `ERROR_NOT_FOUND`).
#[doc(alias = "SetTcpEntry")]
pub unsafe fn set_tcp_entry(row: *const raw::MIB_TCPROW) -> u32 {
    guard::status::<Win32>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise; each member is a number, so that every pattern of bytes is a row.
        let (row, state) = unsafe {
            let row = row.read_unaligned();
            (row, row.Anonymous.dwState)
        };
        if state != raw::MIB_TCP_STATE_DELETE_TCB.cast_unsigned() {
            return Err(Code::INVALID_PARAMETER);
        }
        let end = |address: u32, port: u32| {
            SocketAddrV4::new(Ipv4Addr::from(address.to_ne_bytes()), socket_row::port(port))
        };
        let (local, remote) =
            (end(row.dwLocalAddr, row.dwLocalPort), end(row.dwRemoteAddr, row.dwRemotePort));
        host::current()?.delete_tcp_endpoints(local.into(), remote.into()).map_err(|error| {
            match error.kind() {
                ErrorKind::NotFound => {
                    last_error::set(raw::ERROR_NOT_FOUND);
                    Code::of(ErrorKind::ElevationRequired)
                }
                ErrorKind::ElevationRequired => {
                    last_error::set(raw::ERROR_ELEVATION_REQUIRED);
                    error.into()
                }
                _ => error.into(),
            }
        })
    })
}

/// Which rows of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rows {
    Listeners,
    Connections,
    All,
}

impl Rows {
    fn conditions(self) -> Vec<TcpCondition> {
        use TcpState::{
            CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, Listen, SynReceived,
            SynSent, TimeWait,
        };
        match self {
            Self::Listeners => vec![TcpCondition::State(vec![Listen])],
            Self::Connections => vec![TcpCondition::State(vec![
                Closed,
                SynSent,
                SynReceived,
                Established,
                FinWait1,
                FinWait2,
                CloseWait,
                Closing,
                LastAck,
                TimeWait,
            ])],
            Self::All => Vec::new(),
        }
    }
}

/// Reads the table and writes it to the caller's buffer, or tells the size that it needs.
///
/// # Safety
/// `size` is NULL or may be read and written, and `table` is NULL or has as many bytes as it says.
unsafe fn answer<T: Table<Row: FromSocket<TcpConnection>>>(
    table: *mut c_void,
    size: *mut u32,
    family: Family,
    rows: Rows,
    owners: bool,
    order: i32,
) -> Result<(), Code> {
    let query = TcpQuery {
        family: Some(family),
        filter: rows.conditions().into(),
        owners,
        ordered: order != 0,
        ..TcpQuery::default()
    };
    // SAFETY: the caller's promise.
    unsafe { socket_row::answer::<_, T>(table, size, |host| host.tcp_connections(&query)) }
}
