//! What can change without an announcement, read at small cost: five dumps, three of them of what we have set, and four
//! files for any number of interfaces, and no driver is asked, which could wake hardware that sleeps.

use super::super::LinuxHost;
use super::super::link::Link;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex};
use iphelper_netlink::rtnetlink::link::LinkStatistics;
use iphelper_netlink::rtnetlink::neigh_table::{self, NeighborParameters};
use iphelper_netlink::rtnetlink::route::Route;
use std::collections::{BTreeMap, BTreeSet};

/// What is set by hand of no interface counts for all.
const NONE: InterfaceIndex = InterfaceIndex(0);

/// State that a look compares with the state at the look before.
#[derive(Debug, PartialEq)]
pub(super) struct Silent {
    links: BTreeMap<InterfaceIndex, Link>,
    /// Times of ARP and neighbour discovery, by family number.
    neighbors: BTreeMap<(InterfaceIndex, u8), NeighborParameters>,
    /// What is set by hand: of an interface that is down nothing is announced, and nothing is when somebody takes it
    /// away.
    by_hand: BTreeMap<InterfaceIndex, Vec<Route>>,
    /// What holds for all interfaces.
    common: [Option<String>; 4],
}

/// Which rows may be others than before.
#[derive(Debug, PartialEq)]
pub(super) enum Suspects {
    All,
    These(BTreeSet<InterfaceIndex>),
}

impl Silent {
    pub(super) fn read(host: &LinuxHost) -> Result<Self> {
        let links = host.links("looking for changes of interfaces")?;
        let without_counters = |mut link: Link| {
            link.statistics = LinkStatistics::default();
            (link.index, link)
        };
        let neighbors =
            host.route.take()?.snapshot(&mut neigh_table::dump(0), BTreeMap::new, |neighbors, message| {
                let parameters = NeighborParameters::parse(message)?;
                if let Some((index, mut parameters)) = parameters.and_then(|row| row.index.zip(Some(row))) {
                    // The kernel draws it anew every few minutes.
                    parameters.reachable_time = None;
                    let _ = neighbors.insert((InterfaceIndex(index), parameters.family), parameters);
                }
                Ok(())
            });
        let by_hand = host.set_by_hand()?;
        let file = |(family, path)| host.sysctl.read(family, path).ok();
        Ok(Self {
            links: links.into_iter().map(without_counters).collect(),
            neighbors: neighbors
                .map_err(|refusal| refusal.error("looking for changes of neighbour tables"))?,
            by_hand,
            common: [
                (Family::V4, "route/mtu_expires"),
                (Family::V6, "route/mtu_expires"),
                (Family::V6, "conf/all/forwarding"),
                (Family::V6, "conf/all/accept_dad"),
            ]
            .map(file),
        })
    }

    /// Which rows may have changed between this state and `now`.
    pub(super) fn suspects(&self, now: &Self) -> Suspects {
        if self.common != now.common {
            return Suspects::All;
        }
        let links = differing(&self.links, &now.links).copied();
        let neighbors = differing(&self.neighbors, &now.neighbors).map(|(index, _)| *index);
        let by_hand = || differing(&self.by_hand, &now.by_hand).copied();
        if by_hand().any(|index| index == NONE) {
            return Suspects::All;
        }
        Suspects::These(links.chain(neighbors).chain(by_hand()).collect())
    }
}

/// The keys whose values differ, those that only one of the maps has among them.
fn differing<'a, K: Ord, V: PartialEq>(
    before: &'a BTreeMap<K, V>,
    now: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    let gone_or_changed = before.iter().filter(|(key, was)| now.get(key) != Some(was));
    let added = now.iter().filter(|(key, _)| !before.contains_key(key));
    gone_or_changed.chain(added).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_testkit::{isolated, run};

    iphelper_testkit::private_user_namespace!();

    #[test]
    fn what_remembers_a_setting_casts_suspicion_on_its_interface() {
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let read = || Silent::read(&host).unwrap();
            let before = read();
            assert_eq!(before.suspects(&read()), Suspects::These(BTreeSet::new()));
            let _ = run("ip route add throw 0.0.0.1 table 1768974352 proto 105 metric 401");
            let of_loopback = read();
            assert_eq!(before.suspects(&of_loopback), Suspects::These(BTreeSet::from([InterfaceIndex(1)])));
            let _ = run("ip route add throw 0.0.0.0 table 1768974352 proto 105 metric 602");
            assert_eq!(of_loopback.suspects(&read()), Suspects::All, "of no interface alone");
        });
    }
}
