//! What an interface may send and by which default routes, and routers told.
//!
//! One program, since each is linked for itself, and tests that wait for a kernel let others run.

#[path = "../policy_support/mod.rs"]
mod policy_support;
#[path = "../uplinks/mod.rs"]
mod uplinks;

mod bridge;
mod default_routes;
mod later_changes;
mod metric;
mod router;
mod split_tunnel_guard;
mod strong_host;
mod together;
mod tunnels;

iphelper_testkit::private_user_namespace!();
