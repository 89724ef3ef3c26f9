//! The real `systemd`, `systemd-resolved`, `systemd-networkd`, `systemd-hostnamed` and NetworkManager, which the other tests
//! have stand-ins for.
//!
//! `scripts/test-services` starts them in namespaces of their own and runs these tests there, one after the other: they change
//! what they find. Elsewhere they refuse to begin.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod connectivity;
mod host;
mod interface;
mod lab;
mod lease;
#[path = "../support/dns.rs"]
mod rows;
