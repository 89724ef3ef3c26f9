//! IPv6 forwarding of single interfaces where the kernel knows it for all of them or none (Linux before 6.17).
//!
//! The interfaces that shall forward are in the filter's set `forward6`; what comes in for others on any interface that is
//! not there is dropped before anything is decided about it. With that in place `net.ipv6.conf.all.forwarding` is raised.
//!
//! The kernel has side effects there that nobody asked for (`net/ipv6/addrconf.c`, `addrconf_fixup_forwarding`), which are
//! undone in the same call: every interface becomes a router, that is, says so to its neighbours and obeys no other, and
//! every default route that a router told is taken away. So interfaces obey routers meanwhile whether they are one or not
//! ([`while_kept`]), and those that were no routers cease to be. Two side effects stay while any interface forwards, since
//! the kernel asks the one sysctl about them: of several default routers those that answer are not preferred, and
//! optimistic addresses are not used.
//!
//! A caller may be killed anywhere. A marker says how far it came, and each interface that was a router has one until the
//! end; the next call that changes anything of policy completes the work. What may stay is an `accept_ra` of 2 where it was
//! 1, which is the same for an interface that is no router.

#[cfg(test)]
mod tests;

use super::OPERATION;
use super::converge::{gone_is_fine, send};
use super::kept_routers::while_kept;
use super::marker::{Marker, Subject, markers};
use super::names::{IPV6_FORWARDING, IPV6_ROUTER};
use super::settings::{Property, Setting, Settings};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::conf::{Conf, refused};
use crate::backend::linux::link::Link;
use crate::backend::linux::sysctl::{read_value, write_value};
use crate::error::{ErrorKind, Result};
use crate::types::Family;
use rustix::fs::OFlags;

/// The sysctl by which every interface forwards, and becomes a router.
const ALL: &str = "conf/all/forwarding";
/// What a new interface begins with.
const NEW: &str = "conf/default/forwarding";

/// Which interfaces forward IPv6 that have no `force_forwarding` of their own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::backend::linux) enum Ipv6Forwarding {
    #[default]
    None,
    /// Those that were chosen, as the filter has it.
    Chosen,
    All,
}

impl Ipv6Forwarding {
    /// Whether packets for others that come in on the interface are forwarded. `settings` are those of the interface.
    pub(in crate::backend::linux) fn of(self, link: &Link, settings: &Settings) -> bool {
        let (family, property) = (Family::V6, Property::Forwarding);
        let setting = Setting { family, property, index: link.index, luid: link.luid() };
        link.ipv6.is_some_and(|ipv6| ipv6.force_forwarding == Some(true))
            || self == Self::All
            || self == Self::Chosen && settings.contains(&setting)
    }
}

impl LinuxHost {
    /// What the sysctl for all interfaces means here. Needs no privilege.
    pub(in crate::backend::linux) fn ipv6_forwarding(&self) -> Result<Ipv6Forwarding> {
        Ok(match self.sysctl.read(Family::V6, ALL).as_deref() {
            // No IPv6, too.
            Ok("0") | Err(_) => Ipv6Forwarding::None,
            _ if Raised::read(&all_markers(self)?).is_some() => Ipv6Forwarding::Chosen,
            _ => Ipv6Forwarding::All,
        })
    }
}

/// That the sysctl is ours to raise and lower.
#[derive(Clone, Copy, Debug)]
struct Raised {
    /// A caller is at work, or was killed at it: notes of routers are from before it.
    unfinished: bool,
    /// What new interfaces begin with when nothing is raised.
    new: u32,
}

/// The sysctl is about no interface.
const NOBODY: Subject = Subject { index: 0, tag: 0 };

impl Raised {
    const UNFINISHED: u32 = 1;
    const SETTLED: u32 = 2;

    fn read(markers: &[Marker]) -> Option<Self> {
        let marker = markers.iter().find(|it| (it.property, it.subject) == (IPV6_FORWARDING, NOBODY))?;
        let [phase, new, ..] = marker.values;
        Some(Self { unfinished: phase != Self::SETTLED, new })
    }

    fn marker(self) -> Marker {
        let phase = if self.unfinished { Self::UNFINISHED } else { Self::SETTLED };
        Marker { property: IPV6_FORWARDING, subject: NOBODY, values: [phase, self.new, 0, 0] }
    }

    /// Says that work begins, and from what; of one that was not completed, that is known.
    fn begin(host: &LinuxHost, found: Option<Self>) -> Result<Self> {
        let begun = match found {
            Some(found) if found.unfinished => return Ok(found),
            _ => Self { unfinished: true, new: read(host, NEW)? },
        };
        forget_routers(host)?;
        note_routers(host)?;
        send(host, begun.marker().put(), "noting that IPv6 forwarding is switched")?;
        Ok(begun)
    }
}

/// Makes the kernel forward, if it does not; what may be forwarded must be in the filter.
pub(super) fn raise(host: &LinuxHost) -> Result<()> {
    let found = Raised::read(&all_markers(host)?);
    if is_raised(host)? && found.is_none_or(|it| !it.unfinished) {
        return Ok(());
    }
    let raised = Raised::begin(host, found)?;
    while_kept(host, None, || {
        write(host, ALL, 1)?;
        write(host, NEW, raised.new)?;
        let routers = routers(host)?;
        let links = host.links(OPERATION)?;
        let mut others = links.iter().filter(|link| !routers.contains(&Subject::of(link)));
        others.try_for_each(|link| make_router(host, link, false))
    })?;
    send(host, Raised { unfinished: false, ..raised }.marker().put(), "noting that it forwards")?;
    forget_routers(host)
}

/// Whether the kernel forwards. Where it does not, no interface is one that was chosen: a caller was killed, or an
/// administrator has switched it off since.
pub(super) fn is_raised(host: &LinuxHost) -> Result<bool> {
    Ok(read(host, ALL)? != 0)
}

/// Completes what a caller that was killed began.
pub(super) fn finish_raising(host: &LinuxHost) -> Result<()> {
    match Raised::read(&all_markers(host)?) {
        Some(raised) if raised.unfinished => raise(host),
        _ => forget_routers(host),
    }
}

/// Ends what [`raise`] began, if anything; nothing is forwarded then, whatever is in the filter.
pub(super) fn lower(host: &LinuxHost) -> Result<()> {
    let Some(found) = Raised::read(&all_markers(host)?) else { return Ok(()) };
    let raised = Raised::begin(host, Some(found))?;
    write(host, ALL, 0)?;
    write(host, NEW, raised.new)?;
    let routers = routers(host)?;
    if !routers.is_empty() {
        while_kept(host, None, || {
            let links = host.links(OPERATION)?;
            let mut routers = links.iter().filter(|link| routers.contains(&Subject::of(link)));
            routers.try_for_each(|link| make_router(host, link, true))
        })?;
    }
    forget_routers(host)?;
    gone_is_fine(send(host, raised.marker().remove(), "noting that nothing is left to be done"))
}

/// Writes down which interfaces are routers, since the kernel makes all of them the same.
fn note_routers(host: &LinuxHost) -> Result<()> {
    for link in host.links(OPERATION)?.iter().filter(|link| is_router(link)) {
        let marker = Marker { property: IPV6_ROUTER, subject: Subject::of(link), values: [0; 4] };
        send(host, marker.put(), "noting a router")?;
    }
    Ok(())
}

fn routers(host: &LinuxHost) -> Result<Vec<Subject>> {
    let markers = all_markers(host)?;
    Ok(markers.iter().filter(|it| it.property == IPV6_ROUTER).map(|it| it.subject).collect())
}

fn forget_routers(host: &LinuxHost) -> Result<()> {
    for marker in all_markers(host)?.iter().filter(|it| it.property == IPV6_ROUTER) {
        gone_is_fine(send(host, marker.remove(), "forgetting the note of a router"))?;
    }
    Ok(())
}

fn is_router(link: &Link) -> bool {
    link.ipv6.is_some_and(|ipv6| ipv6.forwarding)
}

fn make_router(host: &LinuxHost, link: &Link, router: bool) -> Result<()> {
    if is_router(link) == router {
        return Ok(());
    }
    match Conf::new(host, Family::V6, link.luid()).write("forwarding", i64::from(router)) {
        // It went meanwhile.
        Err(error) if matches!(error.kind(), ErrorKind::InterfaceNotFound | ErrorKind::NotSupported) => {
            Ok(())
        }
        done => done,
    }
}

fn all_markers(host: &LinuxHost) -> Result<Vec<Marker>> {
    markers(&mut *host.route.take()?)
        .map_err(|refusal| refusal.error(OPERATION).because("listing the markers"))
}

fn read(host: &LinuxHost, path: &str) -> Result<u32> {
    let doing = || format!("reading {path}");
    let file = host.sysctl.file(Family::V6, path, OFlags::RDONLY);
    let value =
        file.and_then(|file| read_value(&file)).map_err(|errno| refused(OPERATION, errno, &doing()))?;
    Ok(value.parse().unwrap_or_default())
}

/// Writes a value that is not there already: the kernel would tell everybody, and take routes away again.
fn write(host: &LinuxHost, path: &str, value: u32) -> Result<()> {
    if read(host, path)? == value {
        return Ok(());
    }
    let file = host.sysctl.file(Family::V6, path, OFlags::WRONLY);
    file.and_then(|file| write_value(&file, &value.to_string()))
        .map_err(|errno| refused(OPERATION, errno, &format!("writing {value} to {path}")))
}
