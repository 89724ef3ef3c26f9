//! `AddIPAddress`, `DeleteIPAddress`, `GetIpAddrTable`: IPv4 alone.

use crate::error::{Code, Win32};
use crate::memory::buffer::Buffer;
use crate::raw::{
    MIB_IPADDR_DISCONNECTED, MIB_IPADDR_DYNAMIC, MIB_IPADDR_PRIMARY, MIB_IPADDRROW, MIB_IPADDRTABLE,
};
use crate::{guard, host, privilege, sockaddr};
use iphelper::address::{DadState, PrefixOrigin};
use iphelper::{ErrorKind, Family, InterfaceIndex};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The largest IPv4 packet, which is put together from fragments on every interface.
const LARGEST_PACKET: u32 = 65535;

/// `AddIPAddress`. `ERROR_DEV_NOT_EXIST` for an index of no interface, `ERROR_DUP_DOMAINNAME` for an address that this or
/// another computer has, `ERROR_GEN_FAILURE` for one that no interface can have, its subnet's broadcast address among them, `ERROR_INVALID_HANDLE` to who may not.
#[doc(alias = "AddIPAddress")]
pub unsafe fn add_ip_address(
    address: u32,
    mask: u32,
    index: u32,
    context: *mut u32,
    instance: *mut u32,
) -> u32 {
    guard::status::<Win32>(|| {
        if context.is_null() || instance.is_null() || address == 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        let (address, mask) = (sockaddr::ipv4(address), sockaddr::ipv4(mask));
        let [first, ..] = address.octets();
        // A prefix of 31 or 32 bits has no address of all its hosts (RFC 3021).
        let hosts = !mask.to_bits();
        let is_mask = hosts & hosts.wrapping_add(1) == 0;
        let is_broadcast = is_mask && hosts > 1 && address.to_bits() & hosts == hosts;
        if first == 0 || first >= 224 || is_broadcast {
            return Err(Code::of(ErrorKind::Other));
        }
        let added = host::current()?.add_ip_address(InterfaceIndex(index), address, mask);
        let added = added.map_err(|error| match error.kind() {
            ErrorKind::InterfaceNotFound | ErrorKind::NotFound => Code::DEV_NOT_EXIST,
            ErrorKind::AlreadyExists => Code::of(ErrorKind::AddressConflict),
            ErrorKind::AccessDenied => Code::of(ErrorKind::InvalidHandle),
            _ => error.into(),
        })?;
        // SAFETY: the caller's promise on both.
        unsafe {
            context.write_unaligned(added.context);
            instance.write_unaligned(added.instance);
        }
        Ok(())
    })
}

/// `DeleteIPAddress`: the address with this context, whichever program added it. `ERROR_INVALID_PARAMETER` if none has it.
#[doc(alias = "DeleteIPAddress")]
pub fn delete_ip_address(context: u32) -> u32 {
    guard::status::<Win32>(|| {
        let host = host::current()?;
        host.delete_ip_address(context).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::InterfaceNotFound => {
                privilege::or_denied(&host, Code::INVALID_PARAMETER)
            }
            _ => error.into(),
        })
    })
}

/// `GetIpAddrTable`: the IPv4 addresses that can be used, ordered by address on demand, else as interfaces are.
#[doc(alias = "GetIpAddrTable")]
pub unsafe fn ip_addr_table(table: *mut MIB_IPADDRTABLE, size: *mut u32, order: i32) -> u32 {
    guard::status::<Win32>(|| {
        let buffer = Buffer::new(table.cast(), size)?;
        let mut rows = rows()?;
        if order != 0 {
            rows.sort_by_key(|row| (u32::from_be(row.dwAddr), row.dwIndex));
        }
        // SAFETY: the caller's promise on `table` and `size`.
        unsafe { buffer.table::<MIB_IPADDRTABLE>(&rows) }
    })
}

fn rows() -> Result<Vec<MIB_IPADDRROW>, Code> {
    let host = host::current()?;
    let connected: BTreeSet<_> = host
        .ip_interfaces(Some(Family::V4))?
        .iter()
        .filter(|interface| interface.connected)
        .map(|interface| interface.index)
        .collect();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for row in host.unicast_addresses(Some(Family::V4))? {
        let IpAddr::V4(address) = row.address else { continue };
        if matches!(row.dad_state, DadState::Tentative | DadState::Duplicate) {
            continue;
        }
        let flag = |bit: u32, set: bool| if set { bit } else { 0 };
        let kind = flag(MIB_IPADDR_PRIMARY, seen.insert(row.index))
            | flag(MIB_IPADDR_DYNAMIC, row.prefix_origin == PrefixOrigin::Dhcp)
            | flag(MIB_IPADDR_DISCONNECTED, !connected.contains(&row.index));
        let mask = u32::MAX.checked_shl(32 - u32::from(row.on_link_prefix_length)).unwrap_or_default();
        rows.push(MIB_IPADDRROW {
            dwAddr: sockaddr::ipv4_number(address),
            dwIndex: row.index.0,
            dwMask: mask.to_be(),
            // The lowest bit of the address that reaches all, as the page of the management base has it.
            dwBCastAddr: 1,
            dwReasmSize: LARGEST_PACKET,
            unused1: 0,
            wType: u16::try_from(kind).unwrap_or_default(),
        });
    }
    Ok(rows)
}
