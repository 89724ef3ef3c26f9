//! The host's own settings where `systemd-resolved` keeps them: a file of this library's beside the others that it reads
//! (`resolved.conf.d(5)`), and a reload by systemd.
//!
//! The service takes no such change over the bus. What it has after the reload is read back: where another file adds to the
//! lists, or the service did not come back, the file is put back as it was, and the service reloads that.

use super::SETTING;
use super::change::list_change;
use super::file::{io_error, read};
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
/// The lists of the host's settings in the file.
const SERVERS: &str = "DNS";
const DOMAINS: &str = "Domains";
const SYSTEMD: &str = "org.freedesktop.systemd1";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
/// How long a reload may take, and how long the service may be away.
const PATIENCE: Duration = Duration::from_secs(30);
const AWAY: Duration = Duration::from_secs(5);
/// How long to wait for other callers, each of whom has the service reloaded.
const OTHERS: Duration = Duration::from_secs(60);
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
        let planned = Planned::of(resolved, change)?;
        if planned.is_done()? {
            return Ok(planned.changes);
        }
        let _ = Unit::of(self, resolved)?;
        if !write {
            if Path::new(FOLDER).exists() {
                let _ = Present::look(Path::new(FILE))?;
            }
            return Ok(planned.changes);
        }
        let folder = Folder::make()?;
        let whole = Present::look(Path::new(CHANGE))?;
        let lock = Lock::take(&whole, OTHERS)?;
        let done = self.change_file_of_service(change);
        drop(lock);
        if done.is_err() {
            folder.remove();
        }
        done
    }

    /// Writes the file and has it read. The caller has the lock: who had it before may have changed the settings and
    /// restarted the service, so everything is looked at again.
    fn change_file_of_service(&self, change: &DnsChange) -> Result<Vec<PropertyChange>> {
        let resolved = find(self)?;
        let planned = Planned::of(&resolved, change)?;
        if planned.is_done()? {
            return Ok(planned.changes);
        }
        let unit = Unit::of(self, &resolved)?;
        let old = replace::edit(Path::new(FILE), |present| {
            let new = text(&present.bytes, &planned.change, &planned.wanted);
            Ok((present.content(), Some(new).filter(|new| *new != present.bytes)))
        })?;
        let done = unit.reload(self).and_then(|resolved| {
            let after = resolved.host_settings()?;
            if after.is(&planned.wanted) {
                return Ok(());
            }
            let show = |settings: &HostSettings| {
                let texts = settings.servers.iter().map(ToString::to_string);
                texts.chain(settings.domains.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
            };
            Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "systemd-resolved read {FILE} and has \"{}\" instead of \"{}\": another of its files says so, too",
                show(&after),
                show(&planned.wanted)
            )))
        });
        if let Err(error) = done {
            // What fails now is not told: the first failure is.
            if put_back(old).is_ok() {
                let _ = unit.reload(self);
            }
            return Err(error);
        }
        Ok(planned.changes)
    }
}

/// Waits until nobody else changes the host's own settings, which may take the service away for a moment; whether this
/// caller could tell.
pub(super) fn wait_for_others() -> bool {
    Path::new(FOLDER).is_dir()
        && Present::look(Path::new(CHANGE)).is_ok_and(|whole| Lock::take(&whole, OTHERS).is_ok())
}

/// A change, and what it makes of what the service has.
struct Planned {
    change: DnsChange,
    wanted: HostSettings,
    changes: Vec<PropertyChange>,
}

impl Planned {
    fn of(resolved: &Resolved, change: &DnsChange) -> Result<Self> {
        let mut change = change.clone();
        change.servers = change.servers.map(|servers| resolved.with_ports_of_host(servers)).transpose()?;
        let before = resolved.host_settings()?;
        let wanted = before.after(&change);
        let mut changes = Vec::new();
        changes.extend(list_change("servers", &before.servers, &wanted.servers, FILE));
        changes.extend(list_change("search", &before.domains, &wanted.domains, FILE));
        Ok(Self { change, wanted, changes })
    }

    /// Whether the service has what is wished, and would have it again: a caller that was killed before the reload left a
    /// file that says something else.
    fn is_done(&self) -> Result<bool> {
        if !self.changes.is_empty() {
            return Ok(false);
        }
        // Who may not read it cannot write it, either.
        let Ok(Some(present)) = read(Path::new(FILE)) else { return Ok(true) };
        let asked = lists_in(&present).filter(|key| match *key {
            SERVERS => self.change.servers.is_some(),
            _ => self.change.search.is_some(),
        });
        let is_asked = asked.count() > 0;
        Ok(!is_asked || text(&present, &self.change, &self.wanted) == present)
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

/// The lists that a file has.
fn lists_in(text: &[u8]) -> impl Iterator<Item = &'static str> {
    let text = String::from_utf8_lossy(text).into_owned();
    [SERVERS, DOMAINS].into_iter().filter(move |key| text.lines().any(|line| is_of(line, key)))
}

fn is_of(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| name.trim() == key)
}

/// The content with the lists that are changed; what else it says stays.
///
/// A list that it has and that is not changed is written, too, as the service has it: what a caller that was killed before
/// the reload has left there takes no effect with somebody else's change.
fn text(old: &[u8], change: &DnsChange, wanted: &HostSettings) -> Vec<u8> {
    let present: Vec<_> = lists_in(old).collect();
    let old = String::from_utf8_lossy(old);
    let mut text = if old.trim().is_empty() { HEADER.to_owned() } else { old.clone().into_owned() };
    let mut set = |key: &'static str, is_changed: bool, value: String| {
        // An empty value takes away what the files before have said.
        let mut lines = format!("{key}=\n");
        if !value.is_empty() {
            lines.extend([key, "=", &value, "\n"]);
        }
        let is_so = || old.lines().filter(|line| is_of(line, key)).eq(lines.lines());
        if !is_changed && !present.contains(&key) || present.contains(&key) && is_so() {
            return;
        }
        text = text.lines().filter(|line| !is_of(line, key)).map(|line| format!("{line}\n")).collect();
        text.push_str(&lines);
    };
    let servers = wanted.servers.iter().map(server).collect::<Vec<_>>().join(" ");
    set(SERVERS, change.servers.is_some(), servers);
    let domains = wanted.domains.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    set(DOMAINS, change.search.is_some(), domains);
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
        self.run("ReloadOrRestart")?;
        if !self.has_failed() {
            match find(host) {
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                found => return found,
            }
        }
        // Restarted too often, it stays away (`StartLimitBurst`).
        let _: Result<()> = self.systemd.call(&self.path, UNIT, "ResetFailed", ());
        self.run("Start")?;
        find(host)
    }

    fn has_failed(&self) -> bool {
        let properties = self.systemd.properties(&self.path, UNIT);
        properties.is_ok_and(|of| of.get::<String>("ActiveState").is_some_and(|state| state == "failed"))
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
pub(super) fn find(host: &LinuxHost) -> Result<Resolved> {
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
        let second = text(edited.as_bytes(), &change, &wanted(&servers, &["a.example", "~b.example"]));
        let expected = format!("{edited}\nDNS=\nDNS={}\n", servers.join(" "));
        assert_eq!(String::from_utf8(second.clone()).unwrap(), expected);
        let none = text(&second, &change, &wanted(&[], &["a.example", "~b.example"]));
        assert_eq!(String::from_utf8(none).unwrap(), format!("{edited}\nDNS=\n"));
    }
}
