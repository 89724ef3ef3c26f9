//! Settings of IP interfaces, read and changed.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../lan/mod.rs"]
mod lan;

mod change;
mod change_names;
mod change_packets;
mod change_plan;
mod change_refused;
mod change_undo;
mod ipv4_mtu;
mod path_mtu;
mod read;

iphelper_testkit::private_user_namespace!();
