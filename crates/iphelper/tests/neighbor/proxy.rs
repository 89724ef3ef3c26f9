//! Addresses that this host answers for, as others on the link see it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use crate::neighbors::{BOTH, Lan, ip};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex, Prefix};
use iphelper_testkit::{eventually, run, set_sysctl, unprivileged};
use std::net::IpAddr;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// The proxies of `e0` as `ip` shows them.
fn shown(lan: &Lan) -> Vec<IpAddr> {
    let mut rows: Vec<IpAddr> = Vec::new();
    for digit in [4, 6] {
        let text = lan.near.sh(&format!("ip -{digit} neigh show proxy dev e0"));
        rows.extend(text.lines().map(|line| ip(line.split_whitespace().next().unwrap())));
    }
    rows.sort_unstable();
    // The kernel tells some twice while other namespaces change the table, which all share.
    rows.dedup();
    rows
}

#[test]
fn the_other_host_is_answered() {
    let lan = Lan::new();
    // The addresses are behind another interface of this host, which forwards.
    lan.near.run(|| {
        let _ = run("ip link add e7 type veth peer name e8");
        let _ = run("ip link set e7 up");
        let _ = run("ip route add 192.0.2.64/30 dev e7");
        let _ = run("ip -6 route add 2001:db8::40/126 dev e7");
        for file in ["ipv4/conf/e0/forwarding", "ipv6/conf/e0/forwarding", "ipv6/conf/e0/proxy_ndp"] {
            set_sysctl(file, "1");
        }
        // Answers wait for a random part of this time.
        set_sysctl("ipv4/neigh/e0/proxy_delay", "0");
        set_sysctl("ipv6/neigh/e0/proxy_delay", "0");
    });
    let row = lan.host.interface(lan.index, iphelper::interface::InterfaceLevel::Normal).unwrap();
    let bytes = row.physical_address.to_string();
    let far = |address: &str| {
        let _ = lan.far.sh(&format!("ip neigh replace {address} dev p0 use"));
        let mut state = String::new();
        eventually("an answer or none", || {
            state = lan.far.sh(&format!("ip neigh show {address} dev p0"));
            if state.is_empty() {
                // The kernel has tidied up in between.
                let _ = lan.far.sh(&format!("ip neigh replace {address} dev p0 use"));
            }
            state.contains("REACHABLE") || state.contains("FAILED")
        });
        state
    };
    for version in ["ipv4", "ipv6"] {
        lan.far.run(|| set_sysctl(&format!("{version}/neigh/p0/retrans_time_ms"), "50"));
    }
    for (range, inside) in [("192.0.2.64/30", "192.0.2.66"), ("2001:db8::40/126", "2001:db8::42")] {
        assert!(far(inside).contains("FAILED"), "nobody answers yet");
        let _ = lan.host.create_proxy_neighbors(lan.index, prefix(range)).unwrap();
        let answered = far(inside);
        assert!(answered.contains("REACHABLE") && answered.contains(&bytes), "{answered}");
        let _ = lan.host.delete_proxy_neighbors(lan.index, prefix(range)).unwrap();
        let _ = lan.far.sh(&format!("ip neigh del {inside} dev p0"));
        assert!(far(inside).contains("FAILED"), "answered after the end");
    }
}

#[test]
fn ranges_are_made_and_deleted_whole() {
    let lan = Lan::new();
    lan.near.run(|| set_sysctl("ipv6/conf/all/proxy_ndp", "1"));
    for range in ["192.0.2.64/30", "2001:db8::40/126"] {
        let whole: Vec<IpAddr> = {
            let first = prefix(range).address();
            (0..4)
                .map(|offset| match first {
                    IpAddr::V4(first) => IpAddr::from((first.to_bits() + offset).to_be_bytes()),
                    IpAddr::V6(first) => IpAddr::from((first.to_bits() + u128::from(offset)).to_be_bytes()),
                })
                .collect()
        };
        // A plan says the same, to everybody, and writes nothing.
        let plan = |range: &str| {
            let plan = || Host::open().unwrap().plan_create_proxy_neighbors(lan.index, prefix(range));
            lan.near.run(|| unprivileged(plan))
        };
        let planned = plan(range).unwrap();
        assert_eq!(shown(&lan), [] as [IpAddr; 0]);
        let made = lan.host.create_proxy_neighbors(lan.index, prefix(range)).unwrap();
        assert_eq!(made, planned);
        assert_eq!(plan(range).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(shown(&lan), whole);
        let rows = lan.host.proxy_neighbors(Some(Family::of(&whole[0]))).unwrap();
        assert_eq!(rows.iter().map(|row| row.address).collect::<Vec<_>>(), whole);

        // One that overlaps changes nothing, nor does the end of one that is not there whole.
        let wider = Prefix::new(whole[0], prefix(range).len() - 1).unwrap();
        let error = lan.host.create_proxy_neighbors(lan.index, wider).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let error = lan.host.delete_proxy_neighbors(lan.index, wider).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(shown(&lan), whole);
        let planned = lan.host.plan_delete_proxy_neighbors(lan.index, prefix(range)).unwrap();
        assert_eq!((&planned, shown(&lan)), (&rows, whole));
        assert_eq!(lan.host.delete_proxy_neighbors(lan.index, prefix(range)).unwrap(), planned);
        assert_eq!(shown(&lan), [] as [IpAddr; 0]);
    }
    // The largest range.
    let _ = lan.host.create_proxy_neighbors(lan.index, prefix("198.18.0.0/20")).unwrap();
    for address in ["198.18.0.0", "198.18.7.77", "198.18.15.255"] {
        assert!(lan.near.sh(&format!("ip neigh get proxy {address} dev e0")).starts_with(address));
    }
    let _ = lan.host.delete_proxy_neighbors(lan.index, prefix("198.18.0.0/20")).unwrap();
    assert_eq!(shown(&lan), [] as [IpAddr; 0]);
}

#[test]
fn each_error_of_proxies() {
    let lan = Lan::new();
    let nobody = InterfaceIndex(0x7fff_ffff);
    for (index, range, kind) in [
        (nobody, "192.0.2.64/30", ErrorKind::InterfaceNotFound),
        (nobody, "2001:db8::40/126", ErrorKind::InterfaceNotFound),
        (lan.index, "10.0.0.0/19", ErrorKind::NotSupported),
        (lan.index, "0.0.0.0/0", ErrorKind::NotSupported),
        (lan.index, "::/0", ErrorKind::NotSupported),
        (lan.index, "127.0.0.0/30", ErrorKind::InvalidParameter),
        (lan.index, "255.255.255.252/30", ErrorKind::InvalidParameter),
        (lan.index, "0.0.0.0/32", ErrorKind::InvalidParameter),
        (lan.index, "2001:db8::40/126", ErrorKind::NotSupported),
    ] {
        let error = lan.host.create_proxy_neighbors(index, prefix(range)).unwrap_err();
        assert_eq!(error.kind(), kind, "{range}: {error}");
    }
    let error = lan.host.create_proxy_neighbors(lan.index, prefix("2001:db8::40/126")).unwrap_err();
    assert!(error.to_string().contains("net.ipv6.conf.e0.proxy_ndp"), "{error}");
    assert_eq!(shown(&lan), [] as [IpAddr; 0]);
    for it in BOTH {
        let error = lan.host.delete_proxy_neighbors(lan.index, Prefix::host(ip(it.nobody))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
