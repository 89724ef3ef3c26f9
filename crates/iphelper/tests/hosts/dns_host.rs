//! The host's own settings where `systemd-resolved` keeps them, and its name: stand-ins on a bus of the test's own, which
//! read the file and the kernel's name as the real ones do.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::dns::{DnsChange, Resolver};
use iphelper::ip_interface::PropertyChange;
use iphelper::{ErrorKind, Host};
use iphelper_testkit::bus::{Answer, PrivateBus, serve};
use iphelper_testkit::{
    ANOTHER_DOMAIN, Child, KILLS, MODE, NO_RELOAD, as_nobody, eventually, in_child, is_child, isolated, run,
    serve_resolved, serve_systemd, unprivileged, with_private_files,
};
use std::collections::HashMap;
use std::fs::{read_to_string, remove_file, write};
use std::path::Path;
use zbus::Message;
use zbus::wire::{StructureBuilder, Variant};

const DROP_IN: &str = "/etc/systemd/resolved.conf.d/99-iphelper.conf";
const NAME_FILE: &str = "/etc/hostname";

fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn search(list: &[&str]) -> DnsChange {
    DnsChange { search: names(list), ..DnsChange::default() }
}

fn name(name: &str) -> DnsChange {
    DnsChange { host_name: Some(name.to_owned()), ..DnsChange::default() }
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn told(changes: &[PropertyChange]) -> Vec<(&str, &str, &str)> {
    changes.iter().map(|change| (change.property, &*change.to, &*change.mechanism)).collect()
}

/// The kernel's name, by another program.
fn kernel_name() -> String {
    run("uname -n").trim().to_owned()
}

/// Not a test of its own: the process that is systemd to the others.
#[test]
fn stand_in_for_systemd() {
    if is_child("dns_host::stand_in_for_systemd") {
        serve_systemd();
    }
}

/// Runs `work` where the stand-in for `systemd-resolved` works; systemd's comes when it is started.
fn with_resolved(test: &str, work: impl FnOnce(&Host) + Send) {
    if is_child(test) {
        // By its socket a user knows it who may not look at it.
        let _rtnetlink = Host::open().unwrap();
        return serve_resolved();
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let Some(_bus) = PrivateBus::start() else { return };
            rustix::system::sethostname(b"web").unwrap();
            let _service = Child::start(test);
            let host = Host::open().unwrap();
            eventually("the service is asked", || host.dns().unwrap().resolver == Resolver::Resolved);
            work(&host);
        });
    });
}

fn start_systemd(host: &Host) -> Child {
    let systemd = Child::start("dns_host::stand_in_for_systemd");
    eventually("systemd is there", || host.plan_set_dns(&search(&["x"])).is_ok());
    systemd
}

#[test]
fn lists_go_to_a_file_and_the_service_reads_it() {
    with_resolved("dns_host::lists_go_to_a_file_and_the_service_reads_it", |host| {
        let error = host.set_dns(&search(&["a.example"])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains("systemd, which reloads it, is not on"), "{error}");
        assert!(!Path::new("/etc/systemd").exists());

        let _systemd = start_systemd(host);
        let change = search(&["a.example", "b.example."]);
        let plan = unprivileged(|| host.plan_set_dns(&change).unwrap());
        assert_eq!(told(&plan), [("search", "a.example b.example ~host.vpn", DROP_IN)]);
        assert!(!Path::new("/etc/systemd").exists(), "a plan changes nothing");
        assert_eq!(host.set_dns(&change).unwrap(), plan);
        let dns = host.dns().unwrap();
        assert_eq!(texts(&dns.domains), ["a.example", "b.example", "~host.vpn"]);
        assert_eq!(texts(&dns.servers), ["127.0.0.1"], "of others, and kept");
        assert_eq!(host.set_dns(&change).unwrap(), [], "it is so already");

        let servers =
            DnsChange { servers: Some(vec!["192.0.2.53".parse().unwrap()]), ..DnsChange::default() };
        assert_eq!(told(&host.set_dns(&servers).unwrap()), [("servers", "192.0.2.53", DROP_IN)]);
        let dns = host.dns().unwrap();
        assert_eq!((texts(&dns.servers), dns.domains.len()), (vec!["192.0.2.53".to_owned()], 3));
        let text = read_to_string(DROP_IN).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected =
            ["[Resolve]", "Domains=", "Domains=a.example b.example ~host.vpn", "DNS=", "DNS=192.0.2.53"];
        assert_eq!(lines, expected);

        let _ = host.set_dns(&search(&[])).unwrap();
        assert_eq!(texts(&host.dns().unwrap().domains), ["~host.vpn"]);
        let local = DnsChange { servers: Some(vec!["fe80::1%1".parse().unwrap()]), ..DnsChange::default() };
        assert_eq!(host.set_dns(&local).unwrap_err().kind(), ErrorKind::NotSupported);
        let left = std::fs::read_dir("/etc/systemd/resolved.conf.d").unwrap();
        assert_eq!(left.count(), 1, "the file alone");
    });
}

#[test]
fn what_the_service_does_not_take_is_put_back() {
    with_resolved("dns_host::what_the_service_does_not_take_is_put_back", |host| {
        let _systemd = start_systemd(host);
        let change = DnsChange { host_name: Some("new".to_owned()), ..search(&["a.example"]) };
        let refused = |kind, reason: &str| {
            let before = (host.dns().unwrap().domains, std::fs::read(DROP_IN).ok());
            let error = host.set_dns(&change).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(reason), "{error}");
            assert_eq!((host.dns().unwrap().domains, std::fs::read(DROP_IN).ok()), before);
            assert_eq!(kernel_name(), "web", "and so is the name");
        };
        write(NO_RELOAD, "").unwrap();
        refused(ErrorKind::AccessDenied, "ReloadOrRestart");
        assert!(!Path::new("/etc/systemd/resolved.conf.d").exists());
        remove_file(NO_RELOAD).unwrap();
        write(ANOTHER_DOMAIN, "foreign.example").unwrap();
        refused(ErrorKind::NotSupported, "a.example ~host.vpn foreign.example");
        remove_file(ANOTHER_DOMAIN).unwrap();
        let _ = host.set_dns(&search(&["b.example"])).unwrap();
        write(ANOTHER_DOMAIN, "foreign.example").unwrap();
        refused(ErrorKind::NotSupported, "another of its files");
        assert!(Path::new(DROP_IN).exists());

        // Whoever may not write there changes nothing, either.
        remove_file(ANOTHER_DOMAIN).unwrap();
        if let Some(error) = as_nobody(&[], || host.set_dns(&search(&["c.example"])).unwrap_err()) {
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
        }
        assert_eq!(texts(&host.dns().unwrap().domains), ["b.example", "~host.vpn"]);
    });
}

/// Not a test of its own: a caller that systemd's stand-in kills.
#[test]
fn caller_that_is_killed() {
    if is_child("dns_host::caller_that_is_killed") {
        eventually("its number is known", || Path::new(KILLS).exists());
        // Until then: on a busy machine the bus may take too long for one call.
        loop {
            let _ = Host::open().unwrap().set_dns(&search(&["killed.example"]));
        }
    }
}

#[test]
fn a_caller_that_is_killed_before_the_reload_stands_in_nobodys_way() {
    let test = "dns_host::a_caller_that_is_killed_before_the_reload_stands_in_nobodys_way";
    with_resolved(test, |host| {
        let _systemd = start_systemd(host);
        let _ = host.set_dns(&search(&["a.example"])).unwrap();
        let lines = |key: &str| {
            let text = read_to_string(DROP_IN).unwrap();
            text.lines().filter(|line| line.starts_with(key)).collect::<Vec<_>>().join(" ")
        };
        let killed = || {
            let caller = Child::start("dns_host::caller_that_is_killed");
            write("/run/dbus/number", caller.id().to_string()).unwrap();
            std::fs::rename("/run/dbus/number", KILLS).unwrap();
            eventually("it is killed", || !Path::new(KILLS).exists());
            caller.kill();
            // The file has its change, and the service has not read it: everybody sees what the service has.
            assert_eq!(lines("Domains="), "Domains= Domains=killed.example ~host.vpn");
            assert_eq!(texts(&host.dns().unwrap().domains), ["a.example", "~host.vpn"]);
        };
        // Another change takes effect, alone.
        killed();
        let change = DnsChange { servers: Some(vec!["192.0.2.53".parse().unwrap()]), ..DnsChange::default() };
        assert_eq!(told(&host.set_dns(&change).unwrap()), [("servers", "192.0.2.53", DROP_IN)]);
        assert_eq!(lines("Domains="), "Domains= Domains=a.example ~host.vpn");
        let dns = host.dns().unwrap();
        assert_eq!(
            (texts(&dns.servers), texts(&dns.domains)),
            (vec!["192.0.2.53".to_owned()], vec!["a.example".to_owned(), "~host.vpn".to_owned()])
        );

        // What is so already stays so with the service's next start, too.
        killed();
        assert_eq!(host.plan_set_dns(&search(&["a.example"])).unwrap(), []);
        assert_eq!(lines("Domains="), "Domains= Domains=killed.example ~host.vpn", "a plan changes nothing");
        assert_eq!(host.set_dns(&search(&["a.example"])).unwrap(), []);
        assert_eq!(lines("Domains="), "Domains= Domains=a.example ~host.vpn");

        // The same change completes it.
        killed();
        let expected = [("search", "killed.example ~host.vpn", DROP_IN)];
        assert_eq!(told(&host.set_dns(&search(&["killed.example"])).unwrap()), expected);
        assert_eq!(texts(&host.dns().unwrap().domains), ["killed.example", "~host.vpn"]);
        let folder = std::fs::read_dir("/etc/systemd/resolved.conf.d").unwrap();
        assert_eq!(folder.count(), 1, "its lock is gone, too");
    });
}

#[test]
fn two_callers_change_two_lists() {
    with_resolved("dns_host::two_callers_change_two_lists", |host| {
        let _systemd = start_systemd(host);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                for round in 0..5 {
                    let _ = host.set_dns(&search(&[&format!("r{round}.example")])).unwrap();
                }
            });
            for round in 1..=5 {
                let server = format!("192.0.2.{round}").parse().unwrap();
                let change = DnsChange { servers: Some(vec![server]), ..DnsChange::default() };
                let _ = host.set_dns(&change).unwrap();
            }
            first.join().unwrap();
        });
        let dns = host.dns().unwrap();
        assert_eq!(texts(&dns.servers), ["192.0.2.5"]);
        assert_eq!(texts(&dns.domains), ["r4.example", "~host.vpn"]);
    });
}

#[test]
fn a_resolv_conf_of_its_own_is_changed_itself() {
    with_resolved("dns_host::a_resolv_conf_of_its_own_is_changed_itself", |host| {
        write(MODE, "foreign").unwrap();
        write("/etc/resolv.conf", "nameserver 192.0.2.1\n").unwrap();
        let change = DnsChange { domain: Some("corp.example".to_owned()), ..search(&["a.example"]) };
        let _ = host.set_dns(&change).unwrap();
        let text = "nameserver 192.0.2.1\ndomain corp.example\nsearch a.example\n";
        assert_eq!(read_to_string("/etc/resolv.conf").unwrap(), text);
        // The service has not read it yet, and goes by its old lists until it is asked for a name.
        let dns = host.dns().unwrap();
        assert_eq!(
            (texts(&dns.servers), texts(&dns.domains)),
            (vec!["192.0.2.1".to_owned()], vec!["a.example".to_owned(), "~host.vpn".to_owned()])
        );
        assert_eq!(dns.resolver, Resolver::Resolved);
        write("/etc/resolv.conf", "nameserver 127.0.0.53\n").unwrap();
        assert_eq!(texts(&host.dns().unwrap().servers), ["127.0.0.1"], "those that the service asks");
        write("/etc/resolv.conf", text).unwrap();
        assert!(!Path::new("/etc/systemd").exists());
        assert_eq!(kernel_name(), "web");
    });
}

#[test]
fn the_domain_is_a_part_of_the_name_where_no_file_has_it() {
    with_resolved("dns_host::the_domain_is_a_part_of_the_name_where_no_file_has_it", |host| {
        let domain = |domain: &str| DnsChange { domain: Some(domain.to_owned()), ..DnsChange::default() };
        let changes = host.set_dns(&domain("corp.example")).unwrap();
        assert_eq!(told(&changes), [("host_name", "web.corp.example", "sethostname(2)")]);
        assert_eq!(kernel_name(), "web.corp.example");
        let dns = host.dns().unwrap();
        assert_eq!((&*dns.host_name, dns.domain_name.as_deref()), ("web.corp.example", Some("corp.example")));
        assert_eq!(host.set_dns(&domain("corp.example")).unwrap(), [], "it is so already");
        let _ = host.set_dns(&name("mail")).unwrap();
        assert_eq!(kernel_name(), "mail.corp.example", "a label alone");
        let before = host.dns().unwrap();
        let both = DnsChange { host_name: Some("db".to_owned()), ..domain("") };
        let _ = host.set_dns(&both).unwrap();
        assert_eq!(kernel_name(), "db");
        let _ = host.set_dns(&before.undo(&both)).unwrap();
        assert_eq!(kernel_name(), "mail.corp.example");
    });
}

#[test]
fn the_name_of_a_namespace_of_its_own_goes_to_no_file() {
    isolated(|| {
        let _ = with_private_files(|| {
            rustix::system::sethostname(b"web.corp.example").unwrap();
            let host = Host::open().unwrap();
            let plan = host.plan_set_dns(&name("mail")).unwrap();
            assert_eq!(told(&plan), [("host_name", "mail.corp.example", "sethostname(2)")]);
            assert_eq!(kernel_name(), "web.corp.example", "a plan changes nothing");
            assert_eq!(host.set_dns(&name("mail")).unwrap(), plan);
            assert_eq!(kernel_name(), "mail.corp.example");
            // Whoever keeps the lists has no part in the name.
            std::os::unix::fs::symlink("/run/nowhere", "/etc/resolv.conf").unwrap();
            let _ = host.set_dns(&name("db.")).unwrap();
            assert_eq!(kernel_name(), "db");
            assert!(!Path::new(NAME_FILE).exists() && !Path::new("/etc/resolv.conf").exists());
            for bad in ["", "a b", "a_b", "-a", &"a".repeat(65)] {
                assert_eq!(
                    host.set_dns(&name(bad)).unwrap_err().kind(),
                    ErrorKind::InvalidParameter,
                    "{bad}"
                );
            }
            let refused = unprivileged(|| host.set_dns(&name("other")).unwrap_err());
            assert_eq!(refused.kind(), ErrorKind::AccessDenied, "{refused}");
            assert_eq!(kernel_name(), "db");
        });
    });
}

#[test]
fn the_name_of_the_first_process_goes_to_its_file() {
    let test = "dns_host::the_name_of_the_first_process_goes_to_its_file";
    let wrapper = ["unshare", "--net", "--uts", "--pid", "--fork", "--mount-proc"];
    in_child(test, &wrapper, || {
        let _ = run("mount -n -t tmpfs -o mode=755 private /etc");
        rustix::system::sethostname(b"web").unwrap();
        let host = Host::open().unwrap();
        let changes = host.set_dns(&name("mail")).unwrap();
        assert_eq!(told(&changes), [("host_name", "mail", "sethostname(2), /etc/hostname")]);
        assert_eq!((kernel_name(), read_to_string(NAME_FILE).unwrap()), ("mail".into(), "mail\n".into()));
        write(NAME_FILE, "# mine\nmail\n").unwrap();
        let _ = host.set_dns(&name("db")).unwrap();
        assert_eq!(read_to_string(NAME_FILE).unwrap(), "# mine\ndb\n");

        // Both or none.
        std::fs::rename(NAME_FILE, "/etc/elsewhere").unwrap();
        std::os::unix::fs::symlink("elsewhere", NAME_FILE).unwrap();
        for result in [host.plan_set_dns(&name("web")), host.set_dns(&name("web"))] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
            assert!(error.to_string().contains("a link to elsewhere"), "{error}");
        }
        let unwritten = DnsChange { servers: Some(Vec::new()), ..name("web") };
        std::fs::rename("/etc/elsewhere", NAME_FILE).unwrap();
        write("/etc/resolv.conf", "# Generated by NetworkManager\nnameserver 192.0.2.1\n").unwrap();
        assert_eq!(host.set_dns(&unwritten).unwrap_err().kind(), ErrorKind::NotSupported);
        assert_eq!(
            (kernel_name(), read_to_string("/etc/hostname").unwrap()),
            ("db".into(), "# mine\ndb\n".into())
        );
    });
}

/// Answers as `systemd-hostnamed`, which sets the kernel's name, too.
fn hostnamed(stored: &mut String, call: &Message) -> Answer {
    match call.header().member().map(|member| member.as_str()).unwrap_or_default() {
        "GetAll" => {
            let properties: HashMap<&str, Variant<'_>> = HashMap::from([
                ("Hostname", rustix::system::uname().nodename().to_str().unwrap().to_owned().into()),
                ("StaticHostname", stored.clone().into()),
            ]);
            Ok(Some(StructureBuilder::new().add_field(properties).build().unwrap()))
        }
        "SetStaticHostname" => {
            let (name, asks_people): (String, bool) = call.body().deserialize().unwrap();
            assert!(!asks_people);
            if name == "refused" {
                let error = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired".to_owned();
                return Err((error, "Interactive authentication required.".to_owned()));
            }
            rustix::system::sethostname(name.as_bytes()).unwrap();
            *stored = name;
            Ok(None)
        }
        other => Err(("org.freedesktop.DBus.Error.UnknownMethod".to_owned(), other.to_owned())),
    }
}

#[test]
fn hostnamed_is_asked_where_it_runs() {
    const NAME: &str = "dns_host::hostnamed_is_asked_where_it_runs";
    if is_child(NAME) {
        let mut stored = "web".to_owned();
        return serve("org.freedesktop.hostname1", move |call| hostnamed(&mut stored, call));
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let Some(_bus) = PrivateBus::start() else { return };
            rustix::system::sethostname(b"web").unwrap();
            let host = Host::open().unwrap();
            let _service = Child::start(NAME);
            let by_service = [("host_name", "mail", "systemd-hostnamed SetStaticHostname")];
            eventually("the service is there", || {
                told(&host.plan_set_dns(&name("mail")).unwrap()) == by_service
            });
            assert_eq!(told(&host.set_dns(&name("mail")).unwrap()), by_service);
            assert_eq!(kernel_name(), "mail");
            assert!(!Path::new(NAME_FILE).exists(), "the service's business");
            let refused = host.set_dns(&name("refused")).unwrap_err();
            assert_eq!(
                (refused.kind(), kernel_name()),
                (ErrorKind::AccessDenied, "mail".into()),
                "{refused}"
            );
            // One of another UTS namespace has another name.
            let other = std::thread::scope(|scope| {
                let other = scope.spawn(|| {
                    // SAFETY: only this thread, made for the purpose, gets another name.
                    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUTS) }.unwrap();
                    rustix::system::sethostname(b"else").unwrap();
                    host.plan_set_dns(&name("new")).unwrap()
                });
                other.join().unwrap()
            });
            assert_eq!(told(&other), [("host_name", "new", "sethostname(2)")]);
        });
    });
}
