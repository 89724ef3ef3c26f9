//! Tests of what programs read in files: a thread with mounts of its own, `/etc` and `/run` above all.

use crate::try_run;
use rustix::thread::UnshareFlags;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// What programs need of `/etc` to run and to look users up.
const COPIED: [&str; 4] = ["/etc/passwd", "/etc/group", "/etc/ld.so.cache", "/etc/ld.so.conf"];

/// Makes a folder in the one for temporary files, named after what it is for. Who asked takes it away.
///
/// Nobody else has it: the number of a process is the same in other process namespaces, and in the next run of one.
#[must_use]
pub fn new_folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("iphelper-{name}-{}-{number}", std::process::id()));
        match std::fs::create_dir(&path) {
            Ok(()) => return path,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("making {}: {error}", path.display()),
        }
    }
}

/// Runs `work` on a thread of this thread's network namespace that has an `/etc`, a `/run` and a host name of its own, as do
/// the programs that it starts. Names of hosts are looked up in `/etc/hosts`, then by DNS, as `/etc/resolv.conf` says, which
/// is not there yet. `None`, said aloud, where the host does not allow such mounts.
pub fn with_private_files<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let copies: Vec<_> = COPIED.iter().filter_map(|path| Some((path, std::fs::read(path).ok()?))).collect();
    with_empty_folders(&["/run", "/etc"], || {
        for (path, bytes) in copies {
            std::fs::write(path, bytes).expect("copying into the private /etc");
        }
        write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
        write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
        std::fs::create_dir_all("/run/dbus").expect("making /run/dbus");
        std::fs::create_dir_all("/run/netns").expect("making /run/netns");
        work()
    })
}

/// Runs `work` on a thread of this thread's namespace that sees `/proc/sys` mounted read-only. `None`, said aloud,
/// where the host does not allow such a mount.
pub fn with_read_only_sysctls<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let mounts = ["mount --bind /proc/sys /proc/sys", "mount -o remount,bind,ro /proc/sys"];
    with_mounts(&mounts.map(str::to_owned), work)
}

/// Runs `work` on a thread of this thread's namespace that sees these folders empty, and may write there; nobody else
/// sees that. `None`, said aloud, where the host does not allow such mounts.
pub fn with_empty_folders<T: Send>(folders: &[&str], work: impl FnOnce() -> T + Send) -> Option<T> {
    // `-n`: `mount` may want to write to `/run`, which is another one by then.
    let mount = |folder: &&str| format!("mount -n -t tmpfs -o mode=755 private {folder}");
    let mounts: Vec<String> = folders.iter().map(mount).collect();
    with_mounts(&mounts, work)
}

/// Runs `work` on a thread of this thread's namespace that sees `file` at `path`, where there must be one; nobody else does
/// but the programs that it starts. `None`, said aloud, where the host does not allow such a mount.
pub fn with_file_at<T: Send>(path: &str, file: &str, work: impl FnOnce() -> T + Send) -> Option<T> {
    with_mounts(&[format!("mount --bind {file} {path}")], work)
}

/// The thread has a host name of its own, too.
fn with_mounts<T: Send>(mounts: &[String], work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let worked = scope.spawn(|| {
            // SAFETY: only this thread, made for the purpose, changes its mounts and the host's name.
            let moved = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::NEWUTS) };
            let mounted = moved.map_err(|errno| errno.to_string()).and_then(|()| {
                let _ = try_run("mount --make-rprivate /")?;
                mounts.iter().try_for_each(|mount| try_run(mount).map(drop))
            });
            match mounted {
                Ok(()) => Some(work()),
                Err(error) => {
                    eprintln!("skipped: mounts of a thread's own cannot be had here: {error}");
                    None
                }
            }
        });
        crate::join(worked)
    })
}

fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::write(&path, text)
        .unwrap_or_else(|error| panic!("writing {}: {error}", path.as_ref().display()));
}
