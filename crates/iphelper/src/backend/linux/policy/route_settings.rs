//! What is set by hand of how routes go, as everybody may read it.

use super::detection;
use super::marker::{Marker, Subject, markers};
use super::metric::{State, has_unfinished};
use super::names::OPTIMISTIC_DETECTION;
use super::route_mtu;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::error::Result;
use crate::types::Family;

/// What is set by hand of how routes go: metrics and IPv4 MTUs.
#[derive(Debug)]
pub(in crate::backend::linux) struct RouteSettings(Vec<Marker>);

impl RouteSettings {
    /// An interface's metric; `None` while it is automatic. Where a caller was killed on a way round, that to which it led.
    pub(in crate::backend::linux) fn metric(&self, family: Family, link: &Link) -> Option<u32> {
        let state = State::of(&self.0, family, Subject::of(link));
        state.then.unwrap_or_else(|| state.metric())
    }

    /// Whether a change of an interface's metric was begun by a caller that was killed, and is not complete.
    pub(in crate::backend::linux) fn is_metric_unfinished(&self, family: Family, link: &Link) -> bool {
        State::of(&self.0, family, Subject::of(link)).is_unfinished()
    }

    /// The same of any interface, also of one that is gone.
    pub(super) fn has_unfinished_metric(&self) -> bool {
        has_unfinished(&self.0)
    }

    /// With how many probes an interface's IPv4 addresses are looked for before they are taken.
    pub(in crate::backend::linux) fn ipv4_dad_transmits(&self, link: &Link) -> u32 {
        detection::ipv4_dad_transmits(&self.0, link)
    }

    /// Whether a caller has raised a sysctl for a moment, and may have been killed in that.
    pub(in crate::backend::linux) fn has_optimistic_detection(&self) -> bool {
        self.0.iter().any(|marker| marker.property == OPTIMISTIC_DETECTION)
    }

    /// An interface's IPv4 MTU; `None` while it is the device's.
    pub(in crate::backend::linux) fn ipv4_mtu(&self, link: &Link) -> Option<u32> {
        route_mtu::state_of(&self.0, Subject::of(link)).mtu()
    }
}

impl LinuxHost {
    /// What is set by hand, by one dump. Needs no privilege.
    pub(in crate::backend::linux) fn route_settings(&self) -> Result<RouteSettings> {
        let markers = markers(&mut *self.route.take()?);
        markers
            .map(RouteSettings)
            .map_err(|refusal| refusal.error("reading an interface's metric").because("listing the markers"))
    }
}
