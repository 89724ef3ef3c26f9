use std::fmt;
use std::net::IpAddr;

/// An address family that IP Helper knows: IPv4 or IPv6.
///
/// Where Windows takes `AF_UNSPEC` for "both", this crate takes `None`.
#[doc(alias = "ADDRESS_FAMILY")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Family {
    /// IPv4 (`AF_INET`).
    V4,
    /// IPv6 (`AF_INET6`: 23 on Windows, 10 on Linux).
    V6,
}

impl Family {
    /// Both, in the order of tables.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address; an IPv4-mapped IPv6 address is IPv6 here.
    #[must_use]
    pub const fn of(address: &IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Length of an address in bits: 32 or 128.
    #[must_use]
    pub const fn address_bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}
