//! What the kernel announces that a keeper acts on.

use super::super::LinuxHost;
use super::super::policy::names::{FILTER_TABLE, ROUTER_TABLES};
use super::super::socket::{Protocol, Socket};
use super::OPERATION;
use crate::error::Result;
use iphelper_netlink::DecodeError;
use iphelper_netlink::message::Message;
use iphelper_netlink::nf_tables;
use iphelper_netlink::rtnetlink::notification as groups;
use rustix::net::{RecvFlags, sockopt};
use std::os::fd::{AsFd, BorrowedFd};

/// Room for announcements while a pass is made: a few thousand.
const RECEIVE_SPACE: usize = 4 << 20;

/// What has to be looked at again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// Rules, routes, addresses, links, our part of the packet filter.
    pub(super) policy: bool,
    /// Links, addresses, IPv6 routes, IPv6 settings, and what is set.
    pub(super) links: bool,
    /// Who wants this host to be a router.
    pub(super) router: bool,
}

impl News {
    const ALL: Self = Self { policy: true, links: true, router: true };
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

    /// Takes in everything that is announced by now.
    pub(super) fn news(&mut self) -> Result<News> {
        let mut news = News::default();
        drain(&mut self.route, &mut news, |message, news| {
            note(message, news);
            Ok(())
        })?;
        drain(&mut self.filter, &mut news, |message, news| {
            // Not of the tables that are locks, which come and go with each pass.
            news.policy |= nf_tables::is_about_table(message, FILTER_TABLE)?;
            news.router |= nf_tables::is_about_tables(message, ROUTER_TABLES)?;
            Ok(())
        })?;
        Ok(news)
    }
}

/// `RTM_NEWLINK` and the like come in fours: new, delete, get, set.
fn note(message: &Message<'_>, news: &mut News) {
    const LINK: u16 = 16;
    const ADDRESS: u16 = 20;
    const ROUTE: u16 = 24;
    const NETCONF: u16 = 80;
    match message.header.kind & !3 {
        LINK | ADDRESS | ROUTE => (news.policy, news.links) = (true, true),
        NETCONF => news.links = true,
        _ => news.policy = true,
    }
}

fn drain(
    socket: &mut Socket,
    news: &mut News,
    mut note: impl FnMut(&Message<'_>, &mut News) -> Result<(), DecodeError>,
) -> Result<()> {
    loop {
        match socket.receive_with(RecvFlags::DONTWAIT) {
            Ok(messages) => {
                for message in messages {
                    // What cannot be read may have been about anything.
                    if message.and_then(|message| note(&message, news)).is_err() {
                        *news = News::ALL;
                    }
                }
            }
            Err(refusal) => match refusal.errno() {
                libc::EAGAIN => return Ok(()),
                // An overrun, or a message longer than the buffer, which has grown since.
                libc::ENOBUFS | libc::EMSGSIZE => *news = News::ALL,
                _ => return Err(refusal.error(OPERATION).because("listening")),
            },
        }
    }
}
