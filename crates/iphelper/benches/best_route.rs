//! How fast the best route is found, beside the bare questions to the kernel that it is made of.
//!
//! ```text
//! cargo bench -p iphelper --bench best_route                 20,000 look-ups of each kind, 7 rounds
//! cargo bench -p iphelper --bench best_route -- --smoke      a small run that shows that everything works
//! ```
//!
//! Everything happens in a private network namespace with 10,000 routes. The floor is a socket that sends one message,
//! waits for its answer and looks at nothing. Medians of the rounds and their ratios are printed, and nothing is asserted
//! about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::best_route::BestRouteQuery;
    use iphelper::{Family, Host};
    use iphelper_netlink::message::Request;
    use iphelper_netlink::nf_tables::Table;
    use iphelper_netlink::rtnetlink::link::{self, Selector};
    use iphelper_netlink::rtnetlink::route::{self, Filter};
    use iphelper_netlink::rtnetlink::route_lookup::{Answer, RouteLookup};
    use iphelper_testkit::bench::{ip_batch, is_smoke, median};
    use iphelper_testkit::{NetNs, run};
    use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketType};
    use std::fmt::Write as _;
    use std::net::IpAddr;
    use std::os::fd::OwnedFd;
    use std::time::Instant;

    iphelper_testkit::private_user_namespace!();

    const ROUTES: u32 = 10_000;

    pub(super) fn main() {
        let (count, rounds) = if is_smoke() { (200, 1) } else { (20_000, 7) };
        println!("{count} look-ups, medians of {rounds} rounds, microseconds for each");
        for family in Family::ALL {
            NetNs::new().run(|| measure(family, count, rounds));
        }
    }

    fn measure(family: Family, count: u32, rounds: u32) {
        for command in [
            "ip link add e0 type veth peer name p0",
            "ip link set p0 up",
            "ip link set e0 up",
            "ip addr add 10.0.0.1/24 dev e0",
            "ip addr add fd00::1/64 dev e0 nodad",
            "ip -4 route add default via 10.0.0.2",
            "ip -6 route add default via fd00::2 dev e0",
        ] {
            let _ = run(command);
        }
        let is_v4 = family == Family::V4;
        let mut script = String::new();
        for number in 0..ROUTES {
            let [.., b, c] = number.to_be_bytes();
            let _ = if is_v4 {
                writeln!(script, "route add 20.{b}.{c}.0/24 via 10.0.0.2 dev e0")
            } else {
                writeln!(script, "route add 2001:db8:{number:x}::/48 via fd00::2 dev e0")
            };
        }
        ip_batch(&script);
        let to: IpAddr =
            if is_v4 { [20, 0, 77, 1].into() } else { [0x2001, 0xdb8, 77, 0, 0, 0, 0, 1].into() };
        let own: IpAddr = if is_v4 { [10, 0, 0, 1].into() } else { [0xfd00, 0, 0, 0, 0, 0, 0, 1].into() };
        let host = Host::open().expect("opening the namespace");
        let index = host.interface_named("e0").expect("finding the interface").index.0;

        let lookup = RouteLookup::to(to);
        let [entry, way] = [Answer::Entry, Answer::Way].map(|answer| lookup.request(answer));
        // Tables of ours, which are not there.
        let table = |table| route::dump(2, Filter { table: Some(table), ..Filter::default() });
        // An administrator looks for our packet filter, too.
        let filter = Table::get("iphelper").unacknowledged();
        let messages = [
            ("NFT_MSG_GETTABLE, the packet filter", filter),
            ("RTM_GETROUTE, the entry", entry),
            ("RTM_GETROUTE, the way", way),
            ("a dump of what is set", table(1_768_974_338)),
            ("a dump of interface metrics", table(1_768_974_352)),
            ("a dump of what was moved", table(1_768_974_353)),
            ("RTM_GETLINK, the LUID", link::get(Selector::Index(index)).unacknowledged()),
        ];
        let source = RouteLookup::to(own).request(Answer::Entry);
        let plain = BestRouteQuery::default();
        let from = BestRouteQuery { source: Some(own), ..BestRouteQuery::default() };

        let (raw, raw_filter) = (Raw::open(None), Raw::open(Some(rustix::net::netlink::NETFILTER)));
        let mut floors = vec![Vec::new(); messages.len() + 1];
        let (mut plains, mut froms) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let requests = messages.iter().map(|(_, request)| request).chain([&source]);
            for (place, (times, request)) in floors.iter_mut().zip(requests).enumerate() {
                let raw = if place == 0 { &raw_filter } else { &raw };
                times.push(time(count, || raw.round_trip(request.clone())));
            }
            plains.push(time(count, || {
                let _ = host.best_route(to, &plain).expect("a route");
            }));
            froms.push(time(count, || {
                let _ = host.best_route(to, &from).expect("a route");
            }));
        }
        let floors: Vec<f64> = floors.into_iter().map(median).collect();
        for ((name, _), floor) in messages.iter().zip(&floors) {
            println!("{family}: {name}: {floor:.2}");
        }
        let one = floors.get(1).copied().unwrap_or_default();
        let (all, with_source): (f64, f64) = (floors.iter().take(messages.len()).sum(), floors.iter().sum());
        for (what, times, floor, many) in [
            ("best_route", plains, all, messages.len()),
            ("best_route from a source", froms, with_source, messages.len() + 1),
        ] {
            let ours = median(times);
            let lone = one * f64::from(u32::try_from(many).unwrap_or_default());
            println!(
                "{family}: {what}: {ours:.2}; {many} messages of its kinds {floor:.2}, ratio {:.2}; {many} round trips of \
                 RTM_GETROUTE {lone:.2}, ratio {:.2}",
                ours / floor,
                ours / lone
            );
        }
    }

    /// A socket that looks at nothing but the number of an answer.
    struct Raw(OwnedFd, std::cell::Cell<u32>);

    impl Raw {
        fn open(protocol: Option<Protocol>) -> Self {
            let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, protocol);
            let socket = socket.expect("a socket");
            // Only so the kernel picks the table out by itself.
            iphelper_testkit::check_strictly(&socket);
            let kernel = rustix::net::netlink::SocketAddrNetlink::new(0, 0);
            rustix::net::bind(&socket, &kernel).expect("binding");
            rustix::net::connect(&socket, &kernel).expect("connecting");
            Self(socket, std::cell::Cell::new(0))
        }

        fn round_trip(&self, mut request: Request) {
            let mut answer = [0; 8192];
            let number = self.1.get() + 1;
            self.1.set(number);
            let _ = rustix::net::send(&self.0, request.finish(number), SendFlags::empty()).expect("sending");
            // A dump may end in a datagram of its own, which the next question finds.
            while answer.get(8..12) != Some(number.to_ne_bytes().as_slice()) {
                let _ = rustix::net::recv(&self.0, &mut answer[..], RecvFlags::empty()).expect("receiving");
            }
        }
    }

    /// Microseconds for each.
    fn time(count: u32, mut work: impl FnMut()) -> f64 {
        let start = Instant::now();
        for _ in 0..count {
            work();
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
