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
use iphelper_testkit::bus::{Answer, PrivateBus, serve};
use iphelper_testkit::{Child, eventually, is_child, isolated, run, with_private_files};
use std::collections::HashMap;
use std::fs::{create_dir_all, read_to_string, write};
use zbus::Message;
use zbus::wire::{ObjectPath, OwnedVariant, Str, StructureBuilder, Variant};

/// Interface 2, which the pair gets in a new namespace.
const NETWORKD_LEASE: &str = "/run/systemd/netif/leases/2";
const DEVICE_FILE: &str = "/run/NetworkManager/devices/2";
/// What the stand-ins were asked.
const LOG: &str = "/run/asked";
/// If these files are there, IPv4 was ended, and the profile has no lease.
const ENDED: &str = "/run/ended";
const STATIC: &str = "/run/static";
/// If this file is there, the stand-in refuses.
const REFUSES: &str = "/run/refuses";

fn member(call: &Message) -> String {
    call.header().member().map(|member| member.as_str().to_owned()).unwrap_or_default()
}

fn networkd(call: &Message) -> Answer {
    let member = member(call);
    let (index,): (i32,) = call.body().deserialize().unwrap();
    write(LOG, format!("{member} {index}")).unwrap();
    if std::path::Path::new(REFUSES).exists() {
        let name = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired".to_owned();
        return Err((name, "Interactive authentication required.".to_owned()));
    }
    if member == "RenewLink" {
        write(NETWORKD_LEASE, lease(7200)).unwrap();
    }
    Ok(None)
}

fn lease(seconds: u32) -> String {
    format!("ADDRESS=192.0.2.7\nSERVER_ADDRESS=192.0.2.1\nLIFETIME={seconds}\n")
}

fn device_file(expiry: u64) -> String {
    format!("[dhcp4]\nip_address=192.0.2.7\ndhcp_lease_time=600\nexpiry={expiry}\n")
}

/// Settings of a NetworkManager profile, by section and name.
type Settings = HashMap<String, HashMap<String, OwnedVariant>>;

fn settings(sections: &[(&str, &str)]) -> Settings {
    let of = |(section, method): &(&str, &str)| {
        let method = OwnedVariant::from(Str::from(*method).into_owned());
        ((*section).to_owned(), HashMap::from([("method".to_owned(), method)]))
    };
    sections.iter().map(of).collect()
}

/// The name of interface 2.
fn second() -> String {
    let links = run("ip -o link show");
    let second = links.lines().find(|line| line.starts_with("2:")).unwrap();
    second.split([' ', '@']).nth(1).unwrap().trim_end_matches(':').to_owned()
}

fn network_manager(call: &Message) -> Answer {
    const DEVICE: &str = "/org/freedesktop/NetworkManager/Devices/2";
    let body = call.body();
    match member(call).as_str() {
        "GetDeviceByIpIface" => {
            let (name,): (String,) = body.deserialize().unwrap();
            assert!(["e0", "e1"].contains(&name.as_str()), "{name}");
            Ok(Some((ObjectPath::from_static_str(DEVICE).unwrap(),).into()))
        }
        "GetAppliedConnection" => {
            let ipv4 = if std::path::Path::new(ENDED).exists() { "disabled" } else { "auto" };
            Ok(Some((settings(&[("ipv4", ipv4), ("ipv6", "auto")]), 77_u64).into()))
        }
        "GetAll" => {
            let (interface,): (String,) = body.deserialize().unwrap();
            let (name, path) = match interface.rsplit('.').next() {
                Some("Device") => ("ActiveConnection", "/org/freedesktop/NetworkManager/ActiveConnection/3"),
                _ => ("Connection", "/org/freedesktop/NetworkManager/Settings/5"),
            };
            let properties = HashMap::from([(name, Variant::from(ObjectPath::try_from(path).unwrap()))]);
            Ok(Some(StructureBuilder::new().add_field(properties).build().unwrap()))
        }
        "GetSettings" => {
            assert_eq!(call.header().path().unwrap().as_str(), "/org/freedesktop/NetworkManager/Settings/5");
            let method = if std::path::Path::new(STATIC).exists() { "manual" } else { "auto" };
            Ok(Some((settings(&[("ipv4", method)]),).into()))
        }
        "Reapply" => {
            assert_eq!(call.header().path().unwrap().as_str(), DEVICE);
            let (wanted, version, flags): (Settings, u64, u32) = body.deserialize().unwrap();
            assert_eq!(flags, 0);
            if wanted.is_empty() {
                assert_eq!(version, 0);
                write(DEVICE_FILE, device_file(4_000_000_000)).unwrap();
                if std::fs::remove_file(ENDED).is_ok() {
                    let _ = run(&format!("ip addr add 192.0.2.7/24 dev {}", second()));
                }
            } else {
                assert_eq!(version, 77, "the settings as they were read");
                assert_eq!(wanted, settings(&[("ipv4", "disabled"), ("ipv6", "auto")]), "IPv6 stays");
                write(ENDED, "").unwrap();
                let _ = run(&format!("ip addr del 192.0.2.7/24 dev {}", second()));
            }
            Ok(None)
        }
        member => Err(("org.freedesktop.DBus.Error.UnknownMethod".to_owned(), member.to_owned())),
    }
}

/// Runs `work` where interface 2 has 192.0.2.7 and a client called `name` on the bus.
fn with_client(test: &str, name: &str, answer: fn(&Message) -> Answer, work: impl FnOnce(&Host) + Send) {
    if is_child(test) {
        return serve(name, answer);
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip link add e0 type veth peer name e1");
            let _ = run(&format!("ip addr add 192.0.2.7/24 dev {}", second()));
            create_dir_all("/run/systemd/netif/leases").unwrap();
            create_dir_all("/run/NetworkManager/devices").unwrap();
            let Some(_bus) = PrivateBus::start() else { return };
            let _service = Child::start(test);
            let host = Host::open().unwrap();
            work(&host);
        });
    });
}

/// Until the service is on the bus.
fn ready(host: &Host) {
    let index = iphelper::InterfaceIndex(2);
    eventually("the client is on the bus", || host.plan_renew_address(index).is_ok());
}

const SECOND: iphelper::InterfaceIndex = iphelper::InterfaceIndex(2);

#[test]
fn networkd_renews_its_lease() {
    with_client("adapter_lease::networkd_renews_its_lease", "org.freedesktop.network1", networkd, |host| {
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
    with_client(test, "org.freedesktop.NetworkManager", network_manager, |host| {
        write(DEVICE_FILE, device_file(3_000_000_000)).unwrap();
        ready(host);
        let renewed = host.renew_address(SECOND).unwrap();
        assert_eq!(renewed.client, DhcpClient::NetworkManager);
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
