//! Changes of one interface's settings, by the service that keeps them.
//!
//! `systemd-resolved` refuses what `systemd-networkd` manages (`LinkBusy`); that is asked then, by the same methods, and
//! tells `systemd-resolved`, which has it a moment later.

use super::SETTING;
use super::change::{domains_after, list_change, one_change, servers_after};
use super::resolved::{self, Resolved, number, use_ordinary_ports};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::backend::linux::link::Link;
use crate::dns::{DnsDomain, DnsOverTls, DnsServer, InterfaceDnsChange, InterfaceDnsSettings, LinkLookup};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use zbus::wire::{OwnedObjectPath, StructureBuilder, Variant};

const NETWORKD: &str = "org.freedesktop.network1";
const NETWORKD_MANAGER: &str = "org.freedesktop.network1.Manager";
const NETWORKD_PATH: &str = "/org/freedesktop/network1";
/// Properties, as changes name them.
const LLMNR: &str = "llmnr";
const MULTICAST_DNS: &str = "multicast_dns";
/// How long it may take until `systemd-resolved` has what `systemd-networkd` was told.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// A server of a link: family, address, port (0: the ordinary one), name (empty: none).
type Server = (i32, Vec<u8>, u16, String);
/// A server of a link to versions before 246, which have no port and no name.
type PlainServer = (i32, Vec<u8>);
/// A domain of a link: its name, and whether it only routes.
type Domain = (String, bool);

impl Resolved {
    /// Changes the settings of one interface, all or nothing.
    pub(super) fn change(
        &self,
        host: &LinuxHost,
        link: &Link,
        change: &InterfaceDnsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        let set = self.set_for_interface(link)?;
        let before = self.in_force(set.clone())?;
        let wanted = wanted(&before, link, change)?;
        let networkd = managing(host, link);
        let keeper = Keeper::new(self, networkd.as_ref());
        let mut steps = steps(&before, &wanted, keeper.name);
        // What was set and is not in force is put back as it was set.
        for step in &mut steps {
            match step.property {
                LLMNR => step.from = lookup_text(set.llmnr).into(),
                MULTICAST_DNS => step.from = lookup_text(set.multicast_dns).into(),
                _ => {}
            }
        }
        // Where nobody has set it, it follows from the lists, and so comes behind them; and would change with them though it
        // is as wished now.
        let default_route = change.unconstrained_queries.and_then(|asked| {
            let now = before.unconstrained_queries;
            (now != Some(asked) || !steps.is_empty()).then(|| default_route(now, asked, keeper.name))
        });
        let first = steps.len();
        steps.extend(default_route);
        let changes = || steps.iter().filter_map(|step| step.change.clone()).collect();
        if !write {
            return Ok(changes());
        }
        for (done, step) in steps.iter().enumerate() {
            let seen = if done == first { self.see(link, &wanted, &steps, first, &keeper) } else { Ok(()) };
            if let Err(error) = seen.and_then(|()| keeper.set(link, step.method, &step.to)) {
                keeper.put_back(link, &steps, done);
                return Err(error);
            }
        }
        if let Err(error) = self.see(link, &wanted, &steps, steps.len(), &keeper) {
            keeper.put_back(link, &steps, steps.len());
            return Err(error);
        }
        Ok(changes())
    }

    /// Whether the first so many steps have had their effect: the service takes some settings and heeds none that are
    /// forbidden to the whole host (`LLMNR=no`).
    fn see(
        &self,
        link: &Link,
        wanted: &InterfaceDnsSettings,
        steps: &[Step],
        done: usize,
        keeper: &Keeper<'_>,
    ) -> Result<()> {
        if done == 0 {
            return Ok(());
        }
        let deadline = Instant::now() + if keeper.is_told_later { PATIENCE } else { Duration::ZERO };
        loop {
            let after = self.interface(link)?;
            let lists = self::steps(&after, wanted, keeper.name);
            let asked = wanted.unconstrained_queries.unwrap_or_default();
            let route = (after.unconstrained_queries != Some(asked))
                .then(|| default_route(after.unconstrained_queries, asked, keeper.name));
            let is_done = |left: &Step| steps.iter().take(done).any(|step| step.property == left.property);
            let Some(missing) = lists.into_iter().chain(route).find(is_done) else { return Ok(()) };
            if Instant::now() < deadline {
                std::thread::sleep(PAUSE);
                continue;
            }
            let has = missing.change.map(|change| change.from).unwrap_or_default();
            return Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "{} took {} and systemd-resolved has \"{has}\": see its settings of the whole host (resolved.conf)",
                keeper.name, missing.property
            )));
        }
    }
}

/// The settings as they should be.
fn wanted(
    before: &InterfaceDnsSettings,
    link: &Link,
    change: &InterfaceDnsChange,
) -> Result<InterfaceDnsSettings> {
    let mut wanted = before.clone();
    wanted.servers = servers_after(&before.servers, change).unwrap_or(wanted.servers);
    for server in &mut wanted.servers {
        // A link-local server of an interface is on its link.
        match server.zone {
            Some(zone) if zone != link.index => {
                return Err(Error::new(ErrorKind::InvalidParameter, SETTING)
                    .because(format!("{server} is on another link than {}", link.name())));
            }
            _ => server.zone = Some(link.index).filter(|_| server.is_link_local()),
        }
    }
    wanted.domains = domains_after(&before.domains, change).unwrap_or(wanted.domains);
    wanted.unconstrained_queries = change.unconstrained_queries.or(wanted.unconstrained_queries);
    wanted.llmnr = change.llmnr.unwrap_or(wanted.llmnr);
    wanted.multicast_dns = change.multicast_dns.unwrap_or(wanted.multicast_dns);
    wanted.dns_over_tls = change.dns_over_tls.unwrap_or(wanted.dns_over_tls);
    use_ordinary_ports(&mut wanted.servers, wanted.dns_over_tls)?;
    Ok(wanted)
}

/// `systemd-networkd`, if it manages the link: `systemd-resolved` goes by the same states.
fn managing(host: &LinuxHost, link: &Link) -> Option<Service> {
    // One that does not answer is not asked to change anything, either; `systemd-resolved` says then what it thinks.
    let service = host.service(NETWORKD, SETTING).ok()??;
    let of_link = (number(link),);
    let (_, path): (String, OwnedObjectPath) =
        service.call(NETWORKD_PATH, NETWORKD_MANAGER, "GetLinkByIndex", of_link).ok()?;
    let properties = service.properties(path.as_str(), "org.freedesktop.network1.Link").ok()?;
    let state: String = properties.get("AdministrativeState")?;
    (!["pending", "initialized", "unmanaged"].contains(&state.as_str())).then_some(service)
}

/// Who is asked to change a link.
struct Keeper<'a> {
    service: &'a Service,
    name: &'static str,
    path: &'static str,
    interface: &'static str,
    /// Whether `systemd-resolved` has it a moment later.
    is_told_later: bool,
}

impl<'a> Keeper<'a> {
    fn new(resolved: &'a Resolved, networkd: Option<&'a Service>) -> Self {
        match networkd {
            Some(service) => Self {
                service,
                name: "systemd-networkd",
                path: NETWORKD_PATH,
                interface: NETWORKD_MANAGER,
                is_told_later: true,
            },
            None => Self {
                service: resolved.service(),
                name: "systemd-resolved",
                path: resolved::PATH,
                interface: resolved::MANAGER,
                is_told_later: false,
            },
        }
    }

    fn set(&self, link: &Link, method: &str, value: &Variant<'static>) -> Result<()> {
        let malformed = |error: zbus::Error| Error::new(ErrorKind::Other, SETTING).because(error.to_string());
        let value = value.try_clone().map_err(malformed)?;
        let arguments = StructureBuilder::new().add_field(number(link)).append_field(value);
        self.service.call(self.path, self.interface, method, arguments.build().map_err(malformed)?)
    }

    /// Takes back the first so many steps, the last first. What fails now is not told: the first failure is.
    fn put_back(&self, link: &Link, steps: &[Step], done: usize) {
        for step in steps.iter().take(done).rev() {
            let _ = self.set(link, step.method, &step.from);
        }
    }
}

/// One call that changes a link, and the value that takes it back.
#[derive(Debug)]
struct Step {
    property: &'static str,
    method: &'static str,
    from: Variant<'static>,
    to: Variant<'static>,
    /// `None`: so that it stays as it is.
    change: Option<PropertyChange>,
}

/// The calls of `keeper` that make `to` of `from`, but for the last one, [`default_route`].
fn steps(from: &InterfaceDnsSettings, to: &InterfaceDnsSettings, keeper: &str) -> Vec<Step> {
    let extended = |settings: &InterfaceDnsSettings| {
        settings.servers.iter().any(|server| server.port != DnsServer::PORT || server.name.is_some())
    };
    let (method, value): (_, fn(&[DnsServer]) -> Variant<'static>) = if extended(from) || extended(to) {
        ("SetLinkDNSEx", extended_servers)
    } else {
        ("SetLinkDNS", plain_servers)
    };
    let mut steps = Vec::new();
    let mut add = |method: &'static str,
                   change: Option<PropertyChange>,
                   from: Variant<'static>,
                   to: Variant<'static>| {
        steps.extend(change.map(|change| Step {
            property: change.property,
            method,
            from,
            to,
            change: Some(change),
        }));
    };
    let servers = list_change("servers", &from.servers, &to.servers, &mechanism(keeper, method));
    add(method, servers, value(&from.servers), value(&to.servers));
    let domains = list_change("domains", &from.domains, &to.domains, &mechanism(keeper, "SetLinkDomains"));
    add("SetLinkDomains", domains, domains_value(&from.domains), domains_value(&to.domains));
    for (property, method, before, after) in [
        (LLMNR, "SetLinkLLMNR", from.llmnr, to.llmnr),
        (MULTICAST_DNS, "SetLinkMulticastDNS", from.multicast_dns, to.multicast_dns),
    ] {
        let change = one_change(property, &before, &after, &mechanism(keeper, method));
        add(method, change, lookup_text(before).into(), lookup_text(after).into());
    }
    let change = one_change(
        "dns_over_tls",
        &from.dns_over_tls,
        &to.dns_over_tls,
        &mechanism(keeper, "SetLinkDNSOverTLS"),
    );
    let (before, after) = (tls_text(from.dns_over_tls), tls_text(to.dns_over_tls));
    add("SetLinkDNSOverTLS", change, before.into(), after.into());
    steps
}

/// The call of `keeper` for what is asked about names in nobody's domain. It follows from the lists where nobody sets it.
fn default_route(now: Option<bool>, asked: bool, keeper: &str) -> Step {
    const METHOD: &str = "SetLinkDefaultRoute";
    const PROPERTY: &str = "unconstrained_queries";
    let before = now.unwrap_or(!asked);
    let change = one_change(PROPERTY, &before, &asked, &mechanism(keeper, METHOD));
    Step { property: PROPERTY, method: METHOD, from: before.into(), to: asked.into(), change }
}

fn mechanism(keeper: &str, method: &str) -> String {
    format!("{keeper} {method}")
}

fn address_of(server: &DnsServer) -> PlainServer {
    match server.address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    }
}

fn plain_servers(servers: &[DnsServer]) -> Variant<'static> {
    servers.iter().map(address_of).collect::<Vec<_>>().into()
}

fn extended_servers(servers: &[DnsServer]) -> Variant<'static> {
    let one = |server: &DnsServer| -> Server {
        // 0 is the ordinary port, which with TLS is another one.
        let port = if server.port == DnsServer::PORT { 0 } else { server.port };
        let (family, address) = address_of(server);
        (family, address, port, server.name.clone().unwrap_or_default())
    };
    servers.iter().map(one).collect::<Vec<_>>().into()
}

fn domains_value(domains: &[DnsDomain]) -> Variant<'static> {
    let one = |domain: &DnsDomain| -> Domain { (domain.name.clone(), domain.routing_only) };
    domains.iter().map(one).collect::<Vec<_>>().into()
}

fn lookup_text(lookup: LinkLookup) -> &'static str {
    match lookup {
        LinkLookup::Off => "no",
        LinkLookup::ResolveOnly => "resolve",
        LinkLookup::On => "yes",
    }
}

fn tls_text(tls: DnsOverTls) -> &'static str {
    match tls {
        DnsOverTls::Off => "no",
        DnsOverTls::Opportunistic => "opportunistic",
        DnsOverTls::Required => "yes",
    }
}
