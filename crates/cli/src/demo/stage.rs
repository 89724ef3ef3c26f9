//! The stage: two computers and a cable between them, made of namespaces and a pair of virtual interfaces.

use super::namespace::Computer;
use super::story::Story;
use super::{failed, rtnetlink};
use crate::exit::Failure;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;

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
    pub(super) there: Computer,
}

impl Stage {
    pub(super) fn build() -> Result<Self, Failure> {
        let stage = Self { there: Computer::new()? };
        let error = |errno: rustix::io::Errno| failed("making a cable between two computers", errno);
        let here = rtnetlink::Socket::open().map_err(error)?;
        here.make_cable(CABLE, stage.there.as_fd(), CABLE).map_err(error)?;
        configure(&here, HERE).map_err(error)?;
        stage.there.run(|| configure(&rtnetlink::Socket::open()?, THERE))?.map_err(error)?;
        Ok(stage)
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
