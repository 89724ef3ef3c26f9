//! `iph tcp delete`: what both ends see, what is asked, and every exit code.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{Terminal, as_only_owner, command, iph, unprivileged};
use iphelper_testkit::{isolated, run};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

/// A connection, both ends in our hands.
struct Connection {
    client: TcpStream,
    server: TcpStream,
}

impl Connection {
    fn to(listener: &TcpListener) -> Self {
        let client = TcpStream::connect(listener.local_addr().unwrap()).expect("connecting");
        let (server, _) = listener.accept().expect("accepting");
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        }
        Self { client, server }
    }

    /// The two ends as the command line takes them, the client's first.
    fn ends(&self) -> String {
        format!("{} {}", self.client.local_addr().unwrap(), self.client.peer_addr().unwrap())
    }

    fn assert_alive(&mut self) {
        self.client.write_all(b"hello").expect("sending");
        let mut buffer = [0; 5];
        self.server.read_exact(&mut buffer).expect("receiving");
        assert_eq!(&buffer, b"hello");
    }

    /// The client's end was deleted: its program learns of an abort, the peer of a reset.
    fn assert_deleted(&mut self) {
        let errno = |stream: &mut TcpStream| Errno::from_io_error(&stream.read(&mut [0; 1]).unwrap_err());
        assert_eq!(errno(&mut self.client), Some(Errno::CONNABORTED));
        assert_eq!(errno(&mut self.server), Some(Errno::CONNRESET));
    }
}

fn listen(address: &str) -> TcpListener {
    TcpListener::bind((address, 0)).expect("listening")
}

#[test]
fn the_named_connection_is_deleted_and_no_other() {
    as_only_owner("tcp_delete::the_named_connection_is_deleted_and_no_other", || {
        for address in ["127.0.0.1", "::1"] {
            let listener = listen(address);
            let (mut doomed, mut other) = (Connection::to(&listener), Connection::to(&listener));
            let ends = doomed.ends();
            let text = iph(&format!("tcp delete --yes {ends}")).ok();
            let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
            let owner = format!("{} ({})", comm.trim_end(), std::process::id());
            let expected = format!("deleted  {}  established  {owner}\n", ends.replace(' ', " -> "));
            assert_eq!(text, expected);
            doomed.assert_deleted();
            other.assert_alive();
            assert_eq!(run("ss -Htn state established").lines().count(), 2, "the other's two ends");
        }
    });
}

#[test]
fn a_filter_deletes_what_matches_all_of_it() {
    isolated(|| {
        let (near, far) = (listen("127.0.0.1"), listen("127.0.0.2"));
        let port = far.local_addr().unwrap().port();
        let mut doomed = [Connection::to(&far), Connection::to(&far)];
        let mut other = Connection::to(&near);
        let words = format!("remote:127.0.0.2/32 remote-port:{port} state:established");
        let text = iph(&format!("tcp delete --yes {words}")).ok();
        assert_eq!(text.lines().filter(|line| line.starts_with("deleted  127.0.0.1:")).count(), 2, "{text}");
        doomed.iter_mut().for_each(Connection::assert_deleted);
        other.assert_alive();
        let message = iph(&format!("tcp delete --yes {words}")).message(3);
        assert!(message.contains("no connection matches"), "{message}");
    });
}

#[test]
fn json_tells_each_outcome() {
    isolated(|| {
        let listener = listen("127.0.0.1");
        let mut doomed = Connection::to(&listener);
        let port = doomed.client.local_addr().unwrap().port();
        let planned = iph(&format!("tcp delete --json --dry-run local-port:{port}")).json();
        assert_eq!(
            (&planned[0]["outcome"], &planned[0]["local_port"]),
            (&"would_delete".into(), &port.into())
        );
        doomed.assert_alive();
        let done = iph(&format!("tcp delete --json --yes local-port:{port}")).json();
        assert_eq!(done.as_array().unwrap().len(), 1);
        assert_eq!((&done[0]["outcome"], &done[0]["error"]), (&"deleted".into(), &serde_json::Value::Null));
        assert_eq!(done[0]["cookie"], planned[0]["cookie"], "the very connection that was listed");
        doomed.assert_deleted();
    });
}

#[test]
fn a_dry_run_shows_the_table_and_deletes_nothing() {
    isolated(|| {
        let listener = listen("::1");
        let mut connection = Connection::to(&listener);
        // Without any privilege: a look is free.
        let run = unprivileged(&format!("tcp delete --dry-run {}", connection.ends())).expect(0);
        assert!(run.stdout.contains(&connection.client.local_addr().unwrap().to_string()), "{run:?}");
        assert_eq!(run.stderr, "dry run: nothing was deleted\n");
        connection.assert_alive();
    });
}

#[test]
fn nobody_at_a_terminal_needs_yes() {
    isolated(|| {
        let listener = listen("127.0.0.1");
        let mut connection = Connection::to(&listener);
        for words in [connection.ends(), "state:established".to_owned()] {
            let message = iph(&format!("tcp delete {words}")).message(2);
            assert!(message.contains("--yes"), "{message}");
        }
        connection.assert_alive();
    });
}

#[test]
fn a_terminal_is_asked() {
    isolated(|| {
        let listener = listen("127.0.0.1");
        let mut connection = Connection::to(&listener);
        let ends = connection.ends();
        let local = connection.client.local_addr().unwrap().to_string();
        for (answer, code) in [("n", 7), ("", 7), ("nonsense", 7)] {
            let mut terminal = Terminal::start(command(&format!("tcp delete {ends}")));
            let question = terminal.read_until("[y/N]");
            assert!(question.contains("Delete 1 connection?") && question.contains(&local), "{question}");
            terminal.type_line(answer);
            let (status, screen) = terminal.finish();
            assert_eq!(status, Some(code), "{answer:?}: {screen}");
            connection.assert_alive();
        }
        let mut terminal = Terminal::start(command(&format!("tcp delete {ends}")));
        let _ = terminal.read_until("[y/N]");
        terminal.type_line("y");
        let (status, screen) = terminal.finish();
        assert_eq!(status, Some(0), "{screen}");
        assert!(screen.contains("deleted"), "{screen}");
        connection.assert_deleted();
    });
}

#[test]
fn the_connection_of_ones_own_terminal_is_left_out_of_a_filter() {
    isolated(|| {
        let listener = listen("127.0.0.1");
        let (mut doomed, mut own) = (Connection::to(&listener), Connection::to(&listener));
        let (client, server) = (own.client.local_addr().unwrap(), own.client.peer_addr().unwrap());
        let words = format!("local-port:{} state:established", server.port());
        let with_session = |arguments: &str| {
            let mut command = command(arguments);
            let session = format!("{} {} {} {}", client.ip(), client.port(), server.ip(), server.port());
            support::run(command.env("SSH_CONNECTION", session))
        };
        let run = with_session(&format!("tcp delete --yes {words}")).expect(0);
        assert_eq!(run.stdout.lines().count(), 1, "{run:?}");
        assert!(run.stderr.contains("your own terminal"), "{run:?}");
        own.assert_alive();
        // Deleted was the server's end, which is the one that learns of an abort.
        std::mem::swap(&mut doomed.client, &mut doomed.server);
        doomed.assert_deleted();

        let message = with_session(&format!("tcp delete --yes {words}")).message(3);
        assert!(message.contains("nothing else matches"), "{message}");
        own.assert_alive();
        // Named, it is deleted.
        assert!(with_session(&format!("tcp delete --yes {server} {client}")).ok().starts_with("deleted"));
        std::mem::swap(&mut own.client, &mut own.server);
        own.assert_deleted();
    });
}

#[test]
fn what_holds_the_terminal_from_another_session_is_spared() {
    isolated(|| {
        // As sshd does: this process holds the connection, and starts the program in a session of its own.
        let listener = listen("127.0.0.1");
        let mut own = Connection::to(&listener);
        let iph = command("tcp delete --yes state:established");
        let mut session = std::process::Command::new("setsid");
        let _ = session.arg("--wait").arg(iph.get_program()).args(iph.get_args());
        let message = support::run(&mut session).message(3);
        assert!(message.contains("your own terminal"), "{message}");
        own.assert_alive();
    });
}

#[test]
fn a_session_from_outside_of_the_pid_namespace_is_no_obstacle() {
    isolated(|| {
        // As in a container into which a service starts programs: the kernel has no number for the session there.
        let listener = listen("127.0.0.1");
        let mut connection = Connection::to(&listener);
        let client = connection.client.local_addr().unwrap();
        let iph = command(&format!("tcp delete --yes local-port:{}", client.port()));
        let mut outside = std::process::Command::new("unshare");
        let _ = outside.args(["--pid", "--fork", "--mount-proc"]).arg(iph.get_program()).args(iph.get_args());
        let _ = support::run(&mut outside).ok();
        connection.assert_deleted();
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    isolated(|| {
        let message = iph("tcp delete --yes 127.0.0.1:1 127.0.0.1:2").message(3);
        assert!(message.contains("no connection from 127.0.0.1:1 to 127.0.0.1:2"), "{message}");
        let message = iph("tcp delete --yes [fe80::1%nope0]:1 [fe80::2%nope0]:2").message(3);
        assert!(message.contains("no interface is called"), "{message}");
    });
}

#[test]
fn without_the_privilege_nothing_is_asked_and_nothing_done() {
    isolated(|| {
        let listener = listen("127.0.0.1");
        let mut connection = Connection::to(&listener);
        for words in [format!("--yes {}", connection.ends()), "state:established".to_owned()] {
            let message = unprivileged(&format!("tcp delete {words}")).message(4);
            assert!(message.contains("CAP_NET_ADMIN"), "{message}");
        }
        connection.assert_alive();
    });
}

#[test]
fn a_listener_is_named_with_no_remote_end() {
    isolated(|| {
        let listener = listen("127.0.0.1");
        let mut accepted = Connection::to(&listener);
        let local = listener.local_addr().unwrap();
        let text = iph(&format!("tcp delete --yes {local} 0.0.0.0:0")).ok();
        assert!(text.starts_with(&format!("deleted  {local} -> 0.0.0.0:*  listen")), "{text}");
        assert_eq!(run("ss -Htln"), "");
        accepted.assert_alive();
    });
}

#[test]
fn the_ipv4_side_of_a_dual_stack_listener_is_not_deleted_alone() {
    isolated(|| {
        let listener = listen("::");
        let port = listener.local_addr().unwrap().port();
        let message = iph(&format!("tcp delete --yes 0.0.0.0:{port} 0.0.0.0:0")).message(2);
        assert!(message.contains(&format!("[::]:{port} [::]:0")), "{message}");
        assert_eq!(run("ss -Htln").lines().count(), 1, "it listens still");
        // A filter finds both rows, which are one socket.
        let text = iph(&format!("tcp delete --yes local-port:{port} state:listen")).ok();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(run("ss -Htln"), "");
    });
}

#[test]
fn one_of_several_sockets_with_the_same_ends_is_not_picked() {
    isolated(|| {
        let member = |port: u16| {
            let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
            sockopt::set_socket_reuseport(&socket, true).unwrap();
            rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).unwrap();
            rustix::net::listen(&socket, 1).unwrap();
            TcpListener::from(socket)
        };
        let first = member(0);
        let local = first.local_addr().unwrap();
        let _second = member(local.port());
        let message = iph(&format!("tcp delete --yes {local} 0.0.0.0:0")).message(2);
        assert!(message.contains("2 sockets have the ends"), "{message}");
        assert_eq!(run("ss -Htln").lines().count(), 2);
    });
}

#[test]
fn what_the_kernel_refuses_is_told_beside_what_was_done() {
    isolated(|| {
        // All clients, and nothing else, have this address.
        const CLIENT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 77), 0);
        let socket = |protocol, local: &SocketAddrV4| {
            let socket = rustix::net::socket_with(
                AddressFamily::INET,
                SocketType::STREAM,
                SocketFlags::CLOEXEC,
                protocol,
            )?;
            rustix::net::bind(&socket, local)?;
            Ok::<_, Errno>(socket)
        };
        let connect = |protocol, listener: TcpListener| {
            let client = socket(protocol, &CLIENT).unwrap();
            let SocketAddr::V4(server) = listener.local_addr().unwrap() else { panic!("an IPv4 listener") };
            rustix::net::connect(&client, &server).expect("connecting");
            Connection { client: TcpStream::from(client), server: listener.accept().unwrap().0 }
        };
        let multipath_socket = match socket(Some(ipproto::MPTCP), &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
        {
            Ok(socket) => socket,
            Err(errno) => {
                eprintln!("skipped: this kernel has no Multipath TCP ({errno})");
                return;
            }
        };
        rustix::net::listen(&multipath_socket, 1).unwrap();
        let mut multipath = connect(Some(ipproto::MPTCP), TcpListener::from(multipath_socket));

        // Alone: refused, with its own code.
        let run = iph("tcp delete --yes local:127.0.0.77 state:established").expect(5);
        assert!(run.stdout.starts_with("failed "), "{run:?}");
        assert!(run.stderr.contains("Multipath TCP"), "{run:?}");
        multipath.assert_alive();

        // Beside one that is deleted: partial.
        let mut doomed = connect(None, listen("127.0.0.1"));
        let run = iph("tcp delete --yes local:127.0.0.77 state:established").expect(6);
        assert_eq!(run.stdout.lines().count(), 2, "an outcome for each: {run:?}");
        assert!(run.stdout.contains("deleted ") && run.stdout.contains("failed "), "{run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "a reason for the one that failed: {run:?}");
        let json = iph("tcp delete --yes --json local:127.0.0.77 state:established").expect(5);
        let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(json[0]["outcome"], "failed");
        assert!(json[0]["error"].as_str().unwrap().contains("Multipath TCP"), "{json:#}");
        multipath.assert_alive();
        doomed.assert_deleted();
    });
}
