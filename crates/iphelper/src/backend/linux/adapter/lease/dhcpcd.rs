//! dhcpcd: the server's answer as it came, in a file named by the interface (`eth0.lease`, for Wi-Fi `wlan0-SSID.lease`, for
//! IPv6 `eth0.lease6`), written anew with each renewal.

use super::{Found, Leases, Subject, Text, lease_of, packet};
use crate::adapter::{DhcpClient, Dhcpv6Client};
use crate::types::Lifetime;

pub(super) const FOLDERS: [&str; 3] = ["/var/lib/dhcpcd", "/var/lib/dhcpcd5", "/var/db/dhcpcd"];

pub(super) fn read(name: &[u8], file: &Text, leases: &mut Leases) {
    // Older versions put their own name in front.
    let name = name.strip_prefix(b"dhcpcd-").unwrap_or(name);
    if let Some(name) = name.strip_suffix(b".lease") {
        let Some(answer) = packet::answer(&file.bytes) else { return };
        let Some(mut lease) = lease_of(DhcpClient::Dhcpcd, answer.address) else { return };
        lease.server = answer.server;
        lease.lifetime = answer.seconds.map(Lifetime::from_secs);
        lease.obtained = file.written;
        lease.wins_servers = answer.wins_servers;
        leases.ipv4.extend(subjects(name).map(|interface| Found { interface, told: lease.clone() }));
    } else if let Some(name) = name.strip_suffix(b".lease6") {
        let Some((duid, iaid)) = packet::client6(&file.bytes) else { return };
        let client = DhcpClient::Dhcpcd;
        leases.ipv6.extend(subjects(name).map(|interface| {
            let told = Dhcpv6Client { client, duid: duid.clone(), iaid };
            Found { interface, told }
        }));
    }
}

/// The interfaces that a name may mean: a network's name stands behind a hyphen, and a name of an interface may have
/// hyphens, too. Whether the lease is of an interface shows its address.
fn subjects(name: &[u8]) -> impl Iterator<Item = Subject> {
    let hyphens = name.iter().enumerate().filter(|(_, byte)| **byte == b'-').map(|(at, _)| at);
    let ends = hyphens.take(15).chain(std::iter::once(name.len()));
    ends.filter_map(|end| name.get(..end))
        .filter(|name| !name.is_empty())
        .map(|name| Subject::Name(name.into()))
}
