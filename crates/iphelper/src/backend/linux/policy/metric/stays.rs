//! Routes that no interface metric moves.

use super::super::foreign::{is_unicast_over, routes};
use super::super::names::is_ours;
use super::OPERATION;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::route::{Filter, Route, kind, protocol};

/// How many routes over an interface keep their metric, whatever its own is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::backend::linux) struct Unmovable {
    /// Over other interfaces, too.
    pub(in crate::backend::linux) shared: usize,
    /// To prefixes that a router has advertised since the metric was set, on the link or by way of it.
    pub(in crate::backend::linux) advertised: usize,
}

impl LinuxHost {
    /// Those of one interface. Needs no privilege.
    pub(in crate::backend::linux) fn routes_without_metric(
        &self,
        family: Family,
        link: &Link,
    ) -> Result<Unmovable> {
        let mut socket = self.route.take()?;
        let mut read = |filter| {
            let found = routes(&mut socket, address_family(family), filter);
            found.map_err(|refusal| refusal.error(OPERATION).because("listing routes"))
        };
        let index = link.index.0;
        let over = Filter { interface: Some(index), ..Filter::default() };
        let all = read(over)?;
        let is_shared = |route: &&Route| {
            route.kind == kind::UNICAST
                && !is_ours(route.table, route.protocol)
                && route.interfaces().any(|interface| interface == index)
                && !is_unicast_over(route, index)
        };
        let by_router = |route: &&Route| {
            route.protocol == protocol::ROUTER_ADVERTISEMENT
                && route.destination_len != 0
                && is_unicast_over(route, index)
        };
        let mut unmovable =
            Unmovable { shared: all.iter().filter(is_shared).count(), ..Unmovable::default() };
        let kernel_obeys = link.ipv6.is_some_and(|ipv6| ipv6.obeys_routers(ipv6.accept_ra));
        if family == Family::V6 && kernel_obeys {
            let prefixes = read(Filter { advertised_prefixes: true, ..over })?;
            let is_kernels =
                |route: &&Route| is_unicast_over(route, index) && route.protocol == protocol::KERNEL;
            let prefixes = prefixes.iter().filter(is_kernels);
            unmovable.advertised = all.iter().filter(by_router).count() + prefixes.count();
        }
        Ok(unmovable)
    }
}
