//! What the kernel announces that a keeper acts on.

use super::super::LinuxHost;
use super::super::policy::Follower;
use super::super::policy::advertise::may_be_advertised;
use super::super::policy::names::ROUTER_TABLES;
use super::super::policy::{OUR_PROTOCOL, notes_optimistic_detection};
use super::super::socket::{Protocol, Socket};
use super::OPERATION;
use crate::error::Result;
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::Message;
use iphelper_netlink::nf_tables;
use iphelper_netlink::rtnetlink::addr::{DELETE_ADDRESS, NEW_ADDRESS};
use iphelper_netlink::rtnetlink::link::NEW_LINK;
use iphelper_netlink::rtnetlink::notification as groups;
use iphelper_netlink::rtnetlink::route::{NEW_ROUTE, Route};
use rustix::net::{RecvFlags, sockopt};
use std::os::fd::{AsFd, BorrowedFd};

/// Room for announcements while a pass is made: a few thousand.
const RECEIVE_SPACE: usize = 4 << 20;

/// What has to be looked at again, beside what the follower heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// Links, addresses, IPv6 routes, IPv6 settings, and what is set.
    pub(super) links: bool,
    /// Who wants this host to be a router.
    pub(super) router: bool,
    /// What hangs on IPv4 addresses and on links, and what a caller has raised for a moment.
    pub(super) addresses: bool,
}

#[derive(Debug)]
pub(super) struct Watch {
    route: Socket,
    filter: Socket,
}

impl Watch {
    pub(super) fn open(host: &LinuxHost) -> Result<Self> {
        let subscriptions = groups::LINK
            | groups::IPV4_ADDRESS
            | groups::IPV6_ADDRESS
            | groups::IPV4_ROUTE
            | groups::IPV6_ROUTE
            | groups::IPV4_RULE
            | groups::IPV6_RULE
            | groups::NEXTHOP
            | groups::IPV6_LINK
            | groups::IPV6_NETCONF;
        let route = host.namespace.run(|| Socket::open(Protocol::Route, subscriptions))??;
        let filter = host.namespace.run(|| Socket::open(Protocol::Netfilter, 0))??;
        filter.join_group(nf_tables::CHANGES).map_err(|refusal| {
            refusal.error(OPERATION).because("subscribing to changes of the packet filter")
        })?;
        for socket in [&route, &filter] {
            // Less is no error: an overrun is found, and everything looked at then.
            let _ = sockopt::set_socket_recv_buffer_size_force(socket, RECEIVE_SPACE);
        }
        Ok(Self { route, filter })
    }

    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.route.as_fd(), self.filter.as_fd()]
    }

    /// Takes in everything that is announced by now. `advertises` says whether addresses and routes concern advertisements.
    pub(super) fn news(
        &mut self,
        host: &LinuxHost,
        follower: &mut Follower,
        advertises: bool,
    ) -> Result<News> {
        let mut news = News::default();
        // Routes first: who has the lock announces taking it, there, before and behind what it changes here.
        drain(&mut self.route, follower, |follower, message| match message {
            Some(message) => {
                news.links |= concerns_advertising(message, advertises)?;
                news.addresses |= concerns_addresses(message)?;
                follower.hear_route(host, message)
            }
            None => {
                (news.links, news.addresses) = (true, true);
                Ok(())
            }
        })?;
        drain(&mut self.filter, follower, |follower, message| match message {
            Some(message) => {
                news.router |= nf_tables::is_about_tables(message, ROUTER_TABLES)?;
                follower.hear_filter(host, message)
            }
            None => {
                news.router = true;
                Ok(())
            }
        })?;
        Ok(news)
    }
}

/// Whether a message is about what the prefixes of skipped IPv4 addresses hang on, or notes a sysctl that is raised.
fn concerns_addresses(message: &Message<'_>) -> Result<bool, DecodeError> {
    const AF_INET: u8 = 2;
    Ok(match (message.header.kind, message.payload) {
        (NEW_LINK | NEW_ADDRESS | DELETE_ADDRESS, [0 | AF_INET, ..]) => true,
        (NEW_ROUTE, [AF_INET, _, _, _, _, OUR_PROTOCOL, ..]) => {
            Route::parse(message)?.is_some_and(|route| notes_optimistic_detection(&route))
        }
        _ => false,
    })
}

/// `RTM_NEWLINK` and the like come in fours: new, delete, get, set.
fn concerns_advertising(message: &Message<'_>, advertises: bool) -> Result<bool, DecodeError> {
    const LINK: u16 = 16;
    const ADDRESS: u16 = 20;
    const ROUTE: u16 = 24;
    const NETCONF: u16 = 80;
    Ok(match message.header.kind & !3 {
        LINK | NETCONF => true,
        ADDRESS => advertises,
        ROUTE => Route::parse(message)?.is_some_and(|route| may_be_advertised(&route, advertises)),
        _ => false,
    })
}

/// Gives messages to `hear`, and none for those that were lost, or cannot be read and may have been about anything.
fn drain(
    socket: &mut Socket,
    follower: &mut Follower,
    mut hear: impl FnMut(&mut Follower, Option<&Message<'_>>) -> Result<(), DecodeError>,
) -> Result<()> {
    loop {
        match socket.receive_with(RecvFlags::DONTWAIT) {
            Ok(messages) => {
                for message in messages {
                    if message.and_then(|message| hear(follower, Some(&message))).is_err() {
                        follower.lose_track();
                        let _ = hear(follower, None);
                    }
                }
            }
            Err(refusal) => match refusal.errno() {
                libc::EAGAIN => return Ok(()),
                // An overrun, or a message longer than the buffer, which has grown since.
                libc::ENOBUFS | libc::EMSGSIZE => {
                    follower.lose_track();
                    let _ = hear(follower, None);
                }
                _ => return Err(refusal.error(OPERATION).because("listening")),
            },
        }
    }
}
