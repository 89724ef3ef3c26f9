//! Addresses as the first generation names them: by a number.

use super::{NewUnicastAddress, UnicastAddress};
use crate::Host;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceKey};
use std::net::{IpAddr, Ipv4Addr};

const OPERATION: &str = "changing an address";

/// The two numbers by which the first generation names an IPv4 address of an interface.
///
/// They are made of the address, its interface and when it was made, so every program that looks finds the same ones, and
/// an address that is created again later has others. A change of the prefix makes a new address of it, too.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AddressContext {
    /// Windows' `NTEContext`, by which the address is deleted; never 0.
    pub context: u32,
    /// Windows' `NTEInstance`.
    pub instance: u32,
}

impl UnicastAddress {
    /// The numbers of an IPv4 address; `None` for one of IPv6, or one that the kernel does not have (yet).
    #[must_use]
    pub fn context(&self) -> Option<AddressContext> {
        let IpAddr::V4(address) = self.address else { return None };
        let created = self.created?.uptime().as_millis() / 10;
        let created = u32::try_from(created).unwrap_or_default().to_be_bytes();
        let luid = self.luid.0.to_be_bytes();
        // FNV-1a: short, and the same in every version of this library.
        let hash = |start: u32, bytes: &[&[u8]]| {
            let bytes = bytes.iter().flat_map(|bytes| bytes.iter());
            bytes.fold(start, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
        };
        let parts: [&[u8]; 3] = [&address.octets(), &luid, &created];
        let context = hash(0x811c_9dc5, &parts);
        Some(AddressContext { context: context.max(1), instance: hash(context, &[&created]).max(1) })
    }
}

impl Host {
    /// Adds an IPv4 address with the prefix that `mask` has, for ever, and tells by which numbers it is deleted again, by
    /// whatever program.
    ///
    /// - Windows: `AddIPAddress`
    /// - Errors: those of [`create_unicast_address`](Self::create_unicast_address);
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a mask whose bits do not stand together. An address
    ///   that another computer has is not kept as a duplicate
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "AddIPAddress")]
    pub fn add_ip_address(
        &self,
        interface: impl Into<InterfaceKey>,
        address: Ipv4Addr,
        mask: Ipv4Addr,
    ) -> Result<AddressContext> {
        let interface = interface.into();
        let length = mask.to_bits().leading_ones();
        if mask.to_bits().checked_shl(length).unwrap_or_default() != 0 {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                .because(format!("the bits of the mask {mask} do not stand together")));
        }
        let new = NewUnicastAddress {
            on_link_prefix_length: u8::try_from(length).ok(),
            ..NewUnicastAddress::new(interface, address.into())
        };
        if let Err(error) = self.create_unicast_address(&new) {
            if error.kind() == ErrorKind::AddressConflict {
                let _ = self.delete_unicast_address(interface, address.into())?;
            }
            return Err(error);
        }
        let made = self.unicast_address(interface, address.into())?;
        made.context().ok_or_else(|| {
            Error::new(ErrorKind::Other, OPERATION)
                .because("the kernel does not tell when the address was made")
        })
    }

    /// Deletes the IPv4 address with this context, whoever added it.
    ///
    /// - Windows: `DeleteIPAddress`
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where no address has it, or in the rare case that two do;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "DeleteIPAddress")]
    pub fn delete_ip_address(&self, context: u32) -> Result<()> {
        let rows = self.unicast_addresses(Some(Family::V4))?;
        let has = |row: &&UnicastAddress| row.context().is_some_and(|it| it.context == context);
        let mut found = rows.iter().filter(has);
        match (found.next(), found.next()) {
            (Some(row), None) => self.delete_unicast_address(row.luid, row.address).map(drop),
            (None, _) => Err(Error::new(ErrorKind::NotFound, OPERATION)
                .because(format!("no IPv4 address has the context {context:#x}"))),
            _ => Err(Error::new(ErrorKind::NotFound, OPERATION).because(format!(
                "two IPv4 addresses have the context {context:#x}; delete one by address and interface"
            ))),
        }
    }
}
