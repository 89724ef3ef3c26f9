//! Optimistic detection of duplicates of one IPv6 address (RFC 4429).
//!
//! The kernel heeds the wish only where all addresses of the interface may be optimistic (`optimistic_dad`). So that is
//! raised for the moment in which the address is added. A marker says so meanwhile: whoever finds it when nobody has the
//! lock puts the sysctl back, for one who was killed.

use super::OPERATION;
use super::batch::send;
use super::exclusive::PolicyLock;
use super::marker::{Marker, Subject, markers};
use super::names::{MARKERS, OPTIMISTIC_DETECTION, PROTOCOL};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::conf::Conf;
use crate::backend::linux::link::Link;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::message::Request;
use iphelper_netlink::rtnetlink::route::Route;

const FILE: &str = "optimistic_dad";

/// Whether a route is such a marker.
pub(in crate::backend::linux) fn notes_optimistic_detection(route: &Route) -> bool {
    route.table == MARKERS && route.protocol == PROTOCOL && route.priority == OPTIMISTIC_DETECTION
}

impl LinuxHost {
    /// Does what adds an address that may be optimistic.
    pub(in crate::backend::linux) fn with_optimistic_detection(
        &self,
        link: &Link,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let is_on = |name: &str| {
            self.sysctl.read(Family::V6, &format!("conf/{name}/{FILE}")).is_ok_and(|on| on != "0")
        };
        let _lock = PolicyLock::take_for_routes(self)?;
        self.restore_optimistic_detection_locked()?;
        if is_on("all") || is_on(&link.name()) {
            return work();
        }
        let mut conf = Conf::new(self, Family::V6, link.luid());
        conf.open(FILE)?;
        let marker = Marker { property: OPTIMISTIC_DETECTION, subject: Subject::of(link), values: [0; 4] };
        self.send_marker(marker.put())?;
        let done = conf.write(FILE, 1).and_then(|()| work());
        let restored = conf.write(FILE, 0).and_then(|()| self.send_marker(marker.remove()));
        done.and(restored)
    }

    /// Puts back what callers that were killed have raised.
    pub(in crate::backend::linux) fn restore_optimistic_detection(&self) -> Result<()> {
        let _lock = PolicyLock::take_for_routes(self)?;
        self.restore_optimistic_detection_locked()
    }

    fn restore_optimistic_detection_locked(&self) -> Result<()> {
        let found = markers(&mut *self.route.take()?);
        let found = found.map_err(|refusal| refusal.error(OPERATION).because("listing the markers"))?;
        let mut left = found.into_iter().filter(|it| it.property == OPTIMISTIC_DETECTION).peekable();
        if left.peek().is_none() {
            return Ok(());
        }
        let links = self.links(OPERATION)?;
        for marker in left {
            if let Some(link) = links.iter().find(|link| Subject::of(link) == marker.subject) {
                Conf::new(self, Family::V6, link.luid()).write(FILE, 0)?;
            }
            self.send_marker(marker.remove())?;
        }
        Ok(())
    }

    fn send_marker(&self, request: Request) -> Result<()> {
        let sent = send(&mut *self.route.take()?, request);
        sent.map_err(|refusal| refusal.error(OPERATION).because("writing down that a sysctl is raised"))
    }
}
