//! Properties that rules and filters hold: the kernel keeps them, no process needs to stay.
//!
//! **`DisableDefaultRoutes`** has two layers. *Selection*: three policy rules pass over the default routes of the main
//! table and look those that are allowed up in a table of ours. *Enforcement*: the packet filter stops what is about to
//! leave by a guarded interface for a destination to which only a default route leads, whoever chose that way. Nobody
//! else's routes are touched, so taking the rules away restores what was there.
//!
//! All state is in the kernel, twice: as elements of the packet filter, which enforce, and as markers among the routes,
//! which everybody may read. What is set is what either says of an interface that is still there; [`converge`]
//! makes everything hold what is set. A caller that is killed at any message leaves the old state, the new one, or one
//! that lets less through than the old; the next call that changes anything completes it.
//!
//! While nothing follows the kernel's changes, new allowed default routes and new prefixes of guarded interfaces are not
//! used until the next call: less passes, never more.

pub(super) mod advertise;
mod converge;
mod exclusive;
mod explain;
mod guard;
mod keeper_lock;
pub(super) mod names;
mod routes;
mod rules;
mod settings;
#[cfg(test)]
mod tests;

pub(super) use converge::mechanism;
pub(super) use keeper_lock::KeeperLock;
pub(super) use settings::{Property, Setting, Settings};

/// What every error of this chapter was about.
const OPERATION: &str = "changing an IP interface";
