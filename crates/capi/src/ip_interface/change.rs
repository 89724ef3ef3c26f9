//! What a row asks `SetIpInterfaceEntry` to change.
//!
//! The documented use is Initialize, change some members, Set. So Initialize leaves in each settable member a value
//! that means "no change"; the values are those of the driver kit's initialiser of interface settings.

use crate::error::Code;
use crate::raw::{MIB_IPINTERFACE_ROW, NET_LUID, ULONG64};
use iphelper::Family;
use iphelper::ip_interface::{IpInterfaceChange, LinkLocalAddressBehavior, RouterDiscoveryBehavior};
use std::time::Duration;

/// A boolean that is neither TRUE nor FALSE.
const BOOLEAN: u8 = 0xFF;
/// A number that says "no change" by all its bits.
const NUMBER: u32 = u32::MAX;
/// A behaviour that is none.
const BEHAVIOR: i32 = -1;

/// What `InitializeIpInterfaceEntry` leaves.
pub(super) const NO_CHANGE: MIB_IPINTERFACE_ROW = MIB_IPINTERFACE_ROW {
    Family: 0,
    InterfaceLuid: NET_LUID { Value: ULONG64(0) },
    InterfaceIndex: 0,
    MaxReassemblySize: 0,
    InterfaceIdentifier: ULONG64(0),
    MinRouterAdvertisementInterval: 0,
    MaxRouterAdvertisementInterval: 0,
    AdvertisingEnabled: BOOLEAN,
    ForwardingEnabled: BOOLEAN,
    WeakHostSend: BOOLEAN,
    WeakHostReceive: BOOLEAN,
    UseAutomaticMetric: BOOLEAN,
    UseNeighborUnreachabilityDetection: BOOLEAN,
    ManagedAddressConfigurationSupported: BOOLEAN,
    OtherStatefulConfigurationSupported: BOOLEAN,
    AdvertiseDefaultRoute: BOOLEAN,
    RouterDiscoveryBehavior: BEHAVIOR,
    DadTransmits: NUMBER,
    BaseReachableTime: 0,
    RetransmitTime: 0,
    PathMtuDiscoveryTimeout: 0,
    LinkLocalAddressBehavior: BEHAVIOR,
    LinkLocalAddressTimeout: NUMBER,
    ZoneIndices: [NUMBER; 16],
    SitePrefixLength: NUMBER,
    Metric: NUMBER,
    NlMtu: 0,
    Connected: 0,
    SupportsWakeUpPatterns: 0,
    SupportsNeighborDiscovery: 0,
    SupportsRouterDiscovery: 0,
    ReachableTime: 0,
    TransmitOffload: 0,
    ReceiveOffload: 0,
    DisableDefaultRoutes: BOOLEAN,
};

/// The change that a row asks for; [`Code::INVALID_PARAMETER`] for a value that its member cannot have.
pub(super) fn of(row: &MIB_IPINTERFACE_ROW, family: Family) -> Result<IpInterfaceChange, Code> {
    Ok(IpInterfaceChange {
        interface_identifier: (row.InterfaceIdentifier.0 != 0).then_some(row.InterfaceIdentifier.0),
        advertising_enabled: boolean(row.AdvertisingEnabled)?,
        forwarding_enabled: boolean(row.ForwardingEnabled)?,
        weak_host_send: boolean(row.WeakHostSend)?,
        weak_host_receive: boolean(row.WeakHostReceive)?,
        use_automatic_metric: boolean(row.UseAutomaticMetric)?,
        use_neighbor_unreachability_detection: boolean(row.UseNeighborUnreachabilityDetection)?,
        managed_address_configuration_supported: boolean(row.ManagedAddressConfigurationSupported)?,
        other_stateful_configuration_supported: boolean(row.OtherStatefulConfigurationSupported)?,
        advertise_default_route: boolean(row.AdvertiseDefaultRoute)?,
        router_discovery_behavior: match row.RouterDiscoveryBehavior {
            BEHAVIOR => None,
            0 => Some(RouterDiscoveryBehavior::Disabled),
            1 => Some(RouterDiscoveryBehavior::Enabled),
            2 => Some(RouterDiscoveryBehavior::Dhcp),
            _ => return Err(Code::INVALID_PARAMETER),
        },
        dad_transmits: number(row.DadTransmits),
        base_reachable_time: time(row.BaseReachableTime),
        retransmit_time: time(row.RetransmitTime),
        path_mtu_discovery_timeout: time(row.PathMtuDiscoveryTimeout),
        link_local_address_behavior: match row.LinkLocalAddressBehavior {
            BEHAVIOR => None,
            0 => Some(LinkLocalAddressBehavior::AlwaysOff),
            1 => Some(LinkLocalAddressBehavior::Delayed),
            2 => Some(LinkLocalAddressBehavior::AlwaysOn),
            _ => return Err(Code::INVALID_PARAMETER),
        },
        link_local_address_timeout: number(row.LinkLocalAddressTimeout)
            .map(|milliseconds| Duration::from_millis(milliseconds.into())),
        zone_indices: row.ZoneIndices.map(number),
        site_prefix_length: site_prefix_length(row.SitePrefixLength, family)?,
        metric: number(row.Metric),
        nl_mtu: (row.NlMtu != 0).then_some(row.NlMtu),
        disable_default_routes: boolean(row.DisableDefaultRoutes)?,
        // The documented function ignores these members.
        min_router_advertisement_interval: None,
        max_router_advertisement_interval: None,
    })
}

fn boolean(value: u8) -> Result<Option<bool>, Code> {
    match value {
        0 => Ok(Some(false)),
        1 => Ok(Some(true)),
        BOOLEAN => Ok(None),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

fn number(value: u32) -> Option<u32> {
    (value != NUMBER).then_some(value)
}

/// Milliseconds; 0 is no change.
fn time(milliseconds: u32) -> Option<Duration> {
    (milliseconds != 0).then(|| Duration::from_millis(milliseconds.into()))
}

/// IPv4 has no site prefix and demands 0 or no change; IPv6 has up to 128 bits.
fn site_prefix_length(length: u32, family: Family) -> Result<Option<u32>, Code> {
    match (family, length) {
        (_, NUMBER) | (Family::V4, 0) => Ok(None),
        (Family::V6, 0..=128) => Ok(Some(length)),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initialised_row_changes_nothing() {
        for family in Family::ALL {
            assert_eq!(of(&NO_CHANGE, family), Ok(IpInterfaceChange::default()), "{family}");
        }
    }

    #[test]
    fn booleans_are_false_true_or_no_change() {
        for value in 0..=u8::MAX {
            let row = MIB_IPINTERFACE_ROW { DisableDefaultRoutes: value, ..NO_CHANGE };
            let asked = of(&row, Family::V4).map(|change| change.disable_default_routes);
            let expected = match value {
                0 => Ok(Some(false)),
                1 => Ok(Some(true)),
                0xFF => Ok(None),
                _ => Err(Code::INVALID_PARAMETER),
            };
            assert_eq!(asked, expected, "{value:#x}");
        }
    }

    #[test]
    fn site_prefixes_are_checked_by_family() {
        let of = |length, family| {
            of(&MIB_IPINTERFACE_ROW { SitePrefixLength: length, ..NO_CHANGE }, family)
                .map(|change| change.site_prefix_length)
        };
        assert_eq!(of(0, Family::V4), Ok(None));
        assert_eq!(of(1, Family::V4), Err(Code::INVALID_PARAMETER));
        assert_eq!(of(64, Family::V6), Ok(Some(64)));
        assert_eq!(of(255, Family::V6), Err(Code::INVALID_PARAMETER));
    }
}
