//! Callers that are killed at each step, and starts of the computer.

use super::record::Key;
use super::*;
use crate::backend::linux::socket::killed;
use iphelper_testkit::{isolated, new_folder, set_sysctl, sysctl};
use std::path::{Path, PathBuf};

const LIST: &str = "ipv4/ip_local_reserved_ports";
const TCP: PortProtocol = PortProtocol::Tcp;
const UDP: PortProtocol = PortProtocol::Udp;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = new_folder(&format!("ports-{name}"));
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self(path)
    }

    fn store(&self, boot: &str) -> Store {
        Store::in_folder(&self.0, Key { cookie: None, boot: boot.to_owned() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn range(text: &str) -> PortRange {
    text.parse().unwrap()
}

/// The kernel's list, which it cuts off where the first read ends.
fn listed() -> Ports {
    let file = std::fs::File::open(format!("/proc/sys/net/{LIST}")).unwrap();
    let mut bytes = vec![0; 1 << 20];
    let len = std::os::unix::fs::FileExt::read_at(&file, &mut bytes, 0).unwrap();
    Ports::parse(std::str::from_utf8(&bytes[..len]).unwrap()).unwrap()
}

/// Runs `work` with one write more each time, until it is not killed any more; `check` looks at what it left.
fn killed_at_each_step(
    name: &str,
    foreign: &str,
    prepare: impl Fn(&LinuxHost, &Store) + Sync,
    work: impl Fn(&LinuxHost, &Store) + Sync,
    check: impl Fn(&Record) -> bool + Sync,
) {
    let folder = Folder::new(name);
    let mut outcomes = Vec::new();
    for writes in 0.. {
        let (died, happened) = isolated(|| {
            let host = LinuxHost::open().unwrap();
            let store = folder.store("a");
            let _ = std::fs::remove_file(folder.0.join("host"));
            host.replace(&Ports::parse(foreign).unwrap()).unwrap();
            prepare(&host, &store);
            let ((), died) = killed::after(writes, || work(&host, &store));
            // Somebody else comes, and wants nothing of it.
            let _ = host.create_in(&store, UDP, range("60000")).unwrap();
            let record = store.read().unwrap().unwrap();
            assert_eq!(record.deletion, None);
            let expected = Ports::parse(foreign).unwrap().union(&record.ports());
            assert!(listed() == expected, "killed after {writes} writes");
            (died, check(&record))
        });
        outcomes.push(happened);
        if !died {
            break;
        }
    }
    assert_eq!(outcomes.first(), Some(&false), "nothing was written");
    assert_eq!(outcomes.last(), Some(&true), "all was");
    assert!(outcomes.is_sorted() && outcomes.len() > 2, "never undone again: {outcomes:?}");
}

fn long_list() -> String {
    let ports: Vec<_> = (2000..6000).step_by(2).map(|port: u16| port.to_string()).collect();
    ports.join(",")
}

#[test]
fn a_reservation_whose_maker_is_killed_is_made_or_not() {
    for foreign in ["", "22,8003", &long_list()] {
        killed_at_each_step(
            "create",
            foreign,
            |_, _| {},
            |host, store| drop(host.create_in(store, TCP, range("9000-9009"))),
            |record| record.find(TCP, range("9000-9009")).is_some(),
        );
    }
}

#[test]
fn a_deletion_whose_maker_is_killed_is_done_or_not() {
    for foreign in ["", "22,8003", &long_list()] {
        killed_at_each_step(
            "delete",
            foreign,
            |host, store| {
                for (protocol, ports) in [(TCP, "9000-9009"), (UDP, "9005-9020")] {
                    let _ = host.create_in(store, protocol, range(ports)).unwrap();
                }
            },
            |host, store| drop(host.delete_in(store, TCP, range("9000-9009"))),
            |record| record.find(TCP, range("9000-9009")).is_none(),
        );
    }
}

#[test]
fn a_start_of_the_computer_puts_reservations_back_and_keeps_what_others_have() {
    let folder = Folder::new("boot");
    let token = isolated(|| {
        let host = LinuxHost::open().unwrap();
        let made = host.create_in(&folder.store("a"), TCP, range("9000-9009")).unwrap();
        let _ = host.create_in(&folder.store("a"), UDP, range("9005-9009")).unwrap();
        made.token
    });
    // As after a start: nothing of ours is in the list, and an administrator's file has put something there.
    isolated(|| {
        set_sysctl(LIST, "22,9003-9006");
        let host = LinuxHost::open().unwrap();
        let store = folder.store("b");
        let back = host.restore_in(&store).unwrap();
        assert_eq!(
            back.iter().map(|row| row.ports.to_string()).collect::<Vec<_>>(),
            ["9000-9009", "9005-9009"]
        );
        assert!(back.iter().all(|row| row.is_in_force) && back.iter().any(|row| row.token == token));
        assert_eq!(sysctl(LIST), "22,9000-9009");
        assert!(host.restore_in(&store).unwrap().is_empty(), "once");
        // What the administrator has stays when ours go, one after the other.
        let _ = host.delete_in(&store, TCP, range("9000-9009")).unwrap();
        assert_eq!(sysctl(LIST), "22,9003-9009");
        let refused = host.create_in(&store, TCP, range("9006")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InUse, "{refused}");
        let _ = host.delete_in(&store, UDP, range("9005-9009")).unwrap();
        assert_eq!(sysctl(LIST), "22,9003-9006");
        // No token comes again.
        let again = host.create_in(&store, TCP, range("9100")).unwrap();
        assert_eq!(again.token, token.map(|token| token.wrapping_add(2)));
    });
}

#[test]
fn what_somebody_else_has_of_our_ports_stays_when_ours_go() {
    let folder = Folder::new("overwritten");
    isolated(|| {
        let host = LinuxHost::open().unwrap();
        let store = folder.store("a");
        for (protocol, ports) in [(TCP, "9000-9009"), (UDP, "9500")] {
            let _ = host.create_in(&store, protocol, range(ports)).unwrap();
        }
        // As `sysctl --system` does: another list, with some of ours.
        set_sysctl(LIST, "22,9005-9012");
        let back = host.restore_in(&store).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!(sysctl(LIST), "22,9000-9012,9500");
        let _ = host.delete_in(&store, TCP, range("9000-9009")).unwrap();
        assert_eq!(sysctl(LIST), "22,9005-9012,9500");
        // What they have no more goes.
        let _ = host.create_in(&store, TCP, range("9000-9004")).unwrap();
        set_sysctl(LIST, "9004");
        set_sysctl(LIST, "22");
        let _ = host.restore_in(&store).unwrap();
        let _ = host.delete_in(&store, TCP, range("9000-9004")).unwrap();
        assert_eq!(sysctl(LIST), "22,9500");
        // A reservation whose maker was killed is nobody else's.
        let is_recorded = || store.read().unwrap().unwrap().find(TCP, range("9600")).is_some();
        for writes in 0.. {
            let _ = killed::after(writes, || drop(host.create_in(&store, TCP, range("9600"))));
            if is_recorded() {
                break;
            }
        }
        assert_eq!((sysctl(LIST).as_str(), host.restore_in(&store).unwrap().len()), ("22,9500", 1));
        let _ = host.delete_in(&store, UDP, range("9500")).unwrap();
        assert_eq!(sysctl(LIST), "22,9600");
    });
}

#[test]
fn a_deletion_that_is_completed_late_takes_nothing_of_others() {
    for (writes, list, left) in [
        // Before the kernel's list was written, and after it.
        (1, "22,8003,9000-9009", "22,8003"),
        (1, "9003-9006", "9003-9006"),
        (1, "9000-9009", "9000-9009"),
        (2, "22,8003", "22,8003"),
        (2, "22,8003,9005", "22,8003,9005"),
    ] {
        let folder = Folder::new("late");
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let store = folder.store("a");
            set_sysctl(LIST, "22,8003");
            let _ = host.create_in(&store, TCP, range("9000-9009")).unwrap();
            let ((), died) = killed::after(writes, || drop(host.delete_in(&store, TCP, range("9000-9009"))));
            assert!(died && store.read().unwrap().unwrap().deletion.is_some());
            set_sysctl(LIST, list);
            assert!(host.restore_in(&store).unwrap().is_empty());
            assert_eq!(sysctl(LIST), left, "{writes} {list}");
            assert_eq!(store.read().unwrap().unwrap().deletion, None);
        });
    }
}

#[test]
fn records_of_namespaces_that_are_gone_are_swept() {
    let folder = Folder::new("sweep");
    isolated(|| {
        let host = LinuxHost::open().unwrap();
        let store = |cookie, boot: &str| {
            Store::in_folder(&folder.0, Key { cookie: Some(cookie), boot: boot.to_owned() })
        };
        let _ = host.create_in(&store(5, "a"), TCP, range("9000")).unwrap();
        let _ = host.create_in(&store(6, "a"), TCP, range("9001")).unwrap();
        set_sysctl(LIST, "\n");
        // The same cookie after a start is another namespace's.
        assert_eq!(store(5, "b").read().unwrap(), None);
        let _ = host.create_in(&store(5, "b"), TCP, range("9002")).unwrap();
        assert_eq!(sysctl(LIST), "9002");
        assert!(host.restore_in(&store(7, "b")).unwrap().is_empty());
        assert!(folder.0.join("5").exists() && !folder.0.join("6").exists());
        // The last one takes the record with it.
        let _ = host.delete_in(&store(5, "b"), TCP, range("9002")).unwrap();
        assert!(!folder.0.join("5").exists());
    });
}

#[test]
fn what_is_no_record_is_not_overwritten() {
    let folder = Folder::new("hostile");
    isolated(|| {
        let host = LinuxHost::open().unwrap();
        let store = folder.store("a");
        let path = folder.0.join("host");
        for content in [&b"rubbish"[..], b"", b"iphelper-port-reservations 2\nnamespace host\n", b"\xff\n"] {
            std::fs::write(&path, content).unwrap();
            let error = host.create_in(&store, TCP, range("9000")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Other, "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), content);
            assert_eq!(sysctl(LIST), "");
        }
        // Neither what somebody else may write to, nor a link.
        let writable = |path: &Path, mode| {
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        };
        std::fs::write(&path, Record::new(1).print(&Key { cookie: None, boot: "a".to_owned() })).unwrap();
        writable(&path, 0o666);
        assert_eq!(host.create_in(&store, TCP, range("9000")).unwrap_err().kind(), ErrorKind::AccessDenied);
        writable(&path, 0o644);
        writable(&folder.0, 0o777);
        assert_eq!(host.create_in(&store, TCP, range("9000")).unwrap_err().kind(), ErrorKind::AccessDenied);
        writable(&folder.0, 0o755);
        std::fs::rename(&path, folder.0.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert_eq!(host.create_in(&store, TCP, range("9000")).unwrap_err().kind(), ErrorKind::Other);
        std::fs::remove_file(&path).unwrap();
        let _ = host.create_in(&store, TCP, range("9000")).unwrap();
    });
}

#[test]
fn pieces_of_a_list_end_at_commas_and_lose_nothing() {
    assert_eq!(pieces("").collect::<Vec<_>>(), [""], "an empty list is written, too");
    assert_eq!(pieces("1,2").collect::<Vec<_>>(), ["1,2"]);
    let long = long_list();
    let parts: Vec<_> = pieces(&long).collect();
    assert!(parts.len() > 2 && parts.iter().all(|part| part.len() <= LONGEST_WRITE && !part.ends_with(',')));
    assert_eq!(parts.join(","), long);
}
