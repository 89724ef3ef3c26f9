//! How soon a running keeper has done what a new route needs, where few and many routes are.
//!
//! ```text
//! cargo bench -p iph --bench keeper                        0, 1,000 and 100,000 routes, 1,000 samples of each: about two minutes
//! cargo bench -p iph --bench keeper -- --smoke             a small run that shows that everything works
//! cargo bench -p iph --bench keeper -- --samples 5000      more samples
//! ```
//!
//! Everything happens in a private network namespace. A sample begins before a route is sent to the kernel and ends when
//! its effect has been announced to this program: so it holds two of its own wake-ups beside the keeper's work. The floor is
//! a process that does nothing but wait for a route and add one. Nothing is asserted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

#[cfg(target_os = "linux")]
mod linux {
    use iphelper_netlink::message::{ACK, CREATE, Messages, Request};
    use iphelper_netlink::nf_tables;
    use iphelper_netlink::rtnetlink::notification::IPV4_ROUTE;
    use iphelper_netlink::rtnetlink::route::{DELETE_ROUTE, NEW_ROUTE, Route};
    use iphelper_testkit::bench::{ip_batch, is_smoke, value_or};
    use iphelper_testkit::{isolated, run, try_run};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fd::OwnedFd;
    use rustix::net::netlink::{self, SocketAddrNetlink};
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
    use std::fmt::Write as _;
    use std::net::{IpAddr, Ipv4Addr};
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    const AF_INET: u8 = 2;
    const MAIN: u32 = 254;
    /// The table of the floor's copies.
    const COPIES: u32 = 4711;

    pub(super) fn main() {
        if std::env::args().any(|argument| argument == "--floor") {
            return floor();
        }
        let samples = u32::try_from(value_or("--samples", 20, 1_000)).unwrap();
        let sizes: &[u32] = if is_smoke() { &[0, 1_000] } else { &[0, 1_000, 100_000] };
        println!("{samples} samples each; microseconds");
        for routes in sizes {
            isolated(|| measure(*routes, samples));
        }
    }

    fn open(protocol: Option<rustix::net::Protocol>, groups: u32) -> OwnedFd {
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, protocol).unwrap();
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups)).unwrap();
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, 32 << 20);
        socket
    }

    /// Copies each default route of the main table to another one, and takes the copy away with it.
    fn floor() {
        let socket = open(None, IPV4_ROUTE);
        let sender = open(None, 0);
        let mut buffer = vec![0; 65536];
        loop {
            let (len, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty()).unwrap();
            for message in Messages::new(&buffer[..len]).flatten() {
                let Ok(Some(route)) = Route::parse(&message) else { continue };
                if route.table == MAIN && route.destination_len == 0 {
                    let copy = Route { table: COPIES, ..route };
                    let mut request =
                        if message.header.kind == NEW_ROUTE { copy.add(CREATE | ACK) } else { copy.delete() };
                    send(&sender, &mut request);
                }
            }
        }
    }

    /// Sends a request and waits for its answer.
    fn send(socket: &OwnedFd, request: &mut Request) {
        let _ = rustix::net::send(socket, request.finish(1), SendFlags::empty()).unwrap();
        let mut answer = [0; 4096];
        let (len, _) = rustix::net::recv(socket, &mut answer[..], RecvFlags::empty()).unwrap();
        for message in Messages::new(&answer[..len]).flatten() {
            let errno = message.acknowledgement().map(|answer| answer.map_or(0, |it| it.errno));
            assert_eq!(errno, Some(0), "a route was refused");
        }
    }

    /// What is waited for.
    #[derive(Clone, Copy)]
    enum Effect {
        /// The route stands in another table.
        Copy(u32),
        /// It stands there with another metric.
        Metric(u32),
        /// The packet filter changed.
        Filter,
    }

    struct Bench {
        sender: OwnedFd,
        routes: OwnedFd,
        filter: OwnedFd,
    }

    impl Bench {
        fn new() -> Self {
            let filter = open(Some(netlink::NETFILTER), 1 << (nf_tables::CHANGES - 1));
            Self { sender: open(None, 0), routes: open(None, IPV4_ROUTE), filter }
        }

        /// Sends a request; how long it takes until its effect is announced.
        fn sample(&self, mut request: Request, kind: u16, of: &Route, effect: Effect) -> Duration {
            let begun = Instant::now();
            send(&self.sender, &mut request);
            let mut buffer = vec![0; 65536];
            loop {
                let socket = if matches!(effect, Effect::Filter) { &self.filter } else { &self.routes };
                let (len, _) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()).unwrap();
                let now = Instant::now();
                let is_it = |message: iphelper_netlink::message::Message<'_>| match effect {
                    Effect::Filter => nf_tables::is_about_table(&message, "iphelper").unwrap(),
                    Effect::Copy(table) => {
                        message.header.kind == kind
                            && Route::parse(&message).unwrap().is_some_and(|it| {
                                it.table == table
                                    && it.priority == of.priority
                                    && it.destination == of.destination
                            })
                    }
                    Effect::Metric(metric) => {
                        message.header.kind == kind
                            && Route::parse(&message).unwrap().is_some_and(|it| {
                                it.table == MAIN && it.priority == metric && it.destination == of.destination
                            })
                    }
                };
                if Messages::new(&buffer[..len]).flatten().any(is_it) {
                    return now - begun;
                }
            }
        }

        /// Sends one range into the set of the guarded interface, which the keeper does for a prefix; how long the kernel
        /// needs. It is taken out again.
        fn set_transaction(&self) -> Duration {
            let set = nf_tables::Set { table: "iphelper", name: "onlink4-10" };
            let range = nf_tables::Range { first: 0xcb00_7109, last: 0xcb00_7109 };
            let transact = |mut elements: nf_tables::Elements<'_>| {
                elements.range(range, 4);
                let mut batch = nf_tables::Batch::new(None);
                elements.finish().into_iter().for_each(|change| batch.push(change));
                let (bytes, _) = batch.finish(1);
                let begun = Instant::now();
                let _ = rustix::net::send(&self.filter, &bytes, SendFlags::empty()).unwrap();
                begun.elapsed()
            };
            let time = transact(nf_tables::Elements::add(set));
            let _ = transact(nf_tables::Elements::remove(set));
            self.settle();
            time
        }

        /// Waits until nothing was announced for a while.
        fn settle(&self) {
            loop {
                let wait = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };
                let mut sockets =
                    [PollFd::new(&self.routes, PollFlags::IN), PollFd::new(&self.filter, PollFlags::IN)];
                if poll(&mut sockets, Some(&wait)).unwrap() == 0 {
                    return;
                }
                for socket in [&self.routes, &self.filter] {
                    while rustix::net::recv(socket, &mut [0; 65536][..], RecvFlags::DONTWAIT).is_ok() {}
                }
            }
        }

        fn report(&self, name: &str, samples: u32, route: &Route, effect: Effect, back: Effect) {
            let (mut there, mut gone) = (Vec::new(), Vec::new());
            for _ in 0..samples {
                self.settle();
                there.push(self.sample(route.add(CREATE | ACK), NEW_ROUTE, route, effect));
                self.settle();
                let stands = match effect {
                    Effect::Metric(metric) => Route { priority: metric, ..route.clone() },
                    _ => route.clone(),
                };
                if matches!(back, Effect::Metric(_)) {
                    // Its owner takes it away, and nobody else has to do anything.
                    send(&self.sender, &mut stands.delete());
                } else {
                    gone.push(self.sample(stands.delete(), DELETE_ROUTE, route, back));
                }
            }
            print(&format!("{name}, comes"), there);
            print(&format!("{name}, goes"), gone);
        }
    }

    fn print(name: &str, mut times: Vec<Duration>) {
        if times.is_empty() {
            return;
        }
        times.sort_unstable();
        let at = |part: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place in a list"
            )]
            let place = ((times.len() - 1) as f64 * part) as usize;
            times[place].as_micros()
        };
        println!("  {name:50} median {:6}  p99 {:6}  worst {:6}", at(0.5), at(0.99), at(1.0));
    }

    /// A process that is killed when dropped.
    struct Process(Child);

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    impl Process {
        fn start(program: &str, arguments: &[&str]) -> Self {
            Self(Command::new(program).args(arguments).stdout(Stdio::null()).spawn().unwrap())
        }

        fn resident(&self) -> u64 {
            let text = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
            let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        }
    }

    fn batch(routes: u32) {
        let mut text = String::new();
        for number in 0..routes {
            let [_, a, b, c] = (number * 2).to_be_bytes();
            let _ = writeln!(text, "route add {}.{b}.{c}.0/24 via 10.0.1.2", 20 + a);
        }
        ip_batch(&text);
    }

    fn route(destination: Option<[u8; 4]>, by: [u8; 4], interface: u32, metric: u32) -> Route {
        Route {
            destination: destination.map(|it| IpAddr::V4(Ipv4Addr::from(it))),
            destination_len: if destination.is_some() { 32 } else { 0 },
            gateway: Some(IpAddr::V4(Ipv4Addr::from(by))),
            interface: Some(interface),
            priority: metric,
            protocol: 3,
            ..Route::new(AF_INET, MAIN)
        }
    }

    fn measure(routes: u32, samples: u32) {
        for (n, name) in ["e0", "e1", "e2"].into_iter().enumerate() {
            let _ = run(&format!("ip link add {name} index {} type veth peer name p{n}", 10 + n));
            let _ = run(&format!("ip link set p{n} up"));
            let _ = run(&format!("ip link set {name} up"));
            let _ = run(&format!("ip address add 10.0.{}.1/24 dev {name}", n + 1));
        }
        let iph = env!("CARGO_BIN_EXE_iph");
        let this = std::env::current_exe().unwrap();
        batch(routes);
        println!("{routes} routes over the guarded interface");
        let default = route(None, [10, 0, 2, 2], 11, 700);
        {
            let bench = Bench::new();
            let _floor = Process::start(this.to_str().unwrap(), &["--floor"]);
            std::thread::sleep(Duration::from_millis(100));
            bench.report(
                "floor: a process that copies it",
                samples,
                &default,
                Effect::Copy(COPIES),
                Effect::Copy(COPIES),
            );
        }
        let _ = run(&format!("{iph} interface set e0 --ipv4 --disable-default-routes true"));
        let _ = run(&format!("{iph} interface set e2 --ipv4 --metric 50"));
        let folder = std::env::temp_dir().join(format!("iphelper-bench-status-{}", std::process::id()));
        let keeper = Process::start(iph, &["keeper", "--status-directory", folder.to_str().unwrap()]);
        while try_run(&format!("{iph} keeper status --status-directory {}", folder.display())).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let bench = Bench::new();
        let table = 0x6970_6801;
        bench.report("default route, allowed", samples, &default, Effect::Copy(table), Effect::Copy(table));
        let host = route(Some([203, 0, 113, 7]), [10, 0, 1, 2], 10, 0);
        bench.report(
            "prefix over the guarded interface, let through",
            samples,
            &host,
            Effect::Filter,
            Effect::Filter,
        );
        let moved = route(Some([203, 0, 113, 8]), [10, 0, 3, 2], 12, 7);
        bench.report(
            "route, given its interface's metric",
            samples,
            &moved,
            Effect::Metric(57),
            Effect::Metric(57),
        );
        println!("  resident: {} KiB", keeper.resident());
        let times = (0..samples.min(200)).map(|_| bench.set_transaction()).collect();
        print("floor: the transaction of such a prefix alone", times);
        drop(keeper);
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
