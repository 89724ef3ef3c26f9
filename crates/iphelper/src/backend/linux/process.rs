//! Which process holds a socket: one pass over the descriptors of all processes, joined with the sockets by inode.
//!
//! A process is looked at through one descriptor of its directory in `/proc`. Such a descriptor stays with the process
//! when its number is given to another one, so that name and descriptors are always the same process's.

use super::namespace::system;
use super::thread::start_helper;
use crate::error::Result;
use crate::socket::Owner;
use rustc_hash::FxHashMap;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir};
use rustix::io::{Errno, retry_on_intr};
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// More threads than this find the processes' locks taken.
const MOST_THREADS: usize = 4;
/// The name of a link to a socket is `socket:[` and at most ten digits.
const LINK_LEN: usize = 32;
/// No holder found.
const NOBODY: u32 = u32::MAX;

/// `/proc`.
#[derive(Debug)]
pub(super) struct Processes {
    proc: OwnedFd,
}

/// One process, as long as this value lives: a later one with the same number is told apart.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    directory: OwnedFd,
}

impl Processes {
    pub(super) fn open() -> Result<Self> {
        let proc = directory(rustix::fs::CWD, "/proc")
            .map_err(|errno| system("opening /proc", errno).because("is it mounted?"))?;
        Ok(Self { proc })
    }

    /// The numbers of all processes that this caller may see, ascending.
    pub(super) fn pids(&self) -> Result<Vec<u32>> {
        let mut pids = Vec::new();
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        let readable = directory(&self.proc, ".").map_err(|errno| system("reading /proc", errno))?;
        let mut entries = RawDir::new(&readable, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|errno| system("reading /proc", errno))?;
            pids.extend(number(entry.file_name()));
        }
        pids.sort_unstable();
        Ok(pids)
    }

    /// The process with this number; `None` if there is none.
    pub(super) fn process(&self, pid: u32) -> Result<Option<Process>> {
        match self.find(pid) {
            Ok(process) => Ok(Some(process)),
            Err(Errno::NOENT | Errno::SRCH) => Ok(None),
            Err(errno) => Err(system("looking at a process", errno)),
        }
    }

    fn find(&self, pid: u32) -> Result<Process, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            retry_on_intr(|| rustix::fs::openat(&self.proc, pid.to_string(), flags, Mode::empty()))?;
        Ok(Process { pid, directory })
    }

    /// Who holds the sockets with these inodes: of several, the process with the lowest number. Processes that this
    /// caller may not look into hold none.
    pub(super) fn owners(&self, inodes: impl Iterator<Item = u64>) -> Result<FxHashMap<u64, Owner>> {
        let wanted: FxHashMap<u64, AtomicU32> = inodes.map(|inode| (inode, AtomicU32::new(NOBODY))).collect();
        if wanted.is_empty() {
            return Ok(FxHashMap::default());
        }
        let pids = self.pids()?;
        let threads =
            std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(pids.len());
        let found = match self.search(&pids, &wanted, threads) {
            // One thread alone needs fewer descriptors.
            Err(errno) if errno == Errno::MFILE && threads > 1 => self.search(&pids, &wanted, 1),
            found => found,
        };
        let mut names = found.map_err(|errno| system("looking for the owners of sockets", errno))?;
        names.shrink_to_fit();
        let owner = |(inode, pid): (u64, AtomicU32)| {
            let pid = pid.into_inner();
            Some((inode, Owner { pid, name: Arc::clone(names.get(&pid)?) }))
        };
        Ok(wanted.into_iter().filter_map(owner).collect())
    }

    /// One pass over processes; the names of those that hold a wanted socket.
    fn search(
        &self,
        pids: &[u32],
        wanted: &FxHashMap<u64, AtomicU32>,
        threads: usize,
    ) -> Result<FxHashMap<u32, Arc<str>>, Errno> {
        for pid in wanted.values() {
            pid.store(NOBODY, Ordering::Relaxed);
        }
        let search = Search { processes: self, pids, wanted, next: 0.into(), missing: wanted.len().into() };
        std::thread::scope(|scope| {
            let search = &search;
            // Without a second thread the first does all the work.
            let helpers: Vec<_> = (1..threads)
                .filter_map(|_| start_helper(scope, "iphelper-owners", || search.run()))
                .collect();
            let mut names = search.run();
            for helper in helpers {
                let others = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                names = names.and_then(|mut names| {
                    names.extend(others?);
                    Ok(names)
                });
            }
            names
        })
    }

    /// Every socket of those of the processes `pids` (ascending) whose name is `wanted`, with its owner.
    pub(super) fn sockets(
        &self,
        pids: &[u32],
        mut wanted: impl FnMut(&str) -> bool,
        unreadable: Unreadable,
    ) -> Result<FxHashMap<u64, Owner>> {
        let mut sockets = FxHashMap::default();
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        for pid in pids.iter().copied() {
            let read = self.find(pid).and_then(|process| {
                let name = process.name()?;
                if !wanted(&name) {
                    return Ok(());
                }
                let owner = Owner { pid, name };
                process.sockets(&mut buffer, |inode| {
                    let _ = sockets.entry(inode).or_insert_with(|| owner.clone());
                })
            });
            match read {
                Err(errno) if is_lack(errno) => {
                    return Err(system("looking at a process's descriptors", errno));
                }
                Err(errno @ (Errno::ACCESS | Errno::PERM)) if unreadable == Unreadable::Refuse => {
                    return Err(system("looking at a process's descriptors", errno)
                        .because(format!("process {pid} is another user's: needs CAP_SYS_PTRACE")));
                }
                // Others are gone, or ended half-way.
                _ => {}
            }
        }
        Ok(sockets)
    }
}

/// What to do about a process that this caller may not look into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unreadable {
    /// Go on without it.
    Skip,
    /// Fail: to leave it out would say that it holds nothing.
    Refuse,
}

/// A search for the holders of sockets, by several threads that take processes in ascending order.
struct Search<'a> {
    processes: &'a Processes,
    pids: &'a [u32],
    /// For each inode the lowest process found up to now.
    wanted: &'a FxHashMap<u64, AtomicU32>,
    next: AtomicUsize,
    /// How many inodes have no holder yet. At 0 no further process is begun: all that are lower have been begun, and
    /// each is read to its end.
    missing: AtomicUsize,
}

impl Search<'_> {
    /// Takes processes until none is left; the names of those that hold a socket. Fails with what this process lacks to
    /// look at others: to pass over them would say that they hold nothing.
    fn run(&self) -> Result<FxHashMap<u32, Arc<str>>, Errno> {
        let mut names = FxHashMap::default();
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        while self.missing.load(Ordering::Relaxed) != 0 {
            let Some(pid) = self.pids.get(self.next.fetch_add(1, Ordering::Relaxed)) else { break };
            // A process that is gone or closed to this caller is passed over.
            let process = match self.processes.find(*pid) {
                Err(errno) if is_lack(errno) => return Err(errno),
                Err(_) => continue,
                Ok(process) => process,
            };
            let mut holds = false;
            let read = process.sockets(&mut buffer, |inode| {
                if let Some(lowest) = self.wanted.get(&inode) {
                    holds = true;
                    if lowest.fetch_min(*pid, Ordering::Relaxed) == NOBODY {
                        let _ = self.missing.fetch_sub(1, Ordering::Relaxed);
                    }
                }
            });
            let name = if holds { process.name().map(Some) } else { Ok(None) };
            match (read, name) {
                (Err(errno), _) | (_, Err(errno)) if is_lack(errno) => return Err(errno),
                // It has ended since if it has no name any more.
                (_, name) => names.extend(name.ok().flatten().map(|name| (*pid, name))),
            }
        }
        Ok(names)
    }
}

impl Process {
    /// Gives the inode of each open socket to `visit`.
    pub(super) fn sockets(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        mut visit: impl FnMut(u64),
    ) -> Result<(), Errno> {
        if sockets_in(directory(&self.directory, "fd")?, buffer, &mut visit)? {
            return Ok(());
        }
        // The first thread of a process may end before the others, and its files are gone with it.
        for thread in self.threads(buffer)? {
            let descriptors = match directory(&self.directory, &format!("task/{thread}/fd")) {
                Err(Errno::NOENT | Errno::SRCH) => continue,
                descriptors => descriptors?,
            };
            // Threads have their files in common.
            if sockets_in(descriptors, buffer, &mut visit)? {
                break;
            }
        }
        Ok(())
    }

    /// Its threads but the first.
    fn threads(&self, buffer: &mut [MaybeUninit<u8>]) -> Result<Vec<u32>, Errno> {
        let mut threads = Vec::new();
        let tasks = directory(&self.directory, "task")?;
        let mut entries = RawDir::new(&tasks, buffer);
        while let Some(entry) = entries.next() {
            threads.extend(number(entry?.file_name()).filter(|thread| *thread != self.pid));
        }
        Ok(threads)
    }

    /// Whether the process has the socket with this inode open.
    pub(super) fn holds(&self, inode: u64) -> Result<bool, Errno> {
        let mut found = false;
        self.sockets(&mut vec![MaybeUninit::uninit(); 32 * 1024], |open| found |= open == inode)?;
        Ok(found)
    }

    /// The short name.
    pub(super) fn name(&self) -> Result<Arc<str>, Errno> {
        let mut bytes = [0; 64];
        let file = self.file("comm")?;
        let len = retry_on_intr(|| rustix::io::read(&file, &mut bytes))?;
        let name = bytes.get(..len).unwrap_or_default();
        Ok(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(name)).into())
    }

    /// The path of the program, as its own mount namespace has it.
    pub(super) fn path(&self) -> Result<PathBuf, Errno> {
        let read = |name: &str| rustix::fs::readlinkat(&self.directory, name, Vec::new());
        let (name, link) = match read("exe") {
            // The first thread has ended, and has no program any more; the others have.
            Err(Errno::NOENT) => {
                let program = |thread| format!("task/{thread}/exe");
                let mut others =
                    self.threads(&mut vec![MaybeUninit::uninit(); 4 * 1024])?.into_iter().map(program);
                others.find_map(|name| read(&name).ok().map(|link| (name, link))).ok_or(Errno::NOENT)?
            }
            link => ("exe".to_owned(), link?),
        };
        let link = link.into_bytes();
        // The kernel marks the name of a program whose file is gone, and a file may be named so, too.
        let gone = rustix::fs::statat(&self.directory, name.as_str(), AtFlags::empty())
            .is_ok_and(|file| file.st_nlink == 0);
        let path = if gone { link.strip_suffix(b" (deleted)").unwrap_or(&link) } else { &link };
        Ok(PathBuf::from(OsStr::from_bytes(path)))
    }

    /// The numbers of the parent process and of the session; 0 for one that this caller cannot see.
    pub(super) fn parent_and_session(&self) -> Result<(u32, u32), Errno> {
        let mut bytes = [0; 512];
        let file = self.file("stat")?;
        let len = retry_on_intr(|| rustix::io::read(&file, &mut bytes))?;
        // proc_pid_stat(5): number, (name), state, parent, group, session. The name may hold anything, a parenthesis
        // too.
        let text = bytes.get(..len).unwrap_or_default();
        let behind = text.iter().rposition(|byte| *byte == b')').and_then(|end| text.get(end + 1..));
        let fields = behind.and_then(|fields| std::str::from_utf8(fields).ok()).unwrap_or_default();
        let field = |position| fields.split_whitespace().nth(position)?.parse().ok();
        field(1).zip(field(3)).ok_or(Errno::INVAL)
    }

    fn file(&self, name: &str) -> Result<OwnedFd, Errno> {
        retry_on_intr(|| {
            rustix::fs::openat(&self.directory, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        })
    }
}

/// Gives the inode of each socket in a directory of descriptors to `visit`, and tells whether there was a descriptor.
fn sockets_in(
    descriptors: OwnedFd,
    buffer: &mut [MaybeUninit<u8>],
    visit: &mut impl FnMut(u64),
) -> Result<bool, Errno> {
    let mut any = false;
    let mut link = [MaybeUninit::uninit(); LINK_LEN];
    let mut entries = RawDir::new(&descriptors, buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        match rustix::fs::readlinkat_raw(&descriptors, entry.file_name(), &mut link) {
            Ok((target, _)) => {
                any = true;
                if let Some(inode) = socket_inode(target) {
                    visit(inode);
                }
            }
            // A descriptor that was closed meanwhile, or `.`.
            Err(Errno::NOENT | Errno::INVAL) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(any)
}

fn directory(at: impl std::os::fd::AsFd, name: &str) -> Result<OwnedFd, Errno> {
    let at: BorrowedFd<'_> = at.as_fd();
    retry_on_intr(|| {
        rustix::fs::openat(at, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    })
}

/// Whether it is this process that lacks something, not the one that is looked at.
pub(super) fn is_lack(errno: Errno) -> bool {
    matches!(errno, Errno::MFILE | Errno::NFILE | Errno::NOMEM)
}

/// The number that a name in `/proc` is.
fn number(name: &CStr) -> Option<u32> {
    name.to_str().ok()?.parse().ok()
}

/// The inode in `socket:[12345]`.
fn socket_inode(link: &[u8]) -> Option<u64> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_sockets_have_an_inode() {
        assert_eq!(socket_inode(b"socket:[12345]"), Some(12_345));
        for link in [&b"socket:[]"[..], b"socket:[1", b"pipe:[1]", b"/tmp/socket:[1]", b"socket:[-1]", b""] {
            assert_eq!(socket_inode(link), None, "{link:?}");
        }
        // Cut off by the buffer, as a longer path is.
        assert_eq!(socket_inode(b"socket:[123456789012345678901234"), None);
    }

    #[test]
    fn a_process_is_itself() {
        let processes = Processes::open().unwrap();
        let this = processes.process(std::process::id()).unwrap().unwrap();
        let (parent, session) = this.parent_and_session().unwrap();
        assert_eq!(parent, std::os::unix::process::parent_id());
        let stat = std::process::Command::new("cat").arg("/proc/self/stat").output().unwrap().stdout;
        let of_child = String::from_utf8(stat).unwrap().split(' ').nth(5).unwrap().parse();
        assert_eq!(Ok(session), of_child, "a child is in its parent's session");
        assert_eq!(this.path().unwrap(), std::env::current_exe().unwrap());
        assert!(processes.pids().unwrap().is_sorted());
        assert!(processes.pids().unwrap().contains(&this.pid));
        assert!(processes.process(u32::MAX).unwrap().is_none());
    }
}
