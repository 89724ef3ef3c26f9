//! `NotifyStableUnicastIpAddressTable`.

use super::row;
use crate::error::{Code, Flavour};
use crate::memory::table;
use crate::notification;
use crate::raw::{HANDLE, MIB_UNICASTIPADDRESS_TABLE};
use crate::{guard, host, key};
use iphelper::address::{StableAddresses, UnicastAddress};
use std::ffi::c_void;

/// `PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK`: the caller's context, and a table that the caller frees.
pub type StableUnicastIpAddressTableCallback =
    unsafe extern "system" fn(*mut c_void, *mut MIB_UNICASTIPADDRESS_TABLE);

/// `NotifyStableUnicastIpAddressTable`: the table at once if every address is stable, else `ERROR_IO_PENDING`, and
/// `callback` gets it once, unless the handle is cancelled before.
#[doc(alias = "NotifyStableUnicastIpAddressTable")]
pub unsafe fn notify_stable_unicast_ip_address_table<F: Flavour>(
    family: u16,
    table: *mut *mut MIB_UNICASTIPADDRESS_TABLE,
    callback: Option<StableUnicastIpAddressTableCallback>,
    context: *mut c_void,
    handle: *mut HANDLE,
) -> F::Status {
    guard::status::<F>(|| {
        if table.is_null() || handle.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on both.
        unsafe {
            table.write_unaligned(std::ptr::null_mut());
            handle.write_unaligned(std::ptr::null_mut());
        }
        let call = Call { function: callback.ok_or(Code::INVALID_PARAMETER)?, context };
        let family = key::families(family)?;
        match host::current()?.notify_stable_unicast_addresses(family, move |rows| call.run(&rows))? {
            StableAddresses::Now(rows) => {
                // SAFETY: as above.
                unsafe { table::answer(table, None, || Ok(rows.iter().map(row::of).collect())) }
            }
            StableAddresses::Later(registration) => {
                let number = notification::register(|| registration.cancel());
                // SAFETY: as above.
                unsafe { handle.write_unaligned(number) };
                Err(Code::PENDING)
            }
        }
    })
}

/// A C function with the context that its caller wants back.
struct Call {
    function: StableUnicastIpAddressTableCallback,
    context: *mut c_void,
}

// SAFETY: the pointer is handed back to the caller's function and never followed here; that the function is called on
// another thread is what the caller asked for.
unsafe impl Send for Call {}

impl Call {
    fn run(&self, rows: &[UnicastAddress]) {
        let mut made = std::ptr::null_mut();
        // SAFETY: `made` is a live variable. Out of memory leaves NULL in it, which the function gets.
        let _made = unsafe {
            table::answer::<MIB_UNICASTIPADDRESS_TABLE>(&raw mut made, None, || {
                Ok(rows.iter().map(row::of).collect())
            })
        };
        // SAFETY: the caller promised a function of this type, valid until the registration is cancelled.
        unsafe { (self.function)(self.context, made) };
    }
}
