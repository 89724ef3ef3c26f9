//! `GetOwnerModuleFromTcpEntry` and `GetOwnerModuleFromTcp6Entry`.

use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::raw::{
    MIB_TCP6ROW_OWNER_MODULE, MIB_TCPROW_OWNER_MODULE, TCPIP_OWNER_MODULE_BASIC_INFO,
    TCPIP_OWNER_MODULE_INFO_BASIC, ULONG64,
};
use crate::tcp::rows;
use crate::{guard, host};
use std::ffi::c_void;

/// `GetOwnerModuleFromTcpEntry`: name and path of the program behind a row of `GetExtendedTcpTable`.
///
/// The row's `dwOwningPid` and `OwningModuleInfo` are read. The path is empty where this caller may not read it.
/// `ERROR_NOT_FOUND` where no program holds the socket, or none that this caller may look into.
#[doc(alias = "GetOwnerModuleFromTcpEntry")]
pub unsafe fn owner_module_from_tcp_entry(
    row: *const MIB_TCPROW_OWNER_MODULE,
    class: i32,
    buffer: *mut c_void,
    size: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on all pointers; only what is read of the row need be initialised.
        unsafe {
            let pid = (&raw const (*row).dwOwningPid).read_unaligned();
            let info = (&raw const (*row).OwningModuleInfo).read_unaligned();
            answer(pid, &info, class, buffer, size)
        }
    })
}

/// `GetOwnerModuleFromTcp6Entry`: as [`owner_module_from_tcp_entry`], for a row of the IPv6 table.
#[doc(alias = "GetOwnerModuleFromTcp6Entry")]
pub unsafe fn owner_module_from_tcp6_entry(
    row: *const MIB_TCP6ROW_OWNER_MODULE,
    class: i32,
    buffer: *mut c_void,
    size: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: as above.
        unsafe {
            let pid = (&raw const (*row).dwOwningPid).read_unaligned();
            let info = (&raw const (*row).OwningModuleInfo).read_unaligned();
            answer(pid, &info, class, buffer, size)
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
    let module = host::current()?.tcp_socket_owner_module(rows::inode_of(info), (pid != 0).then_some(pid))?;
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
