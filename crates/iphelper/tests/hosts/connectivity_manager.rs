//! How far packets get and what they cost, as NetworkManager has found out: a stand-in on a bus of the test's own.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::Host;
use iphelper::connectivity::ConnectivityCost::{Fixed, Unrestricted};
use iphelper::connectivity::ConnectivityLevel::{
    ConstrainedInternetAccess as Constrained, InternetAccess, LocalAccess, None as Nowhere,
};
use iphelper::connectivity::{ConnectivityCost, ConnectivityHint, ConnectivityLevel};
use iphelper_testkit::bus::PrivateBus;
use iphelper_testkit::{
    Child, NetNs, eventually, is_child, isolated, links_settle, run, serve_network_manager,
    set_network_manager, set_sysctl, threads, with_private_files,
};
use std::sync::mpsc::channel;
use std::time::Duration;

fn set(device: &str, property: &str, value: &str) {
    set_network_manager(device, property, value).unwrap();
}

type Told = (ConnectivityLevel, Option<ConnectivityCost>);

fn both(hint: ConnectivityHint) -> Told {
    (hint.level, hint.cost)
}

/// An interface that leads on, as far as the kernel knows.
fn uplink(name: &str, octet: u8) {
    let _ = run(&format!("ip link add {name} type veth peer name {name}p"));
    for name in [name, &format!("{name}p")] {
        set_sysctl(&format!("ipv6/conf/{name}/disable_ipv6"), "1");
        let _ = run(&format!("ip link set {name} up"));
    }
    links_settle(&[name, &format!("{name}p")]);
    let _ = run(&format!("ip address add 192.0.{octet}.1/24 dev {name}"));
    let _ = run(&format!("ip route add default via 192.0.{octet}.2 metric {octet}"));
}

/// Runs `work` in a namespace with a bus, where the stand-in can be started.
fn with_bus(test: &str, work: impl FnOnce(&Host, &dyn Fn() -> Child) + Send) {
    if is_child(test) {
        return serve_network_manager();
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let Some(_bus) = PrivateBus::start() else { return };
            let host = Host::open().unwrap();
            let start = || {
                let service = Child::start(test);
                eventually("the service answers", || {
                    set_network_manager("", "Version", "string:1.52").is_ok()
                });
                service
            };
            work(&host, &start);
        });
    });
}

#[test]
fn what_the_manager_found_counts_where_a_way_leads_on() {
    let test = "connectivity_manager::what_the_manager_found_counts_where_a_way_leads_on";
    with_bus(test, |host, start| {
        uplink("e0", 2);
        let of = |name: &str| {
            let luid = host.interface_named(name).unwrap().luid;
            both(host.interface_connectivity_hint(luid).unwrap())
        };
        let all = || both(host.connectivity_hint().unwrap());
        assert_eq!((of("e0"), all()), ((InternetAccess, None), (InternetAccess, None)), "no manager");
        let _service = start();
        assert_eq!(of("e0"), (InternetAccess, None), "one that does not know the interface");
        set("e0", "Ip4Connectivity", "uint32:2");
        set("e0", "State", "uint32:10");
        assert_eq!(of("e0"), (InternetAccess, None), "one that does not manage it");
        set("e0", "State", "uint32:100");
        assert_eq!((of("e0"), all()), ((Constrained, None), (Constrained, None)), "a portal");
        for (state, level) in [
            (0, InternetAccess),
            (1, LocalAccess),
            (3, LocalAccess),
            (4, InternetAccess),
            (99, InternetAccess),
        ] {
            set("e0", "Ip4Connectivity", &format!("uint32:{state}"));
            assert_eq!((of("e0").0, all().0), (level, level), "{state}");
        }

        set("e0", "Ip4Connectivity", "uint32:3");
        for check in ["ConnectivityCheckEnabled", "ConnectivityCheckAvailable"] {
            set("", check, "boolean:false");
            assert_eq!(of("e0").0, InternetAccess, "it does not check");
            set("", check, "boolean:true");
            assert_eq!(of("e0").0, LocalAccess);
        }

        for (metered, cost) in [
            (0, None),
            (1, Some(Fixed)),
            (2, Some(Unrestricted)),
            (3, Some(Fixed)),
            (4, Some(Unrestricted)),
            (99, None),
        ] {
            set("e0", "Metered", &format!("uint32:{metered}"));
            assert_eq!((of("e0").1, all().1), (cost, None), "{metered}");
        }
        set("", "Metered", "uint32:1");
        assert_eq!(all().1, Some(Fixed), "of the ordinary way out");

        // An interface that reaches farther, which the manager leaves alone.
        uplink("e2", 3);
        assert_eq!((of("e2").0, all().0), (InternetAccess, InternetAccess));
        let _ = run("ip link del e2");
        // The kernel knows first that there is no way.
        set("e0", "Ip4Connectivity", "uint32:4");
        let _ = run("ip route del default");
        assert_eq!(all().0, LocalAccess);
        let _ = run("ip link set e0 down");
        assert_eq!(all().0, Nowhere);
    });
}

#[test]
fn versions_without_findings_of_devices_have_the_hosts() {
    let test = "connectivity_manager::versions_without_findings_of_devices_have_the_hosts";
    with_bus(test, |host, start| {
        uplink("e0", 2);
        let _service = start();
        set("e0", "State", "uint32:100");
        set("", "Connectivity", "uint32:2");
        assert_eq!(host.connectivity_hint().unwrap().level, Constrained);
    });
}

#[test]
fn the_manager_of_another_namespace_is_not_asked() {
    let test = "connectivity_manager::the_manager_of_another_namespace_is_not_asked";
    with_bus(test, |host, start| {
        uplink("e0", 2);
        let _service = start();
        for (property, value) in [("State", 100), ("Ip4Connectivity", 2), ("Metered", 1)] {
            set("e0", property, &format!("uint32:{value}"));
        }
        set("", "Metered", "uint32:1");
        assert_eq!(both(host.connectivity_hint().unwrap()), (Constrained, Some(Fixed)));
        // The same bus, and an interface of the same name.
        let elsewhere = NetNs::new();
        elsewhere.run(|| uplink("e0", 2));
        let other = Host::open_namespace(elsewhere.descriptor()).unwrap();
        assert_eq!(both(other.connectivity_hint().unwrap()), (InternetAccess, None));
    });
}

#[test]
fn changes_of_the_manager_are_told_and_so_are_its_coming_and_going() {
    let test = "connectivity_manager::changes_of_the_manager_are_told_and_so_are_its_coming_and_going";
    with_bus(test, |host, start| {
        uplink("e0", 2);
        let (tell, told) = channel();
        let registration = host.notify_connectivity_change(true, move |hint| tell.send(both(hint)).unwrap());
        let registration = registration.unwrap();
        let next = || told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(next(), (InternetAccess, None), "the initial call");
        let service = start();
        set("", "Metered", "uint32:2");
        assert_eq!(next(), (InternetAccess, Some(Unrestricted)), "it has come");
        set("e0", "Ip4Connectivity", "uint32:2");
        set("e0", "State", "uint32:100");
        assert_eq!(next(), (Constrained, Some(Unrestricted)));
        set("", "Metered", "uint32:1");
        assert_eq!(next(), (Constrained, Some(Fixed)));
        // No finding.
        set("e0", "Udi", "string:/sys/devices/virtual");
        set("e0", "Ip4Connectivity", "uint32:4");
        assert_eq!(next(), (InternetAccess, Some(Fixed)));
        service.kill();
        assert_eq!(next(), (InternetAccess, None), "it has gone");
        let _service = start();
        set("", "Metered", "uint32:2");
        assert_eq!(next(), (InternetAccess, Some(Unrestricted)), "it has come again");
        assert!(!threads("iphelper-").is_empty());
        registration.cancel();
        assert!(told.recv().is_err());
        eventually("no thread is left", || threads("iphelper-").is_empty());
    });
}
