//! Read and change a computer's network state.
//!
//! This crate is Windows' IP Helper API with a Rust face: interfaces, IP settings of interfaces, TCP connections with
//! their owners, their deletion, and notifications of changes. On Linux every call has its documented effect on the
//! kernel (over rtnetlink, `sock_diag`, ethtool and sysctl), or returns an error that says why it cannot.
//!
//! Everything starts with a [`Host`]:
//!
//! ```no_run
//! use iphelper::tcp::TcpQuery;
//! use iphelper::{Family, Host};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! for row in host.tcp_connections(&TcpQuery::default())? {
//!     println!("{} -> {} {}", row.local, row.remote, row.state);
//! }
//! for row in host.ip_interfaces(Some(Family::V6))? {
//!     println!("{} MTU {} forwarding {}", row.name, row.nl_mtu, row.forwarding_enabled);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Chapters: [`interface`], [`ip_interface`], [`address`], [`route`], [`neighbor`], [`tcp`], [`udp`], [`notification`],
//! [`convert`],
//! [`keeper`], [`doctor`]. Windows' function names
//! are search aliases of the methods: search for `SetIpInterfaceEntry`.

pub mod address;
mod backend;
pub mod best_route;
pub mod convert;
pub mod destination;
#[cfg(target_os = "linux")]
pub mod doctor;
pub mod error;
mod host;
pub mod interface;
pub mod ip_interface;
#[cfg(target_os = "linux")]
pub mod keeper;
pub mod neighbor;
pub mod notification;
pub mod path;
pub mod round_trip;
pub mod route;
pub mod router;
pub mod socket;
pub mod statistics;
pub mod tcp;
pub mod types;
pub mod udp;

pub use error::{Error, ErrorKind, Result};
pub use host::Host;
pub use types::{Family, Guid, InterfaceIndex, InterfaceKey, InterfaceLuid, Prefix};

#[cfg(test)]
iphelper_testkit::private_user_namespace!();

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
