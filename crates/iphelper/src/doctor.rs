//! What this kernel, this namespace and this caller can do of each chapter, what stands in the way, and which objects of
//! the kernel are ours.
//!
//! - [`Host::diagnose`], [`Host::kernel_objects`]
//!
//! ```no_run
//! use iphelper::Host;
//!
//! # fn main() -> iphelper::Result<()> {
//! for finding in Host::open()?.diagnose()?.findings {
//!     match finding.obstacle {
//!         Some(obstacle) => println!("{}: cannot {}: {obstacle}", finding.chapter, finding.action),
//!         None => println!("{}: can {}", finding.chapter, finding.action),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use crate::Host;
use crate::error::Result;
use crate::types::Family;

/// What a look at the host found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The kernel's release, such as `6.18.2`.
    pub kernel: String,
    /// Whether this caller may change anything (`CAP_NET_ADMIN` over the network namespace).
    pub may_change: bool,
    /// Whether a keeper runs; `None` where this caller cannot know.
    pub keeper: Option<bool>,
    /// Which properties of IP interfaces can be set, property by property, IPv4 first.
    pub abilities: Vec<Ability>,
    /// What can be done of the other chapters, in the order of [`Finding::CHAPTERS`].
    pub findings: Vec<Finding>,
    /// What does not work as it is set, or will not.
    pub warnings: Vec<Warning>,
}

/// Whether a property can be set.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Ability {
    /// The family.
    pub family: Family,
    /// The property: the field's name in [`IpInterface`](crate::ip_interface::IpInterface).
    pub property: &'static str,
    /// Why it cannot be set to any other value here; `None` where it can.
    pub obstacle: Option<String>,
}

/// Whether something of a chapter can be done here, by this caller.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The chapter, one of [`CHAPTERS`](Self::CHAPTERS).
    pub chapter: &'static str,
    /// What is done: a few words that stay the same, such as `delete connections`.
    pub action: &'static str,
    /// Why it cannot be done and what to do about it; `None` where it can.
    pub obstacle: Option<String>,
    /// What else is known: by which way it is done, or how far.
    pub detail: Option<String>,
}

impl Finding {
    /// The chapters of which something is found.
    pub const CHAPTERS: [&'static str; 14] = [
        "tcp",
        "udp",
        "route",
        "address",
        "neighbor",
        "statistics",
        "icmp",
        "estats",
        "dns",
        "adapter",
        "compartment",
        "port_reservation",
        "timestamp",
        "connectivity",
    ];
}

/// Something that does not work as it is set.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Warning {
    /// What it is about: an interface's name, or `host`.
    pub subject: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// An object of the kernel that is ours.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KernelObject {
    /// What it is, as `ip` and `nft` name it.
    pub name: String,
    /// What it is for.
    pub purpose: String,
}

impl Host {
    /// Looks at what can be set here and what stands in the way. Writes nothing.
    ///
    /// - Linux: probes of rtnetlink, `sock_diag`, nf_tables and `/proc/sys/net`; sockets that are opened and closed; what the
    ///   caller may read and write of `/etc`, `/run` and `/var/lib`; the system's bus. Nothing is sent to the network
    /// - Privilege: none; without `CAP_NET_ADMIN` whether the kernel has nf_tables is not known, and not counted
    pub fn diagnose(&self) -> Result<Diagnosis> {
        self.backend().diagnose()
    }

    /// The kernel's objects that are ours: policy rules, routes and what is in the packet filter, each with its purpose.
    ///
    /// - Privilege: none; without `CAP_NET_ADMIN` the packet filter's are left out
    pub fn kernel_objects(&self) -> Result<Vec<KernelObject>> {
        self.backend().kernel_objects()
    }
}
