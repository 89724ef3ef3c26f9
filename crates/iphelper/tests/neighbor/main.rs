//! Neighbours: read, changed, resolved.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../neighbors/mod.rs"]
mod neighbors;

mod change;
mod proxy;
mod read;
mod resolve;

iphelper_testkit::private_user_namespace!();
