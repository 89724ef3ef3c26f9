//! What an interface has to advertise: its on-link prefixes, its MTU, its link-layer address.

use super::super::names::MAIN_TABLE;
use super::packet::Prefix;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::addr::{self, Ipv6Address};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, kind};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

const OPERATION: &str = "advertising a router";

/// RFC 4861, section 6.2.1: `AdvValidLifetime` and `AdvPreferredLifetime`.
const VALID: u32 = 2_592_000;
const PREFERRED: u32 = 604_800;

/// `RTPROT_REDIRECT` and `RTPROT_RA`: what a router told us, which is not ours to tell.
const TOLD_BY_ROUTERS: [u8; 2] = [1, 9];

/// An interface's addresses and the prefixes that its routes call on-link.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct OnLink {
    /// Whether there is a link-local address, from which alone advertisements may come.
    pub(super) has_link_local: bool,
    pub(super) prefixes: Vec<Prefix>,
}

impl OnLink {
    pub(super) fn read(host: &LinuxHost, link: InterfaceIndex) -> Result<Self> {
        let mut addresses: Vec<(Ipv6Address, (u32, u32))> = Vec::new();
        let mut socket = host.route.take()?;
        socket
            .snapshot_into(&mut addr::dump_ipv6(link.0), &mut addresses, Vec::clear, |addresses, message| {
                let forever = (u32::MAX, u32::MAX);
                if let Some(address) = Ipv6Address::parse(message)?.filter(|it| it.index == link.0) {
                    addresses.push((address, Ipv6Address::lifetimes(message)?.unwrap_or(forever)));
                }
                Ok(())
            })
            .map_err(|refusal| refusal.error(OPERATION).because("listing the addresses"))?;
        let main = Filter { table: Some(MAIN_TABLE), ..Filter::default() };
        let mut request = route::dump(address_family(Family::V6), main);
        let routes = socket.snapshot(&mut request, BTreeSet::new, |prefixes, message| {
            let route = Route::parse(message)?.filter(|route| is_on_link(route, link.0));
            prefixes.extend(route.and_then(|route| match route.destination {
                Some(IpAddr::V6(prefix)) => Some((prefix, route.destination_len)),
                _ => None,
            }));
            Ok(())
        });
        let prefixes = match routes {
            // No route yet, and so no table.
            Err(refusal) if refusal.errno() == libc::ENOENT => BTreeSet::new(),
            routes => routes.map_err(|refusal| refusal.error(OPERATION).because("listing the routes"))?,
        };
        let not_yet = addr::flag::TENTATIVE | addr::flag::DAD_FAILED;
        let has_link_local = addresses
            .iter()
            .any(|(address, _)| address.address.is_unicast_link_local() && address.flags & not_yet == 0);
        let prefixes = prefixes
            .into_iter()
            .filter(|(address, _)| !address.is_unicast_link_local() && !address.is_multicast())
            .map(|(address, len)| with_lifetimes(address, len, &addresses))
            .collect();
        Ok(Self { has_link_local, prefixes })
    }
}

fn is_on_link(route: &Route, link: u32) -> bool {
    !TOLD_BY_ROUTERS.contains(&route.protocol)
        && route.is_direct()
        && route.table == MAIN_TABLE
        && route.kind == kind::UNICAST
        && (1..128).contains(&route.destination_len)
        && route.source_len == 0
        && route.interface == Some(link)
}

/// Hosts shall keep a prefix no longer than this host keeps its own address in it.
fn with_lifetimes(address: Ipv6Addr, len: u8, addresses: &[(Ipv6Address, (u32, u32))]) -> Prefix {
    let own = addresses
        .iter()
        .filter(|(own, _)| (own.prefix(), own.prefix_len) == (address, len))
        .filter(|(own, _)| own.flags & addr::flag::TEMPORARY == 0)
        .map(|(_, lifetimes)| *lifetimes);
    let (preferred, valid) = own
        .reduce(|(preferred, valid), other| (preferred.max(other.0), valid.max(other.1)))
        .unwrap_or((u32::MAX, u32::MAX));
    Prefix { address, len, valid: valid.min(VALID), preferred: preferred.min(PREFERRED) }
}

/// The Ethernet address of a link that has one.
pub(super) fn ethernet_address(link: &Link) -> Option<[u8; 6]> {
    <[u8; 6]>::try_from(link.address.as_slice()).ok().filter(|address| *address != [0; 6])
}
