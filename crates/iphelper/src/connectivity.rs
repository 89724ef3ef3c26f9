//! How far this host, or one interface, reaches: nowhere, the link, or beyond.
//!
//! No packet is sent to find it out. Routes, addresses and neighbours say how far packets would get.

mod registration;

use crate::address::DadState;
use crate::backend::Backend;
use crate::error::{ErrorKind, Result};
use crate::host::Host;
use crate::interface::{Interface, InterfaceLevel, InterfaceType, OperStatus};
use crate::neighbor::NeighborState;
use crate::types::{Family, InterfaceKey};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use registration::ConnectivityRegistration;

/// How far packets get (`NL_NETWORK_CONNECTIVITY_LEVEL_HINT`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ConnectivityLevel {
    /// Nowhere: the interface is down or not connected, or has no address.
    #[doc(alias = "NetworkConnectivityLevelHintNone")]
    None,
    /// To the hosts of the link and of prefixes that routes name, or only that far because the router does not answer.
    #[doc(alias = "NetworkConnectivityLevelHintLocalAccess")]
    LocalAccess,
    /// Beyond, by a default route whose router is not known to be away.
    #[doc(alias = "NetworkConnectivityLevelHintInternetAccess")]
    InternetAccess,
}

impl fmt::Display for ConnectivityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::LocalAccess => "local",
            Self::InternetAccess => "internet",
        })
    }
}

impl Host {
    /// How far this host reaches: as far as the interface that reaches farthest.
    ///
    /// - Windows: `GetNetworkConnectivityHint`
    /// - Linux: as [`interface_connectivity_hint`](Self::interface_connectivity_hint), of all interfaces
    /// - Errors: those of reading interfaces, addresses, routes and neighbours
    /// - Privilege: none
    #[doc(alias = "GetNetworkConnectivityHint")]
    pub fn connectivity_hint(&self) -> Result<ConnectivityLevel> {
        of_host(&**self.backend())
    }

    /// How far packets get over one interface. Nowhere over the loopback interface.
    ///
    /// - Windows: `GetNetworkConnectivityHintForInterface`
    /// - Linux: the interface's state and addresses; the route that a packet over it takes where no other route leads
    ///   (policy rules and disabled default routes are in the answer), and the neighbour entry of its router: `FAILED` and
    ///   `INCOMPLETE` mean that it does not answer. A router that nobody has asked for yet counts as one that answers
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound)
    /// - Privilege: none
    #[doc(alias = "GetNetworkConnectivityHintForInterface")]
    pub fn interface_connectivity_hint(
        &self,
        interface: impl Into<InterfaceKey>,
    ) -> Result<ConnectivityLevel> {
        let backend = &**self.backend();
        let row = backend.interface(interface.into(), InterfaceLevel::NormalWithoutStatistics)?;
        let addresses = addresses(backend)?;
        of_interface(backend, &row, &addresses)
    }
}

pub(crate) fn of_host(backend: &dyn Backend) -> Result<ConnectivityLevel> {
    let rows = backend.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
    let addresses = addresses(backend)?;
    let mut farthest = ConnectivityLevel::None;
    for row in &rows {
        match of_interface(backend, row, &addresses) {
            Ok(level) => farthest = farthest.max(level),
            // It went meanwhile.
            Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
            Err(error) => return Err(error),
        }
        if farthest == ConnectivityLevel::InternetAccess {
            break;
        }
    }
    Ok(farthest)
}

/// The interfaces that have an address to send from, with its family.
type Addresses = Vec<(InterfaceKey, Family)>;

fn addresses(backend: &dyn Backend) -> Result<Addresses> {
    let rows = backend.unicast_addresses(None)?;
    let usable =
        rows.into_iter().filter(|row| matches!(row.dad_state, DadState::Preferred | DadState::Deprecated));
    Ok(usable.map(|row| (row.luid.into(), Family::of(&row.address))).collect())
}

fn of_interface(backend: &dyn Backend, row: &Interface, addresses: &Addresses) -> Result<ConnectivityLevel> {
    // A tunnel without a carrier of its own is "unknown".
    let works = matches!(row.oper_status, OperStatus::Up | OperStatus::Unknown);
    if !works || row.interface_type == InterfaceType::SOFTWARE_LOOPBACK {
        return Ok(ConnectivityLevel::None);
    }
    let key = row.luid.into();
    let mut farthest = ConnectivityLevel::None;
    for family in [Family::V4, Family::V6] {
        if addresses.contains(&(key, family)) {
            let leads_on = leads_on(backend, key, family)?;
            let level =
                if leads_on { ConnectivityLevel::InternetAccess } else { ConnectivityLevel::LocalAccess };
            farthest = farthest.max(level);
        }
    }
    Ok(farthest)
}

/// Whether a packet over this interface that no other route covers has a way, and its router is not known to be away.
fn leads_on(backend: &dyn Backend, interface: InterfaceKey, family: Family) -> Result<bool> {
    let anywhere = match family {
        Family::V4 => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    let query = crate::best_route::BestRouteQuery { interface: Some(interface), ..Default::default() };
    let best = match backend.best_route(anywhere, &query) {
        Ok(best) => best,
        Err(error) if is_no_way(error.kind()) => return Ok(false),
        Err(error) => return Err(error),
    };
    let router = best.route.next_hop;
    if router.is_unspecified() {
        // A tunnel, or a link on which everybody answers.
        return Ok(true);
    }
    match backend.neighbor(interface, router) {
        Ok(row) => Ok(!matches!(row.state, NeighborState::Unreachable | NeighborState::Incomplete)),
        // Nobody has asked for it.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// No route, one that says no, or an interface without the family.
fn is_no_way(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::NotFound
            | ErrorKind::NotSupported
    )
}
