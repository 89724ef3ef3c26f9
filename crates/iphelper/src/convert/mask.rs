//! IPv4 masks and their lengths.

use crate::error::{Error, ErrorKind, Result};
use std::net::Ipv4Addr;

/// The number of leading ones in an IPv4 mask.
///
/// - Windows: `ConvertIpv4MaskToLength`
/// - Errors: [`InvalidParameter`](ErrorKind::InvalidParameter) for a mask with a one behind a zero
///
/// ```
/// use iphelper::convert::ipv4_mask_length;
/// assert_eq!(ipv4_mask_length([255, 255, 240, 0].into())?, 20);
/// assert!(ipv4_mask_length([255, 0, 255, 0].into()).is_err());
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "ConvertIpv4MaskToLength")]
pub fn ipv4_mask_length(mask: Ipv4Addr) -> Result<u8> {
    let ones = mask.to_bits().leading_ones();
    match u8::try_from(ones) {
        Ok(length) if ones + mask.to_bits().trailing_zeros() >= u32::BITS => Ok(length),
        _ => Err(Error::new(ErrorKind::InvalidParameter, "reading an IPv4 mask")
            .because(format!("{mask} has ones behind a zero"))),
    }
}

/// The IPv4 mask with `length` leading ones.
///
/// - Windows: `ConvertLengthToIpv4Mask`
/// - Errors: [`InvalidParameter`](ErrorKind::InvalidParameter) for more than 32
///
/// ```
/// use iphelper::convert::ipv4_mask;
/// assert_eq!(ipv4_mask(20)?.to_string(), "255.255.240.0");
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "ConvertLengthToIpv4Mask")]
pub fn ipv4_mask(length: u32) -> Result<Ipv4Addr> {
    if length > u32::BITS {
        return Err(Error::new(ErrorKind::InvalidParameter, "making an IPv4 mask")
            .because(format!("a mask has at most 32 ones, not {length}")));
    }
    Ok(Ipv4Addr::from_bits(u32::MAX.checked_shl(u32::BITS - length).unwrap_or(0)))
}
