//! What a disabled default route costs each packet, and each change.
//!
//! ```text
//! cargo bench -p iphelper --bench policy                   20,000 datagrams a round, 30 rounds
//! cargo bench -p iphelper --bench policy -- --smoke        a small run that shows that everything works
//! ```
//!
//! Everything happens in private network namespaces. Two hosts send small datagrams from an unconnected UDP socket by the
//! same kind of uplink, in turns: one that never had a property set, and one whose other uplink is disabled. So do two
//! connections. Medians and their ratios are printed, and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::ip_interface::IpInterfaceChange;
    use iphelper::{Family, Host, InterfaceIndex};
    use iphelper_testkit::bench::{ip_batch, is_smoke, median};
    use iphelper_testkit::uplinks::{Bound, Uplinks, udp_socket};
    use iphelper_testkit::{isolated, run};
    use std::fmt::Write as _;
    use std::io::{Read, Write as _};
    use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    const E1: InterfaceIndex = InterfaceIndex(3);

    pub(super) fn main() {
        let is_smoke = is_smoke();
        let (datagrams, rounds) = if is_smoke { (1_000, 1) } else { (20_000, 30) };
        for family in Family::ALL {
            per_packet(family, datagrams, rounds);
        }
        for family in Family::ALL {
            per_octet(family, if is_smoke { 1 << 20 } else { 256 << 20 }, rounds);
        }
        for routes in if is_smoke { vec![100] } else { vec![0, 1_000, 50_000] } {
            per_change(routes, rounds.div_ceil(4));
        }
    }

    fn disable(host: &Host, family: Family, index: InterfaceIndex, disabled: bool) {
        let change = IpInterfaceChange { disable_default_routes: Some(disabled), ..Default::default() };
        let _ = host.set_ip_interface(family, index, &change).expect("changing the interface");
    }

    fn per_packet(family: Family, datagrams: u32, rounds: usize) {
        let [plain, guarded] = [Uplinks::new(), Uplinks::new()];
        let send = |uplinks: &Uplinks| {
            uplinks.host.run(|| {
                let ipv6 = family == Family::V6;
                let socket = udp_socket(ipv6, Bound::Free).expect("a socket");
                let to = SocketAddr::new(Uplinks::server_address(ipv6), 9);
                let start = Instant::now();
                for _ in 0..datagrams {
                    // The server refuses; what counts is the way out.
                    let _ = socket.send_to(&[0; 16], to);
                }
                start.elapsed().as_secs_f64() * 1e9 / f64::from(datagrams)
            })
        };
        // Nobody listens: a black hole there, so that no refusal comes back.
        for uplinks in [&plain, &guarded] {
            for router in &uplinks.routers {
                let _ = router.sh("nft add rule inet witness seen udp dport 9 drop");
            }
        }
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        let host = guarded.host.run(|| Host::open().expect("a host"));
        disable(&host, family, E1, true);
        for _ in 0..rounds {
            times[0].push(send(&plain));
            times[1].push(send(&guarded));
        }
        disable(&host, family, E1, false);
        for _ in 0..rounds {
            times[0].push(send(&plain));
            times[2].push(send(&guarded));
        }
        let [never, active, removed] = times.map(median);
        println!("{family} datagram, no property ever set       {never:7.0} ns");
        println!("{family} datagram, the other uplink disabled  {active:7.0} ns {:6.3} x", active / never);
        println!("{family} datagram, enabled again              {removed:7.0} ns {:6.3} x", removed / never);
    }

    /// What a connection carries, between a host that never had a property set, and one whose other uplink is disabled.
    fn per_octet(family: Family, octets: usize, rounds: usize) {
        let [plain, guarded] = [Uplinks::new(), Uplinks::new()];
        for uplinks in [&plain, &guarded] {
            let listener = uplinks.server.run(|| TcpListener::bind("[::]:9")).expect("listening");
            // Ends with the process.
            let _ = std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 18];
                for mut connection in listener.incoming().flatten() {
                    while connection.read(&mut buffer).is_ok_and(|len| len > 0) {}
                }
            });
        }
        let chunk = vec![0; 1 << 18];
        let send = |uplinks: &Uplinks| {
            uplinks.host.run(|| {
                let server = SocketAddr::new(Uplinks::server_address(family == Family::V6), 9);
                let mut connection = TcpStream::connect(server).expect("connecting");
                let start = Instant::now();
                for _ in 0..octets.div_ceil(chunk.len()) {
                    connection.write_all(&chunk).expect("sending");
                }
                connection.shutdown(Shutdown::Write).expect("ending");
                // The server closes once it has read everything.
                let _ = connection.read(&mut [0]);
                start.elapsed().as_secs_f64()
            })
        };
        let host = guarded.host.run(|| Host::open().expect("a host"));
        disable(&host, family, E1, true);
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            times[0].push(send(&plain));
            times[1].push(send(&guarded));
        }
        let [never, active] = times.map(median);
        let rate = |seconds: f64| octets as f64 * 8.0 / 1e9 / seconds;
        println!("{family} connection, no property ever set       {:7.1} Gbit/s", rate(never));
        println!(
            "{family} connection, the other uplink disabled  {:7.1} Gbit/s {:6.3} x",
            rate(active),
            active / never
        );
    }

    fn per_change(routes: u32, rounds: usize) {
        let times = isolated(|| {
            let _ = run("ip link add va type veth peer name vb");
            let _ = run("ip link set va up");
            let _ = run("ip link set vb up");
            let _ = run("ip address add 10.0.1.2/24 dev va");
            let _ = run("ip route add default via 10.0.1.1");
            let mut batch = String::new();
            for n in 0..routes {
                // Every other address, so that no two make one range.
                let [a, b, c, d] = (0x1400_0000 + 2 * n).to_be_bytes();
                writeln!(batch, "route add {a}.{b}.{c}.{d}/32 dev va").expect("writing to memory");
            }
            ip_batch(&batch);
            // Kept, as programs and the C library do: the kernel makes who closes a socket to the packet filter wait until
            // all is cleared that it has taken away.
            let host = Host::open().expect("a host");
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..rounds {
                for (times, disabled) in times.iter_mut().zip([true, false]) {
                    let start = Instant::now();
                    disable(&host, Family::V4, E1, disabled);
                    times.push(start.elapsed().as_secs_f64());
                }
            }
            times.map(median)
        });
        let [on, off] = times.map(Duration::from_secs_f64);
        println!("disabling with {routes} prefixes                {on:>10.1?}, enabling again {off:.1?}");
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
