//! Addresses that the kernel made by itself.

use super::{Writer, failed};
use crate::error::Result;
use iphelper_netlink::rtnetlink::addr::{self, Ipv6Address};

impl Writer<'_> {
    /// Takes away the link-local address that the kernel made. One that somebody else made stays.
    pub(super) fn forget_link_local(&self) -> Result<()> {
        let addresses = self.addresses()?;
        let requests =
            addresses.iter().filter(|address| is_from(address, &addresses, addr::protocol::LINK_LOCAL));
        self.send_each(requests.map(Ipv6Address::delete), "taking the link-local address away")
    }

    /// All IPv6 addresses of the link.
    pub(super) fn addresses(&self) -> Result<Vec<Ipv6Address>> {
        let index = self.link.index.0;
        let addresses =
            self.host.route.take()?.snapshot(&mut addr::dump_ipv6(index), Vec::new, |addresses, message| {
                addresses.extend(Ipv6Address::parse(message)?.filter(|address| address.index == index));
                Ok(())
            });
        addresses.map_err(|refusal| failed(refusal, "listing the addresses"))
    }
}

/// Whether the kernel made an address, from a router advertisement or as the link-local one.
///
/// Before Linux 5.18 it does not tell who made an address; then its flags do. An address that a program made with
/// lifetimes and the flag for temporary ones looks the same there.
pub(super) fn is_from(address: &Ipv6Address, all: &[Ipv6Address], protocol: u8) -> bool {
    // Temporary ones are the kernel's on each version, and go with the address that they were made beside.
    if address.flags & addr::flag::TEMPORARY != 0 {
        return protocol == addr::protocol::ROUTER_ADVERTISEMENT;
    }
    if all.iter().any(|address| address.protocol.is_some()) {
        return address.protocol == Some(protocol);
    }
    let permanent = address.flags & addr::flag::PERMANENT != 0;
    if protocol == addr::protocol::LINK_LOCAL {
        return permanent && address.address.is_unicast_link_local() && address.prefix_len == 64;
    }
    !permanent && address.flags & addr::flag::MANAGE_TEMPORARY != 0
}
