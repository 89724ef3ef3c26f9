//! How fast the UDP table is read, beside the kernel's own speed and beside `ss`.
//!
//! ```text
//! cargo bench -p iphelper --bench udp                      60,000 rows, 5 rounds
//! cargo bench -p iphelper --bench udp -- --smoke           a small run that shows that everything works
//! cargo bench -p iphelper --bench udp -- --rows 20000      another size
//! ```
//!
//! Everything happens in a private network namespace: sockets on loopback, held by several processes, every second one on a
//! port that it asked for. Each round takes every measurement once, so that all of them see the same machine; the medians and
//! their ratios are printed, and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::Host;
    use iphelper::udp::UdpQuery;
    use iphelper_netlink::sock_diag::filter::Filter;
    use iphelper_netlink::sock_diag::inet::{Protocol, States, dump};
    use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
    use iphelper_testkit::NetNs;
    use iphelper_testkit::bench::{Holders, Times, run_quietly, value, value_or, walk_dump};
    use rustix::net::{AddressFamily, SocketType, netlink};
    use std::hint::black_box;
    use std::net::UdpSocket;

    iphelper_testkit::private_user_namespace!();

    /// Below the ports that the kernel chooses from.
    const FIRST_PORT: usize = 10_000;
    const FLOOR: &str = "floor: receive the dumps, walk the messages";
    const BARE: &str = "table without specific_port_bind";
    const OWNED: &str = "that with owners";

    pub(super) fn main() {
        if let Some(sockets) = value("--hold") {
            return hold(value("--address").unwrap_or(1), sockets);
        }
        let rows = value_or("--rows", 2_000, 60_000);
        let rounds = value_or("--rounds", 1, 5);
        NetNs::new().run(|| measure(rows, rounds));
    }

    fn measure(rows: usize, rounds: usize) {
        println!("{rows} rows, medians of {rounds} rounds");
        let host = Host::open().expect("opening the namespace");
        let _holders = Holders::new(rows, 1, |number| ["--address".into(), (number + 1).to_string()]);
        // What C's classes without SpecificPortBind ask for, and what all of Rust's rows tell.
        let bare = UdpQuery { specific_port_binds: false, ..UdpQuery::default() };
        let full = UdpQuery::default();
        let owned = UdpQuery { owners: true, ..bare.clone() };
        let mut reading = Times::default();
        for _ in 0..rounds {
            reading.take(FLOOR, || {
                let floor = floor();
                assert!(floor >= rows, "the kernel lists {floor} sockets");
            });
            for (name, by_rows, query) in
                [(BARE, "the same, row by row", &bare), ("table", "table, row by row", &full)]
            {
                reading.take(name, || {
                    let table = host.udp_endpoints(query).expect("reading the table");
                    assert!(black_box(table).len() >= rows);
                });
                reading.take(by_rows, || {
                    let mut read = 0;
                    for row in host.udp_endpoints_iter(query).expect("reading the table") {
                        let _ = black_box(row.expect("a row"));
                        read += 1;
                    }
                    assert!(read >= rows);
                });
            }
            reading.take(OWNED, || {
                let table = host.udp_endpoints(&owned).expect("reading the table");
                assert!(black_box(table).iter().filter(|row| row.owner.is_some()).count() >= rows);
            });
            reading.take("ss -uan", || run_quietly("ss", &["-uan"]));
            reading.take("ss -uanp", || run_quietly("ss", &["-uanp"]));
        }
        reading.print(FLOOR);
        reading.print_ratios(&[
            (BARE, FLOOR, "at most 1.3 wanted"),
            ("table", FLOOR, "two dumps of each family"),
            ("ss -uanp", OWNED, "at least 2 wanted"),
        ]);
    }

    /// The least that any reader has to do: a dump of each family, received and walked.
    fn floor() -> usize {
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, Some(netlink::SOCK_DIAG))
            .expect("opening a socket");
        [AF_INET, AF_INET6]
            .map(|family| {
                walk_dump(&socket, dump(family, Protocol::Udp, States::ALL, 0, &Filter::new()).finish(1))
            })
            .iter()
            .sum()
    }

    /// What a holder does: bind, and keep the sockets.
    fn hold(address: usize, sockets: usize) {
        let held: Vec<UdpSocket> = (0..sockets)
            .map(|number| {
                let port = if number % 2 == 0 { 0 } else { FIRST_PORT + number };
                UdpSocket::bind(format!("127.0.0.{address}:{port}")).expect("binding")
            })
            .collect();
        Holders::hold(held);
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
