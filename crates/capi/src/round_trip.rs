//! `GetRTTAndHopCount`.

use crate::error::{Code, last_error};
use crate::{guard, host, sockaddr};
use iphelper::ErrorKind;
use iphelper::round_trip::RoundTripOptions;

/// `GetRTTAndHopCount`: TRUE, and the hops and milliseconds to an IPv4 host; FALSE with the last error otherwise, also
/// where it is farther away than `most` hops. More than 255 are 255.
#[doc(alias = "GetRTTAndHopCount")]
pub unsafe fn rtt_and_hop_count(destination: u32, hops: *mut u32, most: u32, rtt: *mut u32) -> i32 {
    let measured = guard::caught(
        || {
            if hops.is_null() || rtt.is_null() {
                return Err(Code::INVALID_PARAMETER);
            }
            let max_hops = u8::try_from(most).unwrap_or(u8::MAX);
            let options = RoundTripOptions { max_hops, ..RoundTripOptions::default() };
            let trip = host::current()?.round_trip(sockaddr::ipv4(destination).into(), &options)?;
            // SAFETY: the caller's promise on both pointers.
            unsafe {
                hops.write_unaligned(trip.hops.into());
                rtt.write_unaligned(u32::try_from(trip.time.as_millis()).unwrap_or(u32::MAX));
            }
            Ok(())
        },
        Err(Code::of(ErrorKind::Other)),
    );
    match measured {
        Ok(()) => 1,
        Err(code) => {
            last_error::set(code.win32());
            0
        }
    }
}
