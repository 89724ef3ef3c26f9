//! The rows of anycast and multicast addresses.

use super::mark::Mark;
use super::read::{no_such_address, require_unicast, scope_id};
use crate::address::{AnycastAddress, MulticastAddress};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::namespace::in_proc;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use iphelper_netlink::rtnetlink::addr::group::{self, Kind, Member};
use rustix::io::Errno;
use std::net::{IpAddr, Ipv4Addr};

impl LinuxHost {
    pub(super) fn read_anycast_addresses(&self, family: Option<Family>) -> Result<Vec<AnycastAddress>> {
        const OPERATION: &str = "reading anycast addresses";
        let rows = self.members(Kind::Anycast, family, OPERATION)?;
        Ok(rows.iter().map(|(member, link)| anycast_row(member.address, link)).collect())
    }

    pub(super) fn read_anycast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<AnycastAddress> {
        const OPERATION: &str = "reading an anycast address";
        require_unicast(address, OPERATION)?;
        let (member, link) = self.member(Kind::Anycast, interface, address, OPERATION)?;
        Ok(anycast_row(member.address, &link))
    }

    pub(super) fn read_multicast_addresses(&self, family: Option<Family>) -> Result<Vec<MulticastAddress>> {
        const OPERATION: &str = "reading multicast addresses";
        let rows = self.members(Kind::Multicast, family, OPERATION)?;
        Ok(rows.iter().map(|(member, link)| multicast_row(member, link)).collect())
    }

    pub(super) fn read_multicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<MulticastAddress> {
        const OPERATION: &str = "reading a multicast address";
        if !address.is_multicast() {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                .because(format!("{address} is no multicast address")));
        }
        let (member, link) = self.member(Kind::Multicast, interface, address, OPERATION)?;
        Ok(multicast_row(&member, &link))
    }

    fn members(
        &self,
        kind: Kind,
        family: Option<Family>,
        operation: &'static str,
    ) -> Result<Vec<(Member, Link)>> {
        let families = self.address_families(family, operation)?;
        let links = self.links_by_index(operation)?;
        let mut rows = Vec::new();
        for family in families {
            let mut members = self.members_of(kind, family, None, operation)?;
            members.extend(self.created_anycast(kind, family, None, operation)?);
            members.sort_by_key(|member| member.index);
            rows.extend(members.into_iter().filter_map(|member| {
                let link = links.get(&InterfaceIndex(member.index))?;
                Some((member, link.clone()))
            }));
        }
        Ok(rows)
    }

    fn member(
        &self,
        kind: Kind,
        interface: InterfaceKey,
        address: IpAddr,
        operation: &'static str,
    ) -> Result<(Member, Link)> {
        let family = Family::of(&address);
        let link = self.address_link(family, interface, operation)?;
        let mut members = self.members_of(kind, family, Some(link.index), operation)?;
        members.extend(self.created_anycast(kind, family, Some(link.index), operation)?);
        match members.into_iter().find(|member| member.address == address) {
            Some(member) => Ok((member, link)),
            None => Err(no_such_address(address, &link, operation)),
        }
    }

    /// The anycast addresses that were created here, which are addresses of their interfaces to the kernel.
    fn created_anycast(
        &self,
        kind: Kind,
        family: Family,
        link: Option<InterfaceIndex>,
        operation: &'static str,
    ) -> Result<Vec<Member>> {
        if kind != Kind::Anycast {
            return Ok(Vec::new());
        }
        let held = self.addresses(family, link, operation)?;
        let created = held.iter().filter(|it| Mark::of(it) == Some(Mark::Anycast));
        Ok(created.map(|it| Member { index: it.index, address: it.address }).collect())
    }

    /// What the kernel itself lists.
    pub(in crate::backend::linux) fn members_of(
        &self,
        kind: Kind,
        family: Family,
        link: Option<InterfaceIndex>,
        operation: &'static str,
    ) -> Result<Vec<Member>> {
        if (kind, family) == (Kind::Anycast, Family::V4) {
            // The kernel has none.
            return Ok(Vec::new());
        }
        let asked = |it: &Member| link.is_none_or(|link| it.index == link.0);
        let mut request = group::dump(kind, address_family(family), link.map_or(0, |index| index.0));
        let members = self.route.take()?.snapshot(&mut request, Vec::new, |members, message| {
            members.extend(Member::parse(kind, message)?.filter(asked));
            Ok(())
        });
        match members {
            // Before Linux 6.14.
            Err(refusal) if family == Family::V4 && refusal.errno() == libc::EOPNOTSUPP => {
                let mut members = self.namespace.run(igmp_table)??;
                members.retain(asked);
                Ok(members)
            }
            members => members.map_err(|refusal| refusal.error(operation)),
        }
    }
}

pub(super) fn anycast_row(address: IpAddr, link: &Link) -> AnycastAddress {
    AnycastAddress {
        address,
        luid: link.luid(),
        index: link.index,
        name: link.name(),
        scope_id: scope_id(address, link.index),
    }
}

fn multicast_row(member: &Member, link: &Link) -> MulticastAddress {
    MulticastAddress {
        address: member.address,
        luid: link.luid(),
        index: link.index,
        name: link.name(),
        scope_id: scope_id(member.address, link.index),
    }
}

/// The IPv4 groups of the calling thread's namespace.
fn igmp_table() -> Result<Vec<Member>> {
    const FILE: &str = "/proc/thread-self/net/igmp";
    let text = std::fs::read(FILE).map_err(|error| {
        in_proc("reading /proc/net/igmp", Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    Ok(groups_of(&String::from_utf8_lossy(&text)))
}

/// Reads the table: a line of each interface, which begins with its index, and an indented one of each group, whose
/// number is the address as this processor reads its bytes.
fn groups_of(text: &str) -> Vec<Member> {
    let mut index = None;
    let mut members = Vec::new();
    for line in text.lines().skip(1) {
        let first = line.split_whitespace().next();
        if line.starts_with(char::is_whitespace) {
            let group = first.and_then(|number| u32::from_str_radix(number, 16).ok());
            members.extend(
                index.zip(group).map(|(index, group)| Member {
                    index,
                    address: Ipv4Addr::from(group.to_ne_bytes()).into(),
                }),
            );
        } else {
            index = first.and_then(|number| number.parse().ok());
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn the_table_of_older_kernels_is_read() {
        let text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
                    1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\
                    12\teth0     :     2      V3\n\t\t\t\tFB0000E0     1 0:00000000\t\t0\n\
                    \t\t\t\t010000E0     1 0:00000000\t\t0\nodd\n\t\t\tnone\n";
        let group = |index, text: &str| Member { index, address: text.parse().unwrap() };
        let expected = [group(1, "224.0.0.1"), group(12, "224.0.0.251"), group(12, "224.0.0.1")];
        assert_eq!(groups_of(text), expected);
        assert_eq!(groups_of(""), []);
    }

    #[test]
    fn both_ways_to_the_ipv4_groups_agree() {
        iphelper_testkit::isolated(|| {
            let host = LinuxHost::open().unwrap();
            let mut by_file = igmp_table().unwrap();
            let mut by_message = host.members_of(Kind::Multicast, Family::V4, None, "").unwrap();
            by_file.sort_unstable();
            by_message.sort_unstable();
            assert_eq!(by_file, by_message);
            assert!(!by_file.is_empty());
        });
    }
}
