//! What the rules that sort destinations look at, from the kernel and `/etc/gai.conf`.

use super::LinuxHost;
use super::link::Link;
use crate::backend;
use crate::best_route::BestRouteQuery;
use crate::destination::{AddressPair, Candidate, Destination, Policy, Source, sort};
use crate::error::{ErrorKind, Result};
use crate::interface::TunnelType;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::addr::{self, Address};
use iphelper_netlink::rtnetlink::address_label::AddressLabel;
use std::net::IpAddr;

const OPERATION: &str = "sorting destinations";
const CONFIGURATION: &str = "/etc/gai.conf";
/// More is no configuration file.
const LONGEST_CONFIGURATION: usize = 1 << 20;
const AF_UNSPEC: u8 = 0;

impl backend::Destination for LinuxHost {
    fn sort_destinations(&self, destinations: &[Destination]) -> Result<Vec<AddressPair>> {
        let links = self.links(OPERATION)?;
        let addresses = self.all_addresses()?;
        let mut candidates = Vec::with_capacity(destinations.len());
        for destination in destinations {
            let source = self.source_for(destination, &links, &addresses)?;
            candidates.push(Candidate { destination: *destination, source });
        }
        let configuration = std::fs::read(CONFIGURATION).unwrap_or_default();
        let configuration = configuration.get(..LONGEST_CONFIGURATION).unwrap_or(&configuration);
        let policy = Policy::new(self.address_labels()?, &String::from_utf8_lossy(configuration));
        Ok(sort(&candidates, &policy))
    }
}

impl LinuxHost {
    /// The source that the kernel chooses; `None` where no way leads there.
    fn source_for(
        &self,
        destination: &Destination,
        links: &[Link],
        addresses: &[Address],
    ) -> Result<Option<Source>> {
        let named = |index: InterfaceIndex| links.iter().find(|link| link.index == index);
        let zone = match destination.zone {
            // A zone that is not there: no way leads out of it.
            Some(zone) => match named(zone) {
                None => return Ok(None),
                link => link,
            },
            None => None,
        };
        if !self.sysctl.has(Family::of(&destination.address)) {
            return Ok(None);
        }
        let found = match self.find_route(destination.address, &BestRouteQuery::default(), zone) {
            Ok(found) => found,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::NetworkUnreachable
                    | ErrorKind::HostUnreachable
                    | ErrorKind::InterfaceNotFound
                    | ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                };
            }
        };
        let Some(source) = found.source else { return Ok(None) };
        let own = addresses.iter().find(|address| address.address == source);
        Ok(Some(Source {
            address: source,
            prefix_len: own.map_or_else(|| whole(source), |own| own.prefix_len),
            is_deprecated: own.is_some_and(|own| own.flags & DEPRECATED != 0),
            is_home: own.is_some_and(|own| own.flags & HOME_ADDRESS != 0),
            is_tunnelled: named(found.interface).is_some_and(|link| link.tunnel_type != TunnelType::None),
        }))
    }

    fn all_addresses(&self) -> Result<Vec<Address>> {
        let addresses =
            self.route.take()?.snapshot(&mut addr::dump(AF_UNSPEC, 0), Vec::new, |all, message| {
                all.extend(Address::parse(message)?);
                Ok(())
            });
        addresses.map_err(|refusal| refusal.error(OPERATION).because("listing addresses"))
    }

    /// The labels that hold on every link; none where the kernel has no IPv6.
    fn address_labels(&self) -> Result<Vec<(std::net::Ipv6Addr, u8, u32)>> {
        let labels = self.route.take()?.snapshot(&mut AddressLabel::dump(), Vec::new, |all, message| {
            let everywhere = AddressLabel::parse(message)?.filter(|label| label.interface == 0);
            all.extend(everywhere.map(|label| (label.prefix, label.prefix_len, label.label)));
            Ok(())
        });
        match labels {
            Err(refusal) if matches!(refusal.errno(), libc::EOPNOTSUPP | libc::EAFNOSUPPORT) => {
                Ok(Vec::new())
            }
            labels => {
                labels.map_err(|refusal| refusal.error(OPERATION).because("listing labels of addresses"))
            }
        }
    }
}

/// `IFA_F_DEPRECATED`: valid, but not to be used for what is new.
const DEPRECATED: u32 = 0x20;
/// `IFA_F_HOMEADDRESS`: a mobile node's.
const HOME_ADDRESS: u32 = 0x10;

const fn whole(address: IpAddr) -> u8 {
    Family::of(&address).address_bits()
}
