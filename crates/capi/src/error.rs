//! Numbers of failures, in the two flavours of the C libraries.

pub mod format_message;
pub mod ip_error_string;
pub mod last_error;
mod messages;

use crate::raw;
use iphelper::error::codes;
use iphelper::{Error, ErrorKind};

/// A failure as C gets it: one condition's number in both flavours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Code {
    win32: u32,
    ntstatus: u32,
}

impl Code {
    /// A caller's buffer is smaller than the answer.
    pub const INSUFFICIENT_BUFFER: Self =
        Self::new(raw::ERROR_INSUFFICIENT_BUFFER, raw::STATUS_BUFFER_TOO_SMALL);
    /// What is no handle of the kind. The functions that say so have no driver flavour.
    pub const INVALID_HANDLE: Self = Self::new(raw::ERROR_INVALID_HANDLE, raw::STATUS_UNSUCCESSFUL);
    /// A buffer that cannot be one. The functions that say so have no driver flavour.
    pub const INVALID_USER_BUFFER: Self = Self::new(raw::ERROR_INVALID_USER_BUFFER, raw::STATUS_UNSUCCESSFUL);
    /// A name is longer than any name.
    pub const BUFFER_OVERFLOW: Self = Self::new(raw::ERROR_BUFFER_OVERFLOW, raw::STATUS_BUFFER_OVERFLOW);
    /// The oldest functions' word for a table without rows. They have no driver flavour.
    pub const NO_DATA: Self = Self::new(raw::ERROR_NO_DATA, raw::STATUS_UNSUCCESSFUL);
    /// What the oldest interface functions say of an unknown index. They have no driver flavour.
    pub const INVALID_DATA: Self = Self::new(raw::ERROR_INVALID_DATA, raw::STATUS_UNSUCCESSFUL);
    /// What the oldest address functions say of an unknown index. They have no driver flavour.
    pub const DEV_NOT_EXIST: Self = Self::new(raw::ERROR_DEV_NOT_EXIST, raw::STATUS_UNSUCCESSFUL);
    /// The answer comes later.
    pub const PENDING: Self = Self::new(raw::ERROR_IO_PENDING, raw::STATUS_PENDING);
    /// An index of no interface, to the function that turns it into a LUID: its driver page has one code for all.
    pub const UNKNOWN_INDEX: Self = Self {
        win32: Self::of(ErrorKind::InterfaceNotFound).win32,
        ntstatus: Self::INVALID_PARAMETER.ntstatus,
    };
    /// An argument is wrong.
    pub const INVALID_PARAMETER: Self = Self::of(ErrorKind::InvalidParameter);
    /// Out of memory, and what the conversion functions say of a short buffer.
    pub const NOT_ENOUGH_MEMORY: Self = Self::of(ErrorKind::OutOfMemory);
    /// No rows, or not on this interface.
    pub const NOT_FOUND: Self = Self::of(ErrorKind::NotFound);
    /// Not on this host.
    pub const NOT_SUPPORTED: Self = Self::of(ErrorKind::NotSupported);
    /// A name that no interface has or can have.
    pub const INVALID_NAME: Self = Self::of(ErrorKind::InvalidName);

    /// The numbers of a kind, unless the function's page names the condition otherwise.
    #[must_use]
    pub const fn of(kind: ErrorKind) -> Self {
        let (win32, ntstatus) = codes::of(kind);
        Self { win32, ntstatus }
    }

    const fn new(win32: u32, ntstatus: i32) -> Self {
        Self { win32, ntstatus: ntstatus.cast_unsigned() }
    }

    /// A Win32 function's return value that is no Win32 code, as `GetTcpTable` has one.
    #[must_use]
    pub const fn verbatim(value: u32) -> Self {
        Self { win32: value, ntstatus: value }
    }

    /// The Win32 code.
    #[must_use]
    pub const fn win32(self) -> u32 {
        self.win32
    }
}

impl From<Error> for Code {
    fn from(error: Error) -> Self {
        Self::of(error.kind())
    }
}

/// A flavour of the functions: what they return.
pub trait Flavour {
    /// The return type.
    type Status;

    /// What C returns for `result`.
    fn status(result: Result<(), Code>) -> Self::Status;
}

/// The flavour of programs, `libiphlpapi.so`: Win32 codes, 0 for success.
#[derive(Clone, Copy, Debug)]
pub enum Win32 {}

impl Flavour for Win32 {
    type Status = u32;

    fn status(result: Result<(), Code>) -> u32 {
        result.map_or_else(|code| code.win32, |()| 0)
    }
}

/// The flavour of drivers, `libnetio.so`: NTSTATUS, 0 for success.
#[derive(Clone, Copy, Debug)]
pub enum NtStatus {}

impl Flavour for NtStatus {
    type Status = i32;

    fn status(result: Result<(), Code>) -> i32 {
        result.map_or_else(|code| code.ntstatus.cast_signed(), |()| 0)
    }
}
