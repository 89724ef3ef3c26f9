//! systemd-networkd: a file of variables for each interface, named by its index, written anew with each renewal.

use super::variables::Variables;
use super::{Found, Subject, Text, lease_of, number};
use crate::adapter::{DhcpClient, DhcpLease};
use crate::types::Lifetime;

pub(super) const FOLDER: &str = "/run/systemd/netif/leases";

pub(super) fn lease(name: &[u8], file: &Text) -> Option<Found<DhcpLease>> {
    let index = number(name)?;
    let text = String::from_utf8_lossy(&file.bytes);
    let variables = Variables::of(&text, "");
    let mut lease = lease_of(DhcpClient::Networkd, variables.value("ADDRESS"))?;
    lease.server = variables.value("SERVER_ADDRESS");
    lease.lifetime = variables.value("LIFETIME").map(Lifetime::from_secs);
    lease.obtained = file.written;
    Some(Found { interface: Subject::Index(index), told: lease })
}
