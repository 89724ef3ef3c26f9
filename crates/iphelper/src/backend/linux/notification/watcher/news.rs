//! What has changed, in order, for all who listen.

use crate::ip_interface::IpInterface;
use crate::notification::{ChangeKind, Event, Subject};

/// For whom an event is: rows may be told apart as the kernel does, or as Windows does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum View {
    Both,
    Kernel,
    Windows,
}

/// Events in order.
#[derive(Debug, Default)]
pub(in super::super) struct News(Vec<(View, Event)>);

/// A change of an IP interface's row, and the place in the news where it belongs.
#[derive(Debug)]
pub(in super::super) struct IpInterfaceChange {
    pub(in super::super) at: usize,
    pub(in super::super) kind: ChangeKind,
    pub(in super::super) row: IpInterface,
    pub(in super::super) before: Option<IpInterface>,
    pub(in super::super) resynchronised: bool,
}

impl News {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in super::super) fn push(&mut self, view: View, event: Event) {
        self.0.push((view, event));
    }

    /// The events from a place on, to be put right.
    pub(super) fn since(&mut self, place: usize) -> impl Iterator<Item = &mut Event> {
        self.0.iter_mut().skip(place).map(|(_, event)| event)
    }

    /// Puts changes of IP interfaces where they belong.
    pub(super) fn insert_ip_interfaces(&mut self, mut changes: Vec<IpInterfaceChange>) {
        if changes.is_empty() {
            return;
        }
        // Stable: those of one place stay in their order.
        changes.sort_by_key(|change| change.at);
        let mut changes = changes.into_iter().peekable();
        let mut merged = Vec::with_capacity(self.0.len() + changes.len());
        let event = |change: IpInterfaceChange| {
            let IpInterfaceChange { kind, row, before, resynchronised, .. } = change;
            let subject = Subject::IpInterface(Box::new(row));
            let before = before.map(|before| Subject::IpInterface(Box::new(before)));
            (View::Both, Event { kind, subject, before, requester: None, resynchronised })
        };
        for (place, other) in std::mem::take(&mut self.0).into_iter().enumerate() {
            while let Some(change) = changes.next_if(|change| change.at <= place) {
                merged.push(event(change));
            }
            merged.push(other);
        }
        merged.extend(changes.map(event));
        self.0 = merged;
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &(View, Event)> {
        self.0.iter()
    }
}
