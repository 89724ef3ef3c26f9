//! Port reservations as JSON.

use iphelper::port_reservation::{self, PortProtocol};
use serde::Serialize;

/// A reserved range: each field of `iphelper::port_reservation::PortReservation`.
#[derive(Debug, Serialize)]
pub(crate) struct PortReservation {
    protocol: &'static str,
    first: u16,
    last: u16,
    token: Option<String>,
    is_in_force: bool,
}

impl From<&port_reservation::PortReservation> for PortReservation {
    fn from(row: &port_reservation::PortReservation) -> Self {
        Self {
            protocol: match row.protocol {
                PortProtocol::Tcp => "tcp",
                PortProtocol::Udp => "udp",
            },
            first: row.ports.first(),
            last: row.ports.last(),
            token: row.token.map(|token| token.to_string()),
            is_in_force: row.is_in_force,
        }
    }
}
