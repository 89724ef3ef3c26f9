//! The host's own settings where `systemd-resolved` keeps them: a file of this library's beside the others that it reads
//! (`resolved.conf.d(5)`), and a reload by systemd.
//!
//! The service takes no such change over the bus. What it has after the reload is read back: where another file adds to the
//! lists, or the service did not come back, the file is put back as it was, and the service reloads that.

use super::SETTING;
use super::change::list_change;
use super::file::io_error;
use super::replace::{self, Lock, Present};
use super::resolved::Resolved;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::dns::{DnsChange, DnsDomain, DnsServer};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use zbus::wire::OwnedObjectPath;

const FOLDER: &str = "/etc/systemd/resolved.conf.d";
/// Behind most others, so that what it empties is empty.
const FILE: &str = "/etc/systemd/resolved.conf.d/99-iphelper.conf";
/// Names the lock of a whole change; the file has one of its own.
const CHANGE: &str = "/etc/systemd/resolved.conf.d/99-iphelper";
const HEADER: &str = "\
# Kept by iphelper (SetDnsSettings, iph dns set), and stronger than resolved.conf.
# Without this file, and after \"systemctl reload-or-restart systemd-resolved\", that counts again.
[Resolve]
";
const SYSTEMD: &str = "org.freedesktop.systemd1";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
/// How long a reload may take, and how long the service may be away.
const PATIENCE: Duration = Duration::from_secs(30);
const AWAY: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// What the host has of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct HostSettings {
    pub(super) servers: Vec<DnsServer>,
    pub(super) domains: Vec<DnsDomain>,
}

impl HostSettings {
    fn after(&self, change: &DnsChange) -> Self {
        let mut wanted = self.clone();
        if let Some(servers) = &change.servers {
            wanted.servers.clone_from(servers);
        }
        if let Some(search) = &change.search {
            // Those that only route are others' business.
            let routing = self.domains.iter().filter(|domain| domain.routing_only).cloned();
            wanted.domains = search.iter().map(DnsDomain::search).chain(routing).collect();
        }
        wanted
    }

    /// Whether these are the same. The service may write names otherwise, or sort what only routes otherwise.
    fn is(&self, other: &Self) -> bool {
        let names = |of: &Self, routing_only: bool| {
            let names = of.domains.iter().filter(|domain| domain.routing_only == routing_only);
            let mut names: Vec<_> = names.map(|domain| domain.name.to_ascii_lowercase()).collect();
            if routing_only {
                names.sort_unstable();
            }
            names
        };
        self.servers == other.servers
            && [false, true]
                .into_iter()
                .all(|routing_only| names(self, routing_only) == names(other, routing_only))
    }
}

impl LinuxHost {
    /// Changes what the host has of its own, all or nothing.
    pub(super) fn change_host_settings(
        &self,
        resolved: &Resolved,
        change: &DnsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        if let Some(server) = change.servers.iter().flatten().find(|server| server.is_link_local()) {
            return Err(Error::new(ErrorKind::NotSupported, SETTING)
                .because(format!("{server} is reached over one interface: make it a server of that one")));
        }
        let before = resolved.host_settings()?;
        let wanted = before.after(change);
        let mut changes = Vec::new();
        changes.extend(list_change("servers", &before.servers, &wanted.servers, FILE));
        changes.extend(list_change("search", &before.domains, &wanted.domains, FILE));
        if changes.is_empty() {
            return Ok(changes);
        }
        let unit = Unit::of(self, resolved)?;
        let edit = |present: &Present| {
            let new = text(&present.bytes, change, &wanted);
            Ok((present.content(), Some(new).filter(|new| *new != present.bytes)))
        };
        if !write {
            return if Path::new(FOLDER).exists() {
                edit(&Present::look(Path::new(FILE))?).map(|_| changes)
            } else {
                Ok(changes)
            };
        }
        let folder = Folder::make()?;
        let whole = Present::look(Path::new(CHANGE))?;
        let lock = Lock::take(&whole)?;
        let old = replace::edit(Path::new(FILE), edit)?;
        let done = unit.reload(self).and_then(|resolved| {
            let after = resolved.host_settings()?;
            if after.is(&wanted) {
                return Ok(());
            }
            let show = |settings: &HostSettings| {
                let texts = settings.servers.iter().map(ToString::to_string);
                texts.chain(settings.domains.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
            };
            Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "systemd-resolved read {FILE} and has \"{}\" instead of \"{}\": another of its files says so, too",
                show(&after),
                show(&wanted)
            )))
        });
        if let Err(error) = done {
            // What fails now is not told: the first failure is.
            if put_back(old).is_ok() {
                let _ = unit.reload(self);
            }
            drop(lock);
            folder.remove();
            return Err(error);
        }
        Ok(changes)
    }
}

/// The file as it was.
fn put_back(old: Option<Vec<u8>>) -> Result<()> {
    let path = Path::new(FILE);
    match old {
        Some(old) => replace::edit(path, |_| Ok(((), Some(old.clone())))),
        None => std::fs::remove_file(path).map_err(|error| io_error(&error, path)),
    }
}

/// The folder of the file, and whether it is new.
struct Folder(bool);

impl Folder {
    fn make() -> Result<Self> {
        let path = Path::new(FOLDER);
        if path.is_dir() {
            return Ok(Self(false));
        }
        std::fs::create_dir_all(path).map_err(|error| io_error(&error, path))?;
        Ok(Self(true))
    }

    /// Takes it away again if it is new, and empty.
    fn remove(&self) {
        if self.0 {
            let _ = std::fs::remove_dir(FOLDER);
        }
    }
}

/// The content with the lists that are changed; what else it says stays.
fn text(old: &[u8], change: &DnsChange, wanted: &HostSettings) -> Vec<u8> {
    let old = String::from_utf8_lossy(old);
    let mut text = if old.trim().is_empty() { HEADER.to_owned() } else { old.into_owned() };
    let mut set = |key: &str, value: String| {
        let is_of = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
        text = text.lines().filter(|line| !is_of(line)).map(|line| format!("{line}\n")).collect();
        // An empty value takes away what the files before have said.
        text.extend([key, "=\n"]);
        if !value.is_empty() {
            text.extend([key, "=", &value, "\n"]);
        }
    };
    if change.servers.is_some() {
        set("DNS", wanted.servers.iter().map(server).collect::<Vec<_>>().join(" "));
    }
    if change.search.is_some() {
        set("Domains", wanted.domains.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    }
    text.into_bytes()
}

/// A server as the service reads it.
fn server(server: &DnsServer) -> String {
    let mut text = match (server.address, server.port) {
        (address, DnsServer::PORT) => address.to_string(),
        (IpAddr::V4(address), port) => format!("{address}:{port}"),
        (IpAddr::V6(address), port) => format!("[{address}]:{port}"),
    };
    if let Some(name) = &server.name {
        text.push('#');
        text.push_str(name);
    }
    text
}

/// The unit of systemd that the service's process is of.
struct Unit {
    systemd: Service,
    path: String,
}

impl Unit {
    fn of(host: &LinuxHost, resolved: &Resolved) -> Result<Self> {
        let unsupported = |why: String| {
            Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "systemd-resolved reads the host's own settings from resolved.conf when it is reloaded, and {why}"
            ))
        };
        // Which namespace it is in does not matter: the process is named.
        let systemd = host
            .service_if(SYSTEMD, SETTING, |_| true)?
            .ok_or_else(|| unsupported("systemd, which reloads it, is not on the system's bus".to_owned()))?;
        let (path, manager) = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
        let unit: Result<OwnedObjectPath> =
            systemd.call(path, manager, "GetUnitByPID", (resolved.process(),));
        let unit = unit.map_err(|error| unsupported(format!("systemd has no unit for it: {error}")))?;
        Ok(Self { systemd, path: unit.as_str().to_owned() })
    }

    /// Has the service read its files again, and finds it again.
    fn reload(&self, host: &LinuxHost) -> Result<Resolved> {
        let found = self.run("ReloadOrRestart").and_then(|()| find(host));
        match found {
            // Restarted too often, it would stay away (`StartLimitBurst`).
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                let _: Result<()> = self.systemd.call(&self.path, UNIT, "ResetFailed", ());
                self.run("Start")?;
                find(host)
            }
            found => found,
        }
    }

    /// Runs a job and waits until it has ended.
    fn run(&self, method: &str) -> Result<()> {
        let job: OwnedObjectPath = self.systemd.call(&self.path, UNIT, method, ("replace".to_owned(),))?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.systemd.properties(job.as_str(), "org.freedesktop.systemd1.Job") {
                Ok(_) => std::thread::sleep(PAUSE),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Other, SETTING)
            .because("systemd does not end the reload of systemd-resolved"))
    }
}

/// The service, once it is there.
fn find(host: &LinuxHost) -> Result<Resolved> {
    let deadline = Instant::now() + AWAY;
    loop {
        if let Some(resolved) = Resolved::find(host, SETTING)? {
            return Ok(resolved);
        }
        if Instant::now() >= deadline {
            return Err(Error::new(ErrorKind::TimedOut, SETTING)
                .because("systemd-resolved does not come back after its reload"));
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(servers: &[&str], domains: &[&str]) -> HostSettings {
        HostSettings {
            servers: servers.iter().map(|text| text.parse().unwrap()).collect(),
            domains: domains
                .iter()
                .map(|name| DnsDomain {
                    name: name.trim_start_matches('~').to_owned(),
                    routing_only: name.starts_with('~'),
                })
                .collect(),
        }
    }

    #[test]
    fn lists_are_emptied_and_filled_and_other_lines_stay() {
        let change = DnsChange { search: Some(Vec::new()), ..DnsChange::default() };
        let first = text(b"", &change, &wanted(&[], &["a.example", "~b.example"]));
        let first = String::from_utf8(first).unwrap();
        assert_eq!(first.strip_prefix(HEADER), Some("Domains=\nDomains=a.example ~b.example\n"));
        let edited = format!("{first}LLMNR=no\nDNSSEC=no");
        let change = DnsChange { servers: Some(Vec::new()), ..DnsChange::default() };
        let servers = ["192.0.2.1", "192.0.2.2:5353", "[2001:db8::1]:853#dns.example", "2001:db8::2"];
        let second = text(edited.as_bytes(), &change, &wanted(&servers, &[]));
        let expected = format!("{edited}\nDNS=\nDNS={}\n", servers.join(" "));
        assert_eq!(String::from_utf8(second.clone()).unwrap(), expected);
        let none = text(&second, &change, &wanted(&[], &[]));
        assert_eq!(String::from_utf8(none).unwrap(), format!("{edited}\nDNS=\n"));
    }
}
