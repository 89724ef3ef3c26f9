//! Echo requests.

use crate::walk::Walk;
use iphelper_capi::error::{ip_error_string::ip_error_string, last_error};
use iphelper_capi::raw::*;
use iphelper_capi::{icmp, wait};
use std::ffi::c_void;
use std::ptr::{null, null_mut};

const LOOPBACK: u32 = u32::from_ne_bytes([127, 0, 0, 1]);

/// What one of the functions is asked, beside its name.
#[derive(Clone, Copy)]
struct Asked {
    handle: HANDLE,
    event: HANDLE,
    options: *const IP_OPTION_INFORMATION,
    data: *const c_void,
    buffer: *mut c_void,
    size: u32,
}

type Send = fn(Asked) -> u32;

fn send_echo(it: Asked) -> u32 {
    // SAFETY: live variables, or NULL.
    unsafe { icmp::send_echo(it.handle, LOOPBACK, it.data, 4, it.options, it.buffer, it.size, 60_000) }
}

fn send_echo2(it: Asked) -> u32 {
    let Asked { handle, event, options, data, buffer, size } = it;
    // SAFETY: as above.
    unsafe {
        icmp::send_echo2(handle, event, None, null_mut(), LOOPBACK, data, 4, options, buffer, size, 60_000)
    }
}

fn send_echo2_ex(it: Asked) -> u32 {
    let Asked { handle, event, options, data, buffer, size } = it;
    // SAFETY: as above.
    unsafe {
        icmp::send_echo2_ex(
            handle,
            event,
            None,
            null_mut(),
            LOOPBACK,
            LOOPBACK,
            data,
            4,
            options,
            buffer,
            size,
            60_000,
        )
    }
}

fn send_echo6(it: Asked) -> u32 {
    let Asked { handle, event, options, data, buffer, size } = it;
    let mut end = SOCKADDR_IN6 { sin6_family: AF_INET6, ..Default::default() };
    let source = end;
    end.sin6_addr.u.Byte = std::net::Ipv6Addr::LOCALHOST.octets();
    let (source, end) = (&raw const source, &raw const end);
    // SAFETY: as above.
    unsafe {
        icmp::send_echo6(handle, event, None, null_mut(), source, end, data, 4, options, buffer, size, 60_000)
    }
}

/// The last error of a call that gives nothing.
fn failed(send: Send, asked: Asked) -> u32 {
    last_error::set(0);
    let result = send(asked);
    assert!(matches!(result, 0 | ERROR_IO_PENDING), "{result} answers");
    last_error::get()
}

pub(super) fn echoes(walk: &mut Walk) {
    let functions: [(&'static str, Send, usize); 4] = [
        ("IcmpSendEcho", send_echo, 0),
        ("IcmpSendEcho2", send_echo2, 0),
        ("IcmpSendEcho2Ex", send_echo2_ex, 0),
        ("Icmp6SendEcho2", send_echo6, 1),
    ];
    let data = *b"data";
    for (name, send, family) in functions {
        let handles = [icmp::create_file(), icmp::create_file6()];
        assert!(!handles.contains(&INVALID_HANDLE_VALUE));
        let mut bytes = [0_u8; 512];
        let buffer: *mut c_void = bytes.as_mut_ptr().cast();
        let least =
            if family == 0 { size_of::<ICMP_ECHO_REPLY>() } else { size_of::<ICMPV6_ECHO_REPLY>() } as u32;
        let good = Asked {
            handle: handles[family],
            event: null_mut(),
            options: null(),
            data: data.as_ptr().cast(),
            buffer,
            size: 512,
        };
        assert_eq!(send(good), 1, "{name}: {}", last_error::get());
        let flags = |ttl, flags| IP_OPTION_INFORMATION { Ttl: ttl, Flags: flags, ..Default::default() };
        for (ttl, flag) in [(0, 0), (9, 4)] {
            let options = flags(ttl, flag);
            let asked = Asked { options: &raw const options, ..good };
            walk.expect(name, "ERROR_INVALID_PARAMETER", failed(send, asked));
        }
        for wrong in [
            Asked { handle: handles[1 - family], ..good },
            Asked { handle: INVALID_HANDLE_VALUE, ..good },
            Asked { handle: null_mut(), ..good },
            Asked { data: null(), ..good },
            Asked { buffer: null_mut(), ..good },
            Asked { size: least - 1, ..good },
        ] {
            walk.expect(name, "ERROR_INVALID_PARAMETER", failed(send, wrong));
        }
        let reverse = flags(9, 1);
        let asked = Asked { options: &raw const reverse, ..good };
        walk.expect(name, "ERROR_NOT_SUPPORTED", failed(send, asked));
        let small = Asked { size: least + 3, ..good };
        let code = if matches!(name, "IcmpSendEcho" | "Icmp6SendEcho2") {
            "ERROR_INSUFFICIENT_BUFFER"
        } else {
            "IP_BUF_TOO_SMALL"
        };
        walk.expect(name, code, failed(send, small));
        if family == 0 {
            // The answer brings options along.
            let mut route = [0_u8; 39];
            route[..3].copy_from_slice(&[7, 39, 4]);
            let options = IP_OPTION_INFORMATION {
                Ttl: 9,
                OptionsSize: 39,
                OptionsData: route.as_mut_ptr(),
                ..Default::default()
            };
            let asked = Asked { options: &raw const options, size: least + 4, ..good };
            walk.expect(name, "IP_BUF_TOO_SMALL", failed(send, asked));
            let asked = Asked { size: 512, ..asked };
            assert_eq!(send(asked), 1, "{name}: {}", last_error::get());
            let mut wrong = [7_u8, 39, 4];
            for (size, data, code) in
                [(3, wrong.as_mut_ptr(), IP_BAD_OPTION), (41, wrong.as_mut_ptr(), IP_OPTION_TOO_BIG)]
            {
                let options = IP_OPTION_INFORMATION {
                    Ttl: 9,
                    OptionsSize: size,
                    OptionsData: data,
                    ..Default::default()
                };
                assert_eq!(failed(send, Asked { options: &raw const options, ..good }), code, "{name}");
            }
        }
        if name != "IcmpSendEcho" {
            // A handle of no event.
            let event = std::ptr::without_provenance_mut(1);
            walk.expect(name, "ERROR_INVALID_PARAMETER", failed(send, Asked { event, ..good }));
            let event = wait::create_event_a(std::ptr::null(), 1, 0, std::ptr::null());
            walk.expect(name, "ERROR_IO_PENDING", failed(send, Asked { event, ..good }));
        }
        // Ends what may still be under way: the buffer is not written to any more.
        assert_eq!(icmp::close_handle(handles[family]), 1);
        assert_eq!(icmp::close_handle(handles[family]), 0, "{name}: closed twice");
        assert_eq!(last_error::get(), ERROR_INVALID_HANDLE);
        walk.expect(name, "ERROR_INVALID_PARAMETER", failed(send, good));
        assert_eq!(icmp::close_handle(handles[1 - family]), 1);
    }
    let mut nothing = [0_u8; 64];
    let buffer: *mut c_void = nothing.as_mut_ptr().cast();
    // SAFETY: a live buffer of this size, or NULL.
    unsafe {
        for (buffer, size) in [(null_mut(), 64), (buffer, 0), (buffer, 35)] {
            last_error::set(0);
            assert_eq!(icmp::parse_replies6(buffer, size), 0);
            walk.expect("Icmp6ParseReplies", "ERROR_GEN_FAILURE", last_error::get());
        }
        assert_eq!(icmp::parse_replies(buffer, 39), 0);
        assert_eq!(last_error::get(), ERROR_INVALID_PARAMETER);
    }
    error_strings();
}

fn error_strings() {
    let mut text = [0xFFFF_u16; 80];
    let mut size = 79;
    // SAFETY: the buffer has one character more than the size says, or is NULL.
    unsafe {
        assert_eq!(ip_error_string(11013, text.as_mut_ptr(), &raw mut size), 0);
        let length = size as usize;
        assert_eq!(String::from_utf16(&text[..length]).unwrap(), "The time to live was used up on the way.");
        assert_eq!(text[length], 0);
        for room in 0..size {
            let mut stated = room;
            text.fill(0xFFFF);
            assert_eq!(ip_error_string(11013, text.as_mut_ptr(), &raw mut stated), ERROR_INSUFFICIENT_BUFFER);
            assert_eq!((stated, text), (size, [0xFFFF; 80]), "room for {room}");
        }
        let mut stated = size;
        assert_eq!(
            ip_error_string(11013, text.as_mut_ptr(), &raw mut stated),
            0,
            "the terminator is not counted"
        );
        assert_eq!(ip_error_string(11013, null_mut(), &raw mut stated), ERROR_INSUFFICIENT_BUFFER);
        assert_eq!(ip_error_string(11013, text.as_mut_ptr(), null_mut()), ERROR_INVALID_PARAMETER);
        assert_eq!(ip_error_string(11254, text.as_mut_ptr(), &raw mut stated), ERROR_MR_MID_NOT_FOUND);
    }
}
