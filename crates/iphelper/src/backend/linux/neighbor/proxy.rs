//! Addresses that this host answers for.

use super::read::{Entry, Named, proxy_interface, require_neighbor_address};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::namespace::system;
use crate::error::{Error, ErrorKind, Result};
use crate::neighbor::ProxyNeighbor;
use crate::types::{Family, InterfaceKey, Prefix};
use iphelper_netlink::message::Request;
use iphelper_netlink::rtnetlink::neigh::{self, Key};
use std::net::IpAddr;

/// The kernel has an entry for each address, in a table of 16 buckets that it walks for each request that comes in.
const MOST: u128 = 4096;

impl LinuxHost {
    /// Answers for each address of a prefix, or says what would be answered.
    pub(super) fn make_proxies(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
        write: bool,
    ) -> Result<Vec<ProxyNeighbor>> {
        const OPERATION: &str = "creating proxies";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let (link, addresses) = self.proxies_of(interface, prefix, OPERATION)?;
        if Family::of(&prefix.address()) == Family::V6 && !self.proxies_discovery(&link, OPERATION)? {
            return Err(Error::new(ErrorKind::NotSupported, OPERATION).because(format!(
                "the kernel answers for nobody on {0} while net.ipv6.conf.{0}.proxy_ndp is 0: set it to 1 first",
                link.name()
            )));
        }
        let mut rows = Vec::new();
        for address in &addresses {
            if self.proxy_entry(&link, *address, OPERATION)?.is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, OPERATION)
                    .because(format!("{address} is answered for on {} already", link.name())));
            }
            let interface = Some(proxy_interface(&Named::from(&link), link.index));
            rows.push(ProxyNeighbor { address: *address, interface, is_router: false, protocol: None });
        }
        if write {
            self.for_each(&link, &addresses, neigh::create_proxy, neigh::delete_proxy, OPERATION)?;
        }
        Ok(rows)
    }

    /// Answers no more for each address of a prefix, or says what would be answered no more.
    pub(super) fn forget_proxies(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
        write: bool,
    ) -> Result<Vec<ProxyNeighbor>> {
        const OPERATION: &str = "deleting proxies";
        if write {
            self.require_administrator(OPERATION)?;
        }
        let (link, addresses) = self.proxies_of(interface, prefix, OPERATION)?;
        let mut rows = Vec::new();
        for address in &addresses {
            let entry = self.proxy_entry(&link, *address, OPERATION)?.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, OPERATION)
                    .because(format!("{address} is not answered for on {}", link.name()))
            })?;
            rows.push(entry.proxy_row(Some(proxy_interface(&Named::from(&link), link.index))));
        }
        if write {
            self.for_each(&link, &addresses, neigh::delete_proxy, neigh::create_proxy, OPERATION)?;
        }
        Ok(rows)
    }

    /// The link and the addresses of a prefix that can be answered for on it.
    fn proxies_of(
        &self,
        interface: InterfaceKey,
        prefix: Prefix,
        operation: &'static str,
    ) -> Result<(Link, Vec<IpAddr>)> {
        let link = self.address_link(Family::of(&prefix.address()), interface, operation)?;
        let bits = Family::of(&prefix.address()).address_bits() - prefix.len();
        let count = 1_u128.checked_shl(bits.into()).filter(|count| *count <= MOST).ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, operation).because(format!(
                "{prefix} has more than {MOST} addresses, and the kernel has an entry for each: name a smaller prefix, or \
                 use net.ipv4.conf.{}.proxy_arp, which follows the routes",
                link.name()
            ))
        })?;
        let first = match prefix.address() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let address = |number: u128| match prefix.address() {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(number).unwrap_or_default().into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        };
        let addresses: Vec<_> = (0..count).map(|offset| address(first.saturating_add(offset))).collect();
        for address in &addresses {
            require_neighbor_address(*address, operation)?;
        }
        Ok((link, addresses))
    }

    /// The kernel's entry of an address that is answered for on a link.
    ///
    /// Addresses are asked for one by one: a dump of so many may lack some, see
    /// [`dump_neighbors`](Self::dump_neighbors).
    fn proxy_entry(&self, link: &Link, address: IpAddr, operation: &'static str) -> Result<Option<Entry>> {
        let mut entry = None;
        let key = Key { index: link.index.0, address };
        let asked = self.route.take()?.ask(&mut neigh::get_proxy(key), |message| {
            entry = Entry::read(message)?;
            Ok(())
        });
        match asked {
            Ok(()) => Ok(entry),
            Err(refusal) if refusal.errno() == libc::ENOENT => Ok(None),
            Err(refusal) => Err(refusal.error(operation)),
        }
    }

    /// Whether the kernel answers neighbour solicitations for others at all.
    fn proxies_discovery(&self, link: &Link, operation: &'static str) -> Result<bool> {
        for name in ["all", &link.name()] {
            let path = format!("conf/{name}/proxy_ndp");
            if self.sysctl.read(Family::V6, &path).map_err(|errno| system(operation, errno))? != "0" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends a request for each address; when one is refused, those before it are undone.
    fn for_each(
        &self,
        link: &Link,
        addresses: &[IpAddr],
        request: fn(Key) -> Request,
        undo: fn(Key) -> Request,
        operation: &'static str,
    ) -> Result<()> {
        let mut socket = self.route.take()?;
        let key = |address: &IpAddr| Key { index: link.index.0, address: *address };
        for (position, address) in addresses.iter().enumerate() {
            let Err(refusal) = socket.acknowledged(&mut request(key(address))) else { continue };
            for address in addresses.iter().take(position) {
                let _ = socket.acknowledged(&mut undo(key(address)));
            }
            return Err(refusal.error(operation));
        }
        Ok(())
    }
}
