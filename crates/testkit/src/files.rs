//! Tests of what programs read in `/etc` and `/run`: a thread with folders of its own in their place.

use crate::try_run;
use rustix::thread::UnshareFlags;
use std::path::Path;

/// What programs need of `/etc` to run and to look users up.
const COPIED: [&str; 4] = ["/etc/passwd", "/etc/group", "/etc/ld.so.cache", "/etc/ld.so.conf"];

/// Runs `work` on a thread of this thread's network namespace that has an `/etc`, a `/run` and a host name of its own, as do
/// the programs that it starts. Names of hosts are looked up in `/etc/hosts`, then by DNS, as `/etc/resolv.conf` says, which
/// is not there yet. `None`, said aloud, where the host does not allow such mounts.
pub fn with_private_files<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let worked = scope.spawn(|| {
            let copies: Vec<_> =
                COPIED.iter().filter_map(|path| Some((path, std::fs::read(path).ok()?))).collect();
            // SAFETY: only this thread, made for the purpose, changes its mounts and the host's name.
            let moved = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::NEWUTS) };
            let mounted = moved.map_err(|errno| errno.to_string()).and_then(|()| {
                let _ = try_run("mount --make-rprivate /")?;
                // Both at once: the second `mount` may want to write to `/run`.
                let _ = try_run("mount -n -t tmpfs -o mode=755 private /run")?;
                try_run("mount -n -t tmpfs -o mode=755 private /etc")
            });
            if let Err(error) = mounted {
                eprintln!("skipped: private folders cannot be mounted here: {error}");
                return None;
            }
            for (path, bytes) in copies {
                std::fs::write(path, bytes).expect("copying into the private /etc");
            }
            write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
            write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
            std::fs::create_dir_all("/run/dbus").expect("making /run/dbus");
            std::fs::create_dir_all("/run/netns").expect("making /run/netns");
            Some(work())
        });
        crate::join(worked)
    })
}

fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::write(&path, text)
        .unwrap_or_else(|error| panic!("writing {}: {error}", path.as_ref().display()));
}
