//! What the marker of an interface metric says.

use super::super::marker::{Marker, Subject};
use super::super::names::{metric_of, round_of};
use crate::types::Family;

/// How far a change of the offset has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux::policy) enum Phase {
    /// Nothing is under way.
    Settled,
    /// Copies with the new metric are being added; every old route is still there.
    Adding,
    /// Every copy is there; the old routes are being taken away.
    Deleting,
}

/// The interface metric as it is kept in the kernel. `None` is automatic, which is offset 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backend::linux::policy) struct State {
    pub(in crate::backend::linux::policy) from: Option<u32>,
    pub(in crate::backend::linux::policy) to: Option<u32>,
    pub(in crate::backend::linux::policy) phase: Phase,
    /// `ra_defrtr_metric` as it was before the offset; 0: not known.
    pub(in crate::backend::linux::policy) advertised: u32,
    /// Where the way leads in the end, while it is a way round others: [`to`](Self::to) is but half of it.
    pub(in crate::backend::linux::policy) then: Option<Option<u32>>,
}

/// Whether the markers tell of a change of any interface's metric that is not complete, also of one that is gone.
pub(in crate::backend::linux::policy) fn has_unfinished(markers: &[Marker]) -> bool {
    let is_unfinished = |marker: &Marker| {
        Family::ALL.into_iter().any(|family| State::of(&[*marker], family, marker.subject).is_unfinished())
    };
    markers.iter().any(is_unfinished)
}

const FROM_MANUAL: u32 = 1;
const TO_MANUAL: u32 = 2;
const ADDING: u32 = 4;
const DELETING: u32 = 8;

impl State {
    pub(in crate::backend::linux::policy) const fn settled(metric: Option<u32>, advertised: u32) -> Self {
        Self { from: metric, to: metric, phase: Phase::Settled, advertised, then: None }
    }

    /// What the markers say of an interface.
    pub(in crate::backend::linux::policy) fn of(
        markers: &[Marker],
        family: Family,
        subject: Subject,
    ) -> Self {
        let find = |property| markers.iter().find(|it| it.property == property && it.subject == subject);
        let state = find(metric_of(family)).map_or(Self::settled(None, 0), Self::read);
        let then = find(round_of(family)).map(|round| {
            let [metric, flags, ..] = round.values;
            (flags & TO_MANUAL != 0).then_some(metric)
        });
        Self { then, ..state }
    }

    /// The marker that tells where a way round others leads in the end.
    pub(in crate::backend::linux::policy) fn round(
        family: Family,
        subject: Subject,
        goal: Option<u32>,
    ) -> Marker {
        let values = [goal.unwrap_or(0), if goal.is_some() { TO_MANUAL } else { 0 }, 0, 0];
        Marker { property: round_of(family), subject, values }
    }

    /// Whether a caller that was killed has begun something.
    pub(in crate::backend::linux::policy) fn is_unfinished(&self) -> bool {
        self.phase != Phase::Settled || self.then.is_some()
    }

    /// The metric that the interface is to have when all is done that was begun.
    pub(in crate::backend::linux::policy) fn goal(&self) -> Option<u32> {
        self.then.unwrap_or(self.to)
    }

    fn read(marker: &Marker) -> Self {
        let [from, to, flags, advertised] = marker.values;
        let phase = match flags & (ADDING | DELETING) {
            ADDING => Phase::Adding,
            DELETING => Phase::Deleting,
            _ => Phase::Settled,
        };
        let metric = |value, flag| (flags & flag != 0).then_some(value);
        Self { from: metric(from, FROM_MANUAL), to: metric(to, TO_MANUAL), phase, advertised, then: None }
    }

    pub(in crate::backend::linux::policy) fn marker(&self, family: Family, subject: Subject) -> Marker {
        let phase = match self.phase {
            Phase::Settled => 0,
            Phase::Adding => ADDING,
            Phase::Deleting => DELETING,
        };
        let manual = |metric: Option<u32>, flag| if metric.is_some() { flag } else { 0 };
        let flags = phase | manual(self.from, FROM_MANUAL) | manual(self.to, TO_MANUAL);
        let values = [self.from.unwrap_or(0), self.to.unwrap_or(0), flags, self.advertised];
        Marker { property: metric_of(family), subject, values }
    }

    /// What is added to routes now: the old metric until no route is needed for it any more.
    pub(in crate::backend::linux::policy) fn metric(&self) -> Option<u32> {
        match self.phase {
            Phase::Adding => self.from,
            Phase::Settled | Phase::Deleting => self.to,
        }
    }
}
