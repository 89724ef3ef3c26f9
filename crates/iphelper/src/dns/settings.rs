//! What can be set: of the host, and of one interface.

use super::{DnsDomain, DnsServer};
use crate::Host;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use std::fmt;

/// Whether names are looked up by asking the link (LLMNR, multicast DNS).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LinkLookup {
    /// No.
    Off,
    /// Names of others are looked up; this host's own is not told.
    ResolveOnly,
    /// Yes.
    On,
}

/// Whether servers are asked over TLS.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DnsOverTls {
    /// No.
    Off,
    /// Where the server can; otherwise in clear text.
    Opportunistic,
    /// Always: a server that cannot is not asked.
    Required,
}

impl fmt::Display for LinkLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::ResolveOnly => "resolve only",
            Self::On => "on",
        })
    }
}

impl fmt::Display for DnsOverTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::Opportunistic => "opportunistic",
            Self::Required => "required",
        })
    }
}

/// The settings of one interface.
///
/// With a `resolv.conf` there is one list for the host. It is an interface's where that is the only one besides loopback
/// that is up, since all that the host asks goes over it; else interfaces have none.
///
/// - Windows: `DNS_INTERFACE_SETTINGS` and its later versions
#[doc(alias = "DNS_INTERFACE_SETTINGS")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InterfaceDnsSettings {
    /// The interface's LUID.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// Its name, for people.
    pub name: String,
    /// Its servers, in the order in which they are asked. Windows: `NameServer`
    pub servers: Vec<DnsServer>,
    /// Its domains. Windows: `Domain` (the first that is tried), `SearchList`, `SupplementalSearchList`
    pub domains: Vec<DnsDomain>,
    /// Whether its servers are asked about names in nobody's domain, too; `None`: it has no servers of its own.
    ///
    /// - Windows: the opposite of `DisableUnconstrainedQueries`
    /// - Linux: `DefaultRoute` of `systemd-resolved`
    pub unconstrained_queries: Option<bool>,
    /// LLMNR. Windows: `EnableLLMNR`, with the next
    pub llmnr: LinkLookup,
    /// Multicast DNS.
    pub multicast_dns: LinkLookup,
    /// DNS over TLS. Windows: the properties of servers
    pub dns_over_tls: DnsOverTls,
}

impl InterfaceDnsSettings {
    /// The names of the domains that are tried, or of those that only route.
    pub fn domain_names(&self, routing_only: bool) -> impl Iterator<Item = &str> {
        self.domains
            .iter()
            .filter(move |domain| domain.routing_only == routing_only)
            .map(|domain| &*domain.name)
    }
}

impl InterfaceDnsSettings {
    /// The change that puts back what `change` changes of these settings, which were read before: of the servers and of the
    /// domains of a kind the whole list.
    #[must_use]
    pub fn undo(&self, change: &InterfaceDnsChange) -> InterfaceDnsChange {
        let names = |routing_only| self.domain_names(routing_only).map(str::to_owned).collect();
        let is_search_asked = change.search.is_some() || change.domain.is_some();
        InterfaceDnsChange {
            servers: change.servers.is_some().then(|| self.servers.clone()),
            servers_of: None,
            domain: None,
            search: is_search_asked.then(|| names(false)),
            routing: change.routing.is_some().then(|| names(true)),
            unconstrained_queries: change.unconstrained_queries.and(self.unconstrained_queries),
            llmnr: change.llmnr.map(|_| self.llmnr),
            multicast_dns: change.multicast_dns.map(|_| self.multicast_dns),
            dns_over_tls: change.dns_over_tls.map(|_| self.dns_over_tls),
        }
    }
}

/// A change of one interface's settings; what is `None` stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InterfaceDnsChange {
    /// The servers.
    pub servers: Option<Vec<DnsServer>>,
    /// With [`servers`](Self::servers): only those of this family are replaced, and all new ones are of it. Those of IPv4
    /// stand first then.
    pub servers_of: Option<Family>,
    /// The domain that is tried first; empty: the first one goes.
    pub domain: Option<String>,
    /// The domains that are tried, with [`domain`](Self::domain) behind it.
    pub search: Option<Vec<String>>,
    /// The domains that only route.
    pub routing: Option<Vec<String>>,
    /// Whether its servers are asked about names in nobody's domain.
    pub unconstrained_queries: Option<bool>,
    /// LLMNR.
    pub llmnr: Option<LinkLookup>,
    /// Multicast DNS.
    pub multicast_dns: Option<LinkLookup>,
    /// DNS over TLS.
    pub dns_over_tls: Option<DnsOverTls>,
}

/// A change of the host's settings; what is `None` stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DnsChange {
    /// The servers that belong to no interface.
    pub servers: Option<Vec<DnsServer>>,
    /// The domains that are tried.
    pub search: Option<Vec<String>>,
    /// The host's domain; empty: none. Where `resolv.conf` is not the host's to keep it, it is a part of the host's name.
    pub domain: Option<String>,
    /// The host's name: labels of letters, digits and inner hyphens, 64 characters at most. Without a dot it is the first label,
    /// and what follows that in the present name stays; with dots it is the whole name (`web.` is one without a domain).
    pub host_name: Option<String>,
}

impl Host {
    /// The settings of one interface.
    ///
    /// - Windows: `GetInterfaceDnsSettings`
    /// - Linux: the properties of `org.freedesktop.resolve1.Link`, or `resolv.conf`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound), and those of [`dns`](Self::dns)
    /// - Privilege: none
    #[doc(alias = "GetInterfaceDnsSettings")]
    pub fn interface_dns(&self, key: impl Into<InterfaceKey>) -> Result<InterfaceDnsSettings> {
        self.backend().interface_dns(key.into())
    }

    /// Changes the settings of one interface, all or nothing, and tells what changed.
    ///
    /// What has the wished value already is not written, whatever it is: what was read can be set again, also what would be
    /// refused otherwise. With `systemd-resolved` the settings live as long as the
    /// interface and the service do; afterwards they are read back, and what did not take effect is put back and
    /// reported. Of an interface that `systemd-networkd` manages that is asked; NetworkManager may set it again. Port 853 is
    /// the ordinary one where servers are asked over TLS.
    ///
    /// - Windows: `SetInterfaceDnsSettings`
    /// - Linux: `SetLinkDNS`, `SetLinkDNSEx`, `SetLinkDomains`, `SetLinkDefaultRoute`, `SetLinkLLMNR`,
    ///   `SetLinkMulticastDNS` and `SetLinkDNSOverTLS` of `org.freedesktop.resolve1.Manager`, or of
    ///   `org.freedesktop.network1.Manager`; without the service, where
    ///   the interface is the only one besides loopback that is up, as [`set_dns`](Self::set_dns)
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name that is no domain's or a server of another
    ///   family than `servers_of`; [`AccessDenied`](crate::ErrorKind::AccessDenied);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) for what this host's way of resolving cannot do: without the
    ///   service that is everything that one file cannot say of one interface
    /// - Privilege: polkit's `org.freedesktop.resolve1.set-dns-servers` and its like, which root has; or to replace the file
    #[doc(alias = "SetInterfaceDnsSettings")]
    pub fn set_interface_dns(
        &self,
        key: impl Into<InterfaceKey>,
        change: &InterfaceDnsChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_interface_dns(key.into(), change, true)
    }

    /// What [`set_interface_dns`](Self::set_interface_dns) would change; every check is done that needs no privilege, and
    /// nothing is written.
    pub fn plan_set_interface_dns(
        &self,
        key: impl Into<InterfaceKey>,
        change: &InterfaceDnsChange,
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_interface_dns(key.into(), change, false)
    }

    /// Changes the host's settings, all or nothing, and tells what changed. What has the wished value already is not written,
    /// also where it follows from the host's name.
    ///
    /// `resolv.conf` is replaced whole: its other lines stay as they are, and so do its owner, mode and label. Programs
    /// that run notice (the C library looks at the file before each lookup).
    ///
    /// Where `systemd-resolved` keeps the host's settings (`resolv.conf` is a link of its), servers and domains go to
    /// `/etc/systemd/resolved.conf.d/99-iphelper.conf`, which goes before its other files, and systemd reloads the service
    /// (before version 256 it restarts it, which keeps the interfaces' settings). What it has then is read back; if it is
    /// not what was wished, the file is put back and that is reported. The host's domain is a part of its name there.
    ///
    /// The name is the kernel's, of the calling thread's UTS namespace, and that of `/etc/hostname` for the next start; the
    /// latter only where the namespace is that of the first process (or, where that cannot be seen, the file has the present name).
    /// `/etc/hosts` is left alone.
    ///
    /// - Windows: `SetDnsSettings`, which cannot set servers
    /// - Linux: `resolv.conf`, or `resolved.conf.d(5)` and `ReloadOrRestart` of `org.freedesktop.systemd1.Unit`; for the name
    ///   `SetStaticHostname` of `org.freedesktop.hostname1` where that runs, else `sethostname(2)` and `/etc/hostname`
    /// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name that is no domain's or no host's;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) for who may not write there;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported), nothing done: for a `resolv.conf` or `hostname` that another
    ///   program keeps (a comment says so, or it is a link), that is protected (`chattr +i`), mounted by itself or has a
    ///   second name; for more than three servers, a port, or a name of a server, which the C library does not know; with
    ///   `systemd-resolved`, where systemd does not run it, or another of its files adds to the lists; for a
    ///   network namespace without a file of its own, where `/etc` is that of process 1 in another one;
    ///   [`TimedOut`](crate::ErrorKind::TimedOut) where another caller holds the lock for 5 s (with
    ///   the service 60 s), or the service does not come
    ///   back
    /// - Privilege: to replace the file and to reload the service (root); for the name `CAP_SYS_ADMIN` over the UTS namespace
    #[doc(alias = "SetDnsSettings")]
    pub fn set_dns(&self, change: &DnsChange) -> Result<Vec<PropertyChange>> {
        self.backend().set_dns(change, true)
    }

    /// What [`set_dns`](Self::set_dns) would change; every check is done that needs no privilege, and nothing is written.
    pub fn plan_set_dns(&self, change: &DnsChange) -> Result<Vec<PropertyChange>> {
        self.backend().set_dns(change, false)
    }
}
