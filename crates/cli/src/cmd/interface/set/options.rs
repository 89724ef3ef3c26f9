//! The options of `iph interface set`: one per settable property.

use crate::units;
use clap::builder::BoolishValueParser;
use iphelper::ip_interface::{IpInterfaceChange, LinkLocalAddressBehavior, RouterDiscoveryBehavior};
use std::time::Duration;

/// What to change. Each option is also known by the property's name in JSON, with dashes (--nl-mtu for --mtu).
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Properties")]
pub(super) struct Options {
    /// Forward packets that come in on this interface and are for others
    #[arg(long, value_name = "BOOL", alias = "forwarding-enabled", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    forwarding: Option<bool>,

    /// Largest IP packet in octets
    #[arg(long, value_name = "OCTETS", alias = "nl-mtu", value_parser = units::number)]
    mtu: Option<u32>,

    /// How routers are found: disabled, enabled (IPv6) or dhcp (IPv4)
    #[arg(long, value_name = "HOW", alias = "router-discovery-behavior", value_parser = router_discovery)]
    router_discovery: Option<RouterDiscoveryBehavior>,

    /// How many probes duplicate address detection sends; 0 uses addresses at once
    #[arg(long, value_name = "COUNT", value_parser = units::number)]
    dad_transmits: Option<u32>,

    /// What the reachable time of neighbours is drawn around
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    base_reachable_time: Option<Duration>,

    /// Time between two solicitations of a neighbour
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    retransmit_time: Option<Duration>,

    /// Probe a neighbour in use when its reachability is in doubt
    #[arg(long, value_name = "BOOL", visible_alias = "nud", alias = "use-neighbor-unreachability-detection",
        value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    neighbor_unreachability_detection: Option<bool>,

    /// Whether the interface gives itself a link-local address: always_off, delayed or always_on
    #[arg(long, value_name = "WHEN", alias = "link-local-address-behavior", value_parser = link_local)]
    link_local_address: Option<LinkLocalAddressBehavior>,

    /// The lower half of the addresses that the interface makes: ::a:b:c:d, a number, or none
    #[arg(long, value_name = "ID", value_parser = units::interface_identifier)]
    interface_identifier: Option<u64>,

    /// The interface metric, which adds to the metric of each route over it
    #[arg(long, value_name = "METRIC", value_parser = units::number)]
    metric: Option<u32>,

    /// Let the metric follow link speed and kind
    #[arg(long, value_name = "BOOL", alias = "use-automatic-metric", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    automatic_metric: Option<bool>,

    /// Ignore default routes over this interface
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    disable_default_routes: Option<bool>,

    /// Let packets with another interface's source address leave here
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    weak_host_send: Option<bool>,

    /// Accept packets for another interface's address here
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    weak_host_receive: Option<bool>,

    /// Send router advertisements (IPv6); needs a running `iph keeper` and --forwarding true
    #[arg(long, value_name = "BOOL", alias = "advertising-enabled", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    advertising: Option<bool>,

    /// Offer a default route in router advertisements
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    advertise_default_route: Option<bool>,

    /// Shortest time between two router advertisements; a third of the longest if not given
    #[arg(long, value_name = "TIME", alias = "min-router-advertisement-interval", value_parser = units::duration)]
    min_advertisement_interval: Option<Duration>,

    /// Longest time between two router advertisements, 4s to 30m
    #[arg(long, value_name = "TIME", alias = "max-router-advertisement-interval", value_parser = units::duration)]
    max_advertisement_interval: Option<Duration>,

    /// Advertise that addresses come from DHCPv6 (M flag)
    #[arg(long, value_name = "BOOL", alias = "managed-address-configuration-supported",
        value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    managed_address_configuration: Option<bool>,

    /// Advertise that the rest comes from DHCPv6 (O flag)
    #[arg(long, value_name = "BOOL", alias = "other-stateful-configuration-supported",
        value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    other_stateful_configuration: Option<bool>,

    /// How long a learned path MTU is kept; Linux has one value per host, see `iph path-mtu`
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    path_mtu_discovery_timeout: Option<Duration>,

    /// How long IPv4 waits before it takes a link-local address
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    link_local_address_timeout: Option<Duration>,

    /// The site prefix length
    #[arg(long, value_name = "BITS", value_parser = units::number)]
    site_prefix_length: Option<u32>,

    /// The zone of one scope level from 0 to 15; may be given several times
    #[arg(long = "zone-index", value_name = "LEVEL=ZONE", alias = "zone-indices", value_parser = units::zone)]
    zones: Vec<(usize, u32)>,
}

impl Options {
    /// The change that the options ask for.
    pub(super) fn change(&self) -> IpInterfaceChange {
        let mut zone_indices = [None; 16];
        for (level, zone) in &self.zones {
            if let Some(index) = zone_indices.get_mut(*level) {
                *index = Some(*zone);
            }
        }
        IpInterfaceChange {
            interface_identifier: self.interface_identifier,
            advertising_enabled: self.advertising,
            forwarding_enabled: self.forwarding,
            weak_host_send: self.weak_host_send,
            weak_host_receive: self.weak_host_receive,
            use_automatic_metric: self.automatic_metric,
            use_neighbor_unreachability_detection: self.neighbor_unreachability_detection,
            managed_address_configuration_supported: self.managed_address_configuration,
            other_stateful_configuration_supported: self.other_stateful_configuration,
            advertise_default_route: self.advertise_default_route,
            router_discovery_behavior: self.router_discovery,
            dad_transmits: self.dad_transmits,
            base_reachable_time: self.base_reachable_time,
            retransmit_time: self.retransmit_time,
            path_mtu_discovery_timeout: self.path_mtu_discovery_timeout,
            link_local_address_behavior: self.link_local_address,
            link_local_address_timeout: self.link_local_address_timeout,
            zone_indices,
            site_prefix_length: self.site_prefix_length,
            metric: self.metric,
            nl_mtu: self.mtu,
            disable_default_routes: self.disable_default_routes,
            min_router_advertisement_interval: self.min_advertisement_interval,
            max_router_advertisement_interval: self.max_advertisement_interval,
        }
    }
}

fn router_discovery(text: &str) -> Result<RouterDiscoveryBehavior, String> {
    use RouterDiscoveryBehavior::{Dhcp, Disabled, Enabled};
    let found = [Disabled, Enabled, Dhcp].into_iter().find(|behavior| behavior.to_string() == text);
    found.ok_or_else(|| "the values are disabled, enabled and dhcp".to_owned())
}

fn link_local(text: &str) -> Result<LinkLocalAddressBehavior, String> {
    use LinkLocalAddressBehavior::{AlwaysOff, AlwaysOn, Delayed};
    let text = text.replace('-', "_");
    let found = [AlwaysOff, Delayed, AlwaysOn].into_iter().find(|behavior| behavior.to_string() == text);
    found.ok_or_else(|| "the values are always_off, delayed and always_on".to_owned())
}
