//! A keeper that a program starts because it may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::support::Folder;
use iphelper::keeper::{KeeperOptions, KeeperStart};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{eventually, isolated, run, try_run, unprivileged, with_empty_folders, with_file_at};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

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

/// Copies a program by another one: a child that this one starts meanwhile would keep the copy open for writing, and busy.
fn copy(from: &Path, to: &Path) {
    let _ = run(&format!("cp {} {}", from.display(), to.display()));
}

/// What stands in for systemd's program, in the eyes of one thread.
const SYSTEMCTL: &str = "/usr/bin/systemctl";

/// Runs `work` where `systemctl` is this script; its folder is `$FOLDER` in it.
fn with_systemctl(folder: &Folder, script: &str, work: impl FnOnce() + Send) {
    if std::fs::metadata(SYSTEMCTL).is_err() {
        eprintln!("skipped: there is no {SYSTEMCTL} to stand in for");
        return;
    }
    let path = folder.0.join("systemctl");
    let text = folder.0.join("text");
    std::fs::write(&text, format!("#!/bin/sh\nFOLDER={}\n{script}\n", folder.0.display())).unwrap();
    copy(&text, &path);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let _ = with_file_at(SYSTEMCTL, path.to_str().unwrap(), work);
}

fn unit() -> KeeperStart {
    KeeperStart::Unit("iphelper-keeper@test.service".to_owned())
}

#[test]
fn a_unit_is_started_by_its_name_and_nothing_else() {
    isolated(|| {
        let folder = Folder::new();
        let script = format!(
            "/usr/bin/printf '%s\\n' \"$@\" > $FOLDER/arguments
             /usr/bin/tr '\\0' '\\n' < /proc/$$/environ > $FOLDER/environment
             {} keeper --status-directory $FOLDER < /dev/null > /dev/null 2> /dev/null &
             echo $! > $FOLDER/process",
            env!("CARGO_BIN_EXE_iph")
        );
        with_systemctl(&folder, &script, || {
            let host = Host::open().unwrap();
            assert!(host.ensure_keeper(&unit()).unwrap(), "it was started");
            assert_eq!(host.keeper_runs().unwrap(), Some(true));
            let told = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
            let expected = "--no-ask-password\nstart\n--\niphelper-keeper@test.service\n";
            assert_eq!(told("arguments"), expected);
            assert_eq!(told("environment"), "", "nothing of this program's environment");
            std::fs::remove_file(folder.0.join("arguments")).unwrap();
            assert!(!host.ensure_keeper(&unit()).unwrap(), "one runs");
            assert!(!folder.0.join("arguments").exists(), "and nobody is asked");
            let process = told("process").trim().parse().unwrap();
            kill_process(Pid::from_raw(process).unwrap(), Signal::TERM).unwrap();
            eventually("it has ended", || host.keeper_runs().unwrap() == Some(false));
        });
    });
}

#[test]
fn a_unit_that_does_not_start_is_told() {
    isolated(|| {
        let folder = Folder::new();
        with_systemctl(&folder, "exit 5", || {
            let error = Host::open().unwrap().ensure_keeper(&unit()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Other, "{error}");
            assert!(error.to_string().contains("exit status: 5"), "{error}");
        });
        // It keeps another namespace, or nothing.
        with_systemctl(&folder, "exit 0", || {
            let error = Host::open().unwrap().ensure_keeper(&unit()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            assert!(error.to_string().contains("no keeper keeps this network namespace"), "{error}");
        });
        let _ = with_empty_folders(&["/usr/bin"], || {
            if std::fs::metadata("/bin/systemctl").is_ok() {
                eprintln!("skipped: /bin is a folder of its own here");
                return;
            }
            let error = Host::open().unwrap().ensure_keeper(&unit()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
            assert!(error.to_string().contains("no systemctl"), "{error}");
        });
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
    self::copy(&std::env::current_exe().unwrap(), &copy);
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
        command.args(["--ignored", "--exact", "start::started_by_a_program_with_more_rights", "--nocapture"]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("user namespace") || told.contains("namespace (as root") {
        eprintln!("skipped: set-user-ID has no effect here ({told})");
        return;
    }
    assert!(told.contains("has more rights than who started it"), "{output:?}");
}
