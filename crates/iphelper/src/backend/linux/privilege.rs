//! May this caller change the namespace? Asked of the kernel itself, by a change that cannot happen.

use super::LinuxHost;
use crate::error::{Error, ErrorKind, Result};
use iphelper_netlink::message::{ACK, Request};

/// `RTM_SETLINK`.
const SETLINK: u16 = 19;

impl LinuxHost {
    /// Whether the caller has `CAP_NET_ADMIN` over this namespace.
    ///
    /// rtnetlink checks the capability of socket and sender before it looks at a changing request
    /// (`net/core/rtnetlink.c`, `rtnetlink_rcv_msg`), so a change of no interface at all is refused with `EPERM` to
    /// one and `EINVAL` to the other.
    pub(super) fn may_administrate(&self) -> Result<bool> {
        let mut request = Request::new(SETLINK, ACK, &[0; 16]);
        match self.route.take()?.acknowledged(&mut request) {
            Err(refusal) => Ok(refusal.errno() != libc::EPERM),
            Ok(()) => Ok(true),
        }
    }

    /// [`ErrorKind::AccessDenied`] unless the caller has `CAP_NET_ADMIN` over this namespace.
    pub(super) fn require_administrator(&self, operation: &'static str) -> Result<()> {
        if self.may_administrate()? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::AccessDenied, operation)
            .because("needs CAP_NET_ADMIN over the network namespace")
            .with_errno(libc::EPERM))
    }
}
