//! What kind of interface a link is, in IANA's numbers.

use crate::interface::{InterfaceType, TunnelType};
use iphelper_netlink::DecodeError;
use iphelper_netlink::rtnetlink::link::{LinkMessage, arphrd};

/// The interface type of an ARP hardware type.
pub(super) fn interface_type(hardware_type: u16) -> InterfaceType {
    match hardware_type {
        arphrd::ETHER => InterfaceType::ETHERNET_CSMACD,
        arphrd::LOOPBACK => InterfaceType::SOFTWARE_LOOPBACK,
        // IP packets without a link layer from software: TUN, WireGuard, as their Windows drivers say too.
        arphrd::NONE => InterfaceType::PROP_VIRTUAL,
        arphrd::TUNNEL | arphrd::TUNNEL6 | arphrd::SIT | arphrd::IPGRE | arphrd::IP6GRE | arphrd::IPDDP => {
            InterfaceType::TUNNEL
        }
        arphrd::IEEE80211 | arphrd::IEEE80211_PRISM | arphrd::IEEE80211_RADIOTAP => InterfaceType::IEEE80211,
        arphrd::PPP => InterfaceType::PPP,
        arphrd::SLIP | arphrd::CSLIP | arphrd::SLIP6 | arphrd::CSLIP6 => InterfaceType::SLIP,
        // IP packets without a link layer from hardware: mobile broadband.
        arphrd::RAWIP => InterfaceType::WWANPP,
        arphrd::INFINIBAND => InterfaceType::INFINIBAND,
        arphrd::IEEE1394 => InterfaceType::IEEE1394,
        arphrd::IEEE802154 => InterfaceType::IEEE802154,
        arphrd::ATM => InterfaceType::ATM,
        arphrd::ARCNET => InterfaceType::ARCNET,
        arphrd::FDDI => InterfaceType::FDDI,
        arphrd::FRAME_RELAY => InterfaceType::FRAMERELAY,
        arphrd::HDLC => InterfaceType::HDLC,
        arphrd::LAPB => InterfaceType::LAP_B,
        arphrd::X25 => InterfaceType::RFC877_X25,
        _ => InterfaceType::OTHER,
    }
}

/// How a tunnel carries its packets. GRE is IANA's number 3, which Windows does not name: other.
pub(super) fn tunnel_type(message: &LinkMessage<'_>) -> Result<TunnelType, DecodeError> {
    Ok(match message.hardware_type {
        arphrd::SIT => match message.sit()? {
            Some(sit) if sit.isatap => TunnelType::Isatap,
            Some(sit) if sit.remote.is_unspecified() && is_6to4(sit.prefix) => TunnelType::SixToFour,
            _ => TunnelType::Direct,
        },
        arphrd::TUNNEL | arphrd::TUNNEL6 => TunnelType::Direct,
        arphrd::IPGRE | arphrd::IP6GRE | arphrd::IPDDP => TunnelType::Other,
        _ => TunnelType::None,
    })
}

/// `2002::/16`, RFC 3056.
fn is_6to4(prefix: Option<(std::net::Ipv6Addr, u16)>) -> bool {
    prefix.is_some_and(|(prefix, len)| len == 16 && prefix.segments() == [0x2002, 0, 0, 0, 0, 0, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_are_told_apart() {
        for (hardware_type, expected) in [
            (arphrd::SIT, TunnelType::Direct),
            (arphrd::TUNNEL6, TunnelType::Direct),
            (arphrd::IPGRE, TunnelType::Other),
            (arphrd::ETHER, TunnelType::None),
        ] {
            let mut message = LinkMessage::default();
            message.hardware_type = hardware_type;
            assert_eq!(tunnel_type(&message), Ok(expected), "hardware type {hardware_type}");
        }
    }
}
