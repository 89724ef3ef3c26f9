//! A keeper that a program starts because it may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use iphelper::keeper::{KeeperOptions, KeeperStart};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{eventually, isolated, run, try_run, unprivileged};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use support::Folder;

iphelper_testkit::private_user_namespace!();

fn options(folder: &Folder) -> KeeperOptions {
    let mut options = KeeperOptions::default();
    options.status_directory = folder.0.clone();
    options
}

fn program(path: &str, folder: &Folder) -> KeeperStart {
    KeeperStart::Program { path: path.into(), options: options(folder) }
}

#[test]
fn it_is_started_once_and_works_on() {
    isolated(|| {
        let folder = Folder::new();
        let host = Host::open().unwrap();
        let start = program(env!("CARGO_BIN_EXE_iph"), &folder);
        assert_eq!(host.keeper_runs().unwrap(), Some(false));
        assert!(host.ensure_keeper(&start).unwrap(), "it was started");
        assert_eq!(host.keeper_runs().unwrap(), Some(true));
        assert!(!host.ensure_keeper(&start).unwrap(), "one runs");
        // Another namespace has its own.
        isolated(|| assert_eq!(Host::open().unwrap().keeper_runs().unwrap(), Some(false)));
        let status = || host.keeper_status(&options(&folder)).unwrap();
        eventually("it tells of itself", || status().is_some());
        let process = status().unwrap().process;
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap();
        assert!(environment.is_empty(), "nothing of this program's environment");
        let group = run(&format!("ps -o pgid= -p {process}"));
        assert_eq!(group.trim(), process.to_string(), "no signal of this program's terminal");
        kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
        eventually("it has ended", || host.keeper_runs().unwrap() == Some(false));
        let gone = || std::fs::metadata(format!("/proc/{process}")).is_err();
        eventually("it is not left in the list of processes", gone);
    });
}

#[test]
fn what_cannot_be_started_is_told() {
    isolated(|| {
        let folder = Folder::new();
        let host = Host::open().unwrap();
        let refused = |start: &KeeperStart| host.ensure_keeper(start).unwrap_err();
        assert_eq!(refused(&program("iph", &folder)).kind(), ErrorKind::InvalidParameter);
        assert_eq!(refused(&program("/nonexistent/iph", &folder)).kind(), ErrorKind::NotFound);
        assert_eq!(refused(&program("/", &folder)).kind(), ErrorKind::AccessDenied);
        let ended = refused(&program("/bin/false", &folder));
        assert_eq!(ended.kind(), ErrorKind::Other, "{ended}");
        for unit in ["", "-H evil", "a b", "a;b", "../x"] {
            assert_eq!(
                refused(&KeeperStart::Unit(unit.to_owned())).kind(),
                ErrorKind::InvalidParameter,
                "{unit}"
            );
        }
        unprivileged(|| {
            let start = program(env!("CARGO_BIN_EXE_iph"), &folder);
            let host = Host::open().unwrap();
            assert_eq!(host.ensure_keeper(&start).unwrap_err().kind(), ErrorKind::AccessDenied);
        });
        assert_eq!(host.keeper_runs().unwrap(), Some(false));
    });
}

#[test]
#[ignore = "the child of the next test"]
fn started_by_a_program_with_more_rights() {
    isolated(|| {
        let folder = Folder::new();
        let refused = Host::open().unwrap().ensure_keeper(&program(env!("CARGO_BIN_EXE_iph"), &folder));
        eprintln!("refused: {}", refused.unwrap_err());
    });
}

#[test]
fn a_set_user_id_program_starts_nothing() {
    let folder = Folder::new();
    let copy = folder.0.join("program");
    let _ = std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    for (path, mode) in [(&folder.0, 0o755), (&copy, 0o4755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    if try_run("setpriv --reuid 65534 --clear-groups true").is_err() {
        eprintln!("skipped: this user namespace has no other user");
        return;
    }
    let mut command = Command::new("setpriv");
    let command = command.args(["--reuid", "65534", "--clear-groups"]).arg(&copy);
    let command =
        command.args(["--ignored", "--exact", "started_by_a_program_with_more_rights", "--nocapture"]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("user namespace") || told.contains("namespace (as root") {
        eprintln!("skipped: set-user-ID has no effect here ({told})");
        return;
    }
    assert!(told.contains("has more rights than who started it"), "{output:?}");
}
