//! Addresses: read, changed, preferred.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

mod change;
mod duplicates;
mod more;
mod policy;
mod random;
mod read;
mod skipped;
mod support;

iphelper_testkit::private_user_namespace!();
