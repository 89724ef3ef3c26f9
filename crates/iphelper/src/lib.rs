//! Read and change a computer's network state.
//!
//! This crate is Windows' IP Helper API with a Rust face. On Linux every call has its documented effect on the kernel (over
//! rtnetlink, `sock_diag`, ethtool and sysctl), or returns an error that says why it cannot.
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
//! # Chapters
//!
//! | About | Modules |
//! | --- | --- |
//! | interfaces | [`interface`]: identity, state and counters; [`ip_interface`]: their settings for IPv4 and IPv6; [`convert`]: LUID, index, name and GUID |
//! | adapters | [`adapter`]: an interface with its addresses, routers, name servers and lease, in one reading |
//! | addresses | [`address`]: unicast, anycast and multicast; [`neighbor`]: the hosts of a link and their physical addresses |
//! | routes | [`route`]: the forwarding table; [`best_route`]: the route that a packet takes; [`destination`]: which of several addresses to try first; [`path`]: path MTUs that the host has learnt; [`icmp`]: echo requests; [`round_trip`]: how far away a host is; [`router`]: this host as a router |
//! | names | [`dns`]: servers and domains, of the host and of each interface |
//! | time | [`timestamp`]: what of packets is stamped, and the hardware's clock |
//! | sockets | [`tcp`], [`udp`]: tables with owners, and deletion; [`socket`]: what both have in common; [`port_reservation`]: ports that are not given out |
//! | reach | [`connectivity`]: how far packets get |
//! | counters | [`statistics`]: of IP, ICMP, TCP and UDP |
//! | changes | [`notification`]: of all that is above, as they happen |
#![cfg_attr(
    target_os = "linux",
    doc = "| compartments | [`compartment`]: network stacks beside each other (network namespaces) |\n| Linux | [`keeper`]: what the kernel cannot keep up by itself; [`doctor`]: what can be set here, and what stands in the way |"
)]
//! | all | [`types`]: what every chapter shares; [`error`]: the one error |
//!
//! Windows' function names are search aliases of the methods: search for `SetIpInterfaceEntry`.

pub mod adapter;
pub mod address;
mod backend;
pub mod best_route;
#[cfg(target_os = "linux")]
pub mod compartment;
pub mod connectivity;
pub mod convert;
pub mod destination;
pub mod dns;
#[cfg(target_os = "linux")]
pub mod doctor;
pub mod error;
mod host;
pub mod icmp;
pub mod interface;
pub mod ip_interface;
#[cfg(target_os = "linux")]
pub mod keeper;
pub mod neighbor;
pub mod notification;
pub mod path;
pub mod port_reservation;
pub mod round_trip;
pub mod route;
pub mod router;
pub mod socket;
pub mod statistics;
pub mod tcp;
pub mod timestamp;
pub mod types;
pub mod udp;
mod worker;

/// Readers of what is on disk, for `fuzz/`; in no other build.
#[cfg(all(fuzzing, target_os = "linux"))]
pub mod fuzzing {
    /// The copy of what is set, see `backend/linux/policy/state_file.rs`.
    pub fn state_file(bytes: &[u8]) {
        crate::backend::fuzz_state_file(bytes);
    }
}

pub use error::{Error, ErrorKind, Result};
pub use host::Host;
pub use types::{Family, Guid, InterfaceIndex, InterfaceKey, InterfaceLuid, Prefix};

#[cfg(test)]
iphelper_testkit::private_user_namespace!();

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
