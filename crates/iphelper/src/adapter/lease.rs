//! What DHCP clients tell of their leases.

use crate::types::Lifetime;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

/// A program that gets leases.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DhcpClient {
    /// systemd-networkd.
    Networkd,
    /// NetworkManager, with a client of its own.
    NetworkManager,
    /// ISC's dhclient.
    Dhclient,
    /// dhcpcd.
    Dhcpcd,
}

impl fmt::Display for DhcpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Networkd => "systemd-networkd",
            Self::NetworkManager => "NetworkManager",
            Self::Dhclient => "dhclient",
            Self::Dhcpcd => "dhcpcd",
        })
    }
}

/// An IPv4 lease: an address that a DHCP server gave an interface for a time.
///
/// As the client's file tells it; what is not in there is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DhcpLease {
    /// Who has it.
    pub client: DhcpClient,
    /// The address.
    pub address: Ipv4Addr,
    /// The server that gave it.
    pub server: Option<Ipv4Addr>,
    /// When it was given or renewed, as exactly as the client says it.
    pub obtained: Option<SystemTime>,
    /// For how long it was given.
    pub lifetime: Option<Lifetime>,
    /// NetBIOS name servers (WINS) that the server names.
    pub wins_servers: Vec<Ipv4Addr>,
}

impl DhcpLease {
    /// A lease of `address` of which nothing more is known.
    #[cfg(target_os = "linux")]
    pub(crate) const fn new(client: DhcpClient, address: Ipv4Addr) -> Self {
        Self { client, address, server: None, obtained: None, lifetime: None, wins_servers: Vec::new() }
    }

    /// When it ends; `None` if it never does, or that is not known.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        let lifetime = self.lifetime.filter(|lifetime| !lifetime.is_infinite())?;
        self.obtained?.checked_add(Duration::from_secs(lifetime.as_secs().into()))
    }

    /// How long it goes on; `None` if that is not known.
    #[must_use]
    pub fn remaining(&self) -> Option<Lifetime> {
        if self.lifetime?.is_infinite() {
            return Some(Lifetime::INFINITE);
        }
        let left = self.expires()?.duration_since(SystemTime::now()).unwrap_or_default();
        Some(Lifetime::from_secs(u32::try_from(left.as_secs()).unwrap_or(u32::MAX - 1)))
    }
}

/// How a DHCPv6 client calls itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Dhcpv6Client {
    /// Who it is.
    pub client: DhcpClient,
    /// The client's identifier (DUID), 130 bytes at most.
    pub duid: Vec<u8>,
    /// The number of its addresses' association.
    pub iaid: Option<u32>,
}
