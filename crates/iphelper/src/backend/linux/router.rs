//! An IPv4 router as long as a program wants it; how, is in [`policy`](super::policy).

use super::LinuxHost;
use crate::backend::{self, RouterHold};
use crate::error::Result;
use std::sync::Arc;

impl backend::Router for LinuxHost {
    fn enable_router(self: Arc<Self>) -> Result<Box<dyn RouterHold>> {
        self.hold_router()
    }
}
