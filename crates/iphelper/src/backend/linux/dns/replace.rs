//! Replaces a small file of `/etc` whole: who reads it finds the old content or the new one, and a caller that is killed,
//! or a host that loses power, leaves one of the two.
//!
//! The new content goes to a file beside it, with owner, mode and extended attributes (SELinux' label, ACLs) of the old
//! one, to the disk, and by `rename` to its place. Callers of this library come one after the other: they lock a file that
//! root alone can open, and take it away when they are done; what a killed one left is nobody's, since the kernel takes the
//! lock with the process. A change by another program between look and rename is noticed and looked at again, but for the
//! moment between the last look and the rename, which no call of the kernel closes.

use super::SETTING;
use super::file::read_open;
use crate::backend::linux::namespace::system;
use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{
    Access, AtFlags, FileType, FlockOperation, Gid, Mode, OFlags, Statx, StatxAttributes, StatxFlags, Uid,
    XattrFlags, flock,
};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// How often another program may change the file under one call.
const ATTEMPTS: usize = 10;
/// The kernel's limit of a value, and of all names.
const LONGEST_ATTRIBUTE: usize = 64 << 10;
/// The mode of a file that is made: for everybody to read.
const NEW_FILE: u32 = 0o644;

/// A file as it was looked at, and its folder.
#[derive(Debug)]
pub(super) struct Present {
    path: PathBuf,
    directory: OwnedFd,
    file: Option<OwnedFd>,
    seen: Option<Seen>,
    pub(super) bytes: Vec<u8>,
}

/// What tells a file from a later one, or from itself after a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Seen {
    inode: (u32, u32, u64),
    size: u64,
    changed: (i64, u32),
    mode: u32,
    owner: (u32, u32),
}

/// Lets `edit` make new content of the present one until nobody else changes the file meanwhile, and writes that; what
/// `edit` gave last. `None` as new content leaves the file as it is.
pub(super) fn edit<T>(
    path: &Path,
    mut edit: impl FnMut(&Present) -> Result<(T, Option<Vec<u8>>)>,
) -> Result<T> {
    // Without a lock where nothing is to be written: who may not write may ask for what is so already.
    let present = Present::look(path)?;
    let (told, new) = edit(&present)?;
    if new.is_none() {
        return Ok(told);
    }
    let _lock = Lock::take(&present, PATIENCE)?;
    for _ in 0..ATTEMPTS {
        let present = Present::look(path)?;
        let (told, new) = edit(&present)?;
        let Some(new) = new else { return Ok(told) };
        if present.replace(&new)? {
            return Ok(told);
        }
    }
    Err(Error::new(ErrorKind::Interrupted, SETTING)
        .because(format!("another program changed {} again and again", path.display())))
}

/// Whether this caller may put a file in the place of this one: it writes to the folder alone.
pub(super) fn check_may_write(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let needed = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(rustix::fs::CWD, folder, needed, AtFlags::EACCESS)
        .map_err(|errno| at(errno, &format!("writing to {} needs root (sudo)", folder.display())))
}

impl Present {
    /// Looks at the file, and refuses one that cannot be replaced or that another program takes for its own by the kind of
    /// file that it is.
    pub(super) fn look(path: &Path) -> Result<Self> {
        let refused = |what: String| {
            Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!("{} {what}", path.display())))
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(folder, flags, Mode::empty())
            .map_err(|errno| at(errno, &format!("opening {}", folder.display())))?;
        let mut present =
            Self { path: path.to_owned(), directory, file: None, seen: None, bytes: Vec::new() };
        let Some(status) = present.status()? else { return Ok(present) };
        match FileType::from_raw_mode(status.stx_mode.into()) {
            FileType::RegularFile => {}
            FileType::Symlink => {
                let target = super::file::link_target(path).unwrap_or_else(|| "a link".to_owned());
                return refused(format!(
                    "is {target}: another program keeps that file. Change the settings there, or put a file in place of \
                     the link"
                ));
            }
            _ => return refused("is no regular file".to_owned()),
        }
        if status.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
            return refused(
                "is mounted by itself, as container runtimes do it, and cannot be replaced: give the settings to the \
                 runtime"
                    .to_owned(),
            );
        }
        if status.stx_nlink > 1 {
            return refused("has a second name (hard link), which would keep the old content".to_owned());
        }
        for (attribute, letter) in [(StatxAttributes::IMMUTABLE, 'i'), (StatxAttributes::APPEND, 'a')] {
            if status.stx_attributes.contains(attribute) {
                return refused(format!(
                    "is protected from changes (chattr +{letter}): somebody wants it to stay as it is"
                ));
            }
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file =
            retry_on_intr(|| rustix::fs::openat(&present.directory, present.name(), flags, Mode::empty()))
                .map_err(|errno| at(errno, &format!("reading {}", path.display())))?;
        present.bytes = read_open(&file, path)?;
        present.seen = Some(Seen::of(&status));
        present.file = Some(file);
        Ok(present)
    }

    /// What it holds; `None` if it is not there.
    pub(super) fn content(&self) -> Option<Vec<u8>> {
        self.seen.is_some().then(|| self.bytes.clone())
    }

    fn name(&self) -> &Path {
        self.path.file_name().map_or(&*self.path, Path::new)
    }

    fn status(&self) -> Result<Option<Statx>> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        match rustix::fs::statx(&self.directory, self.name(), flags, StatxFlags::BASIC_STATS) {
            Ok(status) => Ok(Some(status)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(at(errno, &format!("looking at {}", self.path.display()))),
        }
    }

    /// Puts new content in place of what was looked at; `false`: another program was quicker. The caller has the lock.
    fn replace(&self, bytes: &[u8]) -> Result<bool> {
        let temporary = self.beside(".iphelper");
        let written = self.write_beside(&temporary, bytes);
        let placed = written.and_then(|()| {
            // The last look.
            if self.status()?.as_ref().map(Seen::of) != self.seen {
                return Ok(false);
            }
            let place = || {
                step()?;
                rustix::fs::renameat(&self.directory, &temporary, &self.directory, self.name())
            };
            place().map_err(|errno| at(errno, &format!("replacing {}", self.path.display())))?;
            Ok(true)
        });
        if !matches!(placed, Ok(true)) && step().is_ok() {
            let _ = rustix::fs::unlinkat(&self.directory, &temporary, AtFlags::empty());
        }
        if matches!(placed, Ok(true)) && step().is_ok() {
            // The new name, too. What fails here is the disk's business: the file is in its place.
            let _ = rustix::fs::fsync(&self.directory);
        }
        placed
    }

    /// Makes a file with the new content and everything else of the old one.
    fn write_beside(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let doing = |errno| at(errno, &format!("writing {name} beside {}", self.path.display()));
        let write = || {
            step()?;
            // What a caller that was killed left.
            match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            step()?;
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let new = rustix::fs::openat(&self.directory, name, flags, Mode::from_raw_mode(0o600))?;
            let mut rest = bytes;
            let mut place = 0;
            while !rest.is_empty() {
                step()?;
                let len = retry_on_intr(|| rustix::io::pwrite(&new, rest, place))?;
                rest = rest.get(len..).unwrap_or_default();
                place += u64::try_from(len).unwrap_or_default();
            }
            let mut mode = NEW_FILE;
            if let (Some(old), Some(seen)) = (&self.file, &self.seen) {
                let made = rustix::fs::fstat(&new)?;
                if (made.st_uid, made.st_gid) != seen.owner {
                    step()?;
                    let (user, group) = (Uid::from_raw(seen.owner.0), Gid::from_raw(seen.owner.1));
                    rustix::fs::fchown(&new, Some(user), Some(group))?;
                }
                copy_attributes(old, &new)?;
                mode = seen.mode & 0o7777;
            }
            step()?;
            rustix::fs::fchmod(&new, Mode::from_raw_mode(mode))?;
            step()?;
            rustix::fs::fsync(&new)
        };
        write().map_err(doing)
    }

    /// A name beside the file that nobody looks for.
    fn beside(&self, suffix: &str) -> String {
        format!(".{}{suffix}", self.name().display())
    }
}

impl Seen {
    fn of(status: &Statx) -> Self {
        Self {
            inode: (status.stx_dev_major, status.stx_dev_minor, status.stx_ino),
            size: status.stx_size,
            changed: (status.stx_ctime.tv_sec, status.stx_ctime.tv_nsec),
            mode: status.stx_mode.into(),
            owner: (status.stx_uid, status.stx_gid),
        }
    }
}

/// Gives the new file every extended attribute that the old one has and it does not have alike.
fn copy_attributes(old: &OwnedFd, new: &OwnedFd) -> Result<(), Errno> {
    let mut names = vec![0; LONGEST_ATTRIBUTE];
    let len = match rustix::fs::flistxattr(old, names.as_mut_slice()) {
        Ok(len) => len,
        Err(Errno::OPNOTSUPP) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    let names = names.get(..len).unwrap_or_default().split(|byte| *byte == 0);
    for name in names.filter(|name| !name.is_empty()) {
        let value = |file: &OwnedFd| {
            let mut value = vec![0; LONGEST_ATTRIBUTE];
            let len = rustix::fs::fgetxattr(file, name, value.as_mut_slice())?;
            value.truncate(len);
            Ok::<_, Errno>(value)
        };
        let wanted = value(old)?;
        // The kernel labels new files by itself, mostly as their neighbours.
        if value(new).as_ref() != Ok(&wanted) {
            step()?;
            rustix::fs::fsetxattr(new, name, &wanted, XattrFlags::empty())?;
        }
    }
    Ok(())
}

/// A lock that one caller has at a time.
#[derive(Debug)]
pub(super) struct Lock<'a> {
    present: &'a Present,
    name: String,
    /// Open as long as it is locked.
    file: OwnedFd,
}

impl<'a> Lock<'a> {
    /// Takes it, and waits so long for others at most.
    pub(super) fn take(present: &'a Present, patience: Duration) -> Result<Self> {
        let name = present.beside(".iphelper-lock");
        let doing = |errno| at(errno, &format!("locking {}", present.path.display()));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let deadline = Instant::now() + patience;
        loop {
            step().map_err(doing)?;
            let file =
                rustix::fs::openat(&present.directory, name.as_str(), flags, Mode::from_raw_mode(0o600))
                    .map_err(doing)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    // The one before may have taken the file away between open and lock.
                    let locked = rustix::fs::fstat(&file).map_err(doing)?;
                    let there =
                        rustix::fs::statat(&present.directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW);
                    if there.is_ok_and(|there| (there.st_dev, there.st_ino) == (locked.st_dev, locked.st_ino))
                    {
                        return Ok(Self { present, name, file });
                    }
                }
                Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(Errno::AGAIN | Errno::INTR) => {
                    return Err(Error::new(ErrorKind::TimedOut, SETTING).because(format!(
                        "another program holds the lock on {name} for {} s",
                        patience.as_secs()
                    )));
                }
                Err(errno) => return Err(doing(errno)),
            }
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = &self.file;
        if step().is_ok() {
            let _ = rustix::fs::unlinkat(&self.present.directory, self.name.as_str(), AtFlags::empty());
        }
    }
}

/// Called before each write, so that a test can end a caller there.
#[allow(clippy::unnecessary_wraps, reason = "fails in tests alone")]
fn step() -> Result<(), Errno> {
    #[cfg(test)]
    crate::backend::linux::socket::killed::before_a_write().map_err(|_| Errno::OWNERDEAD)?;
    Ok(())
}

fn at(errno: Errno, doing: &str) -> Error {
    let error = system(SETTING, errno);
    match errno {
        Errno::ROFS => error
            .with_kind(ErrorKind::AccessDenied)
            .because(format!("{doing}: the file system is mounted read-only")),
        _ => error.because(doing.to_owned()),
    }
}
