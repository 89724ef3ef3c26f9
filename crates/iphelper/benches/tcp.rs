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
    use iphelper_netlink::sock_diag::filter::Filter;
    use iphelper_netlink::sock_diag::inet::{Protocol, State, States, dump};
    use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
    use iphelper_testkit::NetNs;
    use iphelper_testkit::bench::{Holders, Times, run_quietly, value, value_or, walk_dump};
    use rustix::net::{AddressFamily, SocketType, netlink};
    use std::hint::black_box;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    iphelper_testkit::private_user_namespace!();

    /// Below the ports that the kernel gives to clients, so that a port tells the two ends apart.
    const FIRST_PORT: u16 = 20_000;
    const FLOOR: &str = "floor: receive the dump, walk the messages";
    const TABLE: &str = "table";
    const OWNED: &str = "table with owners";
    const ROWS: &str = "delete: the rows, one call";
    const MATCHING: &str = "delete: by filter, one call";

    pub(super) fn main() {
        if let Some(connections) = value("--hold") {
            return hold(value("--port").unwrap_or_default(), connections);
        }
        let rows = value_or("--rows", 2_000, 100_000);
        let deletions = value_or("--delete", 800, 40_000);
        let rounds = value_or("--rounds", 1, 5);
        NetNs::new().run(|| measure(rows, deletions, rounds));
    }

    fn measure(rows: usize, deletions: usize, rounds: usize) {
        println!("{rows} rows, {deletions} deletions, medians of {rounds} rounds");
        let host = Host::open().expect("opening the namespace");
        let holders = connect(rows / 2);
        let owned = TcpQuery { owners: true, ..TcpQuery::default() };
        let mut reading = Times::default();
        for _ in 0..rounds {
            reading.take(FLOOR, || {
                let floor = floor();
                assert!(floor >= rows, "the kernel lists {floor} sockets");
            });
            reading.take(TABLE, || {
                let table = host.tcp_connections(&TcpQuery::default()).expect("reading the table");
                assert!(black_box(table).len() >= rows);
            });
            reading.take("table, row by row", || {
                let rows_read = host.tcp_connections_iter(&TcpQuery::default()).expect("reading the table");
                let mut read = 0;
                for row in rows_read {
                    let _ = black_box(row.expect("a row"));
                    read += 1;
                }
                assert!(read >= rows);
            });
            reading.take(OWNED, || {
                let table = host.tcp_connections(&owned).expect("reading the table");
                assert!(black_box(table).iter().filter(|row| row.owner.is_some()).count() >= rows);
            });
            reading.take("ss -tan", || run_quietly("ss", &["-tan"]));
            reading.take("ss -tanp", || run_quietly("ss", &["-tanp"]));
        }
        drop(holders);
        println!();
        reading.print(FLOOR);
        reading
            .print_ratios(&[(TABLE, FLOOR, "at most 1.3 wanted"), ("ss -tanp", OWNED, "at least 2 wanted")]);

        let mut deleting = Times::default();
        let mut left_by_ss = 0;
        for _ in 0..rounds {
            let holders = connect(deletions);
            let clients: Vec<TcpConnection> =
                host.tcp_connections(&clients(&holders)).expect("reading the table");
            assert_eq!(clients.len(), deletions);
            deleting.take(ROWS, || {
                let outcomes = host.delete_tcp_connections(&clients, DeleteOptions::default());
                assert!(outcomes.expect("deleting").iter().all(Result::is_ok));
            });
            drop(holders);

            let holders = connect(deletions);
            let query = self::clients(&holders);
            deleting.take(MATCHING, || {
                let deleted = host.delete_tcp_matching(&query, DeleteOptions::default()).expect("deleting");
                assert_eq!(deleted.len(), deletions);
                assert!(deleted.iter().all(|row| matches!(row.outcome, TcpDeletionOutcome::Deleted)));
            });
            drop(holders);

            let holders = connect(deletions);
            deleting.take("ss -K", || {
                let end = format!(":{}", end_port(&holders));
                run_quietly("ss", &["-Ktn", "state", "established", "dport", "<", &end]);
            });
            // It deletes while the kernel still lists, so that the list can slip past some.
            left_by_ss += host.tcp_connections(&self::clients(&holders)).expect("reading the table").len();
            drop(holders);
        }
        println!();
        deleting.print(ROWS);
        deleting.print_ratios(&[("ss -K", ROWS, "at least 3 wanted"), ("ss -K", MATCHING, "")]);
        if left_by_ss > 0 {
            println!("ss -K left {left_by_ss} connections in {rounds} rounds");
        }
    }

    /// The least that any reader has to do: both dumps that the table needs, received and walked.
    fn floor() -> usize {
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, Some(netlink::SOCK_DIAG))
            .expect("opening a socket");
        let states = States::ALL.without(State::CLOSE).without(State::BOUND_INACTIVE);
        [AF_INET, AF_INET6]
            .map(|family| {
                walk_dump(&socket, dump(family, Protocol::Tcp, states, 0, &Filter::new()).finish(1))
            })
            .iter()
            .sum()
    }

    /// The client ends of the holders' connections.
    fn clients(holders: &Holders) -> TcpQuery {
        let conditions = vec![
            TcpCondition::State(vec![TcpState::Established]),
            TcpCondition::RemotePort(FIRST_PORT..=end_port(holders) - 1),
        ];
        TcpQuery { filter: conditions.into(), ..TcpQuery::default() }
    }

    /// Connections to themselves, of which each holder has both ends, from a port of its own.
    fn connect(connections: usize) -> Holders {
        Holders::new(connections, 2, |number| {
            ["--port".into(), (usize::from(FIRST_PORT) + number).to_string()]
        })
    }

    fn end_port(holders: &Holders) -> u16 {
        FIRST_PORT + u16::try_from(holders.count()).expect("few processes")
    }

    /// What a holder does: connect, and keep both ends. Its sockets are reset when it ends, so that
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
        Holders::hold(held);
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
