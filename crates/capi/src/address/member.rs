//! Anycast and multicast addresses.

use super::{own, unknown};
use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{
    MIB_ANYCASTIPADDRESS_ROW, MIB_ANYCASTIPADDRESS_TABLE, MIB_MULTICASTIPADDRESS_ROW,
    MIB_MULTICASTIPADDRESS_TABLE,
};
use crate::{guard, host, key, sockaddr};
use iphelper::address::{AnycastAddress, MulticastAddress};

/// `GetAnycastIpAddressEntry`. `ERROR_FILE_NOT_FOUND` for no such interface, `ERROR_NOT_FOUND` for one without the address.
#[doc(alias = "GetAnycastIpAddressEntry")]
pub unsafe fn anycast_ip_address_entry<F: Flavour>(row: *mut MIB_ANYCASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys_of!(&host, row) }?;
        let found = host.anycast_address(interface, address)?;
        // SAFETY: as above; `keys_of` refuses NULL.
        unsafe { gaps::write(row, anycast_row(&found)) };
        Ok(())
    })
}

/// `GetAnycastIpAddressTable`. `ERROR_NOT_FOUND` for no rows.
#[doc(alias = "GetAnycastIpAddressTable")]
pub unsafe fn anycast_ip_address_table<F: Flavour>(
    family: u16,
    table: *mut *mut MIB_ANYCASTIPADDRESS_TABLE,
) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            Ok(host::current()?.anycast_addresses(family)?.iter().map(anycast_row).collect())
        })
    })
}

/// `CreateAnycastIpAddressEntry`.
#[doc(alias = "CreateAnycastIpAddressEntry")]
pub unsafe fn create_anycast_ip_address_entry<F: Flavour>(row: *const MIB_ANYCASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys_of!(&host, row) }.map_err(own)?;
        host.create_anycast_address(interface, address).map(drop).map_err(unknown)
    })
}

/// `DeleteAnycastIpAddressEntry`: one that was created. `ERROR_NOT_SUPPORTED` for one of a program or of a router.
#[doc(alias = "DeleteAnycastIpAddressEntry")]
pub unsafe fn delete_anycast_ip_address_entry<F: Flavour>(row: *const MIB_ANYCASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys_of!(&host, row) }.map_err(own)?;
        host.delete_anycast_address(interface, address).map(drop).map_err(unknown)
    })
}

/// `GetMulticastIpAddressEntry`. `ERROR_FILE_NOT_FOUND` for no such interface, `ERROR_NOT_FOUND` for one that has not
/// joined the group.
#[doc(alias = "GetMulticastIpAddressEntry")]
pub unsafe fn multicast_ip_address_entry<F: Flavour>(row: *mut MIB_MULTICASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys_of!(&host, row) }?;
        let found = host.multicast_address(interface, address)?;
        // SAFETY: as above.
        unsafe { gaps::write(row, multicast_row(&found)) };
        Ok(())
    })
}

/// `GetMulticastIpAddressTable`. `ERROR_NOT_FOUND` for no rows.
#[doc(alias = "GetMulticastIpAddressTable")]
pub unsafe fn multicast_ip_address_table<F: Flavour>(
    family: u16,
    table: *mut *mut MIB_MULTICASTIPADDRESS_TABLE,
) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            Ok(host::current()?.multicast_addresses(family)?.iter().map(multicast_row).collect())
        })
    })
}

fn anycast_row(address: &AnycastAddress) -> MIB_ANYCASTIPADDRESS_ROW {
    MIB_ANYCASTIPADDRESS_ROW {
        Address: sockaddr::write(address.address, address.scope_id),
        InterfaceLuid: key::luid(address.luid),
        InterfaceIndex: address.index.0,
        ScopeId: address.scope_id,
    }
}

fn multicast_row(address: &MulticastAddress) -> MIB_MULTICASTIPADDRESS_ROW {
    MIB_MULTICASTIPADDRESS_ROW {
        Address: sockaddr::write(address.address, address.scope_id),
        InterfaceIndex: address.index.0,
        InterfaceLuid: key::luid(address.luid),
        ScopeId: address.scope_id,
    }
}
