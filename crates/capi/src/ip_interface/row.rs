//! An IP interface as `MIB_IPINTERFACE_ROW`.
//!
//! Unknown is what the pages give for it: FALSE, or 0 for a time or size.

use crate::key;
use crate::raw::{MIB_IPINTERFACE_ROW, ULONG64};
use iphelper::ip_interface::{IpInterface, LinkLocalAddressBehavior, Offload, RouterDiscoveryBehavior};
use std::time::Duration;

pub(super) fn of(interface: &IpInterface) -> MIB_IPINTERFACE_ROW {
    MIB_IPINTERFACE_ROW {
        Family: key::family_number(interface.family),
        InterfaceLuid: key::luid(interface.luid),
        InterfaceIndex: interface.index.0,
        MaxReassemblySize: interface.max_reassembly_size.unwrap_or(0),
        InterfaceIdentifier: ULONG64(interface.interface_identifier),
        MinRouterAdvertisementInterval: interface.min_router_advertisement_interval.map_or(0, seconds),
        MaxRouterAdvertisementInterval: interface.max_router_advertisement_interval.map_or(0, seconds),
        AdvertisingEnabled: interface.advertising_enabled.into(),
        ForwardingEnabled: interface.forwarding_enabled.into(),
        WeakHostSend: interface.weak_host_send.into(),
        WeakHostReceive: interface.weak_host_receive.into(),
        UseAutomaticMetric: interface.use_automatic_metric.into(),
        UseNeighborUnreachabilityDetection: interface.use_neighbor_unreachability_detection.into(),
        ManagedAddressConfigurationSupported: known(interface.managed_address_configuration_supported),
        OtherStatefulConfigurationSupported: known(interface.other_stateful_configuration_supported),
        AdvertiseDefaultRoute: interface.advertise_default_route.into(),
        RouterDiscoveryBehavior: match interface.router_discovery_behavior {
            RouterDiscoveryBehavior::Disabled => 0,
            RouterDiscoveryBehavior::Enabled => 1,
            RouterDiscoveryBehavior::Dhcp => 2,
        },
        DadTransmits: interface.dad_transmits,
        BaseReachableTime: milliseconds(interface.base_reachable_time),
        RetransmitTime: milliseconds(interface.retransmit_time),
        PathMtuDiscoveryTimeout: interface.path_mtu_discovery_timeout.map_or(0, milliseconds),
        LinkLocalAddressBehavior: match interface.link_local_address_behavior {
            LinkLocalAddressBehavior::AlwaysOff => 0,
            LinkLocalAddressBehavior::Delayed => 1,
            LinkLocalAddressBehavior::AlwaysOn => 2,
        },
        LinkLocalAddressTimeout: milliseconds(interface.link_local_address_timeout),
        ZoneIndices: interface.zone_indices,
        SitePrefixLength: interface.site_prefix_length,
        Metric: interface.metric,
        NlMtu: interface.nl_mtu,
        Connected: interface.connected.into(),
        SupportsWakeUpPatterns: known(interface.supports_wake_up_patterns),
        SupportsNeighborDiscovery: interface.supports_neighbor_discovery.into(),
        SupportsRouterDiscovery: interface.supports_router_discovery.into(),
        ReachableTime: milliseconds(interface.reachable_time),
        TransmitOffload: offload(interface.transmit_offload),
        ReceiveOffload: offload(interface.receive_offload),
        DisableDefaultRoutes: interface.disable_default_routes.into(),
    }
}

fn known(value: Option<bool>) -> u8 {
    value.unwrap_or(false).into()
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// The reference gives 200 and 600 for the advertisement intervals, which are RFC 4861's in seconds.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// The bit fields of `NL_INTERFACE_OFFLOAD_ROD`, from bit 0.
fn offload(offload: Offload) -> u8 {
    [
        offload.nl_checksum_supported,
        offload.nl_options_supported,
        offload.tl_datagram_checksum_supported,
        offload.tl_stream_checksum_supported,
        offload.tl_stream_options_supported,
        offload.fast_path_compatible,
        offload.tl_large_send_offload_supported,
        offload.tl_giant_send_offload_supported,
    ]
    .into_iter()
    .rev()
    .fold(0, |bits, set| bits << 1 | u8::from(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offload_bits_stand_from_bit_zero() {
        assert_eq!(offload(Offload { nl_checksum_supported: true, ..Offload::default() }), 1);
        assert_eq!(offload(Offload { tl_stream_checksum_supported: true, ..Offload::default() }), 1 << 3);
        assert_eq!(offload(Offload { tl_giant_send_offload_supported: true, ..Offload::default() }), 1 << 7);
    }

    #[test]
    fn long_times_end_at_the_member() {
        assert_eq!(milliseconds(Duration::from_secs(600)), 600_000);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX);
    }
}
