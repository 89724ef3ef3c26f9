//! Requests that nobody waits for: one thread receives the answers to all of them.

use super::{Collector, apc};
use crate::error::Code;
use crate::event;
use crate::process::{self, PerProcess};
use iphelper::icmp::EchoSocket;
use iphelper::{Error, ErrorKind};
use rustix::event::{Timespec, epoll};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How a request's end is told.
#[derive(Debug)]
pub(super) enum Completion {
    Event(OwnedFd),
    Apc(apc::Destination),
}

/// A request under way. Its buffer is the caller's again once it has left the list.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) handle: usize,
    pub(super) socket: EchoSocket,
    pub(super) end: Instant,
    pub(super) collector: Collector,
    pub(super) completion: Completion,
}

#[derive(Debug, Default)]
struct Pending {
    requests: Vec<Request>,
    waker: Option<Arc<Waker>>,
}

/// What the thread sleeps on: all sockets, and an event for when a request comes that ends sooner.
#[derive(Debug)]
struct Waker {
    sockets: OwnedFd,
    event: OwnedFd,
}

static PENDING: PerProcess<Mutex<Pending>> = PerProcess::new();

fn pending() -> MutexGuard<'static, Pending> {
    PENDING.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves a request to the thread.
pub(super) fn add(request: Request) -> Result<(), u32> {
    let mut pending = pending();
    let waker = match &pending.waker {
        Some(waker) => Arc::clone(waker),
        None => {
            let waker = Arc::new(Waker::new().map_err(Code::win32)?);
            let its_waker = Arc::clone(&waker);
            process::quiet_thread("iphelper-echo", move || run(&its_waker)).map_err(Code::win32)?;
            Arc::clone(pending.waker.insert(waker))
        }
    };
    // A socket leaves the set when it is closed.
    epoll::add(&waker.sockets, &request.socket, epoll::EventData::new_u64(0), epoll::EventFlags::IN)
        .map_err(|errno| limit(errno.raw_os_error()).win32())?;
    pending.requests.push(request);
    event::set(&waker.event);
    Ok(())
}

/// Ends the requests of a handle: nothing is written any more, and their ends are told.
pub(super) fn cancel(handle: usize) {
    let mut pending = pending();
    for request in pending.requests.extract_if(.., |request| request.handle == handle) {
        request.completion.tell();
    }
}

impl Completion {
    fn tell(self) {
        match self {
            Self::Event(event) => event::set(event),
            Self::Apc(destination) => destination.post(),
        }
    }
}

impl Waker {
    fn new() -> Result<Self, Code> {
        let sockets =
            epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|errno| limit(errno.raw_os_error()))?;
        let event = event::make()?;
        epoll::add(&sockets, &event, epoll::EventData::new_u64(0), epoll::EventFlags::IN)
            .map_err(|errno| limit(errno.raw_os_error()))?;
        Ok(Self { sockets, event })
    }
}

fn limit(errno: i32) -> Code {
    Error::new(ErrorKind::ResourceLimit, "waiting for answers to echo requests").with_errno(errno).into()
}

fn run(waker: &Waker) {
    let mut events =
        [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 8];
    loop {
        let next = pending().requests.iter().map(|request| request.end).min();
        let left = next.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        // An interrupted wait looks at all of them, as one that was woken.
        let _ = epoll::wait(&waker.sockets, &mut events, left.as_ref());
        let _was_set = event::reset(&waker.event);
        let mut pending = pending();
        for mut request in pending.requests.extract_if(.., |request| request.is_done()) {
            // SAFETY: the caller promised the buffer until the request is done, which it is by this.
            let _ = unsafe { request.collector.finish() };
            request.collector.replies.clear();
            request.completion.tell();
        }
    }
}

impl Request {
    fn is_done(&mut self) -> bool {
        loop {
            match self.socket.try_next() {
                Ok(Some(reply)) => {
                    if self.collector.add(reply) {
                        return true;
                    }
                }
                Ok(None) => return Instant::now() >= self.end,
                // The socket is broken: what came until now is all.
                Err(_) => return true,
            }
        }
    }
}
