//! Many changes of one thing folded into the difference that they make.

use crate::notification::ChangeKind;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A change that can be folded with others of the same thing.
pub(super) trait Change: Clone {
    type Key: Eq + Hash;
    fn key(&self) -> Self::Key;
    fn kind(&self) -> ChangeKind;
    /// The same change as part of a difference, and as one of `kind`, where the thing changed `first` by that.
    fn folded(self, kind: ChangeKind, first: &Self) -> Self;
}

/// What became of one thing over several changes.
struct Net {
    /// Whether the consumer has it from before the first change.
    known: bool,
    /// The first change.
    first: usize,
    /// Where it was deleted first.
    deleted: Option<usize>,
    /// The last change, which holds the last row known.
    last: usize,
    last_kind: ChangeKind,
}

/// Folds changes into the difference that they make, which is at most a deletion and an addition for each thing: those
/// of a thing that the consumer never saw and never will are left out.
///
/// A deletion keeps the place of the first one, everything else that of the last change, so that an index is deleted
/// before another interface appears on it.
pub(super) fn fold<C: Change>(changes: &mut VecDeque<C>) {
    let mut nets: HashMap<C::Key, Net> = HashMap::default();
    for (position, change) in changes.iter().enumerate() {
        let deleted = (change.kind() == ChangeKind::Delete).then_some(position);
        match nets.entry(change.key()) {
            Entry::Vacant(entry) => {
                let known = change.kind() != ChangeKind::Add;
                let _ = entry.insert(Net {
                    known,
                    first: position,
                    deleted,
                    last: position,
                    last_kind: change.kind(),
                });
            }
            Entry::Occupied(mut entry) => {
                let net = entry.get_mut();
                net.deleted = net.deleted.or(deleted);
                (net.last, net.last_kind) = (position, change.kind());
            }
        }
    }
    let mut kept = Vec::with_capacity(nets.len());
    for net in nets.into_values() {
        if let (true, Some(position)) = (net.known, net.deleted) {
            kept.push((position, net.first, net.last, ChangeKind::Delete));
        }
        if net.last_kind != ChangeKind::Delete {
            let is_new = !net.known || net.deleted.is_some();
            let kind = if is_new { ChangeKind::Add } else { ChangeKind::Parameter };
            kept.push((net.last, net.first, net.last, kind));
        }
    }
    kept.sort_unstable_by_key(|(position, ..)| *position);
    let change = |(_, first, last, kind): (usize, usize, usize, ChangeKind)| {
        Some(changes.get(last)?.clone().folded(kind, changes.get(first)?))
    };
    *changes = kept.into_iter().filter_map(change).collect();
}
