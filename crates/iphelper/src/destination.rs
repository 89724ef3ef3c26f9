//! Which of several destinations to try first (RFC 6724), with the policy table of the host.
//!
//! - [`Host::sort_destinations`]
//!
//! ```no_run
//! use iphelper::Host;
//!
//! # fn main() -> iphelper::Result<()> {
//! let found: [std::net::IpAddr; 2] = [[192, 0, 2, 1].into(), "2001:db8::1".parse().unwrap()];
//! for pair in Host::open()?.sort_destinations(&found.map(Into::into))? {
//!     println!("{} from {:?}", pair.destination.address, pair.source);
//! }
//! # Ok(())
//! # }
//! ```

// Windows has a function that does it.
#[cfg(target_os = "linux")]
mod policy;
#[cfg(target_os = "linux")]
mod rules;

#[cfg(fuzzing)]
pub(crate) use policy::fuzz as fuzz_policy;

use crate::error::Result;
use crate::host::Host;
use crate::types::InterfaceIndex;
use std::net::IpAddr;

#[cfg(target_os = "linux")]
pub(crate) use policy::Policy;
#[cfg(target_os = "linux")]
pub(crate) use rules::{Candidate, Source, sort};

/// An address to be tried.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Destination {
    /// The address. One that is IPv4-mapped (`::ffff:192.0.2.1`) is an IPv4 address here.
    pub address: IpAddr,
    /// The zone of a link-local address; `None`: any link.
    pub zone: Option<InterfaceIndex>,
}

impl From<IpAddr> for Destination {
    fn from(address: IpAddr) -> Self {
        Self { address, zone: None }
    }
}

/// A destination and the address that it would be reached from.
///
/// - Windows: `SOCKADDR_IN6_PAIR`
#[doc(alias = "SOCKADDR_IN6_PAIR")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AddressPair {
    /// The source address; `None`: no route leads to the destination, or the host has no address to send from.
    pub source: Option<IpAddr>,
    /// The destination, as it was given.
    pub destination: Destination,
    /// Its place in the list that was given, from 0.
    pub place: usize,
}

impl Host {
    /// Sorts destinations by the preference that a connection should try them in (RFC 6724, section 6), each with the
    /// source address that the host would choose. Destinations that cannot be reached are last.
    ///
    /// - Errors: those of reading routes and addresses.
    /// - Linux: sources and routes by a question to the kernel for each destination, labels by `RTM_GETADDRLABEL`
    ///   (`ip addrlabel`), precedence and IPv4 scopes from `/etc/gai.conf`, as the C library reads it; where that has no
    ///   such line, those of the RFC.
    #[doc(alias = "CreateSortedAddressPairs")]
    pub fn sort_destinations(&self, destinations: &[Destination]) -> Result<Vec<AddressPair>> {
        self.backend().sort_destinations(destinations)
    }
}
