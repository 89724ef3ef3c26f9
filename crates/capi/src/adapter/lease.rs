//! `IpReleaseAddress` and `IpRenewAddress`.

use crate::error::{Code, Win32};
use crate::raw::IP_ADAPTER_INDEX_MAP;
use crate::{guard, host};
use iphelper::adapter::DhcpLease;
use iphelper::{ErrorKind, Host, InterfaceIndex, Result};

/// `IpReleaseAddress`: has the lease of the adapter with this index given up, and waits until its address is gone. The name is
/// not looked at. `ERROR_INVALID_PARAMETER` for NULL and for an index of no interface, `ERROR_NOT_SUPPORTED` where nobody can
/// be asked.
#[doc(alias = "IpReleaseAddress")]
pub unsafe fn ip_release_address(map: *const IP_ADAPTER_INDEX_MAP) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { change(map, |host, index| host.release_address(index)) }
}

/// `IpRenewAddress`: has the lease of the adapter with this index renewed, and waits until there is a new one. Codes as for
/// [`ip_release_address`].
#[doc(alias = "IpRenewAddress")]
pub unsafe fn ip_renew_address(map: *const IP_ADAPTER_INDEX_MAP) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { change(map, |host, index| host.renew_address(index)) }
}

/// # Safety
/// `map` is NULL or may be read.
unsafe fn change(
    map: *const IP_ADAPTER_INDEX_MAP,
    change: impl FnOnce(&Host, InterfaceIndex) -> Result<DhcpLease>,
) -> u32 {
    guard::status::<Win32>(|| {
        if map.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let index = InterfaceIndex(unsafe { (&raw const (*map).Index).read_unaligned() });
        match change(&*host::current()?, index) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::InterfaceNotFound => Err(Code::INVALID_PARAMETER),
            Err(error) => Err(error.into()),
        }
    })
}
