//! Changes of routes and addresses, as they happen.

use crate::Result;
use crate::address::from_windows;
use crate::error::check;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::NetworkManagement::IpHelper::{
    CancelMibChangeNotify2, MIB_IPFORWARD_ROW2, MIB_NOTIFICATION_TYPE, MIB_UNICASTIPADDRESS_ROW,
    MibAddInstance, MibDeleteInstance, MibParameterNotification, NotifyRouteChange2,
    NotifyUnicastIpAddressChange,
};
use windows_sys::Win32::Networking::WinSock::{AF_UNSPEC, SOCKADDR_INET};

/// Shows changes until the standard input ends.
pub fn until_the_input_ends() -> Result {
    let (mut routes, mut addresses): (HANDLE, HANDLE) = (null_mut(), null_mut());
    // SAFETY: live handles and functions; no context.
    unsafe {
        let code = NotifyRouteChange2(AF_UNSPEC, Some(route), null(), false, &raw mut routes);
        check("NotifyRouteChange2", code)?;
        let code = NotifyUnicastIpAddressChange(AF_UNSPEC, Some(address), null(), false, &raw mut addresses);
        check("NotifyUnicastIpAddressChange", code)?;
    }
    println!("watching");
    for _line in std::io::stdin().lines() {}
    // SAFETY: handles of the calls above, each cancelled once.
    unsafe {
        check("CancelMibChangeNotify2", CancelMibChangeNotify2(routes))?;
        check("CancelMibChangeNotify2", CancelMibChangeNotify2(addresses))
    }
}

unsafe extern "system" fn route(
    _: *const c_void,
    row: *const MIB_IPFORWARD_ROW2,
    kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: the row is NULL or lives during the call.
    if let Some(row) = unsafe { row.as_ref() } {
        let prefix = &row.DestinationPrefix;
        let what = format!("route {}/{}", shown(&prefix.Prefix), prefix.PrefixLength);
        println!("{what} by {} interface {} {}", shown(&row.NextHop), row.InterfaceIndex, happened(kind));
    }
}

unsafe extern "system" fn address(
    _: *const c_void,
    row: *const MIB_UNICASTIPADDRESS_ROW,
    kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: as above.
    if let Some(row) = unsafe { row.as_ref() } {
        println!("address {} interface {} {}", shown(&row.Address), row.InterfaceIndex, happened(kind));
    }
}

fn shown(address: &SOCKADDR_INET) -> String {
    from_windows(address).map_or("?".to_owned(), |address| address.to_string())
}

#[expect(non_upper_case_globals, reason = "Windows' names")]
fn happened(kind: MIB_NOTIFICATION_TYPE) -> &'static str {
    match kind {
        MibAddInstance => "added",
        MibDeleteInstance => "deleted",
        MibParameterNotification => "changed",
        _ => "?",
    }
}
