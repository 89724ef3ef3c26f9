//! What is asked of addresses.

use super::{Lifetime, PrefixOrigin, SuffixOrigin};
use crate::types::InterfaceKey;
use std::net::IpAddr;

/// A unicast address that is to be created.
///
/// ```
/// use iphelper::InterfaceIndex;
/// use iphelper::address::{Lifetime, NewUnicastAddress};
///
/// let new = NewUnicastAddress {
///     on_link_prefix_length: Some(24),
///     valid_lifetime: Lifetime::from_secs(3600),
///     preferred_lifetime: Lifetime::from_secs(1800),
///     ..NewUnicastAddress::new(InterfaceIndex(2), "192.0.2.5".parse().unwrap())
/// };
/// assert!(!new.skip_as_source);
/// ```
#[doc(alias = "InitializeUnicastIpAddressEntry")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NewUnicastAddress {
    /// The interface.
    pub interface: InterfaceKey,
    /// The address.
    pub address: IpAddr,
    /// The length of the prefix that is on the interface's link; `None` is that of the address alone, 32 or 128.
    pub on_link_prefix_length: Option<u8>,
    /// Where both halves come from; `None` is manual.
    pub origins: Option<(PrefixOrigin, SuffixOrigin)>,
    /// How long the address can be used; above zero.
    pub valid_lifetime: Lifetime,
    /// How long it is preferred for new connections, at most as long as it is valid.
    pub preferred_lifetime: Lifetime,
    /// Whether it is never to be chosen as source of what says none.
    pub skip_as_source: bool,
    /// Whether it can be used while it is being found out whether another computer has it (Windows: `DadState` is
    /// `IpDadStatePreferred`).
    pub optimistic: bool,
}

impl NewUnicastAddress {
    /// An address for ever, with no other on its link.
    #[must_use]
    pub fn new(interface: impl Into<InterfaceKey>, address: IpAddr) -> Self {
        Self {
            interface: interface.into(),
            address,
            on_link_prefix_length: None,
            origins: None,
            valid_lifetime: Lifetime::INFINITE,
            preferred_lifetime: Lifetime::INFINITE,
            skip_as_source: false,
            optimistic: false,
        }
    }

    /// The same on a link whose hosts share the first `length` bits of it.
    #[must_use]
    pub fn with_prefix_length(self, length: u8) -> Self {
        Self { on_link_prefix_length: Some(length), ..self }
    }
}

/// What to change of a unicast address: `None` leaves a member as it is. A value equal to the present one is no change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UnicastAddressChange {
    /// The length of the prefix that is on the interface's link.
    pub on_link_prefix_length: Option<u8>,
    /// Where both halves come from.
    pub origins: Option<(PrefixOrigin, SuffixOrigin)>,
    /// How long the address can be used from now on; above zero.
    pub valid_lifetime: Option<Lifetime>,
    /// How long it is preferred from now on, at most as long as it is valid.
    pub preferred_lifetime: Option<Lifetime>,
    /// Whether it is never to be chosen as source of what says none.
    pub skip_as_source: Option<bool>,
}
