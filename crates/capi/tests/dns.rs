//! DNS settings in C's structures, against the file that the C library reads and a stand-in for `systemd-resolved`.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use iphelper_capi::dns;
use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::*;
use iphelper_testkit::bus::PrivateBus;
use iphelper_testkit::{
    Child, NO_RELOAD, eventually, is_child, isolated, run, serve_resolved, serve_systemd, with_private_files,
};
use rows::{empty, guid, text, wide};
use std::process::Command;
use std::ptr::{null, null_mut};
use support::{Scratch, compile, compiles, crate_dir};

#[path = "support/dns.rs"]
mod rows;
mod support;

iphelper_testkit::private_user_namespace!();

const FILE: &str = "/etc/resolv.conf";

fn get(of: GUID, row: &mut DNS_INTERFACE_SETTINGS4) -> u32 {
    unsafe { dns::interface_dns_settings::<Win32>(of, (&raw mut *row).cast()) }
}

fn set(of: GUID, row: &DNS_INTERFACE_SETTINGS4) -> u32 {
    unsafe { dns::set_interface_dns_settings::<Win32>(of, (&raw const *row).cast()) }
}

fn free(row: &mut DNS_INTERFACE_SETTINGS4) {
    unsafe { dns::free_interface_dns_settings((&raw mut *row).cast()) };
    assert!(row.Domain.is_null() && row.NameServer.is_null() && row.SearchList.is_null());
    assert!(row.SupplementalSearchList.is_null() && row.ServerProperties.is_null());
    assert_eq!(row.cServerProperties, 0);
    // A second time.
    unsafe { dns::free_interface_dns_settings((&raw mut *row).cast()) };
}

/// Runs `work` in a namespace with the one interface `e0`.
fn with_file(content: &str, work: impl FnOnce() + Send) {
    isolated(|| {
        let _ = with_private_files(|| {
            std::fs::write(FILE, content).unwrap();
            let _ = run("ip link add e0 type veth peer name e1");
            let _ = run("ip link set e0 up");
            work();
        });
    });
}

#[test]
fn an_interface_is_got_and_set_by_the_file() {
    with_file("nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch a.example b.example\n", || {
        let e0 = guid("e0");
        let mut row = empty(1, 0);
        assert_eq!(get(e0, &mut row), 0);
        assert_eq!(
            (text(row.NameServer), text(row.SearchList)),
            ("192.0.2.1".into(), "a.example,b.example".into())
        );
        assert_eq!(text(row.Domain), "a.example");
        assert_eq!((row.EnableLLMNR, row.RegistrationEnabled, row.QueryAdapterName), (0, 0, 1));
        let told = row.Flags.0;
        assert_eq!(told & 0x26, 0x26, "{told:#x}");
        // Got and set again changes nothing.
        let before = std::fs::metadata(FILE).unwrap().modified().unwrap();
        assert_eq!(set(e0, &row), 0);
        assert_eq!(std::fs::metadata(FILE).unwrap().modified().unwrap(), before);
        free(&mut row);

        let mut row = empty(2, dns_setting::IPV6);
        assert_eq!(get(e0, &mut row), 0);
        assert_eq!(text(row.NameServer), "2001:db8::1");
        free(&mut row);

        let (mut servers, mut search) = (wide("192.0.2.7, 192.0.2.8"), wide("c.example;d.example"));
        let mut row = empty(3, dns_setting::NAMESERVER | dns_setting::SEARCHLIST);
        row.NameServer = servers.as_mut_ptr();
        row.SearchList = search.as_mut_ptr();
        // What the flags do not name is not looked at.
        row.Domain = std::ptr::dangling_mut();
        row.RegistrationEnabled = 77;
        assert_eq!(set(e0, &row), 0);
        assert_eq!(
            std::fs::read_to_string(FILE).unwrap(),
            "nameserver 192.0.2.7\nnameserver 192.0.2.8\nnameserver 2001:db8::1\nsearch c.example d.example\n"
        );
        let mut row = empty(1, dns_setting::NAMESERVER | dns_setting::IPV6);
        assert_eq!(set(e0, &row), 0, "NULL is no server");
        assert!(!std::fs::read_to_string(FILE).unwrap().contains("2001:db8::1"));
        row.Flags = ULONG64(0);
        assert_eq!(set(e0, &row), 0, "nothing to do");
    });
}

#[test]
fn what_linux_has_not_is_refused_unless_it_is_off() {
    with_file("nameserver 192.0.2.1\n", || {
        let e0 = guid("e0");
        let mut four = wide("192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
        let (mut six, mut bad) = (wide("2001:db8::1"), wide("192.0.2.300"));
        let mut property: DNS_SERVER_PROPERTY = unsafe { std::mem::zeroed() };
        (property.Version, property.Type) = (1, 1);
        let mut tries: Vec<(u32, DNS_INTERFACE_SETTINGS4)> = Vec::new();
        let mut case = |code, version, flags, change: &mut dyn FnMut(&mut DNS_INTERFACE_SETTINGS4)| {
            let mut row = empty(version, flags);
            change(&mut row);
            tries.push((code, row));
        };
        for (flag, code) in [(0x8, 50), (0x10, 50), (0x80, 50), (0x100, 0)] {
            case(code, 1, flag, &mut |row| {
                (row.RegistrationEnabled, row.RegisterAdapterName, row.EnableLLMNR, row.QueryAdapterName) =
                    (1, 1, 1, 1);
            });
            case(87, 1, flag, &mut |row| {
                (row.RegistrationEnabled, row.RegisterAdapterName, row.EnableLLMNR, row.QueryAdapterName) =
                    (2, 2, 2, 2);
            });
            case(if flag == 0x100 { 50 } else { 0 }, 1, flag, &mut |_| {});
        }
        case(50, 2, 0x400, &mut |row| row.DisableUnconstrainedQueries = 1);
        case(0, 2, 0x400, &mut |_| {});
        case(50, 2, 0x800, &mut |row| row.SupplementalSearchList = bad.as_mut_ptr());
        case(50, 1, 0x2, &mut |row| row.NameServer = four.as_mut_ptr());
        case(87, 1, 0x2, &mut |row| row.NameServer = six.as_mut_ptr());
        case(87, 1, 0x2, &mut |row| row.NameServer = bad.as_mut_ptr());
        case(87, 1, 0x20, &mut |row| row.Domain = four.as_mut_ptr());
        case(50, 1, 0x200, &mut |row| row.ProfileNameServer = six.as_mut_ptr());
        case(0, 1, 0x200, &mut |_| {});
        case(50, 3, 0x1000, &mut |row| {
            (row.cServerProperties, row.ServerProperties) = (1, &raw mut property);
        });
        case(0, 3, 0x1000, &mut |_| {});
        case(87, 3, 0x10000, &mut |_| {});
        case(50, 4, 0x4000, &mut |row| row.EncryptedDnsAdapterFlags = 1);
        case(0, 4, 0x4000, &mut |_| {});
        // A member that the version does not have, and no version at all.
        case(87, 1, 0x400, &mut |_| {});
        case(87, 3, 0x4000, &mut |_| {});
        case(87, 4, 0x40, &mut |_| {});
        case(87, 0, 0, &mut |_| {});
        case(87, 5, 0, &mut |_| {});
        for (code, row) in tries {
            assert_eq!(set(e0, &row), code, "version {}, flags {:#x}", row.Version, row.Flags.0);
            assert_eq!(std::fs::read_to_string(FILE).unwrap(), "nameserver 192.0.2.1\n");
        }
        let mut row = empty(5, 0);
        assert_eq!(get(e0, &mut row), 87);
        let mut row = empty(1, 0);
        assert_eq!(get(GUID::from_u128(7), &mut row), 2);
        assert_eq!(set(GUID::from_u128(7), &row), 2);
        unsafe {
            assert_eq!(dns::interface_dns_settings::<Win32>(e0, null_mut()), 87);
            assert_eq!(dns::set_interface_dns_settings::<Win32>(e0, null()), 87);
            let invalid = 0xC000_000D_u32.cast_signed();
            assert_eq!(dns::interface_dns_settings::<NtStatus>(e0, null_mut()), invalid);
            dns::free_interface_dns_settings(null_mut());
            dns::free_dns_settings(null_mut());
        }
    });
}

#[test]
fn the_hosts_settings_are_got_and_set() {
    with_file("nameserver 192.0.2.1\ndomain corp.example\nsearch a.example b.example\n", || unsafe {
        let mut row: DNS_SETTINGS2 = std::mem::zeroed();
        row.Version = 2;
        assert_eq!(dns::dns_settings::<Win32>((&raw mut row).cast()), 0);
        assert_eq!(
            (text(row.Domain), text(row.SearchList)),
            ("corp.example".into(), "a.example,b.example".into())
        );
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(text(row.Hostname), name.trim().split('.').next().unwrap());
        assert_eq!(dns::set_dns_settings::<Win32>((&raw const row).cast()), 0, "got and set again");
        dns::free_dns_settings((&raw mut row).cast());
        assert!(row.Hostname.is_null() && row.Domain.is_null() && row.SearchList.is_null());

        let (mut search, mut domain, mut name) = (wide("c.example"), wide("d.example"), wide("another"));
        let mut row: DNS_SETTINGS = std::mem::zeroed();
        (row.Version, row.Flags) = (1, ULONG64(dns_setting::SEARCHLIST | dns_setting::DOMAIN));
        (row.SearchList, row.Domain) = (search.as_mut_ptr(), domain.as_mut_ptr());
        assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 0);
        let changed = "nameserver 192.0.2.1\ndomain d.example\nsearch c.example\n";
        assert_eq!(std::fs::read_to_string(FILE).unwrap(), changed);
        // The thread's host name is its own.
        (row.Flags, row.Hostname) = (ULONG64(dns_setting::HOSTNAME), name.as_mut_ptr());
        assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 0);
        assert_eq!(run("uname -n").split('.').next().unwrap().trim(), "another");
        for bad in ["", "a.b", "a_b"] {
            let mut bad = wide(bad);
            row.Hostname = bad.as_mut_ptr();
            assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 87);
        }
        row.Hostname = null_mut();
        assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 87);
        row.Flags = ULONG64(dns_setting::NAMESERVER);
        assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 87);
        row.Flags = ULONG64(dns_setting::DOH);
        assert_eq!(dns::dns_settings::<Win32>(&raw mut row), 87, "version 2 has that flag");
        row.Version = 3;
        assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 87);
        assert_eq!(dns::dns_settings::<Win32>(&raw mut row), 87);
        assert_eq!(dns::dns_settings::<Win32>(null_mut()), 87);
        assert_eq!(std::fs::read_to_string(FILE).unwrap(), changed);
    });
}

#[test]
fn servers_over_tls_and_domains_that_route() {
    const NAME: &str = "servers_over_tls_and_domains_that_route";
    if is_child(NAME) {
        return serve_resolved();
    }
    with_file("", || {
        let Some(_bus) = PrivateBus::start() else { return };
        let _service = Child::start(NAME);
        let name = run("ip -o link show").lines().find_map(|line| {
            let name = line.strip_prefix("2: ")?.split(['@', ':']).next()?;
            Some(name.to_owned())
        });
        let link = guid(&name.unwrap());
        let mut row = empty(4, 0);
        eventually("the service is asked", || {
            free(&mut row);
            row = empty(4, 0);
            assert_eq!(get(link, &mut row), 0);
            text(row.NameServer) == "192.0.2.53"
        });
        assert_eq!(
            (text(row.SearchList), text(row.SupplementalSearchList)),
            ("corp.example".into(), "vpn.example".into())
        );
        assert_eq!((row.EnableLLMNR, row.DisableUnconstrainedQueries, row.cServerProperties), (1, 0, 0));
        // A structure of version 1 knows no ports and names, and takes none away. The other family's are left alone.
        let served =
            || iphelper::Host::open().unwrap().interface_dns(iphelper::InterfaceIndex(2)).unwrap().servers;
        let before = served();
        assert_eq!(before[0], "192.0.2.53:5353#dns.example".parse().unwrap());
        for version in [4, 1] {
            row.Version = version;
            row.Flags = ULONG64(row.Flags.0 & 0x3ff);
            assert_eq!(set(link, &row), 0);
            assert_eq!(served(), before, "version {version}");
        }
        row.Version = 4;
        free(&mut row);
        let mut both = wide("192.0.2.8 192.0.2.53");
        let mut row = empty(1, 2);
        row.NameServer = both.as_mut_ptr();
        assert_eq!(set(link, &row), 0);
        assert_eq!(served()[..2], ["192.0.2.8".parse().unwrap(), before[0].clone()]);
        // Encryption is switched off by properties of nobody: the servers are asked as others are then.
        (row.Version, row.Flags) = (3, ULONG64(0x1_0002));
        assert_eq!(set(link, &row), 0);
        assert_eq!(served()[..2], ["192.0.2.8", "192.0.2.53"].map(|it| it.parse().unwrap()));

        let (mut servers, mut host, mut search) =
            (wide("192.0.2.9,192.0.2.10"), wide("tls.example"), wide("x.example"));
        let dot = |port| DNS_DOT_SERVER_SETTINGS {
            Hostname: host.as_ptr().cast_mut(),
            Flags: ULONG64(3),
            Port: port,
        };
        let mut settings = [dot(0), dot(8853)];
        let first = settings.as_mut_ptr();
        let mut properties: Vec<DNS_SERVER_PROPERTY> = (0..2)
            .map(|index| DNS_SERVER_PROPERTY {
                Version: 1,
                ServerIndex: index,
                Type: 2,
                Property: DNS_SERVER_PROPERTY_TYPES { DotSettings: unsafe { first.add(index as usize) } },
            })
            .collect();
        let mut row = empty(3, 0x1_0000 | 0x2 | 0x800 | 0x400);
        (row.NameServer, row.SupplementalSearchList) = (servers.as_mut_ptr(), search.as_mut_ptr());
        row.DisableUnconstrainedQueries = 1;
        (row.cServerProperties, row.ServerProperties) = (2, properties.as_mut_ptr());
        assert_eq!(set(link, &row), 0);

        let mut got = empty(3, 0);
        assert_eq!(get(link, &mut got), 0);
        assert_eq!(text(got.NameServer), "192.0.2.9,192.0.2.10");
        assert_eq!(
            (text(got.SupplementalSearchList), got.DisableUnconstrainedQueries),
            ("x.example".into(), 1)
        );
        assert_eq!(got.cServerProperties, 2);
        for (index, port) in [(0, 853), (1, 8853)] {
            let property = unsafe { got.ServerProperties.add(index).read() };
            let dot = unsafe { property.Property.DotSettings.read() };
            assert_eq!((property.Type, property.ServerIndex as usize), (2, index));
            assert_eq!((text(dot.Hostname), dot.Flags.0, dot.Port), ("tls.example".into(), 3, port));
        }
        assert_eq!(set(link, &got), 0, "got and set again");
        free(&mut got);

        // One server over TLS and the other not, and properties of no server.
        unsafe { (*first.add(1)).Flags = ULONG64(0) };
        assert_eq!(set(link, &row), 50);
        properties[1].ServerIndex = 2;
        assert_eq!(set(link, &row), 87);
        properties[1].Version = 2;
        assert_eq!(set(link, &row), 87);
        row.ServerProperties = null_mut();
        assert_eq!(set(link, &row), 87);
        host[0] = 0;
    });
}

/// Not a test of its own: the process that is systemd to the others.
#[test]
fn stand_in_for_systemd() {
    if is_child("stand_in_for_systemd") {
        serve_systemd();
    }
}

#[test]
fn the_hosts_settings_by_resolved() {
    const NAME: &str = "the_hosts_settings_by_resolved";
    const DROP_IN: &str = "/etc/systemd/resolved.conf.d/99-iphelper.conf";
    if is_child(NAME) {
        return serve_resolved();
    }
    isolated(|| {
        let _ = with_private_files(|| unsafe {
            let Some(_bus) = PrivateBus::start() else { return };
            rustix::system::sethostname(b"web").unwrap();
            let (_service, _systemd) = (Child::start(NAME), Child::start("stand_in_for_systemd"));
            let got = || {
                let mut row: DNS_SETTINGS = std::mem::zeroed();
                row.Version = 1;
                assert_eq!(dns::dns_settings::<Win32>(&raw mut row), 0);
                let texts = [row.Hostname, row.Domain, row.SearchList].map(|of| text(of));
                let flags = row.Flags.0;
                dns::free_dns_settings(&raw mut row);
                assert!(row.Hostname.is_null() && row.Domain.is_null() && row.SearchList.is_null());
                (texts, flags)
            };
            let (host, search) = (dns_setting::HOSTNAME, dns_setting::SEARCHLIST);
            let texts = |name: &str, domain: &str, search: &str| [name, domain, search].map(str::to_owned);
            eventually("the service is asked", || got() == (texts("web", "", "host.example"), host | search));

            let mut domains = wide("a.example;b.example.");
            let (mut name, mut domain) = (wide("mail"), wide("corp.example"));
            let mut row: DNS_SETTINGS = std::mem::zeroed();
            (row.Version, row.Flags) = (1, ULONG64(search));
            row.SearchList = domains.as_mut_ptr();
            // What the flags do not name is not looked at.
            row.Hostname = std::ptr::dangling_mut();
            eventually("systemd is there", || dns::set_dns_settings::<Win32>(&raw const row) == 0);
            let file = || std::fs::read_to_string(DROP_IN).unwrap();
            assert!(
                file().ends_with("[Resolve]\nDomains=\nDomains=a.example b.example ~host.vpn\n"),
                "{}",
                file()
            );
            assert_eq!(got(), (texts("web", "", "a.example,b.example"), host | search));
            assert!(!std::path::Path::new(FILE).exists());

            // Name and domain are one name where no file has a line for the domain.
            row.Flags = ULONG64(host | dns_setting::DOMAIN);
            (row.Hostname, row.Domain) = (name.as_mut_ptr(), domain.as_mut_ptr());
            assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 0);
            assert_eq!(run("uname -n").trim(), "mail.corp.example");
            let all = host | dns_setting::DOMAIN | search;
            assert_eq!(got(), (texts("mail", "corp.example", "a.example,b.example"), all));

            // All or nothing, and nothing twice.
            let before = file();
            (row.Flags, row.SearchList) = (ULONG64(all), null_mut());
            let mut other = wide("db");
            row.Hostname = other.as_mut_ptr();
            std::fs::write(NO_RELOAD, "").unwrap();
            assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 5);
            assert_eq!((run("uname -n").trim(), file()), ("mail.corp.example", before));
            std::fs::remove_file(NO_RELOAD).unwrap();
            assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 0, "NULL is no domain");
            assert_eq!(got(), (texts("db", "corp.example", ""), host | dns_setting::DOMAIN));
            let written = std::fs::metadata(DROP_IN).unwrap().modified().unwrap();
            assert_eq!(dns::set_dns_settings::<Win32>(&raw const row), 0);
            assert_eq!(std::fs::metadata(DROP_IN).unwrap().modified().unwrap(), written, "it is so already");
        });
    });
}

#[test]
fn network_params_fill_a_buffer_of_any_size_and_no_more() {
    const GUARD: u8 = 0xA5;
    let content = "nameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\ndomain a.example\n";
    with_file(content, || unsafe {
        let mut needed = 0;
        assert_eq!(dns::network_params(null_mut(), null_mut()), 87);
        assert_eq!(dns::network_params(null_mut(), &raw mut needed), 111);
        assert_eq!(needed as usize, size_of::<FIXED_INFO>() + 2 * size_of::<IP_ADDR_STRING>());
        for size in (0..needed + 40).step_by(7).chain([needed - 1, needed, needed + 1]) {
            let mut memory = vec![GUARD; needed as usize + 64];
            let odd = memory.as_mut_ptr().add(1);
            let mut stated = size;
            let code = dns::network_params(odd.cast(), &raw mut stated);
            let written = if size < needed { 0 } else { needed as usize };
            assert_eq!((code, stated), if size < needed { (111, needed) } else { (0, size) }, "{size}");
            assert!(memory[1 + written..].iter().all(|byte| *byte == GUARD), "{size}");
            if size < needed {
                continue;
            }
            let info = odd.cast::<FIXED_INFO>().read_unaligned();
            let of = |text: &[i8]| {
                let bytes: Vec<u8> = text.iter().map(|c| c.cast_unsigned()).take_while(|c| *c != 0).collect();
                String::from_utf8(bytes).unwrap()
            };
            assert_eq!(
                (of(&info.DomainName), info.EnableDns, info.EnableRouting),
                ("a.example".to_owned(), 1, 0)
            );
            let mut listed = Vec::new();
            let mut entry = info.DnsServerList;
            loop {
                listed.push(of(&entry.IpAddress.String));
                if entry.Next.is_null() {
                    break;
                }
                assert!(memory.as_ptr_range().contains(&entry.Next.cast_const().cast()));
                entry = entry.Next.read_unaligned();
            }
            assert_eq!(listed, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        }
        iphelper_testkit::set_sysctl("ipv4/ip_forward", "1");
        std::fs::remove_file(FILE).unwrap();
        let mut info: FIXED_INFO = std::mem::zeroed();
        let mut size = u32::try_from(size_of::<FIXED_INFO>()).unwrap();
        assert_eq!(dns::network_params(&raw mut info, &raw mut size), 0);
        assert_eq!((info.EnableDns, info.EnableRouting, info.DnsServerList.IpAddress.String[0]), (0, 1, 0));
        assert!(info.DnsServerList.Next.is_null());
    });
}

#[test]
fn a_program_in_c_sees_and_sets_them() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::of_target("dns");
    let program = scratch.path("dns_settings");
    compile(&crate_dir().join("tests/c/dns_settings.c"), &program, &["-liphlpapi"]);
    with_file("nameserver 192.0.2.1\nsearch a.example\n", || {
        let outcome = |arguments: &[&str]| {
            let output = support::program::output(Command::new(&program).args(arguments));
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        assert_eq!(
            outcome(&["e0"]),
            (Some(0), "servers 192.0.2.1\nsearch a.example\nhost a.example\n".to_owned())
        );
        assert_eq!(
            outcome(&["e0", "192.0.2.2 192.0.2.3"]),
            (Some(0), "servers 192.0.2.2,192.0.2.3\nsearch a.example\nhost a.example\n".to_owned())
        );
        let file = std::fs::read_to_string(FILE).unwrap();
        assert_eq!(file, "nameserver 192.0.2.2\nnameserver 192.0.2.3\nsearch a.example\n");
        std::fs::write(FILE, "# managed by hand-made\nnameserver 192.0.2.1\n").unwrap();
        assert_eq!(outcome(&["e0", "192.0.2.2"]), (Some(1), "error 50\n".to_owned()));
    });
}
