//! Names of interfaces, compared with what `ip` calls them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use iphelper::convert::InterfaceNames;
use iphelper::{ErrorKind, Guid, Host, InterfaceIndex, InterfaceLuid};
use iphelper_testkit::{NetNs, isolated, run, try_run, unprivileged};

/// The index that `ip` shows for a name.
fn index_of(name: &str) -> InterfaceIndex {
    let line = run(&format!("ip -o link show dev {name}"));
    InterfaceIndex(line.split(':').next().unwrap().parse().unwrap())
}

fn named(host: &Host, name: &str) -> InterfaceNames {
    host.interface_named(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_name_leads_to_every_other() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link add br0 type bridge");
        let host = Host::open().unwrap();
        for name in ["lo", "e0", "e1", "br0"] {
            let names = named(&host, name);
            assert_eq!((names.name.as_str(), names.index), (name, index_of(name)));
            assert_eq!(host.interface_names(names.index).unwrap(), names);
            assert_eq!(host.interface_names(names.luid).unwrap(), names);
            assert_eq!(host.interface_with_guid(names.guid).unwrap(), names);
            // IANA: softwareLoopback 24, ethernetCsmacd 6.
            assert_eq!(names.luid.interface_type(), if name == "lo" { 24 } else { 6 });
            assert_eq!(names.guid.to_bytes()[6] >> 4, 5, "{}: not a version 5 GUID", names.guid);
        }
    });
}

#[test]
fn names_need_no_privilege() {
    isolated(|| {
        unprivileged(|| {
            let host = Host::open().unwrap();
            let lo = named(&host, "lo");
            assert_eq!(host.interface_with_guid(lo.guid).unwrap().index, InterfaceIndex(1));
        });
    });
}

#[test]
fn alternative_names_are_accepted() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let long = "n".repeat(127);
        let _ = run(&format!("ip link property add dev e0 altname wan:uplink altname {long}"));
        let host = Host::open().unwrap();
        for name in ["wan:uplink", long.as_str()] {
            assert_eq!(named(&host, name), named(&host, "e0"));
        }
    });
}

#[test]
fn what_cannot_be_a_name_is_told_from_what_is_none() {
    isolated(|| {
        let host = Host::open().unwrap();
        for name in ["", "a\0b", &"n".repeat(128)] {
            let error = host.interface_named(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}: {error}");
        }
        for name in ["nothing0", "no/such", " ", "..", &"n".repeat(127)] {
            let error = host.interface_named(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{name:?}: {error}");
        }
    });
}

#[test]
fn unknown_keys_are_not_found() {
    isolated(|| {
        let host = Host::open().unwrap();
        let lo = named(&host, "lo");
        for index in [0, 2, 0x7fff_ffff, 0x8000_0001, u32::MAX] {
            let error = host.interface_names(InterfaceIndex(index)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "index {index}: {error}");
        }
        // The right index with one bit of the tag, or the type, wrong.
        for wrong in [lo.luid.0 ^ 1 << 31, lo.luid.0 ^ 1 << 47, lo.luid.0 ^ 1 << 48, 1, 0, u64::MAX] {
            let error = host.interface_names(InterfaceLuid(wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "LUID {wrong:#x}: {error}");
        }
        let error = host.interface_with_guid(Guid::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InterfaceNotFound, "{error}");
    });
}

#[test]
fn a_renamed_interface_keeps_its_identity() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let host = Host::open().unwrap();
        let before = named(&host, "e0");
        let _ = run("ip link set e0 name lan");
        let after = host.interface_names(before.luid).unwrap();
        assert_eq!((after.luid, after.index, after.guid), (before.luid, before.index, before.guid));
        assert_eq!(after.name, "lan");
        assert_eq!(host.interface_named("e0").unwrap_err().kind(), ErrorKind::InterfaceNotFound);
        assert_eq!(named(&host, "lan"), after);
    });
}

#[test]
fn an_index_given_out_again_is_told_apart() {
    isolated(|| {
        let _ = run("ip link add e0 index 50 type veth peer name e1");
        let host = Host::open().unwrap();
        let first = named(&host, "e0");
        let _ = run("ip link del e0");
        let _ = run("ip link add e0 index 50 type veth peer name e1");
        let second = named(&host, "e0");
        assert_eq!((second.index, index_of("e0")), (first.index, first.index));
        assert_ne!(second.luid, first.luid);
        assert_ne!(second.guid, first.guid);
        assert_eq!(host.interface_names(first.luid).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
        assert_eq!(host.interface_with_guid(first.guid).unwrap_err().kind(), ErrorKind::InterfaceNotFound);

        // Nothing that the kernel shows tells twins apart.
        let peer = index_of("e1").0;
        let _ = run("ip link del e0");
        let _ = run(&format!("ip link add e0 index 50 type veth peer name e1 index {peer}"));
        assert_eq!(named(&host, "e0"), second);
    });
}

#[test]
fn another_address_leaves_the_luid_as_it_is() {
    isolated(|| {
        let _ = run("ip link add br0 type bridge");
        let _ = run("ip link add e0 address 02:00:00:00:00:01 type veth peer name e1");
        let mut names = vec!["br0", "e0"];
        match try_run("ip tuntap add tap0 mode tap") {
            Ok(_) => names.push("tap0"),
            Err(error) => eprintln!("skipped: no TAP interface here: {error}"),
        }
        let host = Host::open().unwrap();
        let luids = || names.iter().map(|name| named(&host, name)).collect::<Vec<_>>();
        let before = luids();
        let _ = run("ip link set e0 master br0");
        assert!(run("ip link show br0").contains("02:00:00:00:00:01"), "the bridge took the port's address");
        for name in names.iter().skip(1) {
            let _ = run(&format!("ip link set {name} address 02:00:00:00:00:07"));
        }
        assert_eq!(luids(), before);
    });
}

#[test]
fn odd_names_are_names() {
    isolated(|| {
        let host = Host::open().unwrap();
        for (number, name) in ["größe-0", "a\"b\\c", "{}", "0"].into_iter().enumerate() {
            let _ = run(&format!("ip link add {name} type veth peer name p{number}"));
            assert_eq!(named(&host, name).name, name);
        }
        // /proc/sys/net/ipv4/conf has directories of these names, for all interfaces and for new ones.
        let _ = run("ip link add e0 type veth peer name e1");
        for name in ["all", "default"] {
            match try_run(&format!("ip link set dev p0 name {name}")) {
                Ok(_) => assert_eq!(named(&host, name).name, name),
                Err(error) => eprintln!("skipped: this kernel refuses the name {name}: {error}"),
            }
        }
    });
}

#[test]
fn a_name_that_is_not_utf8_is_shown_with_replacements() {
    use std::os::unix::ffi::OsStrExt;
    isolated(|| {
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
        let mut add = std::process::Command::new("ip");
        let status = add.args(["link", "add"]).arg(name).args(["index", "77", "type", "bridge"]).status();
        assert!(status.unwrap().success());
        let host = Host::open().unwrap();
        assert_eq!(host.interface_names(InterfaceIndex(77)).unwrap().name, "caf\u{fffd}");
    });
}

#[test]
fn an_interface_moves_to_another_namespace() {
    let (here, there) = (NetNs::new(), NetNs::new());
    let _ = here.sh("ip link add e0 index 60 type veth peer name e1");
    let [host, other] = [&here, &there].map(|netns| netns.run(|| Host::open().unwrap()));
    // The calling thread is in neither namespace from here on.
    let before = named(&host, "e0");
    let _ = here.sh(&format!("ip link set e0 netns {}", there.path()));
    assert_eq!(host.interface_names(before.luid).unwrap_err().kind(), ErrorKind::InterfaceNotFound);
    let after = other.interface_names(before.luid).unwrap();
    assert_eq!((after.index, after.name.as_str()), (before.index, "e0"));
    assert_ne!(after.guid, before.guid, "a virtual interface has a GUID for each namespace");
}
