use std::fmt;

/// A globally unique identifier, as Windows names interfaces by.
///
/// Windows' `GUID` holds the first three parts in host order; the bytes here stand in the order of the text form.
#[doc(alias = "GUID")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
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
