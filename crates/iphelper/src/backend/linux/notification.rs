//! Changes: rtnetlink groups, and a look from time to time for what they do not carry.
//!
//! ```text
//! kernel -> watcher (what was announced; read it; compare) -> a queue for each consumer -> iterator, stream, callback
//!           '-------------- reader thread ---------------'                                 '--- consumer's thread ---'
//! ```

mod monitor;
mod queue;
mod reader;
mod requester;
mod silent;
mod table;
mod tcp;
mod watcher;

use super::LinuxHost;
use super::namespace::Identity;
use crate::backend;
use crate::error::Result;
use crate::notification::{ChangeSource, Event, WatchOptions};
use queue::{Queue, Taken};
use reader::Reader;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

impl backend::Notification for LinuxHost {
    fn watch(self: Arc<Self>, options: WatchOptions) -> Result<Arc<dyn ChangeSource>> {
        let queue = Arc::new(Queue::new(options)?);
        let reader = reader_of(self.namespace.identity());
        reader.join(self, Arc::clone(&queue))?;
        Ok(Arc::new(Consumer { queue, reader, process: std::process::id() }))
    }
}

/// One consumer's end of a queue. In a forked child it is a copy that touches nothing: the locks may be held by threads
/// that the child does not have, and the descriptors are the parent's too.
struct Consumer {
    queue: Arc<Queue>,
    reader: Arc<Reader>,
    process: u32,
}

impl Consumer {
    fn is_forked_copy(&self) -> bool {
        self.process != std::process::id()
    }
}

impl ChangeSource for Consumer {
    fn next(&self) -> Option<Result<Event>> {
        if self.is_forked_copy() { None } else { self.queue.wait() }
    }

    fn try_next(&self) -> Result<Option<Event>> {
        if self.is_forked_copy() {
            return Ok(None);
        }
        match self.queue.take() {
            Taken::Item(item) => item.map(Some),
            Taken::Empty | Taken::Ended => Ok(None),
        }
    }

    #[cfg(feature = "tokio")]
    fn poll_next(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<Event>>> {
        if self.is_forked_copy() { std::task::Poll::Ready(None) } else { self.queue.poll(context) }
    }

    fn cancel(&self) {
        if !self.is_forked_copy() {
            self.queue.end().wake();
        }
    }

    fn has_ended(&self) -> bool {
        self.is_forked_copy() || self.queue.has_ended()
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if self.is_forked_copy() {
            // Never dropped either: the reader has the handle of a thread that the child does not have.
            std::mem::forget(Arc::clone(&self.reader));
        } else {
            self.reader.leave(&self.queue);
        }
    }
}

impl LinuxHost {
    /// Tells the listeners of this process at once of a change that this process has made: the kernel need not announce
    /// it, and never does for an interface that is down.
    pub(super) fn tell_listeners(&self) {
        let reader = readers().find(self.namespace.identity());
        if let Some(reader) = reader {
            reader.look();
        }
    }
}

/// The readers of this process, one for each namespace that somebody listens to. The lock is held for a look at the
/// list and no longer, so that hardly a `fork` finds it taken.
static READERS: Mutex<Readers> = Mutex::new(Readers { process: 0, list: Vec::new() });

struct Readers {
    process: u32,
    list: Vec<(Identity, Weak<Reader>)>,
}

impl Readers {
    fn find(&mut self, namespace: Identity) -> Option<Arc<Reader>> {
        // A reader keeps its namespace alive while it has a thread. Later another namespace may get the identity, and a
        // reader without a thread serves that as well.
        self.list.retain(|(_, reader)| reader.strong_count() > 0);
        self.list.iter().find(|(identity, _)| *identity == namespace)?.1.upgrade()
    }
}

fn readers() -> MutexGuard<'static, Readers> {
    let mut readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
    if readers.process != std::process::id() {
        // A forked child's copies have no threads, and may be locked for ever.
        readers.process = std::process::id();
        std::mem::forget(std::mem::take(&mut readers.list));
    }
    readers
}

/// The reader of a namespace that the caller keeps alive, made if there is none.
fn reader_of(namespace: Identity) -> Arc<Reader> {
    let mut readers = readers();
    readers.find(namespace).unwrap_or_else(|| {
        let reader = Arc::new(Reader::default());
        readers.list.push((namespace, Arc::downgrade(&reader)));
        reader
    })
}
