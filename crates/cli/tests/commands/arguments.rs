//! The arguments: help, mistakes, the exit codes that need no network.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{command, iph, run, snapshot};
use std::process::{Command, Stdio};

/// Every command that has help, and the file that keeps it.
const HELP: &[&str] = &[
    "",
    "interface",
    "interface list",
    "interface show",
    "interface set",
    "interface reset",
    "adapter",
    "adapter list",
    "adapter show",
    "adapter renew",
    "adapter release",
    "address",
    "address list",
    "address add",
    "address set",
    "address delete",
    "neighbor",
    "neighbor list",
    "neighbor resolve",
    "neighbor add",
    "neighbor set",
    "neighbor delete",
    "neighbor flush",
    "neighbor proxy",
    "neighbor proxy list",
    "neighbor proxy add",
    "neighbor proxy delete",
    "route",
    "route list",
    "route show",
    "route get",
    "route add",
    "route set",
    "route delete",
    "tcp",
    "tcp list",
    "tcp delete",
    "udp",
    "udp list",
    "stats",
    "dns",
    "dns list",
    "dns show",
    "dns set",
    "path",
    "path list",
    "path show",
    "path flush",
    "path-mtu",
    "path-mtu show",
    "path-mtu set",
    "ttl",
    "ttl show",
    "ttl set",
    "port-reservation",
    "port-reservation list",
    "port-reservation add",
    "port-reservation delete",
    "port-reservation restore",
    "compartment",
    "compartment list",
    "compartment show",
    "compartment exec",
    "connectivity",
    "bandwidth",
    "timestamp",
    "timestamp list",
    "timestamp clock",
    "ping",
    "watch",
    "keeper",
    "keeper status",
    "keeper rules",
    "doctor",
    "estats",
    "demo",
    "completions",
    "man",
];

#[test]
fn help_is_as_it_was_and_fits_a_terminal() {
    for words in HELP {
        let text = iph(&format!("{words} --help")).ok();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{words}: wider than 80 columns: {line}");
        }
        let name = if words.is_empty() { "iph".to_owned() } else { words.replace(' ', "-") };
        snapshot(&format!("help-{name}"), &text);
    }
}

#[test]
fn help_of_every_command_is_kept() {
    // Walks the commands as help lists them, so that a new one is not forgotten above.
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(words) = found.get(next).cloned() {
        next += 1;
        let text = iph(&format!("{words} --help")).ok();
        let commands = text.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
        for name in commands.unwrap_or_default().lines().filter_map(|line| line.split_whitespace().next()) {
            if name != "help" && text.contains(&format!("\n  {name} ")) {
                found.push(format!("{words} {name}").trim().to_owned());
            }
        }
    }
    found.sort();
    let mut kept: Vec<_> = HELP.iter().map(|words| (*words).to_owned()).collect();
    kept.sort();
    assert_eq!(found, kept);
}

#[test]
fn mistakes_are_usage_errors_on_standard_error() {
    for arguments in [
        "",
        "interfaces",
        "interface",
        "interface list eth0",
        "interface show",
        "interface show lo extra",
        "interface set",
        "interface set lo --ipv4 --mtu big",
        "interface set lo --ipv4 --forwarding maybe",
        "interface set lo --ipv4 --router-discovery sometimes",
        "interface set lo --ipv4 --retransmit-time 1d",
        "interface set lo --ipv4 --zone-index 16=1",
        "interface set lo --ipv4 --no-such-property 1",
        "tcp",
        "tcp list port:http",
        "tcp list nginx",
        "tcp list 127.0.0.1:80",
        "tcp list prot:80",
        "tcp delete",
        "tcp delete prot:80",
        "tcp delete ::1:80 ::1:81",
        "route",
        "route list all",
        "route add default",
        "route delete lo",
        "watch now",
        "watch --family ipx",
        "dns set --servers here",
        "dns show",
        "path-mtu set ipv4",
        "path-mtu set ipv4 1d",
        "path show here",
        "ttl set ipv4 0",
        "ttl set ipv6 256",
        "keeper now",
        "keeper --status-directory /nonexistent status",
        "doctor who",
        "demo twice",
        "completions tcl",
        "man",
        "--color sometimes demo",
    ] {
        let run = iph(arguments).expect(2);
        assert_eq!(run.stdout, "", "{arguments}: no answer");
        assert_ne!(run.stderr, "", "{arguments}: a message");
    }
}

#[test]
fn the_beginning_of_a_command_is_enough() {
    for (short, long) in [
        ("addr list --help", "address list --help"),
        ("neigh l --help", "neighbor list --help"),
        ("int sh --help", "interface show --help"),
    ] {
        assert_eq!(iph(short).ok(), iph(long).ok(), "{short}");
    }
    // `path`, `path-mtu`, `ping` or `port-reservation`.
    assert!(iph("p").expect(2).stderr.contains("unrecognized subcommand"));
}

#[test]
fn mistakes_between_arguments_say_what_to_do() {
    for (arguments, advice) in [
        ("interface set lo --ipv4", "--mtu 1400"),
        ("interface set lo --mtu 1400", "--ipv4, --ipv6 or both"),
        ("tcp delete 127.0.0.1:80", "remote end too"),
        ("tcp delete 127.0.0.1:80 [::1]:80", "IPv6"),
        ("tcp delete 127.0.0.1:80 port:80", "not both"),
        ("tcp list family:ipv4 family:ipv6", "twice"),
    ] {
        let message = iph(arguments).message(2);
        assert!(message.contains(advice), "{arguments}: {message}");
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef iph"), ("fish", "complete -c iph")] {
        assert!(iph(&format!("completions {shell}")).ok().contains(word), "{shell}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = support::Folder::new();
    let pages = folder.0.join("share/man1");
    let written = iph(&format!("man {}", pages.display())).ok();
    let mut expected = std::collections::BTreeSet::new();
    for words in HELP {
        let name = format!("iph {words}").trim().replace(' ', "-");
        let page = pages.join(format!("{name}.1"));
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains(&format!(".TH {} 1 \" \" \"iph ", name.to_uppercase())), "{name}: {text}");
        let help = iph(&format!("{words} --help")).ok();
        for heading in ["Examples", "Properties"] {
            let section = format!(".SH {}\n", heading.to_uppercase());
            assert_eq!(text.contains(&section), help.contains(&format!("{heading}:\n")), "{name} {heading}");
        }
        // What is referred to is there.
        for reference in text.split(".SH \"SEE ALSO\"").nth(1).unwrap().split("\\fB").skip(1) {
            let other = reference.split("\\fR").next().unwrap().replace("\\-", "-");
            assert!(pages.join(format!("{other}.1")).exists(), "{name}: {other}");
        }
        let _ = expected.insert(page.display().to_string());
        let Ok(output) =
            Command::new("groff").args(["-man", "-Tascii", "-P-cbou", "-ww"]).arg(&page).output()
        else {
            eprintln!("skipped: no groff here");
            continue;
        };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("--color"), "{name}");
    }
    let written = written.lines().map(str::to_owned).collect();
    assert_eq!(expected, written, "one for each command");
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), HELP.len());

    std::fs::write(folder.0.join("file"), "").unwrap();
    let message = iph(&format!("man {}", folder.0.join("file").display())).message(1);
    assert!(message.contains("/file"), "{message}");
}

#[test]
fn a_full_disk_is_a_failure_and_a_closed_pipe_is_none() {
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    for arguments in ["tcp list", "tcp list --json", "completions bash"] {
        let run = run(command(arguments).stdout(full()));
        assert_eq!(run.code, Some(1), "{arguments}: {}", run.stderr);
        assert!(run.stderr.contains("No space left"), "{arguments}: {}", run.stderr);

        // The reader is gone before the first byte.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = support::run(command(arguments).stdout(writer));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments}");
    }
}

#[test]
fn a_host_without_proc_is_told_as_such() {
    let unshare = |script: &str| {
        let iph = command("interface list");
        let mut unshare = Command::new("unshare");
        let _ =
            unshare.args(["--mount", "sh", "-c", script, "sh"]).arg(iph.get_program()).args(iph.get_args());
        run(&mut unshare)
    };
    if unshare("mount -t tmpfs none /proc").code != Some(0) {
        eprintln!("skipped: a file system cannot be mounted over /proc here");
        return;
    }
    let message = unshare("mount -t tmpfs none /proc && exec \"$@\"").message(5);
    assert!(message.contains("/proc is not mounted"), "{message}");
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    assert!(!iph("tcp list").ok().contains('\x1b'), "a pipe gets none");
    assert!(iph("--color always tcp list").ok().contains("\x1b[1m"));
    assert!(!iph("--color never tcp list").ok().contains('\x1b'));
    let screen = |command| support::Terminal::start(command).finish();
    let (code, coloured) = screen(command("tcp list"));
    assert_eq!(code, Some(0));
    assert!(coloured.contains("\x1b[1m"), "a terminal gets it: {coloured:?}");
    let mut plain = command("tcp list");
    let _ = plain.env("NO_COLOR", "1");
    assert!(!screen(plain).1.contains('\x1b'), "unless NO_COLOR is set");
}
