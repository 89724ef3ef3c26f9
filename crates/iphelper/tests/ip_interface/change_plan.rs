//! SetIpInterfaceEntry: a row that is set as it was read, plans, and what listeners are told.

use crate::lan::{Lan, all_sysctls, as_it_is, nothing};
use iphelper::ErrorKind;
use iphelper::ip_interface::{IpInterfaceChange, PropertyChange, RouterDiscoveryBehavior};
use iphelper::types::Family;
use iphelper_testkit::{Announcements, unprivileged, with_read_only_sysctls};
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

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
    assert_eq!(listener.kinds(), [0_u16; 0], "a write over netlink would have been announced");

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
            assert_eq!(listener.kinds(), [0_u16; 0], "not even written and put back");
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
        lan.near.run(|| unprivileged(|| host.plan_set_ip_interface(Family::V6, lan.index, &change).unwrap()));
    assert_eq!(all_sysctls(&lan), before);
    assert_eq!(listener.kinds(), [0_u16; 0]);
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
