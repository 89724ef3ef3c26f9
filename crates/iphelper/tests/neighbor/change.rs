//! Making, setting, deleting and flushing neighbours, as `ip` shows them then.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use crate::neighbors::{BOTH, Lan, ip, physical, shown};
use iphelper::neighbor::{NeighborChange, NeighborFlush, NeighborState, NewNeighbor};
use iphelper::{Error, ErrorKind, Family, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{NetNs, eventually, run, set_sysctl, unprivileged};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const ONE: &str = "02:00:5e:00:53:11";
const OTHER: &str = "02:00:5e:00:53:22";

fn at(state: &str, physical: &str) -> Option<(String, String)> {
    Some((state.to_owned(), physical.to_owned()))
}

#[test]
fn made_set_and_deleted_as_ip_shows() {
    let lan = Lan::new();
    for it in BOTH {
        let address = ip(it.nobody);
        let new = NewNeighbor::new(lan.index, address, physical(ONE));
        let planned = lan.host.plan_create_neighbor(&new).unwrap();
        assert_eq!(lan.shown(it.nobody), None, "a plan writes nothing");
        let made = lan.host.create_neighbor(&new).unwrap();
        assert_eq!(made, planned);
        assert_eq!((made.state, made.physical_address), (NeighborState::Permanent, physical(ONE)));
        assert_eq!(lan.shown(it.nobody), at("PERMANENT", ONE));
        assert_eq!(lan.row(it.nobody), made);
        for error in [lan.host.create_neighbor(&new), lan.host.plan_create_neighbor(&new)] {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert!(error.to_string().contains("(permanent)"), "{error}");
        }

        // By LUID, and to what is so already.
        let same = NeighborChange::new(physical(ONE));
        assert_eq!(lan.host.set_neighbor(made.luid, address, &same).unwrap(), []);
        let change = NeighborChange { physical_address: physical(OTHER), permanent: false };
        let planned = lan.host.plan_set_neighbor(made.luid, address, &change).unwrap();
        assert_eq!(lan.shown(it.nobody), at("PERMANENT", ONE));
        let changes = lan.host.set_neighbor(made.luid, address, &change).unwrap();
        assert_eq!(changes, planned);
        let told: Vec<_> = changes.iter().map(|it| (it.property, it.from.as_str(), it.to.as_str())).collect();
        assert_eq!(told, [("physical_address", ONE, OTHER), ("state", "permanent", "stale")]);
        assert_eq!(changes[0].mechanism, format!("neighbour {} on e0", it.nobody));
        assert_eq!(lan.shown(it.nobody), at("STALE", OTHER));
        let changes =
            lan.host.set_neighbor(lan.index, address, &NeighborChange::new(physical(OTHER))).unwrap();
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(lan.shown(it.nobody), at("PERMANENT", OTHER));

        let planned = lan.host.plan_delete_neighbor(lan.index, address).unwrap();
        assert_eq!(lan.shown(it.nobody), at("PERMANENT", OTHER));
        assert_eq!(lan.host.delete_neighbor(lan.index, address).unwrap(), planned);
        assert_eq!(lan.shown(it.nobody), None);
        let gone = [
            lan.host.delete_neighbor(lan.index, address).unwrap_err(),
            lan.host.plan_delete_neighbor(lan.index, address).unwrap_err(),
            lan.host.set_neighbor(lan.index, address, &same).unwrap_err(),
            lan.host.plan_set_neighbor(lan.index, address, &same).unwrap_err(),
        ];
        assert!(gone.iter().all(|error| error.kind() == ErrorKind::NotFound), "{gone:?}");
        assert_eq!(lan.shown(it.nobody), None, "set makes nothing");
    }
}

#[test]
fn packets_go_where_the_entry_says() {
    let lan = Lan::new();
    for it in BOTH {
        // The other host takes what comes for its physical address, whoever the neighbour is said to be.
        lan.give(it.off_link, it);
        let new = NewNeighbor::new(lan.index, ip(it.nobody), physical(ONE));
        let _ = lan.host.create_neighbor(&new).unwrap();
        let capture = lan.far.run(iphelper_testkit::Capture::start);
        let send = |to: &str| {
            lan.near.run(|| {
                let any = if it.family == Family::V4 { "0.0.0.0:0" } else { "[::]:0" };
                let socket = std::net::UdpSocket::bind(any).unwrap();
                assert_eq!(socket.send_to(b"x", (ip(to), 7)).unwrap(), 1);
            });
        };
        let destination = |frame: &iphelper_testkit::Frame| {
            let udp = frame.udp()?;
            (udp.destination == ip(it.nobody)).then(|| frame.physical_destination().unwrap())
        };
        send(it.nobody);
        let first = capture.wait_for("a packet to the entry's address", 1, destination);
        assert_eq!(first[0], physical(ONE).as_bytes());
        let _ =
            lan.host.set_neighbor(lan.index, ip(it.nobody), &NeighborChange::new(physical(OTHER))).unwrap();
        send(it.nobody);
        let second = capture.wait_for("a packet to the new address", 1, destination);
        assert_eq!(second[0], physical(OTHER).as_bytes());
    }
}

#[test]
fn whatever_is_in_the_table_exists_and_can_be_set() {
    let lan = Lan::new();
    for it in BOTH {
        let version = if it.family == Family::V4 { "ipv4" } else { "ipv6" };
        lan.near.run(|| set_sysctl(&format!("{version}/neigh/e0/retrans_time_ms"), "20"));
        let new = NewNeighbor::new(lan.index, ip(it.nobody), physical(ONE));
        // Once more where the kernel has tidied up in between.
        let error = loop {
            lan.ask_in_vain(it.nobody);
            match lan.host.create_neighbor(&new) {
                Ok(_) => drop(lan.host.delete_neighbor(lan.index, new.address).unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("(unreachable)"), "{error}");
        let changes = loop {
            lan.ask_in_vain(it.nobody);
            match lan.host.set_neighbor(lan.index, new.address, &NeighborChange::new(physical(ONE))) {
                Ok(changes) => break changes,
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            }
        };
        let told: Vec<_> = changes.iter().map(|it| (it.property, it.from.as_str(), it.to.as_str())).collect();
        assert_eq!(told, [("physical_address", "none", ONE), ("state", "unreachable", "permanent")]);
        assert_eq!(lan.shown(it.nobody), at("PERMANENT", ONE));

        // A group's address is worked out, and can be made something else.
        let group = if it.family == Family::V4 { "224.1.2.3" } else { "ff02::1:3" };
        let new = NewNeighbor::new(lan.index, ip(group), physical(ONE));
        let made = lan.host.create_neighbor(&new).unwrap();
        assert_eq!((made.state, made.physical_address), (NeighborState::Permanent, physical(ONE)));
        assert_eq!(lan.shown(group), at("PERMANENT", ONE));
    }
}

#[test]
fn marks_of_others_stay() {
    let lan = Lan::new();
    for it in BOTH {
        let _ = lan.near.sh(&format!(
            "ip neigh add {} lladdr {ONE} dev e0 nud stale router extern_learn protocol zebra",
            it.nobody
        ));
        for permanent in [true, false] {
            let change = NeighborChange { physical_address: physical(OTHER), permanent };
            assert!(!lan.host.set_neighbor(lan.index, ip(it.nobody), &change).unwrap().is_empty());
            let row = lan.row(it.nobody);
            assert_eq!((row.is_router, row.externally_learned, row.protocol), (Some(true), true, Some(11)));
        }
        let _ = lan.near.sh(&format!("ip neigh add {} managed dev e0", it.off_link));
        let change = NeighborChange { physical_address: physical(OTHER), permanent: false };
        let _ = lan.host.set_neighbor(lan.index, ip(it.off_link), &change).unwrap();
        assert!(lan.row(it.off_link).managed);
        let change = NeighborChange { permanent: true, ..change };
        let _ = lan.host.set_neighbor(lan.index, ip(it.off_link), &change).unwrap();
        assert!(!lan.row(it.off_link).managed, "what is permanent is not kept resolved");
    }
}

#[test]
fn a_permanent_entry_survives_the_cable_and_not_the_switch() {
    let lan = Lan::new();
    for it in BOTH {
        let new = NewNeighbor::new(lan.index, ip(it.nobody), physical(ONE));
        let _ = lan.host.create_neighbor(&new).unwrap();
        let learned = NewNeighbor { address: ip(it.far), permanent: false, ..new };
        let _ = lan.host.create_neighbor(&learned).unwrap();
    }
    let carrier = |is: bool| {
        let command = format!("ip link set p0 {}", if is { "up" } else { "down" });
        let _ = lan.far.sh(&command);
        eventually("the link follows", || lan.near.sh("ip link show e0").contains("NO-CARRIER") != is);
    };
    for _ in 0..3 {
        carrier(false);
        for it in BOTH {
            eventually("what was learned goes with the link", || lan.shown(it.far).is_none());
            assert_eq!(lan.shown(it.nobody), at("PERMANENT", ONE));
        }
        carrier(true);
    }
    for it in BOTH {
        assert_eq!(lan.shown(it.nobody), at("PERMANENT", ONE));
    }
    let _ = lan.near.sh("ip link set e0 down");
    let _ = lan.near.sh("ip link set e0 up");
    for it in BOTH {
        assert_eq!(lan.shown(it.nobody), None);
    }
}

/// All but groups, which the kernel may send to for itself meanwhile.
fn shown_unicast() -> BTreeSet<(String, String, String, String)> {
    shown("").into_iter().filter(|row| !ip(&row.1).is_multicast()).collect()
}

#[test]
fn a_flush_takes_what_it_is_asked_for() {
    let lan = Lan::new();
    lan.near.run(|| {
        let _ = run("ip link add e7 type veth peer name e8");
        let _ = run("ip link set e7 up");
        let fill = || {
            for it in BOTH {
                let host = it.nobody.trim_end_matches('9');
                for device in ["e0", "e7"] {
                    for (last, state) in [(10, "permanent"), (11, "reachable"), (12, "stale")] {
                        let _ = run(&format!(
                            "ip neigh replace {host}{last} lladdr {ONE} dev {device} nud {state}"
                        ));
                    }
                    let _ = run(&format!(
                        "ip neigh replace {host}13 lladdr {ONE} dev {device} nud stale extern_learn"
                    ));
                    let _ = run(&format!("ip neigh replace {host}14 lladdr {ONE} dev {device} nud noarp"));
                }
            }
        };
        for family in [None, Some(Family::V4), Some(Family::V6)] {
            for device in [None, Some("e7")] {
                for permanent in [false, true] {
                    fill();
                    let interface = device.map(|name| lan.host.interface_named(name).unwrap().luid.into());
                    let which = NeighborFlush { family, interface, permanent };
                    let before = shown_unicast();
                    let planned = lan.host.plan_flush_neighbors(&which).unwrap();
                    assert_eq!(shown_unicast(), before);
                    let flushed = lan.host.flush_neighbors(&which).unwrap();
                    let keys = |rows: &[iphelper::neighbor::Neighbor]| -> Vec<_> {
                        rows.iter().map(|row| (row.name.clone(), row.address)).collect()
                    };
                    assert_eq!(keys(&planned), keys(&flushed));
                    let expected: BTreeSet<_> = before
                        .into_iter()
                        .filter(|(name, address, state, _)| {
                            let other_family = family.is_some_and(|it| Family::of(&ip(address)) != it);
                            let other_device = device.is_some_and(|it| it != name);
                            let set = state == "PERMANENT" || address.ends_with("13");
                            other_family || other_device || state == "NOARP" || (set && !permanent)
                        })
                        .map(|row| (row.0, row.1))
                        .collect();
                    let left: BTreeSet<_> = shown_unicast().into_iter().map(|row| (row.0, row.1)).collect();
                    assert_eq!(left, expected, "{which:?}");
                }
            }
        }
    });
}

#[test]
fn each_error_of_a_change() {
    let lan = Lan::new();
    let good = physical(ONE);
    let nobody = InterfaceIndex(0x7fff_ffff);
    let all = |index: InterfaceIndex, address: &str, physical| -> Vec<Error> {
        let new = NewNeighbor::new(index, ip(address), physical);
        let change = NeighborChange::new(physical);
        vec![
            lan.host.create_neighbor(&new).unwrap_err(),
            lan.host.plan_create_neighbor(&new).unwrap_err(),
            lan.host.set_neighbor(index, ip(address), &change).unwrap_err(),
            lan.host.plan_set_neighbor(index, ip(address), &change).unwrap_err(),
        ]
    };
    let kinds = |errors: &[Error]| errors.iter().map(Error::kind).collect::<HashSet<_>>();
    for it in BOTH {
        assert_eq!(kinds(&all(nobody, it.nobody, good)), [ErrorKind::InterfaceNotFound].into());
        for bad in ["", "02:00:5e:00:53", "02:00:5e:00:53:01:02"] {
            let bad = bad.parse().unwrap_or_default();
            assert_eq!(kinds(&all(lan.index, it.nobody, bad)), [ErrorKind::InvalidParameter].into());
        }
        assert_eq!(lan.shown(it.nobody), None);
        let deleted = lan.host.delete_neighbor(nobody, ip(it.nobody)).unwrap_err();
        assert_eq!(deleted.kind(), ErrorKind::InterfaceNotFound);
    }
    for bad in ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "::ffff:192.0.2.1"] {
        assert_eq!(kinds(&all(lan.index, bad, good)), [ErrorKind::InvalidParameter].into(), "{bad}");
        let error = lan.host.delete_neighbor(lan.index, ip(bad)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{bad}");
    }
    for interface in [nobody.into(), InterfaceLuid(u64::MAX).into()] {
        let which = NeighborFlush { interface: Some(interface), ..NeighborFlush::default() };
        assert_eq!(lan.host.flush_neighbors(&which).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
    }
    // The kernel would take it for its own entry for all packets over the link.
    lan.near.run(|| {
        let lo = lan.host.interface_named("lo").unwrap().index;
        let error = lan.host.create_neighbor(&NewNeighbor::new(lo, ip("192.0.2.9"), good)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        assert_eq!(run("ip -4 neigh show nud all dev lo"), "", "nothing was made");
    });
    // A link without physical addresses.
    let tun = NetNs::new();
    tun.run(|| {
        if let Err(error) = iphelper_testkit::try_run("ip tuntap add t0 mode tun") {
            eprintln!("skipped: no TUN here: {error}");
            return;
        }
        let host = Host::open().unwrap();
        let index = host.interface_named("t0").unwrap().index;
        let new = NewNeighbor::new(index, ip("192.0.2.9"), good);
        let error = host.create_neighbor(&new).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(error.to_string().contains("without physical addresses"), "{error}");
    });
    lan.near.run(|| set_sysctl("ipv6/conf/e0/disable_ipv6", "1"));
    assert_eq!(kinds(&all(lan.index, "2001:db8::7", good)), [ErrorKind::NotFound].into());
}

#[test]
fn nobody_without_the_privilege_writes() {
    let lan = Lan::new();
    let _ = lan.near.sh(&format!("ip neigh add 192.0.2.7 lladdr {ONE} dev e0"));
    let _ = lan.near.sh("ip neigh add proxy 192.0.2.8 dev e0");
    lan.near.run(|| {
        let before = shown_unicast();
        unprivileged(|| {
            let host = Host::open().unwrap();
            let new = NewNeighbor::new(lan.index, ip("192.0.2.9"), physical(ONE));
            let change = NeighborChange::new(physical(OTHER));
            let which = NeighborFlush { permanent: true, ..NeighborFlush::default() };
            let host_prefix = "192.0.2.8".parse().unwrap();
            for error in [
                host.create_neighbor(&new).unwrap_err(),
                host.set_neighbor(lan.index, ip("192.0.2.7"), &change).unwrap_err(),
                host.delete_neighbor(lan.index, ip("192.0.2.7")).unwrap_err(),
                host.flush_neighbors(&which).unwrap_err(),
                host.create_proxy_neighbors(lan.index, "192.0.2.64/30".parse().unwrap()).unwrap_err(),
                host.delete_proxy_neighbors(lan.index, host_prefix).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            }
            // Everybody may ask what would be.
            assert_eq!(host.plan_create_neighbor(&new).unwrap().address, new.address);
            assert_eq!(host.plan_set_neighbor(lan.index, ip("192.0.2.7"), &change).unwrap().len(), 1);
            assert_eq!(host.plan_delete_neighbor(lan.index, ip("192.0.2.7")).unwrap().name, "e0");
            assert!(!host.plan_flush_neighbors(&which).unwrap().is_empty());
        });
        assert_eq!(shown_unicast(), before);
        assert_eq!(lan.host.proxy_neighbors(None).unwrap().len(), 1);
    });
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Create { to: u8, physical: u8, permanent: bool },
    Set { to: u8, physical: u8, permanent: bool },
    Delete { to: u8 },
    Flush { permanent: bool, one_family: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let to = 0..6_u8;
    prop_oneof![
        (to.clone(), 0..3_u8, any::<bool>()).prop_map(|(to, physical, permanent)| Step::Create {
            to,
            physical,
            permanent
        }),
        (to.clone(), 0..3_u8, any::<bool>()).prop_map(|(to, physical, permanent)| Step::Set {
            to,
            physical,
            permanent
        }),
        to.prop_map(|to| Step::Delete { to }),
        (any::<bool>(), any::<bool>())
            .prop_map(|(permanent, one_family)| Step::Flush { permanent, one_family }),
    ]
}

/// Random sequences end as a model of the table says, and `ip` agrees.
#[test]
fn random_sequences_end_as_ip_shows() {
    let lan = Lan::new();
    let address = |to: u8| {
        let it = BOTH[usize::from(to % 2)];
        format!("{}2{}", it.nobody.trim_end_matches('9'), to / 2)
    };
    let bytes = |physical: u8| format!("02:00:00:00:00:0{physical}");
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    runner
        .run(&proptest::collection::vec(step(), 1..20), |steps| {
            let everything = NeighborFlush { permanent: true, ..NeighborFlush::default() };
            let _ = lan.host.flush_neighbors(&everything).unwrap();
            let mut model: BTreeMap<String, (bool, String)> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Create { to, physical: last, permanent } => {
                        let new = NewNeighbor {
                            permanent,
                            ..NewNeighbor::new(lan.index, ip(&address(to)), physical(&bytes(last)))
                        };
                        let made = lan.host.create_neighbor(&new);
                        let exists = model.contains_key(&address(to));
                        prop_assert_eq!(
                            made.map_err(|e| e.kind()).err(),
                            exists.then_some(ErrorKind::AlreadyExists)
                        );
                        let _ = model.entry(address(to)).or_insert((permanent, bytes(last)));
                    }
                    Step::Set { to, physical: last, permanent } => {
                        let change = NeighborChange { physical_address: physical(&bytes(last)), permanent };
                        let set = lan.host.set_neighbor(lan.index, ip(&address(to)), &change);
                        match model.get_mut(&address(to)) {
                            Some(entry) => {
                                let to = (permanent, bytes(last));
                                prop_assert_eq!(set.unwrap().is_empty(), *entry == to);
                                *entry = to;
                            }
                            None => prop_assert_eq!(set.unwrap_err().kind(), ErrorKind::NotFound),
                        }
                    }
                    Step::Delete { to } => {
                        let deleted = lan.host.delete_neighbor(lan.index, ip(&address(to)));
                        let was = model.remove(&address(to)).is_some();
                        prop_assert_eq!(
                            deleted.map_err(|e| e.kind()).err(),
                            (!was).then_some(ErrorKind::NotFound)
                        );
                    }
                    Step::Flush { permanent, one_family } => {
                        let family = one_family.then_some(Family::V6);
                        let which = NeighborFlush { family, interface: None, permanent };
                        let _ = lan.host.flush_neighbors(&which).unwrap();
                        model.retain(|address, entry| {
                            (entry.0 && !permanent)
                                || family.is_some_and(|family| Family::of(&ip(address)) != family)
                        });
                    }
                }
            }
            let found: BTreeMap<_, _> = lan
                .near
                .run(|| shown("dev e0"))
                .into_iter()
                .filter(|row| !ip(&row.1).is_multicast())
                .map(|(_, address, state, bytes)| (address, (state == "PERMANENT", bytes)))
                .collect();
            prop_assert_eq!(&found, &model);
            let ours: BTreeMap<_, _> = lan
                .host
                .neighbors(None)
                .unwrap()
                .into_iter()
                .filter(|row| row.index == lan.index && !row.address.is_multicast())
                .map(|row| {
                    (
                        row.address.to_string(),
                        (row.state == NeighborState::Permanent, row.physical_address.to_string()),
                    )
                })
                .collect();
            prop_assert_eq!(&ours, &model);
            Ok(())
        })
        .unwrap();
}
