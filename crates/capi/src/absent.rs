//! Functions of things that no Linux host has: each says ERROR_NOT_SUPPORTED, after the checks of its arguments.
//!
//! - Teredo (RFC 4380): Linux has no such tunnel. An independent program that speaks it tells no port to anybody.
//! - Flow layer virtual interfaces: parts of Windows' packet filter, which redirects flows into them.
//! - Security health: what Windows Server 2003 knew of quarantine. No Windows since has these functions.

use crate::error::{Code, Flavour, Win32};
use crate::memory::gaps;
use crate::raw::{
    HANDLE, MIB_FL_VIRTUAL_INTERFACE_ROW, MIB_FL_VIRTUAL_INTERFACE_TABLE, OVERLAPPED,
    PTEREDO_PORT_CHANGE_CALLBACK,
};
use crate::{guard, notification};
use std::ffi::c_void;

/// The answer of them all; an argument that is needed may not be NULL.
fn absent<F: Flavour, T>(needed: *const T) -> F::Status {
    guard::status::<F>(|| Err(if needed.is_null() { Code::INVALID_PARAMETER } else { Code::NOT_SUPPORTED }))
}

/// `GetTeredoPort`: `ERROR_NOT_SUPPORTED`; nothing is written.
#[doc(alias = "GetTeredoPort")]
pub unsafe fn teredo_port<F: Flavour>(port: *mut u16) -> F::Status {
    absent::<F, _>(port)
}

/// `NotifyTeredoPortChange`: `ERROR_NOT_SUPPORTED`, and a handle of NULL.
#[doc(alias = "NotifyTeredoPortChange")]
pub unsafe fn notify_teredo_port_change<F: Flavour>(
    callback: PTEREDO_PORT_CHANGE_CALLBACK,
    _context: *mut c_void,
    _initial: u8,
    handle: *mut HANDLE,
) -> F::Status {
    guard::status::<F>(|| {
        let start = || -> Result<fn(), Code> {
            Err(if callback.is_some() { Code::NOT_SUPPORTED } else { Code::INVALID_PARAMETER })
        };
        // SAFETY: the caller's promise on `handle`.
        unsafe { notification::register_in(handle, start) }
    })
}

/// `InitializeFlVirtualInterfaceEntry`: an empty row, for whoever fills it before asking.
#[doc(alias = "InitializeFlVirtualInterfaceEntry")]
pub unsafe fn initialize_fl_virtual_interface_entry(row: *mut MIB_FL_VIRTUAL_INTERFACE_ROW) {
    if !row.is_null() {
        // SAFETY: the caller's promise on `row`.
        unsafe { gaps::write(row, MIB_FL_VIRTUAL_INTERFACE_ROW::default()) };
    }
}

/// `CreateFlVirtualInterface`, `SetFlVirtualInterface`, `DeleteFlVirtualInterface`: `ERROR_NOT_SUPPORTED`.
#[doc(alias = "CreateFlVirtualInterface")]
#[doc(alias = "SetFlVirtualInterface")]
#[doc(alias = "DeleteFlVirtualInterface")]
pub unsafe fn change_fl_virtual_interface<F: Flavour>(row: *const MIB_FL_VIRTUAL_INTERFACE_ROW) -> F::Status {
    absent::<F, _>(row)
}

/// `GetFlVirtualInterface`: `ERROR_NOT_SUPPORTED`; the row is left as it is.
#[doc(alias = "GetFlVirtualInterface")]
pub unsafe fn fl_virtual_interface<F: Flavour>(row: *mut MIB_FL_VIRTUAL_INTERFACE_ROW) -> F::Status {
    absent::<F, _>(row)
}

/// `GetFlVirtualInterfaceTable`: `ERROR_NOT_SUPPORTED`, and a table of NULL.
#[doc(alias = "GetFlVirtualInterfaceTable")]
pub unsafe fn fl_virtual_interface_table<F: Flavour>(
    _family: u16,
    table: *mut *mut MIB_FL_VIRTUAL_INTERFACE_TABLE,
) -> F::Status {
    if !table.is_null() {
        // SAFETY: the caller's promise on `table`.
        unsafe { table.write_unaligned(std::ptr::null_mut()) };
    }
    absent::<F, _>(table)
}

/// `NotifySecurityHealthChange`: `ERROR_NOT_SUPPORTED`, and nothing is written.
#[doc(alias = "NotifySecurityHealthChange")]
pub unsafe fn notify_security_health_change(
    handle: *mut HANDLE,
    _overlapped: *mut OVERLAPPED,
    _flags: *mut u32,
) -> u32 {
    absent::<Win32, _>(handle)
}

/// `CancelSecurityHealthChangeNotify`: `ERROR_NOT_SUPPORTED`, for nothing was ever begun.
#[doc(alias = "CancelSecurityHealthChangeNotify")]
pub unsafe fn cancel_security_health_change_notify(overlapped: *mut OVERLAPPED) -> u32 {
    absent::<Win32, _>(overlapped)
}
