//! Generic netlink: families by name, ethtool, nl80211 and TCP metrics.
//!
//! ```text
//!  0         1         2         4
//!  +---------+---------+---------+ - - - - - -
//!  | command | version |   zero  | attributes
//!  +---------+---------+---------+ - - - - - -
//! ```
//!
//! The type of a message is the number of its family, which [`control`] finds by name.

pub mod control;
pub mod ethtool;
pub mod nl80211;
pub mod tcp_metrics;

use crate::DecodeError;
use crate::attribute::Attributes;
use crate::message::{Message, Request};

/// Length of `struct genlmsghdr`.
const FIXED_LEN: usize = 4;

/// A request of `family`.
fn request(family: u16, command: u8, version: u8, flags: u16) -> Request {
    Request::new(family, flags, &[command, version, 0, 0])
}

/// The attributes of a message if it is an answer with this `command`.
fn answer<'a>(message: &Message<'a>, command: u8) -> Result<Option<Attributes<'a>>, DecodeError> {
    let (fixed, attributes) = message.split::<FIXED_LEN>("genlmsghdr")?;
    Ok((fixed[0] == command).then_some(attributes))
}

/// The attributes of a message, whatever its command.
fn attributes<'a>(message: &Message<'a>) -> Result<Attributes<'a>, DecodeError> {
    message.split::<FIXED_LEN>("genlmsghdr").map(|(_, attributes)| attributes)
}
