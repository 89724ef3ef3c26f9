//! What functions do to the kernel and read from it, where no other test shows it from C's side: against `ip`, `ss` and `/proc`.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type, and each buffer has the \
              size that is said"
)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_capi::{
    address, best_route, compartment, convert, estats, icmp, memory, path, port_reservation, statistics, tcp,
    timestamp,
};
use iphelper_testkit::{
    NetNs, established, eventually, isolated, run, set_sysctl, sysctl, with_private_folder,
};
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

iphelper_testkit::private_user_namespace!();

/// A pair of interfaces that are up; the index of the first.
fn pair() -> u32 {
    let _ = run("ip link add e0 type veth peer name e1");
    let _ = run("ip link set e1 up");
    let _ = run("ip link set e0 up");
    run("ip -o link show e0").split(':').next().unwrap().parse().unwrap()
}

fn in6(address: &str) -> SOCKADDR_INET {
    let octets = address.parse::<Ipv6Addr>().unwrap().octets();
    let address = IN6_ADDR { u: IN6_ADDR_0 { Byte: octets } };
    SOCKADDR_INET { Ipv6: SOCKADDR_IN6 { sin6_family: AF_INET6, sin6_addr: address, ..Default::default() } }
}

fn in4(address: &str) -> SOCKADDR_INET {
    let number = u32::from_ne_bytes(address.parse::<Ipv4Addr>().unwrap().octets());
    let address = IN_ADDR { S_un: IN_ADDR_0 { S_addr: number } };
    SOCKADDR_INET { Ipv4: SOCKADDR_IN { sin_family: AF_INET, sin_addr: address, ..Default::default() } }
}

fn shown(row: &SOCKADDR_INET) -> String {
    unsafe {
        match row.si_family {
            AF_INET => Ipv4Addr::from(row.Ipv4.sin_addr.S_un.S_addr.to_ne_bytes()).to_string(),
            _ => Ipv6Addr::from(row.Ipv6.sin6_addr.u.Byte).to_string(),
        }
    }
}

/// The rows of a table, which is freed; none where there is none.
macro_rules! rows {
    ($function:ident, $family:expr) => {{
        let mut table = null_mut();
        unsafe {
            match address::$function::<Win32>($family, &raw mut table) {
                ERROR_NOT_FOUND => Vec::new(),
                code => {
                    assert_eq!(code, 0);
                    let first = (&raw const (*table).Table).cast();
                    let rows = std::slice::from_raw_parts(first, (*table).NumEntries as usize).to_vec();
                    memory::free_mib_table(table.cast());
                    rows
                }
            }
        }
    }};
}

#[test]
fn counters_and_settings_of_each_family() {
    isolated(|| {
        let _ = run("ip link set lo up");
        let receiver = UdpSocket::bind("[::1]:0").unwrap();
        let sender = UdpSocket::bind("[::1]:0").unwrap();
        for _ in 0..3 {
            let _ = sender.send_to(&[1], receiver.local_addr().unwrap()).unwrap();
            let _ = receiver.recv(&mut [0; 8]).unwrap();
        }
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        established(2);
        let (mut ip, mut udp, mut tcp) =
            (MIB_IPSTATS::default(), MIB_UDPSTATS::default(), MIB_TCPSTATS::default());
        let snmp6 = |name: &str| -> u32 {
            let text = std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap();
            let line = text.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        unsafe {
            assert_eq!(statistics::udp_statistics_ex(&raw mut udp, 23), 0);
            assert_eq!((udp.dwInDatagrams, udp.dwOutDatagrams), (3, 3));
            assert_eq!(udp.dwInDatagrams, snmp6("Udp6InDatagrams"));
            assert_eq!(statistics::udp_statistics_ex(&raw mut udp, 2), 0);
            assert_eq!((udp.dwInDatagrams, udp.dwOutDatagrams), (0, 0));
            assert_eq!(statistics::tcp_statistics_ex(&raw mut tcp, 23), 0);
            assert_eq!((tcp.dwCurrEstab, tcp.dwNumConns), (2, 2));
            assert_eq!(statistics::tcp_statistics_ex(&raw mut tcp, 2), 0);
            assert_eq!((tcp.dwCurrEstab, tcp.dwNumConns), (0, 0));
            eventually("both say the same", || {
                let before = snmp6("Ip6InReceives");
                assert_eq!(statistics::ip_statistics_ex(&raw mut ip, 23), 0);
                before == ip.dwInReceives && before == snmp6("Ip6InReceives") && before >= 6
            });
            assert_eq!(ip.dwDefaultTTL, 64);
            let settings = MIB_IPSTATS {
                Anonymous: MIB_IPSTATS_0 { dwForwarding: MIB_USE_CURRENT_FORWARDING },
                dwDefaultTTL: 77,
                ..Default::default()
            };
            assert_eq!(statistics::set_ip_statistics_ex(&raw const settings, 23), 0);
            assert_eq!(sysctl("ipv6/conf/default/hop_limit"), "77");
            assert_eq!(sysctl("ipv4/ip_default_ttl"), "64");
            assert_eq!(statistics::set_ip_statistics_ex(&raw const settings, 2), 0);
            assert_eq!(sysctl("ipv4/ip_default_ttl"), "77");
        }
    });
}

#[test]
fn the_oldest_table_of_connections() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        established(2);
        let mut size = 0;
        let code = unsafe { tcp::tcp_table(null_mut(), &raw mut size, 1) };
        assert_eq!(code, ERROR_INSUFFICIENT_BUFFER);
        let mut memory = vec![0_u32; size as usize / 4 + 1];
        let table = memory.as_mut_ptr().cast::<MIB_TCPTABLE>();
        assert_eq!(unsafe { tcp::tcp_table(table, &raw mut size, 1) }, 0);
        let rows = unsafe {
            std::slice::from_raw_parts(
                (&raw const (*table).table).cast::<MIB_TCPROW>(),
                (*table).dwNumEntries as usize,
            )
        };
        let ours: Vec<(u32, u16, u16)> = rows
            .iter()
            .map(|row| {
                let port = |member: u32| u16::from_be((member & 0xFFFF) as u16);
                let remote = if row.dwRemoteAddr == 0 { 0 } else { port(row.dwRemotePort) };
                (unsafe { row.Anonymous.dwState }, port(row.dwLocalPort), remote)
            })
            .collect();
        let (there, here) = (listener.local_addr().unwrap().port(), client.local_addr().unwrap().port());
        for row in [(2, there, 0), (5, there, here), (5, here, there)] {
            assert!(ours.contains(&row), "{row:?} in {ours:?}");
        }
        assert_eq!(ours.len(), run("ss -4tanH").lines().count());
    });
}

#[test]
fn addresses_of_each_kind_are_what_ip_shows() {
    isolated(|| {
        let index = pair();
        let _ = run("ip address add 192.0.2.1/24 dev e0");
        let _ = run("ip address add 2001:db8::1/64 dev e0 nodad");
        // An interface gives itself a link-local address, and its groups, some time after it is up.
        let unicast = || -> Vec<MIB_UNICASTIPADDRESS_ROW> { rows!(unicast_ip_address_table, 0) };
        eventually("both list the same addresses", || {
            let text = |row: &MIB_UNICASTIPADDRESS_ROW| {
                format!("{}/{}", shown(&row.Address), row.OnLinkPrefixLength)
            };
            let ours: BTreeSet<String> = unicast().iter().map(text).collect();
            let theirs = run("ip -o address show");
            let theirs = theirs.lines().map(|line| line.split_whitespace().nth(3).unwrap().to_owned());
            ours.len() >= 5 && ours == theirs.collect()
        });

        let rows = unicast();
        let mut row = *rows.iter().find(|row| shown(&row.Address) == "2001:db8::1").unwrap();
        row.ValidLifetime = 5000;
        row.PreferredLifetime = 1000;
        assert_eq!(unsafe { address::set_unicast_ip_address_entry::<Win32>(&raw const row) }, 0);
        let lifetimes = run("ip -6 address show dev e0 to 2001:db8::1");
        let seconds = |what: &str| -> u32 {
            let word = lifetimes.split(what).nth(1).unwrap().split_whitespace().next().unwrap();
            word.trim_end_matches("sec").parse().unwrap()
        };
        assert!((4900..=5000).contains(&seconds("valid_lft")), "{lifetimes}");
        assert!((900..=1000).contains(&seconds("preferred_lft")), "{lifetimes}");

        eventually("both list the same groups", || {
            let rows: Vec<MIB_MULTICASTIPADDRESS_ROW> = rows!(multicast_ip_address_table, 0);
            let ours: BTreeSet<String> = rows
                .iter()
                .filter(|row| row.InterfaceIndex == index)
                .map(|row| {
                    let mut asked = MIB_MULTICASTIPADDRESS_ROW { ScopeId: Default::default(), ..*row };
                    let code = unsafe { address::multicast_ip_address_entry::<Win32>(&raw mut asked) };
                    assert_eq!(code, 0);
                    shown(&row.Address)
                })
                .collect();
            let groups = run("ip maddress show dev e0");
            let inet = groups.lines().filter(|line| line.contains("inet"));
            let theirs = inet.map(|line| line.split_whitespace().nth(1).unwrap().to_owned());
            ours.contains("224.0.0.1") && ours.contains("ff02::1") && ours == theirs.collect()
        });
    });
}

#[test]
fn anycast_addresses_are_joined_and_left() {
    isolated(|| {
        let index = pair();
        let _ = run("ip address add 2001:db8::1/64 dev e0 nodad");
        for (text, address) in [("2001:db8::77", in6("2001:db8::77")), ("192.0.2.77", in4("192.0.2.77"))] {
            let row =
                MIB_ANYCASTIPADDRESS_ROW { Address: address, InterfaceIndex: index, ..Default::default() };
            let listed = || {
                let rows: Vec<MIB_ANYCASTIPADDRESS_ROW> = rows!(anycast_ip_address_table, 0);
                rows.iter().any(|row| row.InterfaceIndex == index && shown(&row.Address) == text)
            };
            // The address answers, as a route of the kernel's own table says.
            let route = || run(&format!("ip route get {text}"));
            assert!(!listed());
            let mut asked = MIB_ANYCASTIPADDRESS_ROW { ..row };
            assert_eq!(unsafe { address::create_anycast_ip_address_entry::<Win32>(&raw const row) }, 0);
            assert!(listed(), "{text}");
            eventually("the address is this host's", || {
                ["local ", "anycast "].iter().any(|kind| route().starts_with(kind))
            });
            assert_eq!(unsafe { address::anycast_ip_address_entry::<Win32>(&raw mut asked) }, 0);
            assert_eq!(asked.InterfaceIndex, index);
            assert_eq!(unsafe { address::delete_anycast_ip_address_entry::<Win32>(&raw const row) }, 0);
            assert!(!listed());
            assert_eq!(
                unsafe { address::anycast_ip_address_entry::<Win32>(&raw mut asked) },
                ERROR_NOT_FOUND
            );
        }
    });
}

#[test]
fn a_compartment_is_the_namespace_of_its_process() {
    isolated(|| {
        let number = |process: &str| -> Option<u32> {
            let link = std::fs::read_link(format!("/proc/{process}/ns/net")).ok()?;
            link.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
        };
        let here = number("thread-self").unwrap();
        assert_eq!(compartment::current_thread_compartment_id(), here);
        // The computer's or the container's first is 1, and 0 where process 1 is hidden.
        let first = u32::from(std::path::Path::new("/proc/1").exists());
        assert_eq!(compartment::default_compartment_id(), first);
        let mut leader = std::process::Command::new("setsid").args(["sleep", "600"]).spawn().unwrap();
        eventually("the child leads a session", || compartment::session_compartment_id(leader.id()) == here);
        leader.kill().unwrap();
        let _status = leader.wait().unwrap();
    });
}

#[test]
fn an_echo_request_leaves_from_the_source_that_is_named() {
    isolated(|| {
        let _ = run("ip link set lo up");
        let _ = run("nft add table inet t");
        let _ = run("nft add chain inet t c { type filter hook input priority 0 ; }");
        let _ = run("nft add rule inet t c ip saddr 127.0.0.5 icmp type echo-request counter");
        let (handle, mut memory) = (icmp::create_file(), [0_u8; 256]);
        let number = |last| u32::from_ne_bytes([127, 0, 0, last]);
        let data: *const c_void = b"?".as_ptr().cast();
        let buffer = memory.as_mut_ptr().cast();
        let (event, context) = (null_mut(), null_mut());
        let count = unsafe {
            icmp::send_echo2_ex(
                handle,
                event,
                None,
                context,
                number(5),
                number(9),
                data,
                1,
                null(),
                buffer,
                256,
                60_000,
            )
        };
        assert_eq!((count, icmp::close_handle(handle)), (1, 1));
        assert!(run("nft list table inet t").contains("counter packets 1 "));
    });
}

#[test]
fn datagrams_get_reserved_ports_no_more() {
    with_private_folder("/var/lib", || {
        isolated(|| {
            let (mut token, mut found) = (0, 0);
            unsafe {
                assert_eq!(port_reservation::create_udp(9000_u16.to_be(), 3, &raw mut token), 0);
                assert_eq!(sysctl("ipv4/ip_local_reserved_ports"), "9000-9002");
                assert_eq!(port_reservation::lookup_udp(9000_u16.to_be(), 3, &raw mut found), 0);
            }
            assert_eq!(found, token);
            set_sysctl("ipv4/ip_local_port_range", "9000 9003");
            let given = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            assert_eq!(given, 9003);
            assert_eq!(port_reservation::delete_udp(9000_u16.to_be(), 3), 0);
            assert_eq!(sysctl("ipv4/ip_local_reserved_ports"), "");
        });
    });
}

#[test]
fn extended_statistics_of_ipv6_are_those_of_the_connection() {
    isolated(|| {
        let _ = run("ip link set lo up");
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(&[1; 30_000]).unwrap();
        server.read_exact(&mut [0; 30_000]).unwrap();
        let (SocketAddr::V6(local), SocketAddr::V6(remote)) =
            (client.local_addr().unwrap(), client.peer_addr().unwrap())
        else {
            panic!("IPv6");
        };
        let row = MIB_TCP6ROW {
            LocalAddr: IN6_ADDR { u: IN6_ADDR_0 { Byte: local.ip().octets() } },
            dwLocalPort: local.port().to_be().into(),
            RemoteAddr: IN6_ADDR { u: IN6_ADDR_0 { Byte: remote.ip().octets() } },
            dwRemotePort: remote.port().to_be().into(),
            ..Default::default()
        };
        // TcpConnectionEstatsData: a switch of one byte; bytes sent are the first member.
        let (on, mut switch) = (1_u8, 0_u8);
        assert_eq!(
            unsafe { estats::set_connection_estats(&raw const row, 1, &raw const on, 0, 1, 0) },
            0,
            "switched on"
        );
        // What a busy host acknowledges late is sent again, and counts again.
        eventually("both say the same", || {
            let mut data = [0_u64; 12];
            let (nothing, to) = (null_mut(), data.as_mut_ptr().cast());
            let code = unsafe {
                estats::connection_estats(&raw const row, 1, &raw mut switch, 0, 1, nothing, 0, 0, to, 0, 96)
            };
            assert_eq!((code, switch), (0, 1));
            let shown = run(&format!("ss -tiHO sport = {}", local.port()));
            let number = |key: &str| -> Option<u64> {
                shown.split_whitespace().find_map(|word| word.strip_prefix(key)?.parse().ok())
            };
            let again = number("bytes_retrans:").unwrap_or_default();
            Some(data[0]) == number("bytes_sent:") && data[0] == 30_000 + again
        });
    });
}

#[test]
fn the_bandwidth_is_what_connections_measured() {
    const SIZE: usize = 8 << 20;
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    let _ = here.sh("ip address add 192.0.2.1/24 dev e0");
    let _ = there.sh("ip address add 192.0.2.2/24 dev e1");
    let listener = there.run(|| TcpListener::bind("192.0.2.2:0").unwrap());
    here.run(|| {
        // BBR has an estimate of its own.
        set_sysctl("ipv4/tcp_congestion_control", "reno");
        let mut index = 0;
        let destination = in4("192.0.2.2");
        assert_eq!(
            unsafe { best_route::best_interface_ex((&raw const destination).cast(), &raw mut index) },
            0
        );
        let mut connections = Vec::new();
        // What `ss` shows of those whose program did not hold them back.
        let best = |connections: &[(TcpStream, TcpStream)]| {
            let rate = |client: &TcpStream| -> Option<u64> {
                let text = run(&format!("ss -tinH sport = {}", client.local_addr().unwrap().port()));
                let rate = text.split("delivery_rate ").nth(1)?.split("bps").next()?.parse().ok()?;
                (!text.contains("app_limited")).then_some(rate)
            };
            connections.iter().filter_map(|(client, _)| rate(client)).max()
        };
        eventually("a connection has measured", || {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut receiver, _) = listener.accept().unwrap();
            std::thread::scope(|scope| {
                let _ = scope.spawn(|| receiver.read_exact(&mut vec![0; SIZE]).unwrap());
                client.write_all(&vec![7; SIZE]).unwrap();
            });
            connections.push((client, receiver));
            best(&connections).is_some()
        });
        eventually("both say the same", || {
            let mut estimates = MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES::default();
            let code = unsafe { path::bandwidth_estimates::<Win32>(index, 2, &raw mut estimates) };
            code == 0 && best(&connections) == Some(estimates.OutboundBandwidthInformation.Bandwidth.0)
        });
    });
}

unsafe extern "system" fn changed(context: *const c_void) {
    // SAFETY: the counter that was registered, which outlives the registration.
    let _before = unsafe { &*context.cast::<AtomicU32>() }.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn time_stamps_are_what_ethtool_shows_and_changes_of_them_are_told() {
    isolated(|| {
        let index = pair();
        let (mut luid, mut software) = (NET_LUID::default(), INTERFACE_TIMESTAMP_CAPABILITIES::default());
        let shown = run("ethtool -T e0");
        unsafe {
            assert_eq!(convert::index_to_luid::<Win32>(index, &raw mut luid), 0);
            for ask in [timestamp::supported_capabilities, timestamp::active_capabilities] {
                assert_eq!(ask(&raw const luid, &raw mut software), 0);
                let told = software.SoftwareCapabilities;
                assert_eq!(told.TaggedTransmit != 0, shown.contains("software-transmit"), "{shown}");
                assert_eq!(told.AllReceive != 0, shown.contains("software-receive"), "{shown}");
                assert_eq!(
                    software.HardwareClockFrequencyHz.0 == 0,
                    shown.contains("Clock: none"),
                    "{shown}"
                );
            }
            let calls = [const { AtomicU32::new(0) }; 3];
            let context = |number: usize| std::ptr::from_ref(&calls[number]).cast_mut().cast::<c_void>();
            let told = || [0, 1, 2].map(|number: usize| calls[number].load(Ordering::SeqCst));
            let (mut one, mut two, mut third) = (null_mut(), null_mut(), null_mut());
            assert_eq!(timestamp::register_change(Some(changed), context(0), &raw mut one), 0);
            assert_eq!(timestamp::notify_change(context(1), Some(changed), &raw mut two), 0);
            let _ = run("ip link add e2 type veth peer name e3");
            eventually("both are told", || told()[0] > 0 && told()[1] > 0);
            timestamp::unregister_change(one);
            timestamp::unregister_change(two);
            let before = told();
            let _ = run("ip link del e2");
            // A third one is told when the others would have been.
            assert_eq!(timestamp::register_change(Some(changed), context(2), &raw mut third), 0);
            let _ = run("ip link add e2 type veth peer name e3");
            eventually("the third is told", || told()[2] > 0);
            timestamp::unregister_change(third);
            assert_eq!(told()[..2], before[..2], "nobody calls after the cancel");
        }
    });
}
