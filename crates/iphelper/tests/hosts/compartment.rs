//! Compartments: their numbers, names, processes, and threads that move.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use iphelper::compartment::{
    CompartmentId, OpenCompartment, compartments, current_thread_compartment, default_compartment,
    process_compartment, session_compartment, set_current_thread_compartment,
};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{
    NetNs, as_nobody, eventually, forked, in_child, isolated, run, try_run, unprivileged, with_private_folder,
};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

/// The number in `net:[4026531833]`, as `readlink` tells it.
fn inode_of_thread() -> u32 {
    let link = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
    let link = link.to_str().unwrap();
    link.strip_prefix("net:[").and_then(|rest| rest.strip_suffix(']')).unwrap().parse().unwrap()
}

fn inode(path: &str) -> Option<u64> {
    std::fs::metadata(path).ok().map(|file| file.ino())
}

/// A program that waits in this thread's namespace, until dropped.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        // Ends with its standard input, however this test ends.
        let mut command = Command::new("cat");
        let _ = command.stdin(Stdio::piped()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_number_is_the_same_to_every_process_and_to_other_programs() {
    isolated(|| {
        let id = current_thread_compartment().unwrap();
        assert_eq!(id.0, inode_of_thread());
        assert_eq!(Host::open().unwrap().compartment_id().unwrap(), id);
        assert_eq!(OpenCompartment::current().unwrap().id(), id);
        let sleeper = Sleeper::start();
        assert_eq!(process_compartment(sleeper.0.id()).unwrap(), id);
        assert_eq!(OpenCompartment::of_process(sleeper.0.id()).unwrap().id(), id);
        let rows = compartments().unwrap();
        let row = rows.iter().find(|row| row.id == id).unwrap();
        assert!(row.is_current);
        assert_eq!(row.inode, Some(id.0.into()));
        assert!(row.processes.contains(&sleeper.0.id()) && row.processes.contains(&std::process::id()));
        assert_eq!(rows.iter().filter(|row| row.is_current).count(), 1);
        assert!(rows.is_sorted_by_key(|row| row.id));
        // Who may do nothing is told the same of what is its own.
        unprivileged(|| {
            assert_eq!(current_thread_compartment().unwrap(), id);
            assert_eq!(process_compartment(sleeper.0.id()).unwrap(), id);
        });
        let other = NetNs::new();
        let others = other.run(|| current_thread_compartment().unwrap());
        assert_ne!(others, id);
        assert_eq!(Host::open_namespace(other.descriptor()).unwrap().compartment_id().unwrap(), others);
    });
}

#[test]
fn the_primary_one_is_known_by_others_where_process_1_is_closed() {
    // Its first thread stays where it began, and is in the caller's user namespace.
    let process = std::process::id();
    isolated(|| {
        let view = |process: u32| inode(&format!("/proc/{process}/net/snmp"));
        if inode("/proc/1/ns/net").is_some() || view(1) != view(process) {
            return eprintln!("skipped: process 1 can be looked into, or is elsewhere");
        }
        let primary = CompartmentId::PRIMARY;
        assert_eq!(process_compartment(process).unwrap(), primary);
        assert_eq!(OpenCompartment::of_process(process).unwrap().id(), primary);
        assert_eq!(OpenCompartment::open(primary).unwrap().id(), primary);
        let rows = compartments().unwrap();
        for process in [1, process] {
            let of = rows.iter().filter(|row| row.processes.contains(&process)).map(|row| row.id);
            let of: Vec<_> = of.collect();
            assert!(of.contains(&primary) && (process != 1 || of.len() == 1), "{process}: {of:?}");
        }
    });
}

#[test]
fn the_primary_one_is_that_of_process_1() {
    const TEST: &str = "compartment::the_primary_one_is_that_of_process_1";
    let wrapper = ["unshare", "--net", "--pid", "--fork", "--mount", "--mount-proc"];
    in_child(TEST, &wrapper, || {
        // This process is 1.
        let primary = CompartmentId::PRIMARY;
        assert_eq!(default_compartment().unwrap(), primary);
        assert_eq!(current_thread_compartment().unwrap(), primary);
        assert_eq!(process_compartment(1).unwrap(), primary);
        let host = Host::open().unwrap();
        assert_eq!(host.compartment_id().unwrap(), primary);
        let here = inode_of_thread();
        isolated(|| {
            assert_eq!(host.compartment_id().unwrap(), primary);
            let id = current_thread_compartment().unwrap();
            assert_eq!(id.0, inode_of_thread());
            let rows = compartments().unwrap();
            assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [primary, id]);
            assert_eq!(rows[0].inode, Some(here.into()));
            assert_eq!(rows[0].processes, [1]);
            assert_eq!(rows[1].processes, [1], "a thread of it");
            // By its number the thread finds back.
            let left = set_current_thread_compartment(primary).unwrap();
            assert_eq!((inode_of_thread(), left.id()), (here, id));
        });
        // Another process that may not look into process 1 knows it all the same, and where it is.
        let sleeper = Sleeper::start();
        let told = as_nobody(&[], || {
            forked(|| {
                let processes = &compartments().unwrap()[0].processes;
                assert!(std::fs::read_link("/proc/1/ns/net").is_err(), "may look into it");
                assert_eq!(current_thread_compartment().unwrap(), primary);
                assert_eq!(process_compartment(1).unwrap(), primary);
                assert_eq!(processes, &[1, sleeper.0.id(), std::process::id()]);
                true
            })
        });
        assert_ne!(told, Some(false), "as seen from the same namespace");
        let elsewhere = NetNs::new();
        let told = elsewhere.run(|| {
            as_nobody(&[], || {
                forked(|| {
                    assert_eq!(process_compartment(1).unwrap(), primary);
                    let rows = compartments().unwrap();
                    assert_eq!((rows[0].id, rows[0].inode), (primary, None), "not for everybody");
                    assert_eq!(rows.len(), 2);
                    let error = OpenCompartment::open(primary).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
                    true
                })
            })
        });
        assert_ne!(told, Some(false), "as seen from another namespace");
    });
}

#[test]
fn names_and_other_mounts_are_found() {
    with_private_folder("/run", || {
        isolated(|| {
            let _ = run("ip netns add blue");
            std::fs::create_dir("/run/a folder").unwrap();
            std::fs::write("/run/a folder/it", "").unwrap();
            let mounted =
                Command::new("mount").args(["--bind", "/run/netns/blue", "/run/a folder/it"]).status();
            assert!(mounted.unwrap().success());
            let blue = OpenCompartment::named("blue").unwrap();
            let number = run("stat -L -c %i /run/netns/blue");
            assert_eq!(blue.id().to_string(), number.trim());
            let rows = compartments().unwrap();
            let row = rows.iter().find(|row| row.id == blue.id()).unwrap();
            assert_eq!(row.names, ["blue"]);
            assert_eq!(row.paths, [std::path::Path::new("/run/a folder/it")]);
            assert!(row.processes.is_empty() && !row.is_current);

            // Opened by number, it is the same network.
            let _ = run("ip netns exec blue ip link add name in-blue type veth peer name other");
            let host = OpenCompartment::open(blue.id()).unwrap().host().unwrap();
            let rows = host.interfaces(iphelper::interface::InterfaceLevel::Normal).unwrap();
            assert!(rows.iter().any(|row| row.name == "in-blue"));
            assert_eq!(host.compartment_id().unwrap(), blue.id());

            assert_eq!(OpenCompartment::named("green").unwrap_err().kind(), ErrorKind::NotFound);
            std::fs::write("/run/netns/file", "").unwrap();
            assert_eq!(OpenCompartment::named("file").unwrap_err().kind(), ErrorKind::NotFound);
            for name in ["", "..", "a/b", "../netns/blue", "a\0b"] {
                assert_eq!(
                    OpenCompartment::named(name).unwrap_err().kind(),
                    ErrorKind::InvalidName,
                    "{name:?}"
                );
            }
        });
    });
}

#[test]
fn a_namespace_gets_a_name_and_is_kept_by_it() {
    with_private_folder("/run", || {
        isolated(|| {
            let other = NetNs::new();
            let _ = other.run(|| run("ip link add name inside type veth peer name other"));
            let there = other.run(|| OpenCompartment::current().unwrap());
            unprivileged(|| {
                assert_eq!(there.set_name("late").unwrap_err().kind(), ErrorKind::AccessDenied);
            });
            assert!(!std::fs::exists("/run/netns/late").unwrap(), "nothing is left");
            there.set_name("late").unwrap();
            there.set_name("late").unwrap();
            assert!(run("ip netns list").contains("late"));
            assert_eq!(run("stat -L -c %i /run/netns/late").trim(), there.id().to_string());
            // What `ip netns` makes beside it, and a second name.
            let _ = run("ip netns add blue");
            there.set_name("later").unwrap();
            let row = || compartments().unwrap().into_iter().find(|row| row.id == there.id());
            assert_eq!(row().unwrap().names, ["late", "later"]);
            assert_eq!(there.set_name("blue").unwrap_err().kind(), ErrorKind::AlreadyExists);
            for name in ["", "..", "a/b"] {
                assert_eq!(there.set_name(name).unwrap_err().kind(), ErrorKind::InvalidName, "{name:?}");
            }
            drop(other);
            assert!(run("ip netns exec late ip -o link").contains("inside"), "its name keeps it");
            for name in ["late", "later", "blue"] {
                let _ = run(&format!("ip netns delete {name}"));
            }
            assert_eq!(std::fs::read_dir("/run/netns").unwrap().count(), 0);
            // A thread that has ended is seen in it for a moment.
            eventually("only a descriptor has it", || row().is_none());
        });
    });
}

#[test]
fn a_thread_moves_alone_and_finds_back() {
    isolated(|| {
        let _ = run("ip link add name first-a type veth peer name first-b");
        let (first, before) = (current_thread_compartment().unwrap(), Host::open().unwrap());
        let other = NetNs::new();
        // By its number alone: the namespace is kept by a process.
        let sleeper = other.run(Sleeper::start);
        let there = process_compartment(sleeper.0.id()).unwrap();
        let moved = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let _ = scope.spawn(move || moved.0.send(current_thread_compartment().unwrap()));
            let left = set_current_thread_compartment(there).unwrap();
            assert_eq!(left.id(), first);
            assert_eq!(moved.1.recv().unwrap(), first, "another thread stays");
            assert_eq!(inode_of_thread(), there.0);
            // What others see of this thread.
            assert!(!run("ip -o link").contains("first-a"));
            let names = |host: &Host| {
                let rows = host.interfaces(iphelper::interface::InterfaceLevel::Normal).unwrap();
                rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
            };
            assert_eq!(names(&Host::open().unwrap()), ["lo"]);
            assert!(names(&before).contains(&"first-a".to_owned()), "a host stays");
            assert_eq!(left.enter().unwrap().id(), there);
            assert_eq!(inode_of_thread(), first.0);
        });
    });
}

#[test]
fn moving_needs_a_privilege_and_staying_none() {
    isolated(|| {
        let here = current_thread_compartment().unwrap();
        let other = NetNs::new();
        let sleeper = other.run(Sleeper::start);
        unprivileged(|| {
            let there = process_compartment(sleeper.0.id());
            let error = match there {
                Ok(there) => set_current_thread_compartment(there).unwrap_err(),
                // A process with more capabilities than the caller is not to be looked into.
                Err(error) => error,
            };
            assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            assert_eq!(set_current_thread_compartment(here).unwrap().id(), here);
        });
        let error = OpenCompartment::open(CompartmentId::UNSPECIFIED).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        for absent in [2, 4_026_531_000, u32::MAX] {
            let error = OpenCompartment::open(CompartmentId(absent)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    });
}

#[test]
fn a_guid_names_one_compartment() {
    isolated(|| {
        let id = current_thread_compartment().unwrap();
        let guid = id.guid();
        assert_eq!(CompartmentId::from_guid(guid).unwrap(), id);
        assert_eq!(compartments().unwrap().iter().find(|row| row.id == id).unwrap().guid, guid);
        let other = NetNs::new();
        let others = other.run(|| current_thread_compartment().unwrap()).guid();
        assert_ne!(others, guid);
        // It is known by number to nobody who cannot see it: only a descriptor has it.
        // A thread that has ended is seen in it for a moment.
        eventually("nobody is there", || CompartmentId::from_guid(others).is_err());
        assert_eq!(CompartmentId::from_guid(others).unwrap_err().kind(), ErrorKind::NotFound);
        assert_ne!(guid, CompartmentId::PRIMARY.guid());
    });
}

#[test]
fn a_session_is_where_its_leader_is() {
    isolated(|| {
        let id = current_thread_compartment().unwrap();
        let mut leader = Command::new("setsid");
        let _ = leader.args(["--wait", "sh", "-c", "echo $$; read line"]);
        let mut leader = leader.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut number = String::new();
        let mut output = std::io::BufReader::new(leader.stdout.take().unwrap());
        let _ = std::io::BufRead::read_line(&mut output, &mut number).unwrap();
        let session: u32 = number.trim().parse().unwrap();
        assert_eq!(session_compartment(Some(session)).unwrap(), id);
        // A process that leads no session, and none at all.
        let sleeper = Sleeper::start();
        assert_eq!(session_compartment(Some(sleeper.0.id())).unwrap_err().kind(), ErrorKind::NotFound);
        drop(leader.stdin.take());
        let _ = leader.wait();
        assert_eq!(session_compartment(Some(session)).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(session_compartment(Some(0)).unwrap_err().kind(), ErrorKind::NotFound);
        // This program's own; where it runs without one, or its leader has ended, that is said.
        let own = try_run(&format!("ps -o sid= -p {}", std::process::id()));
        match session_compartment(None) {
            Ok(found) => {
                let leader: u32 = own.unwrap().trim().parse().unwrap();
                assert_eq!(found, process_compartment(leader).unwrap());
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AccessDenied), "{error}");
            }
        }
    });
}
