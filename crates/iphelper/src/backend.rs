//! The contract between the chapters and a host: one small trait per chapter.

use crate::adapter::{Adapter as AdapterRow, AdapterQuery, DhcpLease};
use crate::address::{
    AnycastAddress, MulticastAddress, NewUnicastAddress, UnicastAddress, UnicastAddressChange,
};
use crate::best_route::{BestRoute as BestRouteRow, BestRouteQuery, RouteExplanation};
#[cfg(target_os = "linux")]
use crate::compartment::CompartmentId;
use crate::connectivity::{ConnectivityCost, ManagedInterface};
use crate::convert::InterfaceNames;
use crate::destination::{AddressPair, Destination as DestinationRow};
use crate::dns::{Dns as DnsRow, DnsChange, InterfaceDnsChange, InterfaceDnsSettings, NetworkParameters};
#[cfg(target_os = "linux")]
use crate::doctor::{Diagnosis, KeptSettings, KernelObject};
use crate::error::Result;
use crate::icmp::{EchoOptions, EchoReply, Sent};
use crate::interface::{AdminStatus, Interface as InterfaceRow, InterfaceLevel, InterfaceStackEntry};
use crate::ip_interface::{IpInterface as IpInterfaceRow, IpInterfaceChange, PropertyChange};
#[cfg(target_os = "linux")]
use crate::keeper::{KeeperOptions, KeeperStart, KeeperStatus};
use crate::neighbor::{Neighbor as NeighborRow, NeighborChange, NeighborFlush, NewNeighbor, ProxyNeighbor};
use crate::notification::{ChangeSource, WatchOptions};
use crate::path::{BandwidthEstimates, Path as PathRow, PathKey};
use crate::port_reservation::{PortProtocol, PortRange, PortReservation as PortReservationRow};
use crate::round_trip::{RoundTrip as RoundTripRow, RoundTripOptions};
use crate::route::{NewRoute, Route as RouteRow, RouteChange, RouteKey, RouteQuery, Routes};
use crate::socket::OwnerModule;
use crate::statistics::{IcmpStatistics, IpStatistics, IpStatisticsChange, TcpStatistics, UdpStatistics};
use crate::tcp::estats::{TcpEstats, TcpEstatsCollection, TcpEstatsSwitch};
use crate::tcp::{DeleteOptions, TcpConnection, TcpConnections, TcpDeletion, TcpQuery};
use crate::timestamp::{CrossTimestamp, TimestampCapabilities};
use crate::types::{Family, Guid, InterfaceKey, Prefix};
use crate::udp::{UdpEndpoint, UdpEndpoints, UdpQuery};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(fuzzing, target_os = "linux"))]
pub(crate) use linux::fuzzing;

/// Everything that a host can do.
pub(crate) trait Backend:
    Interface
    + IpInterface
    + Address
    + Adapter
    + Neighbor
    + Convert
    + Route
    + Socket
    + Tcp
    + Estats
    + Udp
    + Statistics
    + Notification
    + BestRoute
    + Path
    + Destination
    + Dns
    + Router
    + Connectivity
    + RoundTrip
    + Icmp
    + Compartment
    + Timestamp
    + PortReservation
    + Keeper
    + Doctor
    + Debug
    + Send
    + Sync
{
}

impl<
    T: Interface
        + IpInterface
        + Address
        + Adapter
        + Neighbor
        + Convert
        + Route
        + Socket
        + Tcp
        + Estats
        + Udp
        + Statistics
        + Notification
        + BestRoute
        + Path
        + Destination
        + Dns
        + Router
        + Connectivity
        + RoundTrip
        + Icmp
        + Compartment
        + Timestamp
        + PortReservation
        + Keeper
        + Doctor
        + Debug
        + Send
        + Sync,
> Backend for T
{
}

/// [`crate::timestamp`].
pub(crate) trait Timestamp {
    fn timestamp_capabilities(&self, interface: InterfaceKey) -> Result<TimestampCapabilities>;
    fn active_timestamp_capabilities(&self, interface: InterfaceKey) -> Result<TimestampCapabilities>;
    fn hardware_cross_timestamp(&self, interface: InterfaceKey) -> Result<CrossTimestamp>;
}

/// [`crate::interface`].
pub(crate) trait Interface {
    fn interfaces(&self, level: InterfaceLevel) -> Result<Vec<InterfaceRow>>;
    fn interface(&self, key: InterfaceKey, level: InterfaceLevel) -> Result<InterfaceRow>;
    fn interface_stack(&self) -> Result<Vec<InterfaceStackEntry>>;
    fn set_interface_admin_status(&self, key: InterfaceKey, status: AdminStatus) -> Result<()>;
}

/// [`crate::ip_interface`].
pub(crate) trait IpInterface {
    fn ip_interfaces(&self, family: Option<Family>) -> Result<Vec<IpInterfaceRow>>;
    fn ip_interface(&self, family: Family, key: InterfaceKey) -> Result<IpInterfaceRow>;
    fn set_ip_interface(
        &self,
        family: Family,
        key: InterfaceKey,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>>;
    fn plan_set_ip_interface(
        &self,
        family: Family,
        key: InterfaceKey,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>>;
    /// IPv4's change and IPv6's, all or nothing; the changes of each.
    fn set_ip_interface_families(
        &self,
        key: InterfaceKey,
        changes: [&IpInterfaceChange; 2],
    ) -> Result<[Vec<PropertyChange>; 2]>;
    fn plan_set_ip_interface_families(
        &self,
        key: InterfaceKey,
        changes: [&IpInterfaceChange; 2],
    ) -> Result<[Vec<PropertyChange>; 2]>;
    fn set_path_mtu_discovery_timeout(&self, family: Family, timeout: Duration) -> Result<()>;
}

/// [`crate::address`].
pub(crate) trait Address {
    fn unicast_addresses(&self, family: Option<Family>) -> Result<Vec<UnicastAddress>>;
    fn unicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<UnicastAddress>;
    fn plan_create_unicast_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress>;
    fn create_unicast_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress>;
    fn plan_set_unicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>>;
    fn set_unicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>>;
    fn plan_delete_unicast_address(&self, interface: InterfaceKey, address: IpAddr)
    -> Result<UnicastAddress>;
    fn delete_unicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<UnicastAddress>;
    #[cfg(target_os = "linux")]
    fn stable_waiter(self: Arc<Self>, family: Option<Family>) -> Result<Box<dyn StableWaiter>>;
    fn create_anycast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress>;
    fn plan_create_anycast_address(&self, interface: InterfaceKey, address: IpAddr)
    -> Result<AnycastAddress>;
    fn delete_anycast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress>;
    fn plan_delete_anycast_address(&self, interface: InterfaceKey, address: IpAddr)
    -> Result<AnycastAddress>;
    fn anycast_addresses(&self, family: Option<Family>) -> Result<Vec<AnycastAddress>>;
    fn anycast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<AnycastAddress>;
    fn multicast_addresses(&self, family: Option<Family>) -> Result<Vec<MulticastAddress>>;
    fn multicast_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<MulticastAddress>;
}

/// [`crate::adapter`].
pub(crate) trait Adapter {
    fn adapters(&self, query: &AdapterQuery) -> Result<Vec<AdapterRow>>;
    fn adapter(&self, key: InterfaceKey, query: &AdapterQuery) -> Result<AdapterRow>;
    fn renew_address(&self, key: InterfaceKey) -> Result<DhcpLease>;
    fn plan_renew_address(&self, key: InterfaceKey) -> Result<Option<DhcpLease>>;
    fn release_address(&self, key: InterfaceKey) -> Result<DhcpLease>;
    fn plan_release_address(&self, key: InterfaceKey) -> Result<DhcpLease>;
}

/// [`crate::neighbor`].
pub(crate) trait Neighbor {
    fn neighbors(&self, family: Option<Family>) -> Result<Vec<NeighborRow>>;
    fn neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<NeighborRow>;
    fn proxy_neighbors(&self, family: Option<Family>) -> Result<Vec<ProxyNeighbor>>;
    fn create_neighbor(&self, new: &NewNeighbor) -> Result<NeighborRow>;
    fn plan_create_neighbor(&self, new: &NewNeighbor) -> Result<NeighborRow>;
    fn set_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &NeighborChange,
    ) -> Result<Vec<PropertyChange>>;
    fn plan_set_neighbor(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &NeighborChange,
    ) -> Result<Vec<PropertyChange>>;
    fn delete_neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<NeighborRow>;
    fn plan_delete_neighbor(&self, interface: InterfaceKey, address: IpAddr) -> Result<NeighborRow>;
    fn flush_neighbors(&self, which: &NeighborFlush) -> Result<Vec<NeighborRow>>;
    fn plan_flush_neighbors(&self, which: &NeighborFlush) -> Result<Vec<NeighborRow>>;
    fn create_proxy_neighbors(&self, interface: InterfaceKey, prefix: Prefix) -> Result<Vec<ProxyNeighbor>>;
    fn plan_create_proxy_neighbors(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>>;
    fn delete_proxy_neighbors(&self, interface: InterfaceKey, prefix: Prefix) -> Result<Vec<ProxyNeighbor>>;
    fn plan_delete_proxy_neighbors(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
    ) -> Result<Vec<ProxyNeighbor>>;
    fn resolve_neighbor(
        &self,
        address: IpAddr,
        interface: Option<InterfaceKey>,
        source: Option<IpAddr>,
    ) -> Result<NeighborRow>;
}

/// Waits until it is known of every address whether it can be used.
#[cfg(target_os = "linux")]
pub(crate) trait StableWaiter: Debug + Send {
    /// The table if it is stable now.
    fn stable(&mut self) -> Result<Option<Vec<UnicastAddress>>>;
    /// The table once it is stable; `None` if `stop` becomes readable before.
    fn wait(&mut self, stop: std::os::fd::BorrowedFd<'_>) -> Result<Option<Vec<UnicastAddress>>>;
}

/// [`crate::convert`].
pub(crate) trait Convert {
    fn interface_names(&self, key: InterfaceKey) -> Result<InterfaceNames>;
    fn interface_named(&self, name: &str) -> Result<InterfaceNames>;
    fn interface_with_guid(&self, guid: Guid) -> Result<InterfaceNames>;
}

/// [`crate::route`].
pub(crate) trait Route {
    fn routes(&self, query: &RouteQuery) -> Result<Vec<RouteRow>>;
    fn routes_iter(&self, query: &RouteQuery) -> Result<Routes>;
    fn route(&self, key: &RouteKey) -> Result<RouteRow>;
    fn create_routes(&self, new: &[NewRoute]) -> Result<Vec<Result<RouteRow>>>;
    fn plan_create_route(&self, new: &NewRoute) -> Result<RouteRow>;
    fn set_route(&self, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>>;
    fn plan_set_route(&self, key: &RouteKey, change: &RouteChange) -> Result<Vec<PropertyChange>>;
    fn delete_route(&self, key: &RouteKey) -> Result<RouteRow>;
    fn plan_delete_route(&self, key: &RouteKey) -> Result<RouteRow>;
}

/// [`crate::socket`].
pub(crate) trait Socket {
    fn socket_owner_module(&self, inode: Option<u64>, process: Option<u32>) -> Result<OwnerModule>;
}

/// [`crate::tcp`].
pub(crate) trait Tcp {
    fn tcp_connections(&self, query: &TcpQuery) -> Result<Vec<TcpConnection>>;
    fn tcp_connections_iter(&self, query: &TcpQuery) -> Result<TcpConnections>;
    fn tcp_connection(&self, local: SocketAddr, remote: SocketAddr) -> Result<TcpConnection>;
    fn delete_tcp_connections(
        &self,
        connections: &[TcpConnection],
        options: DeleteOptions,
    ) -> Result<Vec<Result<()>>>;
    fn delete_tcp_endpoints(&self, local: SocketAddr, remote: SocketAddr) -> Result<()>;
    fn delete_tcp_matching(&self, query: &TcpQuery, options: DeleteOptions) -> Result<Vec<TcpDeletion>>;
    fn own_terminal_connections(&self) -> Result<Vec<TcpConnection>>;
}

/// [`crate::tcp::estats`].
pub(crate) trait Estats {
    fn tcp_estats(&self, connection: &TcpConnection) -> Result<TcpEstats>;
    fn tcp_estats_collection(&self, connection: &TcpConnection) -> Result<TcpEstatsCollection>;
    /// What is changed, or with `write` false would be.
    fn set_tcp_estats_collection(
        &self,
        connection: &TcpConnection,
        switches: &[(TcpEstatsSwitch, bool)],
        write: bool,
    ) -> Result<Vec<PropertyChange>>;
}

/// [`crate::udp`].
pub(crate) trait Udp {
    fn udp_endpoints(&self, query: &UdpQuery) -> Result<Vec<UdpEndpoint>>;
    fn udp_endpoints_iter(&self, query: &UdpQuery) -> Result<UdpEndpoints>;
    fn delete_udp_endpoint(&self, local: SocketAddr, remote: Option<SocketAddr>) -> Result<()>;
}

/// [`crate::statistics`].
pub(crate) trait Statistics {
    fn ip_statistics(&self, family: Family) -> Result<IpStatistics>;
    /// What is changed, or with `write` false would be.
    fn set_ip_statistics(
        &self,
        family: Family,
        change: &IpStatisticsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>>;
    fn icmp_statistics(&self, family: Family) -> Result<IcmpStatistics>;
    fn tcp_statistics(&self, family: Option<Family>) -> Result<TcpStatistics>;
    fn udp_statistics(&self, family: Family) -> Result<UdpStatistics>;
}

/// [`crate::notification`].
pub(crate) trait Notification {
    fn watch(self: Arc<Self>, options: WatchOptions) -> Result<Arc<dyn ChangeSource>>;
}

/// [`crate::keeper`].
pub(crate) trait Keeper {
    #[cfg(target_os = "linux")]
    fn keeper(self: Arc<Self>, options: &KeeperOptions) -> Result<Box<dyn KeeperLoop>>;
    #[cfg(target_os = "linux")]
    fn keeper_runs(&self) -> Result<Option<bool>>;
    #[cfg(target_os = "linux")]
    fn keeper_status(&self, options: &KeeperOptions) -> Result<Option<KeeperStatus>>;
    #[cfg(target_os = "linux")]
    fn ensure_keeper(&self, start: &KeeperStart) -> Result<bool>;
}

/// [`crate::doctor`].
pub(crate) trait Doctor {
    fn may_administrate(&self) -> Result<bool>;
    #[cfg(target_os = "linux")]
    fn diagnose(&self) -> Result<Diagnosis>;
    #[cfg(target_os = "linux")]
    fn kept_settings(&self) -> Result<Vec<KeptSettings>>;
    #[cfg(target_os = "linux")]
    fn kernel_objects(&self) -> Result<Vec<KernelObject>>;
}

/// [`crate::best_route`].
pub(crate) trait BestRoute {
    fn best_route(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<BestRouteRow>;
    fn explain_route(&self, destination: IpAddr, query: &BestRouteQuery) -> Result<RouteExplanation>;
}

/// [`crate::path`].
pub(crate) trait Path {
    fn paths(&self, family: Option<Family>) -> Result<Vec<PathRow>>;
    fn path(&self, key: &PathKey) -> Result<PathRow>;
    fn flush_paths(&self, family: Option<Family>) -> Result<()>;
    fn bandwidth_estimates(&self, family: Family, interface: InterfaceKey) -> Result<BandwidthEstimates>;
}

/// [`crate::destination`].
pub(crate) trait Destination {
    fn sort_destinations(&self, destinations: &[DestinationRow]) -> Result<Vec<AddressPair>>;
}

/// [`crate::dns`].
pub(crate) trait Dns {
    fn dns(&self) -> Result<DnsRow>;
    fn network_parameters(&self) -> Result<NetworkParameters>;
    fn interface_dns(&self, key: InterfaceKey) -> Result<InterfaceDnsSettings>;
    /// What is changed, or with `write` false would be.
    fn set_interface_dns(
        &self,
        key: InterfaceKey,
        change: &InterfaceDnsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>>;
    /// What is changed, or with `write` false would be.
    fn set_dns(&self, change: &DnsChange, write: bool) -> Result<Vec<PropertyChange>>;
}

/// [`crate::connectivity`].
pub(crate) trait Connectivity {
    /// What this host's network manager has found out; `None`: there is none that could be asked.
    fn network_manager(&self) -> Option<Box<dyn NetworkManager>>;
    /// Calls `changed` whenever it may have found out something else, has come or gone, until what is returned is
    /// dropped. The first call comes when the watch has begun.
    fn watch_network_manager(&self, changed: Box<dyn Fn() + Send>) -> Result<Box<dyn Send + Sync>>;
}

/// What a network manager has found out. Each answer stays as it was given first.
pub(crate) trait NetworkManager: Send {
    /// What it costs to send by the connection that most packets take.
    fn cost(&self) -> Option<ConnectivityCost>;
    /// Of one interface.
    fn interface(&self, name: &str) -> ManagedInterface;
}

/// [`crate::router`].
pub(crate) trait Router {
    fn enable_router(self: Arc<Self>) -> Result<Box<dyn RouterHold>>;
}

/// [`crate::icmp`].
pub(crate) trait Icmp {
    fn open_echo(&self, family: Family, options: &EchoOptions) -> Result<Box<dyn EchoChannel>>;
}

/// A socket of [`Icmp::open_echo`].
pub(crate) trait EchoChannel: Debug + Send {
    fn send(&mut self, destination: IpAddr, scope_id: u32, data: &[u8]) -> Result<Sent>;
    fn try_next(&mut self) -> Result<Option<EchoReply>>;
    /// Whether something may have come before `end`.
    fn wait(&self, end: Instant) -> Result<bool>;
    #[cfg(unix)]
    fn descriptor(&self) -> std::os::fd::BorrowedFd<'_>;
}

/// [`crate::round_trip`].
pub(crate) trait RoundTrip {
    fn round_trip(&self, destination: IpAddr, options: &RoundTripOptions) -> Result<RoundTripRow>;
}

/// [`crate::compartment`].
pub(crate) trait Compartment {
    #[cfg(target_os = "linux")]
    fn compartment_id(&self) -> Result<CompartmentId>;
}

/// [`crate::port_reservation`].
pub(crate) trait PortReservation {
    fn port_reservations(&self) -> Result<Vec<PortReservationRow>>;
    fn port_reservation(&self, protocol: PortProtocol, ports: PortRange) -> Result<PortReservationRow>;
    fn create_port_reservation(&self, protocol: PortProtocol, ports: PortRange)
    -> Result<PortReservationRow>;
    fn plan_create_port_reservation(
        &self,
        protocol: PortProtocol,
        ports: PortRange,
    ) -> Result<PortReservationRow>;
    fn delete_port_reservation(&self, protocol: PortProtocol, ports: PortRange)
    -> Result<PortReservationRow>;
    fn restore_port_reservations(&self) -> Result<Vec<PortReservationRow>>;
}

/// A wish that this host be a router.
pub(crate) trait RouterHold: Send + Sync {
    /// Takes it back; how many are left.
    fn release(self: Box<Self>) -> Result<usize>;
}

/// A keeper at work.
#[cfg(target_os = "linux")]
pub(crate) trait KeeperLoop: Debug + Send {
    fn run(&mut self, stop: std::os::fd::BorrowedFd<'_>) -> Result<()>;
}

/// This computer's network stack.
#[cfg(target_os = "linux")]
pub(crate) fn open() -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(linux::LinuxHost::open()?))
}

/// Another network namespace of this computer.
#[cfg(target_os = "linux")]
pub(crate) fn open_namespace(namespace: std::os::fd::OwnedFd) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(linux::LinuxHost::open_namespace(namespace)?))
}

/// The compartments of this computer, whichever a host is bound to.
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    compartment_guid, compartment_with_guid, compartments, current_thread_compartment, default_compartment,
    enter_compartment, name_compartment, no_descriptor, open_compartment, open_compartment_of_process,
    open_current_compartment, open_named_compartment, process_compartment, session_compartment,
};

/// The time of day when this computer was up for so long.
#[cfg(target_os = "linux")]
pub(crate) use linux::{is_internal_route, time_of_uptime};

/// Starts a thread that none of the program's signal handlers runs on.
#[cfg(target_os = "linux")]
pub(crate) use linux::start_thread;

/// Starts a thread.
#[cfg(not(target_os = "linux"))]
pub(crate) fn start_thread(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>> {
    use crate::error::{Error, ErrorKind};
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::new(ErrorKind::ResourceLimit, "starting a thread").because(error.to_string()))
}

/// This computer's network stack.
#[cfg(not(target_os = "linux"))]
pub(crate) fn open() -> Result<Arc<dyn Backend>> {
    use crate::error::{Error, ErrorKind};
    Err(Error::new(ErrorKind::NotSupported, "opening the network stack")
        .because("iphelper has a back end for Linux only"))
}
