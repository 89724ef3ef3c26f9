//! `IcmpSendEcho` and the like.
//!
//! A handle of `IcmpCreateFile` opens nothing for good: each request has a socket of its own, in the network namespace of the
//! thread that asks, and closing the handle ends those that are under way.
#![allow(clippy::too_many_arguments, reason = "Windows' functions have as many")]

pub(crate) mod apc;
mod pending;
mod reply;

use crate::error::{Code, last_error};
use crate::process::PerProcess;
use crate::raw::{
    ERROR_GEN_FAILURE, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE, IP_BAD_DESTINATION, IP_BAD_OPTION, IP_BUF_TOO_SMALL,
    IP_OPTION_INFORMATION, IP_OPTION_TOO_BIG, IP_PENDING, PIO_APC_ROUTINE, SOCKADDR_IN6,
};
use crate::{event, guard, host, key, sockaddr};
use iphelper::icmp::{EchoOptions, EchoReply, EchoSocket, EchoStatus};
use iphelper::{ErrorKind, Family};
use pending::{Completion, Request};
use reply::Buffer;
use std::collections::HashMap;
use std::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// `IP_FLAG_DF`.
const DONT_FRAGMENT: u8 = 2;
/// `IP_FLAG_REVERSE`, for which Linux has nothing.
const REVERSE: u8 = 1;

/// The open handles and what they are for.
#[derive(Debug, Default)]
struct Handles {
    next: usize,
    open: HashMap<usize, Family>,
}

static HANDLES: PerProcess<Mutex<Handles>> = PerProcess::new();

fn handles() -> MutexGuard<'static, Handles> {
    HANDLES.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// `IcmpCreateFile`: a handle for echo requests over IPv4, or `INVALID_HANDLE_VALUE` with the last error
/// `ERROR_ACCESS_DENIED` where this user may send none.
#[doc(alias = "IcmpCreateFile")]
#[must_use]
pub fn create_file() -> HANDLE {
    create(Family::V4)
}

/// `Icmp6CreateFile`: as [`create_file`], for IPv6.
#[doc(alias = "Icmp6CreateFile")]
#[must_use]
pub fn create_file6() -> HANDLE {
    create(Family::V6)
}

fn create(family: Family) -> HANDLE {
    let created = || {
        // Said now, where programs look, and not of each request.
        drop(host::current()?.echo_socket(family, &EchoOptions::default())?);
        let mut handles = handles();
        handles.next += 1;
        // Far from the handles of events, which are small numbers.
        let number = 0x2000_0000 + handles.next * 4;
        let _none = handles.open.insert(number, family);
        Ok::<HANDLE, Code>(std::ptr::without_provenance_mut(number))
    };
    guard::caught(created, Err(Code::of(ErrorKind::Other))).unwrap_or_else(|code| {
        last_error::set(code.win32());
        INVALID_HANDLE_VALUE
    })
}

/// `IcmpCloseHandle`: requests under way end without an answer, and their buffers are the caller's again; events are set.
#[doc(alias = "IcmpCloseHandle")]
#[must_use]
pub fn close_handle(handle: HANDLE) -> i32 {
    let closed = || {
        let known = handles().open.remove(&handle.addr()).is_some();
        if known {
            pending::cancel(handle.addr());
        }
        known
    };
    if guard::caught(closed, false) {
        return 1;
    }
    last_error::set(ERROR_INVALID_HANDLE);
    0
}

/// What one of the functions was asked for.
struct Asked {
    family: Family,
    handle: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *mut c_void,
    source: Option<(IpAddr, u32)>,
    destination: (IpAddr, u32),
    data: *const c_void,
    size: u16,
    options: *const IP_OPTION_INFORMATION,
    buffer: *mut c_void,
    buffer_size: u32,
    timeout: u32,
    /// What this function calls a buffer that cannot take the answer.
    too_small: u32,
}

/// `IcmpSendEcho`: sends an echo request and waits for its answer, or for those of a group until the time is over. Gives their
/// number; 0 with the last error otherwise.
#[doc(alias = "IcmpSendEcho")]
pub unsafe fn send_echo(
    handle: HANDLE,
    destination: u32,
    data: *const c_void,
    size: u16,
    options: *const IP_OPTION_INFORMATION,
    buffer: *mut c_void,
    buffer_size: u32,
    timeout: u32,
) -> u32 {
    let asked = Asked {
        family: Family::V4,
        handle,
        event: std::ptr::null_mut(),
        routine: None,
        context: std::ptr::null_mut(),
        source: None,
        destination: (sockaddr::ipv4(destination).into(), 0),
        data,
        size,
        options,
        buffer,
        buffer_size,
        timeout,
        too_small: ERROR_INSUFFICIENT_BUFFER,
    };
    // SAFETY: the caller's promise.
    unsafe { send(&asked) }
}

/// `IcmpSendEcho2`: as [`send_echo2_ex`], from the address that the route says.
#[doc(alias = "IcmpSendEcho2")]
pub unsafe fn send_echo2(
    handle: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *mut c_void,
    destination: u32,
    data: *const c_void,
    size: u16,
    options: *const IP_OPTION_INFORMATION,
    buffer: *mut c_void,
    buffer_size: u32,
    timeout: u32,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        send_echo2_ex(
            handle,
            event,
            routine,
            context,
            0,
            destination,
            data,
            size,
            options,
            buffer,
            buffer_size,
            timeout,
        )
    }
}

/// `IcmpSendEcho2Ex`: as [`send_echo`]; with an event or an APC routine it does not wait, and gives 0 with the last error
/// `ERROR_IO_PENDING`. The event is set, or the routine called in an alertable wait of the same thread, when
/// [`parse_replies`] may look into the buffer. The event goes before the routine.
#[doc(alias = "IcmpSendEcho2Ex")]
pub unsafe fn send_echo2_ex(
    handle: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *mut c_void,
    source: u32,
    destination: u32,
    data: *const c_void,
    size: u16,
    options: *const IP_OPTION_INFORMATION,
    buffer: *mut c_void,
    buffer_size: u32,
    timeout: u32,
) -> u32 {
    let source = sockaddr::ipv4(source);
    let asked = Asked {
        family: Family::V4,
        handle,
        event,
        routine,
        context,
        source: (source != Ipv4Addr::UNSPECIFIED).then(|| (source.into(), 0)),
        destination: (sockaddr::ipv4(destination).into(), 0),
        data,
        size,
        options,
        buffer,
        buffer_size,
        timeout,
        too_small: IP_BUF_TOO_SMALL,
    };
    // SAFETY: the caller's promise.
    unsafe { send(&asked) }
}

/// `Icmp6SendEcho2`: as [`send_echo2_ex`] over IPv6, for one answer. Without waiting it gives `ERROR_IO_PENDING` itself, as
/// its page says. An unspecified source is the route's choice.
#[doc(alias = "Icmp6SendEcho2")]
pub unsafe fn send_echo6(
    handle: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *mut c_void,
    source: *const SOCKADDR_IN6,
    destination: *const SOCKADDR_IN6,
    data: *const c_void,
    size: u16,
    options: *const IP_OPTION_INFORMATION,
    buffer: *mut c_void,
    buffer_size: u32,
    timeout: u32,
) -> u32 {
    if source.is_null() || destination.is_null() {
        last_error::set(ERROR_INVALID_PARAMETER);
        return 0;
    }
    // SAFETY: the caller's promise on both.
    let (source, destination) = unsafe { (source.read_unaligned(), destination.read_unaligned()) };
    if key::family(destination.sin6_family.into()) != Ok(Family::V6) {
        last_error::set(ERROR_INVALID_PARAMETER);
        return 0;
    }
    let (source, destination) = (sockaddr::read_in6(&source), sockaddr::read_in6(&destination));
    let asked = Asked {
        family: Family::V6,
        handle,
        event,
        routine,
        context,
        source: (!source.ip.is_unspecified()).then_some((source.ip, source.scope)),
        destination: (destination.ip, destination.scope),
        data,
        size,
        options,
        buffer,
        buffer_size,
        timeout,
        too_small: ERROR_INSUFFICIENT_BUFFER,
    };
    // SAFETY: the caller's promise.
    unsafe { send(&asked) }
}

/// # Safety
/// The pointers are NULL or as Windows declares them.
unsafe fn send(asked: &Asked) -> u32 {
    // SAFETY: the caller's promise.
    let sent = guard::caught(|| unsafe { begin(asked) }, Err(ERROR_GEN_FAILURE));
    sent.unwrap_or_else(|code| {
        last_error::set(code);
        if code == ERROR_IO_PENDING && asked.family == Family::V6 { code } else { 0 }
    })
}

/// # Safety
/// As of [`send`].
unsafe fn begin(asked: &Asked) -> Result<u32, u32> {
    let known = handles().open.get(&asked.handle.addr()) == Some(&asked.family);
    let buffer = Buffer::new(asked.family, asked.buffer, asked.buffer_size).ok_or(ERROR_INVALID_PARAMETER)?;
    if !known || (asked.data.is_null() && asked.size != 0) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    if asked.destination.0.is_unspecified() {
        return Err(IP_BAD_DESTINATION);
    }
    if !buffer.takes(usize::from(asked.size)) {
        return Err(asked.too_small);
    }
    // SAFETY: the caller's promise.
    let options = unsafe { options(asked) }?;
    let data = if asked.size == 0 {
        Vec::new()
    } else {
        // SAFETY: the caller's promise: so many bytes are there.
        unsafe { std::slice::from_raw_parts(asked.data.cast::<u8>(), asked.size.into()) }.to_vec()
    };
    let completion = if !asked.event.is_null() {
        let event = event::of_handle(asked.event).map_err(|code| match code {
            Code::INVALID_HANDLE => ERROR_INVALID_PARAMETER,
            code => code.win32(),
        })?;
        let _was_set = event::reset(&event);
        Some(Completion::Event(event))
    } else if let Some(routine) = asked.routine {
        Some(Completion::Apc(apc::Destination::of_this_thread(routine, asked.context).map_err(Code::win32)?))
    } else {
        None
    };
    let host = host::current().map_err(Code::win32)?;
    let mut socket = host.echo_socket(asked.family, &options).map_err(|error| match error.kind() {
        ErrorKind::InvalidParameter if !options.ip_options.is_empty() => IP_BAD_OPTION,
        // A source that is no address of this host.
        ErrorKind::NotFound => ERROR_INVALID_PARAMETER,
        _ => Code::from(error).win32(),
    })?;
    let (destination, scope_id) = asked.destination;
    let end = Instant::now() + Duration::from_millis(asked.timeout.into());
    let sent = socket.send(destination, scope_id, &data).map_err(|error| Code::from(error).win32())?;
    if let Some(refused) = sent.refused {
        let status = refused.status.ip_status(asked.family);
        // SAFETY: the caller's promise on the buffer, which has room for one answer.
        unsafe { buffer.fail(status) };
        return Err(status);
    }
    // Answers over IPv6 have no size, so that no second one could be found behind the first.
    let is_group = asked.family == Family::V4 && host.is_echo_group(destination, &options);
    let collector = Collector { buffer, is_group, replies: Vec::new(), used: 0 };
    match completion {
        Some(completion) => {
            // SAFETY: as above.
            unsafe { collector.buffer.fail(IP_PENDING) };
            pending::add(Request { handle: asked.handle.addr(), socket, end, collector, completion })?;
            Err(ERROR_IO_PENDING)
        }
        // SAFETY: as above.
        None => unsafe { collect(collector, &mut socket, end) },
    }
}

/// # Safety
/// As of [`Buffer`].
unsafe fn collect(mut collector: Collector, socket: &mut EchoSocket, end: Instant) -> Result<u32, u32> {
    while let Some(reply) = socket.next_before(end).map_err(|error| Code::from(error).win32())? {
        if collector.add(reply) {
            break;
        }
    }
    // SAFETY: the caller's promise.
    unsafe { collector.finish() }
}

/// Gathers answers until there is room for no more.
#[derive(Debug)]
struct Collector {
    buffer: Buffer,
    /// Whether several may answer.
    is_group: bool,
    replies: Vec<EchoReply>,
    used: usize,
}

impl Collector {
    /// Takes an answer; true if that is all.
    fn add(&mut self, reply: EchoReply) -> bool {
        let size = self.buffer.size_of(&reply);
        if self.used + size > self.buffer.room() && !self.replies.is_empty() {
            return true;
        }
        self.used += size;
        self.replies.push(reply);
        // One answer without any data may follow still.
        !self.is_group || self.used + self.buffer.least() > self.buffer.room()
    }

    /// Writes what came: how many answers, or the status that says why there is none.
    ///
    /// # Safety
    /// As of [`Buffer`].
    unsafe fn finish(&self) -> Result<u32, u32> {
        let failure = if self.replies.is_empty() {
            Some(EchoStatus::TimedOut.ip_status(self.buffer.family()))
        } else if self.used > self.buffer.room() {
            Some(IP_BUF_TOO_SMALL)
        } else {
            None
        };
        // SAFETY: the caller's promise.
        unsafe {
            match failure {
                Some(status) => {
                    self.buffer.fail(status);
                    Err(status)
                }
                None => Ok(self.buffer.write(&self.replies)),
            }
        }
    }
}

/// # Safety
/// As of [`send`].
unsafe fn options(asked: &Asked) -> Result<EchoOptions, u32> {
    let (source, source_scope_id) =
        asked.source.map_or((None, 0), |(source, scope_id)| (Some(source), scope_id));
    let mut options = EchoOptions { source, source_scope_id, ..EchoOptions::default() };
    if asked.options.is_null() {
        return Ok(options);
    }
    // SAFETY: the caller's promise.
    let given = unsafe { asked.options.read_unaligned() };
    if given.Ttl == 0 || given.Flags & !(DONT_FRAGMENT | REVERSE) != 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    if given.Flags & REVERSE != 0 {
        return Err(Code::NOT_SUPPORTED.win32());
    }
    options.ttl = Some(given.Ttl);
    options.tos = Some(given.Tos);
    options.dont_fragment = given.Flags & DONT_FRAGMENT != 0;
    if given.OptionsSize > 0 {
        if given.OptionsSize > 40 {
            return Err(IP_OPTION_TOO_BIG);
        }
        if given.OptionsData.is_null() || asked.family == Family::V6 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise: so many bytes are there.
        options.ip_options =
            unsafe { std::slice::from_raw_parts(given.OptionsData, given.OptionsSize.into()) }.to_vec();
    }
    Ok(options)
}

/// `IcmpParseReplies`: how many answers are in the buffer of a request that did not wait; 0 with the status as the last error,
/// `IP_PENDING` while it is under way.
#[doc(alias = "IcmpParseReplies")]
pub unsafe fn parse_replies(buffer: *mut c_void, size: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { parse(Family::V4, ERROR_INVALID_PARAMETER, buffer, size) }
}

/// `Icmp6ParseReplies`: 1, or 0 as [`parse_replies`].
#[doc(alias = "Icmp6ParseReplies")]
pub unsafe fn parse_replies6(buffer: *mut c_void, size: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { parse(Family::V6, ERROR_GEN_FAILURE, buffer, size) }
}

unsafe fn parse(family: Family, wrong: u32, buffer: *mut c_void, size: u32) -> u32 {
    let found = match Buffer::new(family, buffer, size) {
        // SAFETY: the caller's promise.
        Some(buffer) => unsafe { buffer.parse() },
        None => Err(wrong),
    };
    found.unwrap_or_else(|code| {
        last_error::set(code);
        0
    })
}
