//! Sockets that calls take and give back.

use super::{Protocol, Socket};
use crate::backend::linux::namespace::Namespace;
use crate::error::Result;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many idle sockets are kept: more than usual programs use at a time, and few enough that a moment of many threads
/// does not hold descriptors and buffers for ever.
const MOST_IDLE: usize = 4;

/// Idle sockets of one protocol in one namespace. Each call takes one for itself, so that calls on several threads
/// never wait for each other.
#[derive(Debug)]
pub(in crate::backend::linux) struct Pool {
    namespace: Arc<Namespace>,
    protocol: Protocol,
    /// The process that keeps sockets here. A forked child has none to keep: it would read its parent's answers from
    /// these, and a thread that it does not have may hold the lock for ever.
    process: u32,
    idle: Mutex<Vec<Socket>>,
    /// The ports of all sockets that were opened here, see [`has_port`](Self::has_port).
    ports: Mutex<BTreeSet<u32>>,
}

impl Pool {
    pub(in crate::backend::linux) fn new(namespace: Arc<Namespace>, protocol: Protocol) -> Self {
        Self {
            namespace,
            protocol,
            process: std::process::id(),
            idle: Mutex::default(),
            ports: Mutex::default(),
        }
    }

    /// Whether an announcement with this port comes from a request of this pool's sockets.
    ///
    /// Ports of sockets that are closed stay ours: the kernel gives the numbers out at random.
    pub(in crate::backend::linux) fn has_port(&self, port: u32) -> bool {
        port != 0 && self.ports.lock().unwrap_or_else(PoisonError::into_inner).contains(&port)
    }

    /// An idle socket, or a new one.
    pub(in crate::backend::linux) fn take(self: &Arc<Self>) -> Result<Pooled> {
        let process = std::process::id();
        let idle = self.idle_in(process).and_then(|mut idle| idle.pop());
        match idle {
            Some(socket) => Ok(self.lend(socket, process)),
            None => self.open(),
        }
    }

    /// A new socket.
    pub(in crate::backend::linux) fn open(self: &Arc<Self>) -> Result<Pooled> {
        let socket = self.namespace.run(|| Socket::open(self.protocol, 0))??;
        let process = std::process::id();
        if self.process == process {
            let _ = self.ports.lock().unwrap_or_else(PoisonError::into_inner).insert(socket.port);
        }
        Ok(self.lend(socket, process))
    }

    /// Closes the idle sockets.
    pub(in crate::backend::linux) fn forget(&self) {
        if let Some(mut idle) = self.idle() {
            idle.clear();
        }
    }

    fn lend(self: &Arc<Self>, socket: Socket, process: u32) -> Pooled {
        Pooled { pool: Arc::clone(self), process, socket: Some(socket) }
    }

    /// The idle sockets; `None` in a forked child.
    pub(super) fn idle(&self) -> Option<MutexGuard<'_, Vec<Socket>>> {
        self.idle_in(std::process::id())
    }

    /// The same where the calling process' number is known: the kernel is asked for it each time.
    fn idle_in(&self, process: u32) -> Option<MutexGuard<'_, Vec<Socket>>> {
        (self.process == process).then(|| self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A socket that returns to its pool when dropped, unless answers are still under way.
#[derive(Debug)]
pub(in crate::backend::linux) struct Pooled {
    pool: Arc<Pool>,
    process: u32,
    socket: Option<Socket>,
}

impl std::ops::Deref for Pooled {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        self.socket.as_ref().expect("present until dropped")
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Socket {
        self.socket.as_mut().expect("present until dropped")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let ours = self.process == std::process::id();
        if let Some(socket) = self.socket.take().filter(|socket| ours && !socket.is_busy())
            && let Some(mut idle) = self.pool.idle_in(self.process)
            && idle.len() < MOST_IDLE
        {
            idle.push(socket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_child_waits_for_no_lock_of_its_parents() {
        let pool = Pool::new(Arc::new(Namespace::current().unwrap()), Protocol::Route);
        let pool = Arc::new(pool);
        drop(pool.take().unwrap());
        let idle = pool.idle().unwrap();
        assert_eq!(idle.len(), 1);
        // The lock is taken in the child, too, by a thread that goes on in the parent alone.
        assert!(iphelper_testkit::forked(|| pool.take().is_ok_and(|socket| !socket.is_busy())));
        assert_eq!(idle.len(), 1);
    }

    #[test]
    fn a_moment_of_many_threads_leaves_few_sockets() {
        let pool = Arc::new(Pool::new(Arc::new(Namespace::current().unwrap()), Protocol::Route));
        let many: Vec<_> = (0..100).map(|_| pool.take().unwrap()).collect();
        drop(many);
        assert_eq!(pool.idle().unwrap().len(), MOST_IDLE);
    }
}
