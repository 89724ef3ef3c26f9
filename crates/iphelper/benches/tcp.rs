//! How fast the TCP table is read and emptied, beside the kernel's own speed and beside `ss`.
//!
//! ```text
//! cargo bench -p iphelper --bench tcp                      100,000 rows, 40,000 deletions, 5 rounds
//! cargo bench -p iphelper --bench tcp -- --smoke           a small run that shows that everything works
//! cargo bench -p iphelper --bench tcp -- --rows 300000     another size
//! ```
//!
//! Everything happens in a private network namespace: connections over loopback, held by several processes. Each round
//! takes every measurement once, so that all of them see the same machine; the medians and their ratios are printed,
//! and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::Host;
    use iphelper::tcp::{DeleteOptions, TcpCondition, TcpConnection, TcpDeletionOutcome, TcpQuery, TcpState};
    use iphelper_netlink::message::Messages;
    use iphelper_netlink::sock_diag::filter::Filter;
    use iphelper_netlink::sock_diag::inet::{Protocol, State, States, dump};
    use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
    use iphelper_testkit::NetNs;
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, netlink};
    use std::hint::black_box;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    /// Below the ports that the kernel gives to clients, so that a port tells the two ends apart.
    const FIRST_PORT: u16 = 20_000;
    /// Descriptors that a process holds beside its sockets.
    const SPARE_DESCRIPTORS: usize = 64;

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let position = arguments.iter().position(|argument| argument == name)?;
            arguments.get(position + 1)?.parse::<usize>().ok()
        };
        if let Some(connections) = value("--hold") {
            return hold(value("--port").unwrap_or_default(), connections);
        }
        let smoke = arguments.iter().any(|argument| argument == "--smoke");
        let rows = value("--rows").unwrap_or(if smoke { 2_000 } else { 100_000 });
        let deletions = value("--delete").unwrap_or(if smoke { 800 } else { 40_000 });
        let rounds = value("--rounds").unwrap_or(if smoke { 1 } else { 5 });
        NetNs::new().run(|| measure(rows, deletions, rounds));
    }

    fn measure(rows: usize, deletions: usize, rounds: usize) {
        println!("{rows} rows, {deletions} deletions, medians of {rounds} rounds");
        let host = Host::open().expect("opening the namespace");
        let holders = Holders::new(rows / 2);
        let owned = TcpQuery { owners: true, ..TcpQuery::default() };
        let mut reading = Table::default();
        for _ in 0..rounds {
            reading.time("floor: receive the dump, walk the messages", || {
                let floor = floor();
                assert!(floor >= rows, "the kernel lists {floor} sockets");
            });
            reading.time("table", || {
                let table = host.tcp_connections(&TcpQuery::default()).expect("reading the table");
                assert!(black_box(table).len() >= rows);
            });
            reading.time("table, row by row", || {
                let rows_read = host.tcp_connections_iter(&TcpQuery::default()).expect("reading the table");
                let mut read = 0;
                for row in rows_read {
                    let _ = black_box(row.expect("a row"));
                    read += 1;
                }
                assert!(read >= rows);
            });
            reading.time("table with owners", || {
                let table = host.tcp_connections(&owned).expect("reading the table");
                assert!(black_box(table).iter().filter(|row| row.owner.is_some()).count() >= rows);
            });
            reading.time("ss -tan", || ss("-tan", &[]));
            reading.time("ss -tanp", || ss("-tanp", &[]));
        }
        drop(holders);
        println!();
        reading.print(
            "floor: receive the dump, walk the messages",
            &[
                ("table", "floor: receive the dump, walk the messages", "at most 1.3 wanted"),
                ("ss -tanp", "table with owners", "at least 2 wanted"),
            ],
        );

        let mut deleting = Table::default();
        let mut left_by_ss = 0;
        for _ in 0..rounds {
            let holders = Holders::new(deletions);
            let clients: Vec<TcpConnection> =
                host.tcp_connections(&clients(&holders)).expect("reading the table");
            assert_eq!(clients.len(), deletions);
            deleting.time("delete: the rows, one call", || {
                let outcomes = host.delete_tcp_connections(&clients, DeleteOptions::default());
                assert!(outcomes.expect("deleting").iter().all(Result::is_ok));
            });
            drop(holders);

            let holders = Holders::new(deletions);
            let query = self::clients(&holders);
            deleting.time("delete: by filter, one call", || {
                let deleted = host.delete_tcp_matching(&query, DeleteOptions::default()).expect("deleting");
                assert_eq!(deleted.len(), deletions);
                assert!(deleted.iter().all(|row| matches!(row.outcome, TcpDeletionOutcome::Deleted)));
            });
            drop(holders);

            let holders = Holders::new(deletions);
            deleting.time("ss -K", || {
                ss("-Ktn", &["state", "established", "dport", "<", &format!(":{}", holders.end_port())]);
            });
            // It deletes while the kernel still lists, so that the list can slip past some.
            left_by_ss += host.tcp_connections(&self::clients(&holders)).expect("reading the table").len();
            drop(holders);
        }
        println!();
        deleting.print(
            "delete: the rows, one call",
            &[
                ("ss -K", "delete: the rows, one call", "at least 3 wanted"),
                ("ss -K", "delete: by filter, one call", ""),
            ],
        );
        if left_by_ss > 0 {
            println!("ss -K left {left_by_ss} connections in {rounds} rounds");
        }
    }

    /// The least that any reader has to do: both dumps that the table needs, received and walked.
    fn floor() -> usize {
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, Some(netlink::SOCK_DIAG))
            .expect("opening a socket");
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut sockets = 0;
        let states = States::ALL.without(State::CLOSE).without(State::BOUND_INACTIVE);
        for family in [AF_INET, AF_INET6] {
            let mut request = dump(family, Protocol::Tcp, states, 0, &Filter::new());
            let _ =
                rustix::net::send(&socket, request.finish(1), SendFlags::empty()).expect("asking for a dump");
            let mut done = false;
            while !done {
                let (len, _) =
                    rustix::net::recv(&socket, &mut buffer, RecvFlags::empty()).expect("receiving a dump");
                for message in Messages::new(buffer.get(..len).unwrap_or_default()) {
                    let message = message.expect("a message");
                    done |= message.done().is_some();
                    sockets += 1;
                }
            }
        }
        sockets
    }

    fn ss(options: &str, filter: &[&str]) {
        let status = Command::new("ss").arg(options).args(filter).stdout(Stdio::null()).status();
        assert!(status.expect("starting ss").success());
    }

    /// The client ends of the holders' connections.
    fn clients(holders: &Holders) -> TcpQuery {
        let conditions = vec![
            TcpCondition::State(vec![TcpState::Established]),
            TcpCondition::RemotePort(FIRST_PORT..=holders.end_port() - 1),
        ];
        TcpQuery { filter: conditions.into(), ..TcpQuery::default() }
    }

    /// Processes that hold connections to themselves, both ends.
    struct Holders {
        processes: Vec<Child>,
    }

    impl Holders {
        fn new(connections: usize) -> Self {
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
            let limit = usize::try_from(limit.unwrap_or(1 << 20)).unwrap_or(1 << 20);
            let most = (limit.saturating_sub(SPARE_DESCRIPTORS) / 2).clamp(1, 9_900);
            let count = connections.div_ceil(most).max(4);
            let this = std::env::current_exe().expect("this program's path");
            let processes = (0..count).map(|number| {
                // As even as whole numbers allow.
                let share = connections * (number + 1) / count - connections * number / count;
                let port = usize::from(FIRST_PORT) + number;
                Command::new(&this)
                    .args(["--hold", &share.to_string(), "--port", &port.to_string()])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("starting a holder")
            });
            let mut holders = Self { processes: processes.collect() };
            for process in &mut holders.processes {
                let mut ready = String::new();
                let _ = BufReader::new(process.stdout.as_mut().expect("a pipe")).read_line(&mut ready);
                assert_eq!(ready, "ready\n");
            }
            holders
        }

        fn end_port(&self) -> u16 {
            FIRST_PORT + u16::try_from(self.processes.len()).expect("few processes")
        }
    }

    impl Drop for Holders {
        fn drop(&mut self) {
            for process in &mut self.processes {
                // The end of its input ends it.
                drop(process.stdin.take());
            }
            for process in &mut self.processes {
                let _ = process.wait();
            }
        }
    }

    /// What a holder does: connect, say so, wait for the end of its input. Its sockets are reset when it ends, so that
    /// none is left in TIME_WAIT.
    fn hold(port: usize, connections: usize) {
        let port = u16::try_from(port).expect("a port");
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("listening");
        let mut held = Vec::with_capacity(2 * connections);
        for _ in 0..connections {
            let client = TcpStream::connect(("127.0.0.1", port)).expect("connecting");
            let (server, _) = listener.accept().expect("accepting");
            for end in [&client, &server] {
                rustix::net::sockopt::set_socket_linger(end, Some(Duration::ZERO))
                    .expect("setting SO_LINGER");
            }
            held.push(client);
            held.push(server);
        }
        println!("ready");
        std::io::stdout().flush().expect("saying so");
        let _ = std::io::stdin().read(&mut [0]);
    }

    /// Measurements by name, in the order in which they were first taken.
    #[derive(Default)]
    struct Table {
        rows: Vec<(&'static str, Vec<Duration>)>,
    }

    impl Table {
        fn time(&mut self, name: &'static str, work: impl FnOnce()) {
            let start = Instant::now();
            work();
            let took = start.elapsed();
            match self.rows.iter_mut().find(|row| row.0 == name) {
                Some((_, times)) => times.push(took),
                None => self.rows.push((name, vec![took])),
            }
        }

        fn median(&self, name: &str) -> f64 {
            let mut times =
                self.rows.iter().find(|row| row.0 == name).map(|row| row.1.clone()).unwrap_or_default();
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3
        }

        fn print(&self, base: &str, ratios: &[(&str, &str, &str)]) {
            for (name, _) in &self.rows {
                let median = self.median(name);
                println!("{name:45} {median:10.1} ms {:8.2} x", median / self.median(base));
            }
            for (slow, fast, wanted) in ratios {
                let ratio = self.median(slow) / self.median(fast);
                println!("ratio {slow} / {fast}: {ratio:.2} {wanted}");
            }
        }
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
