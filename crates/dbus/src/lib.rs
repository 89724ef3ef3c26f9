//! D-Bus messages as bytes.
//!
//! This crate reads and writes what iphelper exchanges with the services of a Linux host (`systemd-resolved`,
//! NetworkManager) over their bus. It opens no socket, starts no thread and contains no unsafe code. What is too short,
//! too long, too deep or not of its type is an error, never a panic.
//!
//! It exists because iphelper's C library is loaded into programs of all kinds: a client with an executor of its own would
//! bring threads that take the program's signals and that a forked child does not have.
//!
//! - [`value`]: the types, and their texts (signatures);
//! - [`message`]: header and body;
//! - [`address`]: where a bus is.
//!
//! The format: <https://dbus.freedesktop.org/doc/dbus-specification.html>.

#![forbid(unsafe_code)]

pub mod address;
pub mod message;
mod reader;
mod signature;
pub mod value;
mod writer;

pub use message::{Kind, Message};
pub use value::Value;

use std::fmt;

/// Why bytes are no message, or a message cannot be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed(pub(crate) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed D-Bus message: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// Arrays, structs and variants within each other may be this deep in all.
pub(crate) const DEEPEST: usize = 64;
