//! Random sequences of creating, changing and deleting addresses end as `ip -json` shows them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use iphelper::address::{DadState, Lifetime, NewUnicastAddress, UnicastAddressChange};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{eventually, isolated, run, set_sysctl};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

const E0: InterfaceIndex = InterfaceIndex(7);

#[derive(Clone, Copy, Debug)]
enum Step {
    Create { who: usize, len: usize, skip: bool },
    Length { who: usize, len: usize },
    Skip { who: usize, skip: bool },
    Times { who: usize, valid: bool, deprecated: bool },
    Delete { who: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, len) = (0..5_usize, 0..3_usize);
    prop_oneof![
        3 => (who.clone(), len.clone(), any::<bool>()).prop_map(|(who, len, skip)| Step::Create { who, len, skip }),
        2 => (who.clone(), len).prop_map(|(who, len)| Step::Length { who, len }),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, skip)| Step::Skip { who, skip }),
        1 => (who.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(who, valid, deprecated)| Step::Times { who, valid, deprecated }),
        2 => who.prop_map(|who| Step::Delete { who }),
    ]
}

/// What an address is to be like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Model {
    len: u8,
    skip: bool,
    limited: bool,
    deprecated: bool,
}

struct World {
    family: Family,
    host: Host,
    model: BTreeMap<IpAddr, Model>,
}

impl World {
    fn address(&self, who: usize) -> IpAddr {
        let text = match self.family {
            Family::V4 => ["10.0.0.1", "10.0.0.2", "10.0.0.130", "10.0.1.1", "192.0.2.1"][who],
            Family::V6 => ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "2001:db8:1::1", "fd00::1"][who],
        };
        text.parse().unwrap()
    }

    fn len(&self, choice: usize) -> u8 {
        match self.family {
            Family::V4 => [24, 32, 23][choice],
            Family::V6 => [64, 128, 48][choice],
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Create { who, len, skip } => {
                let (address, len) = (self.address(who), self.len(len));
                let new = NewUnicastAddress {
                    on_link_prefix_length: Some(len),
                    skip_as_source: skip,
                    ..NewUnicastAddress::new(E0, address)
                };
                let done = self.host.create_unicast_address(&new);
                match self.model.entry(address) {
                    Entry::Occupied(_) => assert_eq!(done.unwrap_err().kind(), ErrorKind::AlreadyExists),
                    Entry::Vacant(place) => {
                        let _ = done.unwrap();
                        let _ = place.insert(Model { len, skip, limited: false, deprecated: false });
                    }
                }
            }
            Step::Length { who, len } => {
                let len = self.len(len);
                let change = UnicastAddressChange { on_link_prefix_length: Some(len), ..Default::default() };
                self.change(who, &change, |model| model.len = len);
            }
            Step::Skip { who, skip } => {
                let change = UnicastAddressChange { skip_as_source: Some(skip), ..Default::default() };
                self.change(who, &change, |model| model.skip = skip);
            }
            Step::Times { who, valid, deprecated } => {
                // Of an IPv6 address that is skipped both are one.
                let deprecated = deprecated && self.model.get(&self.address(who)).is_some_and(|it| !it.skip);
                let valid_lifetime = if valid { Lifetime::from_secs(100_000) } else { Lifetime::INFINITE };
                let preferred_lifetime = if deprecated { Lifetime::ZERO } else { valid_lifetime };
                let change = UnicastAddressChange {
                    valid_lifetime: Some(valid_lifetime),
                    preferred_lifetime: Some(preferred_lifetime),
                    ..Default::default()
                };
                self.change(who, &change, |model| {
                    model.limited = valid;
                    model.deprecated = deprecated;
                });
            }
            Step::Delete { who } => {
                let address = self.address(who);
                let done = self.host.delete_unicast_address(E0, address);
                match self.model.remove(&address) {
                    Some(_) => drop(done.unwrap()),
                    None => assert_eq!(done.unwrap_err().kind(), ErrorKind::NotFound),
                }
            }
        }
    }

    fn change(&mut self, who: usize, change: &UnicastAddressChange, apply: impl FnOnce(&mut Model)) {
        let address = self.address(who);
        let done = self.host.set_unicast_address(E0, address, change);
        match self.model.get_mut(&address) {
            // A deprecated IPv6 address cannot be told to be skipped: what is deprecated already is the last choice.
            Some(model)
                if change.skip_as_source == Some(true)
                    && !model.skip
                    && model.deprecated
                    && address.is_ipv6() =>
            {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::NotSupported);
            }
            Some(model) => {
                let _ = done.unwrap();
                apply(model);
            }
            None => assert_eq!(done.unwrap_err().kind(), ErrorKind::NotFound),
        }
    }

    /// The kernel by another program, and our rows, are as the model says.
    fn check(&self) {
        let digit = if self.family == Family::V4 { 4 } else { 6 };
        // The kernel finishes an IPv6 address later, also where it asks nobody.
        eventually("detection is over", || !run("ip -6 addr show dev e0").contains("tentative"));
        let links: Value =
            serde_json::from_str(&run(&format!("ip -{digit} -json addr show dev e0"))).unwrap();
        let empty = Vec::new();
        let shown = links[0]["addr_info"].as_array().unwrap_or(&empty);
        let mut seen = BTreeMap::new();
        for it in shown {
            let address: IpAddr = it["local"].as_str().unwrap().parse().unwrap();
            let facts = (it["prefixlen"].as_u64(), it["scope"] == "host", it["deprecated"] == true);
            let limited = it["valid_life_time"].as_u64() != Some(u32::MAX.into());
            assert!(seen.insert(address, (facts, limited)).is_none(), "twice: {shown:#?}");
        }
        let is_ipv4 = self.family == Family::V4;
        let expected = self.model.iter().map(|(address, it)| {
            let hidden = is_ipv4 && it.skip;
            let len = if hidden { 32 } else { u64::from(it.len) };
            let deprecated = it.deprecated || it.skip && !is_ipv4;
            (*address, ((Some(len), hidden, deprecated), it.limited))
        });
        assert_eq!(seen, expected.collect::<BTreeMap<_, _>>());
        let mut rows = self.host.unicast_addresses(Some(self.family)).unwrap();
        rows.retain(|row| row.index == E0);
        let rows = rows.iter().map(|row| {
            let (limited, deprecated) =
                (row.valid_lifetime != Lifetime::INFINITE, row.dad_state == DadState::Deprecated);
            let (len, skip) = (row.on_link_prefix_length, row.skip_as_source);
            (row.address, Model { len, skip, limited, deprecated })
        });
        assert_eq!(rows.collect::<BTreeMap<_, _>>(), self.model);
        if is_ipv4 {
            // Each prefix is on the link, by one route at least, and by none if nobody has it.
            let routes = run("ip -4 route show");
            let on_link: std::collections::BTreeSet<_> =
                routes.lines().filter_map(|it| it.split(' ').next()).collect();
            let prefixes = self.model.iter().filter(|(_, it)| it.len < 32);
            let prefixes: std::collections::BTreeSet<_> = prefixes
                .map(|(address, it)| iphelper::Prefix::new(*address, it.len).unwrap().to_string())
                .collect();
            assert_eq!(on_link, prefixes.iter().map(String::as_str).collect(), "{routes}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_sequences_end_as_ip_shows(
        ipv6 in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..14),
    ) {
        isolated(|| {
            let _ = run("ip link add e0 index 7 type veth peer name e1");
            set_sysctl("ipv6/conf/e0/addr_gen_mode", "1");
            set_sysctl("ipv6/conf/e0/accept_dad", "0");
            let _ = run("ip link set e1 up");
            let _ = run("ip link set e0 up");
            let family = if ipv6 { Family::V6 } else { Family::V4 };
            let mut world = World { family, host: Host::open().unwrap(), model: BTreeMap::new() };
            for step in steps {
                world.take(step);
                world.check();
            }
        });
    }
}
