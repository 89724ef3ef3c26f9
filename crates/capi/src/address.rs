//! Addresses of interfaces: unicast, anycast, multicast, and the first generation's.

/// The interface and the address that a row of whatever kind names; only these members are read. The row is NULL or may be
/// read, which is the caller's promise.
macro_rules! keys_of {
    ($host:expr, $row:expr) => {
        if $row.is_null() {
            Err($crate::error::Code::INVALID_PARAMETER)
        } else {
            $crate::address::keys(
                $host,
                &(&raw const (*$row).Address).read_unaligned(),
                (&raw const (*$row).InterfaceLuid).read_unaligned(),
                (&raw const (*$row).InterfaceIndex).read_unaligned(),
            )
        }
    };
}

mod first_generation;
mod member;
mod row;
mod stable;

pub use first_generation::{add_ip_address, delete_ip_address, ip_addr_table};
pub use member::{
    anycast_ip_address_entry, anycast_ip_address_table, create_anycast_ip_address_entry,
    delete_anycast_ip_address_entry, multicast_ip_address_entry, multicast_ip_address_table,
};
pub(crate) use row::of as row;
pub use stable::{StableUnicastIpAddressTableCallback, notify_stable_unicast_ip_address_table};

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{MIB_UNICASTIPADDRESS_ROW, MIB_UNICASTIPADDRESS_TABLE, NET_LUID, SOCKADDR_INET};
use crate::{guard, host, key, sockaddr};
use iphelper::address::UnicastAddressChange;
use iphelper::{Error, ErrorKind, Host, InterfaceKey};
use std::net::IpAddr;

/// `GetUnicastIpAddressEntry`. `ERROR_FILE_NOT_FOUND` for no such interface, `ERROR_NOT_FOUND` for one without the address.
#[doc(alias = "GetUnicastIpAddressEntry")]
pub unsafe fn unicast_ip_address_entry<F: Flavour>(row: *mut MIB_UNICASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys_of!(&host, row) }?;
        let found = host.unicast_address(interface, address)?;
        // SAFETY: as above; `keys_of` refuses NULL.
        unsafe { gaps::write(row, row::of(&found)) };
        Ok(())
    })
}

/// `GetUnicastIpAddressTable`, ordered by family, then interface. `ERROR_NOT_FOUND` for no rows.
#[doc(alias = "GetUnicastIpAddressTable")]
pub unsafe fn unicast_ip_address_table<F: Flavour>(
    family: u16,
    table: *mut *mut MIB_UNICASTIPADDRESS_TABLE,
) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            Ok(host::current()?.unicast_addresses(family)?.iter().map(row::of).collect())
        })
    })
}

/// `InitializeUnicastIpAddressEntry`: for ever, origins "unchanged", the whole address as prefix. NULL is left alone.
#[doc(alias = "InitializeUnicastIpAddressEntry")]
pub unsafe fn initialize_unicast_ip_address_entry(row: *mut MIB_UNICASTIPADDRESS_ROW) {
    if !row.is_null() {
        // SAFETY: the caller's promise on `row`.
        unsafe { gaps::write(row, row::INITIAL) };
    }
}

/// `CreateUnicastIpAddressEntry`. An IPv4 address that another computer has leaves a row that says so, as on Windows, whose
/// function returns before that is known.
#[doc(alias = "CreateUnicastIpAddressEntry")]
pub unsafe fn create_unicast_ip_address_entry<F: Flavour>(row: *const MIB_UNICASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`; each member is a number, so that every pattern of bytes is a row.
        let (keys, values) = unsafe { (keys_of!(&host, row).map_err(own)?, row.read_unaligned()) };
        match host.create_unicast_address(&row::new(keys, &values)?) {
            Err(error) if error.kind() == ErrorKind::AddressConflict => Ok(()),
            created => created.map(drop).map_err(unknown),
        }
    })
}

/// `SetUnicastIpAddressEntry`: the whole row, origins that are not "unchanged" among it.
#[doc(alias = "SetUnicastIpAddressEntry")]
pub unsafe fn set_unicast_ip_address_entry<F: Flavour>(row: *const MIB_UNICASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: as for Create.
        let (keys, values) = unsafe { (keys_of!(&host, row).map_err(own)?, row.read_unaligned()) };
        let new = row::new(keys, &values)?;
        let change = UnicastAddressChange {
            on_link_prefix_length: new.on_link_prefix_length,
            origins: new.origins,
            valid_lifetime: Some(new.valid_lifetime),
            preferred_lifetime: Some(new.preferred_lifetime),
            skip_as_source: Some(new.skip_as_source),
        };
        host.set_unicast_address(new.interface, new.address, &change).map(drop).map_err(unknown)
    })
}

/// `DeleteUnicastIpAddressEntry`: of the row, address and interface count.
#[doc(alias = "DeleteUnicastIpAddressEntry")]
pub unsafe fn delete_unicast_ip_address_entry<F: Flavour>(row: *const MIB_UNICASTIPADDRESS_ROW) -> F::Status {
    guard::status::<F>(|| {
        let host = host::current()?;
        // SAFETY: the caller's promise on `row`.
        let (interface, address) = unsafe { keys_of!(&host, row) }.map_err(own)?;
        host.delete_unicast_address(interface, address).map(drop).map_err(unknown)
    })
}

/// The functions that change have one code for no interface and for no address, other than those that get a row.
fn unknown(error: Error) -> Code {
    own(error.into())
}

fn own(code: Code) -> Code {
    if code == Code::of(ErrorKind::InterfaceNotFound) { Code::NOT_FOUND } else { code }
}

/// The interface and the address of keys. A zone, which an address of a link may have, must be the interface's.
fn keys(
    host: &Host,
    address: &SOCKADDR_INET,
    luid: NET_LUID,
    index: u32,
) -> Result<(InterfaceKey, IpAddr), Code> {
    let address = sockaddr::read(address)?;
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
