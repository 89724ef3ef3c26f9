//! How far packets get, as said and as tried.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::connectivity::ConnectivityLevel::{self, InternetAccess, LocalAccess, None as Nowhere};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{NetNs, eventually, isolated, ping, run, set_sysctl, try_run, unprivileged};
use std::sync::mpsc::channel;
use std::time::Duration;

fn of(host: &Host, name: &str) -> ConnectivityLevel {
    let luid = host.interface_named(name).unwrap().luid;
    unprivileged(|| host.interface_connectivity_hint(luid).unwrap().level)
}

#[test]
fn from_nowhere_to_the_link_and_beyond() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let host = Host::open().unwrap();
        set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
        assert_eq!((of(&host, "lo"), of(&host, "e0")), (Nowhere, Nowhere), "no address");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        assert_eq!(of(&host, "e0"), LocalAccess);
        let _ = run("ip route add 203.0.113.0/24 via 192.0.2.9");
        assert_eq!(of(&host, "e0"), LocalAccess, "a route to some network");
        let _ = run("ip route add default via 192.0.2.2");
        assert_eq!(of(&host, "e0"), InternetAccess);
        assert_eq!(host.connectivity_hint().unwrap().level, InternetAccess);

        // Nobody answers as 192.0.2.2: the first packet finds that out.
        eventually("nobody answers, which is known", || {
            let shown = run("ip neigh show 192.0.2.2");
            if shown.is_empty() {
                // At first, and where the kernel has tidied up in between.
                let _ = try_run("ping -c1 -W1 198.51.100.1");
            }
            shown.contains("FAILED")
                && (of(&host, "e0"), host.connectivity_hint().unwrap().level) == (LocalAccess, LocalAccess)
        });
        there.run(|| {
            let _ = run("ip address add 192.0.2.2/24 dev e1");
        });
        ping("192.0.2.2");
        assert_eq!(of(&host, "e0"), InternetAccess);

        let _ = run("ip route replace default via 192.0.2.2 table 100");
        let _ = run("ip route del default table main");
        assert_eq!(of(&host, "e0"), LocalAccess, "no rule looks into that table");
        let _ = run("ip rule add lookup 100");
        assert_eq!(of(&host, "e0"), InternetAccess);
        let _ = run("ip route replace unreachable default table 100");
        assert_eq!(of(&host, "e0"), LocalAccess);
        let _ = run("ip link set e0 down");
        assert_eq!((of(&host, "e0"), host.connectivity_hint().unwrap().level), (Nowhere, Nowhere));
        let nobody = host.interface_connectivity_hint(InterfaceIndex(0x7FFF)).unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::InterfaceNotFound);
    });
}

#[test]
fn a_disabled_default_route_leads_nowhere() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let host = Host::open().unwrap();
        let disabled = |on| IpInterfaceChange { disable_default_routes: Some(on), ..Default::default() };
        for name in ["e0", "e1"] {
            assert_eq!(of(&host, name), InternetAccess, "{name}");
            let luid = host.interface_named(name).unwrap().luid;
            let _ = host.set_ip_interface_families(luid, &disabled(true), &disabled(true)).unwrap();
            assert_eq!(of(&host, name), LocalAccess, "{name}");
        }
        assert_eq!(host.connectivity_hint().unwrap().level, LocalAccess);
        // One family is enough.
        let luid = host.interface_named("e0").unwrap().luid;
        let _ = host.set_ip_interface(Family::V6, luid, &disabled(false)).unwrap();
        assert_eq!(host.connectivity_hint().unwrap().level, InternetAccess);
    });
}

#[test]
fn a_change_is_told_and_what_is_none_is_not() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (tell, told) = channel();
        let registration = host.notify_connectivity_change(true, move |hint| tell.send(hint.level).unwrap());
        let registration = registration.unwrap();
        let next = || told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(next(), Nowhere, "the initial call");
        let _ = run("ip link add e0 type veth peer name e1");
        for name in ["e0", "e1"] {
            set_sysctl(&format!("ipv6/conf/{name}/disable_ipv6"), "1");
        }
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        assert_eq!(next(), LocalAccess);
        // Neither is a change of how far it reaches.
        let _ = run("ip address add 192.0.2.7/24 dev e0");
        let _ = run("ip route add 203.0.113.0/24 via 192.0.2.9");
        let _ = run("ip route add default via 192.0.2.2");
        assert_eq!(next(), InternetAccess);
        let _ = run("ip link del e0");
        assert_eq!(next(), Nowhere);
        registration.cancel();
        assert!(told.recv().is_err());

        let (tell, told) = channel();
        let registration = host.notify_connectivity_change(false, move |hint| tell.send(hint.level).unwrap());
        let _registration = registration.unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        eventually("a first call that is no initial one", || {
            told.try_recv().is_ok_and(|level| level == LocalAccess)
        });
    });
}
