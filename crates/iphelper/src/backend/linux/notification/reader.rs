//! The thread that reads one namespace's changes for all who listen to it.

use super::super::LinuxHost;
use super::super::namespace::system;
use super::super::thread::start_thread;
use super::queue::{Queue, Wake};
use super::watcher::{News, Watcher};
use crate::error::Result;
use crate::notification::Classes;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often everything is looked at, for what the kernel does not announce. That is found within 5 s, so a look at a
/// large table has a second.
const LOOK_EVERY: Duration = Duration::from_secs(4);
/// How long after a failure to read the next attempt is made.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The reader of one namespace; its thread runs while somebody listens.
#[derive(Debug, Default)]
pub(super) struct Reader {
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What the thread shares with those who join and leave.
#[derive(Debug)]
struct Shared {
    /// An eventfd that ends the thread's wait: to look at everything, or to end if `stop` says so.
    wake: OwnedFd,
    stop: AtomicBool,
    watch: Mutex<Watch>,
}

#[derive(Debug)]
struct Watch {
    watcher: Watcher,
    queues: Vec<Arc<Queue>>,
}

impl Reader {
    /// Gives `queue` what changes from now on. The first to join starts the thread.
    pub(super) fn join(&self, host: Arc<LinuxHost>, queue: Arc<Queue>) -> Result<()> {
        let mut wakes = Vec::new();
        let joined = self.join_or_start(host, queue, &mut wakes);
        wakes.into_iter().for_each(Wake::wake);
        joined
    }

    fn join_or_start(&self, host: Arc<LinuxHost>, queue: Arc<Queue>, wakes: &mut Vec<Wake>) -> Result<()> {
        let mut running = lock(&self.running);
        // A thread that ended by itself met a defect of this crate, and has ended its queues; begin anew.
        if let Some(Running { shared, .. }) = running.as_ref().filter(|running| !running.thread.is_finished())
        {
            let mut watch = lock(&shared.watch);
            // What happened until now is news for the others alone.
            let _ = watch.update(true, wakes)?;
            watch.add(queue, wakes)?;
            // The thread has to wait for more.
            shared.wake();
            return Ok(());
        }
        let mut watch = Watch { watcher: Watcher::open(host)?, queues: Vec::new() };
        watch.add(queue, wakes)?;
        let shared = Arc::new(Shared::new(watch)?);
        let work = {
            let shared = Arc::clone(&shared);
            move || shared.run()
        };
        *running = Some(Running { shared, thread: start_thread("iphelper-reader", work)? });
        Ok(())
    }

    /// Takes `queue` out. The last to leave ends the thread, and waits for that.
    pub(super) fn leave(&self, queue: &Arc<Queue>) {
        let mut running = lock(&self.running);
        let is_last = running.as_ref().is_some_and(|Running { shared, .. }| {
            let mut watch = lock(&shared.watch);
            watch.queues.retain(|other| !Arc::ptr_eq(other, queue));
            watch.narrow();
            watch.queues.is_empty()
        });
        if let Some(Running { shared, thread }) = running.take_if(|_| is_last) {
            shared.stop.store(true, Ordering::Release);
            shared.wake();
            // Not where the thread has woken a task and that was dropped for it.
            if thread.thread().id() != std::thread::current().id() {
                // A panic was printed, and there is nobody left to tell.
                let _ = thread.join();
            }
        }
    }

    /// Looks at everything now, if somebody listens; does not wait for that.
    pub(super) fn look(&self) {
        if let Some(Running { shared, .. }) = lock(&self.running).as_ref() {
            shared.wake();
        }
    }
}

impl Shared {
    fn new(watch: Watch) -> Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| system("making an event descriptor", errno))?;
        Ok(Self { wake, stop: AtomicBool::new(false), watch: Mutex::new(watch) })
    }

    fn wake(&self) {
        // Fails only when the counter is full, and then the thread has been woken.
        let _ = retry_on_intr(|| rustix::io::write(&self.wake, &1_u64.to_ne_bytes()));
    }

    /// The thread.
    fn run(&self) {
        let _ended = EndQueues(self);
        let mut next_look = Instant::now() + LOOK_EVERY;
        // Duplicates of the watcher's descriptors, to wait on without its lock.
        let mut announcements = Vec::new();
        let mut until = Instant::now();
        loop {
            let woken = self.wait(until, &announcements);
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let look = woken || Instant::now() >= next_look;
            let mut wakes = Vec::new();
            let later = {
                let mut watch = lock(&self.watch);
                let later = watch.update(look, &mut wakes);
                later.and_then(|later| Ok((later, watch.watcher.moved_descriptors()?)))
            };
            wakes.into_iter().for_each(Wake::wake);
            if look {
                next_look = Instant::now() + LOOK_EVERY;
            }
            match later {
                Ok((later, moved)) => {
                    until = later.map_or(next_look, |later| later.min(next_look));
                    announcements = moved.unwrap_or(announcements);
                }
                // The announcements stay unread, and would end the wait at once.
                Err(_) => {
                    until = Instant::now() + RETRY_AFTER;
                    announcements = Vec::new();
                    lock(&self.watch).watcher.move_descriptors();
                }
            }
        }
    }

    /// Waits until one of `announcements` is readable, time is up or somebody wakes the thread; whether that was it.
    fn wait(&self, until: Instant, announcements: &[OwnedFd]) -> bool {
        let mut descriptors: Vec<_> = std::iter::once(&self.wake)
            .chain(announcements)
            .map(|descriptor| PollFd::new(descriptor, PollFlags::IN))
            .collect();
        let left = Timespec::try_from(until.saturating_duration_since(Instant::now())).ok();
        // An interrupted wait is a short one. A refused one (memory, a limit on descriptors below three) must not become
        // a loop without any.
        if !matches!(poll(&mut descriptors, left.as_ref()), Ok(_) | Err(Errno::INTR)) {
            std::thread::sleep(Duration::from_millis(100));
        }
        // `EAGAIN` unless somebody has written.
        retry_on_intr(|| rustix::io::read(&self.wake, &mut [0; 8])).is_ok()
    }
}

impl Watch {
    /// Begins to watch what one more consumer asks for.
    fn add(&mut self, queue: Arc<Queue>, wakes: &mut Vec<Wake>) -> Result<()> {
        self.queues.push(queue);
        let mut news = News::default();
        let result = self.want(&mut news);
        let Some(queue) = self.queues.pop() else { return result };
        // What the others were told meanwhile.
        self.deliver(&news, wakes);
        match result {
            Ok(()) => self.queues.push(queue),
            // Fails no more than what was watched before.
            Err(_) => self.narrow(),
        }
        result
    }

    /// Ends the watching of what nobody asks for any more.
    fn narrow(&mut self) {
        let mut news = News::default();
        // Opens nothing, so that nothing can fail.
        let _ = self.want(&mut news);
    }

    fn want(&mut self, news: &mut News) -> Result<()> {
        let options = self.queues.iter().map(|queue| queue.options());
        let classes = options.clone().fold(Classes::NONE, |all, options| all | options.classes);
        let requesters = options.into_iter().any(|options| options.requesters);
        self.watcher.want(classes, requesters, news)
    }

    /// Finds what has changed and gives it to all queues; see [`Watcher::update`]. Who waits for it is added to `wakes`.
    fn update(&mut self, look: bool, wakes: &mut Vec<Wake>) -> Result<Option<Instant>> {
        let mut news = News::default();
        let result = self.watcher.update(look, &mut news);
        self.deliver(&news, wakes);
        if let Err(error) = &result {
            wakes.extend(self.queues.iter().map(|queue| queue.fail(error)));
        }
        result
    }

    fn deliver(&self, news: &News, wakes: &mut Vec<Wake>) {
        if !news.is_empty() {
            wakes.extend(self.queues.iter().map(|queue| queue.push(news)));
        }
    }
}

/// Lets no consumer wait for a thread that has ended, however that came.
struct EndQueues<'a>(&'a Shared);

impl Drop for EndQueues<'_> {
    fn drop(&mut self) {
        let wakes: Vec<_> = lock(&self.0.watch).queues.iter().map(|queue| queue.end()).collect();
        wakes.into_iter().for_each(Wake::wake);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
