//! Leases of a DHCP server, held by `systemd-networkd` and by NetworkManager.

use crate::lab::{Uplink, eventually, fresh_resolved, host, start, stop};
use iphelper::adapter::{AdapterQuery, DhcpClient, DhcpLease};
use iphelper::{ErrorKind, Host, InterfaceIndex};
use iphelper_capi::adapter;
use iphelper_capi::raw::IP_ADAPTER_INDEX_MAP;
use iphelper_testkit::{as_nobody, run};
use std::fs::{create_dir_all, remove_file, write};

fn lease(host: &Host, index: InterfaceIndex) -> Option<DhcpLease> {
    host.adapter(index, &AdapterQuery::default()).unwrap().dhcp
}

fn has(address: &DhcpLease) -> bool {
    run("ip -4 addr show dev e0").contains(&format!("inet {}/", address.address))
}

#[test]
#[ignore = "scripts/test-services"]
fn networkd_renews_its_lease() {
    let host = host();
    create_dir_all("/etc/systemd/network").unwrap();
    write("/etc/systemd/network/e0.network", "[Match]\nName=e0\n[Network]\nDHCP=ipv4\n").unwrap();
    start("systemd-networkd");
    let uplink = Uplink::new();
    let index = host.interface_named("e0").unwrap().index;
    eventually("networkd has a lease", || lease(&host, index).is_some());
    let first = lease(&host, index).unwrap();
    assert_eq!((first.client, first.lifetime.unwrap().as_secs()), (DhcpClient::Networkd, 600));
    assert_eq!(first.server, Some([192, 0, 2, 1].into()));
    assert!(has(&first));
    let status = run("networkctl status e0");
    assert!(status.contains(&format!("{} (DHCP4 via 192.0.2.1)", first.address)), "{status}");
    let confirmed = uplink.confirmed();
    let renewed = host.renew_address(index).unwrap();
    assert_eq!(renewed.address, first.address);
    assert!(renewed.obtained > first.obtained && uplink.confirmed() > confirmed);
    let refused = host.release_address(index).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
    let _ = as_nobody(&[], || {
        let refused = Host::open().unwrap().renew_address(index).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
    });
    stop("systemd-networkd.socket systemd-networkd");
    remove_file("/etc/systemd/network/e0.network").unwrap();
}

#[test]
#[ignore = "scripts/test-services"]
fn network_manager_renews_and_gives_up() {
    let host = host();
    fresh_resolved();
    start("NetworkManager");
    let uplink = Uplink::new();
    let index = host.interface_named("e0").unwrap().index;
    eventually("NetworkManager has a lease", || lease(&host, index).is_some());
    eventually("and is done", || run("nmcli -g GENERAL.STATE device show e0").contains("(connected)"));
    let first = lease(&host, index).unwrap();
    assert_eq!((first.client, first.lifetime.unwrap().as_secs()), (DhcpClient::NetworkManager, 600));
    assert_eq!(first.server, Some([192, 0, 2, 1].into()));
    let told = run("nmcli -f DHCP4 device show e0");
    assert!(told.contains(&format!("ip_address = {}", first.address)), "{told}");
    let expires = first.expires().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(told.contains(&format!("expiry = {expires}")), "{told}");
    let profile = run("nmcli -g GENERAL.CONNECTION device show e0");

    // Twice, in the second in which it was obtained, too.
    let mut before = first.clone();
    for _ in 0..2 {
        let confirmed = uplink.confirmed();
        let renewed = host.renew_address(index).unwrap();
        assert_eq!(renewed.address, first.address);
        assert!(renewed.obtained > before.obtained && uplink.confirmed() > confirmed);
        assert!(has(&renewed), "it stays all the time");
        before = renewed;
    }
    // By C, and again.
    let map = IP_ADAPTER_INDEX_MAP { Index: index.0, Name: [0; 128] };
    assert_eq!(unsafe { adapter::ip_release_address(&raw const map) }, 0);
    assert!(!run("ip -4 addr show dev e0").contains("inet "));
    eventually("it is still connected", || {
        run("nmcli -g GENERAL.STATE device show e0").contains("(connected)")
    });
    assert_eq!(host.plan_renew_address(index).unwrap(), None);
    assert_eq!(unsafe { adapter::ip_renew_address(&raw const map) }, 0);
    let again = lease(&host, index).unwrap();
    assert!(has(&again));
    assert_eq!(run("nmcli -g GENERAL.CONNECTION device show e0"), profile);
    let _ = as_nobody(&[], || {
        let refused = Host::open().unwrap().release_address(index).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
    });
    assert!(has(&again));
    stop("NetworkManager");
}
