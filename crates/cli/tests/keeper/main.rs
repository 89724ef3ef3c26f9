//! The keeper, run as a process of its own, and what the doctor says of it.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../keeper_support/mod.rs"]
mod keeper_support;
#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod advertising;
mod doctor;
mod metric;
mod notifications;
mod policy;
mod restore;
mod service;
mod start;

iphelper_testkit::private_user_namespace!();
