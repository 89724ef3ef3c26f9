//! Leases renewed and given up by the clients that have them: a stand-in on a bus of the test's own, which does to its lease
//! file and to the interface what the real one does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::adapter::DhcpClient;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::lease::{
    self, DEVICE_FILE, LOG, NETWORKD_LEASE, REFUSES, STATIC, TIMEOUT, device_file, lease,
};
use iphelper_testkit::{eventually, isolated, run, with_private_files};
use std::fs::{create_dir_all, read_to_string, write};

/// Until the service is on the bus.
fn ready(host: &Host) {
    let index = iphelper::InterfaceIndex(2);
    eventually("the client is on the bus", || host.plan_renew_address(index).is_ok());
}

const SECOND: iphelper::InterfaceIndex = iphelper::InterfaceIndex(2);

#[test]
fn networkd_renews_its_lease() {
    let test = "adapter_lease::networkd_renews_its_lease";
    lease::with_client(test, "org.freedesktop.network1", lease::networkd, || {
        let host = &Host::open().unwrap();
        write(NETWORKD_LEASE, lease(3600)).unwrap();
        ready(host);
        let planned = host.plan_renew_address(SECOND).unwrap().unwrap();
        assert_eq!((planned.client, planned.lifetime.unwrap().as_secs()), (DhcpClient::Networkd, 3600));
        assert!(!std::path::Path::new(LOG).exists(), "a plan asks nobody");
        let renewed = host.renew_address(SECOND).unwrap();
        assert_eq!(renewed.lifetime.unwrap().as_secs(), 7200);
        assert_eq!(read_to_string(LOG).unwrap(), "RenewLink 2");

        let refused = host.release_address(SECOND).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotSupported);
        assert!(refused.to_string().contains("networkctl down e"), "{refused}");
        write(REFUSES, "").unwrap();
        let refused = host.renew_address(SECOND).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
    });
}

#[test]
fn network_manager_renews_and_gives_up() {
    let test = "adapter_lease::network_manager_renews_and_gives_up";
    lease::with_client(test, "org.freedesktop.NetworkManager", lease::network_manager, || {
        let host = &Host::open().unwrap();
        write(DEVICE_FILE, device_file(3_000_000_000)).unwrap();
        ready(host);
        let renewed = host.renew_address(SECOND).unwrap();
        assert_eq!(renewed.client, DhcpClient::NetworkManager);
        assert_eq!(read_to_string(TIMEOUT).unwrap(), "45", "the ordinary one, said");
        write(DEVICE_FILE, device_file(3_000_000_000)).unwrap();
        assert_eq!(host.renew_address(SECOND).unwrap(), renewed);
        assert!(!std::path::Path::new(TIMEOUT).exists(), "or not said");
        let expires = renewed.expires().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(expires.as_secs(), 4_000_000_000);
        assert_eq!(host.plan_release_address(SECOND).unwrap(), renewed);
        assert!(run("ip addr show").contains("192.0.2.7"), "a plan changes nothing");
        assert_eq!(host.release_address(SECOND).unwrap(), renewed);
        assert!(!run("ip addr show").contains("192.0.2.7"));
        let gone = host.release_address(SECOND).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotSupported, "{gone}");

        // A profile that wants no lease gets none, and neither does the other interface.
        write(STATIC, "").unwrap();
        for result in [host.plan_renew_address(SECOND).map(drop), host.renew_address(SECOND).map(drop)] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        }
        std::fs::remove_file(STATIC).unwrap();
        assert_eq!(host.plan_renew_address(SECOND).unwrap(), None, "a first one");
        assert!(!run("ip addr show").contains("192.0.2.7"), "a plan changes nothing");
        let again = host.renew_address(SECOND).unwrap();
        assert_eq!(again.client, DhcpClient::NetworkManager);
        assert!(run("ip addr show").contains("192.0.2.7"));
    });
}

#[test]
fn clients_that_cannot_be_asked_are_named_with_what_to_run() {
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip link add e0 type veth peer name e1");
            let _ = run("ip addr add 192.0.2.7/24 dev e0");
            let host = Host::open().unwrap();
            let e0 = host.interface_named("e0").unwrap().index;
            let refused = |text: &str| {
                for error in [
                    host.renew_address(e0).unwrap_err(),
                    host.plan_renew_address(e0).unwrap_err(),
                    host.release_address(e0).unwrap_err(),
                ] {
                    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
                    assert!(error.to_string().contains(text), "{error}");
                }
            };
            refused("no DHCP client that is known");
            create_dir_all("/run/NetworkManager").unwrap();
            let lease = "lease { interface \"e0\"; fixed-address 192.0.2.7; }";
            write("/run/NetworkManager/dhclient-x-e0.lease", lease).unwrap();
            refused("run: dhclient ");
            std::fs::remove_file("/run/NetworkManager/dhclient-x-e0.lease").unwrap();
            create_dir_all("/run/NetworkManager/devices").unwrap();
            write(format!("/run/NetworkManager/devices/{e0}"), device_file(3_000_000_000)).unwrap();
            // No bus at all.
            refused("does not run on the system's bus");
            let nobody = host.renew_address(iphelper::InterfaceIndex(0x7fff_ffff)).unwrap_err();
            assert_eq!(nobody.kind(), ErrorKind::InterfaceNotFound);
        });
    });
}
