//! Interfaces: identity, state, speed and counters, and the stacking of one on another.
//!
//! The link layer's view. What IP knows of an interface is in [`ip_interface`](crate::ip_interface).
//!
//! - Read: [`Host::interfaces`], [`Host::interface`], [`Host::interface_stack`]
//! - Up and down: [`Host::set_interface_admin_status`]
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::interface::InterfaceLevel;
//!
//! # fn main() -> iphelper::Result<()> {
//! for row in Host::open()?.interfaces(InterfaceLevel::NormalWithoutStatistics)? {
//!     let speed = row.transmit_link_speed.map_or("unknown".to_owned(), |bits| format!("{} Mbit/s", bits / 1_000_000));
//!     println!("{} {} is {}, speed {speed}", row.index, row.name, row.oper_status);
//! }
//! # Ok(())
//! # }
//! ```

use crate::Host;
use crate::error::Result;
use crate::types::{Guid, InterfaceIndex, InterfaceKey, InterfaceLuid, PhysicalAddress};
use std::fmt;

/// How much of an interface is read.
#[doc(alias = "MIB_IF_TABLE_LEVEL")]
#[doc(alias = "MIB_IF_ENTRY_LEVEL")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum InterfaceLevel {
    /// State and counters as seen at the top of the interface's stack.
    #[default]
    Normal,
    /// State and counters of the interface itself. Linux has no filter stack on top of a device, so this reads the same.
    Raw,
    /// State without counters: [`Interface::statistics`] is `None`.
    NormalWithoutStatistics,
}

/// A row of the interface table.
///
/// Where a member says nothing else, its value is Windows' `MIB_IF_ROW2` member of the same name.
#[doc(alias = "MIB_IF_ROW2")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Interface {
    /// The LUID, which a later interface on the same index does not get.
    pub luid: InterfaceLuid,
    /// The index.
    pub index: InterfaceIndex,
    /// The GUID: version 5, from the permanent address where there is one, else from LUID and namespace.
    pub guid: Guid,
    /// The name that people use (`eth0`), bytes that are not UTF-8 replaced. Linux: `IFLA_IFNAME`.
    #[doc(alias = "Alias")]
    pub name: String,
    /// What somebody wrote about the interface (`ip link set alias`), else its kind (`veth`), else bus and device of the
    /// hardware (`pci 0000:00:1f.6`). Linux: `IFLA_IFALIAS`, `IFLA_INFO_KIND`, `IFLA_PARENT_DEV_BUS_NAME` and `_NAME`.
    pub description: String,
    /// The link-layer address, up to 32 bytes; empty where there is none. Linux: `IFLA_ADDRESS`.
    pub physical_address: PhysicalAddress,
    /// The address that the hardware came with. Linux: `IFLA_PERM_ADDRESS`.
    pub permanent_physical_address: Option<PhysicalAddress>,
    /// Largest packet in octets, link-layer header left out. Linux: `IFLA_MTU`.
    pub mtu: u32,
    /// The kind of interface, an IANA number.
    pub interface_type: InterfaceType,
    /// The kind of tunnel, where `interface_type` is [`InterfaceType::TUNNEL`].
    pub tunnel_type: TunnelType,
    /// The medium as the driver shows it, from the type.
    pub media_type: MediaType,
    /// The medium in fact; unspecified for what is not hardware.
    pub physical_medium_type: PhysicalMedium,
    /// How many others a frame reaches.
    pub access_type: AccessType,
    /// Whether the interface sends and receives.
    pub direction_type: DirectionType,
    /// Whether the interface stands for hardware of this computer, real or emulated. Linux: `IFLA_PARENT_DEV_NAME`.
    pub hardware_interface: bool,
    /// Whether the interface has a connector, which on Linux all hardware has.
    pub connector_present: bool,
    /// Whether no carrier is there. Linux: `IFF_LOWER_UP` missing on an interface that is up.
    pub not_media_connected: bool,
    /// Operational state (RFC 2863). Linux: `IFLA_OPERSTATE`; an interface whose driver does not tell (loopback, TUN) is
    /// up while the kernel uses it as one that is (`IFF_RUNNING`, `IFF_LOWER_UP`).
    pub oper_status: OperStatus,
    /// What the administrator asked for. Linux: `IFF_UP`.
    pub admin_status: AdminStatus,
    /// Whether the carrier is there; `Unknown` while the interface is down. Linux: `IFLA_CARRIER`.
    pub media_connect_state: MediaConnectState,
    /// Whether the interface is always there or comes with a call.
    pub connection_type: ConnectionType,
    /// Transmit speed in bits per second, `None` where the driver does not know. Linux: `ETHTOOL_A_LINKMODES_SPEED`.
    pub transmit_link_speed: Option<u64>,
    /// Receive speed in bits per second; Linux knows one speed for both directions.
    pub receive_link_speed: Option<u64>,
    /// Counters, unless they were not asked for.
    pub statistics: Option<InterfaceStatistics>,
}

/// Counters of an interface since it was made.
///
/// What Linux does not count apart is `None`, and 0 in C.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct InterfaceStatistics {
    /// Octets received without error. Linux: `rx_bytes`.
    pub in_octets: u64,
    /// Packets received that are not in [`in_nucast_packets`](Self::in_nucast_packets). Linux: `rx_packets` less
    /// `multicast`.
    pub in_ucast_packets: u64,
    /// Multicast packets received. Linux: `multicast`, which not every driver counts, and which leaves broadcast out.
    pub in_nucast_packets: u64,
    /// Packets dropped on input though they were not in error. Linux: `rx_dropped` and `rx_missed_errors`.
    pub in_discards: u64,
    /// Packets dropped on input for errors. Linux: `rx_errors`.
    pub in_errors: u64,
    /// Packets of an unknown protocol. Linux counts them among `rx_dropped`: `None`.
    pub in_unknown_protocols: Option<u64>,
    /// Octets of unicast packets received. Not counted by Linux: `None`.
    pub in_ucast_octets: Option<u64>,
    /// Octets of multicast packets received. Not counted by Linux: `None`.
    pub in_multicast_octets: Option<u64>,
    /// Octets of broadcast packets received. Not counted by Linux: `None`.
    pub in_broadcast_octets: Option<u64>,
    /// Octets sent. Linux: `tx_bytes`.
    pub out_octets: u64,
    /// Packets sent. Linux: `tx_packets`, multicast and broadcast among them.
    pub out_ucast_packets: u64,
    /// Multicast and broadcast packets sent. Linux counts them among `tx_packets`: `None`.
    pub out_nucast_packets: Option<u64>,
    /// Packets dropped on output though they were not in error. Linux: `tx_dropped`.
    pub out_discards: u64,
    /// Packets not sent for errors. Linux: `tx_errors`.
    pub out_errors: u64,
    /// Octets of unicast packets sent. Not counted by Linux: `None`.
    pub out_ucast_octets: Option<u64>,
    /// Octets of multicast packets sent. Not counted by Linux: `None`.
    pub out_multicast_octets: Option<u64>,
    /// Octets of broadcast packets sent. Not counted by Linux: `None`.
    pub out_broadcast_octets: Option<u64>,
}

/// Kinds of interfaces, IANA's ifType numbers (`IF_TYPE_*`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct InterfaceType(pub u16);

#[allow(missing_docs, reason = "the names are IANA's")]
impl InterfaceType {
    pub const OTHER: Self = Self(1);
    pub const RFC877_X25: Self = Self(5);
    pub const ETHERNET_CSMACD: Self = Self(6);
    pub const FDDI: Self = Self(15);
    pub const LAP_B: Self = Self(16);
    pub const PPP: Self = Self(23);
    pub const SOFTWARE_LOOPBACK: Self = Self(24);
    pub const SLIP: Self = Self(28);
    pub const FRAMERELAY: Self = Self(32);
    pub const ARCNET: Self = Self(35);
    pub const ATM: Self = Self(37);
    pub const PROP_VIRTUAL: Self = Self(53);
    pub const IEEE80211: Self = Self(71);
    pub const HDLC: Self = Self(118);
    pub const TUNNEL: Self = Self(131);
    pub const IEEE1394: Self = Self(144);
    pub const INFINIBAND: Self = Self(199);
    pub const WWANPP: Self = Self(243);
    pub const IEEE802154: Self = Self(259);
}

/// Media as drivers show them (`NDIS_MEDIUM`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MediaType(pub u32);

#[allow(missing_docs, reason = "the names are NDIS'")]
impl MediaType {
    pub const IEEE802_3: Self = Self(0);
    pub const FDDI: Self = Self(2);
    pub const WAN: Self = Self(3);
    pub const ATM: Self = Self(8);
    pub const WIRELESS_WAN: Self = Self(9);
    pub const IEEE1394: Self = Self(13);
    pub const INFINIBAND: Self = Self(14);
    pub const TUNNEL: Self = Self(15);
    pub const NATIVE_802_11: Self = Self(16);
    pub const LOOPBACK: Self = Self(17);
    pub const IP: Self = Self(19);
}

/// Media in fact (`NDIS_PHYSICAL_MEDIUM`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PhysicalMedium(pub u32);

#[allow(missing_docs, reason = "the names are NDIS'")]
impl PhysicalMedium {
    pub const UNSPECIFIED: Self = Self(0);
    pub const IEEE1394: Self = Self(7);
    pub const WIRELESS_WAN: Self = Self(8);
    pub const NATIVE_802_11: Self = Self(9);
    pub const INFINIBAND: Self = Self(11);
    pub const IEEE802_3: Self = Self(14);
    pub const NATIVE_802_15_4: Self = Self(20);
}

/// Kinds of tunnels (`TUNNEL_TYPE`).
#[allow(missing_docs, reason = "the names are IANA's tunnelType")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TunnelType {
    #[default]
    None,
    Other,
    Direct,
    SixToFour,
    Isatap,
    Teredo,
    IpHttps,
}

/// How many others a frame on the interface can reach (`NET_IF_ACCESS_TYPE`).
#[allow(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AccessType {
    Loopback,
    Broadcast,
    PointToPoint,
    PointToMultiPoint,
}

/// Which way frames go on the interface (`NET_IF_DIRECTION_TYPE`).
#[allow(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DirectionType {
    SendReceive,
    SendOnly,
    ReceiveOnly,
}

/// RFC 2863 ifOperStatus (`IF_OPER_STATUS`).
#[allow(missing_docs, reason = "the names are RFC 2863's")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OperStatus {
    Up,
    Down,
    Testing,
    Unknown,
    Dormant,
    NotPresent,
    LowerLayerDown,
}

/// RFC 2863 ifAdminStatus (`NET_IF_ADMIN_STATUS`).
#[allow(missing_docs, reason = "the names are RFC 2863's")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AdminStatus {
    Up,
    Down,
}

/// Whether a medium is connected (`NET_IF_MEDIA_CONNECT_STATE`).
#[allow(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MediaConnectState {
    Unknown,
    Connected,
    Disconnected,
}

/// How an interface comes to be connected (`NET_IF_CONNECTION_TYPE`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ConnectionType {
    /// Always there.
    Dedicated,
    /// Comes up when the other side calls.
    Passive,
    /// Comes up on demand.
    Demand,
}

/// One interface standing on another: a bridge on its ports, a macvlan or VLAN on its device.
#[doc(alias = "MIB_IFSTACK_ROW")]
#[doc(alias = "MIB_INVERTEDIFSTACK_ROW")]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InterfaceStackEntry {
    /// The interface on top.
    pub higher: InterfaceIndex,
    /// The interface under it.
    pub lower: InterfaceIndex,
}

impl Host {
    /// All interfaces of this host, ordered by index, loopback among them.
    ///
    /// - Windows: `GetIfTable2`, `GetIfTable2Ex`, `GetIfTable`, `GetNumberOfInterfaces`
    /// - Linux: one `RTM_GETLINK` dump and one `ETHTOOL_MSG_LINKMODES_GET` dump, and one of nl80211 where hardware is there
    /// - Privilege: none
    #[doc(alias = "GetIfTable2")]
    #[doc(alias = "GetIfTable2Ex")]
    #[doc(alias = "GetIfTable")]
    #[doc(alias = "GetNumberOfInterfaces")]
    pub fn interfaces(&self, level: InterfaceLevel) -> Result<Vec<Interface>> {
        self.backend().interfaces(level)
    }

    /// One interface.
    ///
    /// - Windows: `GetIfEntry2`, `GetIfEntry2Ex`, `GetIfEntry`
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound)
    /// - Privilege: none
    #[doc(alias = "GetIfEntry2")]
    #[doc(alias = "GetIfEntry2Ex")]
    #[doc(alias = "GetIfEntry")]
    pub fn interface(&self, key: impl Into<InterfaceKey>, level: InterfaceLevel) -> Result<Interface> {
        self.backend().interface(key.into(), level)
    }

    /// Which interface stands on which, ordered by the higher index, then the lower.
    ///
    /// The first-to-last order of `GetIfStackTable`; sorted by the lower index it is `GetInvertedIfStackTable`.
    ///
    /// - Linux: `IFLA_MASTER` of the ports, `IFLA_LINK` of devices made on another in the same namespace
    /// - Privilege: none
    #[doc(alias = "GetIfStackTable")]
    #[doc(alias = "GetInvertedIfStackTable")]
    pub fn interface_stack(&self) -> Result<Vec<InterfaceStackEntry>> {
        self.backend().interface_stack()
    }

    /// Switches an interface on or off, as `ip link set up` and `down` do.
    ///
    /// - Windows: `SetIfEntry` (`dwAdminStatus`)
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound),
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: `RTM_SETLINK` with `IFF_UP`
    /// - Privilege: `CAP_NET_ADMIN`
    #[doc(alias = "SetIfEntry")]
    pub fn set_interface_admin_status(
        &self,
        key: impl Into<InterfaceKey>,
        status: AdminStatus,
    ) -> Result<()> {
        self.backend().set_interface_admin_status(key.into(), status)
    }
}

impl fmt::Display for OperStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Testing => "testing",
            Self::Unknown => "unknown",
            Self::Dormant => "dormant",
            Self::NotPresent => "not present",
            Self::LowerLayerDown => "lower layer down",
        })
    }
}
