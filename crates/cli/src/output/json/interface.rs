//! Interfaces and their IP properties as JSON.

use super::family;
use iphelper::{InterfaceIndex, InterfaceLuid, ip_interface};
use serde::Serialize;
use std::time::Duration;

/// An interface with its row of each family; null where it does not have the family.
#[derive(Debug, Serialize)]
pub(crate) struct Interface<'a> {
    luid: String,
    index: u32,
    name: &'a str,
    ipv4: Option<IpInterface>,
    ipv6: Option<IpInterface>,
}

/// A row of the IP interface table: each field of `iphelper::ip_interface::IpInterface` by its name.
#[derive(Debug, Serialize)]
pub(crate) struct IpInterface {
    family: &'static str,
    luid: String,
    index: u32,
    max_reassembly_size: Option<u32>,
    interface_identifier: String,
    min_router_advertisement_interval: Option<u64>,
    max_router_advertisement_interval: Option<u64>,
    advertising_enabled: bool,
    forwarding_enabled: bool,
    weak_host_send: bool,
    weak_host_receive: bool,
    use_automatic_metric: bool,
    use_neighbor_unreachability_detection: bool,
    managed_address_configuration_supported: Option<bool>,
    other_stateful_configuration_supported: Option<bool>,
    advertise_default_route: bool,
    router_discovery_behavior: String,
    dad_transmits: u32,
    base_reachable_time: u64,
    retransmit_time: u64,
    path_mtu_discovery_timeout: Option<u64>,
    link_local_address_behavior: String,
    link_local_address_timeout: u64,
    zone_indices: [u32; 16],
    site_prefix_length: u32,
    metric: u32,
    nl_mtu: u32,
    connected: bool,
    supports_wake_up_patterns: Option<bool>,
    supports_neighbor_discovery: bool,
    supports_router_discovery: bool,
    reachable_time: u64,
    transmit_offload: Offload,
    receive_offload: Offload,
    disable_default_routes: bool,
}

#[derive(Debug, Serialize)]
struct Offload {
    nl_checksum_supported: bool,
    nl_options_supported: bool,
    tl_datagram_checksum_supported: bool,
    tl_stream_checksum_supported: bool,
    tl_stream_options_supported: bool,
    fast_path_compatible: bool,
    tl_large_send_offload_supported: bool,
    tl_giant_send_offload_supported: bool,
}

/// One property that was changed, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct PropertyChange<'a> {
    pub(crate) family: &'static str,
    pub(crate) property: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) mechanism: &'a str,
}

impl<'a> Interface<'a> {
    pub(crate) fn new(
        luid: InterfaceLuid,
        index: InterfaceIndex,
        name: &'a str,
        ipv4: Option<&ip_interface::IpInterface>,
        ipv6: Option<&ip_interface::IpInterface>,
    ) -> Self {
        Self {
            luid: luid.0.to_string(),
            index: index.0,
            name,
            ipv4: ipv4.map(Into::into),
            ipv6: ipv6.map(Into::into),
        }
    }
}

impl From<&ip_interface::IpInterface> for IpInterface {
    fn from(row: &ip_interface::IpInterface) -> Self {
        Self {
            family: family(row.family),
            luid: row.luid.0.to_string(),
            index: row.index.0,
            max_reassembly_size: row.max_reassembly_size,
            interface_identifier: row.interface_identifier.to_string(),
            min_router_advertisement_interval: row.min_router_advertisement_interval.map(milliseconds),
            max_router_advertisement_interval: row.max_router_advertisement_interval.map(milliseconds),
            advertising_enabled: row.advertising_enabled,
            forwarding_enabled: row.forwarding_enabled,
            weak_host_send: row.weak_host_send,
            weak_host_receive: row.weak_host_receive,
            use_automatic_metric: row.use_automatic_metric,
            use_neighbor_unreachability_detection: row.use_neighbor_unreachability_detection,
            managed_address_configuration_supported: row.managed_address_configuration_supported,
            other_stateful_configuration_supported: row.other_stateful_configuration_supported,
            advertise_default_route: row.advertise_default_route,
            router_discovery_behavior: row.router_discovery_behavior.to_string(),
            dad_transmits: row.dad_transmits,
            base_reachable_time: milliseconds(row.base_reachable_time),
            retransmit_time: milliseconds(row.retransmit_time),
            path_mtu_discovery_timeout: row.path_mtu_discovery_timeout.map(milliseconds),
            link_local_address_behavior: row.link_local_address_behavior.to_string(),
            link_local_address_timeout: milliseconds(row.link_local_address_timeout),
            zone_indices: row.zone_indices,
            site_prefix_length: row.site_prefix_length,
            metric: row.metric,
            nl_mtu: row.nl_mtu,
            connected: row.connected,
            supports_wake_up_patterns: row.supports_wake_up_patterns,
            supports_neighbor_discovery: row.supports_neighbor_discovery,
            supports_router_discovery: row.supports_router_discovery,
            reachable_time: milliseconds(row.reachable_time),
            transmit_offload: row.transmit_offload.into(),
            receive_offload: row.receive_offload.into(),
            disable_default_routes: row.disable_default_routes,
        }
    }
}

impl From<ip_interface::Offload> for Offload {
    fn from(offload: ip_interface::Offload) -> Self {
        let ip_interface::Offload {
            nl_checksum_supported,
            nl_options_supported,
            tl_datagram_checksum_supported,
            tl_stream_checksum_supported,
            tl_stream_options_supported,
            fast_path_compatible,
            tl_large_send_offload_supported,
            tl_giant_send_offload_supported,
        } = offload;
        Self {
            nl_checksum_supported,
            nl_options_supported,
            tl_datagram_checksum_supported,
            tl_stream_checksum_supported,
            tl_stream_options_supported,
            fast_path_compatible,
            tl_large_send_offload_supported,
            tl_giant_send_offload_supported,
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
