//! Where the two halves of an address come from, and whether it may be used.

use std::fmt;

/// Where the prefix of an address comes from.
///
/// Linux keeps who made an address (`IFA_PROTO`, Linux 5.18) and a few flags; what they leave open is judged by the
/// address, see `docs/linux-mechanisms.md`.
#[doc(alias = "NL_PREFIX_ORIGIN")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PrefixOrigin {
    /// None of the others.
    Other,
    /// Somebody set it.
    Manual,
    /// A standard says it: loopback, link-local.
    WellKnown,
    /// A DHCP server.
    Dhcp,
    /// A router advertisement.
    RouterAdvertisement,
}

/// Where the rest of an address, the interface's part, comes from.
#[doc(alias = "NL_SUFFIX_ORIGIN")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SuffixOrigin {
    /// None of the others.
    Other,
    /// Somebody set it.
    Manual,
    /// A standard says it.
    WellKnown,
    /// A DHCP server.
    Dhcp,
    /// The link-layer address.
    LinkLayerAddress,
    /// A random number, or a hash that looks like one (RFC 7217).
    Random,
}

/// Whether an address may be used.
#[doc(alias = "NL_DAD_STATE")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DadState {
    /// It is being found out whether another computer has the address; it cannot be used yet.
    Tentative,
    /// Another computer has the address; it cannot be used.
    Duplicate,
    /// It should not be used for new connections.
    Deprecated,
    /// It can be used.
    Preferred,
}

impl fmt::Display for PrefixOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "other",
            Self::Manual => "manual",
            Self::WellKnown => "well_known",
            Self::Dhcp => "dhcp",
            Self::RouterAdvertisement => "router_advertisement",
        })
    }
}

impl fmt::Display for SuffixOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "other",
            Self::Manual => "manual",
            Self::WellKnown => "well_known",
            Self::Dhcp => "dhcp",
            Self::LinkLayerAddress => "link_layer_address",
            Self::Random => "random",
        })
    }
}

impl fmt::Display for DadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tentative => "tentative",
            Self::Duplicate => "duplicate",
            Self::Deprecated => "deprecated",
            Self::Preferred => "preferred",
        })
    }
}
