//! Changes: rtnetlink groups, and a slow poll for what they do not carry.

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use crate::notification::ChangeSource;
use crate::types::Family;

impl backend::Notification for LinuxHost {
    fn ip_interface_changes(&self, _family: Option<Family>) -> Result<Box<dyn ChangeSource>> {
        todo!()
    }
}
