//! Changes of IP interfaces: what is reported and when, to iterators and to callbacks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod consumers;
mod fork;
mod kernel;
mod limits;
mod support;

iphelper_testkit::private_user_namespace!();
