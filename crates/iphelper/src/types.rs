//! The nouns that every chapter shares.

mod family;
mod guid;
mod interface_key;
mod prefix;

pub use family::Family;
pub use guid::Guid;
pub use interface_key::{InterfaceIndex, InterfaceKey, InterfaceLuid};
pub use prefix::Prefix;
