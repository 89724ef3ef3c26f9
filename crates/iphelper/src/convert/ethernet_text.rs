//! Ethernet addresses as Windows writes them: `F4-CE-46-2D-90-8C`.

use super::scanner::Scanner;
use crate::error::Result;

/// An Ethernet address as six pairs of capital hexadecimal digits, parted by hyphens.
///
/// - Windows: `RtlEthernetAddressToStringA`, `RtlEthernetAddressToStringW`
///
/// ```
/// use iphelper::convert::ethernet_text;
/// assert_eq!(ethernet_text([0xf4, 0xce, 0x46, 0x2d, 0x90, 0x0c]), "F4-CE-46-2D-90-0C");
/// ```
#[doc(alias = "RtlEthernetAddressToStringA")]
#[doc(alias = "RtlEthernetAddressToStringW")]
#[must_use]
pub fn ethernet_text(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02X}")).join("-")
}

/// Reads the Ethernet address that a text begins with, and gives what follows it. Pairs are parted by hyphens, digits are of
/// either case.
///
/// [`PhysicalAddress`](crate::types::PhysicalAddress) reads other lengths, and colons.
///
/// - Windows: `RtlEthernetStringToAddressA`, `RtlEthernetStringToAddressW`
/// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter)
///
/// ```
/// use iphelper::convert::parse_ethernet;
/// assert_eq!(parse_ethernet("02-00-5e-00-53-0A is it")?, ([2, 0, 0x5e, 0, 0x53, 0x0a], " is it"));
/// assert!(parse_ethernet("02:00:5e:00:53:0a").is_err());
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "RtlEthernetStringToAddressA")]
#[doc(alias = "RtlEthernetStringToAddressW")]
pub fn parse_ethernet(text: &str) -> Result<([u8; 6], &str)> {
    let mut scanner = Scanner::new(text);
    let mut read = || {
        let mut address = [0; 6];
        for (position, byte) in address.iter_mut().enumerate() {
            if position > 0 && !scanner.take(b'-') {
                return None;
            }
            *byte = scanner.pair()?;
        }
        Some(address)
    };
    let address = read().ok_or_else(|| super::malformed(text, "Ethernet address"))?;
    Ok((address, scanner.rest()))
}
