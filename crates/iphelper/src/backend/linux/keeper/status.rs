//! The published status: a text file that everybody may read, written whole or not at all, and read as hostile.

use super::super::LinuxHost;
use super::super::namespace::system;
use super::super::policy::key_of;
use crate::error::{Error, ErrorKind, Result};
use crate::keeper::{AdvertisingState, AdvertisingStatus, Contest, Contested, KeeperStatus, Manager};
use crate::types::{Family, InterfaceIndex};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const OPERATION: &str = "reading the keeper's status";
const FIRST_LINE: &str = "iphelper-keeper 1";
/// Longer than any that this version writes with ten thousand interfaces; longer ones are not read.
const LONGEST: usize = 1 << 20;

/// The status file of one namespace.
#[derive(Debug)]
pub(super) struct StatusFile {
    directory: PathBuf,
    name: String,
    /// The namespace's cookie and the computer's start, of which the cookie is.
    key: String,
}

impl StatusFile {
    pub(super) fn locate(host: &LinuxHost, directory: &Path) -> Result<Self> {
        let (cookie, key) = key_of(&*host.route.take()?)
            .map_err(|errno| system(OPERATION, errno).because("reading the namespace's cookie"))?;
        Ok(Self { directory: directory.to_owned(), name: format!("{cookie}.status"), key })
    }

    /// Replaces the file, whatever the process' mask of modes is. The folder is made where it is not there and its own folder is.
    pub(super) fn write(&self, status: &KeeperStatus) -> Result<(), Errno> {
        match rustix::fs::mkdir(&self.directory, Mode::from_raw_mode(0o755)) {
            Ok(()) => rustix::fs::fchmod(self.open_directory()?, Mode::from_raw_mode(0o755))?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let directory = self.open_directory()?;
        let (status, name) = (self.print(status), self.name.as_str());
        let new = format!(".{name}.{}", std::process::id());
        let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&directory, new.as_str(), flags, Mode::from_raw_mode(0o644))?;
        let mut rest = status.as_bytes();
        while !rest.is_empty() {
            let written = retry_on_intr(|| rustix::io::write(&file, rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
        rustix::fs::fsync(&file)?;
        rustix::fs::renameat(&directory, new.as_str(), &directory, name)
    }

    pub(super) fn remove(&self) {
        // Who reads it sees that the process is gone.
        let _ = self
            .open_directory()
            .and_then(|directory| rustix::fs::unlinkat(&directory, self.name.as_str(), AtFlags::empty()));
    }

    fn open_directory(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::open(&self.directory, flags, Mode::empty())
    }

    /// The status that a keeper which still runs has published.
    pub(super) fn read(&self) -> Result<Option<KeeperStatus>> {
        let text = match self.read_text() {
            Ok(text) => text,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => {
                return Err(system(OPERATION, errno).because(format!("opening {}", self.directory.display())));
            }
        };
        let Some((status, start)) = parse(&text, &self.key) else {
            return Err(Error::new(ErrorKind::Other, OPERATION).because(format!(
                "{}/{} is not what a keeper of this version wrote",
                self.directory.display(),
                self.name
            )));
        };
        let runs = start_of(status.process).is_some_and(|found| found == start);
        Ok(runs.then_some(status))
    }

    fn read_text(&self) -> Result<String, Errno> {
        let directory = self.open_directory()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&directory, self.name.as_str(), flags, Mode::empty())?;
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        loop {
            let len = retry_on_intr(|| rustix::io::read(&file, &mut part))?;
            bytes.extend_from_slice(part.get(..len).unwrap_or_default());
            if len == 0 {
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
            if bytes.len() > LONGEST {
                return Err(Errno::FBIG);
            }
        }
    }

    fn print(&self, status: &KeeperStatus) -> String {
        let start = start_of(status.process).unwrap_or_default();
        let began = status.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut text = format!(
            "{FIRST_LINE}\n{}\nprocess {} {start}\nstarted {}\npasses {}\nlast-pass {}\n",
            self.key,
            status.process,
            began.as_secs(),
            status.passes,
            status.last_pass.as_micros(),
        );
        if let Some(error) = &status.error {
            let line: String = error.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(text, "error {line}");
        }
        for it in &status.advertising {
            let state = match it.state {
                AdvertisingState::Advertising => "advertising".to_owned(),
                AdvertisingState::Down => "down".to_owned(),
                AdvertisingState::NoLinkLocalAddress => "no-link-local".to_owned(),
                AdvertisingState::NotForwarding => "not-forwarding".to_owned(),
                AdvertisingState::Failed(errno) => format!("failed-{errno}"),
            };
            let _ =
                writeln!(text, "interface {} {state} {} {} {}", it.index, it.sent, it.solicited, it.prefixes);
        }
        for contest in &status.contests {
            let seconds = contest.last.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let (process, name) = contest.by.as_ref().map_or((0, ""), |by| (by.process, by.name.as_str()));
            let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let (what, times) = (print_contested(&contest.what), contest.times);
            let _ = writeln!(text, "contest {what} {times} {seconds} {process} {name}");
        }
        text
    }
}

fn print_contested(what: &Contested) -> String {
    match what {
        Contested::Rules(Family::V4) => "rules4".to_owned(),
        Contested::Rules(Family::V6) => "rules6".to_owned(),
        Contested::Routes(table) => format!("routes {table}"),
        Contested::State => "state".to_owned(),
        Contested::Filter => "filter".to_owned(),
        Contested::Metric { interface, destination, table, metric } => {
            format!("metric {interface} {destination} {table} {metric}")
        }
    }
}

fn parse_contest(value: &str) -> Option<Contest> {
    // The name is last, and may hold spaces.
    let mut words = value.splitn(9, ' ');
    let what = match words.next()? {
        "rules4" => Contested::Rules(Family::V4),
        "rules6" => Contested::Rules(Family::V6),
        "routes" => Contested::Routes(words.next()?.parse().ok()?),
        "state" => Contested::State,
        "filter" => Contested::Filter,
        "metric" => Contested::Metric {
            interface: InterfaceIndex(words.next()?.parse().ok()?),
            destination: words.next()?.parse().ok()?,
            table: words.next()?.parse().ok()?,
            metric: words.next()?.parse().ok()?,
        },
        _ => return None,
    };
    let times = words.next()?.parse().ok()?;
    let last = UNIX_EPOCH.checked_add(Duration::from_secs(words.next()?.parse().ok()?))?;
    let process: u32 = words.next()?.parse().ok()?;
    let name = words.collect::<Vec<_>>().join(" ");
    let by = (process != 0).then_some(Manager { process, name });
    Some(Contest { what, by, times, last })
}

/// A status and when its process began; `None` for a text that is none, or of another namespace or an earlier start of
/// the computer.
fn parse(text: &str, key: &str) -> Option<(KeeperStatus, u64)> {
    let mut lines = text.lines();
    if lines.next()? != FIRST_LINE || lines.next()? != key {
        return None;
    }
    let mut status = KeeperStatus {
        process: 0,
        started: UNIX_EPOCH,
        passes: 0,
        last_pass: Duration::ZERO,
        error: None,
        advertising: Vec::new(),
        contests: Vec::new(),
    };
    let mut start = 0;
    for line in lines {
        let (name, value) = line.split_once(' ')?;
        match name {
            "process" => {
                let (process, began) = value.split_once(' ')?;
                (status.process, start) = (process.parse().ok()?, began.parse().ok()?);
            }
            "started" => {
                status.started =
                    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(value.parse().ok()?))?;
            }
            "passes" => status.passes = value.parse().ok()?,
            "last-pass" => status.last_pass = Duration::from_micros(value.parse().ok()?),
            "error" => status.error = Some(value.to_owned()),
            "interface" => status.advertising.push(parse_interface(value)?),
            // Of a kind that a later version knows.
            "contest" => status.contests.extend(parse_contest(value)),
            // Of a later version.
            _ => {}
        }
    }
    Some((status, start))
}

/// What `fuzz/targets/keeper_status.rs` runs: a text that is a status is written as one that reads the same.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    const KEY: &str = "namespace 7 boot 0";
    let text = format!("{FIRST_LINE}\n{KEY}\n{}", String::from_utf8_lossy(bytes));
    let Some((status, _)) = parse(&text, KEY) else { return };
    let file = StatusFile { directory: PathBuf::new(), name: String::new(), key: KEY.to_owned() };
    let written = file.print(&status);
    assert_eq!(parse(&written, KEY).map(|(status, _)| file.print(&status)), Some(written));
}

fn parse_interface(value: &str) -> Option<AdvertisingStatus> {
    let mut words = value.split(' ');
    let index = InterfaceIndex(words.next()?.parse().ok()?);
    let state = match words.next()? {
        "advertising" => AdvertisingState::Advertising,
        "down" => AdvertisingState::Down,
        "no-link-local" => AdvertisingState::NoLinkLocalAddress,
        "not-forwarding" => AdvertisingState::NotForwarding,
        failed => AdvertisingState::Failed(failed.strip_prefix("failed-")?.parse().ok()?),
    };
    let mut number = || words.next()?.parse().ok();
    Some(AdvertisingStatus { index, state, sent: number()?, solicited: number()?, prefixes: number()? })
}

/// When a process began, in the kernel's ticks since its own start: tells it from a later one with its number.
fn start_of(process: u32) -> Option<u64> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; field 22 is the twentieth behind it.
    let (_, fields) = line.rsplit_once(") ")?;
    fields.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(directory: &Path) -> StatusFile {
        let key = "namespace 7 boot 0".to_owned();
        StatusFile { directory: directory.to_owned(), name: "7.status".to_owned(), key }
    }

    fn contests() -> Vec<Contest> {
        let route = Contested::Metric {
            interface: InterfaceIndex(7),
            destination: "2001:db8::/32".parse().unwrap(),
            table: 254,
            metric: 100,
        };
        let all =
            [Contested::Rules(Family::V6), Contested::Routes(7), Contested::State, route, Contested::Filter];
        let last = UNIX_EPOCH + Duration::from_secs(1_800_000_001);
        all.into_iter()
            .zip(1..)
            .map(|(what, times)| {
                let by = Manager { process: times, name: "a b".repeat(usize::try_from(times).unwrap()) };
                Contest { what, by: Some(by).filter(|_| times != 3), times, last }
            })
            .collect()
    }

    fn status() -> KeeperStatus {
        let row = |index, state| AdvertisingStatus {
            index: InterfaceIndex(index),
            state,
            sent: 1,
            solicited: 2,
            prefixes: 3,
        };
        KeeperStatus {
            process: std::process::id(),
            started: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            passes: 12,
            last_pass: Duration::from_micros(345),
            error: Some("changing: no\nentry".to_owned()),
            advertising: vec![
                row(2, AdvertisingState::Advertising),
                row(3, AdvertisingState::Down),
                row(4, AdvertisingState::NoLinkLocalAddress),
                row(5, AdvertisingState::NotForwarding),
                row(6, AdvertisingState::Failed(101)),
            ],
            contests: contests(),
        }
    }

    #[test]
    fn a_status_reads_back_and_only_in_its_namespace() {
        let file = file(Path::new("unused"));
        let text = file.print(&status());
        let (read, start) = parse(&text, &file.key).unwrap();
        assert_eq!(read, KeeperStatus { error: Some("changing: no entry".to_owned()), ..status() });
        assert_eq!(Some(start), start_of(std::process::id()));
        assert_eq!(parse(&text, "namespace 8 boot 0"), None);
        assert_eq!(parse("", &file.key), None);
    }

    #[test]
    fn a_file_is_replaced_whole_and_its_process_must_live() {
        let parent = iphelper_testkit::new_folder("status");
        let directory = parent.join("status");
        let file = file(&directory);
        assert_eq!(file.read().unwrap(), None, "no folder");
        file.write(&status()).unwrap();
        file.write(&status()).unwrap();
        assert_eq!(file.read().unwrap().unwrap().passes, 12);
        let names: Vec<_> =
            std::fs::read_dir(&directory).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, ["7.status"]);
        let mode = |path: &Path| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
        };
        assert_eq!((mode(&directory), mode(&directory.join("7.status"))), (0o755, 0o644));
        // A process that is gone: none has the number of the kernel's largest and one more.
        file.write(&KeeperStatus { process: 4_194_305, ..status() }).unwrap();
        assert_eq!(file.read().unwrap(), None, "it has ended");
        std::fs::write(directory.join("7.status"), "something else").unwrap();
        assert!(file.read().is_err());
        file.remove();
        std::os::unix::fs::symlink("/proc/version", directory.join("7.status")).unwrap();
        assert!(file.read().is_err(), "links are not followed");
        std::fs::remove_dir_all(&parent).unwrap();
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,200}") {
            let _ = parse(&format!("{FIRST_LINE}\nk\n{text}"), "k");
            let _ = (parse_interface(&text), parse_contest(&text));
        }
    }
}
