//! Neighbours: the second generation of functions, and those of the first.

mod arp;
mod first_generation;
mod row;

pub use arp::{create_proxy_arp_entry, delete_proxy_arp_entry, resolve_neighbor, send_arp};
pub use first_generation::{
    create_ip_net_entry, delete_ip_net_entry, flush_ip_net_table, ip_net_table, set_ip_net_entry,
};

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{MIB_IPNET_ROW2, MIB_IPNET_TABLE2, NET_LUID, SOCKADDR_INET};
use crate::{guard, host, key, sockaddr};
use iphelper::neighbor::{NeighborChange, NeighborFlush, NewNeighbor, PhysicalAddress};
use iphelper::{Error, ErrorKind, Host, InterfaceIndex, InterfaceKey};
use std::net::IpAddr;

/// `GetIpNetEntry2`. `ERROR_FILE_NOT_FOUND` for no such interface, `ERROR_NOT_FOUND` for one without the neighbour.
#[doc(alias = "GetIpNetEntry2")]
pub unsafe fn ip_net_entry2<F: Flavour>(row: *mut MIB_IPNET_ROW2) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys(&host, row) }?;
        let neighbor = host.neighbor(interface, address)?;
        // SAFETY: as above; `keys` refuses NULL.
        unsafe { gaps::write(row, row::of(&neighbor)) };
        Ok(())
    })
}

/// `GetIpNetTable2`, ordered by family, interface and address. `ERROR_NOT_FOUND` for no rows.
#[doc(alias = "GetIpNetTable2")]
pub unsafe fn ip_net_table2<F: Flavour>(family: u16, table: *mut *mut MIB_IPNET_TABLE2) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            Ok(host::current()?.neighbors(family)?.iter().map(row::of).collect())
        })
    })
}

/// `CreateIpNetEntry2`: a permanent neighbour; the row's state is not read.
#[doc(alias = "CreateIpNetEntry2")]
pub unsafe fn create_ip_net_entry2<F: Flavour>(row: *const MIB_IPNET_ROW2) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`; `keys` refuses NULL.
        let ((interface, address), physical_address) =
            unsafe { (keys(&host, row).map_err(own)?, physical(row)?) };
        let _made =
            host.create_neighbor(&NewNeighbor::new(interface, address, physical_address)).map_err(unknown)?;
        Ok(())
    })
}

/// `SetIpNetEntry2`: a neighbour that is there gets the physical address, and is permanent then.
#[doc(alias = "SetIpNetEntry2")]
pub unsafe fn set_ip_net_entry2<F: Flavour>(row: *const MIB_IPNET_ROW2) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`; `keys` refuses NULL.
        let ((interface, address), physical_address) =
            unsafe { (keys(&host, row).map_err(own)?, physical(row)?) };
        let change = NeighborChange::new(physical_address);
        let _changes = host.set_neighbor(interface, address, &change).map_err(unknown)?;
        Ok(())
    })
}

/// `DeleteIpNetEntry2`.
#[doc(alias = "DeleteIpNetEntry2")]
pub unsafe fn delete_ip_net_entry2<F: Flavour>(row: *const MIB_IPNET_ROW2) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys(&host, row) }.map_err(own)?;
        let _was = host.delete_neighbor(interface, address).map_err(unknown)?;
        Ok(())
    })
}

/// `FlushIpNetTable2`: deletes the neighbours of a family or of both, on one interface or on all (0), permanent ones
/// too. `ERROR_INVALID_PARAMETER` for an index of no interface.
#[doc(alias = "FlushIpNetTable2")]
pub unsafe fn flush_ip_net_table2<F: Flavour>(family: u16, index: u32) -> F::Status {
    guard::status::<F>(|| {
        let interface = (index != 0).then_some(InterfaceKey::Index(InterfaceIndex(index)));
        flush(NeighborFlush { family: key::families(family)?, interface, permanent: true })
    })
}

/// `ResolveIpNetEntry2`: asks for the physical address, and gives the whole row. A source address chooses the interface.
///
/// `ERROR_BAD_NET_NAME` if nobody answers.
#[doc(alias = "ResolveIpNetEntry2")]
pub unsafe fn resolve_ip_net_entry2<F: Flavour>(
    row: *mut MIB_IPNET_ROW2,
    source: *const SOCKADDR_INET,
) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys(&host, row) }.map_err(own)?;
        let source = if source.is_null() {
            None
        } else {
            // SAFETY: the caller's promise on `source`.
            Some(unsafe { sockaddr::read_pointer(source) }?.ip)
        };
        let neighbor = host.resolve_neighbor(address, Some(interface), source).map_err(unknown)?;
        // SAFETY: as above; `keys` refuses NULL.
        unsafe { gaps::write(row, row::of(&neighbor)) };
        Ok(())
    })
}

fn flush(which: NeighborFlush) -> Result<(), Code> {
    let flushed = host::current()?.flush_neighbors(&which);
    let _rows = flushed.map_err(|error| match error.kind() {
        ErrorKind::InterfaceNotFound => Code::INVALID_PARAMETER,
        _ => error.into(),
    })?;
    Ok(())
}

/// These functions have one code for no interface and for no neighbour, other than `GetIpNetEntry2`.
fn unknown(error: Error) -> Code {
    own(error.into())
}

fn own(code: Code) -> Code {
    if code == Code::of(ErrorKind::InterfaceNotFound) { Code::NOT_FOUND } else { code }
}

/// The interface and the address that a row names. A zone, which an address of a link may have, must be the interface's.
///
/// # Safety
/// `row` is NULL or may be read.
unsafe fn keys(host: &Host, row: *const MIB_IPNET_ROW2) -> Result<(InterfaceKey, IpAddr), Code> {
    if row.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; only what is read need be initialised.
    let (address, luid, index): (SOCKADDR_INET, NET_LUID, u32) = unsafe {
        (
            (&raw const (*row).Address).read_unaligned(),
            (&raw const (*row).InterfaceLuid).read_unaligned(),
            (&raw const (*row).InterfaceIndex).read_unaligned(),
        )
    };
    let address = sockaddr::read(&address)?;
    let interface = key::interface(luid, index)?;
    let is_of_a_link =
        matches!(address.ip, IpAddr::V6(ip) if ip.is_unicast_link_local() || ip.is_multicast());
    // Of an interface that is not there, the operation itself says what it says of others.
    let is_other = || host.interface_names(interface).is_ok_and(|names| names.index.0 != address.scope);
    if is_of_a_link && address.scope != 0 && is_other() {
        return Err(Code::INVALID_PARAMETER);
    }
    Ok((interface, address.ip))
}

/// The physical address of a row.
///
/// # Safety
/// `row` may be read.
unsafe fn physical(row: *const MIB_IPNET_ROW2) -> Result<PhysicalAddress, Code> {
    // SAFETY: the caller's promise.
    let (bytes, length) = unsafe {
        (
            (&raw const (*row).PhysicalAddress).read_unaligned(),
            (&raw const (*row).PhysicalAddressLength).read_unaligned(),
        )
    };
    bytes_of(&bytes, length)
}

/// The first bytes of a member; [`Code::INVALID_PARAMETER`] for more than it has.
fn bytes_of(bytes: &[u8], length: u32) -> Result<PhysicalAddress, Code> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(PhysicalAddress::new(bytes.get(..length).ok_or(Code::INVALID_PARAMETER)?)?)
}
