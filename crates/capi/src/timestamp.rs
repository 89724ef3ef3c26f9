//! Time stamps of packets: `GetInterfaceSupportedTimestampCapabilities` and the like.

use crate::error::{Code, Win32};
use crate::memory::gaps::{self, Given};
use crate::raw::{
    HANDLE, INTERFACE_HARDWARE_CROSSTIMESTAMP, INTERFACE_HARDWARE_TIMESTAMP_CAPABILITIES,
    INTERFACE_SOFTWARE_TIMESTAMP_CAPABILITIES, INTERFACE_TIMESTAMP_CAPABILITIES, NET_LUID,
    PINTERFACE_TIMESTAMP_CONFIG_CHANGE_CALLBACK, ULONG64,
};
use crate::{guard, host, key, notification};
use iphelper::timestamp::TimestampCapabilities;
use iphelper::{Host, InterfaceKey, Result};
use std::ffi::c_void;
use std::time::Duration;

/// Linux' hardware clocks count nanoseconds.
const NANOSECONDS: ULONG64 = ULONG64(1_000_000_000);

/// `GetInterfaceSupportedTimestampCapabilities`, and `GetInterfaceHardwareTimestampCapabilities`, which Windows reserves for
/// itself: what hardware and kernel could stamp.
///
/// `HardwareClockFrequencyHz` is 0 where there is no clock.
#[doc(alias = "GetInterfaceSupportedTimestampCapabilities")]
#[doc(alias = "GetInterfaceHardwareTimestampCapabilities")]
pub unsafe fn supported_capabilities(
    luid: *const NET_LUID,
    capabilities: *mut INTERFACE_TIMESTAMP_CAPABILITIES,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { answer(luid, capabilities, |host, key| Ok(row(&host.timestamp_capabilities(key)?))) }
}

/// `GetInterfaceActiveTimestampCapabilities`, and `GetInterfaceCurrentTimestampCapabilities`, which Windows reserves for
/// itself: what is stamped now.
///
/// `ERROR_NOT_SUPPORTED` where the hardware could stamp and the kernel does not tell whether it does.
#[doc(alias = "GetInterfaceActiveTimestampCapabilities")]
#[doc(alias = "GetInterfaceCurrentTimestampCapabilities")]
pub unsafe fn active_capabilities(
    luid: *const NET_LUID,
    capabilities: *mut INTERFACE_TIMESTAMP_CAPABILITIES,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { answer(luid, capabilities, |host, key| Ok(row(&host.active_timestamp_capabilities(key)?))) }
}

/// `CaptureInterfaceHardwareCrossTimestamp`: nanoseconds of the hardware's clock, and of `CLOCK_MONOTONIC_RAW` before and
/// after.
///
/// `ERROR_NOT_SUPPORTED` where the hardware has no clock, `ERROR_ACCESS_DENIED` where the caller may not open it.
#[doc(alias = "CaptureInterfaceHardwareCrossTimestamp")]
pub unsafe fn hardware_cross_timestamp(
    luid: *const NET_LUID,
    timestamp: *mut INTERFACE_HARDWARE_CROSSTIMESTAMP,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        answer(luid, timestamp, |host, key| {
            let read = host.hardware_cross_timestamp(key)?;
            Ok(cross_row(read.system_before, read.hardware, read.system_after))
        })
    }
}

fn cross_row(before: Duration, hardware: Duration, after: Duration) -> INTERFACE_HARDWARE_CROSSTIMESTAMP {
    let nanoseconds = |time: Duration| ULONG64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    INTERFACE_HARDWARE_CROSSTIMESTAMP {
        SystemTimestamp1: nanoseconds(before),
        HardwareClockTimestamp: nanoseconds(hardware),
        SystemTimestamp2: nanoseconds(after),
    }
}

/// `RegisterInterfaceTimestampConfigChange`: calls back after what is stamped has changed, from a thread of the
/// registration's own, within two seconds.
#[doc(alias = "RegisterInterfaceTimestampConfigChange")]
pub unsafe fn register_change(
    callback: PINTERFACE_TIMESTAMP_CONFIG_CHANGE_CALLBACK,
    context: *mut c_void,
    handle: *mut HANDLE,
) -> u32 {
    guard::status::<Win32>(|| {
        let start = || {
            let callback = callback.ok_or(Code::INVALID_PARAMETER)?;
            // An address, for the pointer is handed back to the caller's function and never followed here.
            let context = context.expose_provenance();
            let registration = host::current()?.notify_timestamp_change(move || {
                // SAFETY: the caller registered the function to be called so, on another thread.
                unsafe { callback(std::ptr::with_exposed_provenance(context)) };
            })?;
            Ok(|| registration.cancel())
        };
        // SAFETY: the caller's promise on `handle`.
        unsafe { notification::register_in(handle, start) }
    })
}

/// `NotifyIfTimestampConfigChange`, which Windows reserves for itself: [`register_change`] with the arguments in another
/// order.
#[doc(alias = "NotifyIfTimestampConfigChange")]
pub unsafe fn notify_change(
    context: *mut c_void,
    callback: PINTERFACE_TIMESTAMP_CONFIG_CHANGE_CALLBACK,
    handle: *mut HANDLE,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { register_change(callback, context, handle) }
}

/// `UnregisterInterfaceTimestampConfigChange` and `CancelIfTimestampConfigChange`: ends a registration, after a call under
/// way has returned. What is no handle is left alone.
#[doc(alias = "UnregisterInterfaceTimestampConfigChange")]
#[doc(alias = "CancelIfTimestampConfigChange")]
pub unsafe fn unregister_change(handle: HANDLE) {
    // SAFETY: the caller's promise.
    let _unknown = unsafe { notification::cancel::<Win32>(handle) };
}

unsafe fn answer<T: Given>(
    luid: *const NET_LUID,
    answer: *mut T,
    ask: impl FnOnce(&Host, InterfaceKey) -> Result<T>,
) -> u32 {
    guard::status::<Win32>(|| {
        if luid.is_null() || answer.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `luid`.
        let luid = unsafe { luid.read_unaligned() };
        let value = ask(&*host::current()?, key::interface(luid, 0)?)?;
        // SAFETY: the caller's promise on `answer`.
        unsafe { gaps::write(answer, value) };
        Ok(())
    })
}

fn row(capabilities: &TimestampCapabilities) -> INTERFACE_TIMESTAMP_CAPABILITIES {
    let (hardware, software) = (&capabilities.hardware, &capabilities.software);
    // Linux' filters are for UDP over both families. Nothing is stamped on its way out unless its sender asks.
    let (events, all) = (hardware.ptp_v2_event_receive.into(), hardware.all_receive.into());
    INTERFACE_TIMESTAMP_CAPABILITIES {
        HardwareClockFrequencyHz: capabilities.clock.map_or(ULONG64(0), |_| NANOSECONDS),
        SupportsCrossTimestamp: capabilities.clock.is_some().into(),
        HardwareCapabilities: INTERFACE_HARDWARE_TIMESTAMP_CAPABILITIES {
            PtpV2OverUdpIPv4EventMessageReceive: events,
            PtpV2OverUdpIPv4AllMessageReceive: all,
            PtpV2OverUdpIPv4EventMessageTransmit: 0,
            PtpV2OverUdpIPv4AllMessageTransmit: 0,
            PtpV2OverUdpIPv6EventMessageReceive: events,
            PtpV2OverUdpIPv6AllMessageReceive: all,
            PtpV2OverUdpIPv6EventMessageTransmit: 0,
            PtpV2OverUdpIPv6AllMessageTransmit: 0,
            AllReceive: all,
            AllTransmit: 0,
            TaggedTransmit: hardware.tagged_transmit.into(),
        },
        SoftwareCapabilities: INTERFACE_SOFTWARE_TIMESTAMP_CAPABILITIES {
            AllReceive: software.all_receive.into(),
            AllTransmit: 0,
            TaggedTransmit: software.tagged_transmit.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_moments_are_nanoseconds_in_their_order() {
        let row = cross_row(Duration::new(1, 1), Duration::new(1_700_000_037, 5), Duration::MAX);
        let moments = [row.SystemTimestamp1, row.HardwareClockTimestamp, row.SystemTimestamp2];
        assert_eq!(moments.map(|moment| moment.0), [1_000_000_001, 1_700_000_037_000_000_005, u64::MAX]);
    }
}
