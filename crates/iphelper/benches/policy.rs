//! What a disabled default route costs each packet, and each change.
//!
//! ```text
//! cargo bench -p iphelper --bench policy                   20,000 datagrams a round, 30 rounds
//! cargo bench -p iphelper --bench policy -- --smoke        a small run that shows that everything works
//! ```
//!
//! Everything happens in private network namespaces. Two hosts send small datagrams from an unconnected UDP socket by the
//! same kind of uplink, in turns: one that never had a property set, and one whose other uplink is disabled. The fastest rounds
//! (others were disturbed) and their ratios are printed, and nothing is asserted about them.

#[cfg(target_os = "linux")]
mod linux {
    use iphelper::ip_interface::IpInterfaceChange;
    use iphelper::{Family, Host, InterfaceIndex};
    use iphelper_testkit::uplinks::{Bound, Uplinks, udp_socket};
    use iphelper_testkit::{isolated, run};
    use std::fmt::Write;
    use std::net::SocketAddr;
    use std::time::{Duration, Instant};

    iphelper_testkit::private_user_namespace!();

    const E1: InterfaceIndex = InterfaceIndex(3);

    pub(super) fn main() {
        let is_smoke = std::env::args().any(|argument| argument == "--smoke");
        let (datagrams, rounds) = if is_smoke { (1_000, 1) } else { (20_000, 30) };
        for family in Family::ALL {
            per_packet(family, datagrams, rounds);
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
        let [never, active, removed] =
            times.map(|times: Vec<f64>| times.into_iter().fold(f64::INFINITY, f64::min));
        println!("{family} datagram, no property ever set       {never:7.0} ns");
        println!("{family} datagram, the other uplink disabled  {active:7.0} ns {:6.3} x", active / never);
        println!("{family} datagram, enabled again              {removed:7.0} ns {:6.3} x", removed / never);
    }

    fn per_change(routes: u32, rounds: usize) {
        let (on, off) = isolated(|| {
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
            let file = std::env::temp_dir().join(format!("iphelper-bench-{}", std::process::id()));
            std::fs::write(&file, batch).expect("writing a batch");
            let _ = run(&format!("ip -batch {}", file.display()));
            std::fs::remove_file(&file).expect("removing the batch");
            // Kept, as programs and the C library do: the kernel makes who closes a socket to the packet filter wait until
            // all is cleared that it has taken away.
            let host = Host::open().expect("a host");
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..rounds {
                for (times, disabled) in times.iter_mut().zip([true, false]) {
                    let start = Instant::now();
                    disable(&host, Family::V4, E1, disabled);
                    times.push(start.elapsed());
                }
            }
            let [on, off] = times.map(median);
            (on, off)
        });
        println!("disabling with {routes} prefixes                {on:>10.1?}, enabling again {off:.1?}");
    }

    fn median(mut times: Vec<Duration>) -> Duration {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
