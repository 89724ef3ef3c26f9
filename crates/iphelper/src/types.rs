//! The nouns that every chapter shares.

mod family;
mod guid;
mod interface_key;
mod lifetime;
mod physical_address;
mod prefix;

pub use family::Family;
pub use guid::Guid;
pub use interface_key::{InterfaceIndex, InterfaceKey, InterfaceLuid};
pub use lifetime::Lifetime;
pub use physical_address::PhysicalAddress;
pub use prefix::Prefix;
