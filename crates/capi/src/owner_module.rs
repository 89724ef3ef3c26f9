//! `GetOwnerModuleFromTcpEntry`, `GetOwnerModuleFromUdpEntry`, their IPv6 forms and what they have in common.

use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::raw::{
    MIB_TCP6ROW_OWNER_MODULE, MIB_TCPROW_OWNER_MODULE, MIB_UDP6ROW_OWNER_MODULE, MIB_UDPROW_OWNER_MODULE,
    TCPIP_OWNER_MODULE_BASIC_INFO, TCPIP_OWNER_MODULE_INFO_BASIC, ULONG64,
};
use crate::{guard, host, socket_row};
use std::ffi::c_void;

/// A row that tells its socket.
pub trait OwnedRow {
    /// The process and what tells the socket.
    ///
    /// # Safety
    /// `row` may be read; only what is read of it need be initialised.
    unsafe fn owner(row: *const Self) -> (u32, [ULONG64; 16]);
}

macro_rules! owned_rows {
    ($($row:ident,)*) => {$(
        impl OwnedRow for $row {
            unsafe fn owner(row: *const Self) -> (u32, [ULONG64; 16]) {
                // SAFETY: the caller's promise.
                unsafe {
                    let pid = (&raw const (*row).dwOwningPid).read_unaligned();
                    (pid, (&raw const (*row).OwningModuleInfo).read_unaligned())
                }
            }
        }
    )*};
}

owned_rows! {
    MIB_TCPROW_OWNER_MODULE,
    MIB_TCP6ROW_OWNER_MODULE,
    MIB_UDPROW_OWNER_MODULE,
    MIB_UDP6ROW_OWNER_MODULE,
}

/// `GetOwnerModuleFromTcpEntry` and the like: name and path of the program behind a row of `GetExtendedTcpTable` or
/// `GetExtendedUdpTable`.
///
/// The row's `dwOwningPid` and `OwningModuleInfo` are read. The path is empty where this caller may not read it.
/// `ERROR_NOT_FOUND` where no program holds the socket, or none that this caller may look into.
#[doc(alias = "GetOwnerModuleFromTcpEntry")]
#[doc(alias = "GetOwnerModuleFromTcp6Entry")]
#[doc(alias = "GetOwnerModuleFromUdpEntry")]
#[doc(alias = "GetOwnerModuleFromUdp6Entry")]
pub unsafe fn owner_module<R: OwnedRow>(
    row: *const R,
    class: i32,
    buffer: *mut c_void,
    size: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on all pointers.
        unsafe {
            let (pid, info) = R::owner(row);
            answer(pid, &info, class, buffer, size)
        }
    })
}

/// `GetOwnerModuleFromPidAndInfo`: as [`owner_module`], for the two members of a row by themselves.
///
/// Of `info`, a row's `OwningModuleInfo`, the first number is read: it tells the socket.
#[doc(alias = "GetOwnerModuleFromPidAndInfo")]
pub unsafe fn owner_module_from_pid_and_info(
    pid: u32,
    info: *const ULONG64,
    class: i32,
    buffer: *mut c_void,
    size: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        if info.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on all pointers.
        unsafe {
            let mut row_info = [ULONG64(0); 16];
            let [first, ..] = &mut row_info;
            *first = info.read_unaligned();
            answer(pid, &row_info, class, buffer, size)
        }
    })
}

/// # Safety
/// `size` is NULL or may be read and written, and `buffer` is NULL or has as many bytes as it says.
unsafe fn answer(
    pid: u32,
    info: &[ULONG64; 16],
    class: i32,
    buffer: *mut c_void,
    size: *mut u32,
) -> Result<(), Code> {
    let buffer = Buffer::new(buffer, size)?;
    if class != TCPIP_OWNER_MODULE_INFO_BASIC {
        return Err(Code::INVALID_PARAMETER);
    }
    let module =
        host::current()?.socket_owner_module(socket_row::inode_of(info), (pid != 0).then_some(pid))?;
    let terminated = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let name = terminated(&module.name);
    let path = terminated(&module.path.map_or_else(String::new, |path| path.to_string_lossy().into_owned()));
    let (name_size, path_size) = (size_of_val(name.as_slice()), size_of_val(path.as_slice()));
    let name_at = size_of::<TCPIP_OWNER_MODULE_BASIC_INFO>();
    let path_at = name_at + name_size;
    // SAFETY: `room` gives as many bytes as are written: the structure, and behind it the two strings, which need no
    // alignment as bytes.
    unsafe {
        let start = buffer.room(path_at + path_size)?;
        let basic = TCPIP_OWNER_MODULE_BASIC_INFO {
            pModuleName: start.add(name_at).cast(),
            pModulePath: start.add(path_at).cast(),
        };
        start.cast::<TCPIP_OWNER_MODULE_BASIC_INFO>().write_unaligned(basic);
        std::ptr::copy_nonoverlapping(name.as_ptr().cast(), start.add(name_at), name_size);
        std::ptr::copy_nonoverlapping(path.as_ptr().cast(), start.add(path_at), path_size);
    }
    Ok(())
}
