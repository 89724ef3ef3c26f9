//! Telling that what is stamped has changed.

use super::TimestampCapabilities;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::interface::InterfaceLevel;
use crate::types::InterfaceLuid;
use crate::worker::Worker;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often what is stamped is compared. Neither hardware nor kernel announces a change.
const PERIOD: Duration = Duration::from_secs(2);

/// What both questions answer for each interface.
type State = BTreeMap<InterfaceLuid, [Option<TimestampCapabilities>; 2]>;

/// A callback that is called for changes of what is stamped, until this is cancelled or dropped.
///
/// A callback that panics ends its registration and nothing else. A forked child's copy is inert.
#[must_use = "the registration ends when this is dropped"]
#[derive(Debug)]
pub struct TimestampRegistration(Worker);

impl TimestampRegistration {
    /// Ends the registration. Waits until a running callback has returned; none runs afterwards. Called by the callback
    /// itself, it does not wait.
    pub fn cancel(self) {
        drop(self.0);
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
        let worker = Worker::start("iphelper-stamps", PERIOD, move || {
            // A table that cannot be read now is compared the next time.
            if let Ok(present) = state(&*backend)
                && present != known
            {
                known = present;
                callback();
            }
        })?;
        Ok(TimestampRegistration(worker))
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
