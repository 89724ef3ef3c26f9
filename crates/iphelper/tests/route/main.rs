//! Routes, and what reaches a destination.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../route_support/mod.rs"]
mod route_support;

mod change;
mod destination;
mod guard;
mod icmp;
mod path;
mod random;
mod read;
mod round_trip;

iphelper_testkit::private_user_namespace!();
