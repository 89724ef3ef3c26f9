//! Adapters: lists in the caller's buffer, and the indices by which the oldest functions know them.

mod addresses;
mod first_generation;
mod lease;
mod stack;

pub use addresses::adapters_addresses;
pub use first_generation::{adapters_info, per_adapter_info};
pub use lease::{ip_release_address, ip_renew_address};
pub use stack::interface_info_from_stack;

use crate::error::{Code, Win32, last_error};
use crate::memory::buffer::Buffer;
use crate::memory::{Kind, allocate};
use crate::raw::{
    HANDLE, IP_ADAPTER_INDEX_MAP, IP_ADAPTER_ORDER_MAP, IP_INTERFACE_INFO, IP_UNIDIRECTIONAL_ADAPTER_ADDRESS,
    OVERLAPPED,
};
use crate::{guard, host, sockaddr, text};
use first_generation::is_loopback;
use iphelper::adapter::{Adapter, AdapterQuery};
use iphelper::interface::DirectionType;
use iphelper::{ErrorKind, Family, Host};
use std::mem::offset_of;
use std::net::IpAddr;
use std::ptr::null_mut;

/// What Windows puts before the GUID in names of IPv4 adapters.
const PREFIX: &str = r"\DEVICE\TCPIP_";
/// The longest name, its terminator not counted.
const LONGEST_NAME: usize = 127;

/// Adapters that are named only: no list is read.
const NAMES: AdapterQuery = AdapterQuery {
    family: None,
    all_interfaces: false,
    unicast: false,
    anycast: false,
    multicast: false,
    gateways: false,
    dns: false,
    dhcp: false,
};
const IPV4_NAMES: AdapterQuery = AdapterQuery { family: Some(Family::V4), ..NAMES };

/// The code that these functions have for a buffer that is too small.
fn overflow(code: Code) -> Code {
    if code == Code::INSUFFICIENT_BUFFER { Code::BUFFER_OVERFLOW } else { code }
}

/// IPv4 adapters, loopback left out, in order.
fn ipv4_adapters() -> Result<Vec<Adapter>, Code> {
    let mut adapters = host::current()?.adapters(&IPV4_NAMES)?;
    adapters.retain(|adapter| !is_loopback(adapter));
    Ok(adapters)
}

/// `GetInterfaceInfo`: IPv4 adapters, loopback left out. `ERROR_INSUFFICIENT_BUFFER` with the size that is needed now,
/// `ERROR_NO_DATA` where there is none.
#[doc(alias = "GetInterfaceInfo")]
pub unsafe fn interface_info(info: *mut IP_INTERFACE_INFO, size: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(info.cast(), size)?;
        let adapters = ipv4_adapters()?;
        if adapters.is_empty() {
            return Err(Code::NO_DATA);
        }
        let count = i32::try_from(adapters.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        let rows: Vec<IP_ADAPTER_INDEX_MAP> = adapters.iter().map(index_map).collect();
        let rows_at = offset_of!(IP_INTERFACE_INFO, Adapter);
        // SAFETY: the caller's promise on `info` and `size`; there is room for the count and the rows behind it.
        unsafe {
            let start = buffer.room(rows_at + size_of_val(rows.as_slice()))?;
            start.cast::<i32>().write_unaligned(count);
            let bytes = rows.as_ptr().cast::<u8>();
            std::ptr::copy_nonoverlapping(bytes, start.add(rows_at), size_of_val(rows.as_slice()));
        }
        Ok(())
    })
}

fn index_map(adapter: &Adapter) -> IP_ADAPTER_INDEX_MAP {
    let mut map = IP_ADAPTER_INDEX_MAP { Index: adapter.interface.index.0, Name: [0; 128] };
    text::fill_wide(&mut map.Name, &format!("{PREFIX}{}", adapter.interface.guid));
    map
}

/// `GetUniDirectionalAdapterInfo`: the IPv4 addresses of adapters that only receive (`nlmon`). None: a count of 0.
/// `ERROR_INSUFFICIENT_BUFFER` with the size that is needed now.
#[doc(alias = "GetUniDirectionalAdapterInfo")]
pub unsafe fn unidirectional_adapter_info(
    info: *mut IP_UNIDIRECTIONAL_ADAPTER_ADDRESS,
    size: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(info.cast(), size)?;
        let adapters = host::current()?.adapters(&AdapterQuery { unicast: true, ..IPV4_NAMES })?;
        let one_way = adapters.iter().filter(|it| it.interface.direction_type == DirectionType::ReceiveOnly);
        let rows =
            one_way.flat_map(|adapter| &adapter.unicast_addresses).filter_map(|row| match row.address {
                IpAddr::V4(ip) => Some(sockaddr::ipv4_number(ip)),
                IpAddr::V6(_) => None,
            });
        let rows: Vec<u32> = rows.collect();
        let count = u32::try_from(rows.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        let needed = size_of::<IP_UNIDIRECTIONAL_ADAPTER_ADDRESS>().max(size_of::<u32>() * (1 + rows.len()));
        // SAFETY: the caller's promise on `info` and `size`; there is room for the count and the addresses behind it.
        unsafe {
            let start = buffer.room(needed)?.cast::<u32>();
            start.write_unaligned(count);
            for (place, row) in rows.iter().enumerate() {
                start.add(1 + place).write_unaligned(*row);
            }
        }
        Ok(())
    })
}

/// `GetAdapterIndex`: of a name that `GetInterfaceInfo` gives, a GUID in braces, or a name of the interface.
/// `ERROR_DEV_NOT_EXIST` for a name of no adapter.
#[doc(alias = "GetAdapterIndex")]
pub unsafe fn adapter_index(name: *const u16, index: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        if name.is_null() || index.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `name`.
        let name = unsafe { text::read(name, LONGEST_NAME) }.ok_or(Code::DEV_NOT_EXIST)?;
        let name = String::from_utf16(&name).map_err(|_| Code::DEV_NOT_EXIST)?;
        let found = index_of(&*host::current()?, &name)?;
        // SAFETY: the caller's promise on `index`.
        unsafe { index.write_unaligned(found) };
        Ok(())
    })
}

/// The index of an adapter by its name.
fn index_of(host: &Host, name: &str) -> Result<u32, Code> {
    let rest = name.get(..PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(PREFIX));
    let rest = rest.and_then(|start| name.get(start.len()..)).unwrap_or(name);
    // Of a GUID Windows takes the form with braces alone; without them it is a name.
    let guid = rest.starts_with('{').then(|| rest.parse().ok()).flatten();
    let names = match guid {
        Some(guid) => host.interface_with_guid(guid),
        None => host.interface_named(rest),
    };
    names.map(|names| names.index.0).map_err(|error| match error.kind() {
        ErrorKind::InterfaceNotFound | ErrorKind::NotFound | ErrorKind::InvalidName => Code::DEV_NOT_EXIST,
        _ => error.into(),
    })
}

/// `GetAdapterOrderMap`: the indices of all adapters in order, to be freed with `LocalFree`; NULL with the last error.
#[doc(alias = "GetAdapterOrderMap")]
pub fn adapter_order_map() -> *mut IP_ADAPTER_ORDER_MAP {
    let made = guard::caught(
        || {
            let adapters = host::current()?.adapters(&NAMES)?;
            let count = u32::try_from(adapters.len()).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
            let size = size_of::<IP_ADAPTER_ORDER_MAP>().max(size_of::<u32>() * (1 + adapters.len()));
            let block = allocate(Kind::Local, size).ok_or(Code::NOT_ENOUGH_MEMORY)?.cast::<u32>();
            // SAFETY: the block has room for the count and the indices behind it, and is aligned to 16.
            unsafe {
                block.write(count);
                for (place, adapter) in adapters.iter().enumerate() {
                    block.add(1 + place).write(adapter.interface.index.0);
                }
            }
            Ok(block.cast().as_ptr())
        },
        Err(Code::of(ErrorKind::Other)),
    );
    made.unwrap_or_else(|code: Code| {
        last_error::set(code.win32());
        null_mut()
    })
}

/// `GetFriendlyIfIndex`: the lower 24 bits of an index, as programs of the time before Windows 98 have room for.
#[doc(alias = "GetFriendlyIfIndex")]
#[must_use]
pub const fn friendly_if_index(index: u32) -> u32 {
    index & 0x00FF_FFFF
}

/// `DisableMediaSense`: does nothing, as since Windows Vista. Linux keeps the addresses of an interface without its
/// carrier in any case.
#[doc(alias = "DisableMediaSense")]
pub unsafe fn disable_media_sense(handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32 {
    guard::status::<Win32>(|| {
        if handle.is_null() || overlapped.is_null() { Err(Code::INVALID_PARAMETER) } else { Ok(()) }
    })
}

/// `RestoreMediaSense`: does nothing, as since Windows Vista; nobody is left who has switched it off.
#[doc(alias = "RestoreMediaSense")]
pub unsafe fn restore_media_sense(overlapped: *mut OVERLAPPED, count: *mut u32) -> u32 {
    guard::status::<Win32>(|| {
        if overlapped.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        if !count.is_null() {
            // SAFETY: the caller's promise on `count`.
            unsafe { count.write_unaligned(0) };
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn friendly_indices_have_24_bits() {
        assert_eq!([7, 0x0100_0007, u32::MAX].map(friendly_if_index), [7, 7, 0x00FF_FFFF]);
    }
}
