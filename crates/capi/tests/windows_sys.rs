//! A Rust program that calls Windows' functions by the declarations of `windows-sys`: what this library exports has those
//! names and those parameters.
//!
//! The exports are made here, in the test itself, as the libraries make theirs; a program of its own links with
//! `-l iphlpapi`.
#![allow(unsafe_code, reason = "C functions")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper_testkit::isolated;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_NO_DATA, ERROR_NOT_FOUND, GetLastError, HANDLE,
    LocalFree, NO_ERROR,
};
use windows_sys::Win32::NetworkManagement::IpHelper::*;
use windows_sys::Win32::NetworkManagement::Ndis::NET_LUID_LH;
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6, AF_UNSPEC, NlnsPermanent};
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_ALLOCATE_BUFFER, FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS, FormatMessageW,
};

iphelper_testkit::private_user_namespace!();

mod exported {
    iphelper_capi::export_netioapi!(iphelper_capi::error::Win32);
    iphelper_capi::export_iphlpapi!();
}

#[test]
fn tables_rows_and_names() {
    isolated(|| unsafe {
        let mut table = null_mut();
        assert_eq!(GetIpInterfaceTable(AF_UNSPEC, &raw mut table), NO_ERROR);
        let rows = std::slice::from_raw_parts((&raw const (*table).Table).cast::<MIB_IPINTERFACE_ROW>(), 2);
        assert_eq!((*table).NumEntries, 2);
        assert_eq!((rows[0].Family, rows[1].Family), (AF_INET, AF_INET6));
        assert!(rows[0].Connected && !rows[0].ForwardingEnabled);
        let mut luid = rows[0].InterfaceLuid;
        FreeMibTable(table.cast());

        let mut alias = [0_u16; 16];
        assert_eq!(ConvertInterfaceLuidToAlias(&raw const luid, alias.as_mut_ptr(), alias.len()), NO_ERROR);
        assert_eq!(alias[..3], [u16::from(b'l'), u16::from(b'o'), 0]);
        assert_eq!(ConvertInterfaceAliasToLuid(alias.as_ptr(), &raw mut luid), NO_ERROR);
        let mut row = MIB_IF_ROW2 { InterfaceLuid: luid, ..Default::default() };
        assert_eq!(GetIfEntry2(&raw mut row), NO_ERROR);
        assert_eq!((row.InterfaceIndex, row.Type, row.Mtu), (1, 24, 65536));

        let mut row = MIB_IPINTERFACE_ROW { Family: AF_INET6, InterfaceIndex: 1, ..Default::default() };
        assert_eq!(GetIpInterfaceEntry(&raw mut row), NO_ERROR);
        row.RetransmitTime = 300;
        assert_eq!(SetIpInterfaceEntry(&raw mut row), NO_ERROR);
        assert_eq!(iphelper_testkit::sysctl("ipv6/neigh/lo/retrans_time_ms"), "300");
    });
}

#[test]
fn connections_and_what_errors_mean() {
    isolated(|| unsafe {
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut size = 0;
        let class = TCP_TABLE_OWNER_PID_ALL;
        let ask = |table: *mut c_void, size: *mut u32| {
            GetExtendedTcpTable(table, size, 1, AF_INET.into(), class, 0)
        };
        assert_eq!(ask(null_mut(), &raw mut size), ERROR_INSUFFICIENT_BUFFER);
        let mut memory = vec![0_u32; size as usize / 4];
        assert_eq!(ask(memory.as_mut_ptr().cast(), &raw mut size), NO_ERROR);
        let table = &*memory.as_ptr().cast::<MIB_TCPTABLE_OWNER_PID>();
        assert_eq!((table.dwNumEntries, table.table[0].dwOwningPid), (1, std::process::id()));

        assert_eq!(SetTcpEntry(null()), ERROR_INVALID_PARAMETER);
        let nobody = MIB_TCPROW_LH { Anonymous: MIB_TCPROW_LH_0 { dwState: 12 }, ..Default::default() };
        let code = SetTcpEntry(&raw const nobody);
        assert_eq!((code, GetLastError()), (317, ERROR_NOT_FOUND));
        let mut text: *mut u16 = null_mut();
        let flags =
            FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
        let length = FormatMessageW(flags, null(), GetLastError(), 0, (&raw mut text).cast(), 0, null());
        let units = std::slice::from_raw_parts(text, length as usize);
        assert_eq!(String::from_utf16(units).unwrap(), "Not found.\r\n");
        assert!(LocalFree(text.cast()).is_null());
    });
}

#[test]
fn extended_statistics() {
    isolated(|| unsafe {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let port = |end: std::net::SocketAddr| end.port().to_be().into();
        let row = MIB_TCPROW_LH {
            dwLocalAddr: u32::from_ne_bytes([127, 0, 0, 1]),
            dwLocalPort: port(client.local_addr().unwrap()),
            dwRemoteAddr: u32::from_ne_bytes([127, 0, 0, 1]),
            dwRemotePort: port(client.peer_addr().unwrap()),
            ..Default::default()
        };
        let class = TcpConnectionEstatsData;
        let rw = TCP_ESTATS_DATA_RW_v0 { EnableCollection: true };
        assert_eq!(
            SetPerTcpConnectionEStats(&raw const row, class, (&raw const rw).cast(), 0, 1, 0),
            NO_ERROR
        );
        let (mut rw, mut rod) = (TCP_ESTATS_DATA_RW_v0::default(), TCP_ESTATS_DATA_ROD_v0::default());
        let (to, size) = ((&raw mut rod).cast(), u32::try_from(size_of_val(&rod)).unwrap());
        let code = GetPerTcpConnectionEStats(
            &raw const row,
            class,
            (&raw mut rw).cast(),
            0,
            1,
            null_mut(),
            0,
            0,
            to,
            0,
            size,
        );
        assert_eq!((code, rw.EnableCollection), (NO_ERROR, true));
        // SYN and the last acknowledgement; the answer.
        assert_eq!((rod.SegsOut, rod.SegsIn, rod.DataBytesOut), (2, 1, 0));
    });
}

#[test]
fn neighbors() {
    isolated(|| unsafe {
        let _ = iphelper_testkit::run("ip link add e0 type veth peer name e1");
        let _ = iphelper_testkit::run("ip link set e0 up");
        let mut index = 0;
        let mut luid = NET_LUID_LH::default();
        assert_eq!(ConvertInterfaceNameToLuidA(c"e0".as_ptr().cast(), &raw mut luid), NO_ERROR);
        assert_eq!(ConvertInterfaceLuidToIndex(&raw const luid, &raw mut index), NO_ERROR);
        let mut row = MIB_IPNET_ROW2 { InterfaceLuid: luid, PhysicalAddressLength: 6, ..Default::default() };
        row.Address.Ipv4.sin_family = AF_INET;
        row.Address.Ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes([192, 0, 2, 7]);
        row.PhysicalAddress[..6].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
        assert_eq!(CreateIpNetEntry2(&raw const row), NO_ERROR);
        let mut table = null_mut();
        assert_eq!(GetIpNetTable2(AF_INET, &raw mut table), NO_ERROR);
        let made = (*table).Table[0];
        assert_eq!(((*table).NumEntries, made.InterfaceIndex, made.State), (1, index, NlnsPermanent));
        assert_eq!((made.PhysicalAddress, made.Address.si_family), (row.PhysicalAddress, AF_INET));
        FreeMibTable(table.cast());
        assert_eq!(FlushIpNetTable(index), NO_ERROR);
        let mut size = 0;
        assert_eq!(GetIpNetTable(null_mut(), &raw mut size, 0), ERROR_NO_DATA);
    });
}

#[test]
fn notifications() {
    unsafe extern "system" fn told(context: *const c_void, row: *const MIB_IPINTERFACE_ROW, kind: i32) {
        assert!(row.is_null() && kind == MibInitialNotification);
        // The caller's variable outlives the registration.
        unsafe { &*context.cast::<std::sync::atomic::AtomicBool>() }
            .store(true, std::sync::atomic::Ordering::Release);
    }
    isolated(|| unsafe {
        let came = std::sync::atomic::AtomicBool::new(false);
        let mut handle: HANDLE = null_mut();
        let context = (&raw const came).cast();
        assert_eq!(NotifyIpInterfaceChange(AF_UNSPEC, Some(told), context, true, &raw mut handle), NO_ERROR);
        iphelper_testkit::eventually("the initial notification", || {
            came.load(std::sync::atomic::Ordering::Acquire)
        });
        assert_eq!(CancelMibChangeNotify2(handle), NO_ERROR);
        let luid = NET_LUID_LH::default();
        assert_eq!(ConvertInterfaceLuidToIndex(&raw const luid, null_mut()), ERROR_INVALID_PARAMETER);
    });
}
