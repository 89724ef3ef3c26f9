//! How fast adapters are listed, beside the kernel's own speed and beside `ip`.
//!
//! ```text
//! cargo bench -p iphelper-capi --bench adapter                 1,000 interfaces, 10,000 addresses, 9 rounds
//! cargo bench -p iphelper-capi --bench adapter -- --smoke      a small run that shows that everything works
//! ```
//!
//! Everything happens in a private network namespace. Each round takes every measurement once, so that all of them see the
//! same machine; the medians and their ratios are printed, and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::Host;
    use iphelper::adapter::AdapterQuery;
    use iphelper_capi::adapter::adapters_addresses;
    use iphelper_netlink::genetlink::{control, ethtool};
    use iphelper_netlink::message::Messages;
    use iphelper_netlink::rtnetlink::addr::group::{self, Kind};
    use iphelper_netlink::rtnetlink::route::{self, Filter};
    use iphelper_netlink::rtnetlink::{addr, link};
    use iphelper_testkit::bench::{Times, ip_batch, is_smoke, run_quietly, walk_dump};
    use iphelper_testkit::{NetNs, check_strictly, run, set_sysctl};
    use rustix::fd::OwnedFd;
    use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketType, netlink};
    use std::fmt::Write as _;
    use std::hint::black_box;
    use std::ptr::null_mut;

    iphelper_testkit::private_user_namespace!();

    /// `AF_INET` and `AF_INET6`, as the kernel numbers them.
    const FAMILIES: [u8; 2] = [2, 10];
    const MAIN_TABLE: u32 = 254;
    const FLOOR: &str = "floor: receive the dumps, walk the messages";

    pub(super) fn main() {
        let (pairs, rounds) = if is_smoke() { (20, 1) } else { (500, 9) };
        NetNs::new().run(|| measure(pairs, rounds));
    }

    fn measure(pairs: u32, rounds: usize) {
        furnish(pairs);
        let host = Host::open().expect("opening the namespace");
        let route = socket(None);
        let generic = socket(Some(netlink::GENERIC));
        let family = ethtool_family(&generic);
        let mut buffer = vec![0_u64; 4 << 20];
        let mut times = Times::default();
        let mut counts = (0, 0);
        for _ in 0..rounds {
            times.take(FLOOR, || counts.1 = floor(&route, &generic, family));
            times.take("adapters, without name servers and leases", || {
                let adapters =
                    host.adapters(&AdapterQuery { dns: false, dhcp: false, ..AdapterQuery::default() });
                counts.0 = black_box(adapters).expect("listing adapters").len();
            });
            times.take("GetAdaptersAddresses, prefixes and gateways too", || {
                let mut size = u32::try_from(buffer.len() * 8).expect("a size");
                // SAFETY: the buffer has as many bytes as are stated.
                let code = unsafe {
                    adapters_addresses(0, 0x90, null_mut(), buffer.as_mut_ptr().cast(), &raw mut size)
                };
                assert_eq!(code, 0);
            });
            times.take("ip -json addr show", || run_quietly("ip", &["-json", "addr", "show"]));
        }
        println!("{} adapters, {} messages, medians of {rounds} rounds", counts.0, counts.1);
        times.print(FLOOR);
    }

    /// Pairs of interfaces with five addresses of each family on each end, link-local ones among them.
    fn furnish(pairs: u32) {
        set_sysctl("ipv6/conf/default/accept_dad", "0");
        let mut batch = String::new();
        for pair in 0..pairs {
            writeln!(batch, "link add a{pair} type veth peer name b{pair}").expect("writing to a string");
            for end in ["a", "b"] {
                writeln!(batch, "link set {end}{pair} up").expect("writing to a string");
                for number in 1..=5 {
                    let [_, _, high, low] = pair.to_be_bytes();
                    let number = number * 2 + u32::from(end == "b");
                    writeln!(batch, "addr add 10.{high}.{low}.{number}/28 dev {end}{pair}")
                        .expect("a string");
                }
                for number in 1..=4 {
                    writeln!(batch, "addr add 2001:db8:{pair:x}::{end}{number}/64 dev {end}{pair} nodad")
                        .expect("writing to a string");
                }
            }
        }
        ip_batch(&batch);
        let _ = run("ip link set lo up");
    }

    fn socket(protocol: Option<Protocol>) -> OwnedFd {
        let socket =
            rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, protocol).expect("a socket");
        check_strictly(&socket);
        socket
    }

    /// The least that any reader has to do: the dumps, received and walked; how many messages there are.
    fn floor(route: &OwnedFd, generic: &OwnedFd, ethtool_family: u16) -> usize {
        let mut messages = walk_dump(route, link::dump().finish(1))
            + walk_dump(generic, ethtool::speed(ethtool_family, None).finish(1));
        for family in FAMILIES {
            messages += walk_dump(route, addr::dump(family, 0).finish(1));
            messages += walk_dump(route, group::dump(Kind::Multicast, family, 0).finish(1));
            let filter = Filter { table: Some(MAIN_TABLE), ..Filter::default() };
            messages += walk_dump(route, route::dump(family, filter).finish(1));
        }
        messages + walk_dump(route, group::dump(Kind::Anycast, FAMILIES[1], 0).finish(1))
    }

    fn ethtool_family(generic: &OwnedFd) -> u16 {
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut found = None;
        let _ = rustix::net::send(generic, control::dump().finish(1), SendFlags::empty())
            .expect("asking for the families");
        loop {
            let (len, _) = rustix::net::recv(generic, &mut buffer, RecvFlags::empty()).expect("receiving");
            for message in Messages::new(buffer.get(..len).unwrap_or_default()).flatten() {
                if message.done().is_some() {
                    return found.expect("ethtool over netlink");
                }
                let family = control::Family::parse(&message).expect("a family");
                found =
                    found.or(family.filter(|family| family.name == ethtool::NAME).map(|family| family.id));
            }
        }
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
