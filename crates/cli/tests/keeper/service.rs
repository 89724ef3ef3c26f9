//! The service's unit: each line is explained, and what it allows is enough.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{Folder, command};
use iphelper_testkit::{NetNs, eventually, run, sysctl, try_run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn unit() -> String {
    std::fs::read_to_string(repository("packaging/systemd/iphelper-keeper.service")).unwrap()
}

fn lines_of_service() -> Vec<String> {
    let unit = unit();
    let service = unit.split("[Service]").nth(1).unwrap().split("[Install]").next().unwrap();
    service.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn each_line_is_explained_once() {
    let text = std::fs::read_to_string(repository("docs/keeper.md")).unwrap();
    let rows: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).collect();
    let lines = lines_of_service();
    for line in &lines {
        let count = rows.iter().filter(|(name, why)| name == line && why.len() > 5).count();
        assert_eq!(count, 1, "{line} in docs/keeper.md");
    }
    let explained = rows.iter().filter(|(name, _)| name.contains('=')).count();
    assert_eq!(explained, lines.len(), "no line is explained that is not there");
    for hidden in ["ProtectKernelTunables", "ProtectProc", "ProcSubset", "PrivateNetwork", "PrivateUsers"] {
        assert!(!unit().contains(hidden), "{hidden} would take away what the keeper needs");
    }
}

#[test]
fn systemd_reads_the_unit() {
    let folder = Folder::new();
    let path = folder.0.join("iphelper-keeper.service");
    std::fs::write(
        &path,
        unit().replace("ExecStart=iph ", concat!("ExecStart=", env!("CARGO_BIN_EXE_iph"), " ")),
    )
    .unwrap();
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let ours: Vec<_> = text.lines().filter(|line| line.contains("iphelper-keeper")).collect();
            assert_eq!(ours, [""; 0]);
        }
        Err(error) => eprintln!("skipped: systemd-analyze does not run here: {error}"),
    }
}

/// Some hosts have their network before `sysinit.target`, for which services wait unless they say otherwise: one that
/// comes before the network would wait for itself, and systemd drop one of the two.
#[test]
fn the_units_come_before_the_earliest_network() {
    let folder = Folder::new();
    let network = "[Unit]\nDefaultDependencies=no\nAfter=network-pre.target\nBefore=sysinit.target\n\
                   [Service]\nType=oneshot\nExecStart=/bin/true\n";
    let ours = ["iphelper-keeper.service", "iphelper-port-reservations.service"];
    let all = format!("[Unit]\nRequires=sysinit.target early-network.service {}\n", ours.join(" "));
    let write = |name: &str, text: &str| std::fs::write(folder.0.join(name), text).unwrap();
    write("early-network.service", network);
    write("all.target", &all);
    for name in ours {
        write(name, &std::fs::read_to_string(repository("packaging/systemd").join(name)).unwrap());
    }
    let cycles = || {
        let verify = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(folder.0.join("all.target"))
            .output()
            .inspect_err(|error| eprintln!("skipped: systemd-analyze does not run here: {error}"));
        let text = String::from_utf8(verify.ok()?.stderr).unwrap();
        Some(
            text.lines()
                .filter(|line| line.contains("ordering cycle"))
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    };
    let Some(found) = cycles() else { return };
    assert_eq!(found, [""; 0]);
    let waiting = unit().replace("DefaultDependencies=no\n", "");
    write(ours[0], &waiting);
    assert_ne!(cycles().unwrap(), [""; 0], "it would be seen");
}

/// The service's user and capabilities, without the rest of systemd's fences.
fn as_the_service(iph: &Command) -> Command {
    let mut setpriv = Command::new("setpriv");
    let _ = setpriv
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"])
        .args(["--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw"])
        .arg("--bounding-set=-all,+net_admin,+net_raw")
        .arg(iph.get_program())
        .args(iph.get_args());
    let _ = setpriv.stdin(Stdio::null());
    setpriv
}

#[test]
fn two_capabilities_are_enough() {
    let (router, peer) = (NetNs::new(), NetNs::new());
    router.veth("lan", &peer, "eth");
    let _ = router.sh("ip address add 2001:db8:7::1/64 dev lan nodad");
    router.run(|| {
        let probe = support::run(&mut as_the_service(&command("--version")));
        if probe.code != Some(0) {
            eprintln!("skipped: this user cannot become another one: {}", probe.stderr);
            return;
        }
        let folder = Folder::new();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&folder.0, mode).unwrap();
        let keeper = command(&format!("keeper --status-directory {}", folder.0.display()));
        let mut keeper = as_the_service(&keeper).stdout(Stdio::null()).spawn().unwrap();
        let set = "interface set lan --ipv6 --forwarding true --advertising true --advertise-default-route true \
                   --disable-default-routes true";
        // Sysctls among it, written by the same user with the same capabilities.
        eventually("the keeper runs, and the change is done", || {
            support::run(&mut as_the_service(&command(set))).code == Some(0)
        });
        assert_eq!(sysctl("ipv6/conf/lan/forwarding"), "1");
        eventually("the peer has a default route", || {
            peer.sh("ip -6 route show default").contains("proto ra")
        });
        let _ = try_run("nft flush ruleset");
        eventually("the filter is back", || run("nft list tables").contains("inet iphelper\n"));
        let pid = rustix::process::Pid::from_raw(i32::try_from(keeper.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert_eq!(keeper.wait().unwrap().code(), Some(0));
        eventually("the default route is withdrawn", || {
            !peer.sh("ip -6 route show default").contains("proto ra")
        });
    });
}
