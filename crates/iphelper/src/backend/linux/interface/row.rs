//! From a link to an interface row: Linux' terms on the left, Windows' on the right.

use crate::backend::linux::link::Link;
use crate::interface::{
    AccessType, AdminStatus, ConnectionType, DirectionType, Interface, InterfaceLevel, InterfaceStatistics,
    InterfaceType, MediaConnectState, MediaType, OperStatus, PhysicalMedium,
};
use crate::types::PhysicalAddress;
use iphelper_netlink::rtnetlink::link::{LinkStatistics, flag};

/// The row of a link in the namespace with this inode, whose speed is `speed` bits per second.
pub(super) fn row(link: &Link, namespace: u64, speed: Option<u64>, level: InterfaceLevel) -> Interface {
    let is_up = link.has(flag::UP);
    let is_hardware = link.parent.is_some();
    Interface {
        luid: link.luid(),
        index: link.index,
        guid: link.guid(namespace),
        name: link.name(),
        description: description(link),
        physical_address: physical_address(&link.address),
        permanent_physical_address: link.permanent_address.as_deref().map(physical_address),
        mtu: link.mtu,
        interface_type: link.interface_type,
        tunnel_type: link.tunnel_type,
        media_type: media_type(link.interface_type),
        physical_medium_type: physical_medium(link.interface_type, is_hardware),
        access_type: access_type(link),
        direction_type: if link.receives_only {
            DirectionType::ReceiveOnly
        } else {
            DirectionType::SendReceive
        },
        hardware_interface: is_hardware,
        connector_present: is_hardware,
        not_media_connected: is_up && !link.has(flag::LOWER_UP),
        oper_status: oper_status(link),
        admin_status: if is_up { AdminStatus::Up } else { AdminStatus::Down },
        media_connect_state: match link.carrier {
            Some(true) if is_up => MediaConnectState::Connected,
            Some(false) if is_up => MediaConnectState::Disconnected,
            _ => MediaConnectState::Unknown,
        },
        connection_type: connection_type(link.interface_type),
        transmit_link_speed: speed,
        receive_link_speed: speed,
        statistics: match level {
            InterfaceLevel::Normal | InterfaceLevel::Raw => Some(statistics(&link.statistics)),
            InterfaceLevel::NormalWithoutStatistics => None,
        },
    }
}

/// The alias, else the kind, else bus and device, else the name: never empty, as on Windows.
fn description(link: &Link) -> String {
    if let Some(text) = link.alias.as_ref().or(link.kind.as_ref()) {
        return text.clone();
    }
    match &link.parent {
        Some(parent) if parent.bus.is_empty() => parent.device.clone(),
        Some(parent) => format!("{} {}", parent.bus, parent.device),
        None if link.has(flag::LOOPBACK) => "loopback".to_owned(),
        None => link.name(),
    }
}

fn media_type(interface_type: InterfaceType) -> MediaType {
    match interface_type {
        InterfaceType::SOFTWARE_LOOPBACK => MediaType::LOOPBACK,
        InterfaceType::TUNNEL => MediaType::TUNNEL,
        InterfaceType::PROP_VIRTUAL => MediaType::IP,
        InterfaceType::IEEE80211 => MediaType::NATIVE_802_11,
        InterfaceType::PPP
        | InterfaceType::SLIP
        | InterfaceType::HDLC
        | InterfaceType::LAP_B
        | InterfaceType::FRAMERELAY
        | InterfaceType::RFC877_X25 => MediaType::WAN,
        InterfaceType::WWANPP => MediaType::WIRELESS_WAN,
        InterfaceType::ATM => MediaType::ATM,
        InterfaceType::FDDI => MediaType::FDDI,
        InterfaceType::IEEE1394 => MediaType::IEEE1394,
        InterfaceType::INFINIBAND => MediaType::INFINIBAND,
        // NDIS has no medium for the rest, and 802.3 is its 0.
        _ => MediaType::IEEE802_3,
    }
}

fn physical_medium(interface_type: InterfaceType, is_hardware: bool) -> PhysicalMedium {
    match interface_type {
        _ if !is_hardware => PhysicalMedium::UNSPECIFIED,
        InterfaceType::ETHERNET_CSMACD => PhysicalMedium::IEEE802_3,
        InterfaceType::IEEE80211 => PhysicalMedium::NATIVE_802_11,
        InterfaceType::WWANPP => PhysicalMedium::WIRELESS_WAN,
        InterfaceType::IEEE1394 => PhysicalMedium::IEEE1394,
        InterfaceType::INFINIBAND => PhysicalMedium::INFINIBAND,
        InterfaceType::IEEE802154 => PhysicalMedium::NATIVE_802_15_4,
        _ => PhysicalMedium::UNSPECIFIED,
    }
}

/// Neither broadcast nor one other end: a tunnel that reaches many without the means to reach all.
fn access_type(link: &Link) -> AccessType {
    if link.has(flag::LOOPBACK) {
        AccessType::Loopback
    } else if link.has(flag::POINT_TO_POINT) {
        AccessType::PointToPoint
    } else if link.has(flag::BROADCAST) {
        AccessType::Broadcast
    } else {
        AccessType::PointToMultiPoint
    }
}

fn oper_status(link: &Link) -> OperStatus {
    match link.operstate {
        0 if link.is_connected() => OperStatus::Up,
        1 => OperStatus::NotPresent,
        2 => OperStatus::Down,
        3 => OperStatus::LowerLayerDown,
        4 => OperStatus::Testing,
        5 => OperStatus::Dormant,
        6 => OperStatus::Up,
        _ => OperStatus::Unknown,
    }
}

/// A call that a modem makes comes on demand.
fn connection_type(interface_type: InterfaceType) -> ConnectionType {
    match interface_type {
        InterfaceType::PPP | InterfaceType::SLIP | InterfaceType::WWANPP => ConnectionType::Demand,
        _ => ConnectionType::Dedicated,
    }
}

fn statistics(counters: &LinkStatistics) -> InterfaceStatistics {
    InterfaceStatistics {
        in_octets: counters.rx_bytes,
        // The two are not read in one instant.
        in_ucast_packets: counters.rx_packets.saturating_sub(counters.multicast),
        in_nucast_packets: counters.multicast,
        // What the host had no room for stands apart in the message; /proc/net/dev adds the two as well.
        in_discards: counters.rx_dropped.saturating_add(counters.rx_missed_errors),
        in_errors: counters.rx_errors,
        out_octets: counters.tx_bytes,
        out_ucast_packets: counters.tx_packets,
        out_discards: counters.tx_dropped,
        out_errors: counters.tx_errors,
        ..InterfaceStatistics::default()
    }
}

/// The kernel has no longer ones (`MAX_ADDR_LEN`); one that is would be none.
fn physical_address(bytes: &[u8]) -> PhysicalAddress {
    PhysicalAddress::new(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::TunnelType;
    use iphelper_netlink::rtnetlink::link::{LinkMessage, arphrd};

    /// What no test can make: hardware, tunnels of other kernels, states that a driver reports.
    fn made(fill: impl FnOnce(&mut LinkMessage<'static>)) -> Interface {
        let mut message = LinkMessage::default();
        (message.index, message.name, message.hardware_type) = (3, b"eth0", arphrd::ETHER);
        fill(&mut message);
        row(&Link::new(&message).unwrap(), 1, None, InterfaceLevel::Normal)
    }

    #[test]
    fn hardware_has_a_connector_and_a_physical_medium() {
        let card = made(|message| {
            message.parent_bus = Some(b"pci");
            message.parent_device = Some(b"0000:00:1f.6");
            message.permanent_address = Some(&[2, 0, 0, 0, 0, 1]);
        });
        assert!(card.hardware_interface && card.connector_present);
        assert_eq!(card.physical_medium_type, PhysicalMedium::IEEE802_3);
        assert_eq!(card.permanent_physical_address, Some("02:00:00:00:00:01".parse().unwrap()));
        assert_eq!(card.description, "pci 0000:00:1f.6");
        let virtual_card = made(|message| message.kind = Some(b"veth"));
        assert!(!virtual_card.hardware_interface && !virtual_card.connector_present);
        assert_eq!(virtual_card.physical_medium_type, PhysicalMedium::UNSPECIFIED);
    }

    #[test]
    fn tunnels_reach_one_or_many() {
        let gre = |flags| {
            made(|message| {
                (message.hardware_type, message.flags) = (arphrd::IPGRE, flags);
            })
        };
        let to_one = gre(flag::POINT_TO_POINT | flag::NO_ARP);
        assert_eq!((to_one.interface_type, to_one.tunnel_type), (InterfaceType::TUNNEL, TunnelType::Other));
        assert_eq!((to_one.access_type, to_one.media_type), (AccessType::PointToPoint, MediaType::TUNNEL));
        assert_eq!(gre(flag::NO_ARP).access_type, AccessType::PointToMultiPoint);
    }

    #[test]
    fn a_modem_is_connected_on_demand_and_a_monitor_receives_only() {
        let ppp = made(|message| message.hardware_type = arphrd::PPP);
        assert_eq!((ppp.connection_type, ppp.media_type), (ConnectionType::Demand, MediaType::WAN));
        let monitor = made(|message| message.hardware_type = arphrd::NETLINK);
        assert_eq!(monitor.direction_type, DirectionType::ReceiveOnly);
    }

    #[test]
    fn each_state_of_the_kernel_has_its_own() {
        let states =
            [0, 1, 2, 3, 4, 5, 6].map(|state| made(|message| message.operstate = Some(state)).oper_status);
        assert_eq!(
            states,
            [
                OperStatus::Unknown,
                OperStatus::NotPresent,
                OperStatus::Down,
                OperStatus::LowerLayerDown,
                OperStatus::Testing,
                OperStatus::Dormant,
                OperStatus::Up,
            ]
        );
        let running = made(|message| message.flags = flag::UP | flag::RUNNING | flag::LOWER_UP);
        assert_eq!(running.oper_status, OperStatus::Up, "the driver tells nothing, the kernel sends");
    }

    #[test]
    fn counters_that_were_not_read_in_one_instant_do_not_wrap() {
        let counted = made(|message| {
            message.statistics = Some(LinkStatistics {
                rx_packets: 4,
                multicast: 5,
                rx_dropped: u64::MAX,
                rx_missed_errors: 1,
                ..LinkStatistics::default()
            });
        });
        let statistics = counted.statistics.unwrap();
        assert_eq!((statistics.in_ucast_packets, statistics.in_discards), (0, u64::MAX));
    }
}
