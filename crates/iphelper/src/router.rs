//! Making this host an IPv4 router as long as a program wants it.
//!
//! - [`Host::enable_router`]. To let one interface forward, and for IPv6, see
//!   [`forwarding_enabled`](crate::ip_interface::IpInterface::forwarding_enabled)
//!
//! ```no_run
//! # fn main() -> iphelper::Result<()> {
//! let router = iphelper::Host::open()?.enable_router()?;
//! // Packets are forwarded until `router` is dropped.
//! println!("{} others want it still", router.release()?);
//! # Ok(())
//! # }
//! ```

use crate::error::Result;
use crate::host::Host;
use std::fmt;

/// The wish that this host be an IPv4 router, until dropped.
///
/// Wishes are counted over all programs of the host: the last one that goes puts everything back as it was.
///
/// - Windows: the `OVERLAPPED` of `EnableRouter`
/// - Linux: a packet filter table that the kernel takes away with this program, however that ends
pub struct RouterReference {
    pub(crate) hold: Option<Box<dyn crate::backend::RouterHold>>,
}

impl RouterReference {
    /// Takes the wish back; how many are left, of all programs.
    ///
    /// [`Drop`] does the same and cannot tell of a failure.
    ///
    /// - Errors: those of writing the settings back. The wish is gone all the same, and whatever next changes settings
    ///   with `iphelper` tries again.
    #[doc(alias = "UnenableRouter")]
    pub fn release(mut self) -> Result<usize> {
        self.hold.take().map_or(Ok(0), |hold| hold.release())
    }
}

impl Drop for RouterReference {
    fn drop(&mut self) {
        if let Some(hold) = self.hold.take() {
            let _ = hold.release();
        }
    }
}

impl fmt::Debug for RouterReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouterReference").finish_non_exhaustive()
    }
}

impl Host {
    /// Makes this host an IPv4 router: packets for others are forwarded, whichever interface they come in by.
    ///
    /// It stays one until the last [`RouterReference`] of all programs is gone. Then forwarding is as it was: off where it
    /// was off, on at the single interfaces that had it. A program that is killed loses its references with everything
    /// else; the keeper puts the settings back then or, where none runs, the next call that changes settings with
    /// `iphelper`. A host that was a router already, by `net.ipv4.ip_forward=1`, stays one.
    ///
    /// - Linux: `net.ipv4.ip_forward`, which is written to every interface
    /// - Errors: [`AccessDenied`](crate::ErrorKind::AccessDenied) without `CAP_NET_ADMIN`;
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) on a kernel without `nf_tables`
    #[doc(alias = "EnableRouter")]
    pub fn enable_router(&self) -> Result<RouterReference> {
        Ok(RouterReference { hold: Some(self.backend().clone().enable_router()?) })
    }
}
