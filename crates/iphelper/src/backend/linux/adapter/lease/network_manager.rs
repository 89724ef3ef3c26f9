//! NetworkManager: a file of sections for each interface, named by its index; `[dhcp4]` and `[dhcp6]` hold the options, each
//! with the section's name once more before its own (`dhcp4.ip_address`).

use super::variables::Variables;
use super::{Found, Leases, Subject, Text, lease_of, number, time};
use crate::adapter::{DhcpClient, Dhcpv6Client};
use crate::types::Lifetime;
use std::time::Duration;

pub(super) const FOLDER: &str = "/run/NetworkManager/devices";

pub(super) fn read(name: &[u8], file: &Text, leases: &mut Leases) {
    let Some(index) = number(name) else { return };
    let text = String::from_utf8_lossy(&file.bytes);
    let options = Variables::of(&text, "dhcp4");
    if let Some(mut lease) = lease_of(DhcpClient::NetworkManager, options.value("ip_address")) {
        lease.server = options.value("dhcp_server_identifier");
        lease.lifetime = options.value("dhcp_lease_time").map(Lifetime::from_secs);
        lease.wins_servers = options.list("netbios_name_servers");
        let seconds = lease.lifetime.filter(|lifetime| !lifetime.is_infinite()).map(Lifetime::as_secs);
        lease.obtained = match (options.value("expiry").and_then(time), seconds) {
            (Some(expiry), Some(seconds)) => expiry.checked_sub(Duration::from_secs(seconds.into())),
            _ => None,
        };
        leases.ipv4.push(Found { interface: Subject::Index(index), told: lease });
    }
    let options = Variables::of(&text, "dhcp6");
    if let Some(duid) = options.text("dhcp6_client_id").and_then(bytes) {
        let iaid = options.text("iaid").and_then(iaid);
        let client = DhcpClient::NetworkManager;
        leases
            .ipv6
            .push(Found { interface: Subject::Index(index), told: Dhcpv6Client { client, duid, iaid } });
    }
}

/// `00:01:2a`: bytes as hexadecimal numbers.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> =
        text.split(':').take(131).map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= 130)
}

/// Four bytes, or a number.
fn iaid(text: &str) -> Option<u32> {
    match bytes(text).as_deref() {
        Some(&[a, b, c, d]) => Some(u32::from_be_bytes([a, b, c, d])),
        _ => text.parse().ok(),
    }
}
