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
    use iphelper_netlink::rtnetlink::neigh;
    use iphelper_testkit::bench::{Times, ip_batch, is_smoke, run_quietly, walk_dump};
    use iphelper_testkit::{NetNs, run};
    use rustix::net::{AddressFamily, SocketType};
    use std::fmt::Write as _;
    use std::hint::black_box;

    iphelper_testkit::private_user_namespace!();

    const FLOOR: &str = "floor: receive the dump, walk the messages";

    pub(super) fn main() {
        let (rows, rounds) = if is_smoke() { (2_000, 1) } else { (100_000, 5) };
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
        ip_batch(&batch);

        let host = Host::open().expect("opening the namespace");
        let mut times = Times::default();
        for _ in 0..rounds {
            times.take(FLOOR, || assert!(floor() >= rows));
            times.take("table", || {
                let table = host.neighbors(Some(Family::V4)).expect("reading the table");
                assert!(black_box(table).len() >= rows);
            });
            times.take("ip neigh show", || run_quietly("ip", &["-4", "neigh", "show"]));
        }
        times.print(FLOOR);
    }

    /// The least that any reader has to do: the dump, received and walked.
    fn floor() -> usize {
        const AF_INET: u8 = 2;
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).expect("a socket");
        walk_dump(&socket, neigh::dump_all(AF_INET).finish(1))
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
