//! `iph demo`: by root, by an ordinary user, and where it is forbidden.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{Folder, Run, command, iph};
use iphelper_testkit::run;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What must be seen of it, whoever runs it.
#[track_caller]
fn assert_complete(demo: Run) {
    let text = demo.ok();
    for line in [
        "1. A private network",
        "this computer  [lan0]-------------------[lan0]  other computer",
        "[2001:db8::1]:",
        "this end:   ECONNABORTED",
        "other end:  ECONNRESET",
        "/proc/net/tcp has it no more",
        "got back \"still here\"",
        "all or nothing: ",
        "this computer --|",
        "is told IPv4: EPERM (Operation not permitted)",
        "is told IPv6: ENETUNREACH (Network is unreachable)",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
    // The connection that is deleted is one of those in the table before.
    let deleted = text.split("iph tcp delete ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(text.contains(&format!("   {deleted} ")), "{deleted} is in no table:\n{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line}");
        assert!(!line.contains('\x1b'), "colour in a pipe: {line}");
    }
    // Each property, its value before and after as the kernel reports it.
    for (object, before, after) in [
        ("net.ipv6.conf.lan0.mtu", "1500", "1400"),
        ("net.ipv6.conf.lan0.dad_transmits", "1", "3"),
        ("net.ipv6.conf.lan0.accept_ra", "1", "0"),
        ("IFLA_MTU, over netlink", "1500", "1400"),
        ("net.ipv4.conf.lan0.forwarding", "0", "1"),
        ("net.ipv4.neigh.lan0.base_reachable_time_ms", "30000", "15000"),
        ("net.ipv4.neigh.lan0.retrans_time_ms", "1000", "500"),
    ] {
        let line =
            text.lines().find(|line| line.contains(object)).unwrap_or_else(|| panic!("{object}:\n{text}"));
        let values: Vec<_> = line.split(object).nth(1).unwrap().split_whitespace().collect();
        assert_eq!(values, [before, after], "{line}");
    }
    // At each moment: packets by the better uplink, by the other one, and those that came to the server.
    for (moment, counts) in [
        ("Nothing is set:", ["200", "0", "200"]),
        ("Now:", ["0", "200", "200"]),
        ("While these are added, the best of all:", ["0", "200", "200"]),
        ("A program that binds itself to fiber0:", ["0", "0", "0"]),
        ("Allowed again:", ["200", "0", "200"]),
    ] {
        let line = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(moment))
            .unwrap_or_else(|| panic!("{moment}:\n{text}"));
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), counts, "{moment}");
    }
}

#[test]
fn it_tells_its_story() {
    assert_complete(iph("demo"));
}

#[test]
fn it_touches_nothing_around_it() {
    iphelper_testkit::isolated(|| {
        let look = || {
            let mut settings = BTreeMap::new();
            read_files(Path::new("/proc/sys/net/ipv4"), &mut settings);
            read_files(Path::new("/proc/sys/net/ipv6"), &mut settings);
            assert!(settings.len() > 100, "settings are readable");
            (run("ip -d addr"), run("ip route show table all"), settings)
        };
        let before = look();
        assert_complete(iph("demo"));
        assert_eq!(look(), before);
    });
}

/// The content of all files under a folder that may be read.
fn read_files(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("reading settings") {
        let path = entry.expect("reading settings").path();
        if path.is_dir() {
            read_files(&path, files);
        } else if let Ok(content) = std::fs::read(&path) {
            let _ = files.insert(path, content);
        }
    }
}

#[test]
fn an_ordinary_user_may_see_it() {
    if !std::fs::read_to_string("/proc/self/uid_map").unwrap().contains("4294967295") {
        // Already an ordinary user, who is root of a user namespace here: `it_tells_its_story` was that.
        eprintln!("skipped: this user has no other user to become");
        return;
    }
    // The program, where everybody may read it: the build folder may be closed to others.
    let folder = Folder::new();
    let program = folder.0.join("iph");
    // By another program: a child that this one starts meanwhile would keep the copy open for writing, and busy.
    let _ = run(&format!("cp {} {}", env!("CARGO_BIN_EXE_iph"), program.display()));
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut nobody = Command::new("setpriv");
    let _ = nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).arg("demo");
    assert_complete(support::run(&mut nobody));
}

#[test]
fn where_it_is_forbidden_it_says_how_to_allow_it() {
    // In a user namespace of its own, the limits may be set to nothing.
    let script = format!(
        "echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces && exec {} demo",
        env!("CARGO_BIN_EXE_iph")
    );
    let mut forbidden = Command::new("unshare");
    let _ = forbidden.args(["--user", "--map-root-user", "sh", "-c", &script]);
    let message = support::run(&mut forbidden).message(4);
    assert!(message.contains("sudo sysctl user.max_user_namespaces="), "{message}");
}

#[test]
fn a_closed_pipe_ends_it_without_an_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = support::run(command("demo").stdout(writer));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn without_colour_it_is_the_same_story() {
    let screen = |extra: &str| {
        let mut command = command(&format!("{extra} demo"));
        let _ = command.env("TERM", "xterm");
        let (code, screen) = support::Terminal::start(command).finish();
        assert_eq!(code, Some(0), "{screen}");
        screen
    };
    let (coloured, plain) = (screen(""), screen("--color never"));
    assert!(coloured.contains('\x1b') && !plain.contains('\x1b'));
    // Ports and process ids differ from run to run; the shape of the story does not.
    let shape = |text: &str| -> String {
        anstream::adapter::strip_str(text)
            .to_string()
            .chars()
            .filter(|c| !c.is_ascii_digit() && *c != ' ')
            .collect()
    };
    assert_eq!(shape(&coloured), shape(&plain));
}
