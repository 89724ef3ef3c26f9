//! May this caller change the namespace? Asked of the kernel itself, by a change that cannot happen.

use super::LinuxHost;
use super::socket::Socket;
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
    ///
    /// The kernel asks for the capability of the socket's opener, too. So a caller that has gained it since the idle
    /// sockets were opened, as a set-uid program does, gets new ones.
    pub(super) fn is_administrator(&self) -> Result<bool> {
        if self.route.take().map(|mut socket| may_change(&mut socket))? {
            return Ok(true);
        }
        // A thread that has left the namespace may have no way back to open one.
        if !self.route.open().is_ok_and(|mut socket| may_change(&mut socket)) {
            return Ok(false);
        }
        for pool in [&self.route, &self.sock_diag, &self.generic] {
            pool.forget();
        }
        Ok(true)
    }

    /// [`ErrorKind::AccessDenied`] unless the caller has `CAP_NET_ADMIN` over this namespace.
    pub(super) fn require_administrator(&self, operation: &'static str) -> Result<()> {
        if self.is_administrator()? {
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

/// Whether the kernel would take changes that come by this socket from this caller.
fn may_change(socket: &mut Socket) -> bool {
    let mut request = Request::new(SETLINK, ACK, &[0; 16]);
    socket.acknowledged(&mut request).map_err(|refusal| refusal.errno()) != Err(libc::EPERM)
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

/// Whether the kernel started this program with more rights than the caller has (`AT_SECURE` in `getauxval(3)`). Such a
/// program may not be able to read its own `auxv`.
pub(super) fn has_more_rights_than_its_caller() -> bool {
    const SECURE: usize = 23;
    let Ok(vector) = std::fs::read("/proc/self/auxv") else { return true };
    let (words, _) = vector.as_chunks::<{ size_of::<usize>() }>();
    let mut pairs = words.chunks_exact(2);
    pairs.any(
        |pair| matches!(pair, [kind, value] if usize::from_ne_bytes(*kind) == SECURE && *value != [0; _]),
    )
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
