//! Telling when a service comes, goes, or has other properties.

use super::super::thread::start_thread;
use super::connection::{Connection, Failure};
use super::message::{Message, Method, SIGNAL};
use super::{DRIVER, DRIVER_PATH};
use std::collections::HashMap;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use zbus::wire::OwnedVariant;

/// How long after one look for a bus the next one is.
const PERIOD: Duration = Duration::from_secs(10);

/// What is watched of a service.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend::linux) struct Watched {
    /// Its name on the bus.
    pub(in crate::backend::linux) service: &'static str,
    /// The interfaces of its objects...
    pub(in crate::backend::linux) interfaces: &'static [&'static str],
    /// ...and their properties that matter.
    pub(in crate::backend::linux) properties: &'static [&'static str],
}

/// A thread that calls back when something may have changed, until this is dropped. A forked child's copy is inert.
///
/// Dropping it does not wait: a call back may be under way, and is the last.
#[derive(Debug)]
pub(in crate::backend::linux) struct ServiceWatch {
    stop: Arc<Stop>,
    process: u32,
}

impl ServiceWatch {
    /// Calls `changed` when the watch has begun, and after each change; again and again where the bus comes and goes.
    pub(in crate::backend::linux) fn start(
        watched: Watched,
        changed: impl Fn() + Send + 'static,
    ) -> crate::error::Result<Self> {
        let stop = Arc::new(Stop::default());
        let stopped = Arc::clone(&stop);
        let _thread = start_thread("iphelper-signals", move || {
            while !stopped.is_set() {
                // Whatever ends it, the bus is looked for again.
                let _lost = follow(watched, &stopped, &changed);
                stopped.wait(PERIOD);
            }
        })?;
        Ok(Self { stop, process: std::process::id() })
    }
}

impl Drop for ServiceWatch {
    fn drop(&mut self) {
        // A forked child has no such thread, and its lock may be held for ever.
        if self.process == std::process::id() {
            self.stop.set();
        }
    }
}

/// Until the bus ends.
fn follow(watched: Watched, stop: &Stop, changed: &impl Fn()) -> Result<(), Failure> {
    let Some(mut bus) = Connection::system()? else { return Ok(()) };
    if !stop.ends(&bus) {
        return Ok(());
    }
    let told = tell(&mut bus, watched, changed);
    // Nobody would tell of what is gone.
    if !stop.is_set() {
        changed();
    }
    told
}

fn tell(bus: &mut Connection, watched: Watched, changed: &impl Fn()) -> Result<(), Failure> {
    let service = watched.service;
    let mut rules = vec![format!(
        "type='signal',sender='{DRIVER}',interface='{DRIVER}',member='NameOwnerChanged',arg0='{service}'"
    )];
    rules.extend(watched.interfaces.iter().map(|interface| {
        format!(
            "type='signal',sender='{service}',interface='org.freedesktop.DBus.Properties',\
             member='PropertiesChanged',arg0='{interface}'"
        )
    }));
    let add = Method { destination: DRIVER, path: DRIVER_PATH, interface: DRIVER, member: "AddMatch" };
    for rule in rules {
        let () = bus.call(add, &(rule,))?;
    }
    // Before anything is asked for, so that nothing is missed: signals that came between the answers are lost.
    changed();
    loop {
        if matters(&bus.receive(None)?, watched.properties) {
            changed();
        }
    }
}

/// Whether a message is a signal of one of these properties, or any other signal.
fn matters(message: &Message, properties: &[&str]) -> bool {
    if message.kind != SIGNAL {
        return false;
    }
    if message.member.as_deref() != Some("PropertiesChanged") {
        return true;
    }
    type Changed = (String, HashMap<String, OwnedVariant>, Vec<String>);
    message.body::<Changed>().map_or(true, |(_, changed, invalidated)| {
        changed.keys().chain(&invalidated).any(|name| properties.contains(&name.as_str()))
    })
}

/// Ends the thread, wherever it waits.
#[derive(Debug, Default)]
struct Stop {
    /// Whether it is set, and the conversation that ends with it.
    state: Mutex<(bool, Weak<UnixStream>)>,
    changed: Condvar,
}

impl Stop {
    fn set(&self) {
        let mut state = self.lock();
        state.0 = true;
        if let Some(socket) = state.1.upgrade() {
            // Who waits for it is told that it has ended.
            let _ = socket.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    fn is_set(&self) -> bool {
        self.lock().0
    }

    /// Has this end the conversation; `false` if this is set already.
    fn ends(&self, bus: &Connection) -> bool {
        let mut state = self.lock();
        state.1 = Arc::downgrade(bus.socket());
        !state.0
    }

    /// Waits so long, or until it is set.
    fn wait(&self, period: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), period, |state| !state.0));
    }

    fn lock(&self) -> MutexGuard<'_, (bool, Weak<UnixStream>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
