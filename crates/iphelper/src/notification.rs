//! Changes as they happen.

use crate::Host;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use std::fmt;

/// What happened to the thing that a notification names.
#[doc(alias = "MIB_NOTIFICATION_TYPE")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ChangeKind {
    /// A property changed (`MibParameterNotification`).
    Parameter,
    /// It is new (`MibAddInstance`).
    Add,
    /// It is gone (`MibDeleteInstance`).
    Delete,
}

/// A change of an IP interface: its key. The rest is read with [`Host::ip_interface`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct IpInterfaceChanged {
    /// What happened.
    pub kind: ChangeKind,
    /// The family of the IP interface.
    pub family: Family,
    /// Its LUID.
    pub luid: InterfaceLuid,
    /// Its index.
    pub index: InterfaceIndex,
    /// Its name, the last one known where it is gone.
    pub name: String,
    /// Whether the kernel's queue had overrun, so that this change was found by reading the table again.
    pub resynchronised: bool,
}

/// What a registration delivers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum IpInterfaceNotification {
    /// The registration works (`MibInitialNotification`); reports no change.
    Initial,
    /// A change.
    Changed(IpInterfaceChanged),
}

/// Changes of IP interfaces, an iterator that blocks until the next.
///
/// Ready to read on its descriptor (`AsFd`) when [`try_next`](Self::try_next) has something to do.
pub struct IpInterfaceChanges {
    pub(crate) source: Box<dyn ChangeSource>,
}

/// The back end's side of [`IpInterfaceChanges`].
pub(crate) trait ChangeSource: Send {
    fn next(&mut self) -> Result<IpInterfaceChanged>;
    fn try_next(&mut self) -> Result<Option<IpInterfaceChanged>>;
    #[cfg(unix)]
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_>;
}

impl IpInterfaceChanges {
    /// The next change if one is there, without waiting.
    pub fn try_next(&mut self) -> Result<Option<IpInterfaceChanged>> {
        self.source.try_next()
    }
}

impl Iterator for IpInterfaceChanges {
    type Item = Result<IpInterfaceChanged>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.source.next())
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for IpInterfaceChanges {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.source.as_fd()
    }
}

impl fmt::Debug for IpInterfaceChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpInterfaceChanges").finish_non_exhaustive()
    }
}

impl Host {
    /// Changes of IP interfaces from now on, of one family or both.
    ///
    /// - Windows: `NotifyIpInterfaceChange`
    /// - Linux: link, address family and configuration groups of rtnetlink; what the kernel does not announce is
    ///   found within 5 s
    /// - Privilege: none
    #[doc(alias = "NotifyIpInterfaceChange")]
    pub fn ip_interface_changes(&self, family: Option<Family>) -> Result<IpInterfaceChanges> {
        Ok(IpInterfaceChanges { source: self.backend().ip_interface_changes(family)? })
    }
}
