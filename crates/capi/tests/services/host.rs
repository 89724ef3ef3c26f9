//! What belongs to the host: its servers, its domains and its name.

use crate::lab::{Pair, eventually, fresh_resolved, host, resolvectl, restart_resolved, start, stop};
use crate::rows::{text, wide};
use iphelper::dns::DnsChange;
use iphelper::{ErrorKind, Host};
use iphelper_capi::dns;
use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_testkit::{as_nobody, run};
use std::ffi::CStr;
use std::fs::{read_to_string, remove_file, write};

const DROP_IN: &str = "/etc/systemd/resolved.conf.d/99-iphelper.conf";

fn search(list: &[&str]) -> DnsChange {
    let names = list.iter().map(|name| (*name).to_owned()).collect();
    DnsChange { search: Some(names), ..DnsChange::default() }
}

fn servers(list: &[&str]) -> DnsChange {
    let servers = list.iter().map(|server| server.parse().unwrap()).collect();
    DnsChange { servers: Some(servers), ..DnsChange::default() }
}

fn name(name: &str) -> DnsChange {
    DnsChange { host_name: Some(name.to_owned()), ..DnsChange::default() }
}

/// The domains of the host, in the order of the alphabet: another program's order changes from call to call.
fn domains() -> Vec<String> {
    let all = resolvectl("domain", "Global");
    let mut domains: Vec<_> = all.split_whitespace().map(str::to_owned).collect();
    domains.sort_unstable();
    domains
}

#[test]
#[ignore = "scripts/test-services"]
fn lists_go_to_a_file_and_systemd_has_it_read() {
    let host = host();
    fresh_resolved();
    let link = Pair::new("i0", "192.0.2.7/24");
    let _ = run("resolvectl dns i0 192.0.2.77");
    assert_eq!(host.set_dns(&servers(&["192.0.2.53", "[2001:db8::53]:5353#x.example"])).unwrap().len(), 1);
    assert_eq!(resolvectl("dns", "Global"), "192.0.2.53 [2001:db8::53]:5353#x.example");
    let _ = host.set_dns(&search(&["a.example", "b.example."])).unwrap();
    assert_eq!(domains(), ["a.example", "b.example"]);
    assert_eq!(resolvectl("dns", "i0"), "192.0.2.77", "what interfaces have stays");
    assert_eq!(host.set_dns(&search(&["a.example", "b.example"])).unwrap(), [], "it is so already");
    // More often than systemd has a service restarted by itself.
    for round in 0..8 {
        let _ = host.set_dns(&search(&[&format!("r{round}.example")])).unwrap();
        assert_eq!(domains(), [format!("r{round}.example")]);
    }
    assert_eq!(resolvectl("dns", "Global"), "192.0.2.53 [2001:db8::53]:5353#x.example");

    // Two callers at once.
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let host = Host::open().unwrap();
            for round in 0..3 {
                let _ = host.set_dns(&search(&[&format!("t{round}.example")])).unwrap();
            }
        });
        for round in 1..=3 {
            let _ = host.set_dns(&servers(&[&format!("192.0.2.{round}")])).unwrap();
        }
        other.join().unwrap();
    });
    assert_eq!((domains(), resolvectl("dns", "Global")), (vec!["t2.example".into()], "192.0.2.3".into()));

    // Another file adds to the list.
    let later = "/etc/systemd/resolved.conf.d/99-zz.conf";
    write(later, "[Resolve]\nDomains=foreign.example\n").unwrap();
    let before = read_to_string(DROP_IN).unwrap();
    let refused = host.set_dns(&search(&["c.example"])).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
    assert_eq!(read_to_string(DROP_IN).unwrap(), before);
    remove_file(later).unwrap();

    // The port of TLS is the ordinary one, if TLS is asked for.
    let tls = servers(&["192.0.2.53:853#x.example"]);
    let refused = host.set_dns(&tls).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
    write("/etc/systemd/resolved.conf.d/50-tls.conf", "[Resolve]\nDNSOverTLS=yes\nLLMNR=no\n").unwrap();
    restart_resolved();
    let _ = host.set_dns(&tls).unwrap();
    assert_eq!(resolvectl("dns", "Global"), "192.0.2.53#x.example");

    // What is forbidden to the host is not an interface's, either, whatever the service tells.
    let on = iphelper::dns::InterfaceDnsChange {
        llmnr: Some(iphelper::dns::LinkLookup::On),
        ..iphelper::dns::InterfaceDnsChange::default()
    };
    let set = resolvectl("llmnr", "i0");
    assert_eq!(host.interface_dns(link.index).unwrap().llmnr, iphelper::dns::LinkLookup::Off);
    let refused = host.set_interface_dns(link.index, &on).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
    assert_eq!(resolvectl("llmnr", "i0"), set, "put back");
    assert!(!run("resolvectl status i0").contains("LLMNR/IPv4"));
    remove_file("/etc/systemd/resolved.conf.d/50-tls.conf").unwrap();

    let _ = as_nobody(&[], || {
        let refused = Host::open().unwrap().set_dns(&search(&["d.example"])).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
    });
    drop(link);
}

#[test]
#[ignore = "scripts/test-services"]
fn a_file_that_was_left_before_the_reload_stands_in_nobodys_way() {
    let host = host();
    fresh_resolved();
    let _ = host.set_dns(&search(&["a.example"])).unwrap();
    // What a caller that is killed there leaves.
    let left =
        || write(DROP_IN, read_to_string(DROP_IN).unwrap().replace("a.example", "left.example")).unwrap();
    left();
    assert_eq!(domains(), ["a.example"], "nobody sees it");
    let _ = host.set_dns(&servers(&["192.0.2.53"])).unwrap();
    assert_eq!((domains(), resolvectl("dns", "Global")), (vec!["a.example".into()], "192.0.2.53".into()));
    left();
    assert_eq!(host.set_dns(&search(&["a.example"])).unwrap(), []);
    restart_resolved();
    assert_eq!(domains(), ["a.example"]);
}

#[test]
#[ignore = "scripts/test-services"]
fn the_name_by_hostnamed_and_without_it() {
    let host = host();
    fresh_resolved();
    let stored = || read_to_string("/etc/hostname").unwrap();
    // It is started by whoever asks for it, which this package does not, and ends when it is idle.
    for runs in [true, false] {
        let by = if runs { "systemd-hostnamed SetStaticHostname" } else { "sethostname(2), /etc/hostname" };
        if runs {
            start("systemd-hostnamed");
        } else {
            stop("systemd-hostnamed");
        }
        let changes = host.set_dns(&name("mail")).unwrap();
        assert_eq!(changes[0].mechanism, by);
        assert_eq!((run("uname -n").trim(), stored().trim()), ("mail", "mail"));
        let domain = DnsChange { domain: Some("Corp.example".to_owned()), ..DnsChange::default() };
        let _ = host.set_dns(&domain).unwrap();
        assert_eq!(run("uname -n").trim(), "mail.Corp.example");
        // Which starts the service.
        assert_eq!(run("hostnamectl hostname").trim(), "mail.Corp.example");
        let _ = as_nobody(&[], || {
            let refused = Host::open().unwrap().set_dns(&name("db")).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
        });
        let back = DnsChange { domain: Some(String::new()), ..name("web") };
        let _ = host.set_dns(&back).unwrap();
        assert_eq!((run("uname -n").trim(), stored().trim()), ("web", "web"));
        eventually("hostnamed tells it", || run("hostnamectl hostname").trim() == "web");
    }
    let both = DnsChange { search: Some(vec!["a.example".to_owned()]), ..name("db") };
    assert_eq!(host.set_dns(&both).unwrap().len(), 2);
    assert_eq!(
        (run("uname -n").trim().to_owned(), domains()),
        ("db".to_owned(), vec!["a.example".to_owned()])
    );
}

#[test]
#[ignore = "scripts/test-services"]
fn the_functions_of_c() {
    let _host = host();
    fresh_resolved();
    let _link = Pair::new("j0", "192.0.2.7/24");
    let _ = run("resolvectl dns j0 192.0.2.77 2001:db8::77 192.0.2.78");
    let (mut host_name, mut domain, mut list) =
        (wide("mail"), wide("corp.example"), wide("a.example,b.example"));
    unsafe {
        let mut row: DNS_SETTINGS = std::mem::zeroed();
        row.Version = 1;
        row.Flags = ULONG64(dns_setting::HOSTNAME | dns_setting::DOMAIN | dns_setting::SEARCHLIST);
        (row.Hostname, row.Domain) = (host_name.as_mut_ptr(), domain.as_mut_ptr());
        row.SearchList = list.as_mut_ptr();
        assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 0);
        assert_eq!(run("uname -n").trim(), "mail.corp.example");
        assert_eq!(domains(), ["a.example", "b.example"]);
        let mut row: DNS_SETTINGS = std::mem::zeroed();
        row.Version = 1;
        assert_eq!(dns::dns_settings::<Win32>(&raw mut row), 0);
        assert_eq!(
            [row.Hostname, row.Domain, row.SearchList].map(|of| text(of)),
            ["mail", "corp.example", "a.example,b.example"]
        );
        dns::free_dns_settings(&raw mut row);

        let mut needed = 0;
        assert_eq!(dns::network_params(std::ptr::null_mut(), &raw mut needed), 111);
        let mut memory = vec![0_u64; needed.div_ceil(8) as usize];
        let info = memory.as_mut_ptr().cast::<FIXED_INFO>();
        assert_eq!(dns::network_params(info, &raw mut needed), 0);
        let of = |text: &[i8]| CStr::from_ptr(text.as_ptr().cast()).to_str().unwrap().to_owned();
        let info = &*info;
        assert_eq!((of(&info.HostName), of(&info.DomainName)), ("mail".into(), "corp.example".into()));
        assert_eq!(of(&info.DnsServerList.IpAddress.String), "192.0.2.77");
        assert_eq!(of(&(*info.DnsServerList.Next).IpAddress.String), "192.0.2.78");
        assert!((*info.DnsServerList.Next).Next.is_null(), "IPv6 has no room there");
    }
}

#[test]
#[ignore = "scripts/test-services"]
fn a_resolv_conf_of_its_own_is_changed_itself() {
    let host = host();
    fresh_resolved();
    remove_file("/etc/resolv.conf").unwrap();
    write("/etc/resolv.conf", "nameserver 192.0.2.1\n").unwrap();
    restart_resolved();
    eventually("the service reads it", || resolvectl("dns", "Global") == "192.0.2.1");
    let _ = host.set_dns(&search(&["a.example"])).unwrap();
    assert_eq!(read_to_string("/etc/resolv.conf").unwrap(), "nameserver 192.0.2.1\nsearch a.example\n");
    // It reads the file again when it is asked for a name; what is told is what programs go by.
    let dns = host.dns().unwrap();
    let texts = |items: &[String]| items.join(" ");
    let servers: Vec<_> = dns.servers.iter().map(ToString::to_string).collect();
    let names: Vec<_> = dns.domains.iter().map(ToString::to_string).collect();
    assert_eq!((texts(&servers), texts(&names)), ("192.0.2.1".to_owned(), "a.example".to_owned()));
}
