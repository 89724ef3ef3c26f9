//! Port reservations: ranges of ports that the host gives to nobody who does not ask for them.
//!
//! A program that binds to port 0, or connects without binding, gets a port that the host chooses. From a reserved range
//! none is chosen, so that a program which comes later finds its port free.
//!
//! - [`Host::port_reservations`], [`Host::port_reservation`], [`Host::create_port_reservation`],
//!   [`Host::delete_port_reservation`]
//! - After a restart: [`Host::restore_port_reservations`]
//! - What a change would do: [`Host::plan_create_port_reservation`], [`Host::plan_delete_port_reservation`],
//!   [`Host::plan_restore_port_reservations`]
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::port_reservation::{PortProtocol, PortRange};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let ports: PortRange = "50000-50009".parse()?;
//! let reserved = host.create_port_reservation(PortProtocol::Tcp, ports)?;
//! assert_eq!(host.port_reservation(PortProtocol::Tcp, ports)?.token, reserved.token);
//! let _gone = host.delete_port_reservation(PortProtocol::Tcp, ports)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What Linux has, and what is kept beside it
//!
//! Linux has one list of ports for a network namespace (`net.ipv4.ip_local_reserved_ports`), for TCP and UDP, IPv4 and IPv6
//! alike. So a range that is reserved for TCP is not given out for UDP either. Whose a range is and what its token is, is in
//! a record, `/var/lib/iphelper/port-reservations`, that root writes and everybody may read.
//!
//! - Whoever binds to a reserved port by its number gets it: reserved is what the host chooses from. Windows refuses that to
//!   sockets that have not been given the token; Linux has no such thing.
//! - Reservations last until they are deleted. In the computer's first network namespace they outlive the computer's end:
//!   [`restore_port_reservations`](Host::restore_port_reservations) puts them back, which a small systemd unit calls when the
//!   computer starts. In others they last as long as the namespace.
//! - What others have written to the list is theirs: it is kept, and cannot be reserved.

use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use std::fmt;
use std::str::FromStr;

/// Whose ports.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PortProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for PortProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// Ports that follow each other, at least one; port 0 is none.
#[doc(alias = "INET_PORT_RANGE")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// So many ports from `first` on.
    ///
    /// - Errors: [`InvalidParameter`](ErrorKind::InvalidParameter) for port 0, for no port at all, and beyond port 65535
    pub fn new(first: u16, count: u16) -> Result<Self> {
        let last = count.checked_sub(1).and_then(|more| first.checked_add(more));
        match last {
            Some(last) if first != 0 => Ok(Self { first, last }),
            _ => Err(Error::new(ErrorKind::InvalidParameter, "reading a range of ports")
                .because("give at least one port, from 1 to 65535")),
        }
    }

    /// The first port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last port.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many ports.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.last - self.first + 1
    }

    /// Whether both have a port in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return self.first.fmt(f);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PortRange {
    type Err = Error;

    /// Reads `8000` or `8000-8009`.
    fn from_str(text: &str) -> Result<Self> {
        let number =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (number(first), number(last)) {
            (Some(first @ 1..), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(Error::new(ErrorKind::InvalidParameter, "reading a range of ports")
                .because("give ports from 1 to 65535, such as 8000 or 8000-8009")),
        }
    }
}

/// A reserved range.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PortReservation {
    /// Whose ports.
    pub protocol: PortProtocol,
    /// The ports.
    pub ports: PortRange,
    /// The number that names this reservation, and never another one; `None` in the plan of one that was not made.
    pub token: Option<u64>,
    /// Whether the host keeps to it now. False where somebody has overwritten the host's list since, or the computer has
    /// started anew and nobody has put it back: see [`Host::restore_port_reservations`].
    pub is_in_force: bool,
}

impl Host {
    /// All reservations, ordered by protocol and port.
    ///
    /// - Linux: the record, and `net.ipv4.ip_local_reserved_ports`
    /// - Privilege: none
    pub fn port_reservations(&self) -> Result<Vec<PortReservation>> {
        self.backend().port_reservations()
    }

    /// The reservation of exactly these ports.
    ///
    /// - Windows: `LookupPersistentTcpPortReservation`, `LookupPersistentUdpPortReservation`
    /// - Errors: [`NotFound`](ErrorKind::NotFound), also where they are a part of a reserved range
    /// - Privilege: none
    #[doc(alias = "LookupPersistentTcpPortReservation")]
    #[doc(alias = "LookupPersistentUdpPortReservation")]
    pub fn port_reservation(&self, protocol: PortProtocol, ports: PortRange) -> Result<PortReservation> {
        self.backend().port_reservation(protocol, ports)
    }

    /// Reserves a range of ports.
    ///
    /// - Windows: `CreatePersistentTcpPortReservation`, `CreatePersistentUdpPortReservation`
    /// - Errors: [`InUse`](ErrorKind::InUse) where one of the ports is reserved for this protocol, or by somebody else in the
    ///   host's list, or a socket of this protocol has it (those of TCP that have gone but wait, `TIME_WAIT`, do not count);
    ///   [`AccessDenied`](ErrorKind::AccessDenied); [`TimedOut`](ErrorKind::TimedOut) where another program holds the lock
    ///   for ten seconds
    /// - Linux: `net.ipv4.ip_local_reserved_ports`, which is added to, never overwritten
    /// - Privilege: `CAP_NET_ADMIN` over the network namespace, and to write to `/var/lib/iphelper`
    #[doc(alias = "CreatePersistentTcpPortReservation")]
    #[doc(alias = "CreatePersistentUdpPortReservation")]
    pub fn create_port_reservation(
        &self,
        protocol: PortProtocol,
        ports: PortRange,
    ) -> Result<PortReservation> {
        self.backend().create_port_reservation(protocol, ports)
    }

    /// What [`create_port_reservation`](Self::create_port_reservation) would reserve; checks everything but the privilege,
    /// and writes nothing.
    pub fn plan_create_port_reservation(
        &self,
        protocol: PortProtocol,
        ports: PortRange,
    ) -> Result<PortReservation> {
        self.backend().plan_create_port_reservation(protocol, ports)
    }

    /// Gives up the reservation of exactly these ports, and tells what it was. The other protocol's, and what others have
    /// reserved, stays.
    ///
    /// - Windows: `DeletePersistentTcpPortReservation`, `DeletePersistentUdpPortReservation`
    /// - Errors: [`NotFound`](ErrorKind::NotFound), also where they are a part of a reserved range;
    ///   [`AccessDenied`](ErrorKind::AccessDenied); [`TimedOut`](ErrorKind::TimedOut)
    /// - Privilege: as to create one
    #[doc(alias = "DeletePersistentTcpPortReservation")]
    #[doc(alias = "DeletePersistentUdpPortReservation")]
    pub fn delete_port_reservation(
        &self,
        protocol: PortProtocol,
        ports: PortRange,
    ) -> Result<PortReservation> {
        self.backend().delete_port_reservation(protocol, ports)
    }

    /// What [`delete_port_reservation`](Self::delete_port_reservation) would give up; writes nothing.
    pub fn plan_delete_port_reservation(
        &self,
        protocol: PortProtocol,
        ports: PortRange,
    ) -> Result<PortReservation> {
        self.port_reservation(protocol, ports)
    }

    /// Puts back those reservations that the host does not keep to, and tells which: after a start of the computer, or after
    /// somebody has overwritten the host's list.
    ///
    /// - Privilege: as to create one
    pub fn restore_port_reservations(&self) -> Result<Vec<PortReservation>> {
        self.backend().restore_port_reservations()
    }

    /// What [`restore_port_reservations`](Self::restore_port_reservations) would put back; writes nothing.
    pub fn plan_restore_port_reservations(&self) -> Result<Vec<PortReservation>> {
        let mut rows = self.port_reservations()?;
        rows.retain(|row| !row.is_in_force);
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_ports_and_end_at_the_last() {
        for (first, count) in [(0, 1), (1, 0), (0, 0), (65535, 2), (2, 65535), (40000, 40000)] {
            let error = PortRange::new(first, count).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{first} {count}");
        }
        for (first, count, text) in [(1, 65535, "1-65535"), (65535, 1, "65535"), (8000, 10, "8000-8009")] {
            let range = PortRange::new(first, count).unwrap();
            assert_eq!((range.to_string().as_str(), range.count()), (text, count));
            assert_eq!(text.parse::<PortRange>().unwrap(), range);
        }
        for text in ["", "-", "0", "0-5", "9-8", "1-65536", "+1", "1-", "a", "1-2-3", " 1"] {
            assert_eq!(
                text.parse::<PortRange>().unwrap_err().kind(),
                ErrorKind::InvalidParameter,
                "{text:?}"
            );
        }
    }

    #[test]
    fn ranges_overlap_in_one_port() {
        let range = |text: &str| text.parse::<PortRange>().unwrap();
        assert!(range("10-20").overlaps(range("20-30")) && range("20-30").overlaps(range("10-20")));
        assert!(range("10-20").overlaps(range("12")) && !range("10-20").overlaps(range("21-30")));
    }
}
