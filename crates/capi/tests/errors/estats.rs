//! Extended statistics, the owner behind a row's two members, and the tables of Windows XP.

use crate::walk::Walk;
use iphelper_capi::estats::{Ends, connection_estats, set_connection_estats};
use iphelper_capi::owner_module::owner_module_from_pid_and_info;
use iphelper_capi::raw::*;
use iphelper_capi::{tcp, udp};
use iphelper_testkit::unprivileged;
use std::ffi::c_void;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ptr::{null, null_mut};

const REFUSED: &str = "ERROR_INVALID_PARAMETER";
const PATH: i32 = TcpConnectionEstatsPath;

/// The three parts of a call: buffer, version, size.
type Parts = [(*mut u8, u32, u32); 3];

fn get<R: Ends>(row: *const R, class: i32, [rw, ros, rod]: Parts) -> u32 {
    // SAFETY: the row is NULL or a live variable, each buffer has the size that is said.
    unsafe { connection_estats(row, class, rw.0, rw.1, rw.2, ros.0, ros.1, ros.2, rod.0, rod.1, rod.2) }
}

fn set<R: Ends>(row: *const R, class: i32, rw: (*const u8, u32, u32), offset: u32) -> u32 {
    // SAFETY: as above.
    unsafe { set_connection_estats(row, class, rw.0, rw.1, rw.2, offset) }
}

fn pair(listen_on: &str) -> (TcpListener, TcpStream) {
    let listener = TcpListener::bind(listen_on).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener, client)
}

fn row4(local: SocketAddr, remote: SocketAddr) -> MIB_TCPROW {
    let (SocketAddr::V4(local), SocketAddr::V4(remote)) = (local, remote) else { panic!("IPv4") };
    MIB_TCPROW {
        dwLocalAddr: u32::from_ne_bytes(local.ip().octets()),
        // The upper half may hold anything.
        dwLocalPort: u32::from(local.port().to_be()) | 0xABCD_0000,
        dwRemoteAddr: u32::from_ne_bytes(remote.ip().octets()),
        dwRemotePort: remote.port().to_be().into(),
        ..Default::default()
    }
}

fn row6(local: SocketAddr, remote: SocketAddr) -> MIB_TCP6ROW {
    let (SocketAddr::V6(local), SocketAddr::V6(remote)) = (local, remote) else { panic!("IPv6") };
    let address = |octets| IN6_ADDR { u: IN6_ADDR_0 { Byte: octets } };
    MIB_TCP6ROW {
        LocalAddr: address(local.ip().octets()),
        dwLocalPort: local.port().to_be().into(),
        RemoteAddr: address(remote.ip().octets()),
        dwRemotePort: remote.port().to_be().into(),
        ..Default::default()
    }
}

pub(super) fn connections(walk: &mut Walk) {
    let (listener, client) = pair("127.0.0.1:0");
    let row = row4(client.local_addr().unwrap(), client.peer_addr().unwrap());
    let listening = row4(listener.local_addr().unwrap(), "0.0.0.0:0".parse().unwrap());
    family(walk, "GetPerTcpConnectionEStats", "SetPerTcpConnectionEStats", row, listening);
    let (listener, client) = pair("[::1]:0");
    let row = row6(client.local_addr().unwrap(), client.peer_addr().unwrap());
    let listening = row6(listener.local_addr().unwrap(), "[::]:0".parse().unwrap());
    family(walk, "GetPerTcp6ConnectionEStats", "SetPerTcp6ConnectionEStats", row, listening);
}

fn family<R: Ends + Sync>(walk: &mut Walk, reads: &'static str, writes: &'static str, row: R, listening: R) {
    let mut memory = [[0xA5_u8; 256]; 3];
    let [rw, ros, rod] = memory.each_mut().map(|buffer| buffer.as_mut_ptr());
    let none = (null_mut(), 0, 0);
    assert_eq!(get(&row, PATH, [(rw, 0, 1), none, (rod, 0, 160)]), 0);
    assert_eq!(get(&row, PATH, [none; 3]), 0, "nothing asked for");
    walk.expect(reads, REFUSED, get::<R>(null(), PATH, [none; 3]));
    for class in [-1, TcpConnectionEstatsFineRtt + 1, 100] {
        walk.expect(reads, REFUSED, get(&row, class, [none; 3]));
        walk.expect(writes, REFUSED, set(&row, class, (rw, 0, 1), 0));
    }
    for parts in [[(rw, 1, 1), none, none], [none, (null_mut(), 1, 0), none], [none, none, (rod, 1, 160)]] {
        walk.expect(reads, "ERROR_NOT_SUPPORTED", get(&row, PATH, parts));
    }
    for parts in [
        [(null_mut(), 0, 1), none, none],
        [none, (null_mut(), 0, 7), none],
        [none, none, (null_mut(), 0, 160)],
    ] {
        walk.expect(reads, "ERROR_INVALID_USER_BUFFER", get(&row, PATH, parts));
    }
    // Every class, at every size that is too small: nothing is written.
    let sizes = [
        (TcpConnectionEstatsSynOpts, [0, 12, 0]),
        (TcpConnectionEstatsData, [1, 0, 96]),
        (TcpConnectionEstatsSndCong, [1, 4, size_of::<TCP_ESTATS_SND_CONG_ROD_v0>()]),
        (TcpConnectionEstatsPath, [1, 0, 160]),
        (TcpConnectionEstatsSendBuff, [1, 0, 4 * size_of::<usize>()]),
        (TcpConnectionEstatsRec, [1, 0, size_of::<TCP_ESTATS_REC_ROD_v0>()]),
        (TcpConnectionEstatsObsRec, [1, 0, 16]),
        (TcpConnectionEstatsBandwidth, [8, 0, 40]),
        (TcpConnectionEstatsFineRtt, [1, 0, 16]),
    ];
    for (class, sizes) in sizes {
        for (place, needed) in sizes.into_iter().enumerate() {
            for size in 0..needed + 3 {
                let mut buffer = [0xA5_u8; 256];
                let mut parts = [none; 3];
                parts[place] = (buffer.as_mut_ptr(), 0, u32::try_from(size).unwrap());
                let code = get(&row, class, parts);
                if size < needed {
                    walk.expect(reads, "ERROR_INSUFFICIENT_BUFFER", code);
                    assert_eq!(buffer, [0xA5; 256], "written though too small");
                } else {
                    assert_eq!(code, 0, "class {class}, part {place}, {size} bytes");
                    assert!(
                        buffer[needed..].iter().all(|byte| *byte == 0xA5),
                        "written behind the structure"
                    );
                }
            }
        }
    }
    for parts in [[(rw, 0, 1), none, none], [none, none, (rod, 0, 160)], [none; 3]] {
        walk.expect(reads, "ERROR_NOT_FOUND", get(&listening, PATH, parts));
    }
    let _ = ros;

    let on = 1_u8;
    let (one, version, size) = (&raw const on, 0, 1);
    walk.expect(writes, REFUSED, set::<R>(null(), PATH, (one, version, size), 0));
    walk.expect(writes, REFUSED, set(&row, TcpConnectionEstatsSynOpts, (one, version, size), 0));
    walk.expect(writes, "ERROR_NOT_SUPPORTED", set(&row, PATH, (one, 1, size), 0));
    walk.expect(writes, "ERROR_NOT_SUPPORTED", set(&row, PATH, (one, version, size), 1));
    walk.expect(writes, "ERROR_INVALID_USER_BUFFER", set(&row, PATH, (null(), version, size), 0));
    let both = [TcpBoolOptEnabled, TcpBoolOptUnchanged];
    let both = (both.as_ptr().cast::<u8>(), 0, 8);
    let bandwidth = TcpConnectionEstatsBandwidth;
    walk.expect(writes, "ERROR_INVALID_USER_BUFFER", set(&row, bandwidth, (both.0, 0, 7), 0));
    let odd = [2, 0];
    walk.expect(writes, REFUSED, set(&row, bandwidth, (odd.as_ptr().cast(), 0, 8), 0));
    walk.expect(writes, "ERROR_NOT_FOUND", set(&listening, PATH, (one, version, size), 0));
    walk.expect(
        writes,
        "ERROR_ACCESS_DENIED",
        unprivileged(|| {
            let on = 1_u8;
            set(&row, PATH, (&raw const on, 0, 1), 0)
        }),
    );
    let read = || {
        let mut byte = 0xA5;
        assert_eq!(get(&row, PATH, [(&raw mut byte, 0, 1), none, none]), 0);
        byte
    };
    assert_eq!(read(), 0, "off at first");
    assert_eq!(set(&row, PATH, (null(), 0, 0), 0), 0, "no size is no change");
    assert_eq!((set(&row, PATH, (one, version, size), 0), read()), (0, 1));
    assert_eq!(set(&row, bandwidth, both, 0), 0);
    let mut switches = [7_i32; 2];
    assert_eq!(get(&row, bandwidth, [(switches.as_mut_ptr().cast(), 0, 8), none, none]), 0);
    assert_eq!(switches, [TcpBoolOptEnabled, TcpBoolOptDisabled]);
    let off = 0_u8;
    assert_eq!((set(&row, PATH, (&raw const off, 0, 1), 0), read()), (0, 0));
}

pub(super) fn tables_of_windows_xp() {
    let (listener, client) = pair("127.0.0.1:0");
    let _six = pair("[::1]:0");
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let heap: HANDLE = std::ptr::dangling_mut::<c_void>();
    let mut table: *mut c_void = std::ptr::dangling_mut();
    // SAFETY: `table` is a live variable, or NULL; then a table that the call made, which is freed once.
    unsafe {
        for (table, heap, family) in
            [(null_mut(), heap, 2), (&raw mut table, null_mut(), 2), (&raw mut table, heap, 0)]
        {
            assert_eq!(tcp::allocate_tcp_ex_table(table, 0, heap, 0, family), ERROR_INVALID_PARAMETER);
            assert_eq!(udp::allocate_udp_ex_table(table, 0, heap, 0, family), ERROR_INVALID_PARAMETER);
        }
        assert_eq!(tcp::allocate_tcp_ex_table(&raw mut table, 1, heap, 8, 2), 0);
        let four = table.cast::<MIB_TCPTABLE_OWNER_PID>();
        let rows = std::slice::from_raw_parts(
            (&raw const (*four).table).cast::<MIB_TCPROW_OWNER_PID>(),
            (*four).dwNumEntries as usize,
        );
        assert!(rows.len() >= 3, "the listener, two ends, and what earlier tests left in TIME_WAIT");
        let mine = client.local_addr().unwrap().port().to_be().into();
        assert!(rows.iter().any(|row| row.dwLocalPort == mine && row.dwOwningPid == std::process::id()));
        libc::free(table);
        assert_eq!(tcp::allocate_tcp_ex_table(&raw mut table, 1, heap, 0, 23), 0);
        assert!((*table.cast::<MIB_TCP6TABLE_OWNER_PID>()).dwNumEntries >= 3);
        libc::free(table);
        assert_eq!(udp::allocate_udp_ex_table(&raw mut table, 1, heap, 0, 2), 0);
        let four = table.cast::<MIB_UDPTABLE_OWNER_PID>();
        assert_eq!((*four).dwNumEntries, 1);
        let port: u32 = datagrams.local_addr().unwrap().port().to_be().into();
        assert_eq!(((*four).table[0].dwLocalPort, (*four).table[0].dwOwningPid), (port, std::process::id()));
        libc::free(table);
        assert_eq!(udp::allocate_udp_ex_table(&raw mut table, 1, heap, 0, 10), 0);
        assert_eq!((*table.cast::<MIB_UDP6TABLE_OWNER_PID>()).dwNumEntries, 0);
        libc::free(table);
    }
    drop(listener);
}

pub(super) fn owner_of_pid_and_info() {
    let _listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut table = vec![0_u8; 64 * 1024];
    let mut size = 64 * 1024;
    // SAFETY: the table has `size` bytes; its first row stands at offset 8. The other pointers are live variables or NULL.
    unsafe {
        let class = TCP_TABLE_OWNER_MODULE_LISTENER;
        assert_eq!(tcp::extended_tcp_table(table.as_mut_ptr().cast(), &raw mut size, 0, 2, class, 0), 0);
        let row = table.as_ptr().add(8).cast::<MIB_TCPROW_OWNER_MODULE>().read_unaligned();
        let of = |info: *const ULONG64, class, buffer, size| {
            owner_module_from_pid_and_info(row.dwOwningPid, info, class, buffer, size)
        };
        let info = row.OwningModuleInfo.as_ptr();
        let mut size = 0;
        assert_eq!(of(info, 0, null_mut(), &raw mut size), ERROR_INSUFFICIENT_BUFFER);
        let mut buffer = vec![0_u8; size as usize];
        assert_eq!(of(info, 0, buffer.as_mut_ptr().cast(), &raw mut size), 0);
        let basic = buffer.as_ptr().cast::<TCPIP_OWNER_MODULE_BASIC_INFO>().read_unaligned();
        let name: Vec<u16> = (0..)
            .map(|at| basic.pModuleName.add(at).read_unaligned())
            .take_while(|unit| *unit != 0)
            .collect();
        let own = std::env::current_exe().unwrap();
        assert_eq!(String::from_utf16(&name).unwrap(), own.file_name().unwrap().to_str().unwrap());
        assert_eq!(of(null(), 0, null_mut(), &raw mut size), ERROR_INVALID_PARAMETER);
        assert_eq!(of(info, 1, null_mut(), &raw mut size), ERROR_INVALID_PARAMETER);
        assert_eq!(of(info, 0, null_mut(), null_mut()), ERROR_INVALID_PARAMETER);
        let nobody = ULONG64(0);
        assert_eq!(of(&raw const nobody, 0, null_mut(), &raw mut size), ERROR_NOT_FOUND);
    }
}
