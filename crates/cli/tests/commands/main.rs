//! `iph` as a user runs it: what it prints, what it exits with, what it does.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../support/mod.rs"]
mod support;

mod adapter;
mod address;
mod arguments;
mod compartment;
mod demo;
mod dns;
mod doctor_truth;
mod estats;
mod interface;
mod measures;
mod neighbor;
mod ping;
mod port_reservation;
mod route;
mod route_get;
mod stats;
mod tcp_delete;
mod tcp_list;
mod udp_list;
mod watch;

iphelper_testkit::private_user_namespace!();
