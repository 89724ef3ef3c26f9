//! Garbage from C: rows of random bytes at odd addresses, buffers of every size, strings without sense. Nothing crashes,
//! nothing is written beside what the caller gave, and a refused change leaves everything as it was.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type, and each buffer has the \
              size that is said"
)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::owner_module::owner_module;
use iphelper_capi::raw::*;
use iphelper_capi::{address, convert, interface, ip_interface, memory, neighbor, route, tcp, udp};
use iphelper_testkit::{NetNs, established};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::net::{TcpListener, TcpStream};
use std::sync::{PoisonError, RwLock};
use support::settings;

mod support;

iphelper_testkit::private_user_namespace!();

const GUARD: u8 = 0xA5;

/// A program that another test starts holds this process's sockets until it has begun, and may be told as their owner
/// meanwhile. Who compares owners takes it for writing, who starts programs for reading.
static PROGRAMS: RwLock<()> = RwLock::new(());

/// Runs a property in a namespace with an Ethernet interface and some connections.
fn hold<S: Strategy + Send + Sync>(strategy: S, property: impl Fn(S::Value) + Send + Sync) {
    let _programs = PROGRAMS.read().unwrap_or_else(PoisonError::into_inner);
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    here.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // Cases that failed once are to be written into the source, not into a file beside it.
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&strategy, |value| {
                property(value);
                Ok(())
            })
            .unwrap();
    });
}

/// Memory for `size` bytes at an odd address, with guards on both sides.
struct Odd(Vec<u8>, usize);

impl Odd {
    fn new(bytes: &[u8]) -> Self {
        let mut memory = vec![GUARD; bytes.len() + 64];
        let start = 16 + 1 - memory.as_ptr().addr() % 2;
        memory[start..start + bytes.len()].copy_from_slice(bytes);
        Self(memory, bytes.len())
    }

    fn start(&self) -> usize {
        16 + 1 - self.0.as_ptr().addr() % 2
    }

    fn pointer<T>(&mut self) -> *mut T {
        let start = self.start();
        assert_eq!((self.0.as_ptr().addr() + start) % 2, 1);
        self.0[start..].as_mut_ptr().cast()
    }

    /// What stands there now; fails if a guard was written over.
    fn bytes(&self) -> &[u8] {
        let (start, len) = (self.start(), self.1);
        assert!(
            self.0[..start].iter().chain(&self.0[start + len..]).all(|byte| *byte == GUARD),
            "beside the buffer"
        );
        &self.0[start..start + len]
    }
}

#[test]
fn rows_of_garbage_are_refused_and_change_nothing() {
    let row = proptest::collection::vec(any::<u8>(), size_of::<MIB_IPINTERFACE_ROW>());
    // Some of the keys are real, so that what follows is looked at, too.
    let keys = (
        prop_oneof![Just(2_u16), Just(23), Just(10), any::<u16>()],
        any::<bool>(),
        prop_oneof![Just(1_u32), Just(2), any::<u32>()],
    );
    let one = proptest::option::of((40_usize..168, any::<u8>()));
    hold((row, keys, one), |(mut bytes, (family, by_index, index), one)| {
        if let Some((position, byte)) = one {
            // One member that an initialised row does not have.
            let mut initial = MIB_IPINTERFACE_ROW::default();
            // SAFETY: the row lives, and its bytes, padding among them, are initialised where they are read.
            unsafe { ip_interface::initialize_ip_interface_entry(&raw mut initial) };
            let mut copy = Odd::new(&bytes);
            // SAFETY: `copy` has the size of a row.
            unsafe { copy.pointer::<MIB_IPINTERFACE_ROW>().write_unaligned(initial) };
            bytes = copy.bytes().to_vec();
            bytes[position] = byte;
        }
        bytes[..2].copy_from_slice(&family.to_ne_bytes());
        if by_index {
            bytes[8..16].fill(0);
            bytes[16..20].copy_from_slice(&index.to_ne_bytes());
        }
        let before = settings(&["e0", "lo", "all"]);
        let mut row = Odd::new(&bytes);
        // SAFETY: the memory has the size of a row.
        let code = unsafe { ip_interface::set_ip_interface_entry::<Win32>(row.pointer()) };
        if code != 0 {
            assert_eq!(settings(&["e0", "lo", "all"]), before, "changed though refused with {code}");
            assert_eq!(row.bytes(), bytes, "a refusal writes nothing to the row");
        } else {
            assert!(
                row.bytes()[16..] == bytes[16..] && row.bytes()[..8] == bytes[..8],
                "the LUID alone is filled in"
            );
        }
        let mut row = Odd::new(&bytes);
        // SAFETY: as above.
        let code = unsafe { ip_interface::ip_interface_entry::<NtStatus>(row.pointer()) };
        assert!(code == 0 || row.bytes() == bytes);
    });
}

#[test]
fn garbage_in_the_other_rows_does_no_harm() {
    let bytes = proptest::collection::vec(any::<u8>(), size_of::<MIB_IF_ROW2>());
    hold((bytes, any::<i32>()), |(bytes, number)| {
        let mut row = Odd::new(&bytes);
        // SAFETY (here and below): memory of the row's size, at an odd address.
        unsafe {
            let _ = interface::if_entry2::<Win32>(row.pointer());
            let _ = row.bytes();
            let _ = interface::if_entry2_ex::<NtStatus>(number, row.pointer());
            let _ = row.bytes();
            let mut row = Odd::new(&bytes[..size_of::<MIB_IFROW>()]);
            let _ = interface::if_entry(row.pointer());
            let _ = row.bytes();
            let mut row = Odd::new(&bytes[..size_of::<MIB_IFROW>()]);
            let _ = interface::set_if_entry(row.pointer());
            let mut row = Odd::new(&bytes[..size_of::<MIB_IPFORWARD_ROW2>()]);
            let _ = route::create_ip_forward_entry2::<Win32>(row.pointer());
            let _ = route::set_ip_forward_entry2::<NtStatus>(row.pointer());
            let _ = route::delete_ip_forward_entry2::<Win32>(row.pointer());
            let _ = route::ip_forward_entry2::<NtStatus>(row.pointer());
            let _ = row.bytes();
            let mut row = Odd::new(&bytes[..size_of::<MIB_IPFORWARDROW>()]);
            let _ = route::create_ip_forward_entry(row.pointer());
            let _ = route::set_ip_forward_entry(row.pointer());
            let _ = route::delete_ip_forward_entry(row.pointer());
            let _ = row.bytes();
            let mut row = Odd::new(&bytes[..size_of::<MIB_TCPROW>()]);
            assert_ne!(tcp::set_tcp_entry(row.pointer()), 0);
            let mut row = Odd::new(&bytes[..size_of::<MIB_TCP6ROW_OWNER_MODULE>()]);
            let mut buffer = Odd::new(&[0; 64]);
            let mut size = 64;
            let code = owner_module::<MIB_TCP6ROW_OWNER_MODULE>(
                row.pointer(),
                number,
                buffer.pointer(),
                &raw mut size,
            );
            assert_ne!(code, 0);
            let _ = buffer.bytes();
            let mut row = Odd::new(&bytes[..size_of::<MIB_UDPROW_OWNER_MODULE>()]);
            let code = owner_module::<MIB_UDPROW_OWNER_MODULE>(
                row.pointer(),
                number,
                buffer.pointer(),
                &raw mut size,
            );
            assert_ne!(code, 0);
            let _ = buffer.bytes();
            // Keys that no interface has.
            let luid = u64::from_ne_bytes(bytes[..8].try_into().unwrap());
            let luid = NET_LUID { Value: ULONG64(luid) };
            let mut name = Odd::new(&[GUARD; 32]);
            let _ = convert::luid_to_name_a::<Win32>(&raw const luid, name.pointer(), 32);
            let _ = name.bytes();
            let mut guid = Odd::new(&bytes[..16]);
            let mut luid = Odd::new(&[GUARD; 8]);
            let _ = convert::guid_to_luid::<Win32>(guid.pointer(), luid.pointer());
            let _ = luid.bytes();
        }
    });
}

#[test]
fn strings_without_sense_are_no_names() {
    let narrow = proptest::collection::vec(1_u8.., 0..300);
    let wide = proptest::collection::vec(prop_oneof![1_u16.., 0xD7F0_u16..0xE010, 0x20_u16..0x7F], 0..300);
    hold((narrow, wide), |(mut narrow, mut wide)| {
        narrow.push(0);
        wide.push(0);
        let wide: Vec<u8> = wide.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
        let (mut narrow, mut wide, mut luid) = (Odd::new(&narrow), Odd::new(&wide), Odd::new(&[GUARD; 8]));
        // SAFETY: the strings end, and the LUID has its eight bytes.
        unsafe {
            assert_ne!(convert::name_to_luid_a::<Win32>(narrow.pointer(), luid.pointer()), 0);
            assert_eq!(luid.bytes(), [0; 8]);
            assert_ne!(convert::name_to_luid_w::<Win32>(wide.pointer(), luid.pointer()), 0);
            assert_ne!(convert::alias_to_luid::<NtStatus>(wide.pointer(), luid.pointer()), 0);
            assert_eq!(convert::name_to_index(narrow.pointer()), 0);
        }
        let _ = luid.bytes();
    });
}

/// Calls a function that fills a buffer with every size up to what it asks for and some more.
fn every_size(call: impl Fn(*mut u8, *mut u32) -> u32) {
    let mut needed = 0;
    assert_eq!(call(std::ptr::null_mut(), &raw mut needed), ERROR_INSUFFICIENT_BUFFER);
    let mut first = None;
    for size in 0..needed + 40 {
        let mut buffer = Odd::new(&vec![0x5A; size as usize]);
        let mut stated = Odd::new(&size.to_ne_bytes());
        let code = call(buffer.pointer(), stated.pointer());
        let stated = u32::from_ne_bytes(stated.bytes().try_into().unwrap());
        if size < needed {
            assert_eq!((code, stated), (ERROR_INSUFFICIENT_BUFFER, needed), "{size} of {needed}");
            assert!(buffer.bytes().iter().all(|byte| *byte == 0x5A), "{size}: written though too small");
        } else {
            assert_eq!((code, stated), (0, size), "{size} of {needed}");
            let rows = buffer.bytes()[..needed as usize].to_vec();
            assert_eq!(
                *first.get_or_insert_with(|| rows.clone()),
                rows,
                "the table does not depend on the buffer"
            );
            assert!(
                buffer.bytes()[needed as usize..].iter().all(|byte| *byte == 0x5A),
                "{size}: more than needed"
            );
        }
    }
}

#[test]
fn buffers_of_every_size_are_filled_whole_or_not_at_all() {
    let _alone = PROGRAMS.write().unwrap_or_else(PoisonError::into_inner);
    NetNs::new().run(|| {
        let four = TcpListener::bind("127.0.0.1:0").unwrap();
        let _four = TcpStream::connect(four.local_addr().unwrap()).unwrap();
        established(2);
        let _six = TcpListener::bind("[::1]:0").unwrap();
        let _udp =
            ["127.0.0.1:0", "127.0.0.1:0", "[::1]:0"].map(|end| std::net::UdpSocket::bind(end).unwrap());
        // SAFETY (of all): the buffer has as many bytes as the size says, or is NULL.
        every_size(|table, size| unsafe { tcp::tcp_table(table.cast(), size, 1) });
        every_size(|table, size| unsafe { tcp::tcp_table2(table.cast(), size, 1) });
        every_size(|table, size| unsafe { tcp::tcp6_table(table.cast(), size, 1) });
        every_size(|table, size| unsafe { tcp::tcp6_table2(table.cast(), size, 1) });
        for class in 0..9 {
            // SAFETY: as above.
            every_size(|table, size| unsafe { tcp::extended_tcp_table(table.cast(), size, 1, 2, class, 0) });
            if class > 2 {
                // SAFETY: as above.
                every_size(|table, size| unsafe {
                    tcp::extended_tcp_table(table.cast(), size, 1, 23, class, 0)
                });
            }
        }
        // SAFETY (of all): as above.
        every_size(|table, size| unsafe { udp::udp_table(table.cast(), size, 1) });
        every_size(|table, size| unsafe { udp::udp6_table(table.cast(), size, 1) });
        for (class, family) in [(0, 2), (1, 2), (2, 2), (0, 23), (1, 23), (2, 23)] {
            // SAFETY: as above.
            every_size(|table, size| unsafe {
                udp::extended_udp_table(table.cast(), size, 1, family, class, 0)
            });
        }
        // SAFETY: as above. Counters stand still, for nothing is sent.
        every_size(|table, size| unsafe { interface::if_table(table.cast(), size, 1) });
        // SAFETY: the memory is not of this library, and readable in front of the address.
        unsafe { memory::free_mib_table(Odd::new(&[0; 64]).pointer()) };
    });
}

/// What `ip` shows of all neighbours, whose states go on by themselves.
fn neighbors() -> Vec<String> {
    let lines = |command: &str| -> Vec<String> {
        let text = iphelper_testkit::run(command);
        text.lines()
            .filter(|line| line.contains("PERMANENT") || line.contains("proxy"))
            .map(str::to_owned)
            .collect()
    };
    [lines("ip neigh show nud all"), lines("ip neigh show proxy")].concat()
}

#[test]
fn neighbors_of_garbage_change_nothing_when_refused() {
    let row = proptest::collection::vec(any::<u8>(), size_of::<MIB_IPNET_ROW2>());
    let keys = (
        prop_oneof![Just(2_u16), Just(23), Just(10), any::<u16>()],
        any::<bool>(),
        prop_oneof![Just(1_u32), Just(2), any::<u32>()],
        prop_oneof![Just(6_u32), any::<u32>()],
    );
    hold((row, keys), |(mut bytes, (family, by_index, index, length))| {
        bytes[..2].copy_from_slice(&family.to_ne_bytes());
        if by_index {
            bytes[28..32].copy_from_slice(&index.to_ne_bytes());
            bytes[32..40].fill(0);
        }
        bytes[72..76].copy_from_slice(&length.to_ne_bytes());
        type Change = unsafe fn(*const MIB_IPNET_ROW2) -> u32;
        let changes: [Change; 3] = [
            neighbor::set_ip_net_entry2::<Win32>,
            neighbor::create_ip_net_entry2::<Win32>,
            neighbor::delete_ip_net_entry2::<Win32>,
        ];
        let before = neighbors();
        let mut refused = true;
        for change in changes {
            let mut row = Odd::new(&bytes);
            refused &= unsafe { change(row.pointer()) } != 0;
            assert_eq!(row.bytes(), bytes, "an input is not written to");
        }
        let mut row = Odd::new(&bytes);
        let code = unsafe { neighbor::ip_net_entry2::<NtStatus>(row.pointer()) };
        assert!(code == 0 || row.bytes() == bytes);
        for change in [
            neighbor::set_ip_net_entry as unsafe fn(*const MIB_IPNETROW) -> u32,
            neighbor::create_ip_net_entry,
            neighbor::delete_ip_net_entry,
        ] {
            let mut row = Odd::new(&bytes[..size_of::<MIB_IPNETROW>()]);
            refused &= unsafe { change(row.pointer()) } != 0;
            assert_eq!(row.bytes(), &bytes[..size_of::<MIB_IPNETROW>()]);
        }
        assert!(!refused || neighbors() == before, "changed though refused");
        // A buffer of any size.
        let mut size = length % 64;
        let mut buffer = Odd::new(&vec![GUARD; size as usize]);
        let _ = unsafe { neighbor::ip_net_table(buffer.pointer(), &raw mut size, 1) };
        let _ = buffer.bytes();
    });
}

#[test]
fn addresses_of_garbage_change_nothing_when_refused() {
    let row = proptest::collection::vec(any::<u8>(), size_of::<MIB_UNICASTIPADDRESS_ROW>());
    let keys = (
        prop_oneof![Just(2_u16), Just(23), Just(10), any::<u16>()],
        any::<bool>(),
        prop_oneof![Just(1_u32), Just(2), any::<u32>()],
        prop_oneof![Just(24_u8), Just(255), any::<u8>()],
    );
    hold((row, keys, any::<bool>()), |(mut bytes, (family, by_index, index, length), is_plain)| {
        bytes[..2].copy_from_slice(&family.to_ne_bytes());
        if by_index {
            bytes[32..40].fill(0);
            bytes[40..44].copy_from_slice(&index.to_ne_bytes());
        }
        if is_plain {
            // Origins and lifetimes that an initialised row has, so that what follows is looked at, too.
            for member in [44, 48] {
                bytes[member..member + 4].copy_from_slice(&16_i32.to_ne_bytes());
            }
            bytes[52..60].fill(0xff);
        }
        bytes[60] = length;
        type Change = unsafe fn(*const MIB_UNICASTIPADDRESS_ROW) -> u32;
        let changes: [Change; 3] = [
            address::set_unicast_ip_address_entry::<Win32>,
            address::create_unicast_ip_address_entry::<Win32>,
            address::delete_unicast_ip_address_entry::<Win32>,
        ];
        let shown = || iphelper_testkit::run("ip -o -4 addr show");
        let before = shown();
        let mut refused = true;
        for change in changes {
            let mut row = Odd::new(&bytes);
            // SAFETY: the memory has the size of a row.
            refused &= unsafe { change(row.pointer()) } != 0;
            assert_eq!(row.bytes(), bytes, "an input is not written to");
        }
        assert!(!refused || shown() == before, "changed though refused");
        let mut row = Odd::new(&bytes);
        // SAFETY: as above.
        let code = unsafe { address::unicast_ip_address_entry::<NtStatus>(row.pointer()) };
        assert!(code == 0 || row.bytes() == bytes);
        let mut row = Odd::new(&bytes[..size_of::<MIB_ANYCASTIPADDRESS_ROW>()]);
        // SAFETY: as above, of the shorter rows.
        unsafe {
            let created = address::create_anycast_ip_address_entry::<Win32>(row.pointer());
            let deleted = address::delete_anycast_ip_address_entry::<NtStatus>(row.pointer());
            assert!(created != 0 || deleted == 0, "what was created can be deleted");
            let _ = address::multicast_ip_address_entry::<Win32>(row.pointer());
        }
        let _ = row.bytes();
        // A buffer of any size.
        let mut size = u32::from(length);
        let mut buffer = Odd::new(&vec![GUARD; size as usize]);
        // SAFETY: the buffer has as many bytes as it says.
        let _ = unsafe { address::ip_addr_table(buffer.pointer(), &raw mut size, 1) };
        let _ = buffer.bytes();
    });
}
