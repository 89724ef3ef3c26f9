//! `iph tcp list` beside `ss`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{as_only_owner, iph, unprivileged};
use iphelper_testkit::{NetNs, isolated, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A listener and a connection to it; dropped, they are gone.
struct Pair {
    listener: TcpListener,
    client: TcpStream,
    _server: TcpStream,
}

impl Pair {
    fn new(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("listening");
        let client = TcpStream::connect(listener.local_addr().unwrap()).expect("connecting");
        let (server, _) = listener.accept().expect("accepting");
        Self { listener, client, _server: server }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    fn client(&self) -> SocketAddr {
        self.client.local_addr().unwrap()
    }
}

/// The rows as `ss` shows them: state, local end, remote end, process id.
fn ss() -> BTreeSet<(String, String, String, u64)> {
    let text = run("ss -Htanp");
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let state = match words.next()? {
            "LISTEN" => "listen",
            "ESTAB" => "established",
            other => panic!("ss shows a state that this test does not make: {other}"),
        };
        let (local, remote) = (words.nth(2)?, words.next()?);
        // The lowest of several, as iph tells: a child of this program holds everything too before it runs its own.
        let pids = line.split("pid=").skip(1).filter_map(|rest| rest.split(',').next()?.parse().ok());
        let pid = pids.min()?;
        Some((state.to_owned(), local.to_owned(), remote.replace(":*", ":0"), pid))
    };
    text.lines().map(|line| row(line).expect(line)).collect()
}

/// The rows of the JSON form in the same shape.
fn rows(json: &Value) -> BTreeSet<(String, String, String, u64)> {
    let end = |row: &Value, side: &str| {
        let address = row[format!("{side}_address")].as_str().unwrap().to_owned();
        let port = &row[format!("{side}_port")];
        if row["family"] == "ipv6" { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    };
    let each = json.as_array().expect("an array").iter();
    each.map(|row| {
        let state = row["state"].as_str().unwrap().to_owned();
        (state, end(row, "local"), end(row, "remote"), row["pid"].as_u64().unwrap())
    })
    .collect()
}

#[test]
fn the_table_is_what_ss_shows() {
    as_only_owner("tcp_list::the_table_is_what_ss_shows", || {
        let _pairs = (Pair::new("127.0.0.1"), Pair::new("::1"));
        let shown = rows(&iph("tcp list --json").json());
        assert_eq!(shown.len(), 6);
        assert_eq!(shown, ss());
    });
}

#[test]
fn json_has_the_documented_fields() {
    as_only_owner("tcp_list::json_has_the_documented_fields", || {
        let pair = Pair::new("127.0.0.1");
        let document = iph(&format!("tcp list --json local-port:{}", pair.client().port())).json();
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        let cookie = document[0]["cookie"].as_str().expect("a string").to_owned();
        assert_eq!(
            document,
            json!([{
                "family": "ipv4",
                "local_address": "127.0.0.1",
                "local_port": pair.client().port(),
                "remote_address": "127.0.0.1",
                "remote_port": pair.port(),
                "state": "established",
                "pid": std::process::id(),
                "process": comm.trim_end(),
                "scope_id": null,
                "interface_index": null,
                "cookie": cookie,
            }])
        );
        assert!(cookie.parse::<u64>().is_ok_and(|cookie| cookie > 0), "{cookie}");
        let again = iph(&format!("tcp list --json local-port:{}", pair.client().port())).json();
        assert_eq!(again[0]["cookie"], cookie.as_str(), "for the socket's life");
    });
}

#[test]
fn without_owners_they_are_null() {
    isolated(|| {
        let _pair = Pair::new("::1");
        let document = iph("tcp list --json --no-owners").json();
        for row in document.as_array().unwrap() {
            assert_eq!((&row["pid"], &row["process"]), (&Value::Null, &Value::Null));
            assert_eq!((&row["family"], &row["scope_id"]), (&json!("ipv6"), &json!(0)));
        }
        assert_eq!(document.as_array().unwrap().len(), 3);
    });
}

#[test]
fn an_empty_table_is_no_failure() {
    isolated(|| {
        assert_eq!(iph("tcp list").ok(), "Local  Remote  State  PID  Process\n");
        assert_eq!(iph("tcp list --json").ok(), "[]\n");
    });
}

#[test]
fn the_table_for_people_has_a_line_for_each_row() {
    as_only_owner("tcp_list::the_table_for_people_has_a_line_for_each_row", || {
        let pair = Pair::new("::1");
        let (client, port, pid) = (pair.client(), pair.port(), std::process::id());
        let text = iph("tcp list").ok();
        for line in [format!("[::1]:{port}"), format!("{client}"), format!("established  {pid:>3}")] {
            assert!(text.contains(&line), "{line} in:\n{text}");
        }
        assert!(text.contains("[::]:*"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "no blanks at the ends: {text:?}");
    });
}

#[test]
fn filter_words_select() {
    isolated(|| {
        let (v4, v6) = (Pair::new("127.0.0.1"), Pair::new("::1"));
        let (port4, port6) = (v4.port(), v6.port());
        let pid = std::process::id();
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        let comm = comm.trim_end();
        let uid = rustix::process::geteuid().as_raw();
        for (words, count) in [
            (String::new(), 6),
            ("family:ipv4".to_owned(), 3),
            ("family:ipv6 state:listen".to_owned(), 1),
            ("state:listen".to_owned(), 2),
            ("state:listen,established".to_owned(), 6),
            ("state:time_wait".to_owned(), 0),
            (format!("port:{port4}"), 3),
            (format!("port:{port4} state:established"), 2),
            (format!("local-port:{port4}"), 2),
            (format!("remote-port:{port4}"), 1),
            (format!("port:{port4}-{port4} port:{port6}"), usize::from(port4 == port6) * 6),
            ("local:127.0.0.0/8".to_owned(), 3),
            ("remote:127.0.0.1".to_owned(), 2),
            (format!("remote:127.0.0.1:{port4}"), 1),
            ("remote:10.0.0.0/8".to_owned(), 0),
            (format!("remote:[::1]:{port6}"), 1),
            ("local:::1".to_owned(), 3),
            (format!("pid:{pid}"), 6),
            ("pid:4194304".to_owned(), 0),
            (format!("process:{comm}"), 6),
            ("process:no-such-process".to_owned(), 0),
            (format!("user:{uid}"), 6),
            ("uid:4294967290".to_owned(), 0),
            ("interface:lo".to_owned(), 0),
        ] {
            let shown = iph(&format!("tcp list --json {words}")).json();
            assert_eq!(shown.as_array().unwrap().len(), count, "{words}: {shown:#}");
        }
        // ss agrees on what a range of ports is.
        let shown = rows(&iph(&format!("tcp list --json remote-port:{port6}")).json());
        assert!(shown.iter().all(|row| row.2 == format!("[::1]:{port6}")) && shown.len() == 1, "{shown:?}");
    });
}

#[test]
fn names_in_filter_words_must_exist() {
    isolated(|| {
        for (words, message) in [
            ("interface:nope0", "no interface is called"),
            ("remote:[fe80::1%nope0]", "no interface is called"),
            ("user:no-such-user", "no user is called"),
            ("cgroup:/no/such/group", "control group"),
        ] {
            let said = iph(&format!("tcp list {words}")).message(3);
            assert!(said.contains(message), "{words}: {said}");
        }
    });
}

#[test]
fn zones_are_shown_by_the_interfaces_name() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("cable0", &there, "cable0");
    let _ = here.sh("ip addr add fe80::aa/64 dev cable0 nodad");
    let index: u32 =
        here.sh("cat /proc/net/dev_snmp6/cable0").split_whitespace().nth(1).unwrap().parse().unwrap();
    here.run(|| {
        let address = format!("[fe80::aa%{index}]:0").parse::<SocketAddr>().unwrap();
        let listener = TcpListener::bind(address).expect("listening on a link-local address");
        let port = listener.local_addr().unwrap().port();
        let text = iph("tcp list").ok();
        assert!(text.contains(&format!("[fe80::aa%cable0]:{port}")), "{text}");
        let document = iph("tcp list --json local:[fe80::aa%cable0]").json();
        assert_eq!(document[0]["local_address"], "fe80::aa", "without the zone: {document:#}");
        assert_eq!(document[0]["scope_id"], index);
    });
}

#[test]
fn everybody_may_list() {
    isolated(|| {
        let _pair = Pair::new("127.0.0.1");
        let document = unprivileged("tcp list --json").json();
        assert_eq!(document.as_array().unwrap().len(), 3);
    });
}

#[test]
fn a_processs_name_cannot_write_on_the_terminal() {
    isolated(|| {
        // A program under a name that colours, moves the cursor, and reverses the reading order.
        let folder = support::Folder::new();
        let name = "a\u{1b}[31m\u{202e}\n\\";
        let program = folder.0.join(name);
        let sleep = run("which sleep");
        std::os::unix::fs::symlink(sleep.trim_end(), &program).expect("naming a program");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // The child holds the listener alone, as its standard input.
        let mut child = std::process::Command::new(&program)
            .arg("600")
            .stdin(std::os::fd::OwnedFd::from(listener))
            .spawn()
            .expect("starting the program");
        let held = || iph(&format!("tcp list --json local-port:{port}")).json()[0]["pid"] == child.id();
        iphelper_testkit::eventually("the child holds the listener", held);
        let (text, document) =
            (iph(&format!("tcp list local-port:{port}")), iph(&format!("tcp list --json local-port:{port}")));
        child.kill().expect("ending the program");
        let _ = child.wait().expect("ending the program");
        let text = text.ok();
        assert!(text.contains(r"a\u{1b}[31m\u{202e}\n\\"), "{text:?}");
        let raw = document.stdout.clone();
        assert!(!raw.contains('\u{1b}') && !raw.contains('\u{202e}'), "{raw:?}");
        assert_eq!(document.json()[0]["process"], name, "the name itself, for programs");
    });
}

#[test]
fn a_pipe_closed_in_the_middle_is_no_error() {
    isolated(|| {
        // More rows than a pipe holds (64 KiB).
        let listeners: Vec<_> = (0..700).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        for arguments in ["tcp list", "tcp list --json"] {
            let mut command = support::command(arguments);
            let mut child = command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("starting iph");
            let mut first = [0; 100];
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
            drop(child.stdout.take());
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments}");
        }
        drop(listeners);
    });
}
