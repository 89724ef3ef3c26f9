//! From one form to another: LUID, index, name and GUID of an interface, addresses and text, masks and lengths.
//!
//! - Of an interface: [`Host::interface_named`], [`Host::interface_names`], [`Host::interface_with_guid`]
//! - Of addresses: the functions below. [`parse_network_string`] reads whatever a user types
//!
//! ```
//! # #[cfg(target_os = "linux")]
//! # fn main() -> iphelper::Result<()> {
//! use iphelper::Host;
//!
//! let host = Host::open()?;
//! let loopback = host.interface_named("lo")?;
//! assert_eq!(host.interface_names(loopback.luid)?.index, loopback.index);
//! assert_eq!(loopback.luid.interface_type(), 24);
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```

mod ethernet_text;
mod ipv4_text;
mod ipv6_text;
mod mask;
mod network_string;
mod scanner;

pub use ethernet_text::{ethernet_text, parse_ethernet};
pub use ipv4_text::{Ipv4Notation, ipv4_text, parse_ipv4, parse_ipv4_endpoint};
pub use ipv6_text::{Ipv6Endpoint, ipv6_text, parse_ipv6, parse_ipv6_endpoint};
pub use mask::{ipv4_mask, ipv4_mask_length};
pub use network_string::{NetworkAddress, NetworkString, NetworkStringTypes, parse_network_string};

use crate::Host;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Guid, InterfaceIndex, InterfaceKey, InterfaceLuid};

/// All names of one interface.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InterfaceNames {
    /// The LUID.
    pub luid: InterfaceLuid,
    /// The index.
    pub index: InterfaceIndex,
    /// The name, which is Windows' alias too. Linux: `IFLA_IFNAME`.
    pub name: String,
    /// The GUID.
    pub guid: Guid,
}

impl Host {
    /// The names of the interface with this LUID or index.
    ///
    /// - Windows: `ConvertInterfaceIndexToLuid`, `ConvertInterfaceLuidToIndex`, `ConvertInterfaceLuidToAlias`,
    ///   `ConvertInterfaceLuidToGuid`, `ConvertInterfaceLuidToNameA` and `W`, `if_indextoname`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound)
    /// - Privilege: none
    #[doc(alias = "ConvertInterfaceIndexToLuid")]
    #[doc(alias = "ConvertInterfaceLuidToIndex")]
    #[doc(alias = "ConvertInterfaceLuidToAlias")]
    #[doc(alias = "ConvertInterfaceLuidToGuid")]
    #[doc(alias = "ConvertInterfaceLuidToNameA")]
    #[doc(alias = "ConvertInterfaceLuidToNameW")]
    #[doc(alias = "if_indextoname")]
    pub fn interface_names(&self, key: impl Into<InterfaceKey>) -> Result<InterfaceNames> {
        self.backend().interface_names(key.into())
    }

    /// The names of the interface called `name`; alternative names (`ip link property add altname`) count too.
    ///
    /// - Windows: `ConvertInterfaceAliasToLuid`, `ConvertInterfaceNameToLuidA` and `W`, `if_nametoindex`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`InvalidName`](crate::ErrorKind::InvalidName) for a name that no interface can have
    /// - Privilege: none
    #[doc(alias = "ConvertInterfaceAliasToLuid")]
    #[doc(alias = "ConvertInterfaceNameToLuidA")]
    #[doc(alias = "ConvertInterfaceNameToLuidW")]
    #[doc(alias = "if_nametoindex")]
    pub fn interface_named(&self, name: &str) -> Result<InterfaceNames> {
        self.backend().interface_named(name)
    }

    /// The names of the interface with this GUID.
    ///
    /// - Windows: `ConvertInterfaceGuidToLuid`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound)
    /// - Privilege: none
    #[doc(alias = "ConvertInterfaceGuidToLuid")]
    pub fn interface_with_guid(&self, guid: Guid) -> Result<InterfaceNames> {
        self.backend().interface_with_guid(guid)
    }
}

/// The error of a text that is no `what`.
fn malformed(text: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, "reading an address")
        .because(format!("\"{}\" is no {what}", text.escape_debug()))
}
