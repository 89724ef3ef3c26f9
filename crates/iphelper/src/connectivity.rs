//! How far this host, or one interface, reaches: nowhere, the link, or beyond; and what that costs.
//!
//! No packet is sent to find it out. Routes, addresses and neighbours say how far packets would get. Where NetworkManager
//! manages this namespace, what it has found out by a check of its own counts, too: it knows captive portals, networks that
//! lead nowhere, and metered ones.
//!
//! - [`Host::connectivity_hint`], [`Host::interface_connectivity_hint`]; [`Host::notify_connectivity_change`] calls back when it
//!   changes
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::connectivity::ConnectivityLevel;
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let eth0 = host.interface_named("eth0")?;
//! let hint = host.interface_connectivity_hint(&eth0)?;
//! if hint.level < ConnectivityLevel::InternetAccess {
//!     println!("eth0 reaches {}, the host {}", hint.level, host.connectivity_hint()?.level);
//! }
//! # Ok(())
//! # }
//! ```

mod registration;

use crate::address::DadState;
use crate::backend::{Backend, NetworkManager};
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
    /// Beyond, once somebody has logged in to a captive portal. NetworkManager alone knows it.
    #[doc(alias = "NetworkConnectivityLevelHintConstrainedInternetAccess")]
    ConstrainedInternetAccess,
    /// Beyond, by a default route whose router is not known to be away.
    #[doc(alias = "NetworkConnectivityLevelHintInternetAccess")]
    InternetAccess,
}

impl fmt::Display for ConnectivityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::LocalAccess => "local",
            Self::ConstrainedInternetAccess => "constrained",
            Self::InternetAccess => "internet",
        })
    }
}

/// What it costs to send (`NL_NETWORK_CONNECTIVITY_COST_HINT`).
///
/// NetworkManager does not tell a network that costs by the octet (Windows' `Variable`) from one that has a limit.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ConnectivityCost {
    /// Nothing: the network is not metered.
    #[doc(alias = "NetworkConnectivityCostHintUnrestricted")]
    Unrestricted,
    /// It is metered: free up to some limit, as Windows calls a network that its user has marked so.
    #[doc(alias = "NetworkConnectivityCostHintFixed")]
    Fixed,
}

impl fmt::Display for ConnectivityCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unrestricted => "unrestricted",
            Self::Fixed => "fixed",
        })
    }
}

/// How far packets get, and what that costs.
///
/// Windows also tells whether a data limit is near or passed, and whether a modem roams: nobody on a Linux host keeps the
/// first two, and the third is the modem's, not its network's.
#[doc(alias = "NL_NETWORK_CONNECTIVITY_HINT")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ConnectivityHint {
    /// How far.
    pub level: ConnectivityLevel,
    /// What it costs; `None`: nobody on this host knows.
    pub cost: Option<ConnectivityCost>,
}

/// What a network manager says of an interface.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ManagedInterface {
    /// How far its last check got; `None`: it does not check, or has not yet.
    pub(crate) v4: Option<ConnectivityLevel>,
    pub(crate) v6: Option<ConnectivityLevel>,
    pub(crate) cost: Option<ConnectivityCost>,
}

impl Host {
    /// How far this host reaches: as far as the interface that reaches farthest; and what its ordinary way out costs.
    ///
    /// - Windows: `GetNetworkConnectivityHint`
    /// - Linux: the level as [`interface_connectivity_hint`](Self::interface_connectivity_hint), of all interfaces; the cost
    ///   is NetworkManager's `Metered`, which is that of its primary connection
    /// - Errors: those of reading interfaces, addresses, routes and neighbours
    /// - Privilege: none
    #[doc(alias = "GetNetworkConnectivityHint")]
    pub fn connectivity_hint(&self) -> Result<ConnectivityHint> {
        let backend = &**self.backend();
        of_host(backend, backend.network_manager().as_deref())
    }

    /// How far packets get over one interface, and what they cost. Nowhere over the loopback interface.
    ///
    /// - Windows: `GetNetworkConnectivityHintForInterface`
    /// - Linux: the interface's state and addresses; the route that a packet over it takes where no other route leads
    ///   (policy rules and disabled default routes are in the answer), and the neighbour entry of its router: `FAILED` and
    ///   `INCOMPLETE` mean that it does not answer. A router that nobody has asked for yet counts as one that answers.
    ///   Where NetworkManager runs in this namespace, has activated the device and checks: of a way that leads on by these,
    ///   `Ip4Connectivity` and `Ip6Connectivity` say whether it ends before (`limited`, `none`) or in a portal. The cost is
    ///   the device's `Metered`, set or guessed. A manager that does not answer has found out nothing
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound)
    /// - Privilege: none
    #[doc(alias = "GetNetworkConnectivityHintForInterface")]
    pub fn interface_connectivity_hint(
        &self,
        interface: impl Into<InterfaceKey>,
    ) -> Result<ConnectivityHint> {
        let backend = &**self.backend();
        let row = backend.interface(interface.into(), InterfaceLevel::NormalWithoutStatistics)?;
        let addresses = addresses(backend)?;
        let manager = backend.network_manager();
        let level = of_interface(backend, &row, &addresses, manager.as_deref())?;
        Ok(ConnectivityHint { level, cost: manager.and_then(|manager| manager.interface(&row.name).cost) })
    }
}

pub(crate) fn of_host(
    backend: &dyn Backend,
    manager: Option<&dyn NetworkManager>,
) -> Result<ConnectivityHint> {
    let rows = backend.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
    let addresses = addresses(backend)?;
    let mut farthest = ConnectivityLevel::None;
    for row in &rows {
        match of_interface(backend, row, &addresses, manager) {
            Ok(level) => farthest = farthest.max(level),
            // It went meanwhile.
            Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
            Err(error) => return Err(error),
        }
        if farthest == ConnectivityLevel::InternetAccess {
            break;
        }
    }
    Ok(ConnectivityHint { level: farthest, cost: manager.and_then(NetworkManager::cost) })
}

/// The interfaces that have an address to send from, with its family.
type Addresses = Vec<(InterfaceKey, Family)>;

fn addresses(backend: &dyn Backend) -> Result<Addresses> {
    let rows = backend.unicast_addresses(None)?;
    let usable =
        rows.into_iter().filter(|row| matches!(row.dad_state, DadState::Preferred | DadState::Deprecated));
    Ok(usable.map(|row| (row.luid.into(), Family::of(&row.address))).collect())
}

fn of_interface(
    backend: &dyn Backend,
    row: &Interface,
    addresses: &Addresses,
    manager: Option<&dyn NetworkManager>,
) -> Result<ConnectivityLevel> {
    // A tunnel without a carrier of its own is "unknown".
    let works = matches!(row.oper_status, OperStatus::Up | OperStatus::Unknown);
    if !works || row.interface_type == InterfaceType::SOFTWARE_LOOPBACK {
        return Ok(ConnectivityLevel::None);
    }
    let key = row.luid.into();
    let mut farthest = ConnectivityLevel::None;
    for family in [Family::V4, Family::V6] {
        if addresses.contains(&(key, family)) {
            let level = if leads_on(backend, key, family)? {
                // Asked about a way out alone: where there is none, the kernel knows it first.
                let found = manager.map(|manager| manager.interface(&row.name));
                let found = found.and_then(|found| if family == Family::V4 { found.v4 } else { found.v6 });
                found.unwrap_or(ConnectivityLevel::InternetAccess)
            } else {
                ConnectivityLevel::LocalAccess
            };
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
