//! `ConvertIpv4MaskToLength` and `ConvertLengthToIpv4Mask`. Masks are in network byte order.

use crate::error::{Code, Flavour};
use crate::guard;
use iphelper::convert::{ipv4_mask, ipv4_mask_length};
use std::net::Ipv4Addr;

/// `ConvertIpv4MaskToLength`. `ERROR_INVALID_PARAMETER` for a mask with ones behind a zero; the length is 0 then.
#[doc(alias = "ConvertIpv4MaskToLength")]
pub unsafe fn mask_to_length<F: Flavour>(mask: u32, length: *mut u8) -> F::Status {
    // SAFETY: the caller's promise on `length`.
    guard::status::<F>(|| unsafe {
        output(length, || Ok(ipv4_mask_length(Ipv4Addr::from(mask.to_ne_bytes()))?))
    })
}

/// `ConvertLengthToIpv4Mask`. `ERROR_INVALID_PARAMETER` for a length above 32; the mask is 0 then.
#[doc(alias = "ConvertLengthToIpv4Mask")]
pub unsafe fn length_to_mask<F: Flavour>(length: u32, mask: *mut u32) -> F::Status {
    // SAFETY: the caller's promise on `mask`.
    guard::status::<F>(|| unsafe { output(mask, || Ok(u32::from_ne_bytes(ipv4_mask(length)?.octets()))) })
}

/// Stores what `find` gives, zero where it fails.
///
/// # Safety
/// `target` is NULL or may be written.
unsafe fn output<T: Default>(target: *mut T, find: impl FnOnce() -> Result<T, Code>) -> Result<(), Code> {
    if target.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    let (value, outcome) = match find() {
        Ok(value) => (value, Ok(())),
        Err(code) => (T::default(), Err(code)),
    };
    // SAFETY: the caller's promise.
    unsafe { target.write_unaligned(value) };
    outcome
}
