//! An interface as `MIB_IF_ROW2`.

use crate::convert::c_guid;
use crate::raw::{GUID, MIB_IF_ROW2, ULONG64};
use crate::{key, text};
use iphelper::interface::{
    AccessType, AdminStatus, ConnectionType, DirectionType, Interface, InterfaceStatistics,
    MediaConnectState, OperStatus, TunnelType,
};

/// `NET_IF_LINK_SPEED_UNKNOWN`.
const SPEED_UNKNOWN: u64 = u64::MAX;

/// Bits of `InterfaceAndOperStatusFlags`.
const HARDWARE_INTERFACE: u8 = 1 << 0;
const CONNECTOR_PRESENT: u8 = 1 << 2;
const NOT_MEDIA_CONNECTED: u8 = 1 << 4;

pub(crate) fn of(interface: &Interface) -> MIB_IF_ROW2 {
    let flag = |bit: u8, set: bool| if set { bit } else { 0 };
    // Counters that were not asked for are 0 in C, as the page of the level says; so are those that Linux does not keep.
    let counter =
        |pick: fn(&InterfaceStatistics) -> u64| ULONG64(interface.statistics.as_ref().map_or(0, pick));
    let speed = |speed: Option<u64>| ULONG64(speed.unwrap_or(SPEED_UNKNOWN));
    let mut row = MIB_IF_ROW2 {
        InterfaceLuid: key::luid(interface.luid),
        InterfaceIndex: interface.index.0,
        InterfaceGuid: c_guid(interface.guid),
        Alias: [0; 257],
        Description: [0; 257],
        PhysicalAddressLength: 0,
        PhysicalAddress: [0; 32],
        PermanentPhysicalAddress: [0; 32],
        Mtu: interface.mtu,
        Type: interface.interface_type.0.into(),
        TunnelType: tunnel_type(interface.tunnel_type),
        MediaType: interface.media_type.0.cast_signed(),
        PhysicalMediumType: interface.physical_medium_type.0.cast_signed(),
        AccessType: access_type(interface.access_type),
        DirectionType: match interface.direction_type {
            DirectionType::SendReceive => 0,
            DirectionType::SendOnly => 1,
            DirectionType::ReceiveOnly => 2,
        },
        // Linux has no filter drivers, no port authentication that an interface knows of, no pausing, no low power and
        // no endpoint interfaces: those bits stay off.
        InterfaceAndOperStatusFlags: flag(HARDWARE_INTERFACE, interface.hardware_interface)
            | flag(CONNECTOR_PRESENT, interface.connector_present)
            | flag(NOT_MEDIA_CONNECTED, interface.not_media_connected),
        OperStatus: oper_status(interface.oper_status),
        AdminStatus: admin_status(interface.admin_status),
        MediaConnectState: media_connect_state(interface.media_connect_state),
        // Linux knows no identity of the network behind an interface.
        NetworkGuid: GUID::from_u128(0),
        ConnectionType: connection_type(interface.connection_type),
        TransmitLinkSpeed: speed(interface.transmit_link_speed),
        ReceiveLinkSpeed: speed(interface.receive_link_speed),
        InOctets: counter(|all| all.in_octets),
        InUcastPkts: counter(|all| all.in_ucast_packets),
        InNUcastPkts: counter(|all| all.in_nucast_packets),
        InDiscards: counter(|all| all.in_discards),
        InErrors: counter(|all| all.in_errors),
        InUnknownProtos: counter(|all| all.in_unknown_protocols.unwrap_or(0)),
        InUcastOctets: counter(|all| all.in_ucast_octets.unwrap_or(0)),
        InMulticastOctets: counter(|all| all.in_multicast_octets.unwrap_or(0)),
        InBroadcastOctets: counter(|all| all.in_broadcast_octets.unwrap_or(0)),
        OutOctets: counter(|all| all.out_octets),
        OutUcastPkts: counter(|all| all.out_ucast_packets),
        OutNUcastPkts: counter(|all| all.out_nucast_packets.unwrap_or(0)),
        OutDiscards: counter(|all| all.out_discards),
        OutErrors: counter(|all| all.out_errors),
        OutUcastOctets: counter(|all| all.out_ucast_octets.unwrap_or(0)),
        OutMulticastOctets: counter(|all| all.out_multicast_octets.unwrap_or(0)),
        OutBroadcastOctets: counter(|all| all.out_broadcast_octets.unwrap_or(0)),
        OutQLen: ULONG64(0),
    };
    text::fill_wide(&mut row.Alias, &interface.name);
    text::fill_wide(&mut row.Description, &interface.description);
    row.PhysicalAddressLength = copy(&mut row.PhysicalAddress, interface.physical_address.as_bytes());
    let _len = copy(
        &mut row.PermanentPhysicalAddress,
        interface.permanent_physical_address.unwrap_or_default().as_bytes(),
    );
    row
}

/// Copies as much of an address as the row has room for, and gives its length.
pub(crate) fn copy(target: &mut [u8], address: &[u8]) -> u32 {
    let len = address.len().min(target.len());
    if let (Some(target), Some(address)) = (target.get_mut(..len), address.get(..len)) {
        target.copy_from_slice(address);
    }
    u32::try_from(len).unwrap_or(0)
}

fn tunnel_type(tunnel: TunnelType) -> i32 {
    match tunnel {
        TunnelType::None => 0,
        TunnelType::Other => 1,
        TunnelType::Direct => 2,
        TunnelType::SixToFour => 11,
        TunnelType::Isatap => 13,
        TunnelType::Teredo => 14,
        TunnelType::IpHttps => 15,
    }
}

fn access_type(access: AccessType) -> i32 {
    match access {
        AccessType::Loopback => 1,
        AccessType::Broadcast => 2,
        AccessType::PointToPoint => 3,
        AccessType::PointToMultiPoint => 4,
    }
}

fn oper_status(status: OperStatus) -> i32 {
    match status {
        OperStatus::Up => 1,
        OperStatus::Down => 2,
        OperStatus::Testing => 3,
        OperStatus::Unknown => 4,
        OperStatus::Dormant => 5,
        OperStatus::NotPresent => 6,
        OperStatus::LowerLayerDown => 7,
    }
}

/// `NET_IF_ADMIN_STATUS` and, with the same numbers, `MIB_IF_ADMIN_STATUS`.
pub(super) fn admin_status(status: AdminStatus) -> i32 {
    match status {
        AdminStatus::Up => 1,
        AdminStatus::Down => 2,
    }
}

fn media_connect_state(state: MediaConnectState) -> i32 {
    match state {
        MediaConnectState::Unknown => 0,
        MediaConnectState::Connected => 1,
        MediaConnectState::Disconnected => 2,
    }
}

fn connection_type(connection: ConnectionType) -> i32 {
    match connection {
        ConnectionType::Dedicated => 1,
        ConnectionType::Passive => 2,
        ConnectionType::Demand => 3,
    }
}
