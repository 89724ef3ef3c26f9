use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A link-layer address: up to 32 bytes, six on Ethernet, none where a link has no addresses.
///
/// ```
/// use iphelper::types::PhysicalAddress;
/// let address: PhysicalAddress = "02:00:5E-00-53.0a".parse().unwrap_or_default();
/// assert!(address.is_empty(), "one separator throughout");
/// let address: PhysicalAddress = "02-00-5E-00-53-0A".parse()?;
/// assert_eq!(address.to_string(), "02:00:5e:00:53:0a");
/// assert_eq!(address.as_bytes(), [2, 0, 0x5e, 0, 0x53, 0x0a]);
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "IF_MAX_PHYS_ADDRESS_LENGTH")]
#[derive(Clone, Copy, Default)]
pub struct PhysicalAddress {
    bytes: [u8; Self::MOST],
    len: u8,
}

impl PhysicalAddress {
    /// `IF_MAX_PHYS_ADDRESS_LENGTH`, which is Linux' `MAX_ADDR_LEN`, too.
    pub const MOST: usize = 32;

    /// The address of these bytes; [`ErrorKind::InvalidParameter`] for more than 32.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let mut address = Self::default();
        let (Some(room), Ok(len)) = (address.bytes.get_mut(..bytes.len()), u8::try_from(bytes.len())) else {
            return Err(Error::new(ErrorKind::InvalidParameter, "reading a physical address")
                .because(format!("it has {} bytes, and 32 is the most", bytes.len())));
        };
        room.copy_from_slice(bytes);
        address.len = len;
        Ok(address)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl PartialEq for PhysicalAddress {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PhysicalAddress {}

impl Hash for PhysicalAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl FromStr for PhysicalAddress {
    type Err = Error;

    /// Reads pairs of hexadecimal digits, parted by colons throughout or by hyphens.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            Error::new(ErrorKind::InvalidParameter, "reading a physical address").because(format!(
                "\"{}\" is not pairs of hexadecimal digits with colons or hyphens between, such as \
                 02:00:5e:00:53:0a",
                text.escape_default()
            ))
        };
        let separator = if text.contains('-') { '-' } else { ':' };
        let bytes: Option<Vec<u8>> = text
            .split(separator)
            .map(|pair| {
                let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
                digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
            })
            .collect();
        Self::new(&bytes.ok_or_else(invalid)?)
    }
}

impl fmt::Display for PhysicalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.as_bytes().iter().enumerate() {
            let separator = if position == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PhysicalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", ":", "02", "02:0", "02:000", "02:+1", "02:00-01", "0200", "02:00:", "g0:00"] {
            let read = text.parse::<PhysicalAddress>();
            assert_eq!(read.is_ok(), text == "02", "{text}");
        }
        assert!(PhysicalAddress::new(&[0; 33]).is_err());
        assert!(["00"; 33].join(":").parse::<PhysicalAddress>().is_err());
    }

    proptest! {
        #[test]
        fn addresses_read_back(bytes in proptest::collection::vec(any::<u8>(), 1..=32)) {
            let address = PhysicalAddress::new(&bytes).unwrap();
            prop_assert_eq!(address.as_bytes(), &bytes[..]);
            prop_assert_eq!(address.to_string().parse::<PhysicalAddress>().unwrap(), address);
            let hyphens = address.to_string().replace(':', "-").to_uppercase();
            prop_assert_eq!(hyphens.parse::<PhysicalAddress>().unwrap(), address);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<PhysicalAddress>();
        }
    }
}
