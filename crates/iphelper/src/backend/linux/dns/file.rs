//! The `resolv.conf` of a namespace: where it is, and what it says.

use super::OPERATION;
use super::resolv_conf::ResolvConf;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::namespace::{Namespace, system};
use crate::dns::{Dns, DnsDomain, DnsServer, Resolver};
use crate::error::{Error, ErrorKind, Result};
use crate::types::InterfaceIndex;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A longer file is not read.
pub(super) const LONGEST: usize = 64 << 10;
const PATH: &str = "/etc/resolv.conf";
/// Where `ip netns` keeps the names of namespaces, and the files that programs of one see in `/etc`.
const NAMES: &str = "/run/netns";
const FILES: &str = "/etc/netns";

impl LinuxHost {
    pub(super) fn read_file(&self, dns: &mut Dns) -> Result<()> {
        let path = self.resolv_conf();
        let bytes = read(&path)?;
        let file = ResolvConf::parse(bytes.as_deref().unwrap_or_default());
        dns.servers = file
            .nameservers()
            .into_iter()
            .map(|(address, zone)| DnsServer {
                zone: zone.and_then(|zone| self.zone(&zone)),
                ..DnsServer::new(address)
            })
            .collect();
        if let Some(domain) = file.domain() {
            dns.domain_name = Some(domain);
        }
        // Without a line the C library tries the host's own domain.
        let search = file.search().or_else(|| Some(vec![dns.domain_name.clone()?]));
        dns.domains = search.unwrap_or_default().into_iter().map(DnsDomain::search).collect();
        let manager = link_target(&path).or_else(|| file.manager());
        dns.resolver = Resolver::File { path, exists: bytes.is_some(), manager };
        Ok(())
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

/// Where a link leads.
pub(super) fn link_target(path: &Path) -> Option<String> {
    let target = std::fs::read_link(path).ok()?;
    Some(format!("a link to {}", target.display()))
}

/// The content; `None` if there is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
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
