//! Name resolution: DNS servers, domains that are tried, and who resolves.
//!
//! On Linux there are two ways, and a host has one of them:
//!
//! - `systemd-resolved`, which keeps servers and domains for the host and for each interface, and is asked over the
//!   system's bus. It counts where it works on the network namespace of the [`Host`];
//! - a `resolv.conf`, which the C library of each program reads: one list for the host. Of the thread's own namespace
//!   that is `/etc/resolv.conf`; of another one that has a name (`ip netns`), `/etc/netns/NAME/resolv.conf` where there
//!   is one.
//!
//! - Read: [`Host::dns`] (all of it), [`Host::interface_dns`] (the settings of one interface), [`Host::network_parameters`]
//! - Change: [`Host::set_interface_dns`], [`Host::set_dns`]; [`Host::plan_set_interface_dns`] and [`Host::plan_set_dns`] write
//!   nothing; [`InterfaceDnsSettings::undo`] and [`Dns::undo`] give what puts it back
//!
//! ```no_run
//! # fn main() -> iphelper::Result<()> {
//! use iphelper::Host;
//!
//! let dns = Host::open()?.dns()?;
//! println!("{} asks {:?}", dns.host_name, dns.servers);
//! for interface in &dns.interfaces {
//!     println!("by {}: {:?}", interface.index, interface.all_servers().collect::<Vec<_>>());
//! }
//! # Ok(())
//! # }
//! ```

mod name;
mod server;
mod settings;

pub use name::check_domain_name;
pub use server::DnsServer;
pub use settings::{DnsChange, DnsOverTls, InterfaceDnsChange, InterfaceDnsSettings, LinkLookup};

use crate::Host;
use crate::error::Result;
use crate::types::InterfaceIndex;
use std::fmt;
use std::path::PathBuf;

/// Who resolves this host's names.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Resolver {
    /// `systemd-resolved`.
    Resolved,
    /// The C library of each program, which reads this file.
    File {
        /// Its path.
        path: PathBuf,
        /// Whether it is there. Without one the C library asks a server on this host (127.0.0.1).
        exists: bool,
        /// Whose it is, if another program writes it: the program's own words in the file, or where the path leads.
        manager: Option<String>,
        /// The list of a forwarder on this host, if the file names that and it listens here: `systemd-resolved` (which is not
        /// to be asked over a bus) or NetworkManager's dnsmasq. The servers of the list are told then, not the forwarder.
        forwarder: Option<PathBuf>,
    },
}

/// A domain of the host or of an interface.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DnsDomain {
    /// Its name, without a dot at its end; `.` is the root.
    pub name: String,
    /// Whether it only says who is asked about names in it. Otherwise it is tried behind names without dots, too.
    ///
    /// - Windows: `SupplementalSearchList` has these, `SearchList` the others
    /// - Linux: `~` before the name, to `systemd-resolved`
    pub routing_only: bool,
}

impl fmt::Display for DnsDomain {
    /// The name, with `~` before it if it only routes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.routing_only { "~" } else { "" }, self.name)
    }
}

impl DnsDomain {
    /// A domain that is tried behind names.
    #[must_use]
    pub fn search(name: impl Into<String>) -> Self {
        Self { name: name.into(), routing_only: false }
    }
}

/// All that is known of this host's name resolution.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Dns {
    /// The host's name, of the caller's UTS namespace. Linux: `uname(2)`.
    pub host_name: String,
    /// The domain that the host belongs to; `None`: it is not known of any.
    ///
    /// Linux: the `domain` line of `resolv.conf` where that is read, else what follows the first dot of the host's name.
    pub domain_name: Option<String>,
    /// Who resolves.
    pub resolver: Resolver,
    /// The servers that belong to no interface, in the order in which they are asked.
    ///
    /// The C library asks the first three of `resolv.conf`.
    pub servers: Vec<DnsServer>,
    /// The domains that belong to no interface.
    pub domains: Vec<DnsDomain>,
    /// The interfaces that have servers or domains, or over which a server of the host is reached; by index.
    pub interfaces: Vec<InterfaceDns>,
}

impl Dns {
    /// Every server that is asked, the host's first, each once.
    #[must_use]
    pub fn all_servers(&self) -> Vec<&DnsServer> {
        let mut all: Vec<&DnsServer> = Vec::new();
        for server in self.servers.iter().chain(self.interfaces.iter().flat_map(|of| &of.servers)) {
            if !all.contains(&server) {
                all.push(server);
            }
        }
        all
    }

    /// The change that puts back what `change` changes of the host's own settings, which were read before.
    ///
    /// ```no_run
    /// # fn main() -> iphelper::Result<()> {
    /// use iphelper::Host;
    /// use iphelper::dns::DnsChange;
    ///
    /// let host = Host::open()?;
    /// let before = host.dns()?;
    /// let tunnel = DnsChange { servers: Some(vec!["10.8.0.1".parse()?]), ..Default::default() };
    /// host.set_dns(&tunnel)?;
    /// // ... and when the tunnel is closed:
    /// host.set_dns(&before.undo(&tunnel))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn undo(&self, change: &DnsChange) -> DnsChange {
        let searched = self.domains.iter().filter(|domain| !domain.routing_only);
        DnsChange {
            servers: change.servers.is_some().then(|| self.servers.clone()),
            search: change.search.is_some().then(|| searched.map(|domain| domain.name.clone()).collect()),
            domain: change.domain.is_some().then(|| self.domain_name.clone().unwrap_or_default()),
            // With a dot: the whole name.
            host_name: change.host_name.is_some().then(|| match self.host_name.contains('.') {
                true => self.host_name.clone(),
                false => format!("{}.", self.host_name),
            }),
        }
    }

    /// What an interface has; `None`: nothing.
    #[must_use]
    pub fn interface(&self, index: InterfaceIndex) -> Option<&InterfaceDns> {
        self.interfaces.iter().find(|interface| interface.index == index)
    }
}

/// The servers and domains of one interface.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InterfaceDns {
    /// The interface.
    pub index: InterfaceIndex,
    /// Its own servers, in the order in which they are asked.
    pub servers: Vec<DnsServer>,
    /// Servers of the host that packets reach over this interface, by the host's routes now.
    pub reached: Vec<DnsServer>,
    /// Its own domains.
    pub domains: Vec<DnsDomain>,
}

impl InterfaceDns {
    /// Its own servers, then those of the host that it leads to: what `GetAdaptersAddresses` lists.
    pub fn all_servers(&self) -> impl Iterator<Item = &DnsServer> {
        self.servers.iter().chain(&self.reached)
    }
}

/// What `GetNetworkParams` tells of the host.
#[doc(alias = "FIXED_INFO")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NetworkParameters {
    /// Name, domain and name resolution.
    pub dns: Dns,
    /// Whether this host is an IPv4 router; `None`: this caller cannot see it. Linux: `net.ipv4.ip_forward`
    pub routing_enabled: Option<bool>,
    /// Whether it answers ARP requests for others on every interface; `None`: this caller cannot see it. Linux:
    /// `net.ipv4.conf.all.proxy_arp`
    pub arp_proxy_enabled: Option<bool>,
}

impl Host {
    /// Reads what `GetNetworkParams` tells of the host.
    ///
    /// - Errors and privilege: those of [`dns`](Self::dns)
    #[doc(alias = "GetNetworkParams")]
    pub fn network_parameters(&self) -> Result<NetworkParameters> {
        self.backend().network_parameters()
    }

    /// Reads all that is known of this host's name resolution.
    ///
    /// Servers that `resolv.conf` names belong to the host. To which interface each leads is worked out from the routes
    /// ([`InterfaceDns::reached`]), except that an address with a zone (`fe80::1%eth0`) leads there.
    ///
    /// - Windows: `GetNetworkParams`, `GetPerAdapterInfo`, and the DNS servers of `GetAdaptersAddresses`
    /// - Linux: the properties of `org.freedesktop.resolve1.Manager`, or `resolv.conf`; where that names a forwarder of this
    ///   host alone ([`Resolver::File::forwarder`]), the list of the servers that it asks
    /// - Errors: [`TimedOut`](crate::ErrorKind::TimedOut) where `systemd-resolved` does not answer;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) for a file that is not for everybody;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for a `resolv.conf` that is no file, or longer than 64 KiB
    /// - Privilege: none
    #[doc(alias = "GetPerAdapterInfo")]
    pub fn dns(&self) -> Result<Dns> {
        self.backend().dns()
    }
}
