//! What the functions write into C's rows and tables, against what the kernel's own programs show.
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

use iphelper_capi::error::{Flavour, Win32};
use iphelper_capi::owner_module::owner_module;
use iphelper_capi::raw::*;
use iphelper_capi::{convert, interface, ip_interface, memory, route, statistics, tcp, udp};
use iphelper_testkit::{
    NetNs, established, eventually, in_child, isolated, run, set_sysctl, settled, sysctl,
};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::ptr::null_mut;
use support::settings;

mod support;

iphelper_testkit::private_user_namespace!();

/// The rows of a table in a buffer that `call` fills.
fn filled<T: Table>(call: impl Fn(*mut T, *mut u32) -> u32) -> Vec<T::Row> {
    let mut size = 0;
    loop {
        let mut memory = vec![0_u64; size as usize / 8 + 1];
        let table = memory.as_mut_ptr().cast();
        match call(if size == 0 { null_mut() } else { table }, &raw mut size) {
            ERROR_INSUFFICIENT_BUFFER => {}
            // SAFETY: the function has filled a table in the buffer.
            0 => return unsafe { rows(table.cast_const()) },
            code => panic!("code {code}"),
        }
    }
}

/// # Safety
/// `table` is a table of this type with as many rows as it says.
unsafe fn rows<T: Table>(table: *const T) -> Vec<T::Row> {
    // SAFETY: the caller's promise.
    unsafe {
        let count = table.cast::<u32>().read_unaligned() as usize;
        (0..count)
            .map(|row| table.cast::<u8>().add(T::ROWS_AT).cast::<T::Row>().add(row).read_unaligned())
            .collect()
    }
}

/// The rows of a table that `call` allocates; it is freed.
fn allocated<T: Table>(call: impl Fn(*mut *mut T) -> <Win32 as Flavour>::Status) -> Vec<T::Row> {
    let mut table = null_mut();
    assert_eq!(call(&raw mut table), 0);
    // SAFETY: the function has made a table.
    unsafe {
        let rows = rows(table);
        memory::free_mib_table(table.cast());
        rows
    }
}

fn port(member: u32) -> u16 {
    u16::from_be(u16::try_from(member).expect("the upper half is zero"))
}

/// Runs `work` in a namespace and a process of its own: what other tests start would have copies of the sockets until it
/// executes, and is their owner where its number is lower than this program's.
fn as_only_owner(test: &str, work: impl FnOnce() + Send) {
    in_child(test, &["env"], || isolated(work));
}

#[test]
fn classes_choose_rows_and_members() {
    as_only_owner("classes_choose_rows_and_members", || {
        let listeners: Vec<TcpListener> =
            ["127.0.0.1:0", "127.0.0.2:0", "127.0.0.1:0"].map(|end| TcpListener::bind(end).unwrap()).into();
        let ports: Vec<u16> =
            listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let client = TcpStream::connect(listeners[1].local_addr().unwrap()).unwrap();
        established(2);
        // SAFETY (of all calls): the helper gives a buffer of the size that it says.
        let basic = |class| {
            filled::<MIB_TCPTABLE>(|table, size| unsafe {
                tcp::extended_tcp_table(table.cast(), size, 1, 2, class, 0)
            })
        };
        let owners = |class| {
            filled::<MIB_TCPTABLE_OWNER_PID>(|table, size| unsafe {
                tcp::extended_tcp_table(table.cast(), size, 1, 2, class, 0)
            })
        };
        let modules = |class| {
            filled::<MIB_TCPTABLE_OWNER_MODULE>(|table, size| unsafe {
                tcp::extended_tcp_table(table.cast(), size, 1, 2, class, 0)
            })
        };
        // SAFETY: a number is all that the union holds.
        let state = |row: &MIB_TCPROW| unsafe { row.Anonymous.dwState };
        assert_eq!(basic(TCP_TABLE_BASIC_LISTENER).iter().map(state).collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(basic(TCP_TABLE_BASIC_CONNECTIONS).iter().map(state).collect::<Vec<_>>(), [5, 5]);
        assert_eq!(basic(TCP_TABLE_BASIC_ALL).len(), 5);
        let me = std::process::id();
        assert!(
            owners(TCP_TABLE_OWNER_PID_LISTENER).iter().all(|row| (row.dwState, row.dwOwningPid) == (2, me))
        );
        // What waits to be accepted belongs to nobody yet.
        let connections = owners(TCP_TABLE_OWNER_PID_CONNECTIONS);
        let mine: Vec<_> =
            connections.iter().filter(|row| row.dwOwningPid == me).map(|row| port(row.dwLocalPort)).collect();
        assert_eq!(mine, [client.local_addr().unwrap().port()]);
        assert_eq!(connections.iter().filter(|row| row.dwOwningPid == 0).count(), 1);
        assert_eq!(modules(TCP_TABLE_OWNER_MODULE_LISTENER).len(), 3);
        assert_eq!(modules(TCP_TABLE_OWNER_MODULE_CONNECTIONS).len(), 2);
        let all = modules(TCP_TABLE_OWNER_MODULE_ALL);
        assert!(all.iter().all(|row| row.liCreateTimestamp == ULONG64(0)), "the kernel does not keep it");
        assert!(all.iter().all(|row| row.OwningModuleInfo[1] != ULONG64(0)), "the socket's cookie");

        // In order: local address, then port.
        let sorted: Vec<_> = all
            .iter()
            .map(|row| {
                (
                    u32::from_be(row.dwLocalAddr),
                    port(row.dwLocalPort),
                    u32::from_be(row.dwRemoteAddr),
                    port(row.dwRemotePort),
                )
            })
            .collect();
        assert!(sorted.is_sorted(), "{sorted:?}");
        assert!(ports.iter().all(|port| sorted.iter().any(|row| row.1 == *port)));
        // SAFETY: as above.
        let second = filled::<MIB_TCPTABLE2>(|table, size| unsafe { tcp::tcp_table2(table, size, 1) });
        assert_eq!(second.iter().filter(|row| row.dwOwningPid == me && row.dwOffloadState == 0).count(), 4);
    });
}

#[test]
fn ipv6_rows_carry_scope_ids_in_network_order() {
    as_only_owner("ipv6_rows_carry_scope_ids_in_network_order", || {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip addr add fe80::1/64 dev e0 nodad");
        let index: u32 = run("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        let end = SocketAddrV6::new("fe80::1".parse().unwrap(), 0, 0, index);
        let listener = TcpListener::bind(SocketAddr::V6(end)).unwrap();
        // SAFETY (of all calls): the helper gives a buffer of the size that it says.
        let rows = filled::<MIB_TCP6TABLE>(|table, size| unsafe { tcp::tcp6_table(table, size, 1) });
        let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        assert_eq!((row.State, u32::from_be(row.dwLocalScopeId)), (2, index));
        assert_eq!(port(row.dwLocalPort), listener.local_addr().unwrap().port());
        // SAFETY: bytes are what the union holds.
        assert_eq!(Ipv6Addr::from(unsafe { row.LocalAddr.u.Byte }), *end.ip());
        let rows = filled::<MIB_TCP6TABLE_OWNER_PID>(|table, size| unsafe {
            tcp::extended_tcp_table(table.cast(), size, 1, 23, 3, 0)
        });
        assert_eq!(
            (rows[0].ucLocalAddr, u32::from_be(rows[0].dwLocalScopeId), rows[0].dwOwningPid),
            (end.ip().octets(), index, std::process::id())
        );
        // Linux' own number of the family is understood.
        let rows = filled::<MIB_TCP6TABLE_OWNER_MODULE>(|table, size| unsafe {
            tcp::extended_tcp_table(table.cast(), size, 1, 10, 6, 0)
        });
        assert_eq!((rows[0].dwState, u32::from_be(rows[0].dwLocalScopeId)), (2, index));
        let rows = filled::<MIB_TCP6TABLE2>(|table, size| unsafe { tcp::tcp6_table2(table, size, 1) });
        assert_eq!((rows[0].State, rows[0].dwOwningPid, rows[0].dwOffloadState), (2, std::process::id(), 0));
    });
}

#[test]
fn udp_rows_are_those_of_their_classes() {
    as_only_owner("udp_rows_are_those_of_their_classes", || {
        let asked = UdpSocket::bind("127.0.0.2:5000").unwrap();
        let chosen = UdpSocket::bind("127.0.0.1:0").unwrap();
        let six = UdpSocket::bind("[::1]:5000").unwrap();
        let me = std::process::id();
        let ports = [chosen.local_addr().unwrap().port(), 5000];
        let extended = |family, class| {
            move |table: *mut std::ffi::c_void, size: *mut u32| unsafe {
                udp::extended_udp_table(table, size, 1, family, class, 0)
            }
        };
        let ends = |address: u32, member: u32| (u32::from_be(address) & 0xFF, port(member));
        let four = [(1, ports[0]), (2, ports[1])];
        let rows = filled::<MIB_UDPTABLE>(|table, size| unsafe { udp::udp_table(table, size, 1) });
        assert_eq!(rows.iter().map(|row| ends(row.dwLocalAddr, row.dwLocalPort)).collect::<Vec<_>>(), four);
        let rows = filled::<MIB_UDPTABLE>(|table, size| extended(2, UDP_TABLE_BASIC)(table.cast(), size));
        assert_eq!(rows.iter().map(|row| ends(row.dwLocalAddr, row.dwLocalPort)).collect::<Vec<_>>(), four);
        let rows = filled::<MIB_UDPTABLE_OWNER_PID>(|table, size| {
            extended(2, UDP_TABLE_OWNER_PID)(table.cast(), size)
        });
        assert_eq!(rows.iter().map(|row| ends(row.dwLocalAddr, row.dwLocalPort)).collect::<Vec<_>>(), four);
        assert!(rows.iter().all(|row| row.dwOwningPid == me));
        let rows = filled::<MIB_UDPTABLE_OWNER_MODULE>(|table, size| {
            extended(2, UDP_TABLE_OWNER_MODULE)(table.cast(), size)
        });
        assert_eq!(rows.iter().map(|row| ends(row.dwLocalAddr, row.dwLocalPort)).collect::<Vec<_>>(), four);
        assert_eq!(rows.iter().map(|row| row.dwFlags).collect::<Vec<_>>(), [0, 1], "who asked for its port");
        assert!(rows.iter().all(|row| row.dwOwningPid == me && row.liCreateTimestamp == ULONG64(0)));

        let rows = filled::<MIB_UDP6TABLE>(|table, size| unsafe { udp::udp6_table(table, size, 1) });
        assert_eq!((rows.len(), port(rows[0].dwLocalPort), rows[0].dwLocalScopeId), (1, 5000, 0));
        // SAFETY: bytes are what the union holds.
        assert_eq!(Ipv6Addr::from(unsafe { rows[0].dwLocalAddr.u.Byte }), Ipv6Addr::LOCALHOST);
        let rows = filled::<MIB_UDP6TABLE_OWNER_PID>(|table, size| {
            extended(23, UDP_TABLE_OWNER_PID)(table.cast(), size)
        });
        assert_eq!((rows.len(), rows[0].dwOwningPid, port(rows[0].dwLocalPort)), (1, me, 5000));
        let rows = filled::<MIB_UDP6TABLE_OWNER_MODULE>(|table, size| {
            extended(10, UDP_TABLE_OWNER_MODULE)(table.cast(), size)
        });
        assert_eq!(Ipv6Addr::from(rows[0].ucLocalAddr), Ipv6Addr::LOCALHOST);
        assert_eq!((rows.len(), rows[0].dwOwningPid, rows[0].dwFlags), (1, me, 1));
        // The row tells its program.
        let mut buffer = [0_u64; 512];
        let mut size = 4096;
        let code = unsafe {
            owner_module(
                &raw const rows[0],
                TCPIP_OWNER_MODULE_INFO_BASIC,
                buffer.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        assert_eq!(code, 0);
        let name = unsafe {
            let basic = buffer.as_ptr().cast::<TCPIP_OWNER_MODULE_BASIC_INFO>().read();
            let units = (0..).map(|unit| *basic.pModuleName.add(unit)).take_while(|unit| *unit != 0);
            String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(Some(name.as_ref()), std::env::current_exe().unwrap().file_name());
        drop((asked, six));
    });
}

#[test]
fn counters_of_both_widths_move_together() {
    isolated(|| {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        eventually("nobody has the other port, a child about to start neither", || {
            filled::<MIB_UDPTABLE>(|table, size| unsafe { udp::udp_table(table, size, 0) }).len() == 2
        });
        for _ in 0..5 {
            let _ = sender.send_to(&[1], receiver.local_addr().unwrap()).unwrap();
            let _ = receiver.recv(&mut [0; 8]).unwrap();
        }
        let _ = sender.send_to(&[1], nobody).unwrap();
        let (mut udp, mut udp2) = (MIB_UDPSTATS::default(), MIB_UDPSTATS2::default());
        let (mut ip, mut icmp, mut types) =
            (MIB_IPSTATS::default(), MIB_ICMP::default(), MIB_ICMP_EX::default());
        let (mut tcp, mut tcp2) = (MIB_TCPSTATS::default(), MIB_TCPSTATS2::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        unsafe {
            established(2);
            // Processors deliver what was sent on them, in their own time.
            eventually("all has come", || {
                assert_eq!(statistics::ip_statistics(&raw mut ip), 0);
                assert_eq!(statistics::icmp_statistics(&raw mut icmp), 0);
                (ip.dwInReceives, icmp.stats.icmpInStats.dwMsgs) == (10, 1)
            });
            assert_eq!(statistics::udp_statistics(&raw mut udp), 0);
            assert_eq!(statistics::udp_statistics_ex2(&raw mut udp2, 2), 0);
            assert_eq!(statistics::ip_statistics(&raw mut ip), 0);
            assert_eq!(statistics::icmp_statistics(&raw mut icmp), 0);
            assert_eq!(statistics::icmp_statistics_ex(&raw mut types, 2), 0);
            assert_eq!(statistics::tcp_statistics(&raw mut tcp), 0);
            assert_eq!(statistics::tcp_statistics_ex2(&raw mut tcp2, 2), 0);
        }
        assert_eq!((udp.dwOutDatagrams, udp.dwInDatagrams, udp.dwNoPorts, udp.dwNumAddrs), (6, 5, 1, 2));
        assert_eq!((udp2.dw64OutDatagrams.0, udp2.dw64InDatagrams.0, udp2.dwNoPorts), (6, 5, 1));
        // Six datagrams, an ICMP message, three segments.
        assert_eq!((ip.dwInReceives, ip.dwOutRequests, ip.dwDefaultTTL, ip.dwNumIf), (10, 10, 64, 1));
        assert_eq!((unsafe { ip.Anonymous.dwForwarding }, ip.dwReasmTimeout), (2, 30));
        let icmp = icmp.stats;
        assert_eq!(
            (icmp.icmpInStats.dwMsgs, icmp.icmpInStats.dwDestUnreachs, icmp.icmpInStats.dwEchos),
            (1, 1, 0)
        );
        assert_eq!((types.icmpOutStats.dwMsgs, types.icmpOutStats.rgdwTypeCount[3]), (1, 1));
        assert_eq!((tcp.dwActiveOpens, tcp.dwInSegs, tcp.dwCurrEstab, tcp.dwMaxConn), (1, 3, 2, u32::MAX));
        assert_eq!(
            (tcp2.dwPassiveOpens, tcp2.dw64OutSegs.0, tcp2.dwNumConns, tcp2.RtoAlgorithm),
            (1, 3, 2, 1)
        );
        assert_eq!((tcp.dwRtoMin, tcp.dwRtoMax), (200, 120_000));

        assert_eq!(statistics::set_ip_ttl(99), 0);
        assert_eq!(sysctl("ipv4/ip_default_ttl"), "99");
        let forwarding = MIB_IPSTATS {
            Anonymous: MIB_IPSTATS_0 { Forwarding: MIB_IP_FORWARDING },
            dwDefaultTTL: MIB_USE_CURRENT_TTL,
            ..Default::default()
        };
        assert_eq!(unsafe { statistics::set_ip_statistics(&raw const forwarding) }, 0);
        assert_eq!((sysctl("ipv4/ip_forward"), sysctl("ipv4/ip_default_ttl")), ("1".into(), "99".into()));
    });
}

fn text(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).expect("a terminator");
    assert!(units[end..].iter().all(|unit| *unit == 0), "zeros behind the terminator");
    String::from_utf16(&units[..end]).unwrap()
}

#[test]
fn interface_rows_are_what_ip_shows() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let _ = run("ip link set e0 mtu 1400 address 02:11:22:33:44:55 alias somebody's");
        let index: u32 = run("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        // SAFETY (of all): zero is a value of every member; rows and tables live.
        let mut row: MIB_IF_ROW2 = unsafe { std::mem::zeroed() };
        row.InterfaceIndex = index;
        assert_eq!(unsafe { interface::if_entry2::<Win32>(&raw mut row) }, 0);
        assert_eq!((text(&row.Alias), text(&row.Description)), ("e0".into(), "somebody's".into()));
        assert_eq!((row.Mtu, row.Type, row.AccessType, row.AdminStatus, row.OperStatus), (1400, 6, 2, 1, 1));
        assert_eq!(
            (row.PhysicalAddressLength, row.PhysicalAddress[..7].to_vec()),
            (6, vec![2, 0x11, 0x22, 0x33, 0x44, 0x55, 0])
        );
        assert_eq!(row.TransmitLinkSpeed, ULONG64(10_000_000_000), "what ethtool says of a veth");
        assert_eq!(row.MediaConnectState, 1);
        eventually("router solicitations are counted", || {
            assert_eq!(unsafe { interface::if_entry2::<Win32>(&raw mut row) }, 0);
            row.OutOctets.0 > 0
        });
        // By LUID; the wrong index beside it is not looked at, and is put right.
        let mut again: MIB_IF_ROW2 = unsafe { std::mem::zeroed() };
        (again.InterfaceLuid, again.InterfaceIndex) = (row.InterfaceLuid, 1);
        assert_eq!(
            unsafe { interface::if_entry2_ex::<Win32>(MibIfEntryNormalWithoutStatistics, &raw mut again) },
            0
        );
        assert_eq!((again.InterfaceIndex, again.Mtu, again.OutOctets), (index, 1400, ULONG64(0)));

        let table = allocated::<MIB_IF_TABLE2>(|table| unsafe { interface::if_table2::<Win32>(table) });
        let names: Vec<String> = table.iter().map(|row| text(&row.Alias)).collect();
        assert_eq!(names, ["lo", "e0"]);
        assert_eq!((table[0].Type, table[0].AccessType, table[0].TransmitLinkSpeed.0), (24, 1, u64::MAX));
        let quiet = allocated::<MIB_IF_TABLE2>(|table| unsafe {
            interface::if_table2_ex::<Win32>(MibIfTableNormalWithoutStatistics, table)
        });
        assert!(quiet.iter().all(|row| row.OutOctets.0 == 0 && row.InOctets.0 == 0));
        let raw_rows = allocated::<MIB_IF_TABLE2>(|table| unsafe {
            interface::if_table2_ex::<Win32>(MibIfTableRaw, table)
        });
        assert_eq!(raw_rows.len(), 2);

        let old = filled::<MIB_IFTABLE>(|table, size| unsafe { interface::if_table(table, size, 1) });
        assert_eq!(old.iter().map(|row| row.dwIndex).collect::<Vec<_>>(), [1, index]);
        assert_eq!(
            (text(&old[1].wszName), old[1].dwMtu, old[1].dwSpeed),
            ("e0".into(), 1400, u32::MAX),
            "10 Gbit/s do not fit"
        );
        assert_eq!(old[1].bDescr[..old[1].dwDescrLen as usize], *b"somebody's");
        assert_eq!((old[1].dwPhysAddrLen, old[1].bPhysAddr), (6, [2, 0x11, 0x22, 0x33, 0x44, 0x55, 0, 0]));
        assert_eq!((old[1].dwAdminStatus, old[1].dwOperStatus), (1, IF_OPER_STATUS_OPERATIONAL));

        let mut one =
            MIB_IFROW { dwIndex: index, dwAdminStatus: MIB_IF_ADMIN_STATUS_DOWN, ..Default::default() };
        assert_eq!(unsafe { interface::set_if_entry(&raw const one) }, 0);
        assert!(run("ip link show e0").contains("state DOWN"));
        assert_eq!(unsafe { interface::if_entry(&raw mut one) }, 0);
        assert_eq!(
            (one.dwMtu, one.dwAdminStatus, one.dwOperStatus),
            (1400, 2, IF_OPER_STATUS_NON_OPERATIONAL)
        );
        one.dwAdminStatus = MIB_IF_ADMIN_STATUS_UP;
        assert_eq!(unsafe { interface::set_if_entry(&raw const one) }, 0);
        assert!(run("ip link show e0").contains(",UP"));
        let _ = there.sh("ip link set e1 down");
        eventually("there is no carrier", || {
            assert_eq!(unsafe { interface::if_entry(&raw mut one) }, 0);
            one.dwOperStatus == IF_OPER_STATUS_DISCONNECTED
        });
    });
}

#[test]
fn stacks_are_told_from_both_sides() {
    isolated(|| {
        let _ = run("ip link add br0 type bridge");
        for port in ["p0", "p1"] {
            let _ = run(&format!("ip link add {port} type veth peer name {port}x"));
            let _ = run(&format!("ip link set {port} master br0"));
        }
        let index = |name: &str| {
            run(&format!("ip -o link show {name}")).split(':').next().unwrap().parse::<u32>().unwrap()
        };
        let expected: Vec<(u32, u32)> = ["p0", "p1"].map(|port| (index("br0"), index(port))).into();
        // SAFETY (of both): the helper's variable lives.
        let stack =
            allocated::<MIB_IFSTACK_TABLE>(|table| unsafe { interface::if_stack_table::<Win32>(table) });
        let stack: Vec<_> =
            stack.iter().map(|row| (row.HigherLayerInterfaceIndex, row.LowerLayerInterfaceIndex)).collect();
        assert_eq!(stack, expected);
        let inverted = allocated::<MIB_INVERTEDIFSTACK_TABLE>(|table| unsafe {
            interface::inverted_if_stack_table::<Win32>(table)
        });
        let inverted: Vec<_> = inverted
            .iter()
            .map(|row| (row.HigherLayerInterfaceIndex, row.LowerLayerInterfaceIndex))
            .collect();
        assert_eq!(inverted, expected);
    });
}

/// `GetIpInterfaceEntry` of an index.
fn ip_row(family: u16, index: u32) -> MIB_IPINTERFACE_ROW {
    let mut row = MIB_IPINTERFACE_ROW { Family: family, InterfaceIndex: index, ..Default::default() };
    // SAFETY: the row lives.
    assert_eq!(unsafe { ip_interface::ip_interface_entry::<Win32>(&raw mut row) }, 0);
    row
}

#[test]
fn initialise_change_set_and_get_change_set_both_work() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let index: u32 = run("ip -o link show e0").split(':').next().unwrap().parse().unwrap();
        // SAFETY: rows are live variables.
        let set =
            |row: &mut MIB_IPINTERFACE_ROW| unsafe { ip_interface::set_ip_interface_entry::<Win32>(row) };
        for (family, other) in [(AF_INET, "ipv6"), (AF_INET6, "ipv4")] {
            let before = settings(&["e0"]);
            // An untouched row changes nothing, whether initialised or read.
            let mut row = MIB_IPINTERFACE_ROW::default();
            // SAFETY: as above.
            unsafe { ip_interface::initialize_ip_interface_entry(&raw mut row) };
            (row.Family, row.InterfaceIndex) = (family, index);
            let initial = row;
            assert_eq!(set(&mut row), 0);
            assert_ne!(row.InterfaceLuid.Value.0, 0, "the LUID is filled in");
            let read = ip_row(family, index);
            assert_eq!((read.Family, read.InterfaceLuid), (family, row.InterfaceLuid));
            let advertised = (read.MinRouterAdvertisementInterval, read.MaxRouterAdvertisementInterval);
            assert_eq!(advertised, if family == AF_INET { (0, 0) } else { (200, 600) });
            let mut untouched = read;
            assert_eq!(set(&mut untouched), 0, "what was read can be set");
            assert_eq!(settings(&["e0"]), before);
            // One member, by each way.
            let mut row = MIB_IPINTERFACE_ROW { RetransmitTime: 300, ..initial };
            assert_eq!(set(&mut row), 0);
            let own = if family == AF_INET { "ipv4" } else { "ipv6" };
            assert_eq!(sysctl(&format!("{own}/neigh/e0/retrans_time_ms")), "300");
            assert_eq!(
                sysctl(&format!("{other}/neigh/e0/retrans_time_ms")),
                "1000",
                "the other family's is another"
            );
            let mut row = ip_row(family, index);
            assert_eq!(row.RetransmitTime, 300);
            row.RetransmitTime = 1000;
            // By LUID, whatever the index says.
            row.InterfaceIndex = 1;
            assert_eq!(set(&mut row), 0);
            assert_eq!(settings(&["e0"]), before);
        }
        let rows = allocated::<MIB_IPINTERFACE_TABLE>(|table| {
            // SAFETY: the helper's variable lives.
            unsafe { ip_interface::ip_interface_table::<Win32>(AF_UNSPEC, table) }
        });
        let keys: Vec<_> = rows.iter().map(|row| (row.Family, row.InterfaceIndex)).collect();
        assert_eq!(keys, [(2, 1), (2, index), (23, 1), (23, index)]);
        assert!(rows.iter().all(|row| row.SitePrefixLength == if row.Family == 2 { 0 } else { 64 }));
    });
}

#[test]
fn a_time_longer_than_its_member_can_be_set_as_it_was_read() {
    isolated(|| {
        // 92 days in milliseconds need more than 32 bits.
        set_sysctl("ipv4/route/mtu_expires", "8000000");
        let mut row = ip_row(AF_INET, 1);
        assert_eq!(row.PathMtuDiscoveryTimeout, u32::MAX);
        // SAFETY (both calls): the row lives.
        assert_eq!(unsafe { ip_interface::set_ip_interface_entry::<Win32>(&raw mut row) }, 0);
        row.PathMtuDiscoveryTimeout -= 1000;
        let code = unsafe { ip_interface::set_ip_interface_entry::<Win32>(&raw mut row) };
        assert_eq!(code, ERROR_NOT_SUPPORTED, "another value is another matter");
        assert_eq!(sysctl("ipv4/route/mtu_expires"), "8000000");
    });
}

#[test]
fn names_of_an_interface_lead_to_each_other() {
    isolated(|| {
        let _ = run("ip link add höhe0 type veth peer name e1");
        let _ = run("ip link property add dev höhe0 altname another-name-of-it");
        let index: u32 = run("ip -o link show höhe0").split(':').next().unwrap().parse().unwrap();
        let mut luid = NET_LUID::default();
        let mut same = NET_LUID::default();
        let (out, again) = (&raw mut luid, &raw mut same);
        let mut guid = GUID::from_u128(0);
        let mut found = 0;
        let mut wide = [0_u16; 257];
        let mut narrow = [0_u8; 257];
        // SAFETY: variables live; buffers have the lengths that are said; strings end.
        unsafe {
            assert_eq!(convert::index_to_luid::<Win32>(index, out), 0);
            assert_eq!(convert::luid_to_index::<Win32>(out, &raw mut found), 0);
            assert_eq!(found, index);
            assert_eq!(convert::luid_to_guid::<Win32>(out, &raw mut guid), 0);
            assert_eq!(convert::guid_to_luid::<Win32>(&raw const guid, again), 0);
            assert_eq!(*again, *out);
            // Exactly as much room as the name needs, in characters.
            assert_eq!(convert::luid_to_alias::<Win32>(out, wide.as_mut_ptr(), 6), 0);
            assert_eq!(String::from_utf16_lossy(&wide[..6]), "höhe0\0");
            *again = NET_LUID::default();
            assert_eq!(convert::alias_to_luid::<Win32>(wide.as_ptr(), again), 0);
            assert_eq!(*again, *out);
            assert_eq!(convert::luid_to_name_w::<Win32>(out, wide.as_mut_ptr(), 257), 0);
            *again = NET_LUID::default();
            assert_eq!(convert::name_to_luid_w::<Win32>(wide.as_ptr(), again), 0);
            assert_eq!(*again, *out);
            assert_eq!(convert::luid_to_name_a::<Win32>(out, narrow.as_mut_ptr(), 7), 0);
            assert_eq!(&narrow[..7], "höhe0\0".as_bytes());
            *again = NET_LUID::default();
            assert_eq!(convert::name_to_luid_a::<Win32>(c"another-name-of-it".as_ptr().cast(), again), 0);
            assert_eq!(*again, *out, "an alternative name");
            assert_eq!(convert::name_to_index(narrow.as_ptr()), index);
            assert_eq!(convert::index_to_name(index, narrow.as_mut_ptr()), narrow.as_mut_ptr());
        }
        assert_eq!(&narrow[..7], "höhe0\0".as_bytes());
    });
}

/// The address in a row, without its zone.
fn ip(address: &SOCKADDR_INET) -> std::net::IpAddr {
    unsafe {
        match address.si_family {
            AF_INET => std::net::Ipv4Addr::from(address.Ipv4.sin_addr.S_un.S_addr.to_ne_bytes()).into(),
            AF_INET6 => Ipv6Addr::from(address.Ipv6.sin6_addr.u.Byte).into(),
            family => panic!("family {family}"),
        }
    }
}

#[test]
fn routes_are_the_rows_that_ip_shows() {
    isolated(|| {
        set_sysctl("ipv6/conf/default/accept_dad", "0");
        for command in [
            "ip link add e0 type veth peer name e1",
            "ip link set e0 up",
            "ip link set e1 up",
            "ip addr add 10.0.0.1/24 dev e0",
            "ip addr add fd00::1/64 dev e0 nodad",
            "ip route add 203.0.113.0/24 via 10.0.0.2 metric 7 proto 188",
            "ip route add blackhole 203.0.114.0/24",
            "ip route add 203.0.115.0/24 dev e0 table 100",
            "ip -6 route add 2001:db8::/32 via fd00::2 metric 7 expires 500",
            "ip -6 route add 2001:db9::/32 via fe80::2 dev e0",
        ] {
            let _ = run(command);
        }
        settled(&["e0", "e1"]);
        let table = |family| allocated(|table| unsafe { route::ip_forward_table2::<Win32>(family, table) });
        let prefix = |row: &MIB_IPFORWARD_ROW2| {
            format!("{}/{}", ip(&row.DestinationPrefix.Prefix), row.DestinationPrefix.PrefixLength)
        };
        let all = table(0);
        assert_eq!(all.len(), table(2).len() + table(23).len());
        let counted =
            |flag: &str, name: &str| run(&format!("ip {flag} route show table {name}")).lines().count();
        assert_eq!(table(2).len(), counted("-4", "main") + counted("-4", "local"));
        assert_eq!(table(23).len(), counted("-6", "main") + counted("-6", "local"));
        let find = |wanted: &str| *all.iter().find(|row| prefix(row) == wanted).unwrap();
        let ospf = find("203.0.113.0/24");
        assert_eq!((ospf.Metric, ospf.Protocol, ospf.Origin), (7, 13, 0));
        assert_eq!((ospf.ValidLifetime, ospf.PreferredLifetime, ospf.Immortal), (u32::MAX, u32::MAX, 1));
        assert_eq!((ospf.SitePrefixLength, ospf.Age, ospf.Publish), (0, 0, 0));
        assert_eq!(ip(&ospf.NextHop).to_string(), "10.0.0.2");
        let blackhole = find("203.0.114.0/24");
        assert_eq!((blackhole.InterfaceIndex, blackhole.InterfaceLuid.Value.0), (0, 0));
        let own = find("10.0.0.1/32");
        assert_eq!((own.Loopback, own.Protocol, own.Origin), (1, 2, 1));
        let ending = find("2001:db8::/32");
        assert!((300..=500).contains(&ending.ValidLifetime) && ending.Immortal == 0);
        let by_link = find("2001:db9::/32");
        assert_eq!(unsafe { by_link.NextHop.Ipv6.Anonymous.sin6_scope_id }, by_link.InterfaceIndex);
        for row in &all {
            let named = row.InterfaceIndex != 0;
            let mut again = MIB_IPFORWARD_ROW2 {
                DestinationPrefix: row.DestinationPrefix,
                NextHop: row.NextHop,
                InterfaceLuid: row.InterfaceLuid,
                ..Default::default()
            };
            let code = unsafe { route::ip_forward_entry2::<Win32>(&raw mut again) };
            assert_eq!(code, if named { 0 } else { ERROR_INVALID_PARAMETER }, "{}", prefix(row));
            if named {
                assert_eq!((again.Metric, again.Protocol), (row.Metric, row.Protocol));
            }
        }

        // Get, then Set, of a row as it is: nothing changes.
        let mut row = ospf;
        let shown = || run("ip route show");
        let before = shown();
        assert_eq!(unsafe { route::set_ip_forward_entry2::<Win32>(&raw const row) }, 0);
        assert_eq!(shown(), before);
        row.Metric = 9;
        assert_eq!(unsafe { route::set_ip_forward_entry2::<Win32>(&raw const row) }, 0);
        assert!(shown().contains("203.0.113.0/24 via 10.0.0.2 dev e0 proto ospf metric 9"), "{}", shown());
        assert_eq!(unsafe { route::delete_ip_forward_entry2::<Win32>(&raw const row) }, 0);
        assert!(!shown().contains("203.0.113.0/24"));
        assert_eq!(unsafe { route::create_ip_forward_entry2::<Win32>(&raw const row) }, 0);
        assert!(shown().contains("203.0.113.0/24 via 10.0.0.2 dev e0 proto ospf metric 9"), "{}", shown());
    });
}

#[test]
fn the_first_generations_metric_is_that_of_route_and_interface() {
    isolated(|| {
        for command in [
            "ip link add e0 type veth peer name e1",
            "ip link set e0 up",
            "ip link set e1 up",
            "ip addr add 10.0.0.1/24 dev e0",
            "ip route add default via 10.0.0.9",
        ] {
            let _ = run(command);
        }
        let rows =
            || filled::<MIB_IPFORWARDTABLE>(|table, size| unsafe { route::ip_forward_table(table, size, 1) });
        let before = rows();
        assert_eq!(before.len(), run("ip -4 route show table all").lines().count());
        let order: Vec<_> = before.iter().map(|row| u32::from_be(row.dwForwardDest)).collect();
        assert!(order.is_sorted() && order[0] == 0, "{order:?}");
        let default = before[0];
        assert_eq!((default.dwForwardMask, unsafe { default.Anonymous1.dwForwardType }), (0, 4));
        assert_eq!(default.dwForwardMetric2, u32::MAX);
        let mut row =
            MIB_IPINTERFACE_ROW { Family: 2, InterfaceIndex: default.dwForwardIfIndex, ..Default::default() };
        assert_eq!(unsafe { ip_interface::ip_interface_entry::<Win32>(&raw mut row) }, 0);
        assert_eq!(default.dwForwardMetric1, row.Metric);
        let mut new = default;
        new.dwForwardDest = u32::from_ne_bytes([203, 0, 113, 0]);
        new.dwForwardMask = u32::from_ne_bytes([255, 255, 255, 0]);
        new.dwForwardMetric1 = row.Metric + 6;
        assert_eq!(unsafe { route::create_ip_forward_entry(&raw const new) }, 0);
        let shown = || run("ip route show 203.0.113.0/24");
        assert!(shown().contains("via 10.0.0.9 dev e0 proto 105 metric 6"), "{}", shown());
        let read = *rows().iter().find(|row| row.dwForwardDest == new.dwForwardDest).unwrap();
        assert_eq!(read.dwForwardMetric1, new.dwForwardMetric1);
        new.dwForwardMetric1 += 1;
        assert_eq!(unsafe { route::set_ip_forward_entry(&raw const new) }, 0);
        assert!(shown().contains("metric 7"), "{}", shown());
        assert_eq!(unsafe { route::delete_ip_forward_entry(&raw const new) }, 0);
        assert_eq!(rows().len(), before.len());
    });
}
