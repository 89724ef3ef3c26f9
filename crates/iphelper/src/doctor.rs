//! What this kernel, this namespace and this caller can do of each chapter, what stands in the way, and which objects of
//! the kernel are ours.
//!
//! - [`Host::diagnose`]; [`Host::kept_settings`]: what is set by this library and stays; [`Host::kernel_objects`]: what holds it
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
use crate::ip_interface::IpInterfaceChange;
use crate::types::{Family, InterfaceIndex, InterfaceLuid};

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
    /// What stands in the way of setting it here, to some values at least (of `nl_mtu` without sysctls: IPv4's can be set below
    /// that of IPv6, and no more); `None` where nothing does.
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

/// What is set of an IP interface and stays so until it is set otherwise, whoever set it and however that program ended.
///
/// Windows' properties for which Linux has no setting of its own, so that the kernel holds them in objects of ours. What
/// Linux does have a setting for (a sysctl, an attribute of the device) is not told here: who set that is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeptSettings {
    /// The interface.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// Its name.
    pub name: String,
    /// The family.
    pub family: Family,
    /// Which properties, the fields' names in [`IpInterface`](crate::ip_interface::IpInterface), and their values as text.
    pub properties: Vec<(&'static str, String)>,
    /// The change that takes all of it back.
    pub undo: IpInterfaceChange,
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

    /// What is set of which interfaces and stays so, by index, then family: also what a program that ended or was killed
    /// has left. Each row has the change that takes it back, for [`set_ip_interface`](Self::set_ip_interface).
    ///
    /// - Windows: nothing; there these are settings like others
    /// - Linux: routes without device that remember what is set, and, with `CAP_NET_ADMIN`, the packet filter
    /// - Privilege: none
    ///
    /// ```no_run
    /// use iphelper::Host;
    /// let host = Host::open()?;
    /// for kept in host.kept_settings()? {
    ///     let _ = host.set_ip_interface(kept.family, kept.luid, &kept.undo)?;
    /// }
    /// # Ok::<(), iphelper::Error>(())
    /// ```
    pub fn kept_settings(&self) -> Result<Vec<KeptSettings>> {
        self.backend().kept_settings()
    }

    /// The kernel's objects that are ours: policy rules, routes and what is in the packet filter, each with its purpose.
    ///
    /// - Privilege: none; without `CAP_NET_ADMIN` the packet filter's are left out
    pub fn kernel_objects(&self) -> Result<Vec<KernelObject>> {
        self.backend().kernel_objects()
    }
}
