//! What is set of IP interfaces and stays so, whoever set it and however that program ended.

use super::{OPERATION, has};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::policy::advertise::Advertising;
use crate::backend::linux::policy::{Property, RouteSettings, Settings};
use crate::doctor::KeptSettings;
use crate::error::Result;
use crate::ip_interface::IpInterfaceChange;
use crate::types::Family;

impl LinuxHost {
    pub(super) fn kept(&self) -> Result<Vec<KeptSettings>> {
        let links = self.links(OPERATION)?;
        let policy = self.policy_settings(&links)?;
        let routes = self.route_settings()?;
        let advertising = self.advertising(&links)?;
        let mut kept = Vec::new();
        for link in &links {
            for family in Family::ALL {
                let advertising = advertising.get(&link.index).filter(|_| family == Family::V6);
                kept.extend(kept_of(link, family, &policy, &routes, advertising));
            }
        }
        Ok(kept)
    }
}

fn kept_of(
    link: &Link,
    family: Family,
    policy: &Settings,
    routes: &RouteSettings,
    advertising: Option<&Advertising>,
) -> Option<KeptSettings> {
    let (mut properties, mut undo) = (Vec::new(), IpInterfaceChange::default());
    let is_set = |property| has(policy, link, family, property);
    if advertising.is_some_and(|it| it.enabled) {
        properties.push(("advertising_enabled", true.to_string()));
        undo.advertising_enabled = Some(false);
    }
    if advertising.is_some_and(|it| it.default_route) {
        properties.push(("advertise_default_route", true.to_string()));
        undo.advertise_default_route = Some(false);
    }
    if is_set(Property::Forwarding) {
        properties.push(("forwarding_enabled", true.to_string()));
        undo.forwarding_enabled = Some(false);
    }
    if is_set(Property::StrongSend) {
        properties.push(("weak_host_send", false.to_string()));
        undo.weak_host_send = Some(true);
    }
    if is_set(Property::StrongReceive) {
        properties.push(("weak_host_receive", false.to_string()));
        undo.weak_host_receive = Some(true);
    }
    if let Some(metric) = routes.metric(family, link) {
        properties.push(("metric", metric.to_string()));
        undo.use_automatic_metric = Some(true);
    }
    let probes = routes.ipv4_dad_transmits(link);
    if family == Family::V4 && probes != 0 {
        properties.push(("dad_transmits", probes.to_string()));
        undo.dad_transmits = Some(0);
    }
    if family == Family::V4
        && let Some(mtu) = routes.ipv4_mtu(link)
    {
        properties.push(("nl_mtu", mtu.to_string()));
        undo.nl_mtu = Some(link.mtu);
    }
    if is_set(Property::DisableDefaultRoutes) {
        properties.push(("disable_default_routes", true.to_string()));
        undo.disable_default_routes = Some(false);
    }
    let (luid, index, name) = (link.luid(), link.index, link.name());
    (!properties.is_empty()).then_some(KeptSettings { luid, index, name, family, properties, undo })
}
