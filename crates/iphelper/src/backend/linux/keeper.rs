//! The resident process: waits for what the kernel announces, and brings rules, filter and advertisements up to date.

mod start;
mod status;
mod watch;

use super::LinuxHost;
use super::namespace::system;
use super::policy::advertise::{Phase, Responder};
use super::policy::{Follower, KeeperLock};
use crate::backend::{self, KeeperLoop};
use crate::error::{Error, Result};
use crate::keeper::{AdvertisingState, AdvertisingStatus, KeeperOptions, KeeperStart, KeeperStatus};
use crate::types::InterfaceIndex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use status::StatusFile;
#[cfg(fuzzing)]
pub(crate) use status::fuzz as fuzz_status;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use watch::{News, Watch};

const OPERATION: &str = "keeping policy";

/// When what failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The status is no stream: it is written so often at most.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// Where announcements do not end, passes rest as long as they take, but no longer than this.
const LONGEST_REST: Duration = Duration::from_millis(50);
/// How long after a change of addresses it is looked at what hangs on them.
const ADDRESSES_AFTER: Duration = Duration::from_millis(50);
/// How soon the end of a program is noticed that made this host a router.
const LOOK_AT_ROUTERS_EVERY: Duration = Duration::from_millis(250);
/// After a pass that failed.
const REST_AFTER_FAILURE: Duration = Duration::from_millis(100);

impl backend::Keeper for LinuxHost {
    fn keeper(self: Arc<Self>, options: &KeeperOptions) -> Result<Box<dyn KeeperLoop>> {
        Ok(Box::new(LinuxKeeper::start(self, options)?))
    }

    fn keeper_runs(&self) -> Result<Option<bool>> {
        self.is_kept()
    }

    fn keeper_status(&self, options: &KeeperOptions) -> Result<Option<KeeperStatus>> {
        StatusFile::locate(self, &options.status_directory)?.read()
    }

    fn ensure_keeper(&self, start: &KeeperStart) -> Result<bool> {
        start::ensure(self, start)
    }
}

#[derive(Debug)]
struct LinuxKeeper {
    host: Arc<LinuxHost>,
    _lock: KeeperLock,
    watch: Watch,
    follower: Follower,
    responders: BTreeMap<InterfaceIndex, Responder>,
    status: KeeperStatus,
    file: StatusFile,
    /// What is to be done, and not before when.
    policy: Option<Instant>,
    /// Since when, and how long, no pass is to follow the last one.
    rest: Option<(Instant, Duration)>,
    links: Option<Instant>,
    publish: Option<Instant>,
    router: Option<Instant>,
    addresses: Option<Instant>,
    /// Whether an address was skipped as source at the last look: then a route of ours may be left of it.
    skipped: bool,
}

impl LinuxKeeper {
    /// Subscribes first, so that nothing is missed; the first pass is due at once.
    fn start(host: Arc<LinuxHost>, options: &KeeperOptions) -> Result<Self> {
        let lock = KeeperLock::take(&host)?;
        let watch = Watch::open(&host)?;
        let file = StatusFile::locate(&host, &options.status_directory)?;
        let status = KeeperStatus {
            process: std::process::id(),
            started: SystemTime::now(),
            passes: 0,
            last_pass: Duration::ZERO,
            error: None,
            advertising: Vec::new(),
            contests: Vec::new(),
        };
        let now = Some(Instant::now());
        let responders = BTreeMap::new();
        Ok(Self {
            host,
            _lock: lock,
            watch,
            follower: Follower::default(),
            responders,
            status,
            file,
            policy: now,
            rest: None,
            links: now,
            publish: now,
            router: now,
            addresses: now,
            skipped: true,
        })
    }

    /// Makes rules, filter and routes hold what is set.
    fn keep_policy(&mut self) {
        let begun = Instant::now();
        let Self { host, watch, follower, responders, .. } = self;
        let (advertises, mut news) = (!responders.is_empty(), News::default());
        let done = follower.keep(host, &mut |follower| {
            let heard = watch.news(host, follower, advertises)?;
            news = News {
                links: news.links || heard.links,
                router: news.router || heard.router,
                addresses: news.addresses || heard.addresses,
            };
            Ok(())
        });
        self.plan(news, begun);
        self.status.last_pass = begun.elapsed();
        self.status.passes += 1;
        let ended = Instant::now();
        self.policy = done.is_err().then(|| ended + RETRY_AFTER);
        if let Some(again) = self.follower.deadline() {
            self.policy = Some(self.policy.map_or(again, |due| due.min(again)));
        }
        // What a failing pass wrote is announced too, and must not start the next one at once.
        let rest = if done.is_err() { REST_AFTER_FAILURE } else { self.status.last_pass.min(LONGEST_REST) };
        self.rest = Some((ended, rest));
        self.note(done);
    }

    /// Puts forwarding back once the programs that wanted a router are gone. While there are any it is looked at again:
    /// the kernel does not announce that a table went with its owner.
    fn keep_router(&mut self) {
        let done = self.host.settle_router_unlocked();
        let again = match &done {
            Ok(true) => Some(LOOK_AT_ROUTERS_EVERY),
            Ok(false) => None,
            Err(_) => Some(RETRY_AFTER),
        };
        self.router = again.map(|pause| Instant::now() + pause);
        if done.is_err() {
            self.note(done.map(|_| ()));
        }
    }

    /// Keeps the ways to the prefixes of skipped addresses, and puts back what a program that was killed has raised.
    fn keep_addresses(&mut self) {
        self.addresses = None;
        let done = self.host.has_skipped_addresses().and_then(|skipped| {
            if skipped || self.skipped {
                self.host.keep_on_link_routes()?;
            }
            self.skipped = skipped;
            self.host.forget_ended_detections()?;
            if self.host.route_settings()?.has_optimistic_detection() {
                self.host.restore_optimistic_detection()?;
            }
            Ok(())
        });
        if done.is_err() {
            self.addresses = Some(Instant::now() + RETRY_AFTER);
            self.note(done);
        }
    }

    /// Brings the responders up to what is set and to what the interfaces are like.
    fn keep_advertising(&mut self) {
        let done = self.update_responders();
        let retry = self.responders.values().filter_map(Responder::retry_after).min();
        let retry = done.as_ref().err().map(|_| RETRY_AFTER).or(retry);
        self.links = retry.map(|after| Instant::now() + after);
        self.note(done);
    }

    fn update_responders(&mut self) -> Result<()> {
        let links = self.host.links(OPERATION)?;
        self.host.forget_advertising(&links)?;
        let mut wanted = self.host.advertising(&links)?;
        wanted.retain(|_, advertising| advertising.enabled);
        let is_wanted = |responder: &Responder| {
            links.iter().any(|link| link.index == responder.index && link.luid() == responder.luid)
                && wanted.contains_key(&responder.index)
        };
        for responder in self.responders.values_mut().filter(|it| !is_wanted(it)) {
            responder.farewell();
        }
        self.responders.retain(|_, responder| is_wanted(responder));
        if wanted.is_empty() {
            return Ok(());
        }
        let forwarding = self.host.ipv6_forwarding()?;
        let settings = self.host.policy_settings(&links)?;
        let mut result = Ok(());
        for link in &links {
            let Some(advertising) = wanted.get(&link.index) else { continue };
            let responder = self.responders.entry(link.index).or_insert_with(|| Responder::new(link));
            let forwards = forwarding.of(link, &settings);
            result = result.and(responder.update(&self.host, link, *advertising, forwards));
        }
        result
    }

    /// Keeps the last error for the status, and forgets it after a success.
    fn note(&mut self, done: Result<()>) {
        let error = done.err().map(|error: Error| error.to_string());
        if self.status.error != error {
            self.status.error = error;
        }
        self.publish_soon();
    }

    fn publish_soon(&mut self) {
        let _ = self.publish.get_or_insert_with(|| Instant::now() + PUBLISH_EVERY);
    }

    fn publish(&mut self) {
        self.publish = None;
        self.status.advertising = self.responders.values().map(status_of).collect();
        self.status.contests = self.follower.contests();
        // Nobody to tell: the status is what a failure would be told by.
        let _ = self.file.write(&self.status);
    }

    fn work(&mut self, now: Instant) {
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_due(self.policy) {
            self.keep_policy();
        }
        if is_due(self.links) {
            self.keep_advertising();
        }
        if is_due(self.router) {
            self.keep_router();
        }
        if is_due(self.addresses) {
            self.keep_addresses();
        }
        let counts = |responders: &BTreeMap<_, Responder>| -> Vec<_> {
            responders.values().map(|it| (it.sent, it.solicited, it.phase())).collect()
        };
        let before = counts(&self.responders);
        for responder in self.responders.values_mut() {
            responder.work(Instant::now());
        }
        if let Some(retry) = self.responders.values().filter_map(Responder::retry_after).min() {
            let _ = self.links.get_or_insert_with(|| Instant::now() + retry);
        }
        if counts(&self.responders) != before {
            self.publish_soon();
        }
        if is_due(self.publish) {
            self.publish();
        }
    }

    /// Takes in what was announced. After a pass that was just made, the next one rests a while: whoever changes routes
    /// without end shall not have the whole processor spent on it.
    fn hear(&mut self) -> Result<()> {
        let advertises = !self.responders.is_empty();
        let news = self.watch.news(&self.host, &mut self.follower, advertises)?;
        let now = Instant::now();
        if self.follower.has_work() {
            let due = self.rest.map_or(now, |(ended, rest)| (ended + rest).max(now));
            let due = self.follower.patience(now).map_or(due, |patience| patience.max(due));
            self.policy = Some(self.policy.map_or(due, |planned| planned.min(due)));
        }
        self.plan(news, now);
        Ok(())
    }

    /// Plans what news ask for.
    fn plan(&mut self, news: News, now: Instant) {
        if news.links {
            self.links = Some(now);
        }
        if news.router {
            self.router = Some(now);
        }
        if news.addresses {
            // Whoever wrote it may not be ready, and writes what hangs on it, too.
            let _ = self.addresses.get_or_insert(now + ADDRESSES_AFTER);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let responders = self.responders.values().filter_map(Responder::deadline);
        let own = [self.policy, self.links, self.publish, self.router, self.addresses];
        responders.chain(own.into_iter().flatten()).min()
    }

    /// Waits for something to do; whether `stop` says to end.
    fn wait(&self, stop: BorrowedFd<'_>) -> Result<bool> {
        let left = self.deadline().map(|due| due.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut descriptors = vec![PollFd::from_borrowed_fd(stop, PollFlags::IN)];
        let sockets = self.watch.descriptors().into_iter();
        let sockets = sockets.chain(self.responders.values().filter_map(Responder::descriptor));
        descriptors.extend(sockets.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN)));
        match poll(&mut descriptors, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(system(OPERATION, errno).because("waiting for announcements")),
        }
        Ok(descriptors.first().is_some_and(|stop| !stop.revents().is_empty()))
    }
}

impl KeeperLoop for LinuxKeeper {
    fn run(&mut self, stop: BorrowedFd<'_>) -> Result<()> {
        let stop = stop.as_fd();
        loop {
            self.work(Instant::now());
            if self.wait(stop)? {
                return Ok(());
            }
            self.hear()?;
        }
    }
}

impl Drop for LinuxKeeper {
    fn drop(&mut self) {
        for responder in self.responders.values_mut() {
            responder.farewell();
        }
        self.file.remove();
    }
}

fn status_of(responder: &Responder) -> AdvertisingStatus {
    AdvertisingStatus {
        index: responder.index,
        state: match responder.phase() {
            Phase::Advertising => AdvertisingState::Advertising,
            Phase::Down => AdvertisingState::Down,
            Phase::NoLinkLocal => AdvertisingState::NoLinkLocalAddress,
            Phase::NotForwarding => AdvertisingState::NotForwarding,
            Phase::Failed(errno) => AdvertisingState::Failed(errno),
        },
        sent: responder.sent,
        solicited: responder.solicited,
        prefixes: u64::try_from(responder.prefixes()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
