//! Changes that `systemd-resolved` is asked for, as `dbus-monitor` sees them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::dns::{DnsChange, DnsOverTls, InterfaceDnsChange, LinkLookup, Resolver};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::bus::PrivateBus;
use iphelper_testkit::{
    BUSY, Child, MANAGED, NO_LLMNR, eventually, is_child, isolated, run, serve_resolved, with_private_files,
};
use std::process::{Command, Stdio};

const LINK: InterfaceIndex = InterfaceIndex(2);

fn servers(texts: &[&str]) -> Option<Vec<iphelper::dns::DnsServer>> {
    Some(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// Runs `work` in a namespace whose `systemd-resolved` is the stand-in, and whose interface 2 is `e1` or `e0`.
fn with_resolved(test: &str, work: impl FnOnce(&Host, &Child) + Send) {
    if is_child(test) {
        return serve_resolved();
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip link add e0 type veth peer name e1");
            let Some(_bus) = PrivateBus::start() else { return };
            let service = Child::start(test);
            let host = Host::open().unwrap();
            eventually("the service is asked", || host.dns().unwrap().resolver == Resolver::Resolved);
            work(&host, &service);
        });
    });
}

/// What `dbus-monitor` saw of `member` while `work` ran; `None`, said aloud, where there is no such program.
fn monitored(member: &str, work: impl FnOnce()) -> Option<String> {
    const LOG: &str = "/run/dbus/monitor.log";
    let log = std::fs::File::create(LOG).unwrap();
    let mut command = Command::new("dbus-monitor");
    let _ = command.args(["--address", "unix:path=/run/dbus/system_bus_socket", "type='method_call'"]);
    let mut monitor = match command.stdout(log).stderr(Stdio::null()).spawn() {
        Ok(monitor) => monitor,
        Err(error) => {
            eprintln!("skipped: no dbus-monitor here: {error}");
            work();
            return None;
        }
    };
    let seen = || std::fs::read_to_string(LOG).unwrap();
    eventually("the monitor listens", || {
        let _ = Host::open().unwrap().dns().unwrap();
        seen().contains("member=GetAll")
    });
    work();
    eventually("the call is seen whole", || {
        let _ = Host::open().unwrap().dns().unwrap();
        seen().split(&format!("member={member}\n")).nth(1).is_some_and(|rest| rest.contains("method call"))
    });
    let _ = monitor.kill();
    let _ = monitor.wait();
    let text = seen();
    let call = text.split(&format!("member={member}\n")).nth(1).unwrap();
    let call = call.split("method call").next().unwrap();
    Some(call.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn servers_and_domains_of_an_interface_are_set() {
    with_resolved("dns_resolved::servers_and_domains_of_an_interface_are_set", |host, _| {
        let change = InterfaceDnsChange {
            servers: servers(&["192.0.2.9", "2001:db8::9"]),
            search: names(&["a.example", "b.example."]),
            routing: names(&["."]),
            ..InterfaceDnsChange::default()
        };
        let plan = host.plan_set_interface_dns(LINK, &change).unwrap();
        let before = host.interface_dns(LINK).unwrap();
        assert_eq!(
            texts(&before.servers),
            ["192.0.2.53:5353#dns.example", "fe80::1%2"],
            "a plan changes nothing"
        );
        // What was there has a port, so that it could be put back.
        let call =
            monitored("SetLinkDNSEx", || assert_eq!(host.set_interface_dns(LINK, &change).unwrap(), plan));
        if let Some(call) = call {
            assert_eq!(
                call,
                "int32 2 array [ struct { int32 2 array of bytes [ c0 00 02 09 ] uint16 0 string \"\" } struct { int32 \
                 10 array of bytes [ 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 09 ] uint16 0 string \"\" } ]"
            );
        }
        let told: Vec<_> =
            plan.iter().map(|change| (change.property, &*change.to, &*change.mechanism)).collect();
        assert_eq!(
            told,
            [
                ("servers", "192.0.2.9 2001:db8::9", "systemd-resolved SetLinkDNSEx"),
                ("domains", "a.example b.example ~.", "systemd-resolved SetLinkDomains")
            ]
        );
        let after = host.interface_dns(LINK).unwrap();
        assert_eq!(texts(&after.servers), ["192.0.2.9", "2001:db8::9"]);
        assert_eq!(texts(&after.domains), ["a.example", "b.example", "~."]);
        assert_eq!(host.set_interface_dns(LINK, &change).unwrap(), [], "it is so already");
        let undo = before.undo(&change);
        assert_eq!(
            (&undo.routing, undo.llmnr),
            (&names(&["vpn.example"]), None),
            "what was not asked for stays"
        );
        let _ = host.set_interface_dns(LINK, &undo).unwrap();
        assert_eq!(host.interface_dns(LINK).unwrap(), before);
        let _ = host.set_interface_dns(LINK, &change).unwrap();

        // One family, by the older call now that there is no port.
        let of_ipv4 = InterfaceDnsChange {
            servers: servers(&["192.0.2.10"]),
            servers_of: Some(Family::V4),
            ..InterfaceDnsChange::default()
        };
        let call = monitored("SetLinkDNS", || drop(host.set_interface_dns(LINK, &of_ipv4).unwrap()));
        if let Some(call) = call {
            assert!(
                call.starts_with("int32 2 array [ struct { int32 2 array of bytes [ c0 00 02 0a ] }"),
                "{call}"
            );
        }
        assert_eq!(texts(&host.interface_dns(LINK).unwrap().servers), ["192.0.2.10", "2001:db8::9"]);
        let dns = host.dns().unwrap();
        assert_eq!(texts(&dns.interface(LINK).unwrap().servers), ["192.0.2.10", "2001:db8::9"]);
    });
}

#[test]
fn the_other_settings_of_an_interface_are_set() {
    with_resolved("dns_resolved::the_other_settings_of_an_interface_are_set", |host, _| {
        let change = InterfaceDnsChange {
            unconstrained_queries: Some(false),
            llmnr: Some(LinkLookup::Off),
            multicast_dns: Some(LinkLookup::ResolveOnly),
            dns_over_tls: Some(DnsOverTls::Opportunistic),
            domain: Some("first.example".to_owned()),
            ..InterfaceDnsChange::default()
        };
        let changes = host.set_interface_dns(LINK, &change).unwrap();
        assert_eq!(changes.len(), 5);
        let after = host.interface_dns(LINK).unwrap();
        assert_eq!(texts(&after.domains), ["first.example", "corp.example", "~vpn.example"]);
        assert_eq!(after.unconstrained_queries, Some(false));
        assert_eq!(
            (after.llmnr, after.multicast_dns, after.dns_over_tls),
            (LinkLookup::Off, LinkLookup::ResolveOnly, DnsOverTls::Opportunistic)
        );
    });
}

/// Nobody has set `DefaultRoute` of interface 1: it follows from the lists, and comes behind them.
#[test]
fn names_in_nobodys_domain_are_asked_for_as_was_wished_with_the_servers() {
    const NAME: &str = "dns_resolved::names_in_nobodys_domain_are_asked_for_as_was_wished_with_the_servers";
    with_resolved(NAME, |host, _| {
        let link = InterfaceIndex(1);
        let now = || host.interface_dns(link).unwrap().unconstrained_queries;
        assert_eq!(now(), Some(false), "without servers");
        let servers_alone =
            InterfaceDnsChange { servers: servers(&["192.0.2.9"]), ..InterfaceDnsChange::default() };
        let change = InterfaceDnsChange { unconstrained_queries: Some(false), ..servers_alone.clone() };
        let plan = host.plan_set_interface_dns(link, &change).unwrap();
        assert_eq!(plan.len(), 1, "it is so, and stays: {plan:?}");
        assert_eq!(host.set_interface_dns(link, &change).unwrap(), plan);
        assert_eq!(now(), Some(false));
        let of_link = |property: &str| {
            let call = "dbus-send --bus=unix:path=/run/dbus/system_bus_socket --print-reply=literal \
                        --dest=org.freedesktop.resolve1 /org/freedesktop/resolve1/link/_31 \
                        org.freedesktop.DBus.Properties.GetAll string:org.freedesktop.resolve1.Link";
            let all = run(call).split_whitespace().collect::<Vec<_>>().join(" ");
            all.split(property).nth(1).unwrap().split(')').next().unwrap().to_owned()
        };
        assert!(of_link("DefaultRoute").contains("boolean false"), "by another program");

        // Beside domains that only route, where it would be off.
        let change = InterfaceDnsChange {
            unconstrained_queries: Some(true),
            routing: names(&["vpn.example"]),
            ..InterfaceDnsChange::default()
        };
        let _ = host.set_interface_dns(link, &change).unwrap();
        assert!(of_link("DefaultRoute").contains("boolean true"));
        assert_eq!(host.set_interface_dns(link, &change).unwrap(), [], "it is so already");
    });
}

#[test]
fn the_port_of_tls_is_the_ordinary_one_with_tls() {
    with_resolved("dns_resolved::the_port_of_tls_is_the_ordinary_one_with_tls", |host, _| {
        let before = host.interface_dns(LINK).unwrap();
        let clear = InterfaceDnsChange {
            servers: servers(&["192.0.2.9:853#dns.example"]),
            ..InterfaceDnsChange::default()
        };
        for result in [host.plan_set_interface_dns(LINK, &clear), host.set_interface_dns(LINK, &clear)] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            assert!(error.to_string().contains("over TLS alone"), "{error}");
        }
        assert_eq!(host.interface_dns(LINK).unwrap(), before);
        let tls = InterfaceDnsChange { dns_over_tls: Some(DnsOverTls::Required), ..clear };
        let _ = host.set_interface_dns(LINK, &tls).unwrap();
        assert_eq!(texts(&host.interface_dns(LINK).unwrap().servers), ["192.0.2.9#dns.example"]);
        assert_eq!(host.set_interface_dns(LINK, &tls).unwrap(), [], "it is so already");
    });
}

#[test]
fn networkd_is_told_what_it_manages() {
    with_resolved("dns_resolved::networkd_is_told_what_it_manages", |host, _| {
        std::fs::write(MANAGED, "").unwrap();
        let before = host.interface_dns(LINK).unwrap();
        let change = InterfaceDnsChange {
            servers: servers(&["192.0.2.9", "2001:db8::9"]),
            search: names(&["a.example"]),
            routing: names(&["."]),
            unconstrained_queries: Some(false),
            llmnr: Some(LinkLookup::ResolveOnly),
            multicast_dns: Some(LinkLookup::On),
            dns_over_tls: Some(DnsOverTls::Opportunistic),
            ..InterfaceDnsChange::default()
        };
        let plan = host.plan_set_interface_dns(LINK, &change).unwrap();
        assert!(
            plan.iter().all(|change| change.mechanism.starts_with("systemd-networkd SetLink")),
            "{plan:?}"
        );
        assert_eq!(plan.len(), 6, "{plan:?}");
        assert_eq!(host.interface_dns(LINK).unwrap(), before, "a plan changes nothing");
        assert_eq!(host.set_interface_dns(LINK, &change).unwrap(), plan);
        let after = host.interface_dns(LINK).unwrap();
        assert_eq!(texts(&after.servers), ["192.0.2.9", "2001:db8::9"], "it is there when the call returns");
        assert_eq!(texts(&after.domains), ["a.example", "~."]);
        assert_eq!(after.unconstrained_queries, Some(false));
        assert_eq!(
            (after.llmnr, after.multicast_dns, after.dns_over_tls),
            (LinkLookup::ResolveOnly, LinkLookup::On, DnsOverTls::Opportunistic)
        );
        assert_eq!(host.set_interface_dns(LINK, &change).unwrap(), [], "it is so already");

        // Refused half way, and put back the same way.
        std::fs::write(BUSY, "SetLinkDomains").unwrap();
        let error = host.set_interface_dns(LINK, &before.undo(&change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        eventually("what was taken is put back", || host.interface_dns(LINK).unwrap() == after);
        std::fs::remove_file(BUSY).unwrap();

        // What it does not manage, the other service is asked for.
        let other = InterfaceDnsChange { servers: servers(&["192.0.2.9"]), ..InterfaceDnsChange::default() };
        let changes = host.set_interface_dns(InterfaceIndex(1), &other).unwrap();
        assert_eq!(changes[0].mechanism, "systemd-resolved SetLinkDNS");
    });
}

#[test]
fn what_fails_half_way_is_put_back() {
    with_resolved("dns_resolved::what_fails_half_way_is_put_back", |host, _| {
        let before = host.interface_dns(LINK).unwrap();
        let change = InterfaceDnsChange {
            servers: servers(&["192.0.2.9"]),
            search: names(&["a.example"]),
            llmnr: Some(LinkLookup::Off),
            ..InterfaceDnsChange::default()
        };
        std::fs::write(BUSY, "SetLinkDomains").unwrap();
        let error = host.set_interface_dns(LINK, &change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(error.to_string().contains("Link 2 is managed."), "{error}");
        assert_eq!(host.interface_dns(LINK).unwrap(), before);
        std::fs::remove_file(BUSY).unwrap();

        // Taken and not heeded.
        let _ = host.set_interface_dns(LINK, &change).unwrap();
        let off = host.interface_dns(LINK).unwrap();
        let loopback = || host.interface_dns(InterfaceIndex(1)).unwrap().llmnr;
        assert_eq!(loopback(), LinkLookup::On);
        std::fs::write(NO_LLMNR, "").unwrap();
        assert_eq!(loopback(), LinkLookup::Off, "set, and not in force");
        let on = InterfaceDnsChange {
            search: names(&["b.example"]),
            llmnr: Some(LinkLookup::On),
            ..InterfaceDnsChange::default()
        };
        let error = host.set_interface_dns(LINK, &on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert!(error.to_string().contains("llmnr"), "{error}");
        assert_eq!(host.interface_dns(LINK).unwrap(), off);
    });
}

#[test]
fn what_cannot_be_is_refused_before_the_first_call() {
    with_resolved("dns_resolved::what_cannot_be_is_refused_before_the_first_call", |host, _| {
        let before = host.interface_dns(LINK).unwrap();
        let of = |list| InterfaceDnsChange { servers: servers(list), ..InterfaceDnsChange::default() };
        for (change, kind) in [
            (of(&["fe80::1%1"]), ErrorKind::InvalidParameter),
            (of(&["::"]), ErrorKind::InvalidParameter),
            (
                InterfaceDnsChange { search: names(&["a b"]), ..InterfaceDnsChange::default() },
                ErrorKind::InvalidParameter,
            ),
        ] {
            assert_eq!(host.set_interface_dns(LINK, &change).unwrap_err().kind(), kind, "{change:?}");
        }
        let holds = DnsChange {
            servers: servers(&["127.0.0.1"]),
            search: names(&["host.example"]),
            ..DnsChange::default()
        };
        assert_eq!(host.set_dns(&holds).unwrap(), [], "it is so already");
        let host_change = DnsChange { search: names(&["a"]), ..DnsChange::default() };
        let error = host.set_dns(&host_change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains("resolved.conf"), "{error}");
        assert!(!std::path::Path::new("/etc/resolv.conf").exists());
        assert_eq!(host.interface_dns(LINK).unwrap(), before);
        let gone = host.interface_dns(InterfaceIndex(77)).unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::InterfaceNotFound);
    });
}

#[test]
fn a_service_that_does_not_answer_ends_the_call() {
    const NAME: &str = "dns_resolved::a_service_that_does_not_answer_ends_the_call";
    with_resolved(NAME, |host, service| {
        let service = i32::try_from(service.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(service, rustix::process::Signal::STOP).unwrap();
        eventually("each of its threads stands still", || {
            let threads = std::fs::read_dir(format!("/proc/{}/task", service.as_raw_nonzero())).unwrap();
            threads.flatten().all(|thread| {
                let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
                status.contains("State:\tT")
            })
        });
        let start = std::time::Instant::now();
        let error = host.dns().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(start.elapsed().as_secs() >= 4, "it had its time");
    });
}
