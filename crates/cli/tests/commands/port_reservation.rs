//! `iph port-reservation`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{Folder, command, iph, unprivileged};
use iphelper_testkit::{NetNs, isolated, set_sysctl, sysctl, with_private_folder};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LIST: &str = "ipv4/ip_local_reserved_ports";

fn with_records(work: impl FnOnce() + Send) {
    with_private_folder("/var/lib", || isolated(work));
}

#[test]
fn ranges_are_added_listed_and_given_up() {
    with_records(|| {
        set_sysctl(LIST, "22");
        let planned = unprivileged("port-reservation add tcp 50000-50009 --dry-run --json").expect(0);
        assert_eq!(planned.stderr, "dry run: nothing was reserved\n");
        let planned: serde_json::Value = serde_json::from_str(&planned.stdout).unwrap();
        assert_eq!(planned[0]["token"], serde_json::Value::Null);
        assert_eq!(
            (sysctl(LIST).as_str(), iph("port-reservation list --json").ok().as_str()),
            ("22", "[]\n")
        );

        let added = iph("port-reservation add tcp 50000-50009 --json").json();
        assert_eq!(sysctl(LIST), "22,50000-50009");
        assert_eq!(
            (&added[0]["protocol"], &added[0]["first"], &added[0]["last"]),
            (&"tcp".into(), &50000.into(), &50009.into())
        );
        assert!(added[0]["token"].is_string() && added[0]["is_in_force"] == true);
        let text = iph("port-reservation add udp 53").ok();
        assert!(text.contains("UDP") && text.contains("53") && text.contains("yes"), "{text}");
        let rows = unprivileged("port-reservation list --json").json();
        assert_eq!((rows.as_array().unwrap().len(), &rows[0]), (2, &added[0]));

        let message = iph("port-reservation add tcp 50009-50010").message(1);
        assert!(message.contains("50000-50009"), "{message}");
        let message = iph("port-reservation add udp 1-22").message(1);
        assert!(message.contains("net.ipv4.ip_local_reserved_ports"), "{message}");
        let _ = unprivileged("port-reservation add tcp 7").message(4);
        let folder = "/var/lib/iphelper/port-reservations";
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o777)).unwrap();
        let message = iph("port-reservation add tcp 7").message(4);
        assert!(
            message
                .trim_end()
                .ends_with(&format!("{folder} is not root's alone: chown root:root and chmod 755 it")),
            "{message}"
        );
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        let _ = unprivileged("port-reservation delete udp 53").message(4);
        assert!(iph("port-reservation delete tcp 53").message(3).contains("exactly TCP 53"));
        let _ = iph("port-reservation delete TCP 50000-50009 --dry-run").ok();
        for words in ["add tcp 0", "add tcp 9-8", "add tcp 65536", "add tcp", "add sctp 7", "delete udp x"] {
            let _ = iph(&format!("port-reservation {words}")).expect(2);
        }

        assert_eq!(iph("port-reservation delete tcp 50000-50009 --dry-run --json").json(), added);
        assert_eq!(sysctl(LIST), "22,53,50000-50009");
        assert_eq!(iph("port-reservation delete tcp 50000-50009 --json").json(), added);
        let _ = iph("port-reservation delete udp 53").ok();
        assert_eq!(sysctl(LIST), "22");
    });
}

#[test]
fn what_somebody_overwrote_is_restored() {
    with_records(|| {
        let _ = iph("port-reservation add tcp 50000-50009").ok();
        set_sysctl(LIST, "22");
        assert_eq!(iph("port-reservation list --json").json()[0]["is_in_force"], false);
        assert!(iph("port-reservation list").expect(0).stderr.contains("port-reservation restore"));
        assert_eq!(unprivileged("port-reservation restore --dry-run --json").json()[0]["first"], 50000);
        let warnings = || unprivileged("doctor --json").json()["warnings"].to_string();
        assert!(warnings().contains("TCP ports 50000-50009 are reserved, and given out"), "{}", warnings());
        assert_eq!(sysctl(LIST), "22");
        assert_eq!(iph("port-reservation restore --json").json()[0]["is_in_force"], true);
        assert_eq!(sysctl(LIST), "22,50000-50009");
        assert_eq!(iph("port-reservation restore --json").json(), serde_json::json!([]));
        assert_eq!(warnings(), "[]");
    });
}

/// Many programs at once: each reserves its own ranges and gives half of them up, while an administrator's stay.
#[test]
fn programs_that_write_at_once_do_not_tear_the_list() {
    const PROGRAMS: u16 = 6;
    const EACH: u16 = 8;
    with_private_folder("/var/lib", || {
        let namespace = NetNs::new();
        namespace.run(|| set_sysctl(LIST, "22,8000-8003"));
        std::thread::scope(|scope| {
            for program in 0..PROGRAMS {
                let namespace = &namespace;
                let _ = scope.spawn(move || {
                    namespace.run(|| {
                        for number in 0..EACH {
                            let port = 20_000 + 2 * (number * PROGRAMS + program);
                            let protocol = if program % 2 == 0 { "tcp" } else { "udp" };
                            let _ = iph(&format!("port-reservation add {protocol} {port}")).ok();
                            if number % 2 == 1 {
                                let _ = iph(&format!("port-reservation delete {protocol} {port}")).ok();
                            }
                        }
                    });
                });
            }
        });
        namespace.run(|| {
            let kept = (0..EACH).step_by(2).flat_map(|number| {
                (0..PROGRAMS).map(move |program| (20_000 + 2 * (number * PROGRAMS + program)).to_string())
            });
            let expected: Vec<_> =
                ["22".to_owned(), "8000-8003".to_owned()].into_iter().chain(kept).collect();
            let file = std::fs::File::open(format!("/proc/sys/net/{LIST}")).unwrap();
            // The kernel gives no more than the first read takes.
            let mut bytes = [0; 8192];
            let len = std::os::unix::fs::FileExt::read_at(&file, &mut bytes, 0).unwrap();
            assert_eq!(std::str::from_utf8(&bytes[..len]).unwrap().trim_end(), expected.join(","));
            let rows = iph("port-reservation list --json").json();
            let rows = rows.as_array().unwrap();
            assert_eq!(rows.len(), usize::from(PROGRAMS * EACH / 2));
            let tokens: std::collections::BTreeSet<_> =
                rows.iter().map(|row| row["token"].to_string()).collect();
            assert_eq!(tokens.len(), rows.len(), "each has its own");
        });
    });
}

fn unit() -> (PathBuf, String) {
    let name = "packaging/systemd/iphelper-port-reservations.service";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    (path.clone(), std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_unit_is_read_by_systemd() {
    let folder = Folder::new();
    let path = folder.0.join("iphelper-port-reservations.service");
    std::fs::write(
        &path,
        unit().1.replace("ExecStart=iph ", concat!("ExecStart=", env!("CARGO_BIN_EXE_iph"), " ")),
    )
    .unwrap();
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let ours: Vec<_> = text.lines().filter(|line| line.contains("iphelper")).collect();
            assert_eq!(ours, [""; 0]);
        }
        Err(error) => eprintln!("skipped: systemd-analyze does not run here: {error}"),
    }
}

/// Its command, as root with the one capability that the unit leaves, which sees the rest of the files read-only.
#[test]
fn what_the_unit_allows_is_enough() {
    with_records(|| {
        let unit = unit().1;
        let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=iph ")).unwrap();
        assert!(unit.contains("CapabilityBoundingSet=CAP_NET_ADMIN\n"), "one capability");
        let _ = iph("port-reservation add tcp 50000-50009").ok();
        set_sysctl(LIST, "22");
        let iph = command(start);
        let mut service = Command::new("setpriv");
        let _ = service
            .args(["--no-new-privs", "--inh-caps=-all,+net_admin", "--bounding-set=-all,+net_admin"])
            .arg(iph.get_program())
            .args(iph.get_args())
            .stdin(Stdio::null());
        let _ = support::run(&mut service).ok();
        assert_eq!(sysctl(LIST), "22,50000-50009");
    });
}
