//! Stand-ins for the clients of DHCP that can be asked over the bus: they do to their lease file and to interface 2 what the
//! real ones do, with which they were compared (`scripts/test-services`).

use crate::bus::{Answer, PrivateBus, serve};
use crate::{Child, is_child, isolated, run, with_private_files};
use std::collections::HashMap;
use std::fs::{create_dir_all, write};
use zbus::Message;
use zbus::wire::{ObjectPath, OwnedVariant, Str, StructureBuilder, Variant};

/// What `systemd-networkd` writes of interface 2, which a pair gets in a new namespace.
pub const NETWORKD_LEASE: &str = "/run/systemd/netif/leases/2";
/// What NetworkManager writes of it.
pub const DEVICE_FILE: &str = "/run/NetworkManager/devices/2";
/// What the stand-ins were asked.
pub const LOG: &str = "/run/asked";
/// If this file is there, IPv4 was ended.
const ENDED: &str = "/run/ended";
/// If this file is there, the profile wants no lease.
pub const STATIC: &str = "/run/static";
/// The `dhcp-timeout` of NetworkManager's settings in force, if they have one.
pub const TIMEOUT: &str = "/run/timeout";
/// If this file is there, the stand-in refuses.
pub const REFUSES: &str = "/run/refuses";

fn member(call: &Message) -> String {
    call.header().member().map(|member| member.as_str().to_owned()).unwrap_or_default()
}

/// `systemd-networkd`, which renews.
pub fn networkd(call: &Message) -> Answer {
    let member = member(call);
    let (index,): (i32,) = call.body().deserialize().expect("an index");
    write(LOG, format!("{member} {index}")).expect("telling what was asked");
    if std::path::Path::new(REFUSES).exists() {
        let name = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired".to_owned();
        return Err((name, "Interactive authentication required.".to_owned()));
    }
    if member == "RenewLink" {
        write(NETWORKD_LEASE, lease(7200)).expect("writing a lease");
    }
    Ok(None)
}

/// A lease of `systemd-networkd` for so many seconds.
#[must_use]
pub fn lease(seconds: u32) -> String {
    format!("ADDRESS=192.0.2.7\nSERVER_ADDRESS=192.0.2.1\nLIFETIME={seconds}\n")
}

/// A lease of NetworkManager until this second since 1970.
#[must_use]
pub fn device_file(expiry: u64) -> String {
    format!("[dhcp4]\ndhcp4.dhcp_lease_time=600\ndhcp4.expiry={expiry}\ndhcp4.ip_address=192.0.2.7\n")
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

/// The settings that the stand-in's device works by.
fn in_force() -> Settings {
    let ipv4 = if std::path::Path::new(ENDED).exists() { "disabled" } else { "auto" };
    let mut settings = settings(&[("ipv4", ipv4), ("ipv6", "auto")]);
    if let Ok(timeout) = std::fs::read_to_string(TIMEOUT) {
        let timeout: i32 = timeout.parse().expect("seconds");
        let ipv4 = settings.get_mut("ipv4").expect("the section above");
        let _ = ipv4.insert("dhcp-timeout".to_owned(), timeout.into());
    }
    settings
}

/// The name of interface 2.
fn second() -> String {
    let links = run("ip -o link show");
    let second = links.lines().find(|line| line.starts_with("2:")).expect("interface 2");
    second.split([' ', '@']).nth(1).expect("its name").trim_end_matches(':').to_owned()
}

/// NetworkManager, which ends IPv4 and begins it again.
pub fn network_manager(call: &Message) -> Answer {
    const DEVICE: &str = "/org/freedesktop/NetworkManager/Devices/2";
    let body = call.body();
    match member(call).as_str() {
        "GetDeviceByIpIface" => {
            let (name,): (String,) = body.deserialize().expect("a name");
            assert!(["e0", "e1"].contains(&name.as_str()), "{name}");
            Ok(Some((ObjectPath::from_static_str(DEVICE).expect("a path"),).into()))
        }
        "GetAppliedConnection" => Ok(Some((in_force(), 77_u64).into())),
        "GetAll" => {
            let (interface,): (String,) = body.deserialize().expect("an interface");
            let (name, path) = match interface.rsplit('.').next() {
                Some("Device") => ("ActiveConnection", "/org/freedesktop/NetworkManager/ActiveConnection/3"),
                _ => ("Connection", "/org/freedesktop/NetworkManager/Settings/5"),
            };
            let properties =
                HashMap::from([(name, Variant::from(ObjectPath::try_from(path).expect("a path")))]);
            Ok(Some(StructureBuilder::new().add_field(properties).build().expect("values")))
        }
        "GetSettings" => {
            assert_eq!(
                call.header().path().expect("a path").as_str(),
                "/org/freedesktop/NetworkManager/Settings/5"
            );
            let method = if std::path::Path::new(STATIC).exists() { "manual" } else { "auto" };
            Ok(Some((settings(&[("ipv4", method)]),).into()))
        }
        "Reapply" => {
            assert_eq!(call.header().path().expect("a path").as_str(), DEVICE);
            let (wanted, version, flags): (Settings, u64, u32) = body.deserialize().expect("settings");
            assert_eq!(flags, 0);
            assert!(version == 77 || version == 0, "the settings as they were read: {version}");
            // None: those of the profile.
            let is_profile = wanted.is_empty();
            let wanted = if is_profile { settings(&[("ipv4", "auto"), ("ipv6", "auto")]) } else { wanted };
            assert_eq!(wanted.get("ipv6"), in_force().get("ipv6"), "IPv6 stays");
            // What is so already changes nothing, and the DHCP client goes on.
            if wanted == in_force() {
                return Ok(None);
            }
            let had_lease = !std::path::Path::new(ENDED).exists();
            let ipv4 = wanted.get("ipv4").expect("a section for IPv4");
            let timeout = ipv4.get("dhcp-timeout").and_then(|value| i32::try_from(value).ok());
            let _ = std::fs::remove_file(TIMEOUT);
            if let Some(timeout) = timeout {
                write(TIMEOUT, timeout.to_string()).expect("keeping the time");
            }
            let method = ipv4.get("method").and_then(|value| <&str>::try_from(value).ok());
            if method == Some("disabled") {
                write(ENDED, "").expect("saying that it is ended");
                let _ = run(&format!("ip addr del 192.0.2.7/24 dev {}", second()));
            } else {
                write(DEVICE_FILE, device_file(4_000_000_000)).expect("writing a lease");
                let _ = std::fs::remove_file(ENDED);
                if !had_lease {
                    let _ = run(&format!("ip addr add 192.0.2.7/24 dev {}", second()));
                }
            }
            Ok(None)
        }
        member => Err(("org.freedesktop.DBus.Error.UnknownMethod".to_owned(), member.to_owned())),
    }
}

/// Runs `work` where interface 2 has 192.0.2.7 and a client called `name` on the bus, which is this test (its full name) in a
/// process of its own. It need not be there yet.
pub fn with_client(test: &str, name: &str, answer: fn(&Message) -> Answer, work: impl FnOnce() + Send) {
    if is_child(test) {
        return serve(name, answer);
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip link add e0 type veth peer name e1");
            let _ = run(&format!("ip addr add 192.0.2.7/24 dev {}", second()));
            create_dir_all("/run/systemd/netif/leases").expect("making a folder");
            create_dir_all("/run/NetworkManager/devices").expect("making a folder");
            let Some(_bus) = PrivateBus::start() else { return };
            let _service = Child::start(test);
            work();
        });
    });
}
