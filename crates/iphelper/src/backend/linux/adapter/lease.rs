//! Leases of DHCP clients, as their own files tell them.
//!
//! The files are other programs', in formats that they do not promise to keep: each is read up to a bound, what is odd in
//! it is passed over, and a lease counts only while the interface has its address. So a file of another network namespace,
//! or what a client left behind, tells nothing.

mod dhclient;
mod dhcpcd;
mod network_manager;
mod networkd;
mod packet;
mod variables;

use super::Known;
use crate::adapter::{DhcpClient, DhcpLease, Dhcpv6Client};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::Result;
use crate::types::Family;
use rustix::fs::{Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, accessat, openat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

/// More bytes than any client keeps of one interface.
const LONGEST_FILE: u64 = 1 << 20;
/// More files than any folder of leases has.
const MOST_FILES: usize = 4096;

/// A lease and its interface.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Found<T> {
    interface: Subject,
    told: T,
}

/// How a client's file names an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Subject {
    Index(u32),
    Name(Vec<u8>),
}

impl Subject {
    fn is(&self, link: &Link) -> bool {
        match self {
            Self::Index(index) => *index == link.index.0,
            Self::Name(name) => *name == link.name,
        }
    }
}

/// What all clients tell.
#[derive(Debug, Default)]
pub(super) struct Leases {
    ipv4: Vec<Found<DhcpLease>>,
    ipv6: Vec<Found<Dhcpv6Client>>,
}

impl LinuxHost {
    pub(super) fn add_leases(&self, known: &mut [Known<'_>], families: &[Family]) -> Result<()> {
        let leases = Leases::read();
        for it in known {
            let Known { link, adapter, .. } = it;
            if families.contains(&Family::V4) {
                let has = |address: Ipv4Addr| {
                    let address = IpAddr::V4(address);
                    adapter.unicast_addresses.iter().any(|row| row.address == address)
                };
                let of_link =
                    leases.ipv4.iter().filter(|found| found.interface.is(link) && has(found.told.address));
                // Of several that one client wrote, or two clients, the one that goes on longest.
                let longest = of_link.max_by_key(|found| {
                    let lease = &found.told;
                    (lease.remaining().is_some_and(crate::types::Lifetime::is_infinite), lease.expires())
                });
                adapter.dhcp = longest.map(|found| found.told.clone());
            }
            if families.contains(&Family::V6) {
                let mut of_link = leases.ipv6.iter().filter(|found| found.interface.is(link));
                adapter.dhcpv6 = of_link.next().map(|found| found.told.clone());
            }
        }
        Ok(())
    }
}

impl Leases {
    /// What a client's file tells of an interface now.
    pub(super) fn of(&self, link: &Link, client: DhcpClient) -> Option<DhcpLease> {
        let mut of_link = self.ipv4.iter().filter(|it| it.interface.is(link) && it.told.client == client);
        of_link.next().map(|it| it.told.clone())
    }

    pub(super) fn read() -> Self {
        let mut leases = Self::default();
        each_file(networkd::FOLDER, |name, file| {
            leases.ipv4.extend(networkd::lease(name, &file));
        });
        each_file(network_manager::FOLDER, |name, file| network_manager::read(name, &file, &mut leases));
        for folder in dhclient::FOLDERS {
            each_file(folder, |name, file| {
                if dhclient::is_lease_file(name) {
                    dhclient::read(&file.bytes, &mut leases);
                }
            });
        }
        for folder in dhcpcd::FOLDERS {
            each_file(folder, |name, file| dhcpcd::read(name, &file, &mut leases));
        }
        leases
    }
}

/// The folders that exist here, by client, each with the reason why this caller cannot read what is in it.
pub(in crate::backend::linux) fn folders() -> Vec<(&'static str, &'static str, Option<Errno>)> {
    let of = |client, folders: &'static [&'static str]| folders.iter().map(move |folder| (client, *folder));
    // NetworkManager's folders are among dhclient's, for when the one runs the other.
    let own = |(_, folder): &(&str, &str)| !folder.contains("NetworkManager");
    of("systemd-networkd", &[networkd::FOLDER])
        .chain(of("NetworkManager", &[network_manager::FOLDER]))
        .chain(of("dhclient", &dhclient::FOLDERS).filter(own))
        .chain(of("dhcpcd", &dhcpcd::FOLDERS))
        .filter_map(|(client, folder)| match check_readable(folder) {
            Ok(()) => Some((client, folder, None)),
            Err(Errno::NOENT) => None,
            Err(errno) => Some((client, folder, Some(errno))),
        })
        .collect()
}

fn check_readable(folder: &str) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, folder, flags, Mode::empty())?;
    for entry in Dir::read_from(&folder)?.flatten().take(MOST_FILES) {
        if matches!(entry.file_type(), FileType::RegularFile) {
            match accessat(&folder, entry.file_name(), Access::READ_OK, AtFlags::EACCESS) {
                // It is gone.
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
    Ok(())
}

/// A client's file.
struct Text {
    bytes: Vec<u8>,
    /// When it was last written.
    written: Option<SystemTime>,
}

/// Gives the name and content of each plain file in a folder to `visit`. What cannot be read says nothing: there is no
/// such client, or it keeps its leases for itself.
fn each_file(folder: &str, mut visit: impl FnMut(&[u8], Text)) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(folder) = openat(CWD, folder, flags, Mode::empty()) else { return };
    let Ok(entries) = Dir::read_from(&folder) else { return };
    for entry in entries.flatten().take(MOST_FILES) {
        if !matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown) {
            continue;
        }
        // Without following links, and without waiting at what is no file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(file) = openat(&folder, entry.file_name(), flags, Mode::empty())
            && let Some(text) = content(file)
        {
            visit(entry.file_name().to_bytes(), text);
        }
    }
}

fn content(file: OwnedFd) -> Option<Text> {
    let status = rustix::fs::fstat(&file).ok()?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return None;
    }
    let mut bytes = Vec::new();
    let _ = File::from(file).take(LONGEST_FILE).read_to_end(&mut bytes).ok()?;
    let seconds = u64::try_from(status.st_mtime).ok();
    let nanoseconds = u32::try_from(status.st_mtime_nsec).unwrap_or_default();
    let exactly = |time: SystemTime| time.checked_add(Duration::new(0, nanoseconds));
    Some(Text { bytes, written: seconds.and_then(time).and_then(exactly) })
}

/// So many seconds after 1970; `None` for what no clock shows.
fn time(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The number that a file's name is.
fn number(name: &[u8]) -> Option<u32> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// A lease of what a client calls its `address`, if an interface can have it.
fn lease_of(client: DhcpClient, address: Option<Ipv4Addr>) -> Option<DhcpLease> {
    let address = address.filter(|address| !address.is_unspecified())?;
    Some(DhcpLease::new(client, address))
}

/// What `fuzz/targets/lease.rs` runs: of any bytes, in every client's format, comes a lease that an interface can have.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let file = Text { bytes: bytes.to_vec(), written: time(1_000_000_000) };
    let mut leases = Leases::default();
    leases.ipv4.extend(networkd::lease(b"7", &file));
    network_manager::read(b"7", &file, &mut leases);
    dhclient::read(bytes, &mut leases);
    for name in [&b"e0.lease"[..], b"wlan0-a-b.lease", b"e0.lease6"] {
        dhcpcd::read(name, &file, &mut leases);
    }
    for Found { told, .. } in &leases.ipv4 {
        assert!(!told.address.is_unspecified(), "{told:?}");
        let _ = (told.expires(), told.remaining());
    }
    assert!(leases.ipv6.iter().all(|found| (1..=130).contains(&found.told.duid.len())), "{:?}", leases.ipv6);
}

#[cfg(test)]
mod tests;
