//! Telling that what is stamped has changed.

use super::TimestampCapabilities;
use crate::backend::{self, Backend};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::interface::InterfaceLevel;
use crate::types::InterfaceLuid;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often what is stamped is compared. Neither hardware nor kernel announces a change.
const PERIOD: Duration = Duration::from_secs(2);

/// What both questions answer for each interface.
type State = BTreeMap<InterfaceLuid, [Option<TimestampCapabilities>; 2]>;

/// A running [`Host::notify_timestamp_change`]; dropping it ends it.
pub struct TimestampRegistration {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TimestampRegistration {
    /// Ends the registration, after a call under way has returned; none runs afterwards. From inside the callback it
    /// returns at once.
    pub fn cancel(self) {
        drop(self);
    }
}

impl Drop for TimestampRegistration {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A callback that panicked has ended the registration already.
            let _ended = thread.join();
        }
    }
}

impl fmt::Debug for TimestampRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimestampRegistration").finish_non_exhaustive()
    }
}

impl Host {
    /// Calls `callback` after what any interface stamps has changed, or could stamp, and after an interface came or went.
    ///
    /// Calls do not overlap; they come from a thread of the registration's own. Several changes within two seconds are one
    /// call.
    ///
    /// - Errors: [`ResourceLimit`](ErrorKind::ResourceLimit) where no thread is to be had.
    /// - Privilege: none.
    /// - Linux: nobody announces these changes, so they are found by comparison, every two seconds while somebody listens.
    #[doc(alias = "RegisterInterfaceTimestampConfigChange")]
    #[doc(alias = "NotifyIfTimestampConfigChange")]
    pub fn notify_timestamp_change(
        &self,
        mut callback: impl FnMut() + Send + 'static,
    ) -> Result<TimestampRegistration> {
        let backend = std::sync::Arc::clone(self.backend());
        let mut known = state(&*backend)?;
        let (stop, stopped) = channel::<()>();
        let thread = backend::start_thread("iphelper-stamps", move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                // A table that cannot be read now is compared the next time.
                if let Ok(present) = state(&*backend)
                    && present != known
                {
                    known = present;
                    callback();
                }
            }
        })?;
        Ok(TimestampRegistration { stop: Some(stop), thread: Some(thread) })
    }
}

fn state(backend: &dyn Backend) -> Result<State> {
    let interfaces = backend.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
    let known = |answer: Result<TimestampCapabilities>| match answer {
        Ok(capabilities) => Ok(Some(capabilities)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    };
    let both = interfaces.into_iter().map(|row| {
        let key = row.luid.into();
        let possible = known(backend.timestamp_capabilities(key))?;
        Ok((row.luid, [possible, known(backend.active_timestamp_capabilities(key))?]))
    });
    both.collect()
}

/// Neither a driver that does not tell nor an interface that went meanwhile is a failure.
fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotSupported | ErrorKind::InterfaceNotFound | ErrorKind::NotFound)
}
