//! Giving a namespace a name of `ip netns`: a mount of it on a file of that name (`ip-netns(8)`).

use super::{NAMES, named, open};
use crate::backend::linux::namespace::system;
use crate::compartment::OpenCompartment;
use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, mkdir, openat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_bind, mount_change, unmount};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

const OPERATION: &str = "naming a compartment";

pub(crate) fn name_compartment(compartment: &OpenCompartment, name: &str) -> Result<()> {
    let path = named(name)?;
    let failed = |errno: Errno, doing: &str| {
        let error = system(OPERATION, errno);
        match errno {
            Errno::PERM | Errno::ACCESS => error.because(format!("{doing}: needs CAP_SYS_ADMIN (sudo)")),
            _ => error.because(doing.to_owned()),
        }
    };
    if let Ok(Ok(there)) = open(&path)
        && is_same(&there, compartment).map_err(|errno| failed(errno, "looking at it"))?
    {
        return Ok(());
    }
    make_folder().map_err(|errno| failed(errno, "making /run/netns"))?;
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(CWD, &path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::EXIST => Error::new(ErrorKind::AlreadyExists, OPERATION)
            .because(format!("{} is there: choose another name", path.display())),
        errno => failed(errno, "making a file in /run/netns"),
    })?;
    drop(file);
    let namespace = format!("/proc/thread-self/fd/{}", compartment.as_fd().as_raw_fd());
    mount_bind(namespace.as_str(), &path).map_err(|errno| {
        let _ = unlinkat(CWD, &path, AtFlags::empty());
        failed(errno, "mounting it in /run/netns")
    })
}

fn is_same(one: &OpenCompartment, other: &OpenCompartment) -> Result<bool, Errno> {
    let key = |stat: Stat| (stat.st_dev, stat.st_ino);
    Ok(key(fstat(one)?) == key(fstat(other)?))
}

/// As `ip netns` makes it: a mount of its own, which hands what is mounted there on to other views of the files. Else a
/// name that is taken away here would go on keeping its namespace there.
fn make_folder() -> Result<(), Errno> {
    match mkdir(NAMES, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    let shared =
        || mount_change(Path::new(NAMES), MountPropagationFlags::SHARED | MountPropagationFlags::REC);
    match shared() {
        // It is no mount.
        Err(Errno::INVAL) => {
            mount_bind(NAMES, NAMES)?;
            shared().inspect_err(|_| {
                let _ = unmount(NAMES, UnmountFlags::DETACH);
            })
        }
        done => done,
    }
}
