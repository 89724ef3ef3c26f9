//! `NotifyIpInterfaceChange`, `NotifyRouteChange2`, `NotifyUnicastIpAddressChange` and `CancelMibChangeNotify2`.

pub mod overlapped;

use crate::error::{Code, Flavour};
use crate::memory::gaps::{self, Given};
use crate::process::PerProcess;
use crate::raw::{
    HANDLE, IP_ADDRESS_PREFIX, MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_UNICASTIPADDRESS_ROW,
    MibAddInstance, MibDeleteInstance, MibInitialNotification, MibParameterNotification,
};
use crate::{guard, host, key, sockaddr};
use iphelper::notification::{ChangeKind, Classes, Notification, Subject, WatchOptions};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is called for a change of a `Row`: the caller's context, the row (NULL for the initial notification), what
/// happened.
pub type ChangeCallback<Row> = unsafe extern "system" fn(*mut c_void, *mut Row, i32);
/// `PIPINTERFACE_CHANGE_CALLBACK`.
pub type IpInterfaceChangeCallback = ChangeCallback<MIB_IPINTERFACE_ROW>;
/// `PIPFORWARD_CHANGE_CALLBACK`.
pub type RouteChangeCallback = ChangeCallback<MIB_IPFORWARD_ROW2>;
/// `PUNICAST_IPADDRESS_CHANGE_CALLBACK`.
pub type UnicastIpAddressChangeCallback = ChangeCallback<MIB_UNICASTIPADDRESS_ROW>;

/// The registrations that were not cancelled, by handle. A forked child has none: its parent's call nothing there.
static REGISTERED: PerProcess<Mutex<HashMap<usize, Cancel>>> = PerProcess::new();

/// Ends a registration, after what is called has returned.
type Cancel = Box<dyn FnOnce() + Send>;

/// The next handle. No handle is given out twice, so that a stale one never cancels another registration.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// A row whose changes can be notified.
trait Watched: Given + 'static {
    /// What is watched for it.
    const CLASS: Classes;
    /// The row of a change, with its keys alone.
    fn keys(subject: &Subject) -> Option<Self>;
}

impl Watched for MIB_IPINTERFACE_ROW {
    const CLASS: Classes = Classes::IP_INTERFACES;

    fn keys(subject: &Subject) -> Option<Self> {
        let Subject::IpInterface(row) = subject else { return None };
        Some(Self {
            Family: key::family_number(row.family),
            InterfaceLuid: key::luid(row.luid),
            InterfaceIndex: row.index.0,
            ..Default::default()
        })
    }
}

impl Watched for MIB_IPFORWARD_ROW2 {
    const CLASS: Classes = Classes::ROUTES;

    fn keys(subject: &Subject) -> Option<Self> {
        let Subject::Route(row) = subject else { return None };
        let destination = row.destination;
        let index = row.index?;
        // An address of the link belongs to its zone.
        let zone = |address: std::net::IpAddr| match address {
            std::net::IpAddr::V6(address) if address.is_unicast_link_local() => index.0,
            _ => 0,
        };
        Some(Self {
            InterfaceLuid: key::luid(row.luid?),
            InterfaceIndex: index.0,
            DestinationPrefix: IP_ADDRESS_PREFIX {
                Prefix: sockaddr::write(destination.address(), 0),
                PrefixLength: destination.len(),
            },
            NextHop: sockaddr::write(row.next_hop, zone(row.next_hop)),
            ..Default::default()
        })
    }
}

impl Watched for MIB_UNICASTIPADDRESS_ROW {
    const CLASS: Classes = Classes::UNICAST_ADDRESSES;

    fn keys(subject: &Subject) -> Option<Self> {
        let Subject::UnicastAddress(row) = subject else { return None };
        Some(Self {
            Address: sockaddr::write(row.address, row.scope_id),
            InterfaceLuid: key::luid(row.luid),
            InterfaceIndex: row.index.0,
            ..Default::default()
        })
    }
}

/// `NotifyIpInterfaceChange`: calls `callback` for each change, on a thread of the registration's own, until the handle
/// is cancelled or the process ends. A failure stores NULL as the handle.
///
/// The row that a callback gets holds the keys alone (family, LUID, index) and is valid during the call.
#[doc(alias = "NotifyIpInterfaceChange")]
pub unsafe fn notify_ip_interface_change<F: Flavour>(
    family: u16,
    callback: Option<IpInterfaceChangeCallback>,
    context: *mut c_void,
    initial: u8,
    handle: *mut HANDLE,
) -> F::Status {
    // SAFETY: the caller's promise.
    unsafe { notify_change::<F, MIB_IPINTERFACE_ROW>(family, callback, context, initial, handle) }
}

/// `NotifyRouteChange2`: as [`notify_ip_interface_change`]. The keys are LUID, index, destination and next hop; of
/// several routes with the same keys the one that the kernel prefers counts.
#[doc(alias = "NotifyRouteChange2")]
pub unsafe fn notify_route_change2<F: Flavour>(
    family: u16,
    callback: Option<RouteChangeCallback>,
    context: *mut c_void,
    initial: u8,
    handle: *mut HANDLE,
) -> F::Status {
    // SAFETY: the caller's promise.
    unsafe { notify_change::<F, MIB_IPFORWARD_ROW2>(family, callback, context, initial, handle) }
}

/// `NotifyUnicastIpAddressChange`: as [`notify_ip_interface_change`]. The keys are the address, LUID and index.
#[doc(alias = "NotifyUnicastIpAddressChange")]
pub unsafe fn notify_unicast_ip_address_change<F: Flavour>(
    family: u16,
    callback: Option<UnicastIpAddressChangeCallback>,
    context: *mut c_void,
    initial: u8,
    handle: *mut HANDLE,
) -> F::Status {
    // SAFETY: the caller's promise.
    unsafe { notify_change::<F, MIB_UNICASTIPADDRESS_ROW>(family, callback, context, initial, handle) }
}

unsafe fn notify_change<F: Flavour, Row: Watched>(
    family: u16,
    callback: Option<ChangeCallback<Row>>,
    context: *mut c_void,
    initial: u8,
    handle: *mut HANDLE,
) -> F::Status {
    guard::status::<F>(|| {
        let start = || {
            let call = Call { function: callback.ok_or(Code::INVALID_PARAMETER)?, context };
            let options = WatchOptions::new(Row::CLASS).family(key::families(family)?);
            let options = options.requesters(false).by_windows_key(true);
            let registration = host::current()?
                .notify(options, initial != 0, move |notification| call.run(&notification))?;
            Ok(|| registration.cancel())
        };
        // SAFETY: the caller's promise on `handle`.
        unsafe { register_in(handle, start) }
    })
}

/// Starts a registration and stores the handle by which it is cancelled, which is NULL until there is one.
///
/// # Safety
/// `handle` is NULL or may be written.
pub(crate) unsafe fn register_in<C: FnOnce() + Send + 'static>(
    handle: *mut HANDLE,
    start: impl FnOnce() -> Result<C, Code>,
) -> Result<(), Code> {
    if handle.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise.
    unsafe { handle.write_unaligned(std::ptr::null_mut()) };
    let made = register(start()?);
    // SAFETY: as above.
    unsafe { handle.write_unaligned(made) };
    Ok(())
}

/// `CancelMibChangeNotify2`: ends a registration, after callbacks under way have returned. None runs afterwards.
///
/// From inside the callback itself it returns at once, where Windows would wait for ever. `ERROR_INVALID_PARAMETER` for
/// NULL and for what is no handle, or no longer.
#[doc(alias = "CancelMibChangeNotify2")]
pub unsafe fn cancel<F: Flavour>(handle: HANDLE) -> F::Status {
    guard::status::<F>(|| {
        // Out of the table first: the wait for the callback must hold no lock.
        let registration = registered().remove(&handle.addr());
        registration.ok_or(Code::INVALID_PARAMETER)?();
        Ok(())
    })
}

/// The handle by which a registration is cancelled.
pub(crate) fn register(cancel: impl FnOnce() + Send + 'static) -> HANDLE {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let _others = registered().insert(number, Box::new(cancel));
    std::ptr::without_provenance_mut(number)
}

fn registered() -> std::sync::MutexGuard<'static, HashMap<usize, Cancel>> {
    REGISTERED.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// A C function with the context that its caller wants back.
struct Call<Row> {
    function: ChangeCallback<Row>,
    context: *mut c_void,
}

// SAFETY: the pointer is handed back to the caller's function and never followed here; that the function is called on
// another thread is what the caller asked for.
unsafe impl<Row> Send for Call<Row> {}

impl<Row: Watched> Call<Row> {
    fn run(&self, notification: &Notification) {
        match notification {
            // SAFETY: the caller promised a function of this type, valid until the registration is cancelled.
            Notification::Initial => unsafe {
                (self.function)(self.context, std::ptr::null_mut(), MibInitialNotification);
            },
            Notification::Event(event) => {
                // Nothing else is watched.
                let Some(mut row) = Row::keys(&event.subject) else { return };
                let kind = match event.kind {
                    ChangeKind::Parameter => MibParameterNotification,
                    ChangeKind::Add => MibAddInstance,
                    ChangeKind::Delete => MibDeleteInstance,
                };
                // SAFETY: as above; the row lives during the call.
                unsafe {
                    gaps::clear(&raw mut row);
                    (self.function)(self.context, &raw mut row, kind);
                }
            }
        }
    }
}
