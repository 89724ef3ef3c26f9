//! What follows when router discovery is enabled or disabled: routers are solicited, or forgotten.

use super::automatic::is_from;
use super::{Writer, failed};
use crate::backend::linux::ip_interface::change::OPERATION;
use crate::backend::linux::ip_interface::change::router_discovery::is_possible;
use crate::backend::linux::link::address_family;
use crate::backend::linux::namespace::system;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::addr::{self, Ipv6Address};
use iphelper_netlink::rtnetlink::link::{change, flag};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route, protocol};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, ipproto};
use std::net::{Ipv6Addr, SocketAddrV6};

impl Writer<'_> {
    /// Solicits routers, which the kernel does not do when `accept_ra` is set.
    ///
    /// Setting a token makes it do so, with its own repetitions. Without one, an arbitrary token is set and cleared in
    /// one message, too quick for an advertisement to make an address with it; and should one, clearing ends it.
    pub(super) fn solicit_routers(&self) -> Result<()> {
        let Some(ipv6) = self.link.ipv6 else { return Ok(()) };
        // An interface that is down solicits when it comes up; where solicitations are off, they stay off.
        if !self.link.has(flag::UP) || self.link.has(flag::LOOPBACK) || ipv6.router_solicitations == 0 {
            return Ok(());
        }
        if !is_possible(self.link) {
            return self.solicit_once();
        }
        let (token, borrowed) = ([ipv6.token], [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED]);
        let tokens = if ipv6.token.is_unspecified() { borrowed.as_slice() } else { &token };
        self.send(change::set_tokens(self.link.index.0, tokens), "soliciting routers")
    }

    /// Sends one solicitation (RFC 4861, section 4.1) where the kernel takes no token: on links without neighbours, PPP
    /// for one.
    fn solicit_once(&self) -> Result<()> {
        const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
        // Type 133; the kernel fills the checksum in.
        const SOLICITATION: [u8; 8] = [133, 0, 0, 0, 0, 0, 0, 0];
        let to = SocketAddrV6::new(ALL_ROUTERS, 0, 0, self.link.index.0);
        let sent = self.host.namespace.run(|| {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let (domain, kind) = (AddressFamily::INET6, SocketType::RAW);
            let socket = rustix::net::socket_with(domain, kind, flags, Some(ipproto::ICMPV6))?;
            // Routers take no solicitation that may have come through another.
            rustix::net::sockopt::set_ipv6_multicast_hops(&socket, 255)?;
            rustix::net::sendto(&socket, &SOLICITATION, SendFlags::empty(), &to)
        })?;
        match sent {
            // Raw sockets need CAP_NET_RAW too. Without it the next unsolicited advertisement is waited for; without a
            // usable link-local address the kernel solicits once there is one.
            Ok(_) | Err(Errno::PERM | Errno::ACCESS | Errno::ADDRNOTAVAIL) => Ok(()),
            Err(errno) => Err(system(OPERATION, errno).because("soliciting routers")),
        }
    }

    /// Takes away what routers advertised: default and other routes, on-link prefixes, and the addresses made from
    /// them. The kernel would keep them until they expire.
    pub(super) fn forget_routers(&self) -> Result<()> {
        let addresses = self.addresses()?;
        let by_router = |it: &&Ipv6Address| is_from(it, &addresses, addr::protocol::ROUTER_ADVERTISEMENT);
        let (gone, stay): (Vec<&Ipv6Address>, Vec<&Ipv6Address>) = addresses.iter().partition(by_router);
        let mut requests: Vec<_> = self
            .routes(Filter { protocol: Some(protocol::ROUTER_ADVERTISEMENT), ..Filter::default() })?
            .iter()
            .filter(|route| route.protocol == protocol::ROUTER_ADVERTISEMENT)
            .map(Route::delete)
            .collect();
        let by_hand = self.routes(Filter { protocol: Some(protocol::BOOT), ..Filter::default() })?;
        requests.extend(self.host.stand_ins_among(self.link, by_hand)?.iter().map(Route::delete));
        requests.extend(gone.into_iter().map(Ipv6Address::delete));
        // The prefix of an address that somebody else made is that one's too.
        let needed = |route: &Route| {
            stay.iter().filter(|it| it.flags & addr::flag::NO_PREFIX_ROUTE == 0).any(|it| {
                (Some(it.prefix().into()), it.prefix_len) == (route.destination, route.destination_len)
            })
        };
        let prefixes = self.routes(Filter { advertised_prefixes: true, ..Filter::default() })?;
        requests.extend(prefixes.iter().filter(|route| !needed(route)).map(Route::delete));
        self.send_each(requests, "taking away what routers advertised")
    }

    /// The IPv6 routes over the interface that pass `filter`, each next hop as a route of its own.
    fn routes(&self, filter: Filter) -> Result<Vec<Route>> {
        let index = self.link.index.0;
        let filter = Filter { interface: Some(index), ..filter };
        let routes = self.host.route.take()?.snapshot(
            &mut route::dump(address_family(Family::V6), filter),
            Vec::new,
            |routes, message| {
                let hops = Route::parse(message)?.into_iter().flat_map(Route::each_hop);
                routes.extend(hops.filter(|route| route.interface == Some(index)));
                Ok(())
            },
        );
        routes.map_err(|refusal| failed(refusal, "listing the routes"))
    }
}
