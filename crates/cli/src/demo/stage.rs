//! The stage: two computers and a cable between them, made of namespaces and a pair of virtual interfaces.

use super::story::Story;
use super::{failed, namespace, rtnetlink};
use crate::exit::Failure;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};

/// The name of the interface at either end of the cable.
pub(super) const CABLE: &str = "lan0";
/// This computer's addresses; both networks are reserved for documentation (RFC 5737, RFC 3849).
pub(super) const HERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];
/// The other computer's.
pub(super) const THERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2))];

/// The other computer; this one is the network namespace that the demo runs in.
#[derive(Debug)]
pub(super) struct Stage {
    there: OwnedFd,
}

impl Stage {
    pub(super) fn build() -> Result<Self, Failure> {
        let stage = Self { there: namespace::another()? };
        let error = |errno: rustix::io::Errno| failed("making a cable between two computers", errno);
        let here = rtnetlink::Socket::open().map_err(error)?;
        here.make_cable(CABLE, stage.there.as_fd()).map_err(error)?;
        configure(&here, HERE).map_err(error)?;
        stage.there(|| configure(&rtnetlink::Socket::open()?, THERE))?.map_err(error)?;
        Ok(stage)
    }

    /// Runs `work` on the other computer. What it opens there stays there.
    pub(super) fn there<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                move_into_link_name_space(self.there.as_fd(), Some(LinkNameSpaceType::Network))?;
                Ok(work())
            });
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
        .map_err(|errno: rustix::io::Errno| failed("going to the other computer", errno))
    }

    pub(super) fn describe(&self, story: &mut Story) -> io::Result<()> {
        let [here4, here6] = HERE;
        let [there4, there6] = THERE;
        story.chapter("A private network: two computers and a cable")?;
        story.line("")?;
        story.line(&format!("this computer  [{CABLE}]-------------------[{CABLE}]  other computer"))?;
        story.line(&format!("                {here4:<25}{there4}"))?;
        story.line(&format!("                {here6:<25}{there6}"))?;
        story.line("")?;
        story.line("Both are real Linux network stacks that only this program sees.")?;
        story.line("Your own network is not touched.")
    }
}

fn configure(socket: &rtnetlink::Socket, addresses: [IpAddr; 2]) -> Result<(), rustix::io::Errno> {
    socket.switch_on("lo")?;
    for address in addresses {
        socket.add_address(CABLE, address, if address.is_ipv4() { 24 } else { 64 })?;
    }
    socket.switch_on(CABLE)
}
