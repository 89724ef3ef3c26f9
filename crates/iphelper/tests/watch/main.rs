//! Watching: every class in one stream, in order, without loss, and who asked for it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod callbacks;
mod flood;
mod order;
mod requester;
mod support;
mod tcp;
mod tentative;

iphelper_testkit::private_user_namespace!();
