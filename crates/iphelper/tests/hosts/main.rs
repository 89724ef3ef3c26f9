//! What a host is: its interfaces, adapters, compartments, names and servers of names; and what is written of it.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

mod adapter;
mod adapter_lease;
mod compartment;
mod connectivity;
mod connectivity_manager;
mod convert;
mod convert_text;
mod dns_host;
mod dns_read;
mod dns_resolved;
mod documentation;
mod interface;
mod timestamp;

iphelper_testkit::private_user_namespace!();
