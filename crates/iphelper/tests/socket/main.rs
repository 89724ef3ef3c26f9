//! Connections, endpoints, ports, and counters of packets.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../tcp_support/mod.rs"]
mod tcp_support;

mod bandwidth;
mod port_reservation;
mod statistics;
mod tcp_delete;
mod tcp_owner;
mod tcp_table;
mod udp_delete;
mod udp_table;

iphelper_testkit::private_user_namespace!();
