//! A copy of what is set, in a file, for the case that somebody takes all of it out of the kernel while no keeper runs.
//!
//! The kernel's state goes before the file: the file counts where the kernel has no route of ours that remembers anything.
//! Whoever has the lock takes the file away before the first change and writes it anew
//! after the last one, so that a caller which is killed in between leaves none, and the kernel's state alone counts.
//!
//! The folder is made by the package (`packaging/tmpfiles.d`) and belongs to root alone; where it is not there, no copy is
//! kept. A caller who may change the kernel's state and not the folder leaves a note in the kernel when it leaves nothing
//! else there: then the file is out of date.
//!
//! The file holds two lines, which name the namespace and the start of the computer, and then the routes as the messages
//! that make them.

use super::batch::send_all;
use super::marker::route_of;
use super::memory::state_in;
use super::names::{MARKERS, OUT_OF_DATE, PROTOCOL, STATE_TABLES};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::icmpv6::namespace_cookie;
use crate::backend::linux::socket::{Pool, Socket};
use crate::error::Result;
use iphelper_netlink::message::{ACK, APPEND, CREATE, Messages};
use iphelper_netlink::rtnetlink::route::{NEW_ROUTE, Route, kind};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Where the copies are, a file for each namespace.
const DIRECTORY: &str = "/run/iphelper";
const FIRST_LINE: &str = "iphelper-state 1";
/// Some ten thousand settings. Longer files are not read.
const LONGEST: usize = 16 << 20;

/// What names the namespace: its cookie, and a line with the cookie and the computer's start, of which the cookie is.
pub(in crate::backend::linux) fn key_of(socket: &Socket) -> Result<(u64, String), Errno> {
    let cookie = namespace_cookie(socket.as_fd())?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Ok((cookie, format!("namespace {cookie} boot {}", boot.trim_end())))
}

/// The copy of one namespace's state, while somebody has the lock.
#[derive(Debug)]
pub(super) struct StateCopy {
    sockets: Arc<Pool>,
    /// `None`: the folder is there, and not for this caller.
    file: Option<StateFile>,
    /// Whether something was set when the lock was taken.
    had_state: bool,
}

impl StateCopy {
    /// Puts back what the file says if the kernel has nothing, and takes the file away. `None` where no copy is kept.
    /// The second value tells whether something was put back. The caller has the lock.
    pub(super) fn begin(host: &LinuxHost) -> Option<(Self, bool)> {
        let mut socket = host.route.take().ok()?;
        let file = match StateFile::locate(&socket) {
            Ok(file) => Some(file),
            Err(Errno::ACCESS | Errno::PERM) => None,
            Err(_) => return None,
        };
        let mut there = state_in(&mut socket).ok()?;
        let mut restored = false;
        if let Some(file) = &file {
            if there.is_empty() {
                let saved = file.read().unwrap_or_default();
                let all = saved.iter().map(|route| route.add(CREATE | APPEND));
                restored =
                    !saved.is_empty() && send_all(&mut socket, all).is_ok_and(|refused| refused.is_empty());
                there = saved;
            }
            let _ = send_all(&mut socket, [out_of_date().delete()]);
            file.remove();
        }
        let sockets = Arc::clone(&host.route);
        Some((Self { sockets, file, had_state: !there.is_empty() }, restored))
    }

    /// Whether the file has what the kernel lost.
    pub(super) fn is_needed(host: &LinuxHost) -> bool {
        let Ok(mut socket) = host.route.take() else { return false };
        let Ok(file) = StateFile::locate(&socket) else { return false };
        file.read().is_ok_and(|saved| !saved.is_empty())
            && state_in(&mut socket).is_ok_and(|there| there.is_empty())
    }

    /// Writes what is set now. The caller has the lock still. A failure costs the copy, and nothing else.
    pub(super) fn save(&self) {
        let Ok(mut socket) = self.sockets.take() else { return };
        let Ok(state) = state_in(&mut socket) else { return };
        match &self.file {
            Some(file) if !state.is_empty() => drop(file.write(&state)),
            Some(_) => {}
            None if state.is_empty() && self.had_state => {
                let _ = send_all(&mut socket, [out_of_date().add(CREATE | ACK)]);
            }
            None => {}
        }
    }
}

/// The note that the file is older than what is set.
fn out_of_date() -> Route {
    route_of(MARKERS, 0, OUT_OF_DATE)
}

/// The file of one namespace.
#[derive(Debug)]
struct StateFile {
    directory: OwnedFd,
    name: String,
    key: String,
}

impl StateFile {
    fn locate(socket: &Socket) -> Result<Self, Errno> {
        let directory = open_directory(DIRECTORY)?;
        let (cookie, key) = key_of(socket)?;
        Ok(Self { directory, name: format!("{cookie}.state"), key })
    }

    /// Replaces the file whole, readable for root alone.
    fn write(&self, state: &[Route]) -> Result<(), Errno> {
        let new = format!(".{}", self.name);
        // What a caller that was killed left is nobody's: the lock is this caller's.
        let _ = rustix::fs::unlinkat(&self.directory, new.as_str(), AtFlags::empty());
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, new.as_str(), flags, Mode::from_raw_mode(0o600))?;
        let bytes = print(&self.key, state);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let written = retry_on_intr(|| rustix::io::write(&file, rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
        rustix::fs::fsync(&file)?;
        rustix::fs::renameat(&self.directory, new.as_str(), &self.directory, self.name.as_str())
    }

    fn read(&self) -> Result<Vec<Route>, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, self.name.as_str(), flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_roots_alone(&stat) {
            return Err(Errno::PERM);
        }
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let len = retry_on_intr(|| rustix::io::read(&file, &mut part))?;
            bytes.extend_from_slice(part.get(..len).unwrap_or_default());
            if len == 0 {
                return parse(&bytes, &self.key).ok_or(Errno::BADMSG);
            }
            if bytes.len() > LONGEST {
                return Err(Errno::FBIG);
            }
        }
    }

    fn remove(&self) {
        let _ = rustix::fs::unlinkat(&self.directory, self.name.as_str(), AtFlags::empty());
    }
}

/// Opens a folder that belongs to root alone.
fn open_directory(path: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty())?;
    if is_roots_alone(&rustix::fs::fstat(&directory)?) { Ok(directory) } else { Err(Errno::NOENT) }
}

fn is_roots_alone(stat: &Stat) -> bool {
    stat.st_uid == 0 && stat.st_mode & 0o077 == 0
}

fn print(key: &str, state: &[Route]) -> Vec<u8> {
    let mut bytes = format!("{FIRST_LINE}\n{key}\n").into_bytes();
    for (route, number) in state.iter().zip(1..) {
        bytes.extend_from_slice(route.add(CREATE).finish(number));
    }
    bytes
}

/// The routes in a file; `None` if it is not whole, of another namespace or start, or holds anything but routes that
/// remember settings.
fn parse(bytes: &[u8], key: &str) -> Option<Vec<Route>> {
    let rest = bytes.strip_prefix(FIRST_LINE.as_bytes())?.strip_prefix(b"\n")?;
    let rest = rest.strip_prefix(key.as_bytes())?.strip_prefix(b"\n")?;
    let read = |message: Result<iphelper_netlink::message::Message<'_>, _>| {
        let message = message.ok().filter(|message| message.header.kind == NEW_ROUTE)?;
        Route::parse(&message).ok().flatten().filter(remembers)
    };
    Messages::new(rest).map(read).collect()
}

/// What `fuzz/targets/state_file.rs` runs: of any bytes nothing is taken but routes that remember settings, and these are
/// written as they are read.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    const KEY: &str = "namespace 7 boot 0";
    let whole = [print(KEY, &[]).as_slice(), bytes].concat();
    for text in [bytes, &whole] {
        let Some(routes) = parse(text, KEY) else { continue };
        assert!(routes.iter().all(remembers), "{routes:?}");
        let written = print(KEY, &routes);
        let again = parse(&written, KEY).map(|routes| print(KEY, &routes));
        assert_eq!(again.as_ref(), Some(&written));
    }
}

/// Whether a route leads nowhere and stands where no packet meets it.
fn remembers(route: &Route) -> bool {
    route.family == 2
        && route.kind == kind::THROW
        && route.protocol == PROTOCOL
        && STATE_TABLES.contains(&route.table)
        && route.interfaces().next().is_none()
        && (route.gateway, route.next_hop_id, route.expires) == (None, None, None)
        && route.other.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_netlink::rtnetlink::route::metric;
    use proptest::prelude::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    const KEY: &str = "namespace 7 boot 0";

    fn state() -> Vec<Route> {
        let mut route = route_of(MARKERS, 7, 401);
        route.metrics.set(metric::WINDOW, Some(914_022));
        vec![route_of(STATE_TABLES[0], 2, 16_904_806), route]
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = iphelper_testkit::new_folder(name);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            Self(path)
        }

        fn file(&self) -> Result<StateFile, Errno> {
            let directory = open_directory(self.0.to_str().unwrap())?;
            Ok(StateFile { directory, name: "7.state".to_owned(), key: KEY.to_owned() })
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_state_reads_back_whole_or_not_at_all() {
        let bytes = print(KEY, &state());
        assert_eq!(parse(&bytes, KEY), Some(state()));
        assert_eq!(parse(&bytes, "namespace 8 boot 0"), None);
        for len in 0..bytes.len() {
            let cut = parse(&bytes[..len], KEY);
            assert!(cut.is_none() || cut.unwrap().len() < 2, "cut at {len}");
        }
        let foreign = Route { table: 254, ..route_of(MARKERS, 7, 1) };
        assert_eq!(parse(&print(KEY, &[foreign]), KEY), None, "a route that packets meet");
        let leading = Route { interface: Some(2), ..route_of(MARKERS, 7, 1) };
        assert_eq!(parse(&print(KEY, &[leading]), KEY), None, "a route that leads somewhere");
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_roots_alone() {
        let folder = Folder::new("file");
        let Ok(file) = folder.file() else {
            eprintln!("skipped: only root can own such a folder");
            return;
        };
        assert_eq!(file.read(), Err(Errno::NOENT));
        file.write(&state()).unwrap();
        file.write(&state()).unwrap();
        assert_eq!(file.read(), Ok(state()));
        let path = folder.0.join("7.state");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(file.read(), Err(Errno::PERM), "somebody else may have looked, or written");
        file.remove();
        let elsewhere = folder.0.join("elsewhere");
        std::fs::write(&elsewhere, print(KEY, &state())).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert_eq!(file.read(), Err(Errno::LOOP), "links are not followed");
        symlink("/etc/passwd", folder.0.join(".7.state")).unwrap();
        file.write(&state()).unwrap();
        assert_eq!(file.read(), Ok(state()));
        std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(folder.file().err(), Some(Errno::NOENT), "a folder for everybody is not used");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), place in 0..200_usize, byte: u8) {
            let head = format!("{FIRST_LINE}\n{KEY}\n");
            let _ = parse(&[head.as_bytes(), &tail].concat(), KEY);
            let mut bytes = print(KEY, &state());
            if let Some(changed) = bytes.get_mut(place) {
                *changed = byte;
            }
            for route in parse(&bytes, KEY).unwrap_or_default() {
                prop_assert!(remembers(&route));
            }
        }
    }
}
