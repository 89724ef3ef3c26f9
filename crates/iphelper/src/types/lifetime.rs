use std::fmt;

/// How long something stays valid or preferred, counted from now.
///
/// Whole seconds. Windows and Linux both keep 32 bits and read `u32::MAX` as "for ever".
///
/// - Windows: `ValidLifetime` and `PreferredLifetime`
/// - Linux: `ifa_valid` and `ifa_prefered` of `IFA_CACHEINFO`
///
/// ```
/// use iphelper::types::Lifetime;
/// assert_eq!(Lifetime::from_secs(u32::MAX), Lifetime::INFINITE);
/// assert!(Lifetime::from_secs(3600) < Lifetime::INFINITE);
/// assert_eq!(Lifetime::from_secs(3600).to_string(), "3600 s");
/// ```
#[doc(alias = "ValidLifetime")]
#[doc(alias = "PreferredLifetime")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Lifetime(u32);

impl Lifetime {
    /// For ever.
    pub const INFINITE: Self = Self(u32::MAX);
    /// Over.
    pub const ZERO: Self = Self(0);

    /// So many seconds; `u32::MAX` is [`INFINITE`](Self::INFINITE).
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The seconds, `u32::MAX` for ever.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    /// Whether it never ends.
    #[must_use]
    pub const fn is_infinite(self) -> bool {
        self.0 == u32::MAX
    }
}

impl Default for Lifetime {
    /// [`INFINITE`](Self::INFINITE).
    fn default() -> Self {
        Self::INFINITE
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_infinite() { f.write_str("forever") } else { write!(f, "{} s", self.0) }
    }
}
