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

    /// As [`require_administrator`](Self::require_administrator), but [`ErrorKind::ElevationRequired`] for a caller who
    /// could raise itself: the two that the page of `SetTcpEntry` tells apart.
    pub(super) fn require_elevation(&self, operation: &'static str) -> Result<()> {
        self.require_administrator(operation).map_err(|error| {
            if could_elevate() {
                error.with_kind(ErrorKind::ElevationRequired).because(
                    "needs CAP_NET_ADMIN over the network namespace: run it with sudo, or as root with it",
                )
            } else {
                error
            }
        })
    }
}

/// Groups whose members may become root, on Debian and Ubuntu, Red Hat and SUSE, and old Ubuntu.
const ADMINISTRATORS: [&str; 3] = ["sudo", "wheel", "admin"];

/// Whether the caller is root without the capability, or belongs to a group of administrators.
fn could_elevate() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    let mut groups = rustix::process::getgroups().unwrap_or_default();
    groups.push(rustix::process::getegid());
    let administrators = std::fs::read("/etc/group").map(|file| administrators(&file)).unwrap_or_default();
    groups.iter().any(|group| administrators.contains(&group.as_raw()))
}

/// The numbers of the administrators' groups in a group file (`group(5)`: name, password, number, members).
fn administrators(file: &[u8]) -> Vec<u32> {
    let number = |line: &[u8]| {
        let line = std::str::from_utf8(line).ok()?;
        let mut fields = line.split(':');
        let named = ADMINISTRATORS.contains(&fields.next()?);
        named.then(|| fields.nth(1)?.parse().ok()).flatten()
    };
    file.split(|byte| *byte == b'\n').filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_file_is_read_line_by_line() {
        let file =
            b"root:x:0:\nsudo:x:27:alice,bob\nsudoers:x:28:\nwheel:x:oops:\n\xff:x:5:\nadmin:x:115\nwheel";
        assert_eq!(administrators(file), [27, 115]);
    }
}
