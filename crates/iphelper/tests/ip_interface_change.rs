//! SetIpInterfaceEntry, property by property: what it writes, seen through the API and through other programs, and what
//! it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod lan;

use iphelper::ip_interface::{
    IpInterface, IpInterfaceChange, LinkLocalAddressBehavior, PropertyChange, RouterDiscoveryBehavior,
};
use iphelper::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper::{Error, ErrorKind};
use iphelper_testkit::{
    Announcements, NetNs, eventually, sysctl, try_run, unprivileged, with_read_only_sysctls,
};
use lan::{Lan, index_of, nothing, told};
use std::time::Duration;

iphelper_testkit::private_user_namespace!();

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Asks for a change that must be refused, and checks that nothing of the rows or the kernel's settings moved.
fn refused(lan: &Lan, family: Family, change: &IpInterfaceChange, kind: ErrorKind, word: &str) -> Error {
    let state = || (lan.row(Family::V4), lan.row(Family::V6), all_sysctls(lan), lan.near.sh("ip -6 address"));
    let before = stable(state());
    let planned = lan.plan(family, change).expect_err("planning it");
    let error = lan.set(family, change).expect_err("setting it");
    assert_eq!(error.kind(), kind, "{change:?}: {error}");
    assert_eq!(planned.to_string(), error.to_string(), "plan and set refuse alike");
    assert!(error.to_string().contains(word), "{word} is not named: {error}");
    assert_eq!(stable(state()), before, "{change:?} moved something");
    error
}

/// The drawn reachable times change by themselves.
fn stable<A, B>(state: (IpInterface, IpInterface, A, B)) -> (IpInterface, IpInterface, A, B) {
    let (mut v4, mut v6, sysctls, addresses) = state;
    (v4.reachable_time, v6.reachable_time) = (Duration::ZERO, Duration::ZERO);
    (v4, v6, sysctls, addresses)
}

fn all_sysctls(lan: &Lan) -> String {
    lan.near.run(|| {
        ["ipv4", "ipv6"]
            .iter()
            .flat_map(|family| {
                let directory = format!("/proc/sys/net/{family}/conf/e0");
                let mut files: Vec<_> =
                    std::fs::read_dir(directory).unwrap().map(|it| it.unwrap().path()).collect();
                files.sort();
                files
            })
            .map(|file| format!("{}={}", file.display(), std::fs::read_to_string(&file).unwrap_or_default()))
            .collect()
    })
}

#[test]
fn ipv4_forwarding_is_the_interfaces_own() {
    let lan = Lan::new();
    let on = IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() };
    let changes = lan.set(Family::V4, &on).unwrap();
    assert_eq!(told(&changes), ["forwarding_enabled: false -> true"]);
    assert_eq!(changes[0].mechanism, "net.ipv4.conf.e0.forwarding");
    assert!(lan.row(Family::V4).forwarding_enabled);
    assert!(!lan.row(Family::V6).forwarding_enabled);
    assert_eq!(lan.sysctl("ipv4/conf/e0/forwarding"), "1");
    assert_eq!(lan.sysctl("ipv4/conf/lo/forwarding"), "0");
    assert_eq!(lan.sysctl("ipv4/conf/all/forwarding"), "0");

    let off = IpInterfaceChange { forwarding_enabled: Some(false), ..nothing() };
    assert_eq!(told(&lan.set(Family::V4, &off).unwrap()), ["forwarding_enabled: true -> false"]);
    assert_eq!(lan.sysctl("ipv4/conf/e0/forwarding"), "0");
}

#[test]
fn ipv6_forwarding_is_forced_and_leaves_the_router_role_alone() {
    let lan = Lan::new();
    let (on, off) = (
        IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() },
        IpInterfaceChange { forwarding_enabled: Some(false), ..nothing() },
    );
    if lan.near.run(|| !std::fs::exists("/proc/sys/net/ipv6/conf/e0/force_forwarding").unwrap()) {
        // Before Linux 6.17 a filter makes the difference.
        let changes = lan.set(Family::V6, &on).unwrap();
        assert!(changes[0].mechanism.contains("net.ipv6.conf.all.forwarding"));
        assert!(lan.row(Family::V6).forwarding_enabled);
        return;
    }
    let changes = lan.set(Family::V6, &on).unwrap();
    assert_eq!(told(&changes), ["forwarding_enabled: false -> true"]);
    assert_eq!(changes[0].mechanism, "net.ipv6.conf.e0.force_forwarding");
    assert!(lan.row(Family::V6).forwarding_enabled);
    assert_eq!(lan.sysctl("ipv6/conf/e0/force_forwarding"), "1");
    assert_eq!(lan.sysctl("ipv6/conf/e0/forwarding"), "0");
    assert_eq!(told(&lan.set(Family::V6, &off).unwrap()), ["forwarding_enabled: true -> false"]);
    assert_eq!(lan.sysctl("ipv6/conf/e0/force_forwarding"), "0");

    // Where every interface forwards, one alone cannot stop.
    lan.set_sysctl("ipv6/conf/all/forwarding", "1");
    assert!(lan.set(Family::V6, &on).unwrap().is_empty(), "it forwards already");
    let _ = refused(&lan, Family::V6, &off, ErrorKind::NotSupported, "net.ipv6.conf.all.forwarding");
}

#[test]
fn neighbor_times_are_those_of_the_table() {
    let lan = Lan::new();
    for family in Family::ALL {
        let change = IpInterfaceChange {
            base_reachable_time: Some(MS(20_000)),
            retransmit_time: Some(MS(600)),
            use_neighbor_unreachability_detection: Some(false),
            ..nothing()
        };
        let changes = lan.set(family, &change).unwrap();
        let expected = [
            "use_neighbor_unreachability_detection: true -> false",
            "base_reachable_time: 30000 ms -> 20000 ms",
            "retransmit_time: 1000 ms -> 600 ms",
        ];
        assert_eq!(told(&changes), expected);
        let row = lan.row(family);
        assert_eq!((row.base_reachable_time, row.retransmit_time), (MS(20_000), MS(600)));
        assert!(!row.use_neighbor_unreachability_detection);
        assert!(
            (MS(10_000)..=MS(30_000)).contains(&row.reachable_time),
            "drawn anew: {:?}",
            row.reachable_time
        );
        assert_eq!(lan.neighbor_time(family, "base_reachable"), 20_000);
        assert_eq!(lan.neighbor_time(family, "retrans"), 600);
        assert_eq!(lan.neighbor_time(family, "delay_probe"), 2_000_000_000);

        let on = IpInterfaceChange { use_neighbor_unreachability_detection: Some(true), ..nothing() };
        let _ = lan.set(family, &on).unwrap();
        assert_eq!(lan.neighbor_time(family, "delay_probe"), 5000);
        assert_eq!(lan.neighbor_time(family, "base_reachable"), 20_000, "the other times stay");
    }
}

#[test]
fn a_time_that_the_kernel_rounds_is_told_as_it_will_be_and_is_no_change_again() {
    let lan = Lan::new();
    let odd = IpInterfaceChange { retransmit_time: Some(MS(777)), ..nothing() };
    let planned = lan.plan(Family::V4, &odd).unwrap();
    let changes = lan.set(Family::V4, &odd).unwrap();
    assert_eq!(planned, changes);
    let shown = lan.neighbor_time(Family::V4, "retrans");
    assert_eq!(changes[0].to, format!("{shown} ms"), "what is told is what the kernel holds");
    assert!((777..=787).contains(&shown), "rounded up to a tick: {shown}");
    assert!(lan.set(Family::V4, &odd).unwrap().is_empty(), "the same again is no change");
}

#[test]
fn dad_transmits_counts_probes_and_turns_detection_on() {
    let lan = Lan::new();
    lan.set_sysctl("ipv6/conf/e0/accept_dad", "1");
    let three = IpInterfaceChange { dad_transmits: Some(3), ..nothing() };
    let changes = lan.set(Family::V6, &three).unwrap();
    assert_eq!(told(&changes), ["dad_transmits: 1 -> 3"]);
    assert_eq!(changes[0].mechanism, "net.ipv6.conf.e0.dad_transmits");
    assert_eq!(lan.row(Family::V6).dad_transmits, 3);
    assert_eq!(lan.sysctl("ipv6/conf/e0/dad_transmits"), "3");

    // Off as a whole: the row reads 0, and asking for probes turns it on.
    lan.set_sysctl("ipv6/conf/e0/accept_dad", "0");
    assert_eq!(lan.row(Family::V6).dad_transmits, 0);
    assert_eq!(told(&lan.set(Family::V6, &three).unwrap()), ["dad_transmits: 0 -> 3"]);
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_dad"), "1");
    assert_eq!(lan.row(Family::V6).dad_transmits, 3);

    let none = IpInterfaceChange { dad_transmits: Some(0), ..nothing() };
    let _ = lan.set(Family::V6, &none).unwrap();
    assert_eq!(lan.sysctl("ipv6/conf/e0/dad_transmits"), "0");
    assert_eq!(lan.row(Family::V6).dad_transmits, 0);

    // Of IPv4 the kernel keeps no count, so it is kept where everybody may read it.
    assert_eq!(lan.row(Family::V4).dad_transmits, 0);
    assert_eq!(told(&lan.set(Family::V4, &three).unwrap()), ["dad_transmits: 0 -> 3"]);
    assert_eq!(lan.row(Family::V4).dad_transmits, 3);
    assert!(lan.set(Family::V4, &three).unwrap().is_empty());
    let marker = || lan.near.sh("ip route show table 1768974352");
    assert!(marker().contains("metric 403"), "{}", marker());
    let _ = lan.set(Family::V4, &none).unwrap();
    assert_eq!((lan.row(Family::V4).dad_transmits, marker().trim()), (0, ""));
}

#[test]
fn router_discovery_is_accept_ra() {
    let lan = Lan::new();
    let behavior = |behavior| IpInterfaceChange { router_discovery_behavior: Some(behavior), ..nothing() };
    let (on, off) = (behavior(RouterDiscoveryBehavior::Enabled), behavior(RouterDiscoveryBehavior::Disabled));
    let changes = lan.set(Family::V6, &off).unwrap();
    assert_eq!(told(&changes), ["router_discovery_behavior: enabled -> disabled"]);
    assert_eq!(lan.row(Family::V6).router_discovery_behavior, RouterDiscoveryBehavior::Disabled);
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "0");
    let _ = lan.set(Family::V6, &on).unwrap();
    assert_eq!(lan.row(Family::V6).router_discovery_behavior, RouterDiscoveryBehavior::Enabled);
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "1");
    // A router obeys other routers with 2 only.
    lan.set_sysctl("ipv6/conf/e0/forwarding", "1");
    assert_eq!(lan.row(Family::V6).router_discovery_behavior, RouterDiscoveryBehavior::Disabled);
    let _ = lan.set(Family::V6, &on).unwrap();
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "2");
    assert_eq!(lan.row(Family::V6).router_discovery_behavior, RouterDiscoveryBehavior::Enabled);

    // IPv4: none is discovered, whether one says disabled or that DHCP tells.
    assert!(lan.set(Family::V4, &off).unwrap().is_empty());
    assert!(lan.set(Family::V4, &behavior(RouterDiscoveryBehavior::Dhcp)).unwrap().is_empty());
    let _ = refused(&lan, Family::V4, &on, ErrorKind::NotSupported, "router_discovery_behavior");
    let dhcp = behavior(RouterDiscoveryBehavior::Dhcp);
    let _ = refused(&lan, Family::V6, &dhcp, ErrorKind::InvalidParameter, "router_discovery_behavior");
}

#[test]
fn the_link_local_address_goes_and_comes_back_but_a_hand_made_one_stays() {
    let lan = Lan::new();
    let behavior = |behavior| IpInterfaceChange { link_local_address_behavior: Some(behavior), ..nothing() };
    let shown = || lan.near.sh("ip -6 address show dev e0 scope link");
    let own = |shown: &str| shown.lines().filter(|line| line.contains("inet6 fe80::")).count();
    let _ = lan.near.sh("ip -6 address add fe80::77/64 dev e0 nodad");
    let _ = lan.near.sh("ip -6 address add 2001:db8::77/64 dev e0 nodad");
    assert_eq!(own(&shown()), 2);

    let off = behavior(LinkLocalAddressBehavior::AlwaysOff);
    let changes = lan.set(Family::V6, &off).unwrap();
    assert_eq!(told(&changes), ["link_local_address_behavior: always_on -> always_off"]);
    assert_eq!(lan.row(Family::V6).link_local_address_behavior, LinkLocalAddressBehavior::AlwaysOff);
    assert_eq!(lan.sysctl("ipv6/conf/e0/addr_gen_mode"), "1");
    assert_eq!(own(&shown()), 1, "{}", shown());
    assert!(shown().contains("fe80::77/64"), "{}", shown());
    assert!(lan.near.sh("ip -6 address show dev e0").contains("2001:db8::77/64"));
    // Also after the link was down, since the kernel would make one when it comes up.
    let _ = lan.near.sh("ip link set e0 down");
    let _ = lan.near.sh("ip link set e0 up");
    assert_eq!(own(&shown()), 0, "a link that goes down loses hand-made addresses too: {}", shown());

    let _ = lan.set(Family::V6, &behavior(LinkLocalAddressBehavior::AlwaysOn)).unwrap();
    assert_eq!(lan.sysctl("ipv6/conf/e0/addr_gen_mode"), "0");
    assert_eq!(own(&shown()), 1, "at once, not at the next time the link comes up: {}", shown());
    assert_eq!(lan.row(Family::V6).link_local_address_behavior, LinkLocalAddressBehavior::AlwaysOn);
    eventually("the link is as before", || !shown().contains("tentative") && lan.row(Family::V6).connected);

    let delayed = behavior(LinkLocalAddressBehavior::Delayed);
    let _ = refused(&lan, Family::V6, &delayed, ErrorKind::NotSupported, "link_local_address_behavior");
    let _ = refused(&lan, Family::V4, &delayed, ErrorKind::NotSupported, "link_local_address_behavior");
    let on = behavior(LinkLocalAddressBehavior::AlwaysOn);
    let _ = refused(&lan, Family::V4, &on, ErrorKind::NotSupported, "link_local_address_behavior");
}

#[test]
fn a_link_local_address_is_made_as_new_interfaces_make_it() {
    let on = IpInterfaceChange {
        link_local_address_behavior: Some(LinkLocalAddressBehavior::AlwaysOn),
        ..nothing()
    };
    // With a secret of all interfaces, with one of its own, as the default says, and where the default is none.
    for (file, value, mode) in [
        ("default/stable_secret", "2001:db8::1:2:3:4", "2"),
        ("e0/stable_secret", "2001:db8::1:2:3:4", "2"),
        ("default/addr_gen_mode", "3", "3"),
        ("default/addr_gen_mode", "1", "0"),
    ] {
        let lan = Lan::new();
        lan.set_sysctl(&format!("ipv6/conf/{file}"), value);
        lan.set_sysctl("ipv6/conf/e0/addr_gen_mode", "1");
        let _ = lan.set(Family::V6, &on).unwrap();
        assert_eq!(lan.sysctl("ipv6/conf/e0/addr_gen_mode"), mode, "{file} {value}");
        // What a new interface gets, where that is an address at all.
        let _ = lan.near.sh("ip link add n0 type veth peer name n1");
        let new = lan.sysctl("ipv6/conf/n0/addr_gen_mode");
        assert!(new == mode || new == "1" || file.starts_with("e0"), "{file} {value}: {new}");
    }
}

#[test]
fn the_interface_identifier_is_the_token() {
    let lan = Lan::new();
    let identifier = |value| IpInterfaceChange { interface_identifier: Some(value), ..nothing() };
    let changes = lan.set(Family::V6, &identifier(0xaa)).unwrap();
    assert_eq!(told(&changes), ["interface_identifier: :: -> ::aa"]);
    assert_eq!(lan.row(Family::V6).interface_identifier, 0xaa);
    assert!(lan.near.sh("ip token show dev e0").contains("token ::aa"));
    assert_eq!(told(&lan.set(Family::V6, &identifier(0)).unwrap()), ["interface_identifier: ::aa -> ::"]);
    assert!(lan.near.sh("ip token show dev e0").contains("token :: "));

    // Together with router discovery, in whichever order the kernel needs.
    let with = |value, behavior| IpInterfaceChange {
        interface_identifier: Some(value),
        router_discovery_behavior: Some(behavior),
        ..nothing()
    };
    let _ = lan.set(Family::V6, &identifier(0xbb)).unwrap();
    let changes = lan.set(Family::V6, &with(0, RouterDiscoveryBehavior::Disabled)).unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(lan.near.sh("ip token show dev e0").contains("token :: "));
    assert_eq!(lan.sysctl("ipv6/conf/e0/accept_ra"), "0");
    let _ = refused(&lan, Family::V6, &identifier(0xcc), ErrorKind::InvalidParameter, "interface_identifier");
    let _ = lan.set(Family::V6, &with(0xcc, RouterDiscoveryBehavior::Enabled)).unwrap();
    assert!(lan.near.sh("ip token show dev e0").contains("token ::cc"));
    let disabled = with(0xdd, RouterDiscoveryBehavior::Disabled);
    let _ = refused(&lan, Family::V6, &disabled, ErrorKind::InvalidParameter, "interface_identifier");

    lan.set_sysctl("ipv6/conf/e0/router_solicitations", "0");
    let _ = refused(&lan, Family::V6, &identifier(0xee), ErrorKind::InvalidParameter, "router_solicitations");
    let _ = refused(&lan, Family::V4, &identifier(0xaa), ErrorKind::NotSupported, "interface_identifier");
    let loopback = lan.host.plan_ip_interface(Family::V6, InterfaceIndex(1), &identifier(0xaa)).unwrap_err();
    assert_eq!(loopback.kind(), ErrorKind::InvalidParameter, "{loopback}");
}

#[test]
fn the_mtu_of_each_family_and_its_traps() {
    let lan = Lan::new();
    let mtu = |mtu| IpInterfaceChange { nl_mtu: Some(mtu), ..nothing() };
    let mtus = || (lan.row(Family::V4).nl_mtu, lan.row(Family::V6).nl_mtu);
    assert_eq!(mtus(), (1500, 1500));

    // IPv6 alone goes below the device.
    let changes = lan.set(Family::V6, &mtu(1400)).unwrap();
    assert_eq!(told(&changes), ["nl_mtu: 1500 -> 1400"]);
    assert_eq!(changes[0].mechanism, "net.ipv6.conf.e0.mtu");
    assert_eq!((lan.device_mtu(), lan.sysctl("ipv6/conf/e0/mtu")), (1500, "1400".to_owned()));
    assert_eq!(mtus(), (1500, 1400));

    // A change of IPv4 is a change of the device, which would set IPv6's to the same.
    let changes = lan.set(Family::V4, &mtu(1450)).unwrap();
    assert_eq!(told(&changes), ["nl_mtu: 1500 -> 1450"]);
    assert_eq!((lan.device_mtu(), lan.sysctl("ipv6/conf/e0/mtu")), (1450, "1400".to_owned()));
    let _ = lan.set(Family::V4, &mtu(9000)).unwrap();
    assert_eq!((lan.device_mtu(), mtus()), (9000, (9000, 1400)));

    // IPv4 below IPv6, from either side: the device has the larger one.
    let changes = lan.set(Family::V4, &mtu(1399)).unwrap();
    assert_eq!(told(&changes), ["nl_mtu: 9000 -> 1399"]);
    assert_eq!((lan.device_mtu(), mtus()), (1400, (1399, 1400)));
    let _ = lan.set(Family::V6, &mtu(9001)).unwrap();
    assert_eq!((lan.device_mtu(), mtus()), (9001, (1399, 9001)));
    // Below IPv4's, which the device has again then.
    let _ = lan.set(Family::V6, &mtu(1300)).unwrap();
    assert_eq!((lan.device_mtu(), mtus()), (1399, (1399, 1300)));
    let _ = lan.set(Family::V4, &mtu(1300)).unwrap();
    assert_eq!((lan.device_mtu(), mtus()), (1300, (1300, 1300)));
    let _ = lan.set(Family::V4, &mtu(2000)).unwrap();
    assert_eq!(mtus(), (2000, 1300));
    let _ = lan.set(Family::V6, &mtu(2000)).unwrap();
    assert_eq!(mtus(), (2000, 2000));

    // Out of range: below a family's least, over the device's limit.
    let _ = refused(&lan, Family::V6, &mtu(1279), ErrorKind::InvalidParameter, "1280");
    let _ = refused(&lan, Family::V4, &mtu(67), ErrorKind::InvalidParameter, "nl_mtu");
    let _ = refused(&lan, Family::V4, &mtu(0), ErrorKind::InvalidParameter, "nl_mtu");
    let _ = refused(&lan, Family::V4, &mtu(65_536), ErrorKind::InvalidParameter, "65535");
    let _ = refused(&lan, Family::V6, &mtu(u32::MAX), ErrorKind::InvalidParameter, "65535");
}

#[test]
fn both_families_change_as_one() {
    let lan = Lan::new();
    let mtu = |mtu| IpInterfaceChange { nl_mtu: Some(mtu), ..nothing() };
    let set = |v4: &IpInterfaceChange, v6: &IpInterfaceChange| {
        let planned = lan.host.plan_ip_interface_families(lan.index, v4, v6);
        let done = lan.host.set_ip_interface_families(lan.index, v4, v6);
        match (planned, done) {
            (Ok(planned), Ok(done)) => {
                assert_eq!(planned, done);
                Ok(done)
            }
            (planned, done) => {
                assert_eq!(planned.unwrap_err().to_string(), done.as_ref().unwrap_err().to_string());
                done
            }
        }
    };
    let mtus = || (lan.device_mtu(), lan.sysctl("ipv6/conf/e0/mtu").parse::<u32>().unwrap());
    // Down below what the other has now, up above it, and apart, none of which one family can do alone.
    for (v4, v6) in [(1300, 1300), (9000, 9000), (1400, 1280), (2000, 1500), (1500, 1400)] {
        let [told4, told6] = set(&mtu(v4), &mtu(v6)).unwrap();
        assert_eq!((told4.len(), told6.len()), (1, 1), "{v4} {v6}");
        assert_eq!(mtus(), (v4, v6));
        assert_eq!((lan.row(Family::V4).nl_mtu, lan.row(Family::V6).nl_mtu), (v4, v6));
    }
    // IPv4 below IPv6, by its routes.
    for (v4, v6) in [(1400, 1450), (1600, 1700), (1450, 1500)] {
        let _ = set(&mtu(v4), &mtu(v6)).unwrap();
        assert_eq!(mtus(), (v6, v6));
        assert_eq!((lan.row(Family::V4).nl_mtu, lan.row(Family::V6).nl_mtu), (v4, v6));
    }
    let _ = set(&mtu(1500), &mtu(1400)).unwrap();
    let error = set(&mtu(1300), &mtu(1279)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    assert_eq!(mtus(), (1500, 1400));

    let listener = lan.near.run(Announcements::listen);
    let time = IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..nothing() };
    let [told4, told6] = set(&time, &time).unwrap();
    assert_eq!((told(&told4), told(&told6)), (told(&told6), told(&told4)));
    assert_eq!(listener.kinds(), [Announcements::NEW_LINK], "one for both");
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 20_000);
    assert_eq!(lan.neighbor_time(Family::V6, "base_reachable"), 20_000);
    // The second family's refusal is the first's too.
    let weak = IpInterfaceChange { advertising_enabled: Some(true), ..nothing() };
    let other = IpInterfaceChange { base_reachable_time: Some(MS(30_000)), ..nothing() };
    assert_eq!(set(&other, &weak).unwrap_err().kind(), ErrorKind::NotSupported);
    assert_eq!(set(&weak, &other).unwrap_err().kind(), ErrorKind::NotSupported);
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 20_000);
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
    assert_eq!(set(&other, &nothing()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 20_000);
}

#[test]
fn without_ipv6_the_mtu_goes_as_low_as_ipv4_allows() {
    let lan = Lan::new();
    let mtu = |mtu| IpInterfaceChange { nl_mtu: Some(mtu), ..nothing() };
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
    let _ = lan.set(Family::V4, &mtu(576)).unwrap();
    assert_eq!((lan.device_mtu(), lan.row(Family::V4).nl_mtu), (576, 576));
    // The kernel has taken the IPv6 part off, so there is nothing to keep now.
    let error = lan.host.ip_interface(Family::V6, lan.index).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let _ = lan.set(Family::V4, &mtu(68)).unwrap();
    assert_eq!(lan.device_mtu(), 68);
    // Also planned, when the kernel is not there to refuse it.
    for error in [lan.plan(Family::V4, &mtu(67)), lan.set(Family::V4, &mtu(67))].map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    }
    let _ = lan.set(Family::V4, &mtu(1500)).unwrap();
    assert_eq!(lan.device_mtu(), 1500);
}

#[test]
fn properties_that_need_policy_or_have_no_place_are_refused_by_name() {
    let lan = Lan::new();
    for family in Family::ALL {
        let row = lan.row(family);
        let n = nothing;
        let mut cases = vec![
            ("advertising_enabled", IpInterfaceChange { advertising_enabled: Some(true), ..n() }),
            (
                "managed_address_configuration_supported",
                IpInterfaceChange { managed_address_configuration_supported: Some(true), ..n() },
            ),
            (
                "other_stateful_configuration_supported",
                IpInterfaceChange { other_stateful_configuration_supported: Some(true), ..n() },
            ),
            (
                "path_mtu_discovery_timeout",
                IpInterfaceChange { path_mtu_discovery_timeout: Some(MS(7000)), ..n() },
            ),
            (
                "link_local_address_timeout",
                IpInterfaceChange { link_local_address_timeout: Some(MS(1)), ..n() },
            ),
        ];
        let mut zones = n();
        zones.zone_indices[15] = Some(row.zone_indices[15] + 1);
        cases.push(("zone_indices", zones));
        for (property, change) in cases {
            // Beside something that could be done, which must not be done then.
            let change = IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..change };
            let _ = refused(&lan, family, &change, ErrorKind::NotSupported, property);
        }
    }
    let site = |length| IpInterfaceChange { site_prefix_length: Some(length), ..nothing() };
    assert!(lan.set(Family::V4, &site(0)).unwrap().is_empty());
    let _ = refused(&lan, Family::V4, &site(1), ErrorKind::InvalidParameter, "site_prefix_length");
    let _ = refused(&lan, Family::V6, &site(48), ErrorKind::NotSupported, "site_prefix_length");
    let _ = refused(&lan, Family::V6, &site(129), ErrorKind::InvalidParameter, "site_prefix_length");
    let dad = IpInterfaceChange { dad_transmits: Some(3), ..nothing() };
    for family in Family::ALL {
        let loopback = lan.host.plan_ip_interface(family, InterfaceIndex(1), &dad).unwrap_err();
        assert_eq!(loopback.kind(), ErrorKind::NotSupported, "nobody answers there: {loopback}");
    }
    // No router is heard, so FALSE holds.
    let flags = IpInterfaceChange {
        managed_address_configuration_supported: Some(false),
        other_stateful_configuration_supported: Some(false),
        ..nothing()
    };
    for family in Family::ALL {
        assert!(lan.set(family, &flags).unwrap().is_empty());
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let lan = Lan::new();
    for family in Family::ALL {
        for time in [Duration::ZERO, MS(1_000_000_001), Duration::MAX] {
            let base = IpInterfaceChange { base_reachable_time: Some(time), ..nothing() };
            let _ = refused(&lan, family, &base, ErrorKind::InvalidParameter, "base_reachable_time");
            let retransmit = IpInterfaceChange { retransmit_time: Some(time), ..nothing() };
            let _ = refused(&lan, family, &retransmit, ErrorKind::InvalidParameter, "retransmit_time");
        }
        let longest = IpInterfaceChange { base_reachable_time: Some(MS(1_000_000_000)), ..nothing() };
        let _ = lan.set(family, &longest).unwrap();
        let shown = lan.neighbor_time(family, "base_reachable");
        assert_eq!(shown, 1_000_000_000);
        let drawn = lan.neighbor_time(family, "reachable");
        assert!((shown / 2..=shown * 3 / 2).contains(&drawn), "no overflow: {drawn}");
    }
    // The kernel counts the probes of an address in eight bits: 256 would be none.
    for count in [256, u32::MAX] {
        let change = IpInterfaceChange { dad_transmits: Some(count), ..nothing() };
        let _ = refused(&lan, Family::V6, &change, ErrorKind::InvalidParameter, "dad_transmits");
    }
}

#[test]
fn a_time_that_is_too_long_to_be_asked_for_is_no_change() {
    let lan = Lan::new();
    for (family, table) in [(Family::V4, "arp_cache"), (Family::V6, "ndisc_cache")] {
        let long = "base_reachable 1200000000 retrans 1200000000";
        let _ = lan.near.sh(&format!("ip ntable change name {table} dev e0 {long}"));
        let row = lan.row(family);
        assert_eq!((row.base_reachable_time, row.retransmit_time), (MS(1_200_000_000), MS(1_200_000_000)));
        let change = as_it_is(&row);
        assert!(lan.set(family, &change).unwrap().is_empty());
    }
}

/// Each field of a row, to be set as it is.
fn as_it_is(row: &IpInterface) -> IpInterfaceChange {
    IpInterfaceChange {
        interface_identifier: Some(row.interface_identifier),
        advertising_enabled: Some(row.advertising_enabled),
        forwarding_enabled: Some(row.forwarding_enabled),
        weak_host_send: Some(row.weak_host_send),
        weak_host_receive: Some(row.weak_host_receive),
        use_automatic_metric: Some(row.use_automatic_metric),
        use_neighbor_unreachability_detection: Some(row.use_neighbor_unreachability_detection),
        managed_address_configuration_supported: row.managed_address_configuration_supported,
        other_stateful_configuration_supported: row.other_stateful_configuration_supported,
        advertise_default_route: Some(row.advertise_default_route),
        router_discovery_behavior: Some(row.router_discovery_behavior),
        dad_transmits: Some(row.dad_transmits),
        base_reachable_time: Some(row.base_reachable_time),
        retransmit_time: Some(row.retransmit_time),
        path_mtu_discovery_timeout: row.path_mtu_discovery_timeout,
        link_local_address_behavior: Some(row.link_local_address_behavior),
        link_local_address_timeout: Some(row.link_local_address_timeout),
        zone_indices: row.zone_indices.map(Some),
        site_prefix_length: Some(row.site_prefix_length),
        metric: Some(row.metric),
        nl_mtu: Some(row.nl_mtu),
        disable_default_routes: Some(row.disable_default_routes),
        min_router_advertisement_interval: row.min_router_advertisement_interval,
        max_router_advertisement_interval: row.max_router_advertisement_interval,
    }
}

#[test]
fn a_row_set_as_it_was_read_writes_nothing() {
    let lan = Lan::new();
    // Values that are not the kernel's own defaults, and one that it rounded.
    let odd = IpInterfaceChange {
        retransmit_time: Some(MS(777)),
        base_reachable_time: Some(MS(12_345)),
        use_neighbor_unreachability_detection: Some(false),
        ..nothing()
    };
    for family in Family::ALL {
        let _ = lan.set(family, &odd).unwrap();
    }
    let _ = lan.set(Family::V6, &IpInterfaceChange { nl_mtu: Some(1400), ..nothing() }).unwrap();
    let listener = lan.near.run(Announcements::listen);
    for family in Family::ALL {
        assert_eq!(lan.set(family, &as_it_is(&lan.row(family))).unwrap(), []);
    }
    assert_eq!(lan.set(Family::V6, &nothing()).unwrap(), []);
    assert_eq!(listener.kinds(), [], "a write over netlink would have been announced");

    // No file is opened for writing either: that would fail here, as the last call shows.
    let _ = lan.near.run(|| {
        with_read_only_sysctls(|| {
            let host = iphelper::Host::open().unwrap();
            for family in Family::ALL {
                let row = host.ip_interface(family, lan.index).unwrap();
                assert_eq!(host.set_ip_interface(family, lan.index, &as_it_is(&row)).unwrap(), []);
            }
            let change = IpInterfaceChange {
                forwarding_enabled: Some(true),
                base_reachable_time: Some(MS(20_000)),
                ..nothing()
            };
            let error = host.set_ip_interface(Family::V4, lan.index, &change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            assert!(error.to_string().contains("read-only"), "{error}");
            let base = host.ip_interface(Family::V4, lan.index).unwrap().base_reachable_time;
            assert!(base < MS(20_000), "the time could have been written, but nothing was: {base:?}");
            assert_eq!(listener.kinds(), [], "not even written and put back");
        })
    });
}

#[test]
fn a_plan_tells_the_same_and_writes_nothing() {
    let lan = Lan::new();
    let change = IpInterfaceChange {
        interface_identifier: Some(0xaa),
        use_neighbor_unreachability_detection: Some(false),
        dad_transmits: Some(2),
        base_reachable_time: Some(MS(20_000)),
        retransmit_time: Some(MS(500)),
        nl_mtu: Some(1400),
        ..nothing()
    };
    let before = all_sysctls(&lan);
    let listener = lan.near.run(Announcements::listen);
    // A host of a caller without any privilege.
    let host = lan.near.run(|| unprivileged(|| iphelper::Host::open().unwrap()));
    let planned =
        lan.near.run(|| unprivileged(|| host.plan_ip_interface(Family::V6, lan.index, &change).unwrap()));
    assert_eq!(all_sysctls(&lan), before);
    assert_eq!(listener.kinds(), []);
    assert_eq!(lan.set(Family::V6, &change).unwrap(), planned);
    let properties: Vec<_> = planned.iter().map(|it: &PropertyChange| it.property).collect();
    let in_order = [
        "interface_identifier",
        "use_neighbor_unreachability_detection",
        "dad_transmits",
        "base_reachable_time",
        "retransmit_time",
        "nl_mtu",
    ];
    assert_eq!(properties, in_order);
    assert_ne!(all_sysctls(&lan), before);
}

#[test]
fn what_the_kernel_keeps_to_itself_is_announced_once() {
    let lan = Lan::new();
    let listener = lan.near.run(Announcements::listen);
    let silent = [
        (Family::V4, IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..nothing() }),
        (Family::V4, IpInterfaceChange { use_neighbor_unreachability_detection: Some(false), ..nothing() }),
        (Family::V6, IpInterfaceChange { retransmit_time: Some(MS(500)), ..nothing() }),
        (Family::V6, IpInterfaceChange { dad_transmits: Some(2), ..nothing() }),
        (Family::V6, IpInterfaceChange { nl_mtu: Some(1400), ..nothing() }),
        (
            Family::V6,
            IpInterfaceChange {
                dad_transmits: Some(3),
                nl_mtu: Some(1300),
                retransmit_time: Some(MS(400)),
                ..nothing()
            },
        ),
        (
            Family::V6,
            IpInterfaceChange {
                router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
                ..nothing()
            },
        ),
    ];
    for (family, change) in silent {
        let _ = lan.set(family, &change).unwrap();
        assert_eq!(listener.kinds(), [Announcements::NEW_LINK], "{change:?}");
    }
    for family in Family::ALL {
        let _ = lan.set(family, &IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() }).unwrap();
        assert_eq!(listener.kinds(), [Announcements::NEW_CONFIGURATION], "the kernel tells this itself");
    }
    // A device's MTU is told by the kernel, but before IPv6's is put back behind it.
    let _ = lan.set(Family::V4, &IpInterfaceChange { nl_mtu: Some(1450), ..nothing() }).unwrap();
    assert_eq!(listener.kinds().last(), Some(&Announcements::NEW_LINK));
}

#[test]
fn a_caller_without_privilege_changes_nothing() {
    let lan = Lan::new();
    let change = IpInterfaceChange {
        forwarding_enabled: Some(true),
        base_reachable_time: Some(MS(20_000)),
        nl_mtu: Some(1450),
        ..nothing()
    };
    let before = all_sysctls(&lan);
    lan.near.run(|| {
        unprivileged(|| {
            let host = iphelper::Host::open().unwrap();
            for family in Family::ALL {
                let change = IpInterfaceChange { nl_mtu: None, ..change.clone() };
                let error = host.set_ip_interface(family, lan.index, &change).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
                let error = host.set_ip_interface(family, lan.index, &nothing()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "also for no change: {error}");
                let error = host.set_path_mtu_discovery_timeout(family, MS(300_000)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            }
            let error = host.set_ip_interface(Family::V4, lan.index, &change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        });
    });
    assert_eq!(all_sysctls(&lan), before);
    assert_eq!(lan.device_mtu(), 1500);
    assert_eq!(lan.neighbor_time(Family::V4, "base_reachable"), 30_000);
    assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "600");
}

#[test]
fn an_interface_or_family_that_is_not_there() {
    let lan = Lan::new();
    let change = IpInterfaceChange { base_reachable_time: Some(MS(20_000)), ..nothing() };
    for family in Family::ALL {
        for index in [0, 9999, u32::MAX] {
            let error = lan.host.set_ip_interface(family, InterfaceIndex(index), &change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{index}: {error}");
        }
        let other = InterfaceLuid(lan.row(family).luid.0 ^ (1 << 40));
        let error = lan.host.set_ip_interface(family, other, &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "the tag is another's: {error}");
    }
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
    let error = lan.set(Family::V6, &change).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "disabled: {error}");
    lan.set_sysctl("ipv6/conf/e0/disable_ipv6", "0");
    let _ = lan.near.sh("ip link set e0 mtu 1000");
    let error = lan.set(Family::V6, &change).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "no IPv6 at this MTU: {error}");
    let _ = lan.near.sh("ip link delete e0");
    for family in Family::ALL {
        let error = lan.set(family, &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "vanished: {error}");
    }
}

#[test]
fn odd_names_reach_their_own_files() {
    for name in ["e.0", "..e", "$(id)", "-n", "e\u{e9}0", "conf"] {
        let lan = Lan::with_interface(name);
        let on = IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() };
        let changes = lan.set(Family::V4, &on).unwrap();
        let separator = if name.contains('.') { '/' } else { '.' };
        let expected = ["net", "ipv4", "conf", name, "forwarding"].join(&separator.to_string());
        assert_eq!(changes[0].mechanism, expected);
        assert_eq!(lan.sysctl(&format!("ipv4/conf/{name}/forwarding")), "1");
        for other in ["all", "default", "lo"] {
            assert_eq!(lan.sysctl(&format!("ipv4/conf/{other}/forwarding")), "0", "{name}: {other}");
        }
    }
}

#[test]
fn no_interface_can_take_the_names_of_the_common_files() {
    let lan = Lan::new();
    let on = IpInterfaceChange { forwarding_enabled: Some(true), ..nothing() };
    for name in ["all", "default"] {
        let commands =
            [format!("ip link add {name} type veth peer name q0"), format!("ip link set e0 name {name}")];
        for command in commands {
            match lan.near.run(|| try_run(&command)) {
                Err(_) => {}
                // A kernel that allows it gives the interface no files, so the change must be refused.
                Ok(_) => {
                    let error =
                        lan.host.set_ip_interface(Family::V4, index_of(&lan.near, name), &on).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
                }
            }
        }
        assert_eq!(lan.sysctl(&format!("ipv4/conf/{name}/forwarding")), "0");
    }
}

#[test]
fn two_interfaces_that_swap_names_are_never_taken_for_each_other() {
    let host = NetNs::new();
    let _ = host.sh("ip link add e0 type veth peer name e1");
    let (first, second) = (index_of(&host, "e0"), index_of(&host, "e1"));
    let api = host.run(|| iphelper::Host::open().unwrap());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| {
            host.run(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    for step in ["e0 name x", "e1 name e0", "x name e1"] {
                        let _ = try_run(&format!("ip link set {step}"));
                    }
                }
            });
        });
        let work = || {
            let mut interrupted = 0;
            for round in 0..300 {
                let value = round % 2 == 0;
                // The file is opened first and written last, with the others in between.
                let change = IpInterfaceChange {
                    forwarding_enabled: Some(value),
                    base_reachable_time: Some(MS(if value { 20_000 } else { 30_000 })),
                    use_neighbor_unreachability_detection: Some(!value),
                    ..nothing()
                };
                match api.set_ip_interface(Family::V4, first, &change) {
                    Ok(_) => {
                        assert_eq!(api.ip_interface(Family::V4, first).unwrap().forwarding_enabled, value)
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
                        interrupted += 1;
                    }
                }
                assert!(!api.ip_interface(Family::V4, second).unwrap().forwarding_enabled, "the wrong file");
            }
            assert!(interrupted < 100, "a rename costs another attempt, seldom the call: {interrupted}");
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

#[test]
fn a_renamed_interface_keeps_its_index() {
    let lan = Lan::new();
    let luid = lan.row(Family::V6).luid;
    let _ = lan.near.sh("ip link set e0 name other");
    let two = IpInterfaceChange { dad_transmits: Some(2), ..nothing() };
    let changes = lan.host.set_ip_interface(Family::V6, luid, &two).unwrap();
    assert_eq!(changes[0].mechanism, "net.ipv6.conf.other.dad_transmits");
    assert_eq!(lan.sysctl("ipv6/conf/other/dad_transmits"), "2");
}

#[test]
fn an_interface_that_vanishes_under_the_call_is_not_found() {
    let host = NetNs::new();
    let api = host.run(|| iphelper::Host::open().unwrap());
    for round in 0..20 {
        let _ = host.sh("ip link add e0 type veth peer name p0");
        let index = index_of(&host, "e0");
        std::thread::scope(|scope| {
            let _ = scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(300 * round));
                host.sh("ip link delete e0")
            });
            eventually("the interface is gone", || {
                let value = api.ip_interface(Family::V4, index).is_ok_and(|row| row.forwarding_enabled);
                let change = IpInterfaceChange {
                    forwarding_enabled: Some(!value),
                    base_reachable_time: Some(MS(if value { 20_000 } else { 30_000 })),
                    nl_mtu: Some(if value { 1500 } else { 1450 }),
                    ..nothing()
                };
                match api
                    .set_ip_interface(
                        Family::V6,
                        index,
                        &IpInterfaceChange { nl_mtu: None, ..change.clone() },
                    )
                    .and_then(|_| {
                        api.set_ip_interface(Family::V4, index, &IpInterfaceChange { nl_mtu: None, ..change })
                    }) {
                    Ok(_) => false,
                    Err(error) => {
                        let kinds = [ErrorKind::InterfaceNotFound, ErrorKind::NotFound];
                        assert!(kinds.contains(&error.kind()), "{error:?}");
                        assert!(!error.to_string().contains("could not be put back"), "{error}");
                        error.kind() == ErrorKind::InterfaceNotFound
                    }
                }
            });
        });
    }
}

#[test]
fn the_time_that_a_path_mtu_is_kept() {
    let lan = Lan::new();
    let set = |family, time| lan.host.set_path_mtu_discovery_timeout(family, time);
    set(Family::V4, MS(299_001)).unwrap();
    assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "300", "rounded up to seconds");
    assert_eq!(lan.row(Family::V4).path_mtu_discovery_timeout, Some(Duration::from_secs(300)));
    let lo = lan.host.ip_interface(Family::V4, InterfaceIndex(1)).unwrap();
    assert_eq!(lo.path_mtu_discovery_timeout, Some(Duration::from_secs(300)), "one value for all");
    // As it is: no change, also for an interface.
    set(Family::V4, Duration::from_secs(300)).unwrap();
    let same = IpInterfaceChange { path_mtu_discovery_timeout: Some(MS(299_500)), ..nothing() };
    assert!(lan.set(Family::V4, &same).unwrap().is_empty());

    for time in [Duration::ZERO, Duration::MAX] {
        let error = set(Family::V4, time).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{time:?}: {error}");
    }
    assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "300");

    if lan.near.run(|| std::fs::exists("/proc/sys/net/ipv6/route/mtu_expires").unwrap()) {
        set(Family::V6, Duration::from_secs(301)).unwrap();
        assert_eq!(lan.sysctl("ipv6/route/mtu_expires"), "301");
        assert_eq!(lan.row(Family::V6).path_mtu_discovery_timeout, Some(Duration::from_secs(301)));
        assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "300", "each family has its own");
    } else {
        let error = set(Family::V6, Duration::from_secs(301)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert_eq!(lan.row(Family::V6).path_mtu_discovery_timeout, None);
    }
}

/// Says that the process is the one that [`user_namespaces_hide_the_time_of_ipv6_paths`] started.
const IN_USER_NAMESPACE: &str = "IPHELPER_TEST_IN_USER_NAMESPACE";

#[test]
fn user_namespaces_hide_the_time_of_ipv6_paths() {
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_user_namespace_the_time_of_ipv6_paths_is_hidden", "--ignored"])
        .env(IN_USER_NAMESPACE, "1")
        .output()
        .unwrap();
    let (shown, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if error.contains("unshare failed") {
        eprintln!("skipped: no user namespace here: {error}");
        return;
    }
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}{error}");
}

#[test]
#[ignore = "run by the test above, in a user namespace"]
fn in_a_user_namespace_the_time_of_ipv6_paths_is_hidden() {
    if std::env::var_os(IN_USER_NAMESPACE).is_none() {
        eprintln!("skipped: not started by user_namespaces_hide_the_time_of_ipv6_paths");
        return;
    }
    if std::fs::exists("/proc/sys/net/ipv6/route/mtu_expires").unwrap() {
        eprintln!("skipped: this kernel shows it");
        return;
    }
    let host = iphelper::Host::open().unwrap();
    let error = host.set_path_mtu_discovery_timeout(Family::V6, Duration::from_secs(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    assert!(error.to_string().contains("user namespaces"), "{error}");
    host.set_path_mtu_discovery_timeout(Family::V4, Duration::from_secs(300)).unwrap();
    assert_eq!(sysctl("ipv4/route/mtu_expires"), "300");
}
