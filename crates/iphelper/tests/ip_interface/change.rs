//! SetIpInterfaceEntry, property by property: what it writes, seen through the API and through other programs.

use crate::lan::{Lan, nothing, refused, told};
use iphelper::ErrorKind;
use iphelper::ip_interface::{IpInterfaceChange, LinkLocalAddressBehavior, RouterDiscoveryBehavior};
use iphelper::types::{Family, InterfaceIndex};
use iphelper_testkit::{Announcements, eventually};
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

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
    let loopback =
        lan.host.plan_set_ip_interface(Family::V6, InterfaceIndex(1), &identifier(0xaa)).unwrap_err();
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
        let planned = lan.host.plan_set_ip_interface_families(lan.index, v4, v6);
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
