//! The files of the records: a folder that root alone writes and everybody reads, and the lock in it.

use super::OPERATION;
use super::record::{Key, Record};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::namespace::system;
use crate::backend::linux::socket::icmpv6::namespace_cookie;
use crate::error::{Error, ErrorKind, Result};
use rustix::fs::{Access, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RawDir, Stat, flock};
use rustix::io::{Errno, retry_on_intr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PARENT: &str = "/var/lib/iphelper";
pub(super) const FOLDER: &str = "/var/lib/iphelper/port-reservations";
const LOCK: &str = "lock";
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);
/// More than each port reserved by itself for both protocols. Longer files are not read.
const LONGEST: usize = 8 << 20;

/// Where the record of one namespace is.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    name: String,
    key: Key,
}

impl Store {
    pub(super) fn of(host: &LinuxHost) -> Result<Self> {
        let cookie = if host.is_computers_first() {
            None
        } else {
            let cookie = namespace_cookie(host.route.take()?.as_fd());
            Some(cookie.map_err(|errno| system(OPERATION, errno).because("reading the namespace's cookie"))?)
        };
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Ok(Self::new(Path::new(FOLDER), Key { cookie, boot: boot.trim_end().to_owned() }))
    }

    fn new(folder: &Path, key: Key) -> Self {
        let name = key.cookie.map_or_else(|| "host".to_owned(), |cookie| cookie.to_string());
        Self { folder: folder.to_owned(), name, key }
    }

    #[cfg(test)]
    pub(super) fn in_folder(folder: &Path, key: Key) -> Self {
        Self::new(folder, key)
    }

    /// The record as it is now, for everybody; `None` where there is none.
    pub(super) fn read(&self) -> Result<Option<Record>> {
        match open_folder(&self.folder) {
            Ok(folder) => self.read_in(&folder),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.failed("opening", errno)),
        }
    }

    fn read_in(&self, folder: &OwnedFd) -> Result<Option<Record>> {
        let bytes = match read_file(folder, &self.name) {
            Ok(bytes) => bytes,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.failed("reading", errno)),
        };
        let record = std::str::from_utf8(&bytes).ok().and_then(|text| Record::parse(text, &self.key));
        match record {
            Some(record) => Ok(Some(record)),
            // A cookie of the last start of the computer may be another namespace's now.
            None if self.key.cookie.is_some() && !self.is_of_this_boot(&bytes) => Ok(None),
            None => Err(Error::new(ErrorKind::Other, OPERATION).because(format!(
                "{}/{} is not what this version wrote: look into it, and delete it if need be",
                self.folder.display(),
                self.name
            ))),
        }
    }

    fn is_of_this_boot(&self, bytes: &[u8]) -> bool {
        let line = format!("boot {}", self.key.boot);
        bytes.split(|byte| *byte == b'\n').nth(2) == Some(line.as_bytes())
    }

    fn failed(&self, what: &str, errno: Errno) -> Error {
        let error = system(OPERATION, errno);
        // Not the reservation is missing, and not a parameter of the caller's is wrong.
        let error = match errno {
            Errno::ROFS => error.with_kind(ErrorKind::AccessDenied),
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::INVAL | Errno::EXIST => {
                error.with_kind(ErrorKind::Other)
            }
            _ => error,
        };
        error.because(format!("{what} the record of reservations in {}", self.folder.display()))
    }

    /// Whether this caller may write the record, or make the folder for it.
    pub(super) fn check_may_write(&self) -> Result<()> {
        match open_folder(&self.folder) {
            Ok(folder) => self.check_roots(&folder)?,
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(self.failed("opening", errno)),
        }
        let may_write =
            |folder| rustix::fs::accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
        let mut answers = self.folder.ancestors().map(may_write).skip_while(|it| *it == Err(Errno::NOENT));
        answers
            .next()
            .unwrap_or(Err(Errno::NOENT))
            .map_err(|errno| self.failed("root alone (sudo) may write", errno))
    }

    fn check_roots(&self, folder: &OwnedFd) -> Result<()> {
        let stat = rustix::fs::fstat(folder).map_err(|errno| self.failed("looking at", errno))?;
        if is_roots(&stat) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::AccessDenied, OPERATION).because(format!(
            "{} is not root's alone: chown root:root and chmod 755 it",
            self.folder.display()
        )))
    }

    /// Takes the lock, waiting for others. Without a folder `None`, unless it is to be made.
    pub(super) fn lock(&self, make: bool) -> Result<Option<LockedStore<'_>>> {
        let folder = match open_folder(&self.folder) {
            Err(Errno::NOENT) if make => make_folder(Path::new(PARENT))
                .and_then(|()| make_folder(&self.folder))
                .and_then(|()| open_folder(&self.folder))
                .map_err(|errno| self.failed("making the folder for", errno))?,
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(|errno| self.failed("opening", errno))?,
        };
        self.check_roots(&folder)?;
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = rustix::fs::openat(&folder, LOCK, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| self.failed("opening the lock of", errno))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(LockedStore { store: self, folder, _lock: lock })),
                Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(Errno::AGAIN | Errno::INTR) => {
                    return Err(Error::new(ErrorKind::TimedOut, OPERATION).because(format!(
                        "another program holds the lock {}/{LOCK}",
                        self.folder.display()
                    )));
                }
                Err(errno) => return Err(self.failed("locking", errno)),
            }
        }
    }
}

/// The record while nobody else changes it.
#[derive(Debug)]
pub(super) struct LockedStore<'a> {
    store: &'a Store,
    folder: OwnedFd,
    /// Closing it unlocks.
    _lock: OwnedFd,
}

impl LockedStore<'_> {
    pub(super) fn read(&self) -> Result<Option<Record>> {
        self.store.read_in(&self.folder)
    }

    /// Replaces the file whole. One without reservations is kept for the computer's first namespace alone, whose tokens go on
    /// from there.
    pub(super) fn write(&self, record: &Record) -> Result<()> {
        let written =
            if record.rows.is_empty() && record.deletion.is_none() && self.store.key.cookie.is_some() {
                self.remove(&self.store.name)
            } else {
                self.replace(record.print(&self.store.key).as_bytes())
            };
        written.map_err(|errno| self.store.failed("writing", errno))
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), Errno> {
        #[cfg(test)]
        crate::backend::linux::socket::killed::before_a_write().map_err(|_| Errno::OWNERDEAD)?;
        let (name, new) = (self.store.name.as_str(), format!(".{}", self.store.name));
        // What a caller that was killed left is nobody's: the lock is this caller's.
        let _ = rustix::fs::unlinkat(&self.folder, new.as_str(), AtFlags::empty());
        self.write_new(&new, bytes)
            .and_then(|()| rustix::fs::renameat(&self.folder, new.as_str(), &self.folder, name))
            .inspect_err(|_| {
                let _ = rustix::fs::unlinkat(&self.folder, new.as_str(), AtFlags::empty());
            })?;
        rustix::fs::fsync(&self.folder)
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), Errno> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, name, flags, Mode::from_raw_mode(0o644))?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = retry_on_intr(|| rustix::io::write(&file, rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
        // Whatever this process' mask of modes is: everybody may look a token up.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
        rustix::fs::fsync(&file)
    }

    fn remove(&self, name: &str) -> Result<(), Errno> {
        #[cfg(test)]
        crate::backend::linux::socket::killed::before_a_write().map_err(|_| Errno::OWNERDEAD)?;
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    }

    /// Takes away the records of namespaces that ended with the last start of the computer.
    pub(super) fn sweep(&self) {
        let mut buffer = vec![MaybeUninit::uninit(); 4096];
        let mut old = Vec::new();
        let mut entries = RawDir::new(&self.folder, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_cookie = name.bytes().all(|byte| byte.is_ascii_digit());
            if is_cookie
                && read_file(&self.folder, &name).is_ok_and(|bytes| !self.store.is_of_this_boot(&bytes))
            {
                old.push(name);
            }
        }
        for name in old {
            let _ = self.remove(&name);
        }
    }
}

fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

fn make_folder(path: &Path) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(0o755);
    match rustix::fs::mkdir(path, mode) {
        Ok(()) => {
            rustix::fs::fchmod(open_folder(path)?, mode)?;
            // A record is as lasting as its folder is.
            let parent = path.parent().unwrap_or(path);
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            rustix::fs::fsync(rustix::fs::open(parent, flags, Mode::empty())?)
        }
        Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn is_roots(stat: &Stat) -> bool {
    stat.st_uid == 0 && stat.st_mode & 0o022 == 0
}

fn read_file(folder: &OwnedFd, name: &str) -> Result<Vec<u8>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_mode & 0o022 != 0 {
        return Err(Errno::PERM);
    }
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let len = retry_on_intr(|| rustix::io::read(&file, &mut part))?;
        if len == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(part.get(..len).unwrap_or_default());
        if bytes.len() > LONGEST {
            return Err(Errno::FBIG);
        }
    }
}
