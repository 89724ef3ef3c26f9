//! Telling when a service comes, goes, or has other properties.

use super::super::thread::start_thread;
use super::{DRIVER, DRIVER_PATH, connect};
use crate::error::Result;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use zbus::export::futures_core::Stream;
use zbus::message::Type;
use zbus::wire::OwnedVariant;
use zbus::{Connection, Message, MessageStream, block_on};

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
    ) -> Result<Self> {
        let stop = Arc::new(Stop::default());
        let stopped = Arc::clone(&stop);
        let _thread = start_thread("iphelper-signals", move || {
            while !stopped.is_set() {
                // Whatever ends it, the bus is looked for again.
                let _lost = block_on(stopped.unless_set(follow(watched, &changed)));
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
async fn follow(watched: Watched, changed: &impl Fn()) -> zbus::Result<()> {
    let Some((connection, _)) = connect().await? else { return Ok(()) };
    let told = tell(&connection, watched, changed).await;
    // Nobody would tell of what is gone.
    changed();
    told
}

async fn tell(connection: &Connection, watched: Watched, changed: &impl Fn()) -> zbus::Result<()> {
    // Before anything is asked for, so that nothing is missed.
    let mut signals = MessageStream::from(connection);
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
    for rule in rules {
        let rule = (rule,);
        let asked = connection.call_method(Some(DRIVER), DRIVER_PATH, Some(DRIVER), "AddMatch", &rule);
        let _done: Message = asked.await?;
    }
    changed();
    while let Some(message) = poll_fn(|context| Pin::new(&mut signals).poll_next(context)).await {
        if matters(&message?, watched.properties) {
            changed();
        }
    }
    Ok(())
}

/// Whether a message is a signal of one of these properties, or any other signal.
fn matters(message: &Message, properties: &[&str]) -> bool {
    if message.message_type() != Type::Signal {
        return false;
    }
    if message.header().member().is_none_or(|member| member.as_str() != "PropertiesChanged") {
        return true;
    }
    type Changed = (String, HashMap<String, OwnedVariant>, Vec<String>);
    message.body().deserialize::<Changed>().map_or(true, |(_, changed, invalidated)| {
        changed.keys().chain(&invalidated).any(|name| properties.contains(&name.as_str()))
    })
}

/// Ends the thread, wherever it waits.
#[derive(Debug, Default)]
struct Stop {
    state: Mutex<(bool, Option<Waker>)>,
    changed: Condvar,
}

impl Stop {
    fn set(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
        self.changed.notify_all();
    }

    fn is_set(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// What a future gives; `None` if this is set before.
    async fn unless_set<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.is_set_or_wakes(context) {
                return Poll::Ready(None);
            }
            future.as_mut().poll(context).map(Some)
        })
        .await
    }

    fn is_set_or_wakes(&self, context: &Context<'_>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = Some(context.waker().clone());
        state.0
    }

    /// Waits so long, or until it is set.
    fn wait(&self, period: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(state, period, |state| !state.0));
    }
}
