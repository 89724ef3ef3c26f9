//! `GetIpInterfaceEntry`, `GetIpInterfaceTable`, `InitializeIpInterfaceEntry`, `SetIpInterfaceEntry`.

mod change;
mod row;

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{MIB_IPINTERFACE_ROW, MIB_IPINTERFACE_TABLE, NET_LUID};
use crate::{guard, host, key, privilege};
use iphelper::{Family, InterfaceKey};

/// `GetIpInterfaceEntry`. `ERROR_FILE_NOT_FOUND` for no such interface, `ERROR_NOT_FOUND` for one without the family.
#[doc(alias = "GetIpInterfaceEntry")]
pub unsafe fn ip_interface_entry<F: Flavour>(row: *mut MIB_IPINTERFACE_ROW) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise on `row`.
        let (family, key) = unsafe { keys(row) }?;
        let interface = host::current()?.ip_interface(family, key)?;
        // SAFETY: as above; `keys` refuses NULL.
        unsafe { gaps::write(row, row::of(&interface)) };
        Ok(())
    })
}

/// `GetIpInterfaceTable`, ordered by family, then index.
#[doc(alias = "GetIpInterfaceTable")]
pub unsafe fn ip_interface_table<F: Flavour>(
    family: u16,
    table: *mut *mut MIB_IPINTERFACE_TABLE,
) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            Ok(host::current()?.ip_interfaces(family)?.iter().map(row::of).collect())
        })
    })
}

/// `InitializeIpInterfaceEntry`: puts into each settable member the value that means "no change". NULL is left alone.
#[doc(alias = "InitializeIpInterfaceEntry")]
pub unsafe fn initialize_ip_interface_entry(row: *mut MIB_IPINTERFACE_ROW) {
    if !row.is_null() {
        // SAFETY: the caller's promise on `row`.
        unsafe { gaps::write(row, change::NO_CHANGE) };
    }
}

/// `SetIpInterfaceEntry`: changes what the row says otherwise than "no change", all or nothing.
///
/// `ERROR_INVALID_PARAMETER` for a value that its member cannot have, `ERROR_NOT_SUPPORTED` for what this host cannot
/// do. Success fills in the LUID where only the index was given, and nothing else.
#[doc(alias = "SetIpInterfaceEntry")]
pub unsafe fn set_ip_interface_entry<F: Flavour>(row: *mut MIB_IPINTERFACE_ROW) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise on `row`; each member is a number, so that every pattern of bytes is a row.
        let (family, key, values) = unsafe {
            let (family, key) = keys(row)?;
            (family, key, row.read_unaligned())
        };
        let change = change::of(&values, family)?;
        let host = host::current()?;
        // By LUID from here on: an index may become another interface's between two calls.
        let luid = match key {
            InterfaceKey::Luid(luid) => luid,
            InterfaceKey::Index(_) => {
                host.interface_names(key).map_err(|error| privilege::or_denied(&host, error.into()))?.luid
            }
        };
        let _changes = host.set_ip_interface(family, luid, &change)?;
        // SAFETY: as above.
        unsafe { (&raw mut (*row).InterfaceLuid).write_unaligned(key::luid(luid)) };
        Ok(())
    })
}

/// The family and the interface that a row names.
///
/// # Safety
/// `row` is NULL or may be read.
unsafe fn keys(row: *const MIB_IPINTERFACE_ROW) -> Result<(Family, InterfaceKey), Code> {
    if row.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; only what is read need be initialised.
    let (family, luid, index): (u16, NET_LUID, u32) = unsafe {
        (
            (&raw const (*row).Family).read_unaligned(),
            (&raw const (*row).InterfaceLuid).read_unaligned(),
            (&raw const (*row).InterfaceIndex).read_unaligned(),
        )
    };
    Ok((key::family(family.into())?, key::interface(luid, index)?))
}
