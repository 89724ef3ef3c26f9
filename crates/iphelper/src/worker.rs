//! A thread that looks at something again and again, for a registration whose changes nobody announces whole.

use crate::backend;
use crate::error::Result;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Wakes come in bursts: the worker waits until none came for so long...
const QUIET: Duration = Duration::from_millis(50);
/// ...and no longer than so.
const PATIENCE: Duration = Duration::from_secs(1);

enum Message {
    Wake,
    Stop,
}

/// Makes a [`Worker`] look at once.
#[derive(Clone)]
pub(crate) struct Waker(Sender<Message>);

impl Waker {
    pub(crate) fn wake(&self) {
        // A worker that has ended looks no more.
        let _ended = self.0.send(Message::Wake);
    }
}

/// The thread; ended when this is dropped, after a look under way.
pub(crate) struct Worker {
    messages: Sender<Message>,
    /// Present until dropped.
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Worker {
    /// Calls `look` after each `period`, and soon after each [`Waker::wake`].
    pub(crate) fn start(
        name: &'static str,
        period: Duration,
        mut look: impl FnMut() + Send + 'static,
    ) -> Result<Self> {
        let (messages, received) = channel();
        let thread = backend::start_thread(name, move || {
            while !is_stopped(&received, period) {
                look();
            }
        })?;
        Ok(Self { messages, thread: Some(thread), process: std::process::id() })
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker(self.messages.clone())
    }

    /// Whether no look will come any more: one has panicked, or this is the inert copy of a forked process.
    pub(crate) fn has_ended(&self) -> bool {
        self.process != std::process::id() || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

/// Waits for the next look; true if there is to be none.
fn is_stopped(received: &Receiver<Message>, period: Duration) -> bool {
    match received.recv_timeout(period) {
        Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
        Err(RecvTimeoutError::Timeout) => return false,
        Ok(Message::Wake) => {}
    }
    let woken = Instant::now();
    while woken.elapsed() < PATIENCE {
        match received.recv_timeout(QUIET) {
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => break,
            Ok(Message::Wake) => {}
        }
    }
    false
}

impl Drop for Worker {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if self.process != std::process::id() {
            // A forked child has no such thread, and its C library gave the thread's stack, where the handle points,
            // to others.
            std::mem::forget(thread);
            return;
        }
        let _ended = self.messages.send(Message::Stop);
        if thread.thread().id() != std::thread::current().id() {
            // An error is a look's panic, which was printed.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("has_ended", &self.has_ended()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_when_woken_and_when_time_is_up_until_it_is_dropped() {
        let (looked, looks) = channel();
        let forever = Duration::from_secs(3600);
        let worker = Worker::start("test", forever, move || looked.send(()).unwrap()).unwrap();
        worker.waker().wake();
        looks.recv().unwrap();
        assert!(!worker.has_ended());
        let waker = worker.waker();
        drop(worker);
        waker.wake();
        assert!(looks.recv().is_err(), "the thread is gone");

        let (looked, looks) = channel();
        let worker =
            Worker::start("test", Duration::from_millis(1), move || looked.send(()).unwrap()).unwrap();
        looks.recv().unwrap();
        looks.recv().unwrap();
        drop(worker);
    }

    #[test]
    fn a_burst_is_one_look() {
        let ((looked, looks), (go_on, gate)) = (channel(), channel::<()>());
        let worker = Worker::start("test", Duration::from_secs(3600), move || {
            looked.send(()).unwrap();
            let _ = gate.recv();
        });
        let worker = worker.unwrap();
        worker.waker().wake();
        looks.recv().unwrap();
        // All of them while it looks.
        for _ in 0..100 {
            worker.waker().wake();
        }
        drop(go_on);
        looks.recv().unwrap();
        drop(worker);
        assert_eq!(looks.try_iter().count(), 0);
    }
}
