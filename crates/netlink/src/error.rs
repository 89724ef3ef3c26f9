use std::fmt;

/// Bytes that are not the message they claim to be.
///
/// Says what was being read and how many bytes it lacks, which is all that a log needs: a kernel that sends such
/// bytes has a layout that this crate does not know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodeError {
    what: &'static str,
    needed: usize,
    available: usize,
}

impl DecodeError {
    /// An error about `what`, which needs `needed` bytes where `available` are left.
    #[must_use]
    pub const fn new(what: &'static str, needed: usize, available: usize) -> Self {
        Self { what, needed, available }
    }

    /// What was being read, as a noun of the kernel's headers.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, needed, available } = self;
        write!(f, "malformed netlink message: {what} needs {needed} bytes, {available} are there")
    }
}

impl std::error::Error for DecodeError {}
