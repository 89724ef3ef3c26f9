//! The shared part of the C libraries: Windows' IP Helper functions with Windows' names, layouts and numbers.
//!
//! A C program links with `libiphlpapi.so` (Win32 codes) or `libnetio.so` (the driver flavour, NTSTATUS); both export
//! what stands here, each in its [flavour](error::Flavour), by [`export_netioapi!`] and [`export_iphlpapi!`]. A Rust
//! program wants the crate `iphelper` instead.
//!
//! Each function checks its pointers, turns the C row into values of the crate `iphelper` or refuses it, calls, and
//! writes the answer. It holds no state but the thread's last error, the thread's [`host`](self) and the
//! registrations for notifications. No panic crosses the border.
//!
//! Common to all functions: a pointer is NULL or valid for what its Windows declaration says, for the whole call;
//! alignment does not matter. That is their safety contract, too. NULL where a pointer is needed is an error code.
#![allow(unsafe_code, reason = "C callers pass pointers")]
#![allow(
    clippy::missing_safety_doc,
    reason = "one contract for all functions, stated above: each pointer is NULL or as Windows declares it"
)]

pub mod absent;
pub mod adapter;
pub mod address;
pub mod best_route;
pub mod compartment;
pub mod connectivity;
pub mod convert;
pub mod destination;
pub mod dns;
pub mod error;
pub mod estats;
mod event;
mod exports;
mod guard;
mod host;
pub mod icmp;
pub mod interface;
pub mod ip_interface;
mod key;
#[cfg(iphelper_layouts)]
mod layouts;
pub mod memory;
pub mod neighbor;
pub mod notification;
pub mod owner_module;
pub mod path;
pub mod port_reservation;
mod privilege;
mod process;
pub mod raw;
pub mod round_trip;
pub mod route;
pub mod router;
mod sockaddr;
mod socket_row;
pub mod statistics;
pub mod tcp;
mod text;
pub mod timestamp;
pub mod udp;
pub mod wait;
