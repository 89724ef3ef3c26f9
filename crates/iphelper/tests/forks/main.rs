//! Tests that fork. A child has copies of every socket of its program, also of those that another test closes meanwhile,
//! so these are a program of their own.

#[path = "../policy_support/mod.rs"]
mod policy_support;
#[path = "../tcp_support/mod.rs"]
mod tcp_support;

mod bus;
mod dns_change;
mod host;
mod policy_administration;
mod tcp_estats;
mod tcp_owner;

iphelper_testkit::private_user_namespace!();
