//! A change of both families as one.
//!
//! Each family has its plan; the second is made for the link as the first leaves it, and the writes of both are done, or
//! put back, together.

use super::plan::Plan;
use super::{OPERATION, mtu, policy};
use crate::backend::linux::LinuxHost;
use crate::error::Result;
use crate::ip_interface::{IpInterfaceChange, PropertyChange};
use crate::types::{Family, InterfaceKey};

impl LinuxHost {
    pub(in super::super) fn change_ip_interface_families(
        &self,
        key: InterfaceKey,
        changes: [&IpInterfaceChange; 2],
    ) -> Result<[Vec<PropertyChange>; 2]> {
        self.require_administrator(OPERATION)?;
        self.restore_policy()?;
        let plans = self.plan_families(key, changes)?;
        self.carry_out(&plans.each_ref(), changes.into_iter().any(policy::is_asked))?;
        Ok(by_family(plans))
    }

    pub(in super::super) fn plan_changes(
        &self,
        key: InterfaceKey,
        changes: [&IpInterfaceChange; 2],
    ) -> Result<[Vec<PropertyChange>; 2]> {
        Ok(by_family(self.plan_families(key, changes)?))
    }

    /// The plans in the order in which they are carried out.
    fn plan_families(&self, key: InterfaceKey, changes: [&IpInterfaceChange; 2]) -> Result<[Plan; 2]> {
        let [ipv4, ipv6] = changes;
        let row4 = self.read_ip_interface(Family::V4, key)?;
        // By LUID: of this interface, not of another that took its index since.
        let key = InterfaceKey::Luid(row4.luid);
        let row6 = self.read_ip_interface(Family::V6, key)?;
        let link = self.link(key, OPERATION)?;
        // IPv6 goes down before the device does, and up after it.
        let lowers = ipv4.nl_mtu.is_some_and(|to| to < link.mtu);
        let (first, second) =
            if lowers { ((&row6, ipv6), (&row4, ipv4)) } else { ((&row4, ipv4), (&row6, ipv6)) };
        let routes = self.route_settings()?.ipv4_mtu(&link);
        let (left, left_routes) = mtu::as_left_by(&link, routes, first.0.family, first.1);
        Ok([
            Plan::new(self, first.0, link, routes, first.1)?,
            Plan::new(self, second.0, left, left_routes, second.1)?,
        ])
    }
}

/// The changes of IPv4, then those of IPv6.
fn by_family(mut plans: [Plan; 2]) -> [Vec<PropertyChange>; 2] {
    plans.sort_by_key(|plan| plan.family);
    plans.map(|plan| plan.changes)
}
