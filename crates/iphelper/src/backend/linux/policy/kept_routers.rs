//! What routers told stays known while an interface becomes a router itself.

use super::OPERATION;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::conf::Conf;
use crate::backend::linux::link::address_family;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, protocol};
use std::collections::BTreeSet;

/// The sysctl that says whether a router's advertisements are obeyed.
const OBEDIENCE_FILE: &str = "accept_ra";

/// Runs `work`, which makes interfaces routers, so that all but the `left_out` one keep the default routes that they were
/// told.
///
/// The kernel takes all of them away when an interface becomes a router (`net/ipv6/addrconf.c`, `addrconf_fixup_forwarding`),
/// those of interfaces left out that obey routers although they are one. So the others obey in that way meanwhile, which for
/// an interface that is no router is the same. A caller that is killed in between leaves it so.
pub(in crate::backend::linux) fn while_kept(
    host: &LinuxHost,
    left_out: Option<InterfaceIndex>,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    const ALWAYS: i32 = 2;
    let told = told_defaults(host)?;
    let links = host.links(OPERATION)?;
    let others = links.iter().filter(|link| Some(link.index) != left_out && told.contains(&link.index.0));
    let others: Vec<_> = others
        .filter_map(|link| link.ipv6.map(|ipv6| (link, ipv6.accept_ra)))
        .filter(|(link, obedience)| {
            *obedience != ALWAYS && link.ipv6.is_some_and(|ipv6| ipv6.obeys_routers(*obedience))
        })
        .map(|(link, obedience)| (Conf::new(host, Family::V6, link.luid()), obedience))
        .collect();
    let mut raised = Vec::new();
    let mut result = Ok(());
    for (mut conf, obedience) in others {
        result = result.and_then(|()| conf.write(OBEDIENCE_FILE, i64::from(ALWAYS)));
        raised.push((conf, obedience));
    }
    let result = result.and_then(|()| work());
    for (mut conf, obedience) in raised {
        // One that is gone needs it no more.
        let _ = conf.write(OBEDIENCE_FILE, i64::from(obedience));
    }
    result
}

/// The interfaces over which routers have told a default route.
fn told_defaults(host: &LinuxHost) -> Result<BTreeSet<u32>> {
    let told = Filter { protocol: Some(protocol::ROUTER_ADVERTISEMENT), ..Filter::default() };
    let mut request = route::dump(address_family(Family::V6), told);
    let links = host.route.take()?.snapshot(&mut request, BTreeSet::new, |links, message| {
        let is_told = |it: &Route| it.destination_len == 0 && it.protocol == protocol::ROUTER_ADVERTISEMENT;
        if let Some(route) = Route::parse(message)?.filter(is_told) {
            links.extend(route.interfaces());
        }
        Ok(())
    });
    links.map_err(|refusal| refusal.error(OPERATION).because("listing the routes that routers told"))
}
