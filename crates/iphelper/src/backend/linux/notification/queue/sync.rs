//! The primitives under a queue; a test puts others in their place.

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
