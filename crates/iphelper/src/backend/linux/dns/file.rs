//! The `resolv.conf` of a namespace: where it is, and what it says.

use super::change::{domains_after, list_change, one_change, servers_after};
use super::replace;
use super::resolv_conf::ResolvConf;
use super::stub::is_of_resolved;
use super::{OPERATION, SETTING};
use crate::backend::Compartment as _;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::namespace::{Namespace, system};
use crate::compartment::CompartmentId;
use crate::dns::{
    Dns, DnsChange, DnsDomain, DnsOverTls, DnsServer, InterfaceDnsChange, InterfaceDnsSettings, LinkLookup,
    Resolver,
};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::InterfaceIndex;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A longer file is not read.
pub(super) const LONGEST: usize = 64 << 10;
const PATH: &str = "/etc/resolv.conf";
/// The C libraries ask this many servers (`MAXNS`).
const MOST_SERVERS: usize = 3;
/// Where `ip netns` keeps the names of namespaces, and the files that programs of one see in `/etc`.
const NAMES: &str = "/run/netns";
const FILES: &str = "/etc/netns";
/// `IFF_UP` and `IFF_LOOPBACK`.
const UP: u32 = 1;
const LOOPBACK: u32 = 8;

impl LinuxHost {
    pub(super) fn read_file(&self, dns: &mut Dns) -> Result<()> {
        let path = self.resolv_conf();
        let bytes = read(&path)?;
        let file = ResolvConf::parse(bytes.as_deref().unwrap_or_default());
        let behind = self.behind_a_stub(&file);
        dns.servers = self.servers_of(behind.as_ref().map_or(&file, |(_, list)| list));
        if let Some(domain) = file.domain() {
            dns.domain_name = Some(domain);
        }
        // Without a line the C library tries the host's own domain.
        let search = file.search().or_else(|| Some(vec![dns.domain_name.clone()?]));
        dns.domains = search.unwrap_or_default().into_iter().map(DnsDomain::search).collect();
        let manager = link_target(&path).or_else(|| file.manager());
        let forwarder = behind.map(|(list, _)| list.into());
        dns.resolver = Resolver::File { path, exists: bytes.is_some(), manager, forwarder };
        Ok(())
    }

    /// The host's own lists where the file is not `systemd-resolved`'s: that reads it too, but not before it is asked for a
    /// name, and tells old lists until then. A file that names that service alone leaves its servers to it.
    pub(super) fn read_file_beside_resolved(&self, dns: &mut Dns) -> Result<()> {
        let file = ResolvConf::parse(&read(&self.resolv_conf())?.unwrap_or_default());
        let named = self.servers_of(&file);
        let others: Vec<_> =
            named.iter().filter(|server| !is_of_resolved(&server.address)).cloned().collect();
        if named.is_empty() || !others.is_empty() {
            dns.servers = others;
        }
        if let Some(domain) = file.domain() {
            dns.domain_name = Some(domain);
        }
        dns.domains.retain(|domain| domain.routing_only);
        let search = file.search().or_else(|| Some(vec![dns.domain_name.clone()?]));
        let search = search.unwrap_or_default().into_iter().map(DnsDomain::search);
        dns.domains = search.chain(std::mem::take(&mut dns.domains)).collect();
        Ok(())
    }

    fn servers_of(&self, file: &ResolvConf) -> Vec<DnsServer> {
        let servers = file.nameservers().into_iter();
        let zone = |zone: Option<String>| zone.and_then(|zone| self.zone(&zone));
        servers.map(|(address, name)| DnsServer { zone: zone(name), ..DnsServer::new(address) }).collect()
    }

    /// The settings of an interface: those of the file where no other interface has a part in them.
    pub(super) fn file_of_interface(&self, link: &Link) -> Result<InterfaceDnsSettings> {
        let mut settings = InterfaceDnsSettings {
            luid: link.luid(),
            index: link.index,
            name: link.name(),
            servers: Vec::new(),
            domains: Vec::new(),
            unconstrained_queries: None,
            llmnr: LinkLookup::Off,
            multicast_dns: LinkLookup::Off,
            dns_over_tls: DnsOverTls::Off,
        };
        if self.others_up(link)?.is_none() {
            let file = ResolvConf::parse(&read(&self.resolv_conf())?.unwrap_or_default());
            let behind = self.behind_a_stub(&file);
            settings.servers = self.servers_of(behind.as_ref().map_or(&file, |(_, list)| list));
            settings.domains = file.search().unwrap_or_default().into_iter().map(DnsDomain::search).collect();
            settings.unconstrained_queries = Some(true).filter(|_| !settings.servers.is_empty());
        }
        Ok(settings)
    }

    /// Changes the file for an interface that the host's list is the list of.
    pub(super) fn change_file_of_interface(
        &self,
        link: &Link,
        change: &InterfaceDnsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        let before = self.file_of_interface(link)?;
        let refused = |what: &str| {
            Err(Error::new(ErrorKind::NotSupported, SETTING)
                .because(format!("{what}: the C library resolves here by resolv.conf, not systemd-resolved")))
        };
        if change.unconstrained_queries == Some(false) {
            return refused("no server is kept for some names alone");
        }
        if change.routing.as_ref().is_some_and(|routing| !routing.is_empty()) {
            return refused("no server is chosen by domain");
        }
        let lookups = [change.llmnr, change.multicast_dns];
        if lookups.into_iter().flatten().any(|lookup| lookup != LinkLookup::Off) {
            return refused("names are not looked up on the link");
        }
        if change.dns_over_tls.is_some_and(|tls| tls != DnsOverTls::Off) {
            return refused("servers are asked in clear text alone");
        }
        let servers = servers_after(&before.servers, change);
        let domains = domains_after(&before.domains, change);
        let names = domains.map(|domains| domains.into_iter().map(|domain| domain.name).collect::<Vec<_>>());
        let old_names: Vec<_> = before.domains.iter().map(|domain| domain.name.clone()).collect();
        let change = DnsChange {
            servers: servers.filter(|servers| *servers != before.servers),
            search: names.filter(|names| *names != old_names),
            ..DnsChange::default()
        };
        if change == DnsChange::default() {
            return Ok(Vec::new());
        }
        match self.others_up(link)? {
            None => self.change_file(&change, write),
            Some(other) => Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                "resolv.conf has one list for the host and not one for {}, since {other}: set the host's, or let \
                 systemd-resolved resolve",
                link.name()
            ))),
        }
    }

    /// What stands against an interface being the only one that the host's list is for; `None`: nothing.
    fn others_up(&self, link: &Link) -> Result<Option<String>> {
        let is_up = |link: &Link| link.has(UP) && !link.has(LOOPBACK);
        let links = self.links(SETTING)?;
        let mut others = links.iter().filter(|other| other.index != link.index && is_up(other));
        Ok(match others.next() {
            Some(other) => Some(format!("{} is up, too", other.name())),
            None if is_up(link) => None,
            None => Some("that does not carry what the host asks".to_owned()),
        })
    }

    /// Changes the file. The change has been checked but for what the file cannot say.
    pub(super) fn change_file(&self, change: &DnsChange, write: bool) -> Result<Vec<PropertyChange>> {
        let path = self.resolv_conf();
        let servers = change.servers.as_deref().map(|servers| self.lines_of(servers)).transpose()?;
        let edit = |present: &replace::Present| {
            let before = ResolvConf::parse(&present.bytes);
            let mut file = before.clone();
            if let Some(servers) = &servers {
                file.set_nameservers(servers);
            }
            if let Some(domain) = &change.domain {
                file.set_domain(Some(&**domain).filter(|domain| !domain.is_empty()));
            }
            if let Some(search) = &change.search {
                file.set_search(search);
            }
            let mechanism = path.display().to_string();
            let mut changes = Vec::new();
            changes.extend(list_change(
                "servers",
                &self.servers_of(&before),
                &self.servers_of(&file),
                &mechanism,
            ));
            let domain = |file: &ResolvConf| file.domain().unwrap_or_default();
            changes.extend(one_change("domain", &domain(&before), &domain(&file), &mechanism));
            let search = |file: &ResolvConf| file.search().unwrap_or_default();
            changes.extend(list_change("search", &search(&before), &search(&file), &mechanism));
            if changes.is_empty() {
                return Ok((changes, None));
            }
            if self.is_of_all(&path) {
                return Err(Error::new(ErrorKind::NotSupported, SETTING).because(
                    "this network namespace has no resolv.conf of its own, and /etc/resolv.conf is everybody's: keep its \
                     settings in /etc/netns/NAME/resolv.conf, which ip netns exec mounts",
                ));
            }
            match before.manager() {
                Some(manager) => Err(Error::new(ErrorKind::NotSupported, SETTING).because(format!(
                    "{mechanism} says \"{}\": change the settings there",
                    manager.escape_debug()
                ))),
                None => Ok((changes, Some(file.to_bytes()))),
            }
        };
        if write { replace::edit(&path, edit) } else { Ok(edit(&replace::Present::look(&path)?)?.0) }
    }

    /// The error with which any change of the file by this caller would be refused.
    pub(super) fn check_may_change_file(&self) -> Result<()> {
        // A name that no file has (RFC 6761), so that there is something to change.
        let change = DnsChange { domain: Some("iphelper.invalid".to_owned()), ..DnsChange::default() };
        let _ = self.change_file(&change, false)?;
        replace::check_may_write(&self.resolv_conf())
    }

    /// The servers as the file has them, if it can.
    fn lines_of(&self, servers: &[DnsServer]) -> Result<Vec<String>> {
        let refused = |what: String| Error::new(ErrorKind::NotSupported, SETTING).because(what);
        if servers.len() > MOST_SERVERS {
            return Err(refused(format!("of resolv.conf the C library asks {MOST_SERVERS} servers at most")));
        }
        let line = |server: &DnsServer| {
            if server.port != DnsServer::PORT || server.name.is_some() {
                return Err(refused(format!("{server}: the C library asks port 53 in clear text alone")));
            }
            match server.zone {
                None if server.is_link_local() => Err(Error::new(ErrorKind::InvalidParameter, SETTING)
                    .because(format!("{server} is link-local: say on which link (%INDEX)"))),
                None => Ok(server.address.to_string()),
                // By name, since the C library reads the file later.
                Some(zone) => Ok(format!("{}%{}", server.address, self.link(zone.into(), SETTING)?.name())),
            }
        };
        servers.iter().map(line).collect()
    }

    /// Whether the file is not this namespace's own: its programs read the same as everybody.
    ///
    /// So it is, too, where the thread is in this namespace and has the `/etc` of process 1, which is in another one: as behind
    /// `nsenter --net`, or a change of the compartment.
    fn is_of_all(&self, path: &Path) -> bool {
        let ours = self.namespace.identity();
        let is_ours = Namespace::current().is_ok_and(|current| current.identity() == ours);
        let is_elsewhere = || self.compartment_id().is_ok_and(|id| id != CompartmentId::PRIMARY);
        let is_shared = || etc_of("1").is_some_and(|first| etc_of("thread-self") == Some(first));
        path == Path::new(PATH) && (!is_ours || is_elsewhere() && is_shared())
    }

    /// The interface that a zone names, by index or name.
    fn zone(&self, zone: &str) -> Option<InterfaceIndex> {
        let index = zone.parse().ok().filter(|index| *index != 0).map(InterfaceIndex);
        index.or_else(|| Some(self.link_named(zone, OPERATION).ok()?.index))
    }

    /// The file that programs of this namespace read.
    ///
    /// What the thread sees, if it is in this namespace. Programs of another one that has a name see the file that `ip
    /// netns exec` mounts for them; without one they see the same as everybody.
    pub(super) fn resolv_conf(&self) -> PathBuf {
        let ours = self.namespace.identity();
        if Namespace::current().is_ok_and(|current| current.identity() == ours) {
            return PATH.into();
        }
        let names = std::fs::read_dir(NAMES).into_iter().flatten().flatten();
        let mut own = names.filter_map(|name| {
            let status = rustix::fs::stat(name.path()).ok()?;
            let path = Path::new(FILES).join(name.file_name()).join("resolv.conf");
            ((status.st_dev, status.st_ino) == ours && path.exists()).then_some(path)
        });
        own.next().unwrap_or_else(|| PATH.into())
    }
}

/// Which folder a process has as `/etc`, by its mounts, which everybody may read (`proc_pid_mountinfo(5)`).
fn etc_of(process: &str) -> Option<String> {
    etc_in(&String::from_utf8_lossy(&std::fs::read(format!("/proc/{process}/mountinfo")).ok()?))
}

/// A file system's number, and the place of `/etc` in it. Of mounts on one place the last counts.
fn etc_in(mounts: &str) -> Option<String> {
    let of = |place: &str| {
        mounts.lines().rev().find_map(|line| {
            let mut fields = line.split(' ').skip(2);
            let (device, root, at) = (fields.next()?, fields.next()?, fields.next()?);
            (at == place).then(|| (device.to_owned(), root.trim_end_matches('/').to_owned()))
        })
    };
    let below = |(device, root): (String, String)| format!("{device} {root}/etc");
    of("/etc").map(|(device, root)| format!("{device} {root}")).or_else(|| of("/").map(below))
}

/// What went wrong with a file that is changed.
pub(super) fn io_error(error: &std::io::Error, path: &Path) -> Error {
    let errno = error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error);
    system(SETTING, errno).because(format!("changing {}", path.display()))
}

/// Where a link leads.
pub(super) fn link_target(path: &Path) -> Option<String> {
    let target = std::fs::read_link(path).ok()?;
    Some(format!("a link to {}", target.display()))
}

/// The content; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    // Without waiting, should it be a pipe.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let at = |errno| system(OPERATION, errno).because(format!("reading {}", path.display()));
    match retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())) {
        Ok(file) => read_open(&file, path).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(at(errno)),
    }
}

/// The content of an open file.
pub(super) fn read_open(file: &OwnedFd, path: &Path) -> Result<Vec<u8>> {
    let at = |errno| system(OPERATION, errno).because(format!("reading {}", path.display()));
    let refused = |what| {
        Error::new(ErrorKind::NotSupported, OPERATION).because(format!("{} is {what}", path.display()))
    };
    let status = rustix::fs::fstat(file).map_err(at)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(refused("no regular file"));
    }
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let len = retry_on_intr(|| rustix::io::read(file, &mut part)).map_err(at)?;
        bytes.extend_from_slice(part.get(..len).unwrap_or_default());
        if len == 0 {
            return Ok(bytes);
        }
        if bytes.len() > LONGEST {
            return Err(refused("longer than 64 KiB"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etc_is_where_its_file_system_has_it() {
        let root = "27 1 254:0 / / rw - ext4 /dev/vda rw\n22 27 0:21 / /proc rw - proc proc rw\n";
        let subvolume = "27 1 0:30 /@ / rw - btrfs /dev/vda rw\n";
        assert_eq!(etc_in(root).as_deref(), Some("254:0 /etc"));
        assert_eq!(etc_in(subvolume).as_deref(), Some("0:30 /@/etc"));
        for (more, expected) in [
            ("30 27 0:40 / /etc rw - tmpfs none rw\n", "0:40 "),
            ("30 27 254:0 /etc /etc rw - ext4 /dev/vda rw\n", "254:0 /etc"),
            ("30 27 0:40 / /etc rw - x x rw\n31 30 0:41 /a /etc rw - x x rw\n", "0:41 /a"),
            ("30 27 0:40 / /etc/x rw - tmpfs none rw\n", "254:0 /etc"),
            ("30 27 0:50 / / rw - tmpfs none rw\n", "0:50 /etc"),
        ] {
            assert_eq!(etc_in(&format!("{root}{more}")).as_deref(), Some(expected), "{more}");
        }
        for none in ["", "x", "1 2 3 4", "22 27 0:21 / /proc rw - proc proc rw"] {
            assert_eq!(etc_in(none), None, "{none}");
        }
    }
}
