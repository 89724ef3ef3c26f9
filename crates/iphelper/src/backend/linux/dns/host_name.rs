//! The host's name: of the UTS namespace, and of the file that gives it again after a restart.

use super::replace::{self, Present};
use super::{SETTING, host_name};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::backend::linux::namespace::system;
use crate::dns::DnsChange;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use rustix::fs::stat;
use rustix::io::Errno;
use std::path::Path;

/// `hostname(5)`.
const FILE: &str = "/etc/hostname";
const NAME: &str = "org.freedesktop.hostname1";
const PATH: &str = "/org/freedesktop/hostname1";
/// `HOST_NAME_MAX`, without the zero.
const LONGEST: usize = 64;
const LONGEST_LABEL: usize = 63;

/// The change with the domain as a part of the name, where no file has a line for it.
pub(super) fn with_domain(change: &DnsChange) -> Result<DnsChange> {
    let Some(domain) = change.domain.as_deref() else { return Ok(change.clone()) };
    let present = host_name();
    let name = change.host_name.as_deref().unwrap_or(&present);
    let (label, of_name) = name.split_once('.').unwrap_or((name, ""));
    if change.host_name.is_some() && !of_name.is_empty() && !of_name.eq_ignore_ascii_case(domain) {
        return Err(Error::new(ErrorKind::InvalidParameter, SETTING)
            .because(format!("the name {name} is in another domain than {domain}")));
    }
    let name = format!("{label}.{domain}");
    let _ = check(&name)?;
    Ok(DnsChange { host_name: Some(name), domain: None, ..change.clone() })
}

/// The whole name that a change means: a name without a dot is a first label, and what follows it stays.
fn whole(name: &str, present: &str) -> String {
    match (name.strip_suffix('.'), present.split_once('.')) {
        (Some(whole), _) => whole.to_owned(),
        (None, Some((_, domain))) if !name.contains('.') => format!("{name}.{domain}"),
        _ => name.to_owned(),
    }
}

/// A name that a host may have: labels of letters, digits and inner hyphens, with dots between them; with another dot behind
/// it, or none.
pub(super) fn check(text: &str) -> Result<&str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= LONGEST && name.split('.').all(is_label) {
        return Ok(text);
    }
    let shown: String = text.chars().take(2 * LONGEST).collect();
    Err(Error::new(ErrorKind::InvalidParameter, SETTING)
        .because(format!("\"{}\" is no host's name", shown.escape_debug())))
}

/// Who keeps the name.
#[derive(Debug)]
enum Keeper {
    /// `systemd-hostnamed`, which has this name for the next start.
    Service(Service, String),
    /// The file, if it is this UTS namespace's.
    File(bool),
}

/// A change of the name that is not yet done.
#[derive(Debug)]
pub(super) struct NewName {
    keeper: Keeper,
    from: String,
    to: String,
}

impl NewName {
    /// What would change; `None`: nothing. Every check is done that needs no privilege.
    pub(super) fn plan(host: &LinuxHost, to: &str) -> Result<Option<Self>> {
        let from = host_name();
        let to = whole(check(to)?, &from);
        let _ = check(&to)?;
        // What the name is after the next start is not looked at: who sets again what was read changes nothing.
        if from == to {
            return Ok(None);
        }
        let keeper = Keeper::find(host)?;
        if let Keeper::File(true) = keeper {
            let _ = Present::look(Path::new(FILE))?;
        }
        Ok(Some(Self { keeper, from, to }))
    }

    pub(super) fn change(&self) -> PropertyChange {
        let mechanism = match self.keeper {
            Keeper::Service(..) => "systemd-hostnamed SetStaticHostname",
            Keeper::File(true) => "sethostname(2), /etc/hostname",
            Keeper::File(false) => "sethostname(2)",
        };
        PropertyChange {
            property: "host_name",
            from: self.from.clone(),
            to: self.to.clone(),
            mechanism: mechanism.to_owned(),
        }
    }

    /// Does it, all or nothing; what takes it back.
    pub(super) fn apply(&self) -> Result<Undo<'_>> {
        match &self.keeper {
            Keeper::Service(service, before) => {
                set_static(service, &self.to)?;
                let undo = Undo { keeper: Undone::Service(service, before), name: self.from.clone() };
                if host_name() == self.to {
                    return Ok(undo);
                }
                undo.take_back();
                Err(Error::new(ErrorKind::NotSupported, SETTING)
                    .because("systemd-hostnamed took the name, and the kernel has another one"))
            }
            Keeper::File(has_file) => {
                let mut undo = Undo { keeper: Undone::Nothing, name: self.from.clone() };
                if *has_file {
                    // First, so that who is killed in between finds the old name, and does both again.
                    undo.keeper = Undone::File(replace::edit(Path::new(FILE), |present| {
                        let new = text(&present.bytes, &self.to);
                        Ok((present.content(), Some(new).filter(|new| *new != present.bytes)))
                    })?);
                }
                match set(&self.to) {
                    Ok(()) => Ok(undo),
                    Err(error) => {
                        undo.take_back();
                        Err(error)
                    }
                }
            }
        }
    }
}

/// How a change is taken back.
#[derive(Debug)]
pub(super) struct Undo<'a> {
    keeper: Undone<'a>,
    name: String,
}

#[derive(Debug)]
enum Undone<'a> {
    Service(&'a Service, &'a str),
    /// What the file was.
    File(Option<Vec<u8>>),
    Nothing,
}

impl Undo<'_> {
    /// What fails now is not told: the first failure is.
    pub(super) fn take_back(self) {
        match self.keeper {
            Undone::Service(service, before) => drop(set_static(service, before)),
            Undone::File(Some(old)) => {
                let _ = replace::edit(Path::new(FILE), |_| Ok(((), Some(old.clone()))));
            }
            Undone::File(None) => drop(std::fs::remove_file(FILE)),
            Undone::Nothing => {}
        }
        if host_name() != self.name {
            let _ = set(&self.name);
        }
    }
}

impl Keeper {
    fn find(host: &LinuxHost) -> Result<Self> {
        // Bound to no network namespace; where this caller may not look at its process, it is of this UTS namespace if
        // it has the same name.
        let ours = own_namespace();
        let is_ours = |process: u32| match namespace_of(&process.to_string()) {
            Ok(theirs) => Some(theirs) == ours,
            Err(errno) => is_hidden(errno),
        };
        if let Some(service) = host.service_if(NAME, SETTING, is_ours)? {
            match service.properties(PATH, NAME) {
                Ok(properties) => {
                    if properties.get("Hostname").is_some_and(|name: String| name == host_name()) {
                        let before = properties.get("StaticHostname").unwrap_or_default();
                        return Ok(Self::Service(service, before));
                    }
                }
                // It ends when it is idle, at this moment.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        // The file is that of the first process's namespace; a container has a first process of its own. Where this caller
        // may not look at that, the file is this namespace's if it has the present name.
        match namespace_of("1") {
            Ok(first) => Ok(Self::File(Some(first) == ours)),
            Err(errno) if is_hidden(errno) => {
                let present = std::fs::read(FILE).unwrap_or_default();
                Ok(Self::File(stored(&present).is_some_and(|name| name == host_name())))
            }
            Err(errno) => Err(system(SETTING, errno)),
        }
    }
}

fn is_hidden(errno: Errno) -> bool {
    matches!(errno, Errno::ACCESS | Errno::PERM | Errno::NOENT)
}

fn own_namespace() -> Option<(u64, u64)> {
    stat("/proc/thread-self/ns/uts").ok().map(|status| (status.st_dev, status.st_ino))
}

/// The UTS namespace of a process.
fn namespace_of(process: &str) -> Result<(u64, u64), Errno> {
    stat(format!("/proc/{process}/ns/uts")).map(|status| (status.st_dev, status.st_ino))
}

fn set_static(service: &Service, name: &str) -> Result<()> {
    service.call(PATH, NAME, "SetStaticHostname", (name.to_owned(), false))
}

fn set(name: &str) -> Result<()> {
    rustix::system::sethostname(name.as_bytes()).map_err(|errno| {
        system(SETTING, errno)
            .because("setting the host's name needs CAP_SYS_ADMIN over its UTS namespace (sudo)")
    })
}

/// The name in the file: its first line that is no comment.
fn stored(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).find(|line| is_name(line)).map(str::to_owned)
}

/// The file with this name in place of the one that it has; comments stay.
fn text(bytes: &[u8], name: &str) -> Vec<u8> {
    let old = String::from_utf8_lossy(bytes);
    let comments = old.lines().filter(|line| !is_name(line.trim()) && !line.trim().is_empty());
    let mut text: String = comments.map(|line| format!("{line}\n")).collect();
    text.push_str(name);
    text.push('\n');
    text.into_bytes()
}

fn is_name(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_hosts_are_taken() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        for good in ["a", "a.", "web-1", "web-1.corp.example", "1", &longest] {
            let _ = check(good).unwrap();
        }
        let whole = format!("{longest}.b");
        for bad in ["", ".", "a..", ".a", "-a", "a-", "a_b", "a b", "bücher", "a\nb", &longer, &whole] {
            assert_eq!(check(bad).unwrap_err().kind(), ErrorKind::InvalidParameter, "{bad}");
        }
    }

    #[test]
    fn the_file_keeps_its_comments() {
        assert_eq!(stored(b"# mine\n\n  web \nother\n").as_deref(), Some("web"));
        assert_eq!(stored(b"# mine\n"), None);
        assert_eq!(text(b"# mine\n\nweb\nother", "new"), b"# mine\nnew\n");
        assert_eq!(text(b"", "new"), b"new\n");
    }

    #[test]
    fn a_label_keeps_what_follows_it() {
        for (name, present, expected) in [
            ("new", "old", "new"),
            ("new", "old.corp.example", "new.corp.example"),
            ("new.", "old.corp.example", "new"),
            ("new.a.example", "old.corp.example", "new.a.example"),
        ] {
            assert_eq!(whole(name, present), expected, "{name} {present}");
        }
    }

    #[test]
    fn a_domain_is_a_part_of_the_name() {
        let of = |host_name: Option<&str>, domain: &str| {
            let host_name = host_name.map(str::to_owned);
            let change = DnsChange { host_name, domain: Some(domain.to_owned()), ..DnsChange::default() };
            with_domain(&change).map(|change| change.host_name.unwrap())
        };
        assert_eq!(of(Some("web"), "corp.example").unwrap(), "web.corp.example");
        assert_eq!(of(Some("web.corp.example"), "Corp.example").unwrap(), "web.Corp.example");
        assert_eq!(of(Some("web."), "corp.example").unwrap(), "web.corp.example");
        assert_eq!(of(Some("web"), "").unwrap(), "web.");
        assert_eq!(of(Some("web.a"), "b").unwrap_err().kind(), ErrorKind::InvalidParameter);
        assert_eq!(of(Some("web"), "a_b").unwrap_err().kind(), ErrorKind::InvalidParameter);
    }
}
