//! `GetNetworkConnectivityHint`, `GetNetworkConnectivityHintForInterface` and `NotifyNetworkConnectivityHintChange`.

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::raw::{
    HANDLE, NL_NETWORK_CONNECTIVITY_HINT, NetworkConnectivityCostHintFixed,
    NetworkConnectivityCostHintUnknown, NetworkConnectivityCostHintUnrestricted,
    NetworkConnectivityLevelHintConstrainedInternetAccess, NetworkConnectivityLevelHintInternetAccess,
    NetworkConnectivityLevelHintLocalAccess, NetworkConnectivityLevelHintNone,
    NetworkConnectivityLevelHintUnknown, PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK,
};
use crate::{guard, host, notification};
use iphelper::InterfaceIndex;
use iphelper::connectivity::{ConnectivityCost, ConnectivityHint, ConnectivityLevel};
use std::ffi::c_void;

/// `GetNetworkConnectivityHint`: how far this host reaches, and what that costs.
#[doc(alias = "GetNetworkConnectivityHint")]
pub unsafe fn connectivity_hint<F: Flavour>(answer: *mut NL_NETWORK_CONNECTIVITY_HINT) -> F::Status {
    guard::status::<F>(|| {
        if answer.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let told = host::current()?.connectivity_hint()?;
        // SAFETY: the caller's promise on `answer`.
        unsafe { gaps::write(answer, hint(told)) };
        Ok(())
    })
}

/// `GetNetworkConnectivityHintForInterface`: how far packets get over one interface, and what they cost.
#[doc(alias = "GetNetworkConnectivityHintForInterface")]
pub unsafe fn interface_connectivity_hint<F: Flavour>(
    index: u32,
    answer: *mut NL_NETWORK_CONNECTIVITY_HINT,
) -> F::Status {
    guard::status::<F>(|| {
        if index == 0 || answer.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let told = host::current()?.interface_connectivity_hint(InterfaceIndex(index))?;
        // SAFETY: the caller's promise on `answer`.
        unsafe { gaps::write(answer, hint(told)) };
        Ok(())
    })
}

/// `NotifyNetworkConnectivityHintChange`: calls back with how far this host reaches and what that
/// costs, whenever that has changed.
#[doc(alias = "NotifyNetworkConnectivityHintChange")]
pub unsafe fn notify_connectivity_hint_change<F: Flavour>(
    callback: PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK,
    context: *mut c_void,
    initial: u8,
    handle: *mut HANDLE,
) -> F::Status {
    guard::status::<F>(|| {
        let start = || {
            let callback = callback.ok_or(Code::INVALID_PARAMETER)?;
            // An address, for the pointer is handed back to the caller's function and never followed here.
            let context = context.expose_provenance();
            let registration = host::current()?.notify_connectivity_change(initial != 0, move |told| {
                // SAFETY: the caller registered the function to be called so, on another thread.
                unsafe { callback(std::ptr::with_exposed_provenance(context), hint(told)) };
            })?;
            Ok(|| registration.cancel())
        };
        // SAFETY: the caller's promise on `handle`.
        unsafe { notification::register_in(handle, start) }
    })
}

/// Nobody on a Linux host keeps data limits, and roaming is no property of a network: those members are FALSE.
fn hint(hint: ConnectivityHint) -> NL_NETWORK_CONNECTIVITY_HINT {
    NL_NETWORK_CONNECTIVITY_HINT {
        ConnectivityLevel: match hint.level {
            ConnectivityLevel::None => NetworkConnectivityLevelHintNone,
            ConnectivityLevel::LocalAccess => NetworkConnectivityLevelHintLocalAccess,
            ConnectivityLevel::ConstrainedInternetAccess => {
                NetworkConnectivityLevelHintConstrainedInternetAccess
            }
            ConnectivityLevel::InternetAccess => NetworkConnectivityLevelHintInternetAccess,
            _ => NetworkConnectivityLevelHintUnknown,
        },
        ConnectivityCost: match hint.cost {
            Some(ConnectivityCost::Unrestricted) => NetworkConnectivityCostHintUnrestricted,
            Some(ConnectivityCost::Fixed) => NetworkConnectivityCostHintFixed,
            _ => NetworkConnectivityCostHintUnknown,
        },
        ..Default::default()
    }
}
