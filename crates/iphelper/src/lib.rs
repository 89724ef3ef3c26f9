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
//! # Where to begin
//!
//! | To | Call | Chapter |
//! | --- | --- | --- |
//! | list interfaces, their state and counters | [`Host::interfaces`] | [`interface`] |
//! | name one: by name, LUID, index or GUID | [`Host::interface_named`] | [`convert`] |
//! | see an interface with its addresses, routers, name servers and lease | [`Host::adapters`] | [`adapter`] |
//! | change MTU, metric, forwarding; let nothing out by an interface | [`Host::set_ip_interface`] | [`ip_interface`] |
//! | list, add, delete addresses | [`Host::unicast_addresses`] | [`address`] |
//! | list, add, delete routes | [`Host::routes`] | [`route`] |
//! | know which way a packet goes, and why | [`Host::best_route`], [`Host::explain_route`] | [`best_route`] |
//! | see and set who is on the link | [`Host::neighbors`] | [`neighbor`] |
//! | set name servers and search domains | [`Host::set_interface_dns`], [`Host::set_dns`] | [`dns`] |
//! | see connections with their programs, and end them | [`Host::tcp_connections`], [`Host::delete_tcp_matching`] | [`tcp`] |
//! | see who receives datagrams | [`Host::udp_endpoints`] | [`udp`] |
//! | measure a connection | [`Host::tcp_estats`] | [`tcp::estats`] |
//! | keep ports for a program | [`Host::create_port_reservation`] | [`port_reservation`] |
//! | hear of changes | [`Host::watch`], [`Host::notify`] | [`notification`] |
//! | ask whether a host answers, and how far it is | [`Host::echo`], [`Host::round_trip`] | [`icmp`], [`round_trip`] |
//! | know how far this host reaches | [`Host::connectivity_hint`] | [`connectivity`] |
//! | choose among several addresses of a server | [`Host::sort_destinations`] | [`destination`] |
//! | know what has been learnt of a path | [`Host::paths`] | [`path`] |
//! | forward packets | [`Host::enable_router`] | [`router`] |
//! | count packets, errors, connections | [`Host::ip_statistics`] | [`statistics`] |
//! | stamp packets with the time | [`Host::timestamp_capabilities`] | [`timestamp`] |
#![cfg_attr(
    target_os = "linux",
    doc = "| work in another network namespace | [`Host::open_namespace`] | [`compartment`] |\n| know what can be done here, and what stands in the way | [`Host::diagnose`] | [`doctor`] |\n| keep up what the kernel cannot by itself | [`Host::ensure_keeper`] | [`keeper`] |"
)]
//!
//! Windows' function names are search aliases of the methods: search for `SetIpInterfaceEntry`.
//!
//! # What all calls have in common
//!
//! - Every call blocks until its effect is there, which is a matter of microseconds to milliseconds unless its page says
//!   otherwise. A [`Host`] may be shared between threads.
//! - A family of `None` is both. An interface is named by whatever becomes an [`InterfaceKey`].
//! - A change of one thing is done whole or not at all, and the answer says what changed:
//!   [`PropertyChange`](ip_interface::PropertyChange) for settings, the row for what was made or deleted. Where a call has a
//!   sister `plan_…`, that says what would change, needs no privilege, and writes nothing.
//! - What the host cannot know is `None` in a row. What it cannot do is [`ErrorKind::NotSupported`], and the message says
//!   why and what to do. The [`Error`] is for people; programs look at its [`kind`](Error::kind).
//! - Reading needs no privilege, changes need `CAP_NET_ADMIN` over the network namespace; a page says where it is otherwise.
//!
//! # Features
//!
//! - `tokio`: [`Watch::into_stream`](notification::Watch), changes as a `Stream`, for tokio and every other executor. Off
//!   unless asked for.

// Only `backend/linux/socket.rs` and its folder may. Test programs make their namespace before `main`.
#![cfg_attr(not(test), deny(unsafe_code))]

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

/// Readers of what is on disk and comes over the wire, for `fuzz/`; in no other build. Each fails on what it must not say.
#[cfg(all(fuzzing, target_os = "linux"))]
pub mod fuzzing {
    use crate::backend::fuzzing;

    /// The preferences of `/etc/gai.conf`, see `destination/policy.rs`.
    pub fn address_policy(bytes: &[u8]) {
        crate::destination::fuzz_policy(bytes);
    }

    /// The kernel's counters, see `backend/linux/statistics/counters.rs`.
    pub fn counters(bytes: &[u8]) {
        fuzzing::counters(bytes);
    }

    /// What a raw socket receives, see `backend/linux/icmp/message.rs`.
    pub fn icmp(bytes: &[u8]) {
        fuzzing::icmp(bytes);
    }

    /// What the keeper tells of itself, see `backend/linux/keeper/status.rs`.
    pub fn keeper_status(bytes: &[u8]) {
        fuzzing::keeper_status(bytes);
    }

    /// The leases of DHCP clients, see `backend/linux/adapter/lease.rs`.
    pub fn lease(bytes: &[u8]) {
        fuzzing::lease(bytes);
    }

    /// The record of reserved ports, see `backend/linux/port_reservation/record.rs`.
    pub fn port_reservation(bytes: &[u8]) {
        fuzzing::port_reservation(bytes);
    }

    /// `resolv.conf`, see `backend/linux/dns/resolv_conf.rs`.
    pub fn resolv_conf(bytes: &[u8]) {
        fuzzing::resolv_conf(bytes);
    }

    /// The copy of what is set, see `backend/linux/policy/state_file.rs`.
    pub fn state_file(bytes: &[u8]) {
        fuzzing::state_file(bytes);
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
