//! How fast the neighbour table is read, beside the kernel's own speed and beside `ip`.
//!
//! ```text
//! cargo bench -p iphelper --bench neighbor                 100,000 rows, 5 rounds
//! cargo bench -p iphelper --bench neighbor -- --smoke      a small run that shows that everything works
//! ```
//!
//! Everything happens in a private network namespace, in permanent entries. Each round takes every measurement once, so that
//! all of them see the same machine; the medians and their ratios are printed, and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::{Family, Host};
    use iphelper_netlink::message::Messages;
    use iphelper_netlink::rtnetlink::neigh;
    use iphelper_testkit::{NetNs, run};
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
    use std::fmt::Write as _;
    use std::hint::black_box;
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    pub(super) fn main() {
        let smoke = std::env::args().any(|argument| argument == "--smoke");
        let (rows, rounds) = if smoke { (2_000, 1) } else { (100_000, 5) };
        NetNs::new().run(|| measure(rows, rounds));
    }

    fn measure(rows: usize, rounds: usize) {
        println!("{rows} rows, medians of {rounds} rounds");
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let mut batch = String::new();
        for number in 1..=u32::try_from(rows).expect("a number of rows") {
            let [_, a, b, c] = number.to_be_bytes();
            writeln!(batch, "neigh add 10.{a}.{b}.{c} lladdr 02:00:00:{a:02x}:{b:02x}:{c:02x} dev e0")
                .expect("writing to a string");
        }
        let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("ip");
        ip.stdin.take().expect("a pipe").write_all(batch.as_bytes()).expect("writing to ip");
        assert!(ip.wait().expect("waiting for ip").success());

        let host = Host::open().expect("opening the namespace");
        let [mut floors, mut tables, mut shows] = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            time(&mut floors, || assert!(floor() >= rows));
            time(&mut tables, || {
                let table = host.neighbors(Some(Family::V4)).expect("reading the table");
                assert!(black_box(table).len() >= rows);
            });
            time(&mut shows, || {
                let status = Command::new("ip").args(["-4", "neigh", "show"]).stdout(Stdio::null()).status();
                assert!(status.expect("starting ip").success());
            });
        }
        let names = ["floor: receive the dump, walk the messages", "table", "ip neigh show"];
        let medians = [floors, tables, shows].map(|mut times| {
            let middle = times.len() / 2;
            *times.select_nth_unstable(middle).1
        });
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        for (name, median) in names.iter().zip(medians) {
            println!(
                "{name:45} {:10.1} ms {:8.2} x",
                milliseconds(median),
                milliseconds(median) / milliseconds(medians[0])
            );
        }
    }

    fn time(times: &mut Vec<Duration>, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        times.push(start.elapsed());
    }

    /// The least that any reader has to do: the dump, received and walked.
    fn floor() -> usize {
        const AF_INET: u8 = 2;
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).expect("a socket");
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut request = neigh::dump_all(AF_INET);
        let _ = rustix::net::send(&socket, request.finish(1), SendFlags::empty()).expect("asking for a dump");
        let mut rows = 0;
        loop {
            let (len, _) = rustix::net::recv(&socket, &mut buffer, RecvFlags::empty()).expect("receiving");
            for message in Messages::new(buffer.get(..len).unwrap_or_default()) {
                if message.expect("a message").done().is_some() {
                    return rows;
                }
                rows += 1;
            }
        }
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
