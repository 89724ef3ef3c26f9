//! `NotifyAddrChange`, `NotifyRouteChange` and `CancelIPChangeNotify`: one change of the IPv4 tables, waited for or told
//! by an event.
//!
//! Each call is good for one change. A program that calls again after each would let the table be read anew every time,
//! so the listening goes on for a while after a change that was told.

use crate::error::{Code, Win32, last_error};
use crate::process::PerProcess;
use crate::raw::{HANDLE, OVERLAPPED, STATUS_CANCELLED, STATUS_PENDING, STATUS_SUCCESS};
use crate::{event, guard, host};
use iphelper::notification::{Classes, Registration, WatchOptions};
use iphelper::{ErrorKind, Family, Host};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long the listening goes on while nobody waits; it ends with the first change after that.
const LINGER: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Table {
    Addresses,
    Routes,
}

/// The requests of this process that wait for a change, and the listening for them.
#[derive(Debug, Default)]
struct Waiting {
    requests: Vec<Request>,
    listening: Vec<Listening>,
}

#[derive(Debug)]
struct Request {
    /// The event of the `OVERLAPPED`, held open: the program may close its own while the request waits.
    event: Option<OwnedFd>,
    /// The caller's `OVERLAPPED`, which is the caller's again once the request has left this list.
    overlapped: usize,
    host: usize,
    table: Table,
}

#[derive(Debug)]
struct Listening {
    /// The host by its place in memory, where it stays as long as this listens.
    host: Arc<Host>,
    table: Table,
    registration: Registration,
    /// When a request was there last.
    used: Instant,
}

static WAITING: PerProcess<Mutex<Waiting>> = PerProcess::new();

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.get().lock().unwrap_or_else(PoisonError::into_inner)
}

fn options(table: Table) -> WatchOptions {
    let classes = match table {
        Table::Addresses => Classes::UNICAST_ADDRESSES,
        Table::Routes => Classes::ROUTES,
    };
    WatchOptions::new(classes).family(Some(Family::V4)).requesters(false).by_windows_key(true)
}

/// `NotifyAddrChange`: tells of the next change of an IPv4 address.
///
/// With both arguments NULL it returns after the change. Else it returns `ERROR_IO_PENDING`, and at the change sets the
/// event of `overlapped`; this and the handle are the caller's to wait for, the handle not to close.
#[doc(alias = "NotifyAddrChange")]
pub unsafe fn notify_addr_change(handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { notify(Table::Addresses, handle, overlapped) }
}

/// `NotifyRouteChange`: tells of the next change of an IPv4 route, as [`notify_addr_change`] of an address.
#[doc(alias = "NotifyRouteChange")]
pub unsafe fn notify_route_change(handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { notify(Table::Routes, handle, overlapped) }
}

unsafe fn notify(table: Table, handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32 {
    let result = guard::status::<Win32>(|| match (handle.is_null(), overlapped.is_null()) {
        (true, true) => {
            let mut changes = host::current()?.watch(options(table))?;
            // An error says that the table cannot be read for now; the change comes then.
            let change = changes.find_map(Result::ok);
            change.map(|_| ()).ok_or(Code::of(ErrorKind::Other))
        }
        (false, false) => {
            // SAFETY: the caller's promise.
            unsafe { arm(table, handle, overlapped) }?;
            Err(Code::PENDING)
        }
        _ => Err(Code::INVALID_PARAMETER),
    });
    // Programs ask GetLastError or WSAGetLastError whether the request waits; an earlier one's answer must not stand there.
    if result != 0 {
        last_error::set(result);
    }
    result
}

/// # Safety
/// Both pointers may be written, the second until the request is done or cancelled.
unsafe fn arm(table: Table, handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> Result<(), Code> {
    let of_table = event_of(table)?;
    // SAFETY: the caller's promise.
    let named = unsafe { (&raw const (*overlapped).hEvent).read_unaligned() };
    let event = if named.is_null() { None } else { Some(event::of_handle(named)?) };
    let host = host::current()?;
    let mut waiting = waiting();
    if waiting.requests.iter().any(|request| request.overlapped == overlapped.addr()) {
        return Err(Code::INVALID_PARAMETER);
    }
    let number = Arc::as_ptr(&host).addr();
    waiting.listening.retain(|listening| !listening.registration.has_ended());
    let is_it = |listening: &&mut Listening| listening.table == table && Arc::ptr_eq(&listening.host, &host);
    match waiting.listening.iter_mut().find(is_it) {
        Some(listening) => listening.used = Instant::now(),
        None => {
            let registration = host.notify(options(table), false, move |_| changed(table, number))?;
            let used = Instant::now();
            waiting.listening.push(Listening { host: Arc::clone(&host), table, registration, used });
        }
    }
    // As each request does on Windows: loops that never reset their event rely on it.
    for event in std::iter::once(&*of_table).chain(&event) {
        let _was_set = event::reset(event);
    }
    // SAFETY: the caller's promise on both pointers.
    unsafe {
        (&raw mut (*overlapped).Internal).write_unaligned(STATUS_PENDING.cast_unsigned() as usize);
        (&raw mut (*overlapped).InternalHigh).write_unaligned(0);
        handle.write_unaligned(event::handle_of(of_table.as_fd(), true));
    }
    waiting.requests.push(Request { event, overlapped: overlapped.expose_provenance(), host: number, table });
    Ok(())
}

/// Something has changed in the table of a host.
fn changed(table: Table, host: usize) {
    let mut ended = None;
    {
        let mut waiting = waiting();
        let Waiting { requests, listening } = &mut *waiting;
        let mut any = false;
        for request in requests.extract_if(.., |request| request.table == table && request.host == host) {
            any = true;
            finish(&request, STATUS_SUCCESS);
        }
        let place = listening
            .iter()
            .position(|listening| listening.table == table && Arc::as_ptr(&listening.host).addr() == host);
        if let Some(place) = place
            && let Some(found) = listening.get_mut(place)
        {
            if any {
                found.used = Instant::now();
            } else if found.used.elapsed() > LINGER {
                ended = Some(listening.remove(place));
            }
        }
    }
    // Its own end, which does not wait for this call.
    drop(ended);
}

/// `CancelIPChangeNotify`: takes back a request that was not told of a change yet. The `OVERLAPPED` is not touched any
/// more when it returns.
///
/// `FALSE` where there is none, with the last error `ERROR_INVALID_PARAMETER` for NULL, else `ERROR_NOT_FOUND`.
#[doc(alias = "CancelIPChangeNotify")]
pub unsafe fn cancel_ip_change_notify(overlapped: *const OVERLAPPED) -> i32 {
    let cancel = || {
        if overlapped.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let mut waiting = waiting();
        let place = waiting.requests.iter().position(|request| request.overlapped == overlapped.addr());
        finish(&waiting.requests.remove(place.ok_or(Code::NOT_FOUND)?), STATUS_CANCELLED);
        Ok(())
    };
    match guard::caught(cancel, Err(Code::of(ErrorKind::Other))) {
        Ok(()) => 1,
        Err(code) => {
            last_error::set(code.win32());
            0
        }
    }
}

/// Gives an `OVERLAPPED` back to its caller. Under the lock, so that nobody has it back before this is done.
fn finish(request: &Request, status: i32) {
    let overlapped = std::ptr::with_exposed_provenance_mut::<OVERLAPPED>(request.overlapped);
    // What the other members hold is there for whoever sees this one.
    fence(Ordering::Release);
    // SAFETY: the caller promised it until the request is done, which it is by this.
    unsafe { (&raw mut (*overlapped).Internal).write_unaligned(status.cast_unsigned() as usize) };
    // A driver's handle stands for its last operation.
    if let Ok(event) = event_of(request.table) {
        event::set(&*event);
    }
    if let Some(event) = &request.event {
        event::set(event);
    }
}

/// The event that handles stand for: one for each table, for the life of the process.
fn event_of(table: Table) -> Result<Arc<OwnedFd>, Code> {
    static EVENTS: PerProcess<Mutex<[Option<Arc<OwnedFd>>; 2]>> = PerProcess::new();
    let mut events = EVENTS.get().lock().unwrap_or_else(PoisonError::into_inner);
    let [addresses, routes] = &mut *events;
    let event = match table {
        Table::Addresses => addresses,
        Table::Routes => routes,
    };
    match event {
        Some(event) => Ok(Arc::clone(event)),
        None => {
            let made = Arc::new(event::make()?);
            event::keep(made.as_fd());
            Ok(Arc::clone(event.insert(made)))
        }
    }
}
