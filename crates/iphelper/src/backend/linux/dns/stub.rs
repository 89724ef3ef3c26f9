//! A forwarder on this host that `resolv.conf` names, and the servers that it asks in turn.
//!
//! `systemd-resolved` and NetworkManager's dnsmasq put their own address into `resolv.conf` and the servers that they ask
//! into a file beside it. Programs that ask for the servers of a network mean those.

use super::file::read;
use super::resolv_conf::ResolvConf;
use crate::backend::Udp as _;
use crate::backend::linux::LinuxHost;
use crate::dns::DnsServer;
use crate::socket::{SocketCondition, SocketQuery};
use crate::types::{Family, Prefix};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// The addresses on which `systemd-resolved` listens, and its list.
const RESOLVED: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 53), Ipv4Addr::new(127, 0, 0, 54)];
const OF_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
/// In the comment by which it says that the file is its own, and its list where dnsmasq is between.
const NETWORK_MANAGER: &str = "NetworkManager";
const OF_NETWORK_MANAGER: &str = "/run/NetworkManager/no-stub-resolv.conf";

impl LinuxHost {
    /// The list with the servers that a forwarder asks, and its path; `None`: the file names none, or none that listens in this namespace.
    pub(super) fn behind_a_stub(&self, file: &ResolvConf) -> Option<(&'static str, ResolvConf)> {
        let addresses: Vec<_> = file.nameservers().into_iter().map(|(address, _)| address).collect();
        // What somebody has written himself means what it says, and can be put back.
        let manager = file.manager()?;
        let path = if addresses.iter().all(is_of_resolved) && manager.contains("systemd-resolved") {
            OF_RESOLVED
        } else if addresses.iter().all(IpAddr::is_loopback) && manager.contains(NETWORK_MANAGER) {
            OF_NETWORK_MANAGER
        } else {
            return None;
        };
        let list = ResolvConf::parse(&read(Path::new(path)).ok()??);
        // The file is that of another namespace where nobody listens here, or not any more anybody's.
        let is_used =
            !list.nameservers().is_empty() && addresses.iter().any(|address| self.is_asked(*address));
        is_used.then_some((path, list))
    }

    /// Whether somebody here answers at port 53 of an address of this host.
    fn is_asked(&self, address: IpAddr) -> bool {
        let port = DnsServer::PORT;
        let Ok(at) = Prefix::new(address, if address.is_ipv4() { 32 } else { 128 }) else { return false };
        let conditions = vec![SocketCondition::LocalPort(port..=port), SocketCondition::LocalAddress(at)];
        let query = SocketQuery {
            family: Some(Family::of(&address)),
            filter: conditions.into(),
            specific_port_binds: false,
            ..SocketQuery::default()
        };
        self.udp_endpoints(&query).is_ok_and(|endpoints| !endpoints.is_empty())
    }
}

/// Whether `systemd-resolved` listens there.
pub(super) fn is_of_resolved(address: &IpAddr) -> bool {
    RESOLVED.iter().any(|own| address == own)
}
