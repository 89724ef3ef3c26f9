//! A network of one's own: a user namespace and a network namespace, or words on how to allow them.

use super::failed;
use crate::exit::{Exit, Failure};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use rustix::process::{getegid, geteuid};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

/// Moves this process, which has one thread still, into a new user namespace as its root, and into a new network
/// namespace there. Root of a host that forbids user namespaces needs the network namespace only.
pub(super) fn enter() -> Result<(), Failure> {
    let (user, group) = (geteuid(), getegid());
    match unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET) {
        Ok(()) => {}
        Err(_) if user.is_root() && unshare(CloneFlags::CLONE_NEWNET).is_ok() => return Ok(()),
        Err(errno) => return Err(refused(errno)),
    }
    // An unprivileged user may map a group only after giving up setgroups(2), see user_namespaces(7).
    for (file, map) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {} 1", user.as_raw())),
        ("gid_map", format!("0 {} 1", group.as_raw())),
    ] {
        fs::write(format!("/proc/self/{file}"), map).map_err(|error| {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
            if errno == Errno::EPERM || errno == Errno::EACCES {
                refused(errno)
            } else {
                failed("becoming root of a private user namespace", error)
            }
        })?;
    }
    Ok(())
}

/// Another computer: a network namespace of its own, in which this process has no thread.
#[derive(Debug)]
pub(super) struct Computer(OwnedFd);

impl Computer {
    pub(super) fn new() -> Result<Self, Failure> {
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(refused)?;
            let file = fs::File::open("/proc/thread-self/ns/net");
            file.map(|file| Self(file.into()))
                .map_err(|error| failed("opening another computer's network", error))
        });
        made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Runs `work` on that computer. What it opens there stays there.
    pub(super) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
                Ok(work())
            });
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
        .map_err(|errno: rustix::io::Errno| failed("going to another computer", errno))
    }
}

impl AsFd for Computer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Why this host makes no namespaces for this user, and how to allow it.
fn refused(errno: Errno) -> Failure {
    if matches!(errno, Errno::ENOSYS | Errno::EINVAL) {
        return Failure::new(
            Exit::NotSupported,
            "demo: this kernel has no user or network namespaces (CONFIG_USER_NS, CONFIG_NET_NS)",
        );
    }
    let setting = |path: &str| fs::read_to_string(format!("/proc/sys/{path}")).unwrap_or_default();
    let advice = [
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
        ("user/max_net_namespaces", "0", "user.max_net_namespaces=10000"),
    ]
    .into_iter()
    .find(|(path, forbids, _)| setting(path).trim() == *forbids)
    .map_or_else(
        || "run it with sudo; in a container, allow it with --security-opt seccomp=unconfined".to_owned(),
        |(_, _, allow)| format!("allow it with `sudo sysctl {allow}`, or run `sudo iph demo`"),
    );
    let reason = match errno {
        // What the kernel says of a limit on namespaces is about disks.
        Errno::ENOSPC | Errno::EUSERS => "a limit on namespaces is reached",
        errno => errno.desc(),
    };
    Failure::new(
        Exit::Permission,
        format!("demo: this host does not let you make a private network ({reason}): {advice}"),
    )
}
