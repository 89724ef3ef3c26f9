//! The primitives under a queue; a test puts others in their place.

pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
