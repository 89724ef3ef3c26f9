//! Properties that are policy rather than settings: iphelper keeps them in routes, rules and filters of its own, or
//! changes those of others and can undo it. The kernel holds them, no process needs to stay.
//!
//! **`Metric`** is added to the metric of each route over the interface, see [`metric`]. **`NlMtu`** of IPv4, where it is
//! below that of IPv6, is the MTU of those routes, see [`route_mtu`].
//!
//! **`DisableDefaultRoutes`** has two layers. *Selection*: three policy rules pass over the default routes of the main
//! table and look those that are allowed up in a table of ours. *Enforcement*: the packet filter stops what is about to
//! leave by a guarded interface for a destination to which only a default route leads, whoever chose that way. Nobody
//! else's routes are touched, so taking the rules away restores what was there.
//!
//! What is set is in markers: routes without device, which everybody may read. All are IPv4 routes, also those about
//! IPv6, which takes its own away when the loopback interface goes down. One caller at a time changes anything, see
//! [`exclusive`]. A change of routes is followed by the copies of them that rules look up, in the same call.
//!
//! What rules and filters hold is in the kernel twice: as elements of the packet filter, which enforce, and as markers.
//! What is set is what either says of an interface that is still there; [`converge`] makes everything hold it. A caller that is killed at any message leaves the old state, the new one, or one
//! that lets less through than the old; the next call that changes anything completes it.
//!
//! While nothing follows the kernel's changes, new allowed default routes and new prefixes of guarded interfaces are not
//! used until the next call: less passes, never more.

pub(super) mod advertise;
mod batch;
mod contest;
mod converge;
mod detection;
mod exclusive;
mod explain;
mod follow;
mod foreign;
pub(super) mod forwarding;
mod guard;
mod keeper_lock;
pub(super) mod kept_routers;
mod manager;
mod marker;
mod memory;
mod metric;
pub(super) mod names;
mod optimistic;
mod route_mtu;
mod route_settings;
mod router;
mod routes;
mod rules;
mod settings;
mod state_file;
#[cfg(test)]
mod tests;
mod verdict;

pub(super) use batch::send_all;
pub(super) use converge::mechanism;
pub(super) use detection::{Detection, ipv4_dad_mechanism};
pub(super) use exclusive::PolicyLock;
pub(super) use explain::rule_purpose;
pub(super) use follow::Follower;
pub(super) use keeper_lock::KeeperLock;
pub(super) use metric::{OUR_PROTOCOL, RouteMetrics, Unmovable, has_own_prefix};
pub(super) use names::is_our_table;
pub(crate) use names::is_ours;
pub(super) use optimistic::notes_optimistic_detection;
pub(super) use route_settings::RouteSettings;
pub(super) use settings::{Property, Setting, Settings};
#[cfg(fuzzing)]
pub(crate) use state_file::fuzz as fuzz_state_file;
pub(super) use state_file::key_of;
pub(super) use verdict::{Packet, Stop};

/// What every error of this chapter was about.
const OPERATION: &str = "changing an IP interface";
