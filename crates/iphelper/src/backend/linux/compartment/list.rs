//! All namespaces that this caller can see, and the way into one of them.

use super::{FIRST_PROCESS, NAMES, OPERATION, Place, Primary, THREAD, compartment_guid, inode, open};
use crate::backend::linux::namespace::system;
use crate::backend::linux::process::Processes;
use crate::compartment::{Compartment, CompartmentId, OpenCompartment};
use crate::error::{Error, ErrorKind, Result};
use rustc_hash::FxHashMap;
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

pub(crate) fn compartments() -> Result<Vec<Compartment>> {
    let primary = Primary::complete();
    let here = primary.id(Place::of(THREAD).map_err(|errno| system(OPERATION, errno))?)?;
    let mut found: BTreeMap<CompartmentId, Found> = BTreeMap::new();
    found.entry(here).or_default().inode = inode("/proc/thread-self/ns/net").ok();
    for (inode, path) in mounts() {
        let Ok(id) = primary.id(Place { namespace: Some(inode), view: None }) else { continue };
        let entry = found.entry(id).or_default();
        entry.inode = Some(inode);
        match path.strip_prefix(NAMES).ok().and_then(Path::to_str) {
            Some(name) if !name.is_empty() && !name.contains('/') => {
                let _ = entry.names.insert(name.to_owned());
            }
            _ => {
                let _ = entry.paths.insert(path);
            }
        }
    }
    let mut views = FxHashMap::default();
    let mut hidden = Vec::new();
    for process in Processes::open()?.pids()? {
        let mut inodes = Vec::new();
        for thread in threads(process) {
            if let Ok(inode) = inode(&format!("{thread}/ns/net"))
                && !inodes.contains(&inode)
            {
                inodes.push(inode);
            }
        }
        if inodes.is_empty() {
            hidden.push(process);
        }
        for inode in inodes {
            let Ok(id) = primary.id(Place { namespace: Some(inode), view: None }) else { continue };
            let entry = found.entry(id).or_default();
            if entry.processes.is_empty()
                && let Ok(Place { namespace: Some(namespace), view: Some(view) }) =
                    Place::of(&format!("/proc/{process}"))
                && namespace == inode
            {
                let _ = views.insert(view, id);
            }
            entry.inode = Some(inode);
            entry.processes.push(process);
        }
    }
    for process in hidden {
        let Ok(place) = Place::of(&format!("/proc/{process}")) else { continue };
        let known = place.view.and_then(|view| views.get(&view).copied());
        if let Some(id) = known.or_else(|| primary.id(place).ok()) {
            let entry = found.entry(id).or_default();
            entry.processes.push(process);
            entry.processes.sort_unstable();
        }
    }
    let compartment = |(id, found): (CompartmentId, Found)| Compartment {
        id,
        guid: compartment_guid(id),
        inode: found.inode,
        names: found.names.into_iter().collect(),
        paths: found.paths.into_iter().collect(),
        processes: found.processes,
        is_current: id == here,
    };
    Ok(found.into_iter().map(compartment).collect())
}

#[derive(Debug, Default)]
struct Found {
    inode: Option<u64>,
    names: BTreeSet<String>,
    paths: BTreeSet<PathBuf>,
    processes: Vec<u32>,
}

pub(crate) fn open_compartment(id: CompartmentId) -> Result<OpenCompartment> {
    if id == CompartmentId::UNSPECIFIED {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION).because("0 is no compartment"));
    }
    // Who has it may leave it between a look and the opening; somebody else may have it still.
    let is_meant = |path: &Path| match open(path) {
        Ok(Ok(compartment)) => (compartment.id == id).then_some(compartment),
        Ok(Err(_)) | Err(_) => None,
    };
    let nearest = [format!("{THREAD}/ns/net"), format!("{FIRST_PROCESS}/ns/net")];
    if let Some(compartment) = nearest.iter().find_map(|path| is_meant(Path::new(path))) {
        return Ok(compartment);
    }
    let primary = Primary::complete();
    let is_id =
        |inode| primary.id(Place { namespace: Some(inode), view: None }).is_ok_and(|found| found == id);
    for (_, path) in mounts().into_iter().filter(|(inode, _)| is_id(*inode)) {
        if let Some(compartment) = is_meant(&path) {
            return Ok(compartment);
        }
    }
    for process in Processes::open()?.pids()? {
        for thread in threads(process) {
            let path = format!("{thread}/ns/net");
            if inode(&path).is_ok_and(is_id)
                && let Some(compartment) = is_meant(Path::new(&path))
            {
                return Ok(compartment);
            }
        }
    }
    if id == CompartmentId::PRIMARY && inode(&format!("{FIRST_PROCESS}/ns/net")) == Err(Errno::ACCESS) {
        return Err(super::not_for_this_caller());
    }
    Err(Error::new(ErrorKind::NotFound, OPERATION)
        .because(format!("no process and no mount that this caller can see has the network namespace {id}")))
}

/// The folders of a process' threads; none where it has ended.
fn threads(process: u32) -> impl Iterator<Item = String> {
    let folder = std::fs::read_dir(format!("/proc/{process}/task"));
    folder
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.path().into_os_string().into_string().ok())
}

/// The network namespaces that are mounted in this thread's view of files, with the places.
pub(super) fn mounts() -> Vec<(u64, PathBuf)> {
    let file = std::fs::read(format!("{THREAD}/mountinfo")).unwrap_or_default();
    file.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// Reads a line of `mountinfo` (`proc_pid_mountinfo(5)`): number, parent, device, root, place, ...
fn mount(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let root = std::str::from_utf8(fields.nth(3)?).ok()?;
    let inode = root.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
    let place = unescape(fields.next()?);
    Some((inode, PathBuf::from(OsString::from_vec(place))))
}

/// Blanks and the like are written as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .filter(|digits| *byte == b'\\' && digits.iter().all(|it| matches!(it, b'0'..=b'7')));
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(value.unwrap_or(*byte));
        rest = if value.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn namespaces_are_found_among_the_mounts() {
        let line = b"371 24 0:4 net:[4026532177] /run/netns/my\\040blue\\134 rw shared:193 - nsfs nsfs rw";
        assert_eq!(mount(line), Some((4_026_532_177, PathBuf::from("/run/netns/my blue\\"))));
        for other in [
            &b"371 24 0:4 mnt:[4026532177] /run/mine rw - nsfs nsfs rw"[..],
            b"28 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
            b"371 24 0:4 net:[x] /run/netns/blue rw",
            b"371 24 0:4 net:[7]",
            b"",
        ] {
            assert_eq!(mount(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_left(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = mount(&line);
            prop_assert!(unescape(&line).len() <= line.len());
        }
    }
}
