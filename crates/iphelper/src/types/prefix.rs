use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address with the number of its leading bits that count, never more than the address has.
///
/// Bits beyond the length are cleared, so that two prefixes which cover the same addresses are equal.
///
/// ```
/// use iphelper::types::Prefix;
/// let prefix: Prefix = "10.1.2.3/8".parse()?;
/// assert_eq!(prefix.to_string(), "10.0.0.0/8");
/// assert!(prefix.contains("10.255.0.1".parse().unwrap()));
/// assert!("10.0.0.0/33".parse::<Prefix>().is_err());
/// assert_eq!(Prefix::any(iphelper::Family::V4), "0.0.0.0/0".parse()?);
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "IP_ADDRESS_PREFIX")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Prefix {
    address: IpAddr,
    len: u8,
}

impl Prefix {
    /// The prefix of `len` bits that `address` is in; [`ErrorKind::InvalidParameter`] for more bits than it has.
    pub fn new(address: IpAddr, len: u8) -> Result<Self> {
        let bits = Family::of(&address).address_bits();
        if len > bits {
            return Err(Error::new(ErrorKind::InvalidParameter, "reading a prefix")
                .because(format!("a prefix of {len} bits does not fit an address of {bits}")));
        }
        let address = match address {
            IpAddr::V4(v4) => {
                IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(u32::from(32 - len)).unwrap_or(0)).into())
            }
            IpAddr::V6(v6) => {
                IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(u32::from(128 - len)).unwrap_or(0)).into())
            }
        };
        Ok(Self { address, len })
    }

    /// The prefix that holds this one address.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        Self { address, len: Family::of(&address).address_bits() }
    }

    /// The prefix that holds every address of a family: `0.0.0.0/0` or `::/0`, the destination of a default route.
    #[must_use]
    pub const fn any(family: Family) -> Self {
        let address = match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { address, len: 0 }
    }

    /// The address, bits beyond the length cleared.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The number of leading bits that count.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "the length of a prefix is no element count")]
    pub const fn len(&self) -> u8 {
        self.len
    }

    /// Whether `address` begins with this prefix. Addresses of the other family never do.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.len).is_ok_and(|other| other.address == self.address)
    }
}

impl From<IpAddr> for Prefix {
    /// The prefix that holds this one address.
    fn from(address: IpAddr) -> Self {
        Self::host(address)
    }
}

impl FromStr for Prefix {
    type Err = Error;

    /// Reads `address/length`, or an address alone for a prefix of that one address.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = |why: String| Error::new(ErrorKind::InvalidParameter, "reading a prefix").because(why);
        let (address, len) = text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
        let address: IpAddr = address
            .parse()
            .map_err(|_| invalid(format!("\"{}\" is no IP address", address.escape_default())))?;
        match len {
            None => Ok(Self::host(address)),
            Some(len) => Self::new(
                address,
                len.parse()
                    .map_err(|_| invalid(format!("\"{}\" is no prefix length", len.escape_default())))?,
            ),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}
