//! Changes for asynchronous code.

use super::{Canceller, ChangeSource, Event, IpInterfaceChanged};
use crate::error::Result;
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Events: a [`Stream`][stream] of what [`Watch`](super::Watch) iterates over, made by its `into_stream`.
///
/// [stream]: https://docs.rs/futures-core/0.3/futures_core/stream/trait.Stream.html
///
/// No call blocks: the namespace's reader thread reads, and wakes the task. Dropping it ends the listening.
#[must_use = "the listening ends when this is dropped"]
pub struct WatchStream {
    source: Arc<dyn ChangeSource>,
}

impl WatchStream {
    pub(super) fn new(source: Arc<dyn ChangeSource>) -> Self {
        Self { source }
    }

    /// The next event; `None` after a [`Canceller`] ended the stream.
    ///
    /// Giving up the wait (a timeout, a `select!`) loses no event.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        std::future::poll_fn(|context| self.source.poll_next(context)).await
    }

    /// A handle that ends this stream from elsewhere.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller::of(&self.source)
    }
}

impl Stream for WatchStream {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.source.poll_next(context)
    }
}

impl fmt::Debug for WatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream").finish_non_exhaustive()
    }
}

/// Changes of IP interfaces: a [`Stream`][stream] of what [`IpInterfaceChanges`](super::IpInterfaceChanges) iterates over,
/// made by its `into_stream`.
///
/// [stream]: https://docs.rs/futures-core/0.3/futures_core/stream/trait.Stream.html
///
/// No call blocks: the namespace's reader thread reads, and wakes the task. Dropping it ends the listening.
#[must_use = "the listening ends when this is dropped"]
pub struct IpInterfaceChangeStream {
    source: Arc<dyn ChangeSource>,
}

impl IpInterfaceChangeStream {
    pub(super) fn new(source: Arc<dyn ChangeSource>) -> Self {
        Self { source }
    }

    /// The next change; `None` after a [`Canceller`] ended the stream.
    ///
    /// Giving up the wait (a timeout, a `select!`) loses no change.
    pub async fn next(&mut self) -> Option<Result<IpInterfaceChanged>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// A handle that ends this stream from elsewhere.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller::of(&self.source)
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<IpInterfaceChanged>>> {
        loop {
            match self.source.poll_next(context) {
                Poll::Ready(Some(Ok(event))) => {
                    // Nothing else is listened to.
                    if let Some(change) = IpInterfaceChanged::of(event) {
                        return Poll::Ready(Some(Ok(change)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Stream for IpInterfaceChangeStream {
    type Item = Result<IpInterfaceChanged>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl fmt::Debug for IpInterfaceChangeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpInterfaceChangeStream").finish_non_exhaustive()
    }
}
