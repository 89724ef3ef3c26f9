//! Adapters: links with everything that belongs to them, from one dump of each table.

mod client;
mod gateway;
pub(super) mod lease;

use super::LinuxHost;
use super::address::{is_unicast, row, scope_id};
use super::ip_interface::automatic_metric;
use super::link::Link;
use super::socket::{Protocol, Refusal, Socket};
use crate::adapter::{Adapter, AdapterDns, AdapterIp, AdapterQuery, DhcpLease};
use crate::address::{AnycastAddress, MulticastAddress};
use crate::backend::{self, Dns as _};
use crate::dns::InterfaceDns;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use client::Wish;
use iphelper_netlink::rtnetlink::addr::group::{Kind, Member};
use iphelper_netlink::rtnetlink::link::flag;
use iphelper_netlink::rtnetlink::notification as groups;
#[cfg(fuzzing)]
pub(crate) use lease::fuzz as fuzz_lease;
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::net::RecvFlags;
use std::net::IpAddr;

const OPERATION: &str = "reading adapters";
/// How often the tables are read while they change.
const ATTEMPTS: usize = 5;

impl backend::Adapter for LinuxHost {
    fn adapters(&self, query: &AdapterQuery) -> Result<Vec<Adapter>> {
        let families = self.address_families(query.family, OPERATION)?;
        let mut adapters = self.at_one_moment(&families, || {
            let mut links = self.links(OPERATION)?;
            if !query.all_interfaces {
                links.retain(|link| families.iter().any(|family| link.has_family(*family)));
            }
            self.read_adapters(&links, &families, query, None)
        })?;
        adapters.sort_by_key(Adapter::place);
        Ok(adapters)
    }

    fn adapter(&self, key: InterfaceKey, query: &AdapterQuery) -> Result<Adapter> {
        const OPERATION: &str = "reading an adapter";
        let families = self.address_families(query.family, OPERATION)?;
        let adapters = self.at_one_moment(&families, || {
            let link = self.link(key, OPERATION)?;
            self.read_adapters(std::slice::from_ref(&link), &families, query, Some(link.index))
        })?;
        adapters.into_iter().next().ok_or_else(|| {
            Error::new(ErrorKind::InterfaceNotFound, OPERATION).because("it vanished while it was read")
        })
    }

    fn renew_address(&self, key: InterfaceKey) -> Result<DhcpLease> {
        self.change_lease(key, Wish::Renew)
    }

    fn plan_renew_address(&self, key: InterfaceKey) -> Result<Option<DhcpLease>> {
        self.plan_renewal(key)
    }

    fn release_address(&self, key: InterfaceKey) -> Result<DhcpLease> {
        self.change_lease(key, Wish::Release)
    }

    fn plan_release_address(&self, key: InterfaceKey) -> Result<DhcpLease> {
        self.plan_release(key)
    }
}

/// A link, and what each of its rows repeats.
struct Known<'a> {
    link: &'a Link,
    luid: InterfaceLuid,
    adapter: Adapter,
}

impl LinuxHost {
    /// What `read` gives, from a time in which the kernel announced no other link or address.
    fn at_one_moment<T>(&self, families: &[Family], mut read: impl FnMut() -> Result<T>) -> Result<T> {
        let of_family = |family: &Family| match family {
            Family::V4 => groups::IPV4_ADDRESS,
            Family::V6 => groups::IPV6_ADDRESS,
        };
        let announced = families.iter().map(of_family).fold(groups::LINK, |all, group| all | group);
        let mut announcements = self.namespace.run(|| Socket::open(Protocol::Route, announced))??;
        let mut result = read();
        for _ in 1..ATTEMPTS {
            if !has_announced(&mut announcements)? {
                break;
            }
            result = read();
        }
        result
    }

    fn read_adapters(
        &self,
        links: &[Link],
        families: &[Family],
        query: &AdapterQuery,
        only: Option<InterfaceIndex>,
    ) -> Result<Vec<Adapter>> {
        let speeds = self.link_speeds(links)?;
        let settings = self.route_settings()?;
        let advertising = self.advertising(links)?;
        let known = links.iter().map(|link| {
            let speed = speeds.get(&link.index.0).copied();
            let metric = |family| {
                settings.metric(family, link).unwrap_or_else(|| automatic_metric(link.interface_type, speed))
            };
            let ours = advertising.get(&link.index).filter(|it| it.enabled);
            let adapter = Adapter {
                interface: self.interface_row(link, speed),
                supports_multicast: link.has(flag::MULTICAST),
                ipv4: link.has_family(Family::V4).then(|| AdapterIp {
                    metric: metric(Family::V4),
                    managed_address_configuration_supported: None,
                    other_stateful_configuration_supported: None,
                }),
                ipv6: link.active_ipv6().map(|ipv6| AdapterIp {
                    metric: metric(Family::V6),
                    managed_address_configuration_supported: Some(ours.map_or(ipv6.managed, |it| it.managed)),
                    other_stateful_configuration_supported: Some(
                        ours.map_or(ipv6.other_configuration, |it| it.other_configuration),
                    ),
                }),
                unicast_addresses: Vec::new(),
                anycast_addresses: Vec::new(),
                multicast_addresses: Vec::new(),
                gateways: Vec::new(),
                dns: None,
                dhcp: None,
                dhcpv6: None,
            };
            Known { link, luid: adapter.interface.luid, adapter }
        });
        let mut known: Vec<Known<'_>> = known.collect();
        let places: Places = links.iter().enumerate().map(|(place, link)| (link.index.0, place)).collect();
        for family in families {
            self.add_addresses(&mut known, &places, *family, query, only)?;
            if query.multicast {
                self.add_groups(&mut known, &places, *family, only)?;
            }
            if query.gateways {
                self.add_gateways(&mut known, &places, *family, only)?;
            }
        }
        if query.dns {
            self.add_dns(&mut known, families);
        }
        if query.dhcp {
            self.add_leases(&mut known, families)?;
        }
        let mut adapters: Vec<Adapter> = known.into_iter().map(|it| it.adapter).collect();
        if !query.unicast {
            // They were read for the leases.
            adapters.iter_mut().for_each(|adapter| adapter.unicast_addresses.clear());
        }
        Ok(adapters)
    }

    /// Unicast addresses, and anycast ones that were created here, which are addresses to the kernel, too.
    fn add_addresses(
        &self,
        known: &mut [Known<'_>],
        places: &Places,
        family: Family,
        query: &AdapterQuery,
        only: Option<InterfaceIndex>,
    ) -> Result<()> {
        // A lease counts while its address is there.
        let unicast = query.unicast || (query.dhcp && family == Family::V4);
        if !unicast && !query.anycast {
            return Ok(());
        }
        let mut seen = FxHashSet::default();
        for address in self.addresses(family, only, OPERATION)? {
            let Some(it) = places.get(&address.index).and_then(|place| known.get_mut(*place)) else {
                continue;
            };
            if !is_unicast(&address) {
                if query.anycast {
                    it.add_anycast(address.address);
                }
            } else if unicast
                // An IPv4 address that the kernel has with two prefixes is one row.
                && match address.address {
                    IpAddr::V4(ipv4) => seen.insert((address.index, ipv4.to_bits())),
                    IpAddr::V6(_) => true,
                }
            {
                it.adapter.unicast_addresses.push(row(&address, it.link, it.luid));
            }
        }
        if unicast && family == Family::V4 {
            for it in self.detected_rows(known.iter().map(|it| it.link))? {
                let IpAddr::V4(address) = it.address else { continue };
                if let Some(known) = places.get(&it.index.0).and_then(|place| known.get_mut(*place))
                    // Beside one that was taken meanwhile it says nothing.
                    && seen.insert((it.index.0, address.to_bits()))
                {
                    known.adapter.unicast_addresses.push(it);
                }
            }
        }
        if query.anycast {
            self.add_members(known, places, Kind::Anycast, family, only, |it, address| {
                it.add_anycast(address)
            })?;
        }
        Ok(())
    }

    fn add_dns(&self, known: &mut [Known<'_>], families: &[Family]) {
        // That the resolver does not tell is no reason to hide the adapters.
        let Ok(dns) = self.dns() else { return };
        for it in known {
            let own = dns.interface(it.link.index);
            let servers = own.into_iter().flat_map(InterfaceDns::all_servers);
            it.adapter.dns = Some(AdapterDns {
                servers: servers
                    .filter(|server| families.contains(&Family::of(&server.address)))
                    .cloned()
                    .collect(),
                domains: own.map(|own| own.domains.clone()).unwrap_or_default(),
            });
        }
    }

    fn add_groups(
        &self,
        known: &mut [Known<'_>],
        places: &Places,
        family: Family,
        only: Option<InterfaceIndex>,
    ) -> Result<()> {
        self.add_members(known, places, Kind::Multicast, family, only, |it, address| {
            let row = MulticastAddress {
                address,
                luid: it.luid,
                index: it.link.index,
                name: it.adapter.interface.name.clone(),
                scope_id: scope_id(address, it.link.index),
            };
            it.adapter.multicast_addresses.push(row);
        })
    }

    fn add_members(
        &self,
        known: &mut [Known<'_>],
        places: &Places,
        kind: Kind,
        family: Family,
        only: Option<InterfaceIndex>,
        add: impl Fn(&mut Known<'_>, IpAddr),
    ) -> Result<()> {
        for Member { index, address } in self.members_of(kind, family, only, OPERATION)? {
            if let Some(it) = places.get(&index).and_then(|place| known.get_mut(*place)) {
                add(it, address);
            }
        }
        Ok(())
    }
}

/// Where each link stands, by its index.
type Places = FxHashMap<u32, usize>;

impl Known<'_> {
    fn add_anycast(&mut self, address: IpAddr) {
        self.adapter.anycast_addresses.push(AnycastAddress {
            address,
            luid: self.luid,
            index: self.link.index,
            name: self.adapter.interface.name.clone(),
            scope_id: scope_id(address, self.link.index),
        });
    }
}

/// Whether anything was announced since the last time, also if it was more than the socket could hold.
fn has_announced(announcements: &mut Socket) -> Result<bool> {
    let mut any = false;
    loop {
        match announcements.receive_bytes(RecvFlags::DONTWAIT) {
            Ok(_) => any = true,
            Err(refusal) if refusal.errno() == libc::EAGAIN => return Ok(any),
            // What was lost, or did not fit, was an announcement.
            Err(refusal) if matches!(refusal.errno(), libc::ENOBUFS | libc::EMSGSIZE) => any = true,
            Err(refusal) => return Err(Refusal::error(refusal, OPERATION)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_testkit::{isolated, run};

    #[test]
    fn what_changed_meanwhile_is_read_again() {
        isolated(|| {
            let _ = run("ip link set lo up");
            let host = LinuxHost::open().unwrap();
            let families = Family::ALL;
            let readings = |changes: &[&str]| {
                let mut count = 0;
                let read = host.at_one_moment(&families, || {
                    let _ = changes.get(count).map(|change| run(change));
                    count += 1;
                    Ok(count)
                });
                assert_eq!(read.unwrap(), count, "the last reading is given");
                count
            };
            assert_eq!(readings(&[]), 1);
            assert_eq!(readings(&["ip addr add 192.0.2.1/32 dev lo"]), 2);
            // A deletion, since the end of duplicate detection announces a new IPv6 address once more, later.
            assert_eq!(readings(&["ip addr del ::1/128 dev lo", "ip link add x0 type bridge"]), 3);
            assert_eq!(readings(&["ip route add 203.0.113.0/24 dev lo"]), 1, "no link, no address");
            let restless: Vec<String> =
                (0..9).map(|number| format!("ip addr add 10.0.0.{number}/32 dev lo")).collect();
            let restless: Vec<&str> = restless.iter().map(String::as_str).collect();
            assert_eq!(readings(&restless), ATTEMPTS);
        });
    }
}
