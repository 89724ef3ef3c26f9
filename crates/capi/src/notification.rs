//! `NotifyIpInterfaceChange` and `CancelMibChangeNotify2`.

use crate::error::{Code, Flavour};
use crate::process::PerProcess;
use crate::raw::{
    HANDLE, MIB_IPINTERFACE_ROW, MibAddInstance, MibDeleteInstance, MibInitialNotification,
    MibParameterNotification,
};
use crate::{guard, host, key};
use iphelper::notification::{ChangeKind, IpInterfaceNotification, Registration};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// `PIPINTERFACE_CHANGE_CALLBACK`: the caller's context, the row (NULL for the initial notification), what happened.
pub type IpInterfaceChangeCallback = unsafe extern "system" fn(*mut c_void, *mut MIB_IPINTERFACE_ROW, i32);

/// The registrations that were not cancelled, by handle. A forked child has none: its parent's call nothing there.
static REGISTERED: PerProcess<Mutex<HashMap<usize, Registration>>> = PerProcess::new();

/// The next handle. No handle is given out twice, so that a stale one never cancels another registration.
static NEXT: AtomicUsize = AtomicUsize::new(1);

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
    guard::status::<F>(|| {
        if handle.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `handle`.
        unsafe { handle.write_unaligned(std::ptr::null_mut()) };
        let call = Call { function: callback.ok_or(Code::INVALID_PARAMETER)?, context };
        let family = key::families(family)?;
        let host = host::current()?;
        let registration = host
            .notify_ip_interface_change(family, initial != 0, move |notification| call.run(&notification))?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let _others = registered().insert(number, registration);
        // SAFETY: as above.
        unsafe { handle.write_unaligned(std::ptr::without_provenance_mut(number)) };
        Ok(())
    })
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
        registration.ok_or(Code::INVALID_PARAMETER)?.cancel();
        Ok(())
    })
}

fn registered() -> std::sync::MutexGuard<'static, HashMap<usize, Registration>> {
    REGISTERED.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// A C function with the context that its caller wants back.
struct Call {
    function: IpInterfaceChangeCallback,
    context: *mut c_void,
}

// SAFETY: the pointer is handed back to the caller's function and never followed here; that the function is called on
// another thread is what the caller asked for.
unsafe impl Send for Call {}

impl Call {
    fn run(&self, notification: &IpInterfaceNotification) {
        match notification {
            // SAFETY: the caller promised a function of this type, valid until the registration is cancelled.
            IpInterfaceNotification::Initial => unsafe {
                (self.function)(self.context, std::ptr::null_mut(), MibInitialNotification);
            },
            IpInterfaceNotification::Changed(change) => {
                let mut row = MIB_IPINTERFACE_ROW {
                    Family: key::family_number(change.family),
                    InterfaceLuid: key::luid(change.luid),
                    InterfaceIndex: change.index.0,
                    ..Default::default()
                };
                let kind = match change.kind {
                    ChangeKind::Parameter => MibParameterNotification,
                    ChangeKind::Add => MibAddInstance,
                    ChangeKind::Delete => MibDeleteInstance,
                };
                // SAFETY: as above; the row lives during the call.
                unsafe { (self.function)(self.context, &raw mut row, kind) };
            }
        }
    }
}
