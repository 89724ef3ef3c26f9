//! Reply buffers of every size, several answers, requests that nobody waits for.
#![allow(unsafe_code, reason = "C functions")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper_capi::error::last_error;
use iphelper_capi::raw::*;
use iphelper_capi::{icmp, wait};
use iphelper_testkit::{NetNs, isolated, set_sysctl};
use std::ffi::c_void;
use std::net::Ipv6Addr;
use std::ptr::{null, null_mut};

iphelper_testkit::private_user_namespace!();

const ROW: usize = size_of::<ICMP_ECHO_REPLY>();
const ROW6: usize = size_of::<ICMPV6_ECHO_REPLY>();
const PATIENT: u32 = 60_000;
const GUARD: usize = 16;

fn number(address: [u8; 4]) -> u32 {
    u32::from_ne_bytes(address)
}

fn end6(address: Ipv6Addr) -> SOCKADDR_IN6 {
    let mut end = SOCKADDR_IN6 { sin6_family: AF_INET6, ..Default::default() };
    end.sin6_addr.u.Byte = address.octets();
    end
}

#[test]
fn buffers_of_every_size_take_an_answer_or_refuse_it() {
    isolated(|| {
        let handle = icmp::create_file();
        let handle6 = icmp::create_file6();
        let data = *b"ten octets";
        let (source, there) = (end6(Ipv6Addr::UNSPECIFIED), end6(Ipv6Addr::LOCALHOST));
        for size in 0..ROW + 40 {
            // At an odd address, with a guard behind it.
            let mut memory = vec![0x5A_u8; 1 + size + GUARD];
            let buffer = memory[1..].as_mut_ptr().cast::<c_void>();
            let stated = u32::try_from(size).unwrap();
            let given: *const c_void = data.as_ptr().cast();
            // SAFETY: the buffer has as many bytes as is said.
            let count = unsafe {
                icmp::send_echo(handle, number([127, 0, 0, 1]), given, 10, null(), buffer, stated, PATIENT)
            };
            if size < ROW + 10 {
                let code = if size < ROW { ERROR_INVALID_PARAMETER } else { ERROR_INSUFFICIENT_BUFFER };
                assert_eq!((count, last_error::get()), (0, code), "{size}");
                assert!(memory.iter().all(|byte| *byte == 0x5A), "{size}: written though too small");
            } else {
                assert_eq!(count, 1, "{size}: {}", last_error::get());
                // SAFETY: a row was written there.
                let row = unsafe { buffer.cast::<ICMP_ECHO_REPLY>().read_unaligned() };
                assert_eq!((row.Address, row.Status, row.DataSize), (number([127, 0, 0, 1]), 0, 10));
                assert_eq!((row.Options.Ttl, row.Options.OptionsSize), (64, 0));
                let (first, behind) = (row.Data.addr(), buffer.addr() + size);
                assert!(first >= buffer.addr() + ROW && first + 10 <= behind, "the data are in the buffer");
                // SAFETY: the row says so.
                assert_eq!(unsafe { std::slice::from_raw_parts(row.Data.cast::<u8>(), 10) }, data);
            }
            assert_eq!(memory[1 + size..], [0x5A; GUARD], "{size}: written behind the buffer");

            let mut memory = vec![0x5A_u8; 1 + size + GUARD];
            let buffer = memory[1..].as_mut_ptr().cast::<c_void>();
            // SAFETY: as above.
            let count = unsafe {
                icmp::send_echo6(
                    handle6,
                    null_mut(),
                    None,
                    null_mut(),
                    &raw const source,
                    &raw const there,
                    given,
                    10,
                    null(),
                    buffer,
                    stated,
                    PATIENT,
                )
            };
            if size < ROW6 + 10 {
                assert_eq!(count, 0, "{size}");
                assert!(memory.iter().all(|byte| *byte == 0x5A), "{size}: written though too small");
            } else {
                assert_eq!(count, 1, "{size}: {}", last_error::get());
                // SAFETY: a row was written there, and the data behind it.
                let (row, behind) = unsafe {
                    let row = buffer.cast::<ICMPV6_ECHO_REPLY>();
                    (row.read_unaligned(), std::slice::from_raw_parts(row.add(1).cast::<u8>(), 10))
                };
                assert_eq!((row.Status, behind), (0, &data[..]));
                let words = row.Address.sin6_addr;
                assert_eq!(words, [0, 0, 0, 0, 0, 0, 0, 1_u16.to_be()]);
            }
            assert_eq!(memory[1 + size..], [0x5A; GUARD], "{size}: written behind the buffer");
        }
        // Without data, to nowhere, and too large for the link.
        let mut memory = [0_u8; 200];
        let buffer = memory.as_mut_ptr().cast::<c_void>();
        // SAFETY: as above.
        unsafe {
            let send = |address, size, timeout| {
                let given = [0_u8; 65_535];
                let given: *const c_void = given.as_ptr().cast();
                let mut room = vec![0_u8; ROW + usize::from(size) + 8];
                let stated = u32::try_from(room.len()).unwrap();
                icmp::send_echo(
                    handle,
                    number(address),
                    given,
                    size,
                    null(),
                    room.as_mut_ptr().cast(),
                    stated,
                    timeout,
                )
            };
            assert_eq!(send([127, 0, 0, 1], 0, PATIENT), 1);
            assert_eq!(send([127, 0, 0, 1], 65_500, PATIENT), 1, "{}", last_error::get());
            assert_eq!((send([127, 0, 0, 1], 65_508, PATIENT), last_error::get()), (0, 11009));
            assert_eq!((send([192, 0, 2, 1], 9, PATIENT), last_error::get()), (0, 11002));
            assert_eq!((send([0, 0, 0, 0], 9, PATIENT), last_error::get()), (0, 11018));
            assert_eq!(icmp::parse_replies(buffer, 200), 0, "nothing was asked with this buffer");
        }
        assert_eq!((icmp::close_handle(handle), icmp::close_handle(handle6)), (1, 1));
    });
}

/// `bytes` as the words that a row has them in.
fn address_of(row: &ICMP_ECHO_REPLY) -> [u8; 4] {
    row.Address.to_ne_bytes()
}

/// Asks a group, with room for the answers of two hosts, which end the wait.
fn every_host_answers(handle: HANDLE, event: HANDLE, group: [u8; 4]) {
    let mut memory = vec![0x5A_u8; 2 * (ROW + 1) + GUARD];
    let buffer = memory.as_mut_ptr().cast::<c_void>();
    let size = u32::try_from(2 * (ROW + 1)).unwrap();
    let given: *const c_void = b"?".as_ptr().cast();
    // SAFETY: the buffer has as many bytes as is said, and lives until the answers are there.
    let count = unsafe {
        let destination = number(group);
        let options = null();
        let timeout = PATIENT;
        let (routine, context) = (None, null_mut());
        let sent = icmp::send_echo2(
            handle,
            event,
            routine,
            context,
            destination,
            given,
            1,
            options,
            buffer,
            size,
            timeout,
        );
        if event.is_null() {
            sent
        } else {
            assert_eq!((sent, last_error::get()), (0, ERROR_IO_PENDING));
            assert_eq!(wait::wait_for_single_object(event, INFINITE), WAIT_OBJECT_0);
            icmp::parse_replies(buffer, size)
        }
    };
    assert_eq!(count, 2, "{group:?} {}", last_error::get());
    let mut from: Vec<[u8; 4]> = (0..2)
        .map(|position| {
            // SAFETY: two rows were written.
            let row = unsafe { buffer.cast::<ICMP_ECHO_REPLY>().add(position).read_unaligned() };
            assert_eq!((row.Status, row.DataSize), (0, 1));
            // SAFETY: the row says so.
            assert_eq!(unsafe { row.Data.cast::<u8>().read() }, b'?');
            address_of(&row)
        })
        .collect();
    from.sort_unstable();
    assert_eq!(from, [[10, 0, 0, 2], [10, 0, 0, 3]], "{group:?}");
    assert_eq!(memory[2 * (ROW + 1)..], [0x5A; GUARD]);
}

#[test]
fn a_group_fills_the_buffer_with_answers() {
    let (host, switch, others) = (NetNs::new(), NetNs::new(), [NetNs::new(), NetNs::new()]);
    let _ = switch.sh("ip link add b0 type bridge");
    let _ = switch.sh("ip link set b0 up");
    for (n, namespace) in [&host, &others[0], &others[1]].into_iter().enumerate() {
        namespace.veth("e0", &switch, &format!("p{n}"));
        let _ = switch.sh(&format!("ip link set p{n} master b0"));
        let _ = namespace.sh(&format!("ip address add 10.0.0.{}/24 brd + dev e0", n + 1));
    }
    for namespace in &others {
        namespace.run(|| set_sysctl("ipv4/icmp_echo_ignore_broadcasts", "0"));
        iphelper_testkit::eventually("the link carries packets", || {
            namespace.run(|| iphelper_testkit::try_run("ping -c 1 -W 1 10.0.0.1")).is_ok()
        });
    }
    host.run(|| {
        let _ = iphelper_testkit::run("ip route add 224.0.0.0/4 dev e0");
        // Its route says so: no shape of the address does.
        let _ = iphelper_testkit::run("ip address add 10.9.0.1/30 dev e0");
        let _ = iphelper_testkit::run("ip route add default dev e0");
        let options = iphelper::icmp::EchoOptions::default();
        let is_group = |address: [u8; 4]| {
            iphelper::Host::open().unwrap().is_echo_group(std::net::IpAddr::from(address), &options)
        };
        assert!(is_group([10, 9, 0, 3]) && is_group([10, 0, 0, 255]) && is_group([224, 0, 0, 1]));
        assert!(!is_group([10, 0, 0, 3]) && !is_group([10, 9, 0, 7]) && !is_group([192, 0, 2, 255]));
        let handle = icmp::create_file();
        let event = wait::create_event_a(null(), 0, 0, null());
        for group in [[224, 0, 0, 1], [10, 0, 0, 255], [255, 255, 255, 255]] {
            for event in [null_mut(), event] {
                every_host_answers(handle, event, group);
            }
        }
        assert_eq!(icmp::close_handle(handle), 1);
    });
}

#[test]
fn hundreds_of_requests_are_under_way_and_their_handle_ends_them() {
    isolated(|| {
        let _ = iphelper_testkit::run("nft add table inet t");
        let _ = iphelper_testkit::run("nft add chain inet t c { type filter hook input priority 0 ; }");
        let _ = iphelper_testkit::run("nft add rule inet t c ip daddr 127.0.0.99 drop");
        let handle = icmp::create_file();
        let event = wait::create_event_a(std::ptr::null(), 1, 0, std::ptr::null());
        let mut buffers = vec![[0_u8; ROW + 9]; 300];
        let send = |buffer: &mut [u8; ROW + 9], address| {
            let given: *const c_void = b"?".as_ptr().cast();
            let size = u32::try_from(buffer.len()).unwrap();
            let buffer = buffer.as_mut_ptr().cast();
            // SAFETY: the buffer lives until the request is done or its handle is closed.
            let result = unsafe {
                icmp::send_echo2(
                    handle,
                    event,
                    None,
                    null_mut(),
                    number(address),
                    given,
                    1,
                    null(),
                    buffer,
                    size,
                    60_000,
                )
            };
            assert_eq!((result, last_error::get()), (0, ERROR_IO_PENDING));
        };
        for buffer in &mut buffers {
            send(buffer, [127, 0, 0, 1]);
        }
        // SAFETY: the buffers live.
        let parse = |buffer: &mut [u8; ROW + 9]| unsafe {
            icmp::parse_replies(buffer.as_mut_ptr().cast(), u32::try_from(buffer.len()).unwrap())
        };
        for buffer in &mut buffers {
            iphelper_testkit::eventually("an answer is here", || parse(buffer) == 1);
        }
        for buffer in &mut buffers {
            send(buffer, [127, 0, 0, 99]);
            assert_eq!((parse(buffer), last_error::get()), (0, IP_PENDING));
        }
        assert_eq!(icmp::close_handle(handle), 1);
        // One whose time is over soon would be written to then.
        let handle = icmp::create_file();
        let mut last = [0_u8; ROW + 9];
        let (given, buffer): (*const c_void, *mut c_void) = (b"?".as_ptr().cast(), last.as_mut_ptr().cast());
        let size = u32::try_from(last.len()).unwrap();
        let there = number([127, 0, 0, 99]);
        // SAFETY: as above.
        let result = unsafe {
            icmp::send_echo2(handle, event, None, null_mut(), there, given, 1, null(), buffer, size, 300)
        };
        assert_eq!((result, last_error::get()), (0, ERROR_IO_PENDING));
        assert_eq!(icmp::close_handle(handle), 1);
        // They are this thread's again: nobody writes to them any more.
        let before = (buffers.clone(), last);
        std::thread::sleep(std::time::Duration::from_millis(600));
        assert!((buffers, last) == before);
    });
}
