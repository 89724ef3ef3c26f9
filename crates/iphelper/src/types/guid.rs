use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::str::FromStr;

/// A globally unique identifier, as Windows names interfaces by.
///
/// Windows' `GUID` holds the first three parts in host order; the bytes here stand in the order of the text form.
///
/// ```
/// use iphelper::Guid;
/// let guid: Guid = "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}".parse()?;
/// assert_eq!(guid.to_string(), "{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}");
/// # Ok::<(), iphelper::Error>(())
/// ```
#[doc(alias = "GUID")]
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Guid([u8; 16]);

impl Guid {
    /// All zero: no GUID.
    pub const ZERO: Self = Self([0; 16]);

    /// From bytes in the order of the text form (RFC 9562).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes in the order of the text form.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Guid {
    /// As Windows prints it: `{00000000-0000-0000-0000-000000000000}`, upper case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (position, byte) in self.0.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Guid {
    type Err = Error;

    /// Reads the text form with or without its braces, in either case.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            Error::new(ErrorKind::InvalidParameter, "reading a GUID").because(format!(
                "\"{}\" is not 32 hexadecimal digits such as {{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}}",
                text.escape_default()
            ))
        };
        let inner = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'));
        let inner = inner.filter(|inner| inner.len() == 36).ok_or_else(invalid)?;
        let is_hyphen = |at| matches!(at, 8 | 13 | 18 | 23);
        let fits =
            |(at, byte): (usize, u8)| if is_hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
        if !inner.bytes().enumerate().all(fits) {
            return Err(invalid());
        }
        let digits = inner.replace('-', "");
        u128::from_str_radix(&digits, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_guid_is_refused() {
        let good = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        assert!(good.parse::<Guid>().is_ok());
        for bad in [
            "",
            "{}",
            "{6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
            "6ba7b8109dad11d180b400c04fd430c8",
            "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
            "+ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "6ba7b81-09dad-11d1-80b4-00c04fd430c8",
            "6ba7b810-9dad-11d1-80b4-00c04fd430cé",
        ] {
            assert!(bad.parse::<Guid>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn guids_read_back(bytes: [u8; 16]) {
            let guid = Guid::from_bytes(bytes);
            prop_assert_eq!(guid.to_string().parse::<Guid>().unwrap(), guid);
            prop_assert_eq!(format!("{guid:?}"), guid.to_string());
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<Guid>();
        }
    }
}
