//! A stand-in for `systemd-resolved`: it keeps what is set, as the real one does, and resolves nothing. What it answers was
//! compared with the real one (`scripts/test-services`).

use crate::bus::{Answer, serve, serve_both};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use zbus::Message;
use zbus::wire::{ObjectPath, Structure, StructureBuilder, Variant};

/// If this file is there, it holds the name of a method that is refused because somebody else manages the link.
pub const BUSY: &str = "/run/dbus/resolved.busy";
/// If this file is there, LLMNR is forbidden to the whole host: links take it and tell it, and nothing is looked up so.
pub const NO_LLMNR: &str = "/run/dbus/resolved.no-llmnr";
/// If this file is there, `systemd-networkd` manages interface 2: it is told of changes, and `systemd-resolved`, which refuses
/// them, has them a moment later.
pub const MANAGED: &str = "/run/dbus/networkd.manages";
/// If this file is there, it holds the number of a process that systemd's stand-in kills when it is asked to reload the
/// service; then it removes the file.
pub const KILLS: &str = "/run/dbus/systemd.kills";

/// If this file is there, it holds how the service is told to use `resolv.conf` (`foreign`), else it is a link of its own.
pub const MODE: &str = "/run/dbus/resolved.mode";
/// If this file is there, systemd refuses to reload the service.
pub const NO_RELOAD: &str = "/run/dbus/systemd.refuses";
/// If this file is there, another file of the service adds this domain to the host's.
pub const ANOTHER_DOMAIN: &str = "/run/dbus/resolved.domain";
/// The file of the host's settings as the service read it when it was reloaded last.
const LOADED: &str = "/run/dbus/resolved.loaded";
const DROP_IN: &str = "/etc/systemd/resolved.conf.d/99-iphelper.conf";

/// Answers as systemd that runs the service, until the bus ends: a reload is a job that is seen once.
pub fn serve_systemd() {
    const UNIT: &str = "/org/freedesktop/systemd1/unit/systemd_2dresolved_2eservice";
    let mut is_running = false;
    serve("org.freedesktop.systemd1", move |call| {
        let header = call.header();
        let path = |path| Ok(Some((ObjectPath::from_static_str(path).expect("a path"),).into()));
        match header.member().map(|member| member.as_str()).unwrap_or_default() {
            "GetUnitByPID" => path(UNIT),
            "ReloadOrRestart" if Path::new(KILLS).exists() => {
                let caller = std::fs::read_to_string(KILLS).expect("reading the process's number");
                let _ = crate::run(&format!("kill -KILL {caller}"));
                std::fs::remove_file(KILLS).expect("removing the process's number");
                Err(("org.freedesktop.DBus.Error.NoReply".to_owned(), "The caller is gone".to_owned()))
            }
            "ReloadOrRestart" if Path::new(NO_RELOAD).exists() => {
                Err(("org.freedesktop.DBus.Error.AccessDenied".to_owned(), "Permission denied".to_owned()))
            }
            "ReloadOrRestart" => {
                assert_eq!(header.path().map(|path| path.as_str()), Some(UNIT));
                is_running = true;
                path("/org/freedesktop/systemd1/job/7")
            }
            "GetAll" if is_running => {
                is_running = false;
                // Without the file there is nothing to have read.
                if std::fs::copy(DROP_IN, LOADED).is_err() {
                    let _ = std::fs::remove_file(LOADED);
                }
                let properties = HashMap::from([("State", Variant::from("running"))]);
                values(StructureBuilder::new().add_field(properties))
            }
            "GetAll" => {
                Err(("org.freedesktop.DBus.Error.UnknownObject".to_owned(), "Unknown object".to_owned()))
            }
            other => panic!("systemd was asked to {other}"),
        }
    });
}

/// The values of a list in the files of the host's settings; `None`: no file has it.
fn loaded(key: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(LOADED).ok()?;
    let mut list = None::<Vec<String>>;
    for (_, value) in text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| *name == key) {
        let words = value.split_whitespace().map(str::to_owned);
        if value.is_empty() { list = Some(Vec::new()) } else { list.get_or_insert_default().extend(words) }
    }
    list
}

/// Properties of a link, by name.
type Link = BTreeMap<&'static str, Variant<'static>>;
type Server = (i32, Vec<u8>, u16, String);
type Domain = (String, bool);

/// Answers as `systemd-resolved`, until the bus ends. The host has the server 127.0.0.1 and the domains `host.example`
/// and `~host.vpn`, until [`serve_systemd`] has it read others, interface 2 the servers 192.0.2.53 (port 5353, `dns.example`) and fe80::1, the domains `corp.example` and
/// `~vpn.example`, and is asked about all names; other interfaces have nothing.
pub fn serve_resolved() {
    let mut links: BTreeMap<i32, Link> = BTreeMap::new();
    let mut first = link();
    let local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let servers = vec![server(&[192, 0, 2, 53], 5353, "dns.example"), server(&local, 0, "")];
    let domains: Vec<Domain> = vec![("corp.example".to_owned(), false), ("vpn.example".to_owned(), true)];
    let _ = first.insert("DNSEx", servers.into());
    let _ = first.insert("Domains", domains.into());
    let _ = first.insert("DefaultRoute", true.into());
    let _ = links.insert(2, first);
    let mut later = Vec::new();
    serve_both(["org.freedesktop.resolve1", NETWORKD], move |call| {
        let header = call.header();
        let is_for_networkd = header.path().is_some_and(|path| path.as_str().contains("/network1"));
        if is_for_networkd {
            return networkd(&mut later, call);
        }
        // What networkd was told is in its file now; the service looks when somebody has asked twice.
        if header.member().is_some_and(|member| member.as_str() == "GetAll") {
            for (wait, ..) in &mut later {
                *wait -= 1;
            }
            while let Some((0, ..)) = later.first() {
                let (_, index, member, value) = later.remove(0);
                set(&mut links, index, &member, value).expect("networkd took it");
            }
        }
        answer(&mut links, call)
    });
}

const NETWORKD: &str = "org.freedesktop.network1";

/// What networkd was told: after how many questions the service has it, the interface, the method, the value.
type Later = Vec<(u8, i32, String, Variant<'static>)>;

/// Answers as `systemd-networkd`, which manages interface 2 or nothing.
fn networkd(later: &mut Later, call: &Message) -> Answer {
    let header = call.header();
    let member = header.member().map(|member| member.as_str().to_owned()).unwrap_or_default();
    let body = call.body();
    let arguments: Structure<'_> = body.deserialize().expect("each call has arguments");
    let first = arguments.fields().first().expect("each call has arguments");
    let is_managed = Path::new(MANAGED).exists();
    if member == "GetAll" {
        let path = header.path().map(|path| path.as_str().to_owned()).unwrap_or_default();
        let state = if is_managed && path.ends_with("_32") { "configured" } else { "unmanaged" };
        let properties = HashMap::from([("AdministrativeState", Variant::from(state))]);
        return values(StructureBuilder::new().add_field(properties));
    }
    let index = i32::try_from(first).unwrap_or_default();
    if member == "GetLinkByIndex" {
        let path = ObjectPath::try_from(link_path("network1", index)).expect("a path");
        return values(StructureBuilder::new().add_field("e0".to_owned()).add_field(path));
    }
    if !is_managed || index != 2 {
        return Err((format!("{NETWORKD}.UnmanagedInterface"), format!("Link {index} is not managed.")));
    }
    if std::fs::read_to_string(BUSY).is_ok_and(|busy| busy.trim() == member) {
        return Err(("org.freedesktop.DBus.Error.InvalidArgs".to_owned(), "Invalid".to_owned()));
    }
    let value = arguments.fields().get(1).expect("a value").try_to_owned().expect("no descriptor");
    later.push((3, index, member, value.into()));
    Ok(None)
}

/// The object of an interface: a digit at the beginning is escaped.
fn link_path(service: &str, index: i32) -> String {
    let text = index.to_string();
    let (first, rest) = text.split_at(1);
    format!("/org/freedesktop/{service}/link/_{:02x}{rest}", first.as_bytes().first().unwrap_or(&0))
}

fn link() -> Link {
    BTreeMap::from([
        ("DNSEx", Vec::<Server>::new().into()),
        ("Domains", Vec::<Domain>::new().into()),
        ("LLMNR", "yes".into()),
        ("MulticastDNS", "no".into()),
        ("DNSOverTLS", "no".into()),
    ])
}

fn answer(links: &mut BTreeMap<i32, Link>, call: &Message) -> Answer {
    let header = call.header();
    let member = header.member().map(|member| member.as_str().to_owned()).unwrap_or_default();
    let path = header.path().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let body = call.body();
    let arguments: Structure<'_> = body.deserialize().expect("each call has arguments");
    let arguments = arguments.fields();
    let (first, second) = (arguments.first().expect("each call has arguments"), arguments.get(1));
    if member == "GetAll" {
        let properties = match <&str>::try_from(first) {
            Ok("org.freedesktop.resolve1.Manager") => manager(links),
            Ok("org.freedesktop.resolve1.Link") => {
                let index = (1..100).find(|index| link_path("resolve1", *index) == path).unwrap_or_default();
                let link = links.entry(index).or_insert_with(link);
                let mut properties: Link = link.iter().map(copy).collect();
                let _ = properties.entry("DefaultRoute").or_insert_with(|| follows(link).into());
                properties
            }
            _ => Link::new(),
        };
        let properties: HashMap<&str, Variant<'_>> = properties.into_iter().collect();
        return values(StructureBuilder::new().add_field(properties));
    }
    let index = i32::try_from(first).unwrap_or_default();
    if !(1..=99).contains(&index) {
        return Err(refusal("NoSuchLink", format!("Link {index} not known")));
    }
    if member == "GetLink" {
        let path = ObjectPath::try_from(link_path("resolve1", index)).expect("a path");
        return values(StructureBuilder::new().add_field(path));
    }
    let is_busy = std::fs::read_to_string(BUSY).is_ok_and(|busy| busy.trim() == member);
    if is_busy || index == 2 && Path::new(MANAGED).exists() {
        return Err(refusal("LinkBusy", format!("Link {index} is managed.")));
    }
    let value = second.expect("a value").try_to_owned().expect("no descriptor").into();
    set(links, index, &member, value).map(|()| None)
}

/// Whether a link is asked about names in nobody's domain where nobody has set that: if it has servers, and no domain that
/// only routes.
fn follows(link: &Link) -> bool {
    let of = |property: &str| copy((&"", &link[property])).1;
    let servers = Vec::<Server>::try_from(of("DNSEx")).expect("servers");
    let domains = Vec::<Domain>::try_from(of("Domains")).expect("domains");
    !servers.is_empty() && domains.iter().all(|(_, routing_only)| !routing_only)
}

fn set(
    links: &mut BTreeMap<i32, Link>,
    index: i32,
    member: &str,
    value: Variant<'static>,
) -> Result<(), (String, String)> {
    let link = links.entry(index).or_insert_with(link);
    // Ports that are ordinary, in clear text or over TLS, are told as 0.
    let ordinary = |port| if matches!(port, 53 | 853) { 0 } else { port };
    let (property, value): (_, Variant<'static>) = match member {
        "SetLinkDNS" => {
            let plain: Vec<(i32, Vec<u8>)> = Vec::try_from(value).expect("servers");
            let named = |(family, address)| -> Server { (family, address, 0, String::new()) };
            ("DNSEx", plain.into_iter().map(named).collect::<Vec<_>>().into())
        }
        "SetLinkDNSEx" => {
            let servers = Vec::<Server>::try_from(value).expect("servers").into_iter();
            let servers =
                servers.map(|(family, address, port, name)| (family, address, ordinary(port), name));
            ("DNSEx", servers.collect::<Vec<Server>>().into())
        }
        "SetLinkDomains" => ("Domains", value),
        "SetLinkDefaultRoute" => ("DefaultRoute", value),
        "SetLinkLLMNR" => ("LLMNR", value),
        "SetLinkMulticastDNS" => ("MulticastDNS", value),
        "SetLinkDNSOverTLS" => ("DNSOverTLS", value),
        _ => {
            return Err(("org.freedesktop.DBus.Error.UnknownMethod".to_owned(), "no such method".to_owned()));
        }
    };
    let fits = match (property, link.get(property)) {
        ("DefaultRoute", _) => bool::try_from(copy((&"", &value)).1).is_ok(),
        (_, old) => old.is_some_and(|old| old.value_signature() == value.value_signature()),
    };
    assert!(fits, "{member} of {value:?}");
    let _ = link.insert(property, value);
    Ok(())
}

fn values(values: StructureBuilder<'static>) -> Answer {
    Ok(Some(values.build().expect("values")))
}

fn copy<'a>((name, value): (&&'a str, &Variant<'static>)) -> (&'a str, Variant<'static>) {
    (name, value.try_clone().expect("no descriptor"))
}

fn refusal(name: &str, text: String) -> (String, String) {
    (format!("org.freedesktop.resolve1.{name}"), text)
}

/// The host's own, then those of all links, each with its interface before it.
fn manager(links: &BTreeMap<i32, Link>) -> Link {
    let of_links = |property: &str| -> Vec<(i32, Variant<'static>)> {
        let of = |(index, link): (&i32, &Link)| (*index, copy((&"", &link[property])).1);
        links.iter().map(of).collect()
    };
    let mut servers: Vec<(i32, i32, Vec<u8>, u16, String)> = Vec::new();
    let mut add =
        |index, (family, address, port, name): Server| servers.push((index, family, address, port, name));
    match loaded("DNS") {
        None => add(0, server(&[127, 0, 0, 1], 0, "")),
        Some(list) => {
            for address in list {
                let address: std::net::Ipv4Addr = address.parse().expect("an address of IPv4");
                add(0, server(&address.octets(), 0, ""));
            }
        }
    }
    for (index, list) in of_links("DNSEx") {
        for server in Vec::<Server>::try_from(list).expect("servers") {
            add(index, server);
        }
    }
    let own = loaded("Domains").unwrap_or_else(|| vec!["host.example".to_owned(), "~host.vpn".to_owned()]);
    let another = std::fs::read_to_string(ANOTHER_DOMAIN).ok();
    let own = own.into_iter().chain(another);
    let mut domains: Vec<(i32, String, bool)> =
        own.map(|name| (0, name.trim_start_matches('~').to_owned(), name.starts_with('~'))).collect();
    for (index, list) in of_links("Domains") {
        let list = Vec::<Domain>::try_from(list).expect("domains");
        domains.extend(list.into_iter().map(|(name, routing_only)| (index, name, routing_only)));
    }
    BTreeMap::from([
        ("DNSEx", servers.into()),
        ("Domains", domains.into()),
        ("ResolvConfMode", std::fs::read_to_string(MODE).unwrap_or_else(|_| "stub".to_owned()).into()),
        ("LLMNR", if Path::new(NO_LLMNR).exists() { "no" } else { "yes" }.into()),
        ("MulticastDNS", "yes".into()),
        ("DNSOverTLS", "no".into()),
        ("DNSSECStatistics", (1_u64, 2_u64, 3_u64, 4_u64).into()),
    ])
}

fn server(address: &[u8], port: u16, name: &str) -> Server {
    let family = if address.len() == 4 { 2 } else { 10 };
    (family, address.to_vec(), port, name.to_owned())
}
