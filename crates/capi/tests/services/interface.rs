//! The settings of one interface, by `systemd-resolved` and `systemd-networkd`.

use crate::lab::{Pair, eventually, fresh_resolved, host, resolvectl, start, stop};
use crate::rows::{empty, guid, text, wide};
use iphelper::dns::{DnsOverTls, InterfaceDnsChange, LinkLookup, Resolver};
use iphelper::{ErrorKind, Family};
use iphelper_capi::dns;
use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_testkit::{as_nobody, run};

fn servers(texts: &[&str]) -> InterfaceDnsChange {
    let servers = texts.iter().map(|text| text.parse().unwrap()).collect();
    InterfaceDnsChange { servers: Some(servers), ..InterfaceDnsChange::default() }
}

fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn texts(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The texts of an interface as C programs get them: servers, search list, domains that route; and the switches.
fn got(link: &Pair, version: u32, flags: u64) -> ([String; 3], [u32; 2]) {
    let mut row = empty(version, flags);
    unsafe {
        let code = dns::interface_dns_settings::<Win32>(guid(link.name), (&raw mut row).cast());
        assert_eq!(code, 0);
        let texts = [row.NameServer, row.SearchList, row.SupplementalSearchList].map(|of| text(of));
        let switches = [row.EnableLLMNR, row.DisableUnconstrainedQueries];
        dns::free_interface_dns_settings((&raw mut row).cast());
        (texts, switches)
    }
}

fn set(link: &Pair, row: &DNS_INTERFACE_SETTINGS4) -> u32 {
    unsafe { dns::set_interface_dns_settings::<Win32>(guid(link.name), (&raw const *row).cast()) }
}

#[test]
#[ignore = "scripts/test-services"]
fn what_is_told_is_what_resolvectl_tells() {
    let host = host();
    fresh_resolved();
    let link = Pair::new("a0", "192.0.2.7/24");
    let _ = run("resolvectl dns a0 192.0.2.1:5353#x.example 2001:db8::1 192.0.2.2 fe80::1");
    let _ = run("resolvectl domain a0 a.example ~b.example c.example");
    let dns = host.dns().unwrap();
    assert_eq!(dns.resolver, Resolver::Resolved);
    let told = dns.interface(link.index).unwrap();
    // It leaves the zone out, which is the interface.
    let without_zone = texts(&told.servers).replace(&format!("%{}", link.index), "");
    assert_eq!(without_zone, resolvectl("dns", "a0"));
    assert_eq!(texts(&told.domains), "a.example ~b.example c.example");
    let by_resolvectl = resolvectl("domain", "a0");
    assert!(by_resolvectl.split(' ').all(|domain| texts(&told.domains).contains(domain)), "{by_resolvectl}");

    for version in 1..=4 {
        let routing = if version == 1 { "" } else { "b.example" };
        let lists = |servers: &str| [servers, "a.example,c.example", routing].map(str::to_owned);
        let ([v4, search, route], [llmnr, constrained]) = got(&link, version, 0);
        assert_eq!([v4, search, route], lists("192.0.2.1,192.0.2.2"), "version {version}");
        assert_eq!((llmnr, resolvectl("llmnr", "a0")), (1, "yes".to_owned()));
        if version > 1 {
            assert_eq!((constrained, resolvectl("default-route", "a0")), (1, "no".to_owned()));
        }
        let (v6, _) = got(&link, version, dns_setting::IPV6);
        assert_eq!(v6, lists(&format!("2001:db8::1,fe80::1%{}", link.index)), "version {version}");
    }

    // Who has no rights is told the same, and may change nothing.
    let seen = host.interface_dns(link.index).unwrap();
    let _ = as_nobody(&[], || {
        let host = iphelper::Host::open().unwrap();
        assert_eq!(host.interface_dns(link.index).unwrap(), seen);
        let refused = host.set_interface_dns(link.index, &servers(&["192.0.2.9"])).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
    });
    let refused = host.set_interface_dns(iphelper::InterfaceIndex(1), &servers(&["192.0.2.9"])).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "loopback has none: {refused}");
}

#[test]
#[ignore = "scripts/test-services"]
fn each_member_is_set() {
    let _host = host();
    fresh_resolved();
    let link = Pair::new("b0", "192.0.2.7/24");
    let set_text = |version, flag, text: &str| {
        let mut text = wide(text);
        let mut row = empty(version, flag);
        let member = match flag & !dns_setting::IPV6 {
            dns_setting::NAMESERVER => &mut row.NameServer,
            dns_setting::SEARCHLIST => &mut row.SearchList,
            dns_setting::DOMAIN => &mut row.Domain,
            _ => &mut row.SupplementalSearchList,
        };
        *member = text.as_mut_ptr();
        set(&link, &row)
    };
    for version in 1..=4 {
        assert_eq!(set_text(version, dns_setting::NAMESERVER, "192.0.2.1,192.0.2.2"), 0);
        assert_eq!(set_text(version, dns_setting::NAMESERVER | dns_setting::IPV6, "2001:db8::1 fe80::1"), 0);
        assert_eq!(resolvectl("dns", "b0"), "192.0.2.1 192.0.2.2 2001:db8::1 fe80::1");
        assert_eq!(set_text(version, dns_setting::NAMESERVER, ""), 0);
        assert_eq!(resolvectl("dns", "b0"), "2001:db8::1 fe80::1");
        assert_eq!(set_text(version, dns_setting::SEARCHLIST, "a.example;b.example."), 0);
        assert_eq!(set_text(version, dns_setting::DOMAIN, "c.example"), 0);
        assert_eq!(got(&link, version, 0).0[1], "c.example,a.example,b.example");
        let by_resolvectl = resolvectl("domain", "b0");
        let mut domains: Vec<_> = by_resolvectl.split(' ').collect();
        domains.sort_unstable();
        assert_eq!(domains, ["a.example", "b.example", "c.example"]);
        assert_eq!(set_text(version, dns_setting::SEARCHLIST, ""), 0);
        if version > 1 {
            assert_eq!(set_text(version, dns_setting::SUPPLEMENTAL_SEARCH_LIST, "vpn.example,."), 0);
            let by_resolvectl = resolvectl("domain", "b0");
            assert!(
                by_resolvectl.contains("~vpn.example") && by_resolvectl.contains("~."),
                "{by_resolvectl}"
            );
            assert_eq!(set_text(version, dns_setting::SUPPLEMENTAL_SEARCH_LIST, ""), 0);
        }
        assert_eq!(resolvectl("domain", "b0"), "");
        for (enabled, told) in [(0, "no"), (1, "yes")] {
            let mut row = empty(version, dns_setting::ENABLE_LLMNR);
            row.EnableLLMNR = enabled;
            assert_eq!(set(&link, &row), 0);
            assert_eq!((resolvectl("llmnr", "b0"), resolvectl("mdns", "b0")), (told.into(), told.into()));
        }
    }
    for disabled in [1, 0] {
        let mut row = empty(2, dns_setting::DISABLE_UNCONSTRAINED_QUERIES);
        row.DisableUnconstrainedQueries = disabled;
        assert_eq!(set(&link, &row), 0);
        assert_eq!(resolvectl("default-route", "b0"), if disabled == 1 { "no" } else { "yes" });
    }
    let host = host();
    for (tls, told) in
        [(DnsOverTls::Required, "yes"), (DnsOverTls::Opportunistic, "opportunistic"), (DnsOverTls::Off, "no")]
    {
        let change = InterfaceDnsChange { dns_over_tls: Some(tls), ..InterfaceDnsChange::default() };
        let _ = host.set_interface_dns(link.index, &change).unwrap();
        assert_eq!(resolvectl("dnsovertls", "b0"), told);
    }
    let change = InterfaceDnsChange {
        llmnr: Some(LinkLookup::ResolveOnly),
        multicast_dns: Some(LinkLookup::ResolveOnly),
        ..InterfaceDnsChange::default()
    };
    let _ = host.set_interface_dns(link.index, &change).unwrap();
    assert_eq!((resolvectl("llmnr", "b0"), resolvectl("mdns", "b0")), ("resolve".into(), "resolve".into()));
}

#[test]
#[ignore = "scripts/test-services"]
fn servers_over_tls_have_its_port() {
    let host = host();
    fresh_resolved();
    let link = Pair::new("c0", "192.0.2.7/24");
    let (mut list, mut name) = (wide("192.0.2.9,192.0.2.10"), wide("tls.example"));
    let dot =
        |port| DNS_DOT_SERVER_SETTINGS { Hostname: name.as_ptr().cast_mut(), Flags: ULONG64(1), Port: port };
    let mut settings = [dot(853), dot(8853)];
    let first = settings.as_mut_ptr();
    let mut properties: Vec<DNS_SERVER_PROPERTY> = (0..2)
        .map(|index| DNS_SERVER_PROPERTY {
            Version: 1,
            ServerIndex: index,
            Type: 2,
            Property: DNS_SERVER_PROPERTY_TYPES { DotSettings: unsafe { first.add(index as usize) } },
        })
        .collect();
    let mut row = empty(3, dns_setting::NAMESERVER | dns_setting::DOT);
    row.NameServer = list.as_mut_ptr();
    (row.cServerProperties, row.ServerProperties) = (2, properties.as_mut_ptr());
    assert_eq!(set(&link, &row), 0);
    assert_eq!(resolvectl("dns", "c0"), "192.0.2.9#tls.example 192.0.2.10:8853#tls.example");
    assert_eq!(resolvectl("dnsovertls", "c0"), "yes");
    name[0] = 0;

    let _ = run("resolvectl revert c0");
    let clear = servers(&["192.0.2.9:853"]);
    let refused = host.set_interface_dns(link.index, &clear).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
    let tls = InterfaceDnsChange { dns_over_tls: Some(DnsOverTls::Opportunistic), ..clear };
    let _ = host.set_interface_dns(link.index, &tls).unwrap();
    assert_eq!(
        (resolvectl("dns", "c0"), resolvectl("dnsovertls", "c0")),
        ("192.0.2.9".into(), "opportunistic".into())
    );
}

#[test]
#[ignore = "scripts/test-services"]
fn names_in_nobodys_domain_are_asked_for_as_was_wished() {
    let host = host();
    fresh_resolved();
    for (lists, asked) in [
        (servers(&["192.0.2.9"]), false),
        (InterfaceDnsChange { routing: names(&["b.example"]), ..servers(&["192.0.2.9"]) }, true),
    ] {
        let link = Pair::new("d0", "192.0.2.7/24");
        let change = InterfaceDnsChange { unconstrained_queries: Some(asked), ..lists };
        let plan = host.plan_set_interface_dns(link.index, &change).unwrap();
        assert_eq!(host.set_interface_dns(link.index, &change).unwrap(), plan);
        assert_eq!(resolvectl("default-route", "d0"), if asked { "yes" } else { "no" });
        assert_eq!(host.set_interface_dns(link.index, &change).unwrap(), []);
    }
}

#[test]
#[ignore = "scripts/test-services"]
fn what_fails_is_put_back() {
    let host = host();
    fresh_resolved();
    let link = Pair::new("f0", "192.0.2.7/24");
    let _ = host.set_interface_dns(link.index, &servers(&["192.0.2.9", "2001:db8::9"])).unwrap();
    let before = host.interface_dns(link.index).unwrap();
    // The service's own address is no server's.
    let change = InterfaceDnsChange { search: names(&["a.example"]), ..servers(&["127.0.0.53"]) };
    let refused = host.set_interface_dns(link.index, &change).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidParameter, "{refused}");
    assert_eq!(host.interface_dns(link.index).unwrap(), before);
    // Only one family's.
    let one = InterfaceDnsChange { servers_of: Some(Family::V4), ..servers(&["192.0.2.10"]) };
    let _ = host.set_interface_dns(link.index, &one).unwrap();
    assert_eq!(resolvectl("dns", "f0"), "192.0.2.10 2001:db8::9");
}

#[test]
#[ignore = "scripts/test-services"]
fn networkd_is_told_what_it_manages() {
    let host = host();
    fresh_resolved();
    let file = "[Match]\nName=g0\n[Network]\nAddress=192.0.2.200/24\nLinkLocalAddressing=no\nDNS=192.0.2.1\n";
    std::fs::create_dir_all("/etc/systemd/network").unwrap();
    std::fs::write("/etc/systemd/network/g0.network", file).unwrap();
    start("systemd-networkd");
    let link = Pair::new("g0", "");
    eventually("networkd has set the interface up", || {
        run("networkctl list g0 --no-legend").contains("configured") && resolvectl("dns", "g0") == "192.0.2.1"
    });
    let before = host.interface_dns(link.index).unwrap();
    let change = InterfaceDnsChange {
        search: names(&["a.example"]),
        routing: names(&["b.example"]),
        unconstrained_queries: Some(true),
        llmnr: Some(LinkLookup::ResolveOnly),
        multicast_dns: Some(LinkLookup::On),
        dns_over_tls: Some(DnsOverTls::Opportunistic),
        ..servers(&["192.0.2.9:5353#x.example", "2001:db8::9"])
    };
    let plan = host.plan_set_interface_dns(link.index, &change).unwrap();
    assert!(plan.iter().all(|change| change.mechanism.starts_with("systemd-networkd")), "{plan:?}");
    assert_eq!(host.set_interface_dns(link.index, &change).unwrap(), plan);
    let told = |what| resolvectl(what, "g0");
    assert_eq!(told("dns"), "192.0.2.9:5353#x.example 2001:db8::9");
    assert_eq!(told("domain"), "a.example ~b.example");
    assert_eq!(
        [told("default-route"), told("llmnr"), told("mdns"), told("dnsovertls")],
        ["yes", "resolve", "yes", "opportunistic"]
    );
    assert_eq!(host.set_interface_dns(link.index, &change).unwrap(), [], "it is so already");
    let _ = host.set_interface_dns(link.index, &before.undo(&change)).unwrap();
    let after = host.interface_dns(link.index).unwrap();
    assert_eq!(after, before);

    // What it does not manage is the other service's.
    let other = Pair::new("h0", "192.0.2.7/24");
    let changes = host.set_interface_dns(other.index, &servers(&["192.0.2.9"])).unwrap();
    assert_eq!(changes[0].mechanism, "systemd-resolved SetLinkDNS");
    std::fs::remove_file("/etc/systemd/network/g0.network").unwrap();
    stop("systemd-networkd.socket systemd-networkd");
}
