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
    use iphelper_netlink::message::Messages;
    use iphelper_netlink::sock_diag::filter::Filter;
    use iphelper_netlink::sock_diag::inet::{Protocol, States, dump};
    use iphelper_netlink::sock_diag::{AF_INET, AF_INET6};
    use iphelper_testkit::NetNs;
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, netlink};
    use std::hint::black_box;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::UdpSocket;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    /// Below the ports that the kernel chooses from.
    const FIRST_PORT: usize = 10_000;
    const FLOOR: &str = "floor: receive the dumps, walk the messages";
    const BARE: &str = "table without specific_port_bind";
    const OWNED: &str = "that with owners";

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let position = arguments.iter().position(|argument| argument == name)?;
            arguments.get(position + 1)?.parse::<usize>().ok()
        };
        if let Some(sockets) = value("--hold") {
            return hold(value("--address").unwrap_or(1), sockets);
        }
        let smoke = arguments.iter().any(|argument| argument == "--smoke");
        let rows = value("--rows").unwrap_or(if smoke { 2_000 } else { 60_000 });
        let rounds = value("--rounds").unwrap_or(if smoke { 1 } else { 5 });
        NetNs::new().run(|| measure(rows, rounds));
    }

    fn measure(rows: usize, rounds: usize) {
        println!("{rows} rows, medians of {rounds} rounds");
        let host = Host::open().expect("opening the namespace");
        let _holders = Holders::new(rows);
        // What C's classes without SpecificPortBind ask for, and what all of Rust's rows tell.
        let bare = UdpQuery { specific_port_binds: false, ..UdpQuery::default() };
        let full = UdpQuery::default();
        let owned = UdpQuery { owners: true, ..bare.clone() };
        let mut reading = Table::default();
        for _ in 0..rounds {
            reading.time(FLOOR, || {
                let floor = floor();
                assert!(floor >= rows, "the kernel lists {floor} sockets");
            });
            for (name, by_rows, query) in
                [(BARE, "the same, row by row", &bare), ("table", "table, row by row", &full)]
            {
                reading.time(name, || {
                    let table = host.udp_endpoints(query).expect("reading the table");
                    assert!(black_box(table).len() >= rows);
                });
                reading.time(by_rows, || {
                    let mut read = 0;
                    for row in host.udp_endpoints_iter(query).expect("reading the table") {
                        let _ = black_box(row.expect("a row"));
                        read += 1;
                    }
                    assert!(read >= rows);
                });
            }
            reading.time(OWNED, || {
                let table = host.udp_endpoints(&owned).expect("reading the table");
                assert!(black_box(table).iter().filter(|row| row.owner.is_some()).count() >= rows);
            });
            reading.time("ss -uan", || ss("-uan"));
            reading.time("ss -uanp", || ss("-uanp"));
        }
        reading.print(&[
            (BARE, FLOOR, "at most 1.3 wanted"),
            ("table", FLOOR, "two dumps of each family"),
            ("ss -uanp", OWNED, "at least 2 wanted"),
        ]);
    }

    /// The least that any reader has to do: a dump of each family, received and walked.
    fn floor() -> usize {
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, Some(netlink::SOCK_DIAG))
            .expect("opening a socket");
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut sockets = 0;
        for family in [AF_INET, AF_INET6] {
            let mut request = dump(family, Protocol::Udp, States::ALL, 0, &Filter::new());
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

    fn ss(options: &str) {
        let status = Command::new("ss").arg(options).stdout(Stdio::null()).status();
        assert!(status.expect("starting ss").success());
    }

    /// Processes that hold sockets.
    struct Holders {
        processes: Vec<Child>,
    }

    impl Holders {
        fn new(sockets: usize) -> Self {
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
            let limit = usize::try_from(limit.unwrap_or(1 << 20)).unwrap_or(1 << 20);
            let count = sockets.div_ceil(limit.saturating_sub(64).clamp(1, 20_000)).max(4);
            let this = std::env::current_exe().expect("this program's path");
            let processes = (0..count).map(|number| {
                // As even as whole numbers allow.
                let share = sockets * (number + 1) / count - sockets * number / count;
                Command::new(&this)
                    .args(["--hold", &share.to_string(), "--address", &(number + 1).to_string()])
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
    }

    impl Drop for Holders {
        fn drop(&mut self) {
            for process in &mut self.processes {
                // The end of its input ends it.
                drop(process.stdin.take());
                let _ = process.wait();
            }
        }
    }

    /// What a holder does: bind, say so, wait for the end of its input.
    fn hold(address: usize, sockets: usize) {
        let held: Vec<UdpSocket> = (0..sockets)
            .map(|number| {
                let port = if number % 2 == 0 { 0 } else { FIRST_PORT + number };
                UdpSocket::bind(format!("127.0.0.{address}:{port}")).expect("binding")
            })
            .collect();
        println!("ready");
        std::io::stdout().flush().expect("saying so");
        let _ = std::io::stdin().read(&mut [0]);
        drop(held);
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

        fn print(&self, ratios: &[(&str, &str, &str)]) {
            for (name, _) in &self.rows {
                let median = self.median(name);
                println!("{name:45} {median:10.1} ms {:8.2} x", median / self.median(FLOOR));
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
