//! Changes of `resolv.conf`: the C library asks whom it is told to, the rest of the file is kept, and what is not this
//! library's to change is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::dns::{DnsChange, InterfaceDnsChange, LinkLookup};
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::{
    DnsServer, NetNs, as_nobody, die_at, forked, isolated, run, try_run, with_private_files,
};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const FILE: &str = "/etc/resolv.conf";

fn servers(texts: &[&str]) -> Option<Vec<iphelper::dns::DnsServer>> {
    Some(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn text() -> String {
    std::fs::read_to_string(FILE).unwrap()
}

/// The address that the C library finds for a name.
fn lookup(name: &str) -> Option<String> {
    let found = try_run(&format!("getent ahostsv4 {name}")).ok()?;
    found.split_whitespace().next().map(str::to_owned)
}

#[test]
fn the_c_library_asks_whom_it_is_told_to() {
    isolated(|| {
        let _ = with_private_files(|| {
            // The C library looks up IPv4 addresses only where there is one besides loopback's.
            let _ = run("ip addr add 192.0.2.7/32 dev lo");
            let first = DnsServer::start("127.0.0.2", "corp.example", [192, 0, 2, 1].into());
            let second = DnsServer::start("127.0.0.3", "corp.example", [192, 0, 2, 2].into());
            std::fs::write(FILE, "# mine\nnameserver 127.0.0.2\noptions timeout:2 attempts:1\n").unwrap();
            assert_eq!(lookup("www.corp.example").as_deref(), Some("192.0.2.1"));
            assert_eq!(lookup("www"), None);

            let host = Host::open().unwrap();
            let change = DnsChange {
                servers: servers(&["127.0.0.3"]),
                search: names(&["corp.example."]),
                ..DnsChange::default()
            };
            let were = host.dns().unwrap();
            let plan = host.plan_set_dns(&change).unwrap();
            assert_eq!(lookup("www.corp.example").as_deref(), Some("192.0.2.1"), "a plan changes nothing");
            let asked = first.asked().len();
            let changes = host.set_dns(&change).unwrap();
            assert_eq!(changes, plan);
            assert_eq!(lookup("www.corp.example").as_deref(), Some("192.0.2.2"));
            assert_eq!(lookup("www").as_deref(), Some("192.0.2.2"), "the domain is tried");
            assert_eq!(first.asked().len(), asked, "the old one is left alone");
            assert!(second.asked().iter().any(|name| name == "www.corp.example"));
            assert_eq!(
                text(),
                "# mine\nnameserver 127.0.0.3\noptions timeout:2 attempts:1\nsearch corp.example\n"
            );
            let told: Vec<_> =
                changes.iter().map(|change| (change.property, &*change.from, &*change.to)).collect();
            assert_eq!(told, [("servers", "127.0.0.2", "127.0.0.3"), ("search", "", "corp.example")]);

            let before = std::fs::metadata(FILE).unwrap();
            assert_eq!(host.set_dns(&change).unwrap(), [], "it is so already");
            assert_eq!(std::fs::metadata(FILE).unwrap().ino(), before.ino());
            let dns = host.dns().unwrap();
            assert_eq!(
                (&dns.servers, dns.domains[0].name.as_str()),
                (change.servers.as_ref().unwrap(), "corp.example")
            );

            let _ = host.set_dns(&were.undo(&change)).unwrap();
            assert_eq!(text(), "# mine\nnameserver 127.0.0.2\noptions timeout:2 attempts:1\n");
            assert_eq!(host.dns().unwrap(), were);
        });
    });
}

#[test]
fn lines_that_the_c_library_passes_over_are_no_servers() {
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip addr add 192.0.2.7/32 dev lo");
            let server = DnsServer::start("127.0.0.2", "corp.example", [192, 0, 2, 1].into());
            let host = Host::open().unwrap();
            for (end, counts) in
                [(" ;x", true), (";x", false), ("#x", false), ("\r", false), ("%lo", false), ("\t#x", true)]
            {
                let text = format!("nameserver 127.0.0.2{end}\noptions timeout:1 attempts:1\n");
                std::fs::write(FILE, text).unwrap();
                let asked = server.asked().len();
                let found = lookup("www.corp.example");
                assert_eq!((found.is_some(), server.asked().len() > asked), (counts, counts), "{end:?}");
                let told = host.dns().unwrap().servers;
                assert_eq!(!told.is_empty(), counts, "{end:?}: {told:?}");
            }
        });
    });
}

#[test]
fn what_is_there_already_may_be_set_again_whatever_it_is() {
    isolated(|| {
        let _ = with_private_files(|| {
            rustix::system::sethostname(b"web.corp.example").unwrap();
            let _ = run("ip link add e0 type veth peer name e1");
            let _ = run("ip link set e0 up");
            let host = Host::open().unwrap();
            let e0 = host.interface_named("e0").unwrap().luid;
            for file in [
                "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 0.0.0.0\nnameserver fe80::1\nsearch .\n",
                "nameserver 2001:db8::1%e0\nsearch a.example. b\u{fc}.example x\r\n",
                "domain a..b\n",
                "options ndots:2\n",
            ] {
                std::fs::write(FILE, file).unwrap();
                let is = host.dns().unwrap();
                let search = is.domains.iter().map(|domain| domain.name.clone()).collect();
                let same = DnsChange {
                    servers: Some(is.servers.clone()),
                    search: Some(search),
                    domain: is.domain_name.clone(),
                    host_name: Some("web".to_owned()),
                };
                assert_eq!(host.set_dns(&same).unwrap(), [], "{file}");
                let of = host.interface_dns(e0).unwrap();
                for servers_of in [None, Some(Family::V4), Some(Family::V6)] {
                    let is_of = |it: &&iphelper::dns::DnsServer| {
                        servers_of.is_none_or(|family| Family::of(&it.address) == family)
                    };
                    let same = InterfaceDnsChange {
                        servers: Some(of.servers.iter().filter(is_of).cloned().collect()),
                        servers_of,
                        domain: of.domain_names(false).next().map(str::to_owned),
                        search: Some(of.domain_names(false).map(str::to_owned).collect()),
                        routing: Some(Vec::new()),
                        ..InterfaceDnsChange::default()
                    };
                    assert_eq!(host.set_interface_dns(e0, &same).unwrap(), [], "{file} {servers_of:?}");
                }
                assert_eq!(text(), file);
            }
            // What is not there is looked at.
            let error = host.set_dns(&DnsChange { search: names(&["."]), ..DnsChange::default() });
            assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidParameter);
            // A name in another domain takes the domain along; so the file has to say what shall stay.
            let moved = DnsChange {
                host_name: Some("web.other.example".to_owned()),
                domain: Some("corp.example".to_owned()),
                ..DnsChange::default()
            };
            let _ = host.set_dns(&moved).unwrap();
            assert_eq!(text(), "options ndots:2\ndomain corp.example\n");
        });
    });
}

#[test]
fn owner_mode_and_attributes_stay() {
    isolated(|| {
        let _ = with_private_files(|| {
            std::fs::write(FILE, "nameserver 192.0.2.1\n").unwrap();
            std::fs::set_permissions(FILE, PermissionsExt::from_mode(0o604)).unwrap();
            let owned = std::os::unix::fs::chown(FILE, Some(12), Some(34)).is_ok();
            let _ = owned || {
                eprintln!("skipped: this user namespace has no other user");
                true
            };
            let attribute = c"user.iphelper";
            let label = rustix::fs::setxattr(FILE, attribute, b"kept", rustix::fs::XattrFlags::empty());
            let before = std::fs::metadata(FILE).unwrap();
            let change = DnsChange { servers: servers(&["192.0.2.2", "fe80::1%1"]), ..DnsChange::default() };
            let _ = Host::open().unwrap().set_dns(&change).unwrap();
            let after = std::fs::metadata(FILE).unwrap();
            assert_ne!(before.ino(), after.ino(), "it was replaced");
            assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
            assert_eq!(text(), "nameserver 192.0.2.2\nnameserver fe80::1%lo\n");
            match label {
                Ok(()) => {
                    let mut value = [0; 8];
                    let len = rustix::fs::getxattr(FILE, attribute, &mut value[..]).unwrap();
                    assert_eq!(&value[..len], b"kept");
                }
                Err(errno) => eprintln!("skipped: this file system has no attributes of users ({errno})"),
            }

            std::fs::remove_file(FILE).unwrap();
            let _ = Host::open().unwrap().set_dns(&change).unwrap();
            assert_eq!(
                std::fs::metadata(FILE).unwrap().mode() & 0o7777,
                0o644,
                "a new file is everybody's to read"
            );
            let left: Vec<_> = std::fs::read_dir("/etc").unwrap().flatten().collect();
            let ours = left.iter().filter(|entry| entry.file_name().to_string_lossy().contains("iphelper"));
            assert_eq!(ours.count(), 0, "{left:?}");
        });
    });
}

#[test]
fn files_of_others_are_refused_with_the_reason() {
    isolated(|| {
        let _ = with_private_files(|| {
            let host = Host::open().unwrap();
            let change = DnsChange { servers: servers(&["192.0.2.2"]), ..DnsChange::default() };
            let refused = |reason: &str| {
                let before = std::fs::read(FILE).unwrap();
                for result in [host.plan_set_dns(&change), host.set_dns(&change)] {
                    let error = result.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
                    assert!(error.to_string().contains(reason), "{error}");
                }
                assert_eq!(std::fs::read(FILE).unwrap(), before);
            };
            std::fs::write(FILE, "# Generated by NetworkManager\nnameserver 192.0.2.1\n").unwrap();
            refused("Generated by NetworkManager");

            std::fs::rename(FILE, "/etc/other").unwrap();
            symlink("../run/stub.conf", FILE).unwrap();
            std::fs::write("/run/stub.conf", "nameserver 127.0.0.53\n").unwrap();
            refused("a link to ../run/stub.conf");

            std::fs::remove_file(FILE).unwrap();
            std::fs::write(FILE, "nameserver 192.0.2.1\n").unwrap();
            std::fs::hard_link(FILE, "/etc/second").unwrap();
            refused("hard link");
            std::fs::remove_file("/etc/second").unwrap();

            let _ = run("mount --bind /etc/resolv.conf /etc/resolv.conf");
            refused("container runtimes");
            let _ = run("umount /etc/resolv.conf");

            for letter in ["i", "a"] {
                match try_run(&format!("chattr +{letter} {FILE}")) {
                    Ok(_) => {
                        refused(&format!("chattr +{letter}"));
                        let _ = run(&format!("chattr -{letter} {FILE}"));
                    }
                    Err(error) => eprintln!("skipped: chattr +{letter}: {}", error.trim()),
                }
            }
            let _ = host.set_dns(&change).unwrap();
        });
    });
}

#[test]
fn what_the_c_library_does_not_know_is_refused() {
    isolated(|| {
        let _ = with_private_files(|| {
            let host = Host::open().unwrap();
            let of = |list: &[&str]| DnsChange { servers: servers(list), ..DnsChange::default() };
            let search = |list: &[&str]| DnsChange { search: names(list), ..DnsChange::default() };
            for (change, kind) in [
                (of(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]), ErrorKind::NotSupported),
                (of(&["192.0.2.1:5353"]), ErrorKind::NotSupported),
                (of(&["192.0.2.1#dns.example"]), ErrorKind::NotSupported),
                (of(&["192.0.2.1", "192.0.2.1"]), ErrorKind::InvalidParameter),
                (of(&["0.0.0.0"]), ErrorKind::InvalidParameter),
                (of(&["224.0.0.251"]), ErrorKind::InvalidParameter),
                (of(&["fe80::1"]), ErrorKind::InvalidParameter),
                (of(&["2001:db8::1%1"]), ErrorKind::InvalidParameter),
                (of(&["fe80::1%77"]), ErrorKind::InterfaceNotFound),
                (search(&["a\nnameserver 6.6.6.6"]), ErrorKind::InvalidParameter),
                (search(&[""]), ErrorKind::InvalidParameter),
                (
                    DnsChange { domain: Some("a b".to_owned()), ..DnsChange::default() },
                    ErrorKind::InvalidParameter,
                ),
            ] {
                let error = host.set_dns(&change).unwrap_err();
                assert_eq!(error.kind(), kind, "{change:?}: {error}");
                assert!(!std::path::Path::new(FILE).exists(), "{change:?}");
            }
        });
    });
}

#[test]
fn who_may_not_write_is_told_so() {
    isolated(|| {
        let _ = with_private_files(|| {
            std::fs::write(FILE, "nameserver 192.0.2.1\n").unwrap();
            let change = DnsChange { servers: servers(&["192.0.2.2"]), ..DnsChange::default() };
            let _ = as_nobody(&[], || {
                let host = Host::open().unwrap();
                assert_eq!(host.plan_set_dns(&change).unwrap().len(), 1, "everybody may ask");
                assert_eq!(host.set_dns(&change).unwrap_err().kind(), ErrorKind::AccessDenied);
                let same = DnsChange { servers: servers(&["192.0.2.1"]), ..DnsChange::default() };
                assert_eq!(host.set_dns(&same).unwrap(), []);
            });
            let _ = run("mount -n -o remount,bind,ro /etc");
            let error = Host::open().unwrap().set_dns(&change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AccessDenied);
            assert!(error.to_string().contains("read-only"), "{error}");
            assert_eq!(text(), "nameserver 192.0.2.1\n");
        });
    });
}

#[test]
fn an_interface_has_the_file_where_it_is_the_only_one() {
    isolated(|| {
        let _ = with_private_files(|| {
            std::fs::write(FILE, "nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch a.example\n").unwrap();
            let _ = run("ip link add e0 type veth peer name e1");
            let _ = run("ip link set e0 up");
            let host = Host::open().unwrap();
            let key = |name| host.interface_named(name).unwrap().luid;
            let settings = host.interface_dns(key("e0")).unwrap();
            assert_eq!(settings.servers, servers(&["192.0.2.1", "2001:db8::1"]).unwrap());
            assert_eq!(settings.domain_names(false).collect::<Vec<_>>(), ["a.example"]);
            assert_eq!(settings.unconstrained_queries, Some(true));
            assert_eq!(host.interface_dns(key("e1")).unwrap().servers, []);
            assert_eq!(host.interface_dns(key("lo")).unwrap().servers, []);

            // One family alone.
            let of = |list, family| InterfaceDnsChange {
                servers: servers(list),
                servers_of: Some(family),
                ..InterfaceDnsChange::default()
            };
            let _ = host.set_interface_dns(key("e0"), &of(&["192.0.2.7", "192.0.2.8"], Family::V4)).unwrap();
            assert_eq!(
                text(),
                "nameserver 192.0.2.7\nnameserver 192.0.2.8\nnameserver 2001:db8::1\nsearch a.example\n"
            );
            let _ = host.set_interface_dns(key("e0"), &of(&[], Family::V6)).unwrap();
            assert_eq!(text(), "nameserver 192.0.2.7\nnameserver 192.0.2.8\nsearch a.example\n");
            let error = host.set_interface_dns(key("e0"), &of(&["192.0.2.9"], Family::V6)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter);
            let domain = |name: &str| InterfaceDnsChange {
                domain: Some(name.to_owned()),
                ..InterfaceDnsChange::default()
            };
            let _ = host.set_interface_dns(key("e0"), &domain("b.example")).unwrap();
            assert!(text().ends_with("search b.example a.example\n"));
            let _ = host.set_interface_dns(key("e0"), &domain("")).unwrap();
            assert!(text().ends_with("search a.example\n"));

            let refused = |change: &InterfaceDnsChange| {
                for result in [
                    host.plan_set_interface_dns(key("e0"), change),
                    host.set_interface_dns(key("e0"), change),
                ] {
                    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotSupported, "{change:?}");
                }
            };
            let none = InterfaceDnsChange::default();
            refused(&InterfaceDnsChange { unconstrained_queries: Some(false), ..none.clone() });
            refused(&InterfaceDnsChange { routing: names(&["a"]), ..none.clone() });
            refused(&InterfaceDnsChange { llmnr: Some(LinkLookup::On), ..none.clone() });
            let holds = InterfaceDnsChange { llmnr: Some(LinkLookup::Off), routing: names(&[]), ..none };
            assert_eq!(host.set_interface_dns(key("e0"), &holds).unwrap(), []);

            let _ = run("ip link set e1 up");
            refused(&of(&["192.0.2.9"], Family::V4));
            assert_eq!(host.interface_dns(key("e0")).unwrap().servers, [], "it is the host's now");
            let gone = host.set_interface_dns(InterfaceIndex(77), &holds).unwrap_err();
            assert_eq!(gone.kind(), ErrorKind::InterfaceNotFound);
        });
    });
}

#[test]
fn another_namespace_has_its_own_file_changed_or_none() {
    isolated(|| {
        let _ = with_private_files(|| {
            let other = NetNs::new();
            std::fs::write("/run/netns/blue", "").unwrap();
            let _ = run(&format!("mount --bind {} /run/netns/blue", other.path()));
            std::fs::write(FILE, "nameserver 192.0.2.1\n").unwrap();
            let host = Host::open_namespace(other.descriptor()).unwrap();
            let change = DnsChange { servers: servers(&["192.0.2.2"]), ..DnsChange::default() };
            let error = host.set_dns(&change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            std::fs::create_dir_all("/etc/netns/blue").unwrap();
            std::fs::write("/etc/netns/blue/resolv.conf", "options ndots:3\n").unwrap();
            let _ = host.set_dns(&change).unwrap();
            assert_eq!(
                run("ip netns exec blue cat /etc/resolv.conf"),
                "options ndots:3\nnameserver 192.0.2.2\n"
            );
            assert_eq!(text(), "nameserver 192.0.2.1\n");
        });
    });
}

/// Each call of the kernel that a change makes, and a process that dies there.
#[test]
fn a_process_that_dies_leaves_a_whole_file() {
    isolated(|| {
        let _ = with_private_files(|| {
            let old = format!("nameserver 192.0.2.1\n# {}\n", "x".repeat(20_000));
            let new = old.replace("192.0.2.1", "192.0.2.2");
            let change = DnsChange { servers: servers(&["192.0.2.2"]), ..DnsChange::default() };
            let mut outcomes = [0; 2];
            for call in [
                libc::SYS_flock,
                libc::SYS_unlinkat,
                libc::SYS_pwrite64,
                libc::SYS_fchmod,
                libc::SYS_fsync,
                libc::SYS_renameat,
                libc::SYS_renameat2,
            ] {
                std::fs::write(FILE, &old).unwrap();
                let host = Host::open().unwrap();
                let lived = forked(|| {
                    die_at(call);
                    host.set_dns(&change).is_ok()
                });
                let left = text();
                assert!(left == old || left == new, "call {call}: {} octets", left.len());
                assert!(!lived || left == new, "call {call}");
                outcomes[usize::from(lived)] += 1;
                let _ = host.set_dns(&change).unwrap();
                assert_eq!(text(), new, "the next one completes it");
            }
            assert!(outcomes[0] >= 5, "{outcomes:?}: most of the calls are made");
        });
    });
}

#[test]
fn two_callers_come_one_after_the_other() {
    isolated(|| {
        let _ = with_private_files(|| {
            std::fs::write(FILE, "# mine\nnameserver 192.0.2.1\nsearch start.example\n").unwrap();
            std::thread::scope(|scope| {
                for caller in 0..4_u8 {
                    let _ = scope.spawn(move || {
                        let host = Host::open().unwrap();
                        for round in 0..8_u8 {
                            let change = if caller % 2 == 0 {
                                DnsChange {
                                    servers: servers(&[&format!("192.0.{caller}.{}", round + 1)]),
                                    ..DnsChange::default()
                                }
                            } else {
                                DnsChange {
                                    search: names(&[&format!("c{caller}.r{round}.example")]),
                                    ..DnsChange::default()
                                }
                            };
                            let _ = host.set_dns(&change).unwrap();
                            let lines = text().lines().count();
                            assert_eq!(lines, 3, "{}", text());
                        }
                    });
                }
            });
            let text = text();
            let lines: Vec<_> = text.lines().collect();
            assert!(lines[1].starts_with("nameserver 192.0.") && lines[1].ends_with(".8"), "{text}");
            assert!(lines[2].contains(".r7.example"), "{text}");
        });
    });
}
